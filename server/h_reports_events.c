/*
 * The feed of events.  A cursor is the place of the last row that was read:
 * "xid-src-n-attempt" (sql/function/feed.sql); what commits late comes
 * behind it all the same.
 */
#include "server/h_reports.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "lib/jobspec.h"
#include "server/park.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"

#define NOTE_MAX 4096

struct events {
	const char *cursor; /* NULL: the last page */
	char xid[24];
	int64_t src, n, attempt;
	int64_t job; /* 0: any */
	const char *kind;
	int32_t page;
	int64_t deadline_ms; /* 0: answer at once */
	struct park_wait *watch;
};

enum { COL_ITEMS, COL_NEXT, COL_MORE };

static void ask(struct req *r);

static void again(struct req *r, bool over)
{
	struct events *v = r->data;

	if (over)
		v->deadline_ms = 0;
	ask(r);
}

static bool cursor_take(struct events *v, const char *s)
{
	unsigned long long xid;
	long long src, n, attempt;
	int end = 0;

	/* Digits only: what scanf would let pass beyond that is refused. */
	if (strspn(s, "0123456789-") != strlen(s) || strlen(s) > 80 ||
	    strstr(s, "--") != NULL || *s == '-')
		return false;
	if (sscanf(s, "%20llu-%1lld-%19lld-%9lld%n", &xid, &src, &n, &attempt,
		   &end) != 4 ||
	    s[end] != '\0')
		return false;
	snprintf(v->xid, sizeof(v->xid), "%llu", xid);
	v->src = src;
	v->n = n;
	v->attempt = attempt;
	v->cursor = s;
	return true;
}

static void reply(struct req *r, const struct events *v,
		  const struct db_result *res)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "{\"items\":[");
	if (!db_is_null(res, 0, COL_ITEMS))
		buf_add(&b, db_text(res, 0, COL_ITEMS),
			db_len(res, 0, COL_ITEMS));
	buf_adds(&b, "],\"next\":");
	buf_json_str(&b, db_is_null(res, 0, COL_NEXT)
				 ? v->cursor
				 : db_text(res, 0, COL_NEXT));
	buf_adds(&b, "}\n");
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

static void on_events(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct events *v = r->data;
	bool empty;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	empty = db_is_null(res, 0, COL_ITEMS);
	if (!empty || v->deadline_ms == 0) {
		reply(r, v, res);
		return;
	}
	/* What was read and filtered out is not read again. */
	if (!db_is_null(res, 0, COL_NEXT) &&
	    !cursor_take(v, arena_strdup(r->arena, db_text(res, 0, COL_NEXT))))
		v->deadline_ms = 0;
	if (db_bool(res, 0, COL_MORE))
		ask(r);
	else
		park_wait(v->watch, v->deadline_ms, again);
}

static void ask(struct req *r)
{
	struct events *v = r->data;
	struct db_params *p = db_params_new(r->arena);

	view_p_who(p, r);
	db_p_text(p, v->cursor == NULL ? NULL : v->xid);
	db_p_i32(p, (int32_t)v->src);
	db_p_i64(p, v->n);
	db_p_i32(p, (int32_t)v->attempt);
	view_p_below(p, v->job);
	db_p_text(p, v->kind);
	db_p_i32(p, v->page);
	db_run(r->srv->db, "event_list", p, on_events, r);
}

/* Every kind that sql/ writes; tests/lint compares. */
static const char *const kinds[] = {
	"adjusted",
	"callback given up",
	"cancel asked",
	"cancelled",
	"dag deleted",
	"dag stored",
	"dataset adjusted",
	"dataset deleted",
	"datasets registered",
	"datatype defined",
	"datatype deleted",
	"deleted",
	"ended",
	"failed",
	"finished",
	"held",
	"limit deleted",
	"limit set",
	"not retried",
	"note",
	"owner set",
	"pilot deleted",
	"pilot drain",
	"pilot kill",
	"pilot killed",
	"pilot lost",
	"pilot registered",
	"pilot revived",
	"pilot stopped",
	"project set",
	"purged",
	"refused",
	"released",
	"retried",
	"revived",
	"site defined",
	"site deleted",
	"skipped",
	"submitted",
	"workflow cancelled",
	"workflow closed",
	"workflow created",
	"workflow deleted",
	"workflow ended",
	"workflow retried",
	"workflow started",
};

static bool kind_ok(const char *kind, struct err *e)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kind == NULL || strcmp(kinds[i], kind) == 0) {
			buf_fini(&b);
			return true;
		}
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", kinds[i]);
	}
	(void)err_set(e, ERR_BAD_REQUEST,
		      "there is no kind of event \"%.50s\", but %s", kind,
		      buf_str(&b));
	buf_fini(&b);
	return false;
}

static bool decode(struct req *r, struct events *v, struct err *e)
{
	const char *after = req_query(r, "after");
	const char *job = req_query(r, "job");
	const char *uuid;

	v->kind = req_query(r, "kind");
	if (!kind_ok(v->kind, e) || !view_page(r, &v->page, e) ||
	    !view_deadline(r, &v->deadline_ms, e) ||
	    (job != NULL && !refs_one("job", job, &v->job, &uuid, e)))
		return false;
	if (after != NULL && strcmp(after, "0") == 0)
		after = "0-0-0-0";
	if (after == NULL || cursor_take(v, after))
		return true;
	return err_set(e, ERR_BAD_REQUEST,
		       "\"after\" is not one that a page "
		       "gave: 0 is the beginning");
}

void h_reports_events(struct req *r)
{
	struct events *v = ARENA_NEW(r->arena, struct events);
	struct err e = ERR_INIT;

	if (!decode(r, v, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = v;
	if (v->deadline_ms > 0)
		v->watch = park_watch(r, PARK_EVENTS, 0, 0);
	ask(r);
}

/* POST /api/v1/events: what somebody wants to be remembered. */

struct note {
	const char *name, *text;
};

static const struct json_field note_fields[] = {
	{ "name", JK_STR, offsetof(struct note, name), JF_REQUIRED, 0,
	  JOBSPEC_NAME_MAX, 0 },
	{ "text", JK_STR, offsetof(struct note, text), JF_REQUIRED, 0, NOTE_MAX,
	  0 },
};

static void on_noted(enum db_outcome o, const struct db_result *res,
		     const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	wake_events(r->srv);
	req_reply_json(r, 201, db_text(res, 0, 0), db_len(res, 0, 0));
}

void h_reports_note(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct note n = { 0 };
	struct err e = ERR_INIT;

	if (!view_body(r, note_fields,
		       sizeof(note_fields) / sizeof(note_fields[0]), &n, &e)) {
		req_reply_err(r, &e);
		return;
	}
	if (!jobspec_name_ok(n.name)) {
		err_set(&e, ERR_BAD_REQUEST,
			"\"name\" must have 1 to %d bytes, no \"/\", no "
			"control characters and no blank at an end",
			JOBSPEC_NAME_MAX);
		req_reply_err(r, &e);
		return;
	}
	db_p_i32(p, r->who.owner_id);
	db_p_text(p, n.name);
	db_p_text(p, n.text);
	db_run(r->srv->db, "event_note", p, on_noted, r);
}
