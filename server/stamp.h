/*
 * Time and salt that the UUIDs of one batch share, so that the database and
 * this process make the same ones of a number (lib/id.h, sortie.uuid_1).
 */
#ifndef SORTIE_SERVER_STAMP_H
#define SORTIE_SERVER_STAMP_H

#include <stdint.h>
#include "server/db.h"

struct stamp {
	int64_t wall_ms;
	uint32_t salt; /* 30 bits */
};

/* Now, with new salt. */
void stamp_init(struct stamp *s);
/* From the two numbers that sortie.uuid_1 takes. */
void stamp_read(struct stamp *s, int64_t high, int64_t low);
/* Adds the two numbers as parameters. */
void stamp_params(const struct stamp *s, struct db_params *p);
/* out holds ID_UUID_LEN + 1 bytes. */
void stamp_uuid(const struct stamp *s, int64_t number, char *out);

#endif
