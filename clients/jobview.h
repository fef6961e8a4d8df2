/* How one job and its runs are told to people: the columns of lists, the
 * words for an end, the exit status that stands for it. */
#ifndef SORTIE_CLIENTS_JOBVIEW_H
#define SORTIE_CLIENTS_JOBVIEW_H

#include "clients/cli.h"
#include "clients/list.h"
#include "lib/json.h"

extern const struct list jobview_list;

/* "exit 3", "SIGKILL", "" for a live job or an exit of 0. */
void jobview_end(struct buf *b, struct json_object *o);
/* Milliseconds between two times of o; now when the second is absent; -1
 * when the first is. */
int64_t jobview_span_ms(struct json_object *o, const char *from,
			const char *to);
/* The exit status of `job run` and `job wait` for a job that ended: the
 * payload's own. o has state, exit_code and signal. */
int jobview_exit(struct json_object *o);
/* One sentence on how it ended otherwise than `finished`. */
void jobview_sentence(struct buf *b, struct json_object *o);

#endif
