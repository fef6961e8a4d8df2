/*
 * Copies files into a run's directory without following any link that may be
 * there and without ever leaving it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/fd.h"
#include "pilot/runas.h"
#include "pilot/sendfile.h"
#include "pilot/userpath.h"

#define COPY_LEN ((size_t)1 << 20)

/* In the kernel where the file systems allow it, through memory otherwise. */
static bool copy_fd(int from, int to)
{
	char piece[16384];
	ssize_t n;

	do {
		n = copy_file_range(from, NULL, to, NULL, COPY_LEN, 0);
	} while (n > 0);
	if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
		return false;
	/* What is not copied yet starts at both files' offsets; zero bytes
	 * may also mean a file of /proc, which only read() can copy. */
	for (;;) {
		n = read(from, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		if (!fd_write_all(to, piece, (size_t)n))
			return false;
	}
}

bool sendfile_copy(int at, const char *name, mode_t mode, int from)
{
	int fd = openat(at, name,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			0600);
	bool ok;
	int saved;

	if (fd < 0)
		return false;
	ok = copy_fd(from, fd) && fchmod(fd, mode) == 0;
	saved = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		saved = errno;
	}
	if (!ok)
		(void)unlinkat(at, name, 0);
	errno = saved;
	return ok;
}

/* The directory in which name's last part belongs, making those between. */
static int open_parent(const char *cwd, const char *name, const char **last)
{
	int fd = userpath_open(AT_FDCWD, cwd, O_RDONLY | O_DIRECTORY);
	char part[256];

	while (fd >= 0) {
		size_t len = strcspn(name, "/");
		int next;

		if (len == 0 || len >= sizeof(part) ||
		    (len == 1 && name[0] == '.') ||
		    (len == 2 && name[0] == '.' && name[1] == '.')) {
			close(fd);
			errno = EINVAL;
			return -1;
		}
		if (!name[len]) {
			*last = name;
			return fd;
		}
		memcpy(part, name, len);
		part[len] = '\0';
		name += len + 1;
		(void)mkdirat(fd, part, 0777);
		next = openat(fd, part,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	return -1;
}

/* False with errno. */
static bool put(const char *cwd, const char *name, mode_t mode, int from)
{
	const char *last = NULL;
	int at = open_parent(cwd, name, &last), saved;
	bool ok;

	if (at < 0)
		return false;
	ok = (unlinkat(at, last, 0) == 0 || errno == ENOENT) &&
	     sendfile_copy(at, last, mode & 0777, from);
	saved = errno;
	close(at);
	errno = saved;
	return ok;
}

bool sendfile_put(const char *cwd, const char *name, mode_t mode,
		  const char *from, const struct runas_user *as, struct err *e)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return err_set_errno(e, ERR_IO, "cannot read '%s'", from);
	runas_enter(as);
	ok = put(cwd, name, mode, fd);
	runas_leave(as);
	if (!ok)
		err_set_errno(e, errno == ENOSPC ? ERR_NO_SPACE : ERR_IO,
			      "cannot put '%s' into '%s'", name, cwd);
	close(fd);
	return ok;
}
