/* Reads a report of a pilot: what started, what ended, what lives. */
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include "lib/id.h"
#include "lib/json.h"
#include "lib/utf8.h"
#include "server/talk.h"

#define ITEMS_MAX 1000
#define LIVE_MAX 100000
#define INLINE_MAX 65536
#define REASON_MAX 1000
#define META_MAX 1000
#define META_LINE_MAX 4096

#define N_FIELDS(a) (sizeof(a) / sizeof((a)[0]))

struct ref {
	const char *run;
	int64_t job;
};

static bool ref_read(const struct ref *x, struct run_ref *out, struct err *e)
{
	uint8_t raw[8];
	uint64_t v = 0;

	if (!id_unhex(x->run, raw, sizeof(raw)))
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" is not a run: 16 hexadecimal digits",
			       x->run);
	for (size_t i = 0; i < sizeof(raw); i++)
		v = v << 8 | raw[i];
	out->run = (int64_t)v;
	out->job = x->job;
	return true;
}

#define REF_FIELDS(type)                                                   \
	{ "run", JK_STR, offsetof(type, ref.run), JF_REQUIRED, 0, 16, 0 }, \
	{                                                                  \
		"job", JK_I64, offsetof(type, ref.job), JF_REQUIRED, 1,    \
			ID_NUMBER_MAX, 0                                   \
	}

struct start {
	struct ref ref;
	int64_t ago_ms, host_pid;
};

static const struct json_field start_fields[] = {
	REF_FIELDS(struct start),
	{ "ago_ms", JK_I64, offsetof(struct start, ago_ms), 0, 0, INT64_MAX,
	  0 },
	{ "host_pid", JK_I64, offsetof(struct start, host_pid), 0, 0, INT64_MAX,
	  0 },
};

struct stream {
	int64_t size, sent;
	const char *text, *base64;
	bool incomplete;
};

static const struct json_field stream_fields[] = {
	{ "size", JK_I64, offsetof(struct stream, size), 0, 0, INT64_MAX, 0 },
	{ "sent", JK_I64, offsetof(struct stream, sent), 0, 0, INT64_MAX, 0 },
	{ "text", JK_STR, offsetof(struct stream, text), 0, 0, INLINE_MAX, 0 },
	{ "base64", JK_STR, offsetof(struct stream, base64), 0, 0,
	  2 * INLINE_MAX, 0 },
	{ "incomplete", JK_BOOL, offsetof(struct stream, incomplete), 0, 0, 0,
	  0 },
};

struct end {
	struct ref ref;
	const char *state, *reason;
	int64_t exit_code, signal, ago_ms, wall_ms, user_ms, system_ms, max_rss;
	bool started, files_left_out;
	struct json_object *out, *err, *meta, *inputs, *outputs;
};

#define END_I64(key, member, min, max)                                    \
	{                                                                 \
		key, JK_I64, offsetof(struct end, member), 0, min, max, 0 \
	}

static const struct json_field end_fields[] = {
	REF_FIELDS(struct end),
	{ "state", JK_STR, offsetof(struct end, state), JF_REQUIRED, 0, 20, 0 },
	{ "reason", JK_STR, offsetof(struct end, reason), 0, 0, 0, 0 },
	END_I64("exit_code", exit_code, INT32_MIN, INT32_MAX),
	END_I64("signal", signal, 0, 1000),
	END_I64("ago_ms", ago_ms, 0, INT64_MAX),
	END_I64("wall_ms", wall_ms, 0, INT64_MAX),
	END_I64("user_ms", user_ms, 0, INT64_MAX),
	END_I64("system_ms", system_ms, 0, INT64_MAX),
	END_I64("max_rss", max_rss, 0, INT64_MAX),
	{ "started", JK_BOOL, offsetof(struct end, started), 0, 0, 0, 0 },
	{ "stdout", JK_OBJECT, offsetof(struct end, out), 0, 0, 0, 0 },
	{ "stderr", JK_OBJECT, offsetof(struct end, err), 0, 0, 0, 0 },
	{ "meta", JK_ARRAY, offsetof(struct end, meta), 0, 0, 0, 0 },
	{ "inputs", JK_ARRAY, offsetof(struct end, inputs), 0, 0, 0, 0 },
	{ "outputs", JK_ARRAY, offsetof(struct end, outputs), 0, 0, 0, 0 },
	{ "files_left_out", JK_BOOL, offsetof(struct end, files_left_out), 0, 0,
	  0, 0 },
};

/* A hundred years: what lies before is a broken clock, and intervals of the
 * database end somewhere. */
static int64_t ago_bounded(int64_t ms)
{
	const int64_t max = INT64_C(36525) * 86400 * 1000;

	return ms < max ? ms : max;
}

static bool start_read(struct talk *t, struct json_object *o, struct err *e)
{
	struct talk_start *out = &t->start[t->n_starts++];
	struct start x = { 0 };

	if (!json_decode(o, start_fields, N_FIELDS(start_fields), &x, "a start",
			 e))
		return false;
	out->ago_ms = ago_bounded(x.ago_ms);
	return ref_read(&x.ref, &out->ref, e);
}

static bool stream_unpack(struct talk *t, const struct stream *x,
			  struct talk_stream *out, struct err *e)
{
	struct buf b = BUF_INIT;

	if (x->text != NULL) {
		out->text = x->text;
		out->text_len = strlen(x->text);
		return true;
	}
	if (!id_unbase64(&b, x->base64, strlen(x->base64))) {
		buf_fini(&b);
		return err_set(e, ERR_BAD_REQUEST,
			       "\"base64\" of an output is not base64");
	}
	out->text = arena_memdup(t->item.req->arena, buf_str(&b), b.len);
	out->text_len = b.len;
	buf_fini(&b);
	return true;
}

static bool stream_read(struct talk *t, struct json_object *o,
			struct talk_stream *out, struct err *e)
{
	struct stream x = { 0 };

	if (o == NULL)
		return true;
	if (!json_decode(o, stream_fields, N_FIELDS(stream_fields), &x,
			 "an output", e))
		return false;
	out->size = x.size;
	out->incomplete = x.incomplete;
	out->inlined = x.text != NULL || x.base64 != NULL;
	if (!out->inlined)
		return true;
	if (!stream_unpack(t, &x, out, e))
		return false;
	if (out->text_len > INLINE_MAX)
		return err_set(
			e, ERR_TOO_LARGE,
			"an output inside an end has more than %d bytes: put it in chunks",
			INLINE_MAX);
	if (out->size < (int64_t)out->text_len)
		out->size = (int64_t)out->text_len;
	return true;
}

static bool meta_read(struct talk *t, struct json_object *list,
		      struct talk_end *out, struct err *e)
{
	struct buf b = BUF_INIT;

	if (list == NULL || json_len(list) == 0)
		return true;
	if (json_len(list) > META_MAX)
		return err_set(e, ERR_BAD_REQUEST,
			       "an end has more than %d meta lines", META_MAX);
	for (size_t i = 0; i < json_len(list); i++) {
		struct json_object *x = json_at(list, i);

		if (json_type(x) != JSON_STR || json_str_len(x) > META_LINE_MAX)
			return err_set(
				e, ERR_BAD_REQUEST,
				"\"meta\" must be a list of lines of at most %d bytes",
				META_LINE_MAX);
	}
	json_write(&b, list);
	out->meta = arena_strndup(t->item.req->arena, b.data, b.len);
	buf_fini(&b);
	return true;
}

static bool state_known(const char *s)
{
	static const char *const states[] = { "finished", "failed", "timelimit",
					      "cancelled", "returned" };

	for (size_t i = 0; i < N_FIELDS(states); i++)
		if (strcmp(s, states[i]) == 0)
			return true;
	return false;
}

static bool is_int(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	return v != NULL && json_type(v) == JSON_INT;
}

static void end_fill(struct talk_end *out, const struct end *x,
		     struct json_object *o, struct arena *a)
{
	out->state = x->state;
	out->reason = arena_strndup(
		a, x->reason,
		utf8_cut(x->reason, strlen(x->reason), REASON_MAX));
	out->has_exit = is_int(o, "exit_code");
	out->has_signal = is_int(o, "signal");
	out->exit_code = (int32_t)x->exit_code;
	out->signal = (int32_t)x->signal;
	out->ago_ms = ago_bounded(x->ago_ms);
	out->wall_ms = x->wall_ms >= 0 ? ago_bounded(x->wall_ms) : -1;
	out->user_ms = x->user_ms;
	out->system_ms = x->system_ms;
	out->max_rss = x->max_rss;
	out->started = x->started;
}

static bool end_read(struct talk *t, struct json_object *o, struct err *e)
{
	struct talk_end *out = &t->end[t->n_ends++];
	struct end x = { .reason = "",
			 .wall_ms = -1,
			 .user_ms = -1,
			 .system_ms = -1,
			 .max_rss = -1,
			 .started = true };

	if (!json_decode(o, end_fields, N_FIELDS(end_fields), &x, "an end", e))
		return false;
	if (!state_known(x.state))
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" is not a state that a run ends in",
			       x.state);
	end_fill(out, &x, o, t->item.req->arena);
	return ref_read(&x.ref, &out->ref, e) &&
	       stream_read(t, x.out, &out->out, e) &&
	       stream_read(t, x.err, &out->err, e) &&
	       meta_read(t, x.meta, out, e) &&
	       talk_files(t->item.req->arena, x.inputs, x.outputs,
			  x.files_left_out, &out->files, e);
}

struct listed {
	struct ref ref;
};

static const struct json_field listed_fields[] = {
	REF_FIELDS(struct listed),
};

static bool live_read(struct talk *t, struct json_object *o, struct err *e)
{
	struct listed x = { { NULL, 0 } };

	return json_decode(o, listed_fields, N_FIELDS(listed_fields), &x,
			   "a live run", e) &&
	       ref_read(&x.ref, &t->live[t->n_live++], e);
}

static bool each(struct talk *t, struct json_object *list,
		 bool (*fn)(struct talk *t, struct json_object *o,
			    struct err *e),
		 struct err *e)
{
	for (size_t i = 0; i < json_len(list); i++) {
		if (json_type(json_at(list, i)) != JSON_OBJECT)
			return err_set(
				e, ERR_BAD_REQUEST,
				"starts, ends and live are lists of objects");
		if (!fn(t, json_at(list, i), e))
			return false;
	}
	return true;
}

struct report {
	struct json_object *starts, *ends, *live, *room;
	int64_t request, wait_s;
	bool drained;
};

#define REPORT_FIELD(key, kind, member, min, max)                          \
	{                                                                  \
		key, kind, offsetof(struct report, member), 0, min, max, 0 \
	}

static const struct json_field report_fields[] = {
	REPORT_FIELD("starts", JK_ARRAY, starts, 0, 0),
	REPORT_FIELD("ends", JK_ARRAY, ends, 0, 0),
	REPORT_FIELD("live", JK_ARRAY, live, 0, 0),
	REPORT_FIELD("request", JK_I64, request, 1, INT64_MAX),
	REPORT_FIELD("free", JK_OBJECT, room, 0, 0),
	REPORT_FIELD("wait", JK_I64, wait_s, 0, 60),
	REPORT_FIELD("drained", JK_BOOL, drained, 0, 0),
};

static size_t list_len(struct json_object *list)
{
	return list != NULL ? json_len(list) : 0;
}

static bool lists_read(struct talk *t, const struct report *x, struct err *e)
{
	struct arena *a = t->item.req->arena;
	size_t n_starts = list_len(x->starts), n_ends = list_len(x->ends);
	size_t n_live = list_len(x->live);

	if (n_starts + n_ends > ITEMS_MAX || n_live > LIVE_MAX)
		return err_set(
			e, ERR_BAD_REQUEST,
			"a report has at most %d starts and ends and %d live runs",
			ITEMS_MAX, LIVE_MAX);
	t->start = ARENA_ARRAY(a, struct talk_start, n_starts);
	t->end = ARENA_ARRAY(a, struct talk_end, n_ends);
	t->live = ARENA_ARRAY(a, struct run_ref, n_live);
	t->listed = x->live != NULL;
	t->item.weight = (uint32_t)(n_starts + n_ends) + 1;
	return (n_starts == 0 || each(t, x->starts, start_read, e)) &&
	       (n_ends == 0 || each(t, x->ends, end_read, e)) &&
	       (n_live == 0 || each(t, x->live, live_read, e));
}

static bool room_read(struct talk *t, const struct report *x, struct err *e)
{
	if (x->room == NULL)
		return true;
	if (x->request == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the body: \"free\" needs \"request\"");
	t->request = x->request;
	talk_wait(t, x->wait_s);
	return talk_free(t, x->room, e);
}

void talk_report(struct req *r)
{
	struct talk *t = talk_new(r);
	struct report x = { 0 };
	struct json_object *doc;
	struct err e = ERR_INIT;

	t->is_report = true;
	if (!talk_pilot(r, &e) || !req_json(r, &doc, &e) ||
	    !json_decode(doc, report_fields, N_FIELDS(report_fields), &x,
			 "the body", &e) ||
	    !lists_read(t, &x, &e) || !room_read(t, &x, &e)) {
		req_reply_err(r, &e);
		return;
	}
	t->drained = x.drained;
	/* A report that brings grants is the pilot's newer call. */
	if (t->claims)
		park_supersede(r->srv, t->pilot);
	(void)lane_put(r->srv->lanes->report, &t->item);
}
