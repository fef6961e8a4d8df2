/*
 * Workflows, datasets and pilots one after another, as people name them:
 * numbers and ranges (`3-9,12`) as for jobs, `@last`, and whatever else names
 * one in a path (a UUID, a dataset's path).
 */
#ifndef SORTIE_CLIENTS_EACH_H
#define SORTIE_CLIENTS_EACH_H

#include "clients/cli.h"

/* Does it for the one that word names in a path. False with *e: not done. */
typedef bool (*each_fn)(struct cli *c, const char *word, void *arg,
			struct err *e);

/* For each that the words of the command line name. What is refused or missing
 * is told and the rest is done; any other failure ends it. Numbers that a range
 * or @last names and that do not exist are passed over and told at the end.
 * noun: "workflow". The exit status: of the first failure. */
int each_named(struct cli *c, const char *noun, each_fn one, void *arg);
/* The word for a path, of a command that is about one: @last is its number. */
bool each_one(struct cli *c, const char *noun, const char *word,
	      const char **out, struct err *e) MUST_CHECK;

#endif
