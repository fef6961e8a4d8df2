/*
 * Any bytes as a request to create a workflow: a document that is accepted
 * must be accepted again as it was written, draws, and unfolds into jobs that
 * are JSON.
 */
#include <string.h>
#include "lib/dag_draw.h"
#include "lib/graphml.h"
#include "lib/log.h"
#include "lib/workflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_written(struct arena *a, const struct dag *d)
{
	struct buf b = BUF_INIT, again = BUF_INIT;
	struct err e = ERR_INIT;
	struct dag *same;

	dag_write_json(&b, d);
	if (!dag_read(a, b.data, b.len, "", 0, &same, &e))
		BUG("%s is refused: %s", b.data, e.text);
	dag_write_json(&again, same);
	if (strcmp(b.data, again.data) != 0)
		BUG("%s became %s", b.data, again.data);
	buf_fini(&b);
	buf_fini(&again);
}

static void draw(const struct dag *d)
{
	struct dag_draw_options o = { .width = 40 };
	struct buf b = BUF_INIT;

	dag_draw(&b, d, &o);
	dag_write_dot(&b, d, &o);
	dag_write_svg(&b, d, &o);
	graphml_write(&b, d);
	buf_fini(&b);
}

static void check_jobs(const struct workflow *w)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	for (uint32_t i = 0; i < w->n_nodes; i++) {
		buf_reset(&b);
		if (workflow_job(w, i, &b, &e) &&
		    !json_check_deep(b.data, b.len, DAG_DEPTH_MAX, &e))
			BUG("%s: %s", b.data, e.text);
	}
	buf_fini(&b);
}

static void unfold(struct arena *a, const struct dag *d,
		   const struct workflow_options *o)
{
	struct err e = ERR_INIT;
	struct workflow *w;
	bool done = false;
	size_t n;

	if (!workflow_new(a, d, o, "d", &w, &e))
		return;
	for (const char *const *t = workflow_datatypes(w, &n); n > 0; n--)
		workflow_datatype(w, *t++, ".x");
	while (!done)
		if (!workflow_step(w, 3, &done, &e))
			return;
	check_jobs(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct arena *a = arena_new();
	struct workflow_options o;
	struct err e = ERR_INIT;
	struct dag *d;

	if (dag_read(a, text, len, "", DAG_REQUEST, &d, &e)) {
		check_written(a, d);
		draw(d);
		if (workflow_options_read(a, text, len, &o, &e))
			unfold(a, d, &o);
	}
	if (dag_read(a, text, len, "", DAG_ADDITION, &d, &e)) {
		struct workflow_options none = { 0 };

		unfold(a, d, &none);
	}
	arena_free(a);
	return 0;
}
