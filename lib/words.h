/*
 * Splits a payload's text into words as a POSIX shell would (blanks, single
 * and double quotes, backslash), without expanding or running anything.
 */
#ifndef SORTIE_LIB_WORDS_H
#define SORTIE_LIB_WORDS_H

#include <stddef.h>
#include "lib/arena.h"
#include "lib/err.h"

/* *argv is NULL-terminated and belongs to the arena, *n its length. Refuses
 * an open quote or a trailing backslash; empty text gives n = 0. */
bool words_split(struct arena *a, const char *s, char ***argv, size_t *n,
		 struct err *e) MUST_CHECK;

#endif
