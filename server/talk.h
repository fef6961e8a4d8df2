/* What h_talk.c and talk_report.c share: one call of a pilot. */
#ifndef SORTIE_SERVER_TALK_H
#define SORTIE_SERVER_TALK_H

#include "server/lanes_int.h"

/* The path's pilot is the token's. */
bool talk_pilot(struct req *r, struct err *e) MUST_CHECK;
struct talk *talk_new(struct req *r);
/* Reads `free`: the call brings grants. */
bool talk_free(struct talk *t, struct json_object *o, struct err *e) MUST_CHECK;
void talk_wait(struct talk *t, int64_t wait_s);
/* What an end tells of the files that its run read and wrote (lists, or NULL),
 * checked and as one text; *out stays NULL when it tells nothing. */
bool talk_files(struct arena *a, struct json_object *inputs,
		struct json_object *outputs, bool left_out, const char **out,
		struct err *e) MUST_CHECK;
/* The handler of reports. */
void talk_report(struct req *r);

#endif
