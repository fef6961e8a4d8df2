/*
 * How the value of each key of a job is read.  A reader checks the value,
 * fills its field of struct jobspec (if it has one) and appends the value's
 * canonical JSON to the definition, so that equal jobs give equal text.
 * Internal to lib/jobspec.
 */
#ifndef SORTIE_LIB_JOBSPEC_VALUE_H
#define SORTIE_LIB_JOBSPEC_VALUE_H

#include "lib/jobspec.h"

struct jobspec_reader {
	struct arena *arena;
	const char *where; /* "job 3" or "" */
	const char *key;   /* whose value is being read */
	struct jobspec *out;
	struct buf b; /* canonical values, one after another */
	struct err *e;
	bool exec_mode; /* env has P3S_EXECMODE */
};

typedef bool jobspec_read_fn(struct jobspec_reader *r,
			     const struct jobspec_rule *rule,
			     struct json_object *v);

#define JOBSPEC_NO_FIELD SIZE_MAX

struct jobspec_rule {
	jobspec_read_fn *read;
	size_t offset;    /* in struct jobspec, or NO_FIELD */
	int64_t min, max; /* of numbers; bytes of text; entries */
	/* Read, but not part of the definition. */
	bool apart;
};

/* WHERE: the key "KEY" SENTENCE. Returns false. */
bool jobspec_fail(struct jobspec_reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* ... must be EXPECTED, not a list. */
bool jobspec_fail_type(struct jobspec_reader *r, const char *expected,
		       struct json_object *v);

/* jobspec_value.c: one value each. */
jobspec_read_fn jobspec_read_text; /* min..max bytes */
jobspec_read_fn jobspec_read_name; /* empty allowed when min is 0 */
jobspec_read_fn jobspec_read_key;
jobspec_read_fn jobspec_read_path; /* absolute */
jobspec_read_fn jobspec_read_i32;
jobspec_read_fn jobspec_read_i64;
jobspec_read_fn jobspec_read_seconds;
jobspec_read_fn jobspec_read_bytes;
jobspec_read_fn jobspec_read_state;
jobspec_read_fn jobspec_read_disconnect;
jobspec_read_fn jobspec_read_time;
jobspec_read_fn jobspec_read_umask;
jobspec_read_fn jobspec_read_any; /* at most max bytes of JSON */

/* jobspec_list.c: several. */
jobspec_read_fn jobspec_read_argv;
jobspec_read_fn jobspec_read_args;
jobspec_read_fn jobspec_read_env;
jobspec_read_fn jobspec_read_pools;
jobspec_read_fn jobspec_read_labels;
jobspec_read_fn jobspec_read_tags;
jobspec_read_fn jobspec_read_limits;
jobspec_read_fn jobspec_read_send;

/* jobspec_files.c */
jobspec_read_fn jobspec_read_inputs;
jobspec_read_fn jobspec_read_outputs;

/* Text of octal digits as file modes are written; at most 0777. */
bool jobspec_parse_mode(const char *s, unsigned *out)
	__attribute__((warn_unused_result));

#endif
