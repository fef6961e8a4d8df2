/*
 * Any call of any role: every handler's reading of paths, queries, cursors and
 * bodies, a pilot's report among them, up to the parameters of its statement.
 * There is no database: each statement fails as if it were away.  Every call
 * gets one reply, and errors are JSON.
 *
 * An input is a byte that chooses the role, one whose bits add headers, a line
 * "METHOD TARGET", and the body.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/json.h"
#include "lib/log.h"
#include "server/auth.h"
#include "server/blob.h"
#include "server/callback.h"
#include "server/duty.h"
#include "server/files.h"
#include "server/httpd_int.h"
#include "server/lanes_int.h"
#include "server/metrics.h"
#include "server/migrate.h"
#include "server/openapi_data.h"
#include "server/options.h"
#include "server/park.h"
#include "server/route.h"
#include "server/seal.h"
#include "server/wake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was begun and ends after the handler has returned. */
static struct pending {
	db_done_fn *done;
	void (*waited)(struct req *r, bool over);
	struct lane_item *item;
	void (*fail)(struct lane_item *i, enum db_outcome o,
		     const struct db_fault *f);
	void *arg;
} pending;
static bool is_pending;
static enum role role;
static struct db_fault away = { .err = { ERR_UNAVAILABLE, "away" } };

static void begin(struct pending p)
{
	if (is_pending)
		BUG("a request does two things at a time");
	pending = p;
	is_pending = true;
}

static void end(void)
{
	struct pending p = pending;

	is_pending = false;
	if (p.done != NULL)
		p.done(DB_AWAY, NULL, &away, p.arg);
	else if (p.waited != NULL)
		p.waited(p.arg, true);
	else
		p.fail(p.item, DB_AWAY, &away);
}

/* In place of db.c */

void db_owner_set(struct db *db, int64_t owner)
{
	(void)db, (void)owner;
}

void db_run(struct db *db, const char *stmt, struct db_params *p,
	    db_done_fn *done, void *arg)
{
	(void)db;
	if (stmt == NULL || p == NULL)
		BUG("no statement");
	begin((struct pending){ .done = done, .arg = arg });
}

void db_reply_fault(struct req *r, enum db_outcome o,
		    const struct db_fault *fault)
{
	(void)o;
	req_reply_err(r, &fault->err);
}

enum db_outcome db_fault_row(struct db_fault *fault, const struct db_result *r,
			     size_t row, int col)
{
	(void)fault, (void)r, (void)row, (void)col;
	BUG("a row tells of a fault");
}

size_t db_rows(const struct db_result *r)
{
	return r == NULL ? 0 : 1;
}

bool db_is_null(const struct db_result *r, size_t row, int col)
{
	return r == NULL || row > 0 || col >= 0;
}

const char *db_text(const struct db_result *r, size_t row, int col)
{
	(void)row, (void)col;
	BUG("a row of no result: %p", (const void *)r);
}

size_t db_len(const struct db_result *r, size_t row, int col)
{
	(void)row, (void)col;
	BUG("a row of no result: %p", (const void *)r);
}

int64_t db_i64(const struct db_result *r, size_t row, int col)
{
	(void)row, (void)col;
	BUG("a row of no result: %p", (const void *)r);
}

bool db_bool(const struct db_result *r, size_t row, int col)
{
	(void)row, (void)col;
	BUG("a row of no result: %p", (const void *)r);
}

bool db_bytes(const struct db_result *r, size_t row, int col, struct buf *b)
{
	(void)row, (void)col, (void)b;
	BUG("a row of no result: %p", (const void *)r);
}

/* In place of lane.c, classes.c: a batch of one, which is built and fails. */

struct lane {
	struct server *srv;
	const struct lane_kind *kind;
};

struct lane *lane_new(struct server *srv, const struct lane_kind *kind)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->srv = srv;
	l->kind = kind;
	return l;
}

void lane_free(struct lane *l)
{
	free(l);
}

struct server *lane_server(const struct lane *l)
{
	return l->srv;
}

bool lane_refuses(struct lane *l, struct req *r, size_t bytes)
{
	(void)l, (void)r, (void)bytes;
	return false;
}

void lane_again(struct lane *l, struct lane_item *i)
{
	(void)l, (void)i;
	BUG("an item is put back");
}

bool lane_put(struct lane *l, struct lane_item *i)
{
	struct arena *a = i->req->arena;
	struct lane_batch b = { .lane = l, .item = &i, .n = 1, .arena = a };

	if (l->kind->build(&b, db_params_new(a)) == NULL)
		BUG("the lane %s has no statement", l->kind->name);
	begin((struct pending){ .item = i, .fail = l->kind->fail });
	return true;
}

struct classes *classes_new(struct server *srv)
{
	return (struct classes *)srv;
}

void classes_free(struct classes *c)
{
	(void)c;
}

void classes_drop(struct classes *c)
{
	(void)c;
}

bool classes_find(struct classes *c, int32_t owner_id, const char *requirements,
		  int64_t life_s, struct class_ids *out)
{
	struct err e;

	(void)c, (void)owner_id, (void)life_s;
	if (!json_check(requirements, strlen(requirements), &e))
		BUG("%s: %s", requirements, e.text);
	*out = (struct class_ids){ 1, 1, 1 };
	return true;
}

void classes_ensure(struct classes *c, int32_t owner_id,
		    const char *requirements, int64_t life_s, classes_fn *fn,
		    void *arg)
{
	(void)c, (void)owner_id, (void)requirements, (void)life_s;
	(void)fn, (void)arg;
	BUG("every class is known");
}

int64_t classes_life(int64_t timeout_s)
{
	return timeout_s;
}

/* In place of auth.c */

void auth_request(struct req *r, void (*then)(struct req *r))
{
	r->who.role = role;
	r->who.owner = "alice";
	r->who.owner_id = 7;
	r->who.token_id = "01a1b2c3-d4e5-7000-8000-000000000000";
	r->who.pilot = 5;
	r->who.job = 17;
	then(r);
}

void auth_purge(struct auth *a)
{
	(void)a;
}

void auth_pilot_token(const struct server *srv, int64_t number, char *out)
{
	(void)srv, (void)number;
	*out = '\0';
}

void auth_job_token(const struct server *srv, int64_t job, uint64_t run,
		    char *out)
{
	(void)srv, (void)job, (void)run;
	*out = '\0';
}

bool auth_pilot_check(const struct server *srv, const char *token,
		      int64_t *number)
{
	(void)srv;
	*number = 4;
	return strncmp(token, "sp_", 3) == 0;
}

void auth_secret_make(const char *prefix, char *out, uint8_t hash[32])
{
	snprintf(out, AUTH_SECRET_LEN + 1, "%s", prefix);
	memset(hash, 0, 32);
}

const char *auth_role_name(enum role r)
{
	(void)r;
	return "role";
}

bool auth_role_from_name(const char *name, enum role *out)
{
	*out = ROLE_USER;
	return strcmp(name, "user") == 0;
}

/* In place of the rest: nothing is kept, nobody waits or is woken. */

const char openapi_json[] = "{}";

bool blob_put(struct blobs *b, const uint8_t hash[32], const void *data,
	      size_t len, struct err *e)
{
	(void)b, (void)hash, (void)data, (void)len, (void)e;
	return true;
}

bool blob_read(struct blobs *b, const uint8_t hash[32], uint64_t at, size_t len,
	       struct buf *out, struct err *e)
{
	(void)b, (void)hash, (void)at, (void)len, (void)out;
	return err_set(e, ERR_NOT_FOUND, "no such blob");
}

struct park_wait {
	struct req *r;
};

struct park_wait *park_watch(struct req *r, enum park_topic topic,
			     int64_t first, int64_t last)
{
	struct park_wait *w = ARENA_NEW(r->arena, struct park_wait);

	if (topic != PARK_EVENTS && (first < 1 || last < first))
		BUG("jobs %lld to %lld", (long long)first, (long long)last);
	w->r = r;
	return w;
}

void park_wait(struct park_wait *w, int64_t deadline_ms,
	       void (*fn)(struct req *r, bool over))
{
	(void)deadline_ms;
	begin((struct pending){ .waited = fn, .arg = w->r });
}

void park_turn(struct park *p)
{
	(void)p;
}

void parking_nothing(struct talk *t)
{
	talk_reply(t);
}

void park_supersede(struct server *srv, int64_t pilot)
{
	(void)srv, (void)pilot;
}

void parking_expect(struct server *srv, struct talk *t)
{
	(void)srv, (void)t;
}

void parking_ask(struct server *srv, struct talk *t)
{
	(void)lane_put(srv->lanes->claim, &t->item);
}

void parking_sent(struct server *srv, struct talk *t)
{
	(void)srv, (void)t;
}

void parking_answered(struct server *srv, struct talk *t)
{
	(void)srv, (void)t;
}

void parking_left(struct server *srv, int32_t profile)
{
	(void)srv, (void)profile;
}

void parking_profile(struct server *srv, const struct talk *t, bool empty)
{
	(void)srv, (void)t, (void)empty;
}

void parking_told(struct server *srv, const struct talk *t)
{
	(void)srv, (void)t;
}

void parking_granted(struct server *srv, const struct talk *t)
{
	(void)srv, (void)t;
}

uint64_t park_seq(const struct server *srv)
{
	(void)srv;
	return 0;
}

int64_t lease_until(const struct server *srv)
{
	(void)srv;
	return 15;
}

int migrate_level(void)
{
	return 1;
}

void metrics_write(struct metrics *m, struct buf *out)
{
	(void)m, (void)out;
}

void wake_class(struct server *srv, int32_t class_id, int64_t n)
{
	(void)srv, (void)class_id, (void)n;
}

void wake_work(struct server *srv)
{
	(void)srv;
}

void wake_pilot(struct server *srv, int64_t pilot)
{
	(void)srv, (void)pilot;
}

void wake_job(struct server *srv, int64_t number)
{
	(void)srv, (void)number;
}

void wake_ended(struct server *srv, int64_t number)
{
	(void)srv, (void)number;
}

void wake_graphs(struct server *srv)
{
	(void)srv;
}

void wake_workflow(struct server *srv, int64_t number)
{
	(void)srv, (void)number;
}

void wake_listed(struct server *srv, const struct db_result *r, size_t row,
		 int classes, int pilots)
{
	(void)srv, (void)row, (void)classes, (void)pilots;
	BUG("a row of no result: %p", (const void *)r);
}

void wake_events(struct server *srv)
{
	(void)srv;
}

void callbacks_poke(struct callbacks *c)
{
	(void)c;
}

void duty_poke(struct duties *d, enum duty_name which)
{
	(void)d, (void)which;
}

/* In place of httpd */

const char *httpd_header_get(struct req *r, const char *name)
{
	return http_head_get(&r->http->head, name);
}

struct req_var *httpd_query(struct req *r)
{
	return r->http->vars;
}

void httpd_header_push(struct req *r, const char *name, const char *value)
{
	(void)r;
	if (!http_is_value(name, strlen(name)) ||
	    !http_is_value(value, strlen(value)))
		BUG("a header \"%s: %s\"", name, value);
}

void httpd_send(struct req *r, int status, const char *content_type,
		const void *body, size_t len)
{
	struct err e;

	if (r->replied)
		BUG("%s %s was replied to twice", r->method, r->path);
	r->replied = true;
	if (status < 200 || status > 599 || status == 500)
		BUG("%s %s: status %d: %.*s", r->method, r->path, status,
		    (int)len, (const char *)body);
	if (status >= 400 && (content_type == NULL ||
			      strcmp(content_type, "application/json") != 0 ||
			      !json_check(body, len, &e)))
		BUG("%s %s: %.*s", r->method, r->path, (int)len,
		    (const char *)body);
}

/* A key of its own in memory: secrets are sealed as ever. */
static struct seal *any_seal(void)
{
	struct err e = ERR_INIT;
	int fd = memfd_create("key", MFD_CLOEXEC);
	char path[64], key[64];
	struct seal *s;

	memset(key, 'a', sizeof(key));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || fchmod(fd, 0600) != 0 ||
	    write(fd, key, sizeof(key)) != sizeof(key))
		log_die("no memory for a key");
	s = seal_open(path, &e);
	if (s == NULL)
		log_die("%s", e.text);
	close(fd);
	return s;
}

static struct server *server(void)
{
	static const struct settings set = { .default_timeout_s = 3600,
					     .loss_budget = 3 };
	static struct server srv = { .set = &set };

	if (srv.lanes == NULL)
		srv.lanes = lanes_new(&srv);
	if (srv.seal == NULL)
		srv.seal = any_seal();
	return &srv;
}

static bool read_head(struct req *r, const char *line, size_t len,
		      unsigned char extra)
{
	char *head;
	struct err e;

	head = arena_printf(
		r->arena,
		"%.*s HTTP/1.1\r\nHost: h\r\n"
		"Authorization: x\r\n%s%s%s\r\n",
		(int)len, line, extra & 1 ? "Idempotency-Key: k\r\n" : "",
		extra & 2 ? "Content-Type: application/x-ndjson\r\n" : "",
		extra & 4 ? "Accept: application/x-ndjson\r\n" : "");
	r->http->head.field =
		ARENA_ARRAY(r->arena, struct http_field, HTTP_FIELDS_MAX);
	if (!http_head_parse(&r->http->head, head, strlen(head), &e))
		return false;
	r->method = r->http->head.method;
	r->path = r->http->head.path;
	return true;
}

static void call(struct req *r, const char *text, size_t len)
{
	const char *lf = memchr(text, '\n', len), *query;
	size_t line = lf == NULL ? len : (size_t)(lf - text);
	struct err e = ERR_INIT;

	if (memchr(text, '\0', line) != NULL || line < 2 ||
	    !read_head(r, text + 2, line - 2, (unsigned char)text[1]))
		return;
	role = (unsigned char)text[0] % (ROLE_JOB + 1);
	if (lf != NULL) {
		r->body_len = len - line - 1;
		r->body = arena_strndup(r->arena, lf + 1, r->body_len);
	}
	query = r->http->head.query;
	if (query != NULL && !req_parse_query(r, query, &r->http->vars, &e))
		return;
	route_dispatch(r);
	while (is_pending)
		end();
	if (!r->replied)
		BUG("%s %s got no reply", r->method, r->path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct req *r = ARENA_NEW(a, struct req);

	r->arena = a;
	r->srv = server();
	r->http = ARENA_NEW(a, struct httpd_request);
	r->http->r = r;
	r->body = "";
	r->who.owner = "";
	r->who.token_id = "";
	call(r, (const char *)data, len);
	arena_free(a);
	return 0;
}
