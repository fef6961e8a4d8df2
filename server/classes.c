/* Which class a job belongs to, without asking the database twice. */
#include "server/classes.h"

#include <stdlib.h>
#include <string.h>
#include "lib/arena.h"
#include "server/server.h"
#include "server/wake.h"

#define SLOTS 4096
#define KNOWN_MAX 65536

struct asker {
	struct asker *next;
	classes_fn *fn;
	void *arg;
};

struct known {
	struct known *next;
	struct classes *of;
	struct class_ids ids; /* class_id 0: being asked for */
	struct asker *askers;
	struct arena *arena; /* while it is asked for */
	uint64_t hash;
	int32_t owner_id;
	int64_t life_s;
	bool dropped; /* not in the table any more */
	char requirements[];
};

struct classes {
	struct server *srv;
	struct known *slot[SLOTS];
	size_t n;
};

static uint64_t key_hash(int32_t owner_id, const char *s, int64_t life_s)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint32_t)owner_id;

	h = (h ^ (uint64_t)life_s) * UINT64_C(1099511628211);
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h;
}

static struct known **known_at(struct classes *c, uint64_t hash,
			       int32_t owner_id, const char *requirements,
			       int64_t life_s)
{
	struct known **at = &c->slot[hash >> 20 & (SLOTS - 1)];

	for (; *at != NULL; at = &(*at)->next) {
		const struct known *k = *at;

		if (k->hash == hash && k->owner_id == owner_id &&
		    k->life_s == life_s &&
		    strcmp(k->requirements, requirements) == 0)
			break;
	}
	return at;
}

static void known_free(struct known *k)
{
	struct asker *a;

	while ((a = k->askers) != NULL) {
		k->askers = a->next;
		free(a);
	}
	arena_free(k->arena);
	free(k);
}

/* What is being asked for stays with its statement. */
void classes_drop(struct classes *c)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct known *k;

		while ((k = c->slot[i]) != NULL) {
			c->slot[i] = k->next;
			if (k->ids.class_id == 0)
				k->dropped = true;
			else
				known_free(k);
		}
	}
	c->n = 0;
}

bool classes_find(struct classes *c, int32_t owner_id, const char *requirements,
		  int64_t life_s, struct class_ids *out)
{
	const struct known *k =
		*known_at(c, key_hash(owner_id, requirements, life_s), owner_id,
			  requirements, life_s);

	if (k == NULL || k->ids.class_id == 0)
		return false;
	*out = k->ids;
	return true;
}

static void known_remove(struct classes *c, struct known *k)
{
	struct known **at = &c->slot[k->hash >> 20 & (SLOTS - 1)];

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	c->n--;
}

/* Pilots that offer what this class is the first to ask for. */
static void wake_moved(struct server *srv, const char *s)
{
	while (*s >= '0' && *s <= '9') {
		wake_pilot(srv, strtoll(s, (char **)&s, 10));
		s += *s == ',';
	}
}

static void on_ensured(enum db_outcome o, const struct db_result *r,
		       const struct db_fault *f, void *arg)
{
	struct known *k = arg;
	struct asker *a = k->askers;
	struct class_ids ids = { 0 };

	k->askers = NULL;
	arena_free(k->arena);
	k->arena = NULL;
	if (o == DB_OK) {
		ids.class_id = (int32_t)db_i64(r, 0, 0);
		ids.kind_id = (int32_t)db_i64(r, 0, 1);
		ids.project_id = (int32_t)db_i64(r, 0, 2);
		if (!db_is_null(r, 0, 3))
			wake_moved(k->of->srv, db_text(r, 0, 3));
	}
	if (o == DB_OK && !k->dropped) {
		k->ids = ids;
	} else {
		if (!k->dropped)
			known_remove(k->of, k);
		known_free(k);
	}
	while (a != NULL) {
		struct asker *next = a->next;

		a->fn(o == DB_OK ? &ids : NULL, o, f, a->arg);
		free(a);
		a = next;
	}
}

static void known_ask(struct classes *c, struct known *k)
{
	struct db_params *p;

	k->arena = arena_new();
	p = db_params_new(k->arena);
	db_p_i32(p, k->owner_id);
	db_p_text(p, k->requirements);
	db_p_i64(p, k->life_s);
	db_run(c->srv->db, "class_ensure", p, on_ensured, k);
}

void classes_ensure(struct classes *c, int32_t owner_id,
		    const char *requirements, int64_t life_s, classes_fn *fn,
		    void *arg)
{
	uint64_t hash = key_hash(owner_id, requirements, life_s);
	struct asker *a = xcalloc(1, sizeof(*a));
	size_t len = strlen(requirements);
	struct known **at, *k;

	a->fn = fn;
	a->arg = arg;
	if (c->n >= KNOWN_MAX)
		classes_drop(c);
	at = known_at(c, hash, owner_id, requirements, life_s);
	k = *at;
	/* Known after all (asked for again after a refusal): ask anew. */
	if (k != NULL && k->ids.class_id != 0) {
		known_remove(c, k);
		known_free(k);
		k = NULL;
	}
	if (k != NULL) {
		a->next = k->askers;
		k->askers = a;
		return;
	}
	k = xcalloc(1, sizeof(*k) + len + 1);
	k->of = c;
	k->hash = hash;
	k->owner_id = owner_id;
	k->life_s = life_s;
	memcpy(k->requirements, requirements, len + 1);
	k->askers = a;
	k->next = c->slot[hash >> 20 & (SLOTS - 1)];
	c->slot[hash >> 20 & (SLOTS - 1)] = k;
	c->n++;
	known_ask(c, k);
}

int64_t classes_life(int64_t timeout_s)
{
	int64_t step;

	if (timeout_s < 8)
		return timeout_s;
	step = INT64_C(1) << (60 - __builtin_clzll((uint64_t)timeout_s));
	return (timeout_s + step - 1) / step * step;
}

struct classes *classes_new(struct server *srv)
{
	struct classes *c = xcalloc(1, sizeof(*c));

	c->srv = srv;
	return c;
}

void classes_free(struct classes *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		struct known *k;

		while ((k = c->slot[i]) != NULL) {
			c->slot[i] = k->next;
			known_free(k);
		}
	}
	free(c);
}
