/*
 * The files that a run declares to read and to write: its definition's
 * `inputs` and `outputs`.  Inputs must be there before the payload starts,
 * outputs when it has ended well.  Paths that name a place elsewhere
 * (scheme://) are told to the payload and never looked at; relative ones are
 * meant from its working directory.  A file: URI is how a definition, which is
 * text, names a file of any bytes: the payload is told the path.
 */
#ifndef SORTIE_PILOT_RUNFILES_H
#define SORTIE_PILOT_RUNFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/err.h"
#include "lib/json.h"
#include "pilot/payload_env.h"

struct runfile {
	const char *path;  /* as the definition has it */
	const char *local; /* where it is; of file: URIs decoded */
	const char *tag;   /* NULL = none */
	bool remote;       /* scheme:// */
	bool check;        /* an input: must be there */
	bool optional;     /* an output: need not be there */
	bool hash;         /* an output: its SHA-256 is wanted */
	bool found;
	int64_t size;    /* bytes, when found; -1 = it has none */
	char sha256[65]; /* hex; "" = not known */
};

struct runfiles {
	struct runfile *in, *out; /* of the arena */
	size_t n_in, n_out;
	bool written; /* outputs were looked for, and none is missing */
};

/* Leaves *f zero when the definition has neither. */
bool runfiles_read(struct arena *a, struct json_object *definition,
		   struct runfiles *f, struct err *e) MUST_CHECK;
/* TAG=path of each file that has a tag; the path that an injector put into
 * P3S_INPUT_FILE is decoded. Refuses what cannot be a name. */
bool runfiles_env(const struct runfiles *f, struct payload_env *env,
		  struct err *e) MUST_CHECK;
/* False when an input is not there; *e names it: "input missing: PATH". *own
 * tells whose fault that is: true when the folder is there and only the file
 * is not, which says nothing of this host. */
bool runfiles_find_inputs(struct runfiles *f, const char *cwd, bool *own,
			  struct err *e) MUST_CHECK;
/* The same for outputs, "output missing: PATH"; sets f->written. */
bool runfiles_find_outputs(struct runfiles *f, const char *cwd,
			   struct err *e) MUST_CHECK;
/* An output that is there and whose checksum is wanted. */
bool runfiles_wants_hash(const struct runfile *f);
/* How many of them there are. */
size_t runfiles_to_hash(const struct runfiles *f);

#endif
