/*
 * Options of a program: one table of name, type, bounds, default, unit and
 * paragraph makes the command line's parser, the config file's reader
 * (libconfig, included only here), --help, the manual's section and the test.
 * Precedence: command line, then environment, then config file, then default.
 * So a program calls opt_defaults, opt_read_file, opt_read_env, opt_read_args,
 * in that order.  A reader that fails has changed nothing.
 *
 * A file says listen = "127.0.0.1:7900"; with one key per option.  Unknown keys
 * are refused with file and line; sizes and durations are strings with units,
 * for numbers must stay below 10^9 (libconfig wraps them at 32 bits).
 */
#ifndef SORTIE_LIB_OPT_H
#define SORTIE_LIB_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

enum opt_kind {
	OPT_FLAG,    /* bool; --name, --no-name; in a file true/false */
	OPT_STR,     /* const char * */
	OPT_LIST,    /* const char ** NULL-terminated; repeatable, and commas
			   separate; in a file a list or one string */
	OPT_MULTI,   /* as OPT_LIST, but commas do not separate */
	OPT_INT,     /* int64_t within min..max */
	OPT_SECONDS, /* int64_t seconds ("90 s") */
	OPT_BYTES    /* int64_t bytes ("2 GiB") */
};

#define OPT_CLI_ONLY 1u /* not a key of the config file */
#define OPT_SECRET 2u   /* never printed */
#define OPT_HIDDEN 4u   /* not in --help */

struct opt {
	const char *name; /* "listen": --listen, key `listen` */
	char letter;      /* 0 = none */
	enum opt_kind kind;
	size_t offset; /* of the field in the settings struct */
	unsigned flags;
	int64_t min, max;
	const char *def;  /* as text, NULL = zero, empty, none */
	const char *env;  /* environment variable or NULL */
	const char *arg;  /* "ADDRESS", for --help */
	const char *help; /* a sentence or a paragraph */
};

/* Sets the defaults. Strings and lists are allocated in the arena; a list is
 * never NULL, a string without a default is. */
void opt_defaults(struct arena *a, const struct opt *opts, size_t n, void *out);
/* A variable that is empty counts as not set. */
bool opt_read_env(struct arena *a, const struct opt *opts, size_t n, void *out,
		  struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND when there is no such file. A file that everybody may change,
 * or that holds a secret and everybody may read, is refused. */
bool opt_read_file(struct arena *a, const struct opt *opts, size_t n, void *out,
		   const char *path, struct err *e) MUST_CHECK;
/* argv[0] is the program's or the subcommand's name and is skipped. Parses
 * --name VALUE, --name=VALUE, -xVALUE, -x VALUE, clustered flags and "--".
 * A list's first value here replaces what env or file said, later ones join
 * it. Positional words go to *rest (NULL-terminated, arena); with
 * stop_at_word the first positional word ends the options (subcommands,
 * `job run -- CMD`). An unknown option's message suggests the nearest. */
bool opt_read_args(struct arena *a, const struct opt *opts, size_t n, void *out,
		   int argc, char **argv, bool stop_at_word, char ***rest,
		   size_t *n_rest, struct err *e) MUST_CHECK;
/* The options' part of --help, wrapped at width columns. */
void opt_help(struct buf *b, const struct opt *opts, size_t n, int width);
/* The manual's section: mdoc list items (.It Fl -name Ar ARG ...). */
void opt_mdoc(struct buf *b, const struct opt *opts, size_t n);

#endif
