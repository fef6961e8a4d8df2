/* A file that holds a graph of jobs, JSON or GraphML, on its way to the
 * server: read and checked here, so that what is wrong is said with file and
 * line, then sent as the one form that the server takes. */
#ifndef SORTIE_CLIENTS_GRAPHFILE_H
#define SORTIE_CLIENTS_GRAPHFILE_H

#include "clients/cli.h"
#include "lib/dag.h"

/* What options say in place of the document's header; NULL: as it is. */
struct graphfile_header {
	const char *name, *description, *project, *state, *on_failure;
	const char *priority, *max_running; /* numbers as given */
	const char *const *env, *const *callback;
	bool open, close_auto;
};

/* "1filter" of "dags/1filter.graphml"; NULL for standard input. */
const char *graphfile_name(struct arena *a, const char *file);
/* file "-" is standard input. flags: of dag_read. */
bool graphfile_read(struct cli *c, const char *file, unsigned flags,
		    struct dag **out, struct err *e) MUST_CHECK;
/* Appends the document; one without a name gets the file's, unless jobs are
 * added (DAG_ADDITION). extra: further members, comma-separated, or "". */
bool graphfile_document(struct cli *c, const char *file,
			const struct graphfile_header *h, unsigned flags,
			const char *extra, struct buf *out,
			struct err *e) MUST_CHECK;

#endif
