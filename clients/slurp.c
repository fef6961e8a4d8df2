/* Reads whole files of bounded size, for commands that take one as text. */
#include "clients/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "lib/units.h"

static bool read_all(int fd, const char *path, size_t max, struct buf *b,
		     struct err *e)
{
	char piece[65536];

	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(e, ERR_IO, "cannot read \"%s\"",
					     path);
		if (n == 0)
			return true;
		if (b->len + (size_t)n > max) {
			struct buf size = BUF_INIT;

			units_format_bytes(&size, (int64_t)max);
			err_set(e, ERR_TOO_LARGE, "\"%s\" is larger than %s",
				path, buf_str(&size));
			buf_fini(&size);
			return false;
		}
		buf_add(b, piece, (size_t)n);
	}
}

bool slurp_file(const char *path, size_t max, struct buf *b, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return err_set_errno(e, ERR_IO, "cannot open \"%s\"", path);
	ok = read_all(fd, is_stdin ? "standard input" : path, max, b, e);
	if (!is_stdin)
		close(fd);
	return ok;
}
