/*
 * Job files, read job by job, so that a list of a million jobs needs no more
 * memory than one of them: a list of objects, one object, or objects one
 * after the other (NDJSON).  Text is checked strictly; what is wrong is told
 * with file, line and column, or with the number of the job.
 */
#ifndef SORTIE_CLIENTS_JOBFILE_H
#define SORTIE_CLIENTS_JOBFILE_H

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/json.h"

struct jobfile_job {
	struct json_object *object; /* an object; dies after the call */
	const char *text;           /* as written */
	size_t len;
	const char *where; /* "jobs.json: job 3", from 1 */
};

/* Called for each job in order; false ends the reading with *e filled. a is
 * reset after the call. */
typedef bool jobfile_fn(struct arena *a, const struct jobfile_job *job,
			void *arg, struct err *e);

/* path "-" is standard input. A document without any job is an error. */
bool jobfile_read(const char *path, jobfile_fn *fn, void *arg,
		  struct err *e) MUST_CHECK;
/* source stands for the file's name in messages. */
bool jobfile_read_text(const char *source, const char *text, size_t len,
		       jobfile_fn *fn, void *arg, struct err *e) MUST_CHECK;

#endif
