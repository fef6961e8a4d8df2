/*
 * A bar on the terminal behind standard error while something long goes on:
 * "submitting [=====>    ] 52,000 of 100,000  41,000/s".  Silent where there
 * is no terminal.
 */
#ifndef SORTIE_CLIENTS_PROGRESS_H
#define SORTIE_CLIENTS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress;

/* label is borrowed. total 0: unknown. quiet: show nothing anyway. */
struct progress *progress_new(const char *label, int64_t total, bool quiet);
/* Whether anything is shown. */
bool progress_shown(const struct progress *p);
/* note: what stands behind the bar, or NULL for the rate. Redraws at most ten
 * times a second. */
void progress_set(struct progress *p, int64_t done, const char *note);
/* Wipes the bar, so that other text can be written; the next set draws it
 * again. NULL ok. */
void progress_hide(struct progress *p);
/* Wipes it and ends. NULL ok. */
void progress_free(struct progress *p);

#endif
