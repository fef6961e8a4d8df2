/*
 * Which known name somebody probably meant who wrote an unknown one: for
 * messages that end in: did you mean "priority"?
 */
#ifndef SORTIE_LIB_NEAREST_H
#define SORTIE_LIB_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word; /* what was written; borrowed */
	const char *name; /* the best so far, NULL = nothing near */
	size_t distance;
};

void nearest_init(struct nearest *n, const char *word);
/* name is borrowed; it must live as long as n is used. */
void nearest_try(struct nearest *n, const char *name);

#endif
