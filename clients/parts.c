/* Gathers jobs into bodies of bounded size, on disk once they are many. */
#include "clients/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/arena.h"
#include "lib/fd.h"

struct part {
	off_t offset;
	size_t len;
	int64_t jobs;
};

struct parts {
	size_t max_len;
	int64_t max_jobs, n_jobs;
	struct part *done; /* on disk */
	size_t n, cap;
	off_t size; /* of the file */
	int fd;
	struct buf open; /* the part that still grows */
	int64_t open_jobs;
};

struct parts *parts_new(size_t max_len, int64_t max_jobs)
{
	struct parts *p = xcalloc(1, sizeof(*p));

	p->max_len = max_len;
	p->max_jobs = max_jobs;
	p->fd = -1;
	return p;
}

void parts_free(struct parts *p)
{
	if (p == NULL)
		return;
	if (p->fd >= 0)
		close(p->fd);
	buf_fini(&p->open);
	free(p->done);
	free(p);
}

/* The file is gone with its last descriptor, however we end. */
static bool open_file(struct parts *p, struct err *e)
{
	const char *dir = getenv("TMPDIR");
	char *path;

	if (p->fd >= 0)
		return true;
	if (dir == NULL || dir[0] != '/')
		dir = "/tmp";
	path = xasprintf("%s/sortie-XXXXXX", dir);
	p->fd = mkostemp(path, O_CLOEXEC);
	if (p->fd >= 0)
		unlink(path);
	free(path);
	if (p->fd < 0)
		return err_set_errno(e, ERR_IO,
				     "cannot make a temporary file "
				     "in \"%s\"",
				     dir);
	return true;
}

static bool close_part(struct parts *p, struct err *e)
{
	struct part *part;

	buf_addc(&p->open, ']');
	if (!open_file(p, e))
		return false;
	if (!fd_write_all(p->fd, p->open.data, p->open.len))
		return err_set_errno(e, ERR_IO,
				     "cannot write a temporary file");
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 16;
		p->done = xrealloc(p->done, p->cap * sizeof(*p->done));
	}
	part = &p->done[p->n++];
	part->offset = p->size;
	part->len = p->open.len;
	part->jobs = p->open_jobs;
	p->size += (off_t)p->open.len;
	p->open_jobs = 0;
	buf_reset(&p->open);
	return true;
}

bool parts_add(struct parts *p, const char *text, size_t len, struct err *e)
{
	if (p->open_jobs > 0 &&
	    (p->open.len + len + 2 > p->max_len ||
	     p->open_jobs == p->max_jobs) &&
	    !close_part(p, e))
		return false;
	buf_addc(&p->open, p->open_jobs == 0 ? '[' : ',');
	buf_add(&p->open, text, len);
	p->open_jobs++;
	p->n_jobs++;
	return true;
}

int64_t parts_jobs(const struct parts *p)
{
	return p->n_jobs;
}

size_t parts_n(const struct parts *p)
{
	return p->n + (p->open_jobs > 0);
}

int64_t parts_jobs_of(const struct parts *p, size_t i)
{
	return i < p->n ? p->done[i].jobs : p->open_jobs;
}

bool parts_read(struct parts *p, size_t i, struct buf *b, struct err *e)
{
	size_t got = 0;

	buf_reset(b);
	if (i == p->n) {
		buf_add(b, p->open.data, p->open.len);
		buf_addc(b, ']');
		return true;
	}
	buf_reserve(b, p->done[i].len);
	while (got < p->done[i].len) {
		ssize_t n = pread(p->fd, b->data + got, p->done[i].len - got,
				  p->done[i].offset + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set_errno(e, ERR_IO,
					     "cannot read a "
					     "temporary file");
		got += (size_t)n;
	}
	b->len = got;
	b->data[got] = '\0';
	return true;
}
