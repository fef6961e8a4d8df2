/* Documents in tests: JSON with single quotes, read or refused. */
#ifndef SORTIE_TESTS_DAG_KIT_H
#define SORTIE_TESTS_DAG_KIT_H

#include "lib/dag.h"
#include "lib/workflow.h"

/* Single quotes become double ones. */
const char *dag_kit_json(struct arena *a, const char *text);
/* The file is called w.json. REQUIREs that it is accepted. */
struct dag *dag_kit_read(struct arena *a, const char *text);
/* The sentence it is refused with. */
const char *dag_kit_refused(struct arena *a, const char *text);
/* The dag as JSON, and a job of a workflow, with single quotes. */
const char *dag_kit_text(struct arena *a, const struct dag *d);
const char *dag_kit_job(const struct workflow *w, const char *name);
/* All of it, or NULL with the error. options with single quotes. Every
 * datatype but "UNKNOWN" is registered as ".txt". */
struct workflow *dag_kit_expand(struct arena *a, const struct dag *d,
				const char *options, struct err *e);
/* "a>b:s c>d:f": the edges. */
const char *dag_kit_edges(struct arena *a, const struct workflow *w);

#endif
