/*
 * Finds a key that an object of a JSON text has twice, also when one of the
 * two is written with escapes.  Internal to lib/json.
 *
 * The objects that are open at one moment form a stack; each has its keys on
 * top of those of the object around it.  Up to JSON_KEYS_LINEAR keys are
 * compared one by one (what nearly every object has), more through a hash
 * table, so that an object of 100,000 keys costs milliseconds.  The hash is
 * seeded from the kernel once a process: nobody outside can aim collisions.
 */
#ifndef SORTIE_LIB_JSON_KEYS_H
#define SORTIE_LIB_JSON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/json.h"

#define JSON_KEYS_LINEAR 16
#define JSON_KEYS_INLINE 64

struct json_key {
	uint64_t hash;
	const char *p; /* the key's bytes, without escapes */
	size_t len;
};

struct json_keys {
	struct json_key *key; /* the stack of all open objects */
	size_t n, cap;
	struct json_key few[JSON_KEYS_INLINE];
	struct json_keys_object {
		size_t first;   /* index of its first key */
		uint32_t *slot; /* hash table of index + 1, or NULL */
		size_t n_slots; /* a power of two */
	} * object, few_objects[JSON_DEPTH_MAX];
	size_t n_objects, objects_cap;
	struct arena *arena; /* decoded keys; made when needed */
};

void json_keys_init(struct json_keys *k);
void json_keys_fini(struct json_keys *k);
/* At '{' and at '}'. */
void json_keys_push(struct json_keys *k);
void json_keys_pop(struct json_keys *k);
/* p must live until the object ends. False when the innermost object has the
 * key already. */
bool json_keys_add(struct json_keys *k, const char *p, size_t len)
	__attribute__((warn_unused_result));
/* The seeded hash, for other tables of names from outside. */
uint64_t json_keys_hash(const char *p, size_t len);
/* Room for the decoded form of a key, until json_keys_fini. */
char *json_keys_room(struct json_keys *k, size_t len);

#endif
