/* Applies the changes of the command line to a job's JSON, as text: what was
 * not named stays as it was written. */
#include "clients/patch.h"

#include <string.h>

/* The members of a job that options add to instead of replacing them. */
static const char *const objects[] = { "env", "tags", "labels" };

struct entry {
	struct entry *next;
	const char *object; /* NULL: the key is the job's own */
	const char *key;
	const char *json; /* the new value */
};

struct patch {
	struct arena *arena;
	struct entry *entries; /* newest first: the first match wins */
	struct buf send;       /* the objects with commas */
};

static void free_send(void *p)
{
	buf_fini(&((struct patch *)p)->send);
}

struct patch *patch_new(struct arena *a)
{
	struct patch *p = ARENA_NEW(a, struct patch);

	p->arena = a;
	arena_defer(a, free_send, p);
	return p;
}

static void add(struct patch *p, const char *object, const char *key,
		const char *json)
{
	struct entry *entry = ARENA_NEW(p->arena, struct entry);

	entry->object = object;
	entry->key = arena_strdup(p->arena, key);
	entry->json = arena_strdup(p->arena, json);
	entry->next = p->entries;
	p->entries = entry;
}

void patch_set(struct patch *p, const char *key, const char *json)
{
	add(p, NULL, key, json);
}

static void add_text(struct patch *p, const char *object, const char *key,
		     const char *text)
{
	struct buf b = BUF_INIT;

	buf_json_str(&b, text);
	add(p, object, key, buf_str(&b));
	buf_fini(&b);
}

void patch_set_text(struct patch *p, const char *key, const char *text)
{
	add_text(p, NULL, key, text);
}

void patch_send(struct patch *p, const char *json)
{
	buf_json_comma(&p->send);
	buf_adds(&p->send, json);
}

bool patch_is_empty(const struct patch *p)
{
	return p->entries == NULL && p->send.len == 0;
}

static bool is_text_key(const char *key)
{
	static const char *const keys[] = {
		"name",       "description",   "comment", "key",
		"project",    "jobtype",       "site",    "payload",
		"shell",      "image",         "cwd",     "state",
		"not_before", "on_disconnect",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static bool cut_word(struct patch *p, const char *word, const char **name,
		     const char **value, struct err *e)
{
	const char *equals = strchr(word, '=');

	if (equals == NULL || equals == word)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" has no name and value: write "
			       "NAME=VALUE",
			       word);
	*name = arena_strndup(p->arena, word, (size_t)(equals - word));
	*value = arena_strdup(p->arena, equals + 1);
	return true;
}

bool patch_set_word(struct patch *p, const char *word, struct err *e)
{
	struct err ignored = ERR_INIT;
	const char *key = "", *value = "";

	if (!cut_word(p, word, &key, &value, e))
		return err_prefix(e, "--set");
	if (!is_text_key(key) && json_check(value, strlen(value), &ignored))
		patch_set(p, key, value);
	else
		patch_set_text(p, key, value);
	return true;
}

bool patch_join(struct patch *p, const char *object, const char *word,
		struct err *e)
{
	const char *name = "", *value = "";

	if (!cut_word(p, word, &name, &value, e))
		return false;
	add_text(p, object, name, value);
	return true;
}

static bool same_object(const struct entry *entry, const char *object)
{
	if (entry->object == NULL || object == NULL)
		return entry->object == object;
	return strcmp(entry->object, object) == 0;
}

static bool is_set(const struct patch *p, const char *object, const char *key)
{
	for (const struct entry *i = p->entries; i != NULL; i = i->next)
		if (same_object(i, object) && strcmp(i->key, key) == 0)
			return true;
	return false;
}

static void add_member(struct buf *b, const char *key, struct json_object *v)
{
	buf_json_key(b, key);
	json_write(b, v);
}

struct copying {
	const struct patch *p;
	const char *object;
	const char *input;
	struct buf *out;
};

static bool joins(const struct copying *c, const char *object)
{
	if (c->input != NULL && strcmp(object, "env") == 0)
		return true;
	for (const struct entry *i = c->p->entries; i != NULL; i = i->next)
		if (same_object(i, object))
			return true;
	return false;
}

/* Written by write_joined or write_send, so not copied as it is. */
static bool is_joined(const struct copying *c, const char *key)
{
	if (strcmp(key, "send") == 0)
		return c->p->send.len > 0;
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (strcmp(key, objects[i]) == 0)
			return joins(c, key);
	return false;
}

/* The members that the command line does not replace. */
static bool copy_member(const char *key, struct json_object *v, void *arg)
{
	const struct copying *c = arg;

	if (is_set(c->p, c->object, key))
		return true;
	if (c->object == NULL && is_joined(c, key))
		return true;
	if (c->object != NULL && c->input != NULL &&
	    strcmp(c->object, "env") == 0 && strcmp(key, "P3S_INPUT_FILE") == 0)
		return true;
	add_member(c->out, key, v);
	return true;
}

static void add_entries(const struct copying *c)
{
	for (const struct entry *i = c->p->entries; i != NULL; i = i->next) {
		const struct entry *newer = c->p->entries;

		if (!same_object(i, c->object) ||
		    (c->object == NULL && is_joined(c, i->key)))
			continue;
		while (newer != i && !(same_object(newer, c->object) &&
				       strcmp(newer->key, i->key) == 0))
			newer = newer->next;
		if (newer == i)
			buf_json_kv_raw(c->out, i->key, i->json);
	}
}

/* The value that a --set gave, else the job's own. Parsed values live in a. */
static struct json_object *current(const struct patch *p, struct arena *a,
				   struct json_object *job, const char *key)
{
	struct err ignored = ERR_INIT;
	struct json_object *v;

	for (const struct entry *i = p->entries; i != NULL; i = i->next)
		if (i->object == NULL && strcmp(i->key, key) == 0)
			return json_parse(a, i->json, strlen(i->json), &v,
					  &ignored)
				       ? v
				       : NULL;
	return json_get(job, key);
}

/* A list of tags means "true" for each, as in a job file. */
static bool copy_tag_list(const struct copying *c, struct json_object *list)
{
	for (size_t i = 0; i < json_len(list); i++) {
		struct json_object *v = json_at(list, i);

		if (json_type(v) != JSON_STR)
			return false;
		if (!is_set(c->p, c->object, json_str(v)))
			buf_json_kv_str(c->out, json_str(v), "true");
	}
	return true;
}

static bool write_joined(struct copying *c, struct arena *a,
			 struct json_object *job, const char *object,
			 const char *where, struct err *e)
{
	struct json_object *own = current(c->p, a, job, object);
	bool ok = true;

	if (!joins(c, object))
		return true;
	c->object = object;
	buf_json_key(c->out, object);
	buf_addc(c->out, '{');
	if (own == NULL || json_type(own) == JSON_NULL)
		ok = true;
	else if (json_type(own) == JSON_OBJECT)
		ok = json_each(own, copy_member, c);
	else
		ok = strcmp(object, "tags") == 0 &&
		     json_type(own) == JSON_ARRAY && copy_tag_list(c, own);
	add_entries(c);
	if (c->input != NULL && strcmp(object, "env") == 0)
		buf_json_kv_str(c->out, "P3S_INPUT_FILE", c->input);
	buf_addc(c->out, '}');
	c->object = NULL;
	if (!ok)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s: \"%s\" is %s: an "
			       "object of texts is needed",
			       where, object, json_type_name(json_type(own)));
	return true;
}

static bool write_send(const struct patch *p, struct arena *a,
		       struct json_object *job, struct buf *out,
		       const char *where, struct err *e)
{
	struct json_object *own = current(p, a, job, "send");

	if (p->send.len == 0)
		return true;
	buf_json_key(out, "send");
	buf_addc(out, '[');
	if (own != NULL && json_type(own) == JSON_ARRAY) {
		for (size_t i = 0; i < json_len(own); i++) {
			buf_json_comma(out);
			json_write(out, json_at(own, i));
		}
	} else if (own != NULL && json_type(own) != JSON_NULL) {
		return err_set(e, ERR_BAD_REQUEST,
			       "%s: \"send\" is %s: a "
			       "list is needed",
			       where, json_type_name(json_type(own)));
	}
	buf_json_comma(out);
	buf_add(out, p->send.data, p->send.len);
	buf_addc(out, ']');
	return true;
}

bool patch_write(const struct patch *p, struct json_object *job,
		 const char *input, const char *where, struct buf *out,
		 struct err *e)
{
	struct copying c = { .p = p, .input = input, .out = out };
	struct arena *a = arena_new();
	bool ok = true;

	buf_addc(out, '{');
	json_each(job, copy_member, &c);
	add_entries(&c);
	for (size_t i = 0; ok && i < sizeof(objects) / sizeof(objects[0]); i++)
		ok = write_joined(&c, a, job, objects[i], where, e);
	ok = ok && write_send(p, a, job, out, where, e);
	buf_addc(out, '}');
	arena_free(a);
	return ok;
}
