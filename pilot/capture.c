/*
 * Follows a payload's output file: how long it is, which meta lines are in
 * it, and which part of its middle can be given back to the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "pilot/capture.h"

#define STEP_MAX ((int64_t)64 << 20)
#define PIECE ((size_t)256 * 1024)
/* A hole grows by at least this much: one call each 4 MiB, not each tick. */
#define HOLE_MIN ((int64_t)4 << 20)
#define BLOCK ((int64_t)4096)

static char piece[PIECE]; /* one thread, never held between calls */

void capture_init(struct capture *c, int fd, int64_t head_max, int64_t tail_max)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->head_max = head_max;
	c->tail_max = tail_max;
	c->hole_end = (head_max + BLOCK - 1) / BLOCK * BLOCK;
}

void capture_fini(struct capture *c)
{
	c->fd = -1;
	free(c->scan.text);
	c->scan.text = NULL;
}

bool capture_look(struct capture *c)
{
	struct stat st;
	int64_t before = c->size;

	if (c->fd < 0 || fstat(c->fd, &st) != 0)
		return false;
	c->size = st.st_size;
	/* A payload may open /dev/stdout anew, which truncates the file:
	 * what comes then is read from the start. */
	if (c->size < c->scanned) {
		c->scanned = 0;
		c->hole_end = (c->head_max + BLOCK - 1) / BLOCK * BLOCK;
		c->scan.state = META_PREFIX;
		c->scan.matched = 0;
		c->scan.len = 0;
	}
	return c->size != before;
}

static void give_back_middle(struct capture *c)
{
	int64_t end = (c->size - c->tail_max) / BLOCK * BLOCK;

	/* What has not been searched yet stays. */
	if (end > c->scanned)
		end = c->scanned / BLOCK * BLOCK;
	if (c->no_holes || end - c->hole_end < HOLE_MIN)
		return;
	if (fallocate(c->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      c->hole_end, end - c->hole_end) != 0) {
		c->no_holes = errno != EINTR;
		return;
	}
	c->hole_end = end;
}

bool capture_step(struct capture *c, struct meta_list *l)
{
	int64_t left = STEP_MAX;

	while (left > 0 && c->scanned < c->size) {
		ssize_t n = pread(c->fd, piece, PIECE, c->scanned);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* Truncated meanwhile, or unreadable: nothing there. */
			c->scanned = c->size;
			break;
		}
		meta_feed(&c->scan, l, piece, (size_t)n);
		c->scanned += n;
		left -= n;
	}
	give_back_middle(c);
	return c->scanned < c->size;
}

void capture_end(struct capture *c, struct meta_list *l)
{
	meta_end(&c->scan, l);
}

int64_t capture_read(struct capture *c, int64_t *offset, void *out, int64_t len)
{
	bool long_stream;
	ssize_t n;

	if (c->fd < 0)
		return 0;
	capture_look(c);
	long_stream = c->size > c->head_max + c->tail_max;
	if (long_stream && *offset >= c->head_max &&
	    *offset < c->size - c->tail_max)
		*offset = c->size - c->tail_max;
	if (long_stream && *offset < c->head_max && len > c->head_max - *offset)
		len = c->head_max - *offset;
	do {
		n = pread(c->fd, out, (size_t)len, *offset);
	} while (n < 0 && errno == EINTR);
	return n;
}

int64_t capture_usage(const struct capture *c)
{
	struct stat st;

	if (c->fd < 0 || fstat(c->fd, &st) != 0)
		return 0;
	return (int64_t)st.st_blocks * 512;
}
