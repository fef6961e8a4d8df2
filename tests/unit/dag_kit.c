/* What tests of graphs have in common. */
#include "tests/unit/dag_kit.h"

#include <string.h>
#include "tests/unit/unit.h"

static const char *swap(struct arena *a, const char *text, char from, char to)
{
	char *s = arena_strdup(a, text);

	for (char *p = s; *p; p++)
		if (*p == from)
			*p = to;
	return s;
}

const char *dag_kit_json(struct arena *a, const char *text)
{
	return swap(a, text, '\'', '"');
}

struct dag *dag_kit_read(struct arena *a, const char *text)
{
	struct err e = ERR_INIT;
	struct dag *d = NULL;
	bool ok = dag_read(a, dag_kit_json(a, text), strlen(text), "w.json", 0,
			   &d, &e);

	CHECK_OK(ok, e);
	REQUIRE(ok);
	return d;
}

const char *dag_kit_refused(struct arena *a, const char *text)
{
	struct err e = ERR_INIT;
	struct dag *d;

	CHECK_FALSE(dag_read(a, dag_kit_json(a, text), strlen(text), "w.json",
			     0, &d, &e));
	return arena_strdup(a, e.text);
}

static const char *take(struct arena *a, struct buf *b)
{
	const char *text = swap(a, buf_str(b), '"', '\'');

	buf_fini(b);
	return text;
}

const char *dag_kit_text(struct arena *a, const struct dag *d)
{
	struct buf b = BUF_INIT;

	dag_write_json(&b, d);
	return take(a, &b);
}

const char *dag_kit_job(const struct workflow *w, const char *name)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	for (uint32_t i = 0; i < w->n_nodes; i++) {
		if (strcmp(w->nodes[i].name, name) != 0)
			continue;
		CHECK_OK(workflow_job(w, i, &b, &e), e);
		return take(w->arena, &b);
	}
	return "there is no such job";
}

struct workflow *dag_kit_expand(struct arena *a, const struct dag *d,
				const char *options, struct err *e)
{
	struct workflow_options *o = ARENA_NEW(a, struct workflow_options);
	struct workflow *w;
	const char *const *types;
	bool done = false;
	size_t n;

	if (!workflow_options_read(a, dag_kit_json(a, options), strlen(options),
				   o, e) ||
	    !workflow_new(a, d, o, "mydag", &w, e))
		return NULL;
	types = workflow_datatypes(w, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(types[i], "UNKNOWN") != 0)
			workflow_datatype(w, types[i], ".txt");
	while (!done)
		if (!workflow_step(w, 2, &done, e))
			return NULL;
	return w;
}

const char *dag_kit_edges(struct arena *a, const struct workflow *w)
{
	struct buf b = BUF_INIT;

	for (uint32_t i = 0; i < w->n_edges; i++)
		buf_addf(&b, "%s%s>%s:%c", i ? " " : "",
			 w->edges[i].parent_name,
			 w->nodes[w->edges[i].child].name, w->edges[i].cond);
	return take(a, &b);
}
