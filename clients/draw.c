/* Writes a graph in the form that was asked for. */
#include "clients/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/table.h"
#include "lib/graphml.h"

typedef void (*draw_fn)(struct buf *b, const struct dag *d,
			const struct dag_draw_options *o);

static void write_graphml(struct buf *b, const struct dag *d,
			  const struct dag_draw_options *o)
{
	(void)o;
	graphml_write(b, d);
}

static void write_json(struct buf *b, const struct dag *d,
		       const struct dag_draw_options *o)
{
	(void)o;
	dag_write_json(b, d);
}

static const struct {
	const char *name;
	draw_fn write;
} formats[] = {
	{ "graphml", write_graphml },
	{ "json", write_json },
	{ "dot", dag_write_dot },
	{ "svg", dag_write_svg },
};

static draw_fn writer(const char *format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (format != NULL && strcmp(formats[i].name, format) == 0)
			return formats[i].write;
	return dag_draw;
}

void draw_print(const struct dag *d, const struct dag_draw_options *draw,
		const char *format, bool ascii)
{
	struct dag_draw_options o = *draw;
	const char *term = getenv("TERM");
	struct buf b = BUF_INIT;

	o.width = (unsigned)table_terminal_width(STDOUT_FILENO);
	o.utf8 = !ascii;
	o.color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL &&
		  term != NULL && strcmp(term, "dumb") != 0;
	writer(format)(&b, d, &o);
	if (b.len > 0 && b.data[b.len - 1] != '\n')
		buf_addc(&b, '\n');
	fwrite(b.data, 1, b.len, stdout);
	buf_fini(&b);
}
