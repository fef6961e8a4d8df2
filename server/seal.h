/*
 * Secrets of jobs: the values of `secrets` lie sealed (AES-256-GCM) in the
 * definition, under a key in a file of the server's, so that neither the
 * database nor a backup of it has them.  A grant opens them for the pilot.
 *
 * The nonce is a keyed hash of name and value, so the same secret is sealed
 * the same way every time: repeating a submission still creates nothing.  Who
 * reads the database sees that two are equal, and how long they are.
 */
#ifndef SORTIE_SERVER_SEAL_H
#define SORTIE_SERVER_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/buf.h"
#include "lib/err.h"

struct seal;

/* Reads the key's file, or makes it (mode 0600) when there is none. NULL with
 * *e filled. */
struct seal *seal_open(const char *file, struct err *e);
void seal_free(struct seal *s);

/* A definition is compact JSON of ours. True: it has secrets, and out (empty)
 * has it with their values sealed. */
bool seal_definition(const struct seal *s, const char *definition,
		     struct buf *out) MUST_CHECK;
/* True: it has secrets; shown (empty) gets it with *** instead of each value,
 * and opened (empty) an object of the values, null where our key is not the
 * one it was sealed with. */
bool seal_open_definition(const struct seal *s, const char *definition,
			  struct buf *shown, struct buf *opened) MUST_CHECK;

#endif
