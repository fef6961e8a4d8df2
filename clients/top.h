/* What `sortie top` shows, as lines: top.c asks for it and puts it on the
 * terminal, top_screen.c lays it out. */
#ifndef SORTIE_CLIENTS_TOP_H
#define SORTIE_CLIENTS_TOP_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/json.h"

/* Appends doc, an answer of GET /api/v1/top, in lines of at most width
 * columns (0: as long as need be) and at most height lines (0: all). */
void top_layout(struct arena *a, struct json_object *doc, int width, int height,
		struct buf *out);

#endif
