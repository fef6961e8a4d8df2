/*
 * One option's value, wherever it was written: shared by the files of opt,
 * of no use to others.
 */
#ifndef SORTIE_LIB_OPT_VALUE_H
#define SORTIE_LIB_OPT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/opt.h"

/* NULL when there is none of that name (len bytes) or letter. */
const struct opt *opt_find(const struct opt *opts, size_t n, const char *name,
			   size_t len);
const struct opt *opt_find_letter(const struct opt *opts, size_t n,
				  char letter);
/* The listed name nearest to an unknown one, or NULL. in_file: among the keys
 * of the config file. */
const char *opt_nearest(struct arena *a, const struct opt *opts, size_t n,
			const char *name, size_t len, bool in_file);
/* What a config file must say for a value of that kind: "a string". */
const char *opt_form(enum opt_kind kind);

/* Set the option's field in *out; messages have no subject yet. Text is what
 * a person writes; with append a list grows instead of being replaced. */
bool opt_set_text(struct arena *a, const struct opt *o, void *out,
		  const char *text, bool append, struct err *e) MUST_CHECK;
/* For the kinds that are a number. */
bool opt_set_int(const struct opt *o, void *out, int64_t v,
		 struct err *e) MUST_CHECK;
void opt_set_flag(const struct opt *o, void *out, bool v);
/* items: NULL-terminated, becomes the value. */
void opt_set_list(const struct opt *o, void *out, const char **items);

/* A copy of the options' fields to read into, and the way back when all went
 * well: a reader that fails has changed nothing. */
void *opt_stage(struct arena *a, const struct opt *opts, size_t n,
		const void *out);
void opt_commit(const struct opt *opts, size_t n, const void *staged,
		void *out);

#endif
