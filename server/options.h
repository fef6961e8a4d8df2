/*
 * Everything that can be set on sortied: one table (options.c) makes the
 * command line, the config file, --help and the manual's section.  Settings
 * are read once into an arena; a reload makes a new set and swaps what may
 * change while the server runs (reload.h).
 */
#ifndef SORTIE_SERVER_OPTIONS_H
#define SORTIE_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

struct settings {
	/* what to do instead of serving; command line only */
	bool help;
	bool mdoc;
	bool version;
	bool check_config;
	bool print_routes;
	bool audit;
	bool restored;

	const char *config; /* the file that was read, or NULL */

	/* where the data are */
	const char *embedded;         /* directory, or NULL with database */
	const char *database;         /* libpq connection string, or NULL */
	const char *pg_bindir;        /* NULL = look for it */
	const char *user;             /* the database's user when root */
	const char *state_dir;        /* never NULL after options_settle */
	const char *blob_dir;         /* never NULL after options_settle */
	const char *admin_token_file; /* never NULL after options_settle */
	const char *secrets_key_file; /* never NULL after options_settle */
	const char *join_token_file;  /* never NULL after options_settle */

	/* who may reach it */
	const char **listen; /* never empty after options_settle */
	bool allow_plain_http;
	const char *socket_group; /* of Unix sockets, or NULL */
	const char *tls_cert;
	const char *tls_key;
	const char *tls_client_ca;
	int64_t max_connections;
	int64_t db_connections; /* of the pool */
	int64_t workers;        /* processes that serve */
	int64_t drain_s;

	/* what it promises */
	int64_t lease_s;
	int64_t heartbeat_s;
	int64_t loss_budget;       /* lost pilots a job survives */
	int64_t default_timeout_s; /* 0 = none */
	int64_t retention_s;       /* of ended jobs; 0 = for ever */
	int64_t event_retention_s; /* 0 = for ever */
	int64_t output_head;       /* bytes of a stream, each */
	int64_t output_tail;
	bool callback_local; /* callbacks may go to this machine */

	/* how it runs */
	const char *log_file; /* NULL = standard error */
	const char *log_level;
	bool dev;
	mode_t umask; /* the caller's; ours is 077 */
};

/* Reads command line and config file, in the arena, and settles what depends
 * on more than one option. Checks everything that needs no database. */
bool options_read(struct arena *a, int argc, char **argv, struct settings *out,
		  struct err *e) MUST_CHECK;
void options_help(struct buf *b, int width);
/* The options as list items of mdoc, for the manual and its test. */
void options_mdoc(struct buf *b);
/* The names, types and values of two sets that differ, for a reload: calls fn
 * with each name and whether it takes effect without a restart. */
void options_differ(const struct settings *old, const struct settings *now,
		    void (*fn)(const char *name, bool is_live, void *arg),
		    void *arg);

#endif
