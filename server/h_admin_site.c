/*
 * Sites: what pilots of one place have in common.  A definition is kept whole,
 * as p3s's site files have it, after its keys have been checked by name.
 */
#include "server/h_admin.h"

#include <string.h>
#include "lib/jobspec.h"
#include "lib/nearest.h"
#include "lib/units.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"

#define ENV_MAX 1000
#define LIST_MAX 1000

/* What a value may be. */
enum kind { TEXT, NUMBER, SECONDS, BYTES, FLAG, WORDS, ENV };

/* The keys of p3s, then the options of sortie-pilot that a site may set. */
static const struct {
	const char *key;
	enum kind kind;
} keys[] = {
	{ "name", TEXT },
	{ "comment", TEXT },
	{ "server", TEXT }, /* kept and shown, not used */
	{ "env", ENV },
	{ "pilots", NUMBER },
	{ "pilotcycles", NUMBER },
	{ "pilotperiod", SECONDS },
	{ "pilotlife", SECONDS },
	{ "pilotbeat", SECONDS }, /* kept and shown, not used */
	{ "cores", NUMBER },
	{ "slots", NUMBER },
	{ "cycles", NUMBER },
	{ "memory", BYTES },
	{ "period", SECONDS },
	{ "wait", SECONDS },
	{ "lifetime", SECONDS },
	{ "grace", SECONDS },
	{ "keep", SECONDS },
	{ "keep-all", FLAG },
	{ "connect-timeout", SECONDS },
	{ "pools", WORDS },
	{ "labels", WORDS },
	{ "jobtypes", WORDS },
	{ "cgroups", FLAG },
	{ "verbose", FLAG },
	{ "quiet", FLAG },
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static const char *const wants[] = {
	[TEXT] = "text",
	[NUMBER] = "a number from 0 on",
	[SECONDS] = "seconds, or text like \"5 m\"",
	[BYTES] = "bytes, or text like \"2 GiB\"",
	[FLAG] = "true or false",
	[WORDS] = "a list of texts, or text",
	[ENV] = "an object of texts",
};

static bool each_text(const char *key, struct json_object *v, void *arg)
{
	(void)arg;
	return *key != '\0' && strchr(key, '=') == NULL &&
	       json_type(v) == JSON_STR;
}

static bool words_ok(struct json_object *v)
{
	if (json_type(v) == JSON_OBJECT) /* labels */
		return json_each(v, each_text, NULL);
	if (json_type(v) != JSON_ARRAY || json_len(v) > LIST_MAX)
		return json_type(v) == JSON_STR;
	for (size_t i = 0; i < json_len(v); i++) {
		if (json_type(json_at(v, i)) != JSON_STR)
			return false;
	}
	return true;
}

/* Numbers, and texts that are read as such. */
static bool number_ok(struct json_object *v, enum kind kind)
{
	struct err why = ERR_INIT;
	int64_t n = -1;

	if (json_type(v) == JSON_INT)
		return json_int(v) >= 0;
	if (json_type(v) != JSON_STR)
		return false;
	if (kind == SECONDS)
		return units_parse_seconds(json_str(v), &n, &why);
	if (kind == BYTES)
		return units_parse_bytes(json_str(v), &n, &why);
	return units_parse_i64(json_str(v), 0, INT64_MAX, &n, &why);
}

static bool value_ok(struct json_object *v, enum kind kind)
{
	switch (kind) {
	case TEXT:
		return json_type(v) == JSON_STR;
	case FLAG:
		return json_type(v) == JSON_BOOL;
	case WORDS:
		return words_ok(v);
	case ENV:
		return json_type(v) == JSON_OBJECT && json_len(v) <= ENV_MAX &&
		       json_each(v, each_text, NULL);
	case NUMBER:
	case SECONDS:
	case BYTES:
		break;
	}
	return number_ok(v, kind);
}

static bool each_key(const char *key, struct json_object *v, void *arg)
{
	struct err *e = arg;
	struct nearest near;

	if (json_type(v) == JSON_NULL)
		return true;
	nearest_init(&near, key);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].key, key) == 0)
			return value_ok(v, keys[i].kind) ||
			       err_set(e, ERR_BAD_REQUEST,
				       "the site's \"%s\" "
				       "must be %s",
				       key, wants[keys[i].kind]);
		nearest_try(&near, keys[i].key);
	}
	err_set(e, ERR_BAD_REQUEST, "a site has no key \"%.100s\"", key);
	if (near.name != NULL)
		err_set(e, ERR_BAD_REQUEST,
			"a site has no key \"%.100s\": did "
			"you mean \"%s\"?",
			key, near.name);
	return false;
}

/* The definition with its name in it, as it is stored. */
static bool decode(struct req *r, const char **out, struct err *e)
{
	struct json_object *doc, *name;
	struct buf b = BUF_INIT;

	if (!h_admin_name(r, "site", e) || !req_json(r, &doc, e))
		return false;
	if (json_type(doc) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST,
			       "a site's definition is an object, not %s",
			       json_type_name(json_type(doc)));
	if (!json_each(doc, each_key, e))
		return false;
	name = json_get(doc, "name");
	if (name != NULL && json_type(name) == JSON_STR &&
	    strcmp(json_str(name), r->var[0]) != 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the site's \"name\" is "
			       "\"%.100s\" and not \"%s\"",
			       json_str(name), r->var[0]);
	json_write(&b, doc);
	if (name == NULL || json_type(name) == JSON_NULL) {
		struct buf named = BUF_INIT;

		buf_addc(&named, '{');
		buf_json_kv_str(&named, "name", r->var[0]);
		if (json_len(doc) > 0)
			buf_addc(&named, ',');
		buf_adds(&named, buf_str(&b) + 1);
		*out = arena_strdup(r->arena, buf_str(&named));
		buf_fini(&named);
	} else {
		*out = arena_strdup(r->arena, buf_str(&b));
	}
	buf_fini(&b);
	return true;
}

void h_admin_sites_get(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *after;
	int32_t page;

	if (!h_admin_page(r, &page, &after, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_text(p, after);
	db_p_i32(p, page);
	db_p_text(p, view_between(r));
	db_run(r->srv->db, "site_list", p, view_on_list, r);
}

void h_admin_site_get(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);

	r->data = arena_printf(r->arena, "site \"%s\"", r->var[0]);
	db_p_text(p, r->var[0]);
	db_run(r->srv->db, "site_get", p, view_on_one, r);
}

static void on_put(enum db_outcome o, const struct db_result *res,
		   const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	const char *definition = r->data;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	wake_events(r->srv);
	req_reply_json(r, db_bool(res, 0, 0) ? 201 : 200, definition,
		       strlen(definition));
}

void h_admin_site_put(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *definition = NULL;

	if (!decode(r, &definition, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = (void *)(uintptr_t)definition;
	db_p_text(p, r->var[0]);
	db_p_text(p, definition);
	db_p_i32(p, r->who.owner_id);
	db_run(r->srv->db, "site_put", p, on_put, r);
}

static void on_delete(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
	} else if (db_rows(res) == 0) {
		view_reply_missing(
			r, arena_printf(r->arena, "site \"%s\"", r->var[0]));
	} else {
		wake_events(r->srv);
		req_reply_empty(r, 204);
	}
}

void h_admin_site_delete(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);

	db_p_text(p, r->var[0]);
	db_p_i32(p, r->who.owner_id);
	db_run(r->srv->db, "site_delete", p, on_delete, r);
}
