/*
 * What a person, a site and a batch system can tell a pilot: one table for
 * the command line, the environment, the config file, --help and the manual.
 */
#ifndef SORTIE_PILOT_OPTIONS_H
#define SORTIE_PILOT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "pilot/engine.h"

struct pilot_options {
	const char **urls; /* at least one */
	const char *join_token_file;
	const char *join_token; /* never from the command line */
	const char *config;
	const char *site; /* "" = none */
	const char **pools, **labels, **jobtypes;
	const char *host_name;
	const char *batch_id; /* "" = none */
	int64_t slots, cores; /* at least 1 */
	int64_t memory;       /* bytes, 0 = not told */
	int64_t cycles;       /* 0 = for ever */
	int64_t period_s, wait_s;
	int64_t lifetime_s; /* 0 = none */
	int64_t idle_s;     /* 0 = no limit */
	int64_t grace_s, keep_s;
	int64_t connect_timeout_s; /* 0 = for ever */
	const char *spool;         /* NULL = the first that is free */
	const char *state;         /* NULL = by user */
	const char *sandbox;       /* NULL = none */
	const char **sandbox_write;
	bool sandbox_offline;
	const char *run_as_file; /* NULL = all as this user */
	bool one_user, no_new_privs, cgroups, keep_all;
	const char *ca_file, *cert, *key;
	bool insecure;
	const char *log_file;
	bool verbose, quiet, help, version, mdoc;
};

/* Layers, later wins: default, site (its definition, or NULL), batch engine,
 * config file, environment, command line. Strings live in the arena. The join
 * token is taken out of the process's environment. */
bool pilot_options_read(struct arena *a, int argc, char **argv,
			struct json_object *site, const struct engine *engine,
			struct pilot_options *out, struct err *e) MUST_CHECK;
/* Reads the join token from its file or from what SORTIE_JOIN_TOKEN was. */
bool pilot_options_token(struct arena *a, struct pilot_options *o,
			 struct err *e) MUST_CHECK;
/* Takes SORTIE_JOIN_TOKEN out of the environment and keeps it for the above:
 * to be called before anything else. */
void pilot_options_take_token(struct arena *a);
void pilot_options_help(struct buf *b, int width);
void pilot_options_mdoc(struct buf *b);

#endif
