/* Tells the server of files: see inject_send.h. */
#include "clients/inject_send.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "clients/human.h"
#include "clients/inject_file.h"
#include "clients/query.h"
#include "lib/clock.h"
#include "lib/log.h"

#define CALLS 16
#define PAGE 1000
#define PAUSE_FIRST_MS 200
#define PAUSE_MAX_MS 10000

struct telling {
	LIST_ENTRY(telling) entry;
	struct inject_send *s;
	struct inject_file *f;
};

struct inject_send {
	struct inject_send_config c;
	struct httpc *http;
	struct event *again_ev;
	LIST_HEAD(telling_list, telling) telling;
	int under_way;
	bool loading; /* a page is being asked for */
	size_t n_loaded;
	char *cursor;
	bool away;
	int64_t pause_ms; /* the last one while it is away */
	bool pausing;
};

static void load_page(struct inject_send *s);

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct inject_send *s = arg;

	(void)fd;
	(void)what;
	s->pausing = false;
	if (s->loading)
		load_page(s);
	else
		s->c.on_room(s->c.arg);
}

struct inject_send *inject_send_new(const struct inject_send_config *config)
{
	struct inject_send *s = xcalloc(1, sizeof(*s));

	s->c = *config;
	LIST_INIT(&s->telling);
	s->http = httpc_new(config->base, call_tls(config->c));
	s->again_ev = evtimer_new(config->base, on_again, s);
	return s;
}

void inject_send_free(struct inject_send *s)
{
	struct telling *t;

	if (s == NULL)
		return;
	httpc_free(s->http);
	while ((t = LIST_FIRST(&s->telling)) != NULL) {
		LIST_REMOVE(t, entry);
		free(t);
	}
	event_free(s->again_ev);
	free(s->cursor);
	free(s);
}

static void is_away(struct inject_send *s, const struct httpc_reply *reply)
{
	int64_t ms = reply->retry_after_s * 1000;
	struct err e = ERR_INIT;
	struct timeval tv;

	if (!s->away) {
		call_error(s->c.c, reply, &e);
		s->c.hush(s->c.arg);
		log_warn("%s; watching goes on, files are told when it is back",
			 e.text);
	}
	s->away = true;
	if (s->pausing)
		return;
	s->pausing = true;
	s->pause_ms = s->pause_ms ? s->pause_ms * 2 : PAUSE_FIRST_MS;
	if (s->pause_ms < ms)
		s->pause_ms = ms;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
	tv.tv_sec = s->pause_ms / 1000;
	tv.tv_usec = s->pause_ms % 1000 * 1000;
	evtimer_add(s->again_ev, &tv);
}

static void is_back(struct inject_send *s)
{
	if (s->away) {
		s->c.hush(s->c.arg);
		log_info("the server answers again");
	}
	s->away = false;
	s->pause_ms = 0;
}

/* Not an answer of a server that works: the same again may be another's. */
static bool comes_again(const struct httpc_reply *reply)
{
	return !reply->ok || reply->status >= 500 || reply->status == 408 ||
	       reply->status == 429;
}

/* True when it is an answer to work with. */
static bool heard(struct inject_send *s, const struct httpc_reply *reply,
		  struct arena *a, struct json_object **doc, struct err *e)
{
	if (comes_again(reply)) {
		is_away(s, reply);
		return err_set(e, ERR_UNAVAILABLE, "the server is away");
	}
	is_back(s);
	if (reply->status < 200 || reply->status > 299) {
		call_error(s->c.c, reply, e);
		if (reply->status == 401)
			s->c.on_denied(e, s->c.arg);
		return false;
	}
	if (!json_parse(a, buf_str(&reply->body), reply->body.len, doc, e))
		return false;
	return json_type(*doc) == JSON_OBJECT ||
	       err_set(e, ERR_INTERNAL, "the server's answer is no object");
}

static int64_t time_of(struct json_object *o, const char *key)
{
	const char *text = json_get_str(o, key);
	int64_t ms = 0;

	return text != NULL && human_time_parse(text, &ms) ? ms : 0;
}

/* What the server knows already */

static void page_item(struct inject_send *s, struct json_object *o)
{
	const char *text;
	struct buf path = BUF_INIT;

	if (json_type(o) != JSON_OBJECT)
		return;
	text = json_get_str(o, "path");
	if (text == NULL)
		return;
	inject_untext(&path, text);
	s->c.on_known(buf_str(&path), (int)json_get_int(o, "version"),
		      json_get_int(o, "size"), time_of(o, "modified_at"),
		      s->c.arg);
	buf_fini(&path);
}

static void page_read(struct inject_send *s, struct json_object *doc)
{
	struct json_object *items = json_get(doc, "items");
	const char *next = json_get_str(doc, "next");

	if (items != NULL && json_type(items) == JSON_ARRAY)
		for (size_t i = 0; i < json_len(items); i++)
			page_item(s, json_at(items, i));
	free(s->cursor);
	s->cursor = next != NULL ? xstrdup(next) : NULL;
	s->n_loaded += PAGE;
	if (s->cursor != NULL && s->c.wants_more(s->n_loaded, s->c.arg)) {
		load_page(s);
		return;
	}
	s->loading = false;
	s->c.on_loaded(s->c.arg);
}

static void on_page(const struct httpc_reply *reply, void *arg)
{
	struct inject_send *s = arg;
	struct arena *a = arena_new();
	struct json_object *doc = NULL;
	struct err e = ERR_INIT;

	if (heard(s, reply, a, &doc, &e)) {
		page_read(s, doc);
	} else if (!comes_again(reply)) {
		/* It is but an advance: each file is asked about later. */
		s->c.hush(s->c.arg);
		log_warn("cannot learn what is known already: %s", e.text);
		s->loading = false;
		s->c.on_loaded(s->c.arg);
	}
	arena_free(a);
}

static void ask(struct inject_send *s, const char *method, const char *path,
		const struct buf *body, httpc_done_fn *done, void *arg)
{
	struct httpc_request r = {
		.method = method,
		.base = call_url(s->c.c),
		.token = call_token(s->c.c),
		.path = path,
		.body = body != NULL ? body->data : NULL,
		.body_len = body != NULL ? body->len : 0,
	};

	httpc_start(s->http, &r, done, arg);
}

static void load_page(struct inject_send *s)
{
	struct buf path = BUF_INIT;

	buf_adds(&path, "/api/v1/injections");
	query_add(&path, "stream", s->c.order->stream);
	query_add_i64(&path, "page_size", PAGE);
	query_add(&path, "cursor", s->cursor);
	ask(s, "GET", buf_str(&path), NULL, on_page, s);
	buf_fini(&path);
}

void inject_send_load(struct inject_send *s)
{
	s->loading = true;
	load_page(s);
}

/* Files */

int inject_send_room(const struct inject_send *s)
{
	if (s->loading || s->pausing)
		return 0;
	if (s->away)
		return s->under_way == 0;
	return CALLS - s->under_way;
}

int inject_send_under_way(const struct inject_send *s)
{
	return s->under_way;
}

static void answer_read(struct inject_answer *out, struct json_object *doc)
{
	out->outcome = INJECT_MADE;
	out->created = json_get_bool(doc, "created");
	out->version = (int)json_get_int(doc, "version");
	out->size = json_get_int(doc, "size");
	out->changed_ms = time_of(doc, "modified_at");
	out->workflow = json_get_int(doc, "workflow");
	out->job = json_get_int(doc, "job");
}

static void on_told(const struct httpc_reply *reply, void *arg)
{
	struct telling *t = arg;
	struct inject_send *s = t->s;
	struct inject_file *f = t->f;
	struct arena *a = arena_new();
	struct json_object *doc = NULL;
	struct err e = ERR_INIT;
	struct inject_answer answer = { .err = &e };

	LIST_REMOVE(t, entry);
	free(t);
	s->under_way--;
	if (heard(s, reply, a, &doc, &e)) {
		answer_read(&answer, doc);
		answer.text = buf_str(&reply->body);
	} else {
		bool later = comes_again(reply) || reply->status == 401;
		bool all = reply->status == 403 || reply->status == 404;

		answer.outcome = later ? INJECT_AWAY
				 : all ? INJECT_NONE
				       : INJECT_NOT;
	}
	s->c.on_answer(f, &answer, s->c.arg);
	s->c.on_room(s->c.arg);
	arena_free(a);
}

static void add_time(struct buf *b, const char *key, int64_t ms)
{
	struct buf text = BUF_INIT;

	clock_format_utc(&text, ms);
	buf_json_kv_str(b, key, buf_str(&text));
	buf_fini(&text);
}

/* The workflow bears the file's name, where that is text. */
static void add_workflow(struct buf *b, const char *dag, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buf name = BUF_INIT;

	buf_json_key(b, "workflow");
	buf_adds(b, dag);
	if (inject_text(&name, slash != NULL ? slash + 1 : path))
		buf_json_kv_str(b, "name", buf_str(&name));
	buf_addc(b, '}');
	buf_fini(&name);
}

static void write_body(struct buf *b, const struct inject_order *o,
		       const struct inject_file *f)
{
	struct buf path = BUF_INIT;

	inject_text(&path, f->path);
	buf_addc(b, '{');
	buf_json_kv_str(b, "stream", o->stream);
	buf_json_kv_str(b, "path", buf_str(&path));
	buf_json_kv_i64(b, "version", f->version + 1);
	buf_json_kv_i64(b, "size", f->size);
	add_time(b, "modified_at", f->mtime_ns / 1000000);
	add_time(b, "seen_at", f->seen_ms);
	add_time(b, "complete_at", f->complete_ms);
	if (o->members[0] != '\0') {
		buf_json_comma(b);
		buf_adds(b, o->members);
	}
	if (o->dag != NULL)
		add_workflow(b, o->dag, f->path);
	else
		buf_json_kv_raw(b, "job", o->job);
	buf_addc(b, '}');
	buf_fini(&path);
}

void inject_send(struct inject_send *s, struct inject_file *f)
{
	struct telling *t = xcalloc(1, sizeof(*t));
	struct buf b = BUF_INIT;

	t->s = s;
	t->f = f;
	LIST_INSERT_HEAD(&s->telling, t, entry);
	s->under_way++;
	write_body(&b, s->c.order, f);
	ask(s, "POST", "/api/v1/injections", &b, on_told, t);
	buf_fini(&b);
}
