/*
 * The keys of the JSON objects that are being read, so that one which comes
 * twice is noticed: programs disagree about which of the two counts.
 */
#include "lib/json_keys.h"

#include <stdlib.h>
#include <string.h>
#include "lib/id.h"

static uint64_t seed;

void json_keys_init(struct json_keys *k)
{
	k->key = k->few;
	k->n = 0;
	k->cap = JSON_KEYS_INLINE;
	k->object = k->few_objects;
	k->n_objects = 0;
	k->objects_cap = JSON_DEPTH_MAX;
	k->arena = NULL;
}

void json_keys_fini(struct json_keys *k)
{
	while (k->n_objects)
		json_keys_pop(k);
	if (k->key != k->few)
		free(k->key);
	if (k->object != k->few_objects)
		free(k->object);
	arena_free(k->arena);
}

static void grow_objects(struct json_keys *k)
{
	size_t len = k->n_objects * sizeof(*k->object);
	struct json_keys_object *more = xmalloc(2 * len);

	memcpy(more, k->object, len);
	if (k->object != k->few_objects)
		free(k->object);
	k->object = more;
	k->objects_cap *= 2;
}

void json_keys_push(struct json_keys *k)
{
	struct json_keys_object *o;

	if (k->n_objects == k->objects_cap)
		grow_objects(k);
	o = &k->object[k->n_objects++];
	o->first = k->n;
	o->slot = NULL;
	o->n_slots = 0;
}

void json_keys_pop(struct json_keys *k)
{
	struct json_keys_object *o = &k->object[--k->n_objects];

	k->n = o->first;
	free(o->slot);
}

char *json_keys_room(struct json_keys *k, size_t len)
{
	if (!k->arena)
		k->arena = arena_new();
	return arena_alloc(k->arena, len);
}

/* Multiply and fold, eight bytes at a time; the seed is the secret. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t json_keys_hash(const char *p, size_t len)
{
	uint64_t h, word;

	if (!seed)
		seed = id_random_u64() | 1;
	h = seed ^ len;
	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = mix(h ^ word, UINT64_C(0x9e3779b97f4a7c15)) + seed;
	}
	word = 0;
	memcpy(&word, p, len);
	return mix(h ^ word, UINT64_C(0xa0761d6478bd642f));
}

static bool same(const struct json_key *a, const struct json_key *b)
{
	return a->hash == b->hash && a->len == b->len &&
	       !memcmp(a->p, b->p, a->len);
}

/* The slot where key belongs: empty, or taken by an equal one. */
static uint32_t *find_slot(const struct json_keys *k,
			   const struct json_keys_object *o,
			   const struct json_key *key)
{
	size_t i = key->hash & (o->n_slots - 1);

	while (o->slot[i] && !same(&k->key[o->slot[i] - 1], key))
		i = (i + 1) & (o->n_slots - 1);
	return &o->slot[i];
}

/* Half full at most. The keys that are there differ from each other. */
static void grow_table(struct json_keys *k, struct json_keys_object *o)
{
	free(o->slot);
	o->n_slots = o->n_slots ? o->n_slots * 2 : 4 * JSON_KEYS_LINEAR;
	o->slot = xcalloc(o->n_slots, sizeof(*o->slot));
	for (size_t i = o->first; i < k->n; i++)
		*find_slot(k, o, &k->key[i]) = (uint32_t)i + 1;
}

static void grow_stack(struct json_keys *k)
{
	struct json_key *old = k->key == k->few ? NULL : k->key;

	k->cap *= 2;
	k->key = xrealloc(old, k->cap * sizeof(*k->key));
	if (!old)
		memcpy(k->key, k->few, sizeof(k->few));
}

bool json_keys_add(struct json_keys *k, const char *p, size_t len)
{
	struct json_keys_object *o = &k->object[k->n_objects - 1];
	struct json_key key = { json_keys_hash(p, len), p, len };
	size_t n = k->n - o->first;

	if (n < JSON_KEYS_LINEAR) {
		for (size_t i = o->first; i < k->n; i++)
			if (same(&k->key[i], &key))
				return false;
	} else {
		uint32_t *slot;

		if (n >= o->n_slots / 2)
			grow_table(k, o);
		slot = find_slot(k, o, &key);
		if (*slot)
			return false;
		*slot = (uint32_t)k->n + 1;
	}
	if (k->n == k->cap)
		grow_stack(k);
	k->key[k->n++] = key;
	return true;
}
