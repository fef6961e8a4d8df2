/*
 * From the words of a command line to a ready `struct cli`: which command,
 * its options, and the common ones from (first wins) command line,
 * environment, the user's config file, defaults.
 */
#ifndef SORTIE_CLIENTS_SETTINGS_H
#define SORTIE_CLIENTS_SETTINGS_H

#include "clients/cli.h"

enum settings_result {
	SETTINGS_RUN,  /* c is ready */
	SETTINGS_HELP, /* help was asked for: c->command, or args */
	SETTINGS_BAD   /* *e tells; c->command may be known */
};

/* argv[0] is the program. c->arena is given. */
enum settings_result settings_read(struct cli *c, int argc, char **argv,
				   struct err *e);

/* The options of a command and the common ones as one table (arena). */
const struct opt *settings_opts(struct arena *a,
				const struct cli_command *command, size_t *n);

/* The user's directory for "config", "state" or "data" ("~/.config/sortie", or
 * as the XDG variables say); NULL without a home. */
char *settings_user_dir(struct arena *a, const char *kind);

/* Makes path and what lies above it (mode 0700). errno tells why not. */
bool settings_make_dirs(char *path);

#endif
