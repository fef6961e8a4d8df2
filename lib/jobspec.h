/*
 * One job as a user writes it (JSON; doc/PROTOCOL.md section "Jobs"), checked
 * and brought into the form that is stored.  Both the command (so that errors
 * name the file) and the server (which trusts nobody) use it; the table of
 * keys in jobspec.c is the master copy for code, manual and test.
 */
#ifndef SORTIE_LIB_JOBSPEC_H
#define SORTIE_LIB_JOBSPEC_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"

#define JOBSPEC_NAME_MAX 256 /* names of projects, types, sites... */
#define JOBSPEC_TIMEOUT_MAX INT64_C(1000000000)
#define JOBSPEC_LIMITS_MAX 8
#define JOBSPEC_REPLICAS_MAX 10000000
#define JOBSPEC_DEFINITION_MAX ((size_t)256 << 10)
/* Levels of a job's object: answers carry it a few levels further down, and
 * nobody reads more than JSON_DEPTH_MAX. */
#define JOBSPEC_DEPTH_MAX (JSON_DEPTH_MAX - 4)

struct jobspec_limit {
	const char *name;
	int32_t count;
};

struct jobspec_tag {
	const char *name;
	const char *value;
};

struct jobspec {
	const char *name;    /* "" when absent, never NULL */
	const char *key;     /* NULL when absent */
	const char *project; /* "default" */
	const char *jobtype; /* "" */
	const char *site;    /* "" = any */
	int32_t priority;
	int32_t cores;     /* 1 */
	int64_t memory;    /* bytes, 0 */
	int64_t timeout_s; /* 0 = none; -1 = absent (server's) */
	bool held;         /* state held or template */
	int32_t retries;
	int64_t retry_delay_s; /* 10 */
	int64_t not_before_ms; /* wall, 0 = none */
	bool stop_on_disconnect;
	int64_t replicas;   /* 1; each gets SORTIE_INDEX 0.. */
	const char **pools; /* sorted, unique, NULL-terminated */
	size_t n_pools;
	struct jobspec_tag *labels; /* sorted by name */
	size_t n_labels;
	struct jobspec_limit *limits; /* sorted by name */
	size_t n_limits;
	struct jobspec_tag *tags; /* sorted by name */
	size_t n_tags;
	const char **sends; /* SHA-256 (lower case hex) of the files
					   in `send`, in order, NULL-terminated */
	size_t n_sends;
	/* The stored definition: compact JSON object of what the pilot and the
	 * reader need (every key that was given, canonical values, sorted),
	 * without key, replicas and state. Belongs to the arena. */
	const char *definition;
	size_t definition_len;
	/* Requirements as one text: jobs with equal text share a class.
	 * Compact JSON, sorted keys: jobtype, site, pools, labels, cores,
	 * memory (rounded up to 1/64 of a power of two, as what a pilot offers
	 * is before the two are compared), limits, project. */
	const char *requirements;
};

/* The keys of a job in the order of the manual, which is made from this table
 * as the decoder is. */
struct jobspec_rule; /* how the value is read; internal */
struct jobspec_key_doc {
	const char *name;
	const char *type; /* "text", "list of text" ... */
	const char *def;  /* the default as text, "" = none */
	const char *text; /* a paragraph, plain text */
	const struct jobspec_rule *rule;
};
extern const struct jobspec_key_doc jobspec_keys[];
extern const size_t jobspec_n_keys;

/* o: the job's object. where: "job 3" or "jobs.json: job 3"; messages begin
 * with it and name the key. Features not built yet are refused by name. */
bool jobspec_decode(struct arena *a, struct json_object *o, const char *where,
		    struct jobspec *out, struct err *e) MUST_CHECK;

/* A document that is an object, or a list of objects, becomes *jobs (borrowed
 * objects, arena). Anything else is refused with one clear sentence.
 * source names the file ("jobs.json") or is "". */
bool jobspec_list(struct arena *a, struct json_object *doc, const char *source,
		  struct json_object ***jobs, size_t *n,
		  struct err *e) MUST_CHECK;

/* Names of projects, jobtypes, sites, pools, limits, label and tag names:
 * 1 to 256 bytes of UTF-8 without control characters, no '/' and no leading
 * or trailing blank. */
bool jobspec_name_ok(const char *s) MUST_CHECK;
/* What a shell takes for the name of a variable. */
bool jobspec_variable_ok(const char *s) MUST_CHECK;

#endif
