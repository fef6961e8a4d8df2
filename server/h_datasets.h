/* Handlers of datasets that stand in files of their own. */
#ifndef SORTIE_SERVER_H_DATASETS_H
#define SORTIE_SERVER_H_DATASETS_H

#include "lib/err.h"
#include "server/req.h"

void h_datasets_register(struct req *r); /* h_datasets_register.c */
/* Whether a checksum (NULL: none) is a SHA-256 in hexadecimal; *s is in small
 * letters then. where begins the sentence ("dataset 3: ") or is "". */
bool h_datasets_checksum(struct arena *a, const char **s, const char *where,
			 struct err *e) MUST_CHECK;

#endif
