/*
 * Removes what a payload has left behind, without ever following a link out
 * of it and without holding up the pilot when it is a great deal.
 */
#ifndef SORTIE_PILOT_RMTREE_H
#define SORTIE_PILOT_RMTREE_H

#include <stdint.h>

/* Removes the directory `name` of dir_fd with all it holds, at most `budget`
 * entries a call. 0 = gone (or never there), 1 = call again, -1 = cannot be
 * removed (errno). Works where file permissions forbid it to an owner. */
int rmtree(int dir_fd, const char *name, int budget);

/* Bytes of disk that the directory's files use; looks at no more than
 * `budget` entries, so the answer is a lower bound. */
int64_t rmtree_usage(int dir_fd, const char *name, int budget);

#endif
