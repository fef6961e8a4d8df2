/*
 * Which class, kind and project jobs with given requirements belong to: a
 * bounded memory of what class_ensure_1 has answered.
 */
#ifndef SORTIE_SERVER_CLASSES_H
#define SORTIE_SERVER_CLASSES_H

#include <stdbool.h>
#include <stdint.h>
#include "server/db.h"

struct server;
struct classes;

struct class_ids {
	int32_t class_id;
	int32_t kind_id;
	int32_t project_id;
};

/* ids NULL: it failed, with o and f as from db. */
typedef void classes_fn(const struct class_ids *ids, enum db_outcome o,
			const struct db_fault *f, void *arg);

struct classes *classes_new(struct server *srv);
/* Callbacks that are still owed are not called. */
void classes_free(struct classes *c);

/* requirements: of lib/jobspec.h. */
bool classes_find(struct classes *c, int32_t owner_id, const char *requirements,
		  int64_t life_s, struct class_ids *out);
/* Asks the database, once for all who ask at a time; fn is called once, from
 * the loop. */
void classes_ensure(struct classes *c, int32_t owner_id,
		    const char *requirements, int64_t life_s, classes_fn *fn,
		    void *arg);
/* Forgets everything: some class was put to sleep. */
void classes_drop(struct classes *c);
/* Up to 1/8 of a power of two, so that time limits which hardly differ share
 * a class. 0 stays 0. */
int64_t classes_life(int64_t timeout_s);

#endif
