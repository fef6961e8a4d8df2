/*
 * A file that an injector found, as the request tells it, and how a dag or a
 * job is made to be about that file.
 */
#ifndef SORTIE_SERVER_INJECTION_H
#define SORTIE_SERVER_INJECTION_H

#include "lib/dag.h"
#include "lib/json.h"
#include "server/db.h"

struct injection {
	const char *stream, *path, *site;
	const char *datatype; /* NULL = none */
	const char *modified_at, *seen_at, *complete_at;
	int64_t size;
	int32_t version;
	struct json_object *edges;    /* list of text, or NULL */
	struct json_object *workflow; /* one of the two */
	struct json_object *job;
};

/* Decodes and checks the body. */
bool injection_read(struct json_object *doc, struct injection *out,
		    struct err *e) MUST_CHECK;
/* The file goes into the edges that leave a noop without parents, or into
 * those that were named: "FROM:TO", "FROM:TO:TAG". */
bool injection_into_dag(const struct injection *in, struct dag *d,
			struct arena *a, struct err *e) MUST_CHECK;
/* Appends an object of variables: those of env (an object, or NULL) and the
 * file's. */
void injection_env(const struct injection *in, struct json_object *env,
		   struct buf *b);
/* Appends the job's object with the file in its env and inputs. */
void injection_into_job(const struct injection *in, struct buf *b);
/* The last parameters of the statements injection_workflow and
 * injection_job. */
void injection_params(const struct injection *in, struct db_params *p);

#endif
