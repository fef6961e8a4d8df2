/* Files by their hash, in folders by its first byte. */
#include "server/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "lib/arena.h"
#include "lib/fd.h"
#include "lib/id.h"
#include "lib/log.h"

#define NAME_LEN 67 /* "ab/" and 64 digits */
#define YOUNG_S 3600

struct blobs {
	int dir;
	char *path;
	uint64_t n; /* names of files that are being written */
};

static void blob_name(const uint8_t hash[32], char out[NAME_LEN + 1])
{
	id_hex(hash, 32, out + 3);
	out[0] = out[3];
	out[1] = out[4];
	out[2] = '/';
}

static bool fault(struct err *e, const char *what, const char *name)
{
	bool full = errno == ENOSPC || errno == EDQUOT;

	return err_set_errno(e, full ? ERR_NO_SPACE : ERR_IO,
			     "cannot %s the blob \"%s\"", what, name);
}

static bool is_old(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) == 0 &&
	       time(NULL) - st.st_mtime > YOUNG_S;
}

/* Left over from a server that died while it wrote them. */
static void sweep_unfinished(struct blobs *b)
{
	int fd = openat(b->dir, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *f;

	if (d == NULL)
		return;
	while ((f = readdir(d)) != NULL)
		if (f->d_name[0] != '.' && is_old(dirfd(d), f->d_name))
			(void)unlinkat(dirfd(d), f->d_name, 0);
	closedir(d);
}

struct blobs *blobs_open(const char *dir, struct err *e)
{
	struct blobs *b;
	int fd;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		(void)err_set_errno(e, ERR_IO,
				    "cannot make the blob directory \"%s\"",
				    dir);
		return NULL;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (mkdirat(fd, "new", 0700) != 0 && errno != EEXIST)) {
		(void)err_set_errno(
			e, ERR_IO, "cannot use the blob directory \"%s\"", dir);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	b = xcalloc(1, sizeof(*b));
	b->dir = fd;
	b->path = xstrdup(dir);
	sweep_unfinished(b);
	return b;
}

void blobs_free(struct blobs *b)
{
	if (b == NULL)
		return;
	close(b->dir);
	free(b->path);
	free(b);
}

static bool sync_dir(struct blobs *b, const char *name)
{
	int fd = openat(b->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The folder is made durable before the first file in it. */
static bool folder_make(struct blobs *b, const char *name, struct err *e)
{
	char folder[3] = { name[0], name[1], '\0' };

	if (mkdirat(b->dir, folder, 0700) != 0)
		return errno == EEXIST || fault(e, "make the folder of", name);
	return fsync(b->dir) == 0 || fault(e, "make the folder of", name);
}

static bool file_write(struct blobs *b, const char *tmp, const char *name,
		       const void *data, size_t len, struct err *e)
{
	char folder[3] = { name[0], name[1], '\0' };
	int fd = openat(b->dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);

	if (fd < 0)
		return fault(e, "create", name);
	if (!fd_write_all(fd, data, len) || fsync(fd) != 0) {
		(void)fault(e, "write", name);
		close(fd);
		return false;
	}
	if (close(fd) != 0 || renameat(b->dir, tmp, b->dir, name) != 0 ||
	    !sync_dir(b, folder))
		return fault(e, "name", name);
	return true;
}

bool blob_put(struct blobs *b, const uint8_t hash[32], const void *data,
	      size_t len, struct err *e)
{
	char name[NAME_LEN + 1], tmp[64];
	struct stat st;

	blob_name(hash, name);
	if (fstatat(b->dir, name, &st, 0) == 0 && (size_t)st.st_size == len &&
	    utimensat(b->dir, name, NULL, 0) == 0)
		return true;
	(void)snprintf(tmp, sizeof(tmp), "new/%ld-%llu", (long)getpid(),
		       (unsigned long long)b->n++);
	if (folder_make(b, name, e) && file_write(b, tmp, name, data, len, e))
		return true;
	log_warn("%s", e->text);
	(void)unlinkat(b->dir, tmp, 0);
	return false;
}

bool blob_read(struct blobs *b, const uint8_t hash[32], uint64_t at, size_t len,
	       struct buf *out, struct err *e)
{
	char name[NAME_LEN + 1];
	size_t had = out->len;
	int fd;

	blob_name(hash, name);
	fd = openat(b->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		log_warn("the blob \"%s\" is not in \"%s\": do all servers "
			 "of the database share it?",
			 name + 3, b->path);
		return err_set(
			e, ERR_NOT_FOUND,
			"what is kept under \"%s\" is not at this "
			"server: its administrator finds more in the log",
			name + 3);
	}
	if (fd < 0)
		return fault(e, "open", name);
	buf_reserve(out, len);
	while (out->len - had < len) {
		size_t got = out->len - had;
		ssize_t n = pread(fd, out->data + out->len, len - got,
				  (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				break;
			(void)fault(e, "read", name);
			out->len = had;
			close(fd);
			return false;
		}
		out->len += (size_t)n;
	}
	out->data[out->len] = '\0';
	close(fd);
	return true;
}

bool blob_remove(struct blobs *b, const uint8_t hash[32], struct err *e)
{
	char name[NAME_LEN + 1];

	blob_name(hash, name);
	if (!is_old(b->dir, name))
		return true;
	return unlinkat(b->dir, name, 0) == 0 || errno == ENOENT ||
	       fault(e, "remove", name);
}

void blob_each(struct blobs *b, uint8_t folder, size_t max,
	       void (*fn)(const uint8_t hash[32], void *arg), void *arg)
{
	char name[3];
	struct dirent *f;
	uint8_t hash[32];
	DIR *d;
	int fd;

	id_hex(&folder, 1, name);
	fd = openat(b->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL)
		return;
	while (max > 0 && (f = readdir(d)) != NULL) {
		if (!id_unhex(f->d_name, hash, sizeof(hash)) ||
		    !is_old(dirfd(d), f->d_name))
			continue;
		fn(hash, arg);
		max--;
	}
	closedir(d);
}
