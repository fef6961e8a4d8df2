/*
 * One output stream of a payload: a file that the payload writes directly
 * (nothing is copied, nothing is lost when the pilot is slow), read by the
 * pilot as it grows.  Of a long stream head and tail are kept: the middle is
 * given back to the disk as a hole, so offsets stay true and the disk's use
 * bounded.
 */
#ifndef SORTIE_PILOT_CAPTURE_H
#define SORTIE_PILOT_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include "pilot/meta.h"

struct capture {
	int fd;           /* borrowed; -1 = none */
	int64_t size;     /* bytes written, when last looked at */
	int64_t scanned;  /* bytes searched for meta lines */
	int64_t hole_end; /* the hole is from head_max to here */
	int64_t head_max, tail_max;
	bool no_holes; /* the file system cannot */
	struct meta_scan scan;
};

/* fd: to read and write, borrowed. */
void capture_init(struct capture *c, int fd, int64_t head_max,
		  int64_t tail_max);
void capture_fini(struct capture *c);
/* Looks at the file's size. True = it differs from what was known. */
bool capture_look(struct capture *c);
/* Searches the next piece (64 MiB at most) for meta lines and gives the
 * middle back. True = there is more to do: call again. */
bool capture_step(struct capture *c, struct meta_list *l);
/* The stream has ended and capture_step has nothing more to do. */
void capture_end(struct capture *c, struct meta_list *l);
/* See payload_output_read. */
int64_t capture_read(struct capture *c, int64_t *offset, void *out,
		     int64_t len);
/* Bytes of disk it uses. */
int64_t capture_usage(const struct capture *c);

#endif
