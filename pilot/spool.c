/* Finds, makes, locks and reads the pilot's own directory: see spool.h. */
#include "pilot/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/id.h"
#include "lib/json.h"
#include "lib/log.h"

#define IDENTITY "identity"
#define IDENTITY_NEW "identity.new"
#define IDENTITY_MAX 8192
#define SLOTS_MAX 10000 /* pilots of one user on one host */

/* Makes every directory of the path, 0700; those that exist stay as they are.
 */
static bool make_path(const char *path, struct err *e)
{
	char *copy = xstrdup(path);
	bool ok = true;

	for (char *s = copy + 1; ok; s++) {
		char c = *s;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			ok = err_set_errno(e, ERR_IO,
					   "cannot make the directory '%s'",
					   copy);
		*s = c;
		if (!c)
			break;
	}
	free(copy);
	return ok;
}

/* The directory must be ours alone: others could put runs' results there. */
static int open_own(const char *path, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		err_set_errno(e, ERR_IO, "cannot open the directory '%s'",
			      path);
		return -1;
	}
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid()) {
		err_set(e, ERR_FORBIDDEN,
			"the directory '%s' belongs to another user: name one "
			"of your own with --spool",
			path);
		close(fd);
		return -1;
	}
	if ((st.st_mode & 066) && fchmod(fd, 0700) != 0) {
		err_set_errno(e, ERR_IO, "cannot make '%s' private", path);
		close(fd);
		return -1;
	}
	return fd;
}

/* *busy tells a lock that another pilot holds from other trouble. */
static bool lock_take(struct spool *s, bool *busy, struct err *e)
{
	struct flock lk = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	*busy = false;
	s->lock_fd = openat(s->dir_fd, "lock",
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_set_errno(e, ERR_IO, "cannot make a lock in '%s'",
				     s->path);
	if (fcntl(s->lock_fd, F_OFD_SETLK, &lk) == 0)
		return true;
	*busy = errno == EAGAIN || errno == EACCES;
	if (*busy)
		err_set(e, ERR_CONFLICT,
			"another pilot lives in the spool '%s'", s->path);
	else
		err_set_errno(e, ERR_IO, "cannot lock the spool '%s'", s->path);
	close(s->lock_fd);
	return false;
}

static bool subdirs(struct arena *a, struct spool *s, struct err *e)
{
	s->files = arena_printf(a, "%s/files", s->path);
	s->runs = arena_printf(a, "%s/runs", s->path);
	return make_path(s->files, e) && make_path(s->runs, e);
}

static bool open_at(struct arena *a, const char *path, struct spool *out,
		    bool *busy, struct err *e)
{
	*busy = false;
	out->path = path;
	if (!make_path(path, e))
		return false;
	out->dir_fd = open_own(path, e);
	if (out->dir_fd < 0)
		return false;
	if (!lock_take(out, busy, e)) {
		close(out->dir_fd);
		return false;
	}
	if (!subdirs(a, out, e)) {
		spool_close(out);
		return false;
	}
	return true;
}

static const char *state_dir(struct arena *a)
{
	const char *dir = getenv("XDG_STATE_HOME");

	if (geteuid() == 0)
		return "/var/lib/sortie/pilots";
	if (dir && *dir == '/')
		return arena_printf(a, "%s/sortie/pilots", dir);
	dir = getenv("HOME");
	if (dir && *dir == '/')
		return arena_printf(a, "%s/.local/state/sortie/pilots", dir);
	return arena_printf(a, "/var/tmp/sortie-%ld/pilots", (long)geteuid());
}

/* Host names come from options too: they become one path component. */
static const char *component(struct arena *a, const char *host)
{
	char *s = arena_strdup(a, host);

	for (char *c = s; *c; c++)
		if (*c == '/' || (unsigned char)*c < ' ')
			*c = '_';
	return *s == '.' || !*s ? "host" : s;
}

/* Scratch directories of batch nodes lie in folders that all may write. */
static bool state_own(const char *state, struct err *e)
{
	int fd;

	if (!make_path(state, e))
		return false;
	fd = open_own(state, e);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

bool spool_open(struct arena *a, const char *path, const char *state,
		const char *host, struct spool *out, struct err *e)
{
	char *cwd = NULL;
	bool busy;

	*out = (struct spool){ .dir_fd = -1, .lock_fd = -1 };
	if (path && *path != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return err_set_errno(e, ERR_IO,
					     "cannot tell the "
					     "current directory");
		path = arena_printf(a, "%s/%s", cwd, path);
		free(cwd);
	}
	if (path)
		return open_at(a, arena_strdup(a, path), out, &busy, e);
	if (!state || *state != '/')
		state = state_dir(a);
	if (!state_own(state, e))
		return false;
	for (int n = 0; n < SLOTS_MAX; n++) {
		path = arena_printf(a, "%s/%s/%d", state, component(a, host),
				    n);
		if (open_at(a, path, out, &busy, e))
			return true;
		if (!busy)
			return false;
	}
	return false;
}

bool spool_let_pass(const struct spool *s, struct err *e)
{
	char *path = xstrdup(s->path);
	struct stat st;
	bool ok = fchmod(s->dir_fd, 0711) == 0 && chmod(s->runs, 0711) == 0 &&
		  chmod(s->files, 0700) == 0;

	if (!ok)
		err_set_errno(e, ERR_IO, "cannot open '%s' to others", path);
	for (char *end = strrchr(path, '/'); ok && end && end != path;
	     end = strrchr(path, '/')) {
		*end = '\0';
		ok = stat(path, &st) == 0 && (st.st_mode & S_IXOTH);
		if (!ok)
			err_set(e, ERR_FORBIDDEN,
				"other users cannot pass through '%s' to their "
				"working directories: chmod o+x it, or choose "
				"another place with --spool",
				path);
	}
	free(path);
	return ok;
}

void spool_close(struct spool *s)
{
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	s->lock_fd = s->dir_fd = -1;
}

static ssize_t slurp(const struct spool *s, char *out, size_t cap)
{
	int fd = openat(s->dir_fd, IDENTITY, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, out, cap);
	close(fd);
	return n;
}

void spool_identity_read(struct arena *a, const struct spool *s,
			 struct spool_identity *out)
{
	struct json_object *o;
	struct err e = ERR_INIT;
	char text[IDENTITY_MAX];
	ssize_t n = slurp(s, text, sizeof(text));

	*out = (struct spool_identity){ 0 };
	if (n <= 0)
		return;
	if (!json_parse(a, text, (size_t)n, &o, &e) ||
	    json_type(o) != JSON_OBJECT) {
		log_warn("spool '%s': the last pilot's identity is unreadable "
			 "and ignored",
			 s->path);
		return;
	}
	out->pilot = arena_strdup(a, json_get_str(o, "pilot"));
	out->token = arena_strdup(a, json_get_str(o, "token"));
	out->cluster = arena_strdup(a, json_get_str(o, "cluster"));
	if (!out->pilot || !out->token || !out->cluster)
		*out = (struct spool_identity){ 0 };
}

static bool write_file(const struct spool *s, const struct buf *b,
		       struct err *e)
{
	int fd = openat(s->dir_fd, IDENTITY_NEW,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0600);
	bool ok;

	if (fd < 0)
		return err_set_errno(e, ERR_IO, "cannot write into '%s'",
				     s->path);
	ok = fd_write_all(fd, b->data, b->len) && fsync(fd) == 0;
	if (!ok)
		err_set_errno(e, ERR_IO, "cannot write into '%s'", s->path);
	close(fd);
	return ok;
}

bool spool_identity_write(const struct spool *s,
			  const struct spool_identity *id, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok;

	buf_addc(&b, '{');
	buf_json_kv_str(&b, "pilot", id->pilot);
	buf_json_kv_str(&b, "token", id->token);
	buf_json_kv_str(&b, "cluster", id->cluster);
	buf_adds(&b, "}\n");
	ok = write_file(s, &b, e);
	buf_fini(&b);
	if (!ok)
		return false;
	if (renameat(s->dir_fd, IDENTITY_NEW, s->dir_fd, IDENTITY) != 0 ||
	    fsync(s->dir_fd) != 0)
		return err_set_errno(e, ERR_IO, "cannot rename within '%s'",
				     s->path);
	return true;
}

void spool_identity_forget(const struct spool *s)
{
	if (unlinkat(s->dir_fd, IDENTITY, 0) != 0 && errno != ENOENT)
		log_warn("spool '%s': cannot remove the identity: %s", s->path,
			 strerror(errno));
}

bool spool_journal_set_aside(const struct spool *s, const char *pilot,
			     struct err *e)
{
	char name[64];

	if (!id_uuid_valid(pilot))
		pilot = "unknown";
	snprintf(name, sizeof(name), "journal.unclaimed-%s", pilot);
	if (renameat(s->dir_fd, "journal", s->dir_fd, name) == 0)
		return true;
	return err_set_errno(e, ERR_IO, "cannot put the journal in '%s' aside",
			     s->path);
}
