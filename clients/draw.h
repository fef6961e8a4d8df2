/* Pictures of graphs on standard output: what `sortie dag` and `sortie workflow
 * graph` share. */
#ifndef SORTIE_CLIENTS_DRAW_H
#define SORTIE_CLIENTS_DRAW_H

#include "lib/dag_draw.h"

/* format: "graphml", "json", "dot" or "svg"; NULL: a picture that fits the
 * terminal, with plain letters when ascii is true. Title and states are taken
 * from draw. */
void draw_print(const struct dag *d, const struct dag_draw_options *draw,
		const char *format, bool ascii);

#endif
