/*
 * What every subcommand of `sortie` is: one entry of a table (name, options,
 * help, function) and the state that its function gets.  The table makes the
 * parser, --help, the completion and the test of the manual.
 */
#ifndef SORTIE_CLIENTS_CLI_H
#define SORTIE_CLIENTS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/opt.h"

/* Exit statuses; sortie(1) tells them to people. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1, /* not, or not all, of what was asked is done */
	CLI_USAGE = 2,  /* wrong use: nothing was tried */
	CLI_AWAY = 3,   /* no server, or it stays unavailable */
	CLI_DENIED = 4, /* no token, or one that may not */
	CLI_NOT_FOUND = 5,
	CLI_GAVE_UP = 6,     /* the time of --timeout is over */
	CLI_TIMELIMIT = 124, /* the payload's time limit */
	CLI_OWN = 125,       /* of `job run`, `job wait`: Sortie's failure */
	CLI_SIGNAL = 128     /* plus the signal that ended the payload */
};

/*
 * The options that every command takes.  It is the first member of each
 * command's own struct of options, so that one parse fills both.
 */
struct cli_settings {
	const char *config; /* NULL = the user's own file, if there */
	const char *url;    /* NULL = look for a server of this machine */
	const char *token;
	const char *token_file;
	const char *ca_file, *cert, *key;
	bool insecure;
	int64_t patience_s; /* for a server that is away; 0 = not given */
	bool json, ndjson, quiet, help;
};

extern const struct opt cli_common_opts[];
extern const size_t cli_common_n;

struct cli;
struct cli_choice;
struct list;
struct call;

struct cli_command {
	const char *path;       /* "job submit" */
	const char *args;       /* "FILE..." as in the usage line */
	const char *brief;      /* one line without a full stop */
	const char *text;       /* paragraphs, blank line between them */
	const struct opt *opts; /* its own, without the common ones */
	size_t n_opts;
	size_t opts_size; /* of the struct; 0 = struct cli_settings */
	const struct cli_choice *choices; /* what options take; NULL: any */
	int min_args, max_args;           /* max -1 = any number */
	bool stop_at_word; /* options end at the first positional word */
	bool hidden;
	bool own_page;           /* of the manual: sortie-PATH(1) */
	int own_exit;            /* exit status of our failures, 0 = by kind */
	const struct list *list; /* of list_command */
	int (*run)(struct cli *c);
};

struct cli {
	struct arena *arena; /* lives as long as the command */
	const struct cli_command *command;
	struct cli_settings *settings; /* also the command's option struct */
	char **args;                   /* positional words, NULL-terminated */
	size_t n_args;
	struct call *call; /* opened by the first call */
};

/* Ends with a NULL path. */
extern const struct cli_command *const cli_commands[];

/* The command's option struct. */
#define CLI_OPTS(c, type) ((const type *)(const void *)(c)->settings)

/*
 * Telling people.  All end the line.  cli_fail prints "sortie: <sentence>"
 * and gives the exit status that fits the code; cli_misuse adds the usage
 * line and gives CLI_USAGE.
 */
int cli_fail(const struct cli *c, const struct err *e);
int cli_misuse(const struct cli *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* As cli_note, but only without --quiet. */
void cli_say(const struct cli *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Flushes standard output; a failure to write is told and gives CLI_FAILED,
 * else status comes back. */
int cli_end(int status);

#endif
