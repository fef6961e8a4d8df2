/*
 * Measures how far two names are apart (letters inserted, left out, changed
 * or swapped), to suggest what a misspelt one was to be.
 */
#include "lib/nearest.h"

#include <ctype.h>
#include <string.h>

/* No name of ours is longer; longer words have nothing near them. */
#define NAME_MAX_LEN 40

void nearest_init(struct nearest *n, const char *word)
{
	size_t len = strlen(word);

	n->word = word;
	n->name = NULL;
	/* A third of the word may be wrong, and at most three letters. */
	n->distance = (len < 9 ? (len + 2) / 3 : 3) + 1;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment, three rows at a time. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[3][NAME_MAX_LEN + 1];
	size_t *old = row[0], *last = row[1], *now = row[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t wrong = tolower((unsigned char)a[i - 1]) !=
				       tolower((unsigned char)b[j - 1]);

			now[j] = smallest(last[j] + 1, now[j - 1] + 1,
					  last[j - 1] + wrong);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && old[j - 2] + 1 < now[j])
				now[j] = old[j - 2] + 1;
		}
		spare = old;
		old = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

void nearest_try(struct nearest *n, const char *name)
{
	size_t len = strlen(n->word), name_len = strlen(name), d;

	if (len > NAME_MAX_LEN || name_len > NAME_MAX_LEN)
		return;
	d = distance(n->word, len, name, name_len);
	if (d < n->distance) {
		n->distance = d;
		n->name = name;
	}
}
