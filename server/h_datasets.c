/* Datasets as people read, change and forget them. */
#include "server/h_datasets.h"

#include <stddef.h>
#include <string.h>
#include "lib/jobspec.h"
#include "lib/workflow.h"
#include "server/route.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"

#define DEPTH_MAX 10
#define TEXT_MAX_LEN 65536
#define CHECKSUM_LEN 64

#define N(table) (sizeof(table) / sizeof((table)[0]))

static const char *const states[] = { "declared", "ready", "missing",
				      "deleted" };

static bool state_ok(const char *s, size_t len, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(states[i]) == len && memcmp(states[i], s, len) == 0)
			return true;
	return false;
}

/* GET /api/v1/datasets */

static bool list_states(struct req *r, struct err *e)
{
	const char *s = req_query(r, "state");

	while (s != NULL) {
		size_t len = strcspn(s, ",");

		if (!state_ok(s, len, N(states)))
			return err_set(
				e, ERR_BAD_REQUEST,
				"\"%.*s\" is no state of a dataset: "
				"write declared, ready, missing, deleted "
				"or some of them with commas between",
				(int)(len < 50 ? len : 50), s);
		s = s[len] == ',' ? s + len + 1 : NULL;
	}
	return true;
}

static bool list_number(struct req *r, const char *what, int64_t *out,
			struct err *e)
{
	const char *s = req_query(r, what);
	const char *uuid;

	*out = 0;
	return s == NULL || refs_one(what, s, out, &uuid, e);
}

static void get_datasets(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	int64_t below, workflow, producer;
	struct err e = ERR_INIT;
	int32_t page;

	if (!view_page(r, &page, &e) || !view_below(r, &below, &e) ||
	    !list_states(r, &e) || !list_number(r, "workflow", &workflow, &e) ||
	    !list_number(r, "producer", &producer, &e)) {
		req_reply_err(r, &e);
		return;
	}
	view_p_who(p, r);
	view_p_below(p, below);
	db_p_i32(p, page);
	view_p_words(p, r, req_query(r, "state"));
	db_p_text(p, req_query(r, "datatype"));
	db_p_text(p, req_query(r, "name"));
	db_p_text(p, req_query(r, "path"));
	view_p_below(p, workflow);
	view_p_below(p, producer);
	db_p_text(p, req_query(r, "tag"));
	db_p_text(p, req_query(r, "site"));
	db_p_text(p, req_query(r, "owner"));
	db_p_text(p, req_query(r, "project"));
	db_p_text(p, view_between(r));
	db_run(r->srv->db, "dataset_list", p, view_on_list, r);
}

/* Adds who asks and which dataset is meant: by number, UUID, or path (then
 * with the query's site); r->data says which. */
static bool p_ref(struct db_params *p, struct req *r, struct err *e)
{
	const char *ref = r->var[0], *uuid = NULL, *site = req_query(r, "site");
	bool by_path = strchr(ref, '/') != NULL;
	int64_t number = 0;

	if (!by_path && !refs_one("dataset", ref, &number, &uuid, e))
		return false;
	r->data =
		by_path ? arena_printf(r->arena, "dataset at \"%.1000s\"", ref)
			: arena_printf(r->arena, "dataset %s", ref);
	view_p_who(p, r);
	db_p_i64(p, number);
	db_p_text(p, uuid);
	db_p_text(p, site == NULL ? "" : site);
	db_p_text(p, by_path ? workflow_path(r->arena, ref) : NULL);
	return true;
}

static void get_dataset(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	int64_t depth;

	if (!req_query_i64(r, "depth", 0, DEPTH_MAX, 1, &depth, &e) ||
	    !p_ref(p, r, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_i32(p, (int32_t)depth);
	db_run(r->srv->db, "dataset_show", p, view_on_one, r);
}

/* Changing and forgetting */

struct change {
	const char *comment, *tag, *datatype, *state, *checksum;
	int64_t size;
	bool has_size;
};

#define AT(field) offsetof(struct change, field)

static const struct json_field change_fields[] = {
	{ "comment", JK_STR, AT(comment), 0, 0, TEXT_MAX_LEN, 0 },
	{ "tag", JK_STR, AT(tag), 0, 0, JOBSPEC_NAME_MAX, 0 },
	{ "datatype", JK_STR, AT(datatype), 0, 0, JOBSPEC_NAME_MAX, 0 },
	{ "state", JK_STR, AT(state), 0, 0, 0, 0 },
	{ "checksum", JK_STR, AT(checksum), 0, 0, 0, 0 },
	{ "size", JK_I64, AT(size), JF_LOOSE, 0, INT64_MAX, AT(has_size) },
};

#undef AT

static void kv_given(struct buf *b, const char *key, const char *s)
{
	if (s != NULL)
		buf_json_kv_str(b, key, s);
}

bool h_datasets_checksum(struct arena *a, const char **s, const char *where,
			 struct err *e)
{
	char *lower;

	if (*s == NULL)
		return true;
	if (strlen(*s) != CHECKSUM_LEN ||
	    strspn(*s, "0123456789abcdefABCDEF") != CHECKSUM_LEN)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s\"checksum\" must be a SHA-256: %d "
			       "hexadecimal digits, not \"%.100s\"",
			       where, CHECKSUM_LEN, *s);
	lower = arena_strdup(a, *s);
	for (char *c = lower; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	*s = lower;
	return true;
}

static bool change_read(struct req *r, const char **out, struct err *e)
{
	struct buf b = BUF_INIT;
	struct change c = { 0 };

	if (!view_body(r, change_fields, N(change_fields), &c, e))
		return false;
	/* The last state is what DELETE makes. */
	if (c.state != NULL &&
	    !state_ok(c.state, strlen(c.state), N(states) - 1))
		return err_set(e, ERR_BAD_REQUEST,
			       "\"state\" must be declared, ready or missing, "
			       "not \"%.50s\"",
			       c.state);
	if (!h_datasets_checksum(r->arena, &c.checksum, "", e))
		return false;
	buf_addc(&b, '{');
	kv_given(&b, "comment", c.comment);
	kv_given(&b, "tag", c.tag);
	kv_given(&b, "datatype", c.datatype);
	kv_given(&b, "state", c.state);
	kv_given(&b, "checksum", c.checksum);
	if (c.has_size)
		buf_json_kv_i64(&b, "size", c.size);
	buf_addc(&b, '}');
	*out = arena_strdup(r->arena, buf_str(&b));
	buf_fini(&b);
	return strcmp(*out, "{}") != 0 ||
	       err_set(e, ERR_BAD_REQUEST,
		       "the body says nothing that could change");
}

static void on_adjusted(enum db_outcome o, const struct db_result *res,
			const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
	} else if (!db_bool(res, 0, 0)) {
		view_reply_missing(r, r->data);
	} else {
		wake_events(r->srv);
		get_dataset(r);
	}
}

static void patch_dataset(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *set = NULL;

	if (!p_ref(p, r, &e) || !change_read(r, &set, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_i32(p, r->who.owner_id);
	db_p_text(p, set);
	db_run(r->srv->db, "dataset_adjust", p, on_adjusted, r);
}

static void on_deleted(enum db_outcome o, const struct db_result *res,
		       const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
	} else if (!db_bool(res, 0, 0)) {
		view_reply_missing(r, r->data);
	} else {
		wake_events(r->srv);
		req_reply_empty(r, 204);
	}
}

static void delete_dataset(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;

	if (!p_ref(p, r, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_i32(p, r->who.owner_id);
	db_run(r->srv->db, "dataset_delete", p, on_deleted, r);
}

#define LIST_QUERY                                                           \
	"state datatype name path workflow producer tag site owner project " \
	"page_size cursor"

const struct route routes_datasets[] = {
	{ "GET", "/api/v1/datasets", MAY_PEOPLE, LIST_QUERY, get_datasets },
	{ "POST", "/api/v1/datasets", MAY_CHANGE, "version",
	  h_datasets_register },
	{ "GET", "/api/v1/datasets/{ref}", MAY_PEOPLE, "depth site",
	  get_dataset },
	{ "PATCH", "/api/v1/datasets/{ref}", MAY_CHANGE, "site",
	  patch_dataset },
	{ "DELETE", "/api/v1/datasets/{ref}", MAY_CHANGE, "site",
	  delete_dataset },
	{ NULL, NULL, 0, NULL, NULL }
};
