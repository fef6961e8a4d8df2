/*
 * What a job wants to be run, turned into a program's path and its words.
 */
#ifndef SORTIE_PILOT_COMMAND_H
#define SORTIE_PILOT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/arena.h"
#include "lib/err.h"
#include "lib/json.h"

struct command {
	const char *program; /* as the job names it; NULL for `shell` */
	size_t program_len;  /* shell text: bytes that named it */
	const char *shell;   /* text for /bin/sh -c, or NULL */
	char **words;        /* without program; NULL-terminated */
	size_t n_words;
};

/* Reads payload, argv or shell, and args. through_shell: a `payload` goes to
 * /bin/sh -c instead of being split into words. */
bool command_read(struct arena *a, struct json_object *definition,
		  bool through_shell, struct command *out,
		  struct err *e) MUST_CHECK;
/* Another file takes the program's place (a copy of it). */
void command_replace(struct arena *a, struct command *c, const char *path);
/* The argument list to run. */
char **command_argv(struct arena *a, const struct command *c);
/* Where `name` is: itself when it has a slash, else the first executable of
 * that name in path (NULL = /usr/bin:/bin), relative parts of which count from
 * cwd. NULL with errno set when there is none. */
const char *command_find(struct arena *a, const char *name, const char *path,
			 const char *cwd);

#endif
