/*
 * What libconfig would accept and get wrong in a config file: numbers that
 * it wraps or rounds, comments that never end, and files it would read from
 * elsewhere.
 */
#ifndef SORTIE_LIB_OPT_SCAN_H
#define SORTIE_LIB_OPT_SCAN_H

#include <stdbool.h>
#include "lib/err.h"

/* text: the whole file, path: its name for the message. */
bool opt_scan(const char *text, const char *path, struct err *e) MUST_CHECK;

#endif
