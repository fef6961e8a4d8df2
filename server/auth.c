/*
 * Tells who a bearer token stands for.  Stored tokens are looked up by their
 * SHA-256, one statement for all requests that ask at the same time, and kept
 * for a few seconds, unknown ones too, so that neither a busy client nor a
 * wrong one costs the database a statement per request.
 */
#include "server/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include "lib/clock.h"
#include "lib/id.h"
#include "lib/log.h"
#include "server/db.h"
#include "server/metrics.h"
#include "server/rate.h"
#include "server/server.h"

#define TTL_MS 5000
#define ENTRIES_MAX 4096
#define BUCKETS 1024  /* a power of two */
#define TOKEN_MAX 256 /* longer ones are nobody's */

struct entry {
	struct auth *auth;
	uint8_t hash[32];
	struct arena *arena;  /* of who */
	struct principal who; /* role NONE: an unknown token */
	bool bound;
	bool note_use;
	int64_t rate; /* calls a second of the owner's; 0 = any */
	bool asking;  /* a statement is under way */
	bool stale;   /* purged while it was */
	int64_t until_ms;
	struct req *first; /* those who wait for the statement */
	struct req **last;
	LIST_ENTRY(entry) chain;
	TAILQ_ENTRY(entry) age; /* oldest first; asking ones as well */
};

/* Where a waiting request is to go on; hangs on r->data beside its route. */
struct waiting {
	void (*then)(struct req *r);
	void *data;
};

enum { LOOKUPS, REFUSED, TOO_MANY, N_METRICS };

static const struct metric_def metric_defs[N_METRICS] = {
	[LOOKUPS] = { "sortie_auth_lookups_total", NULL, METRIC_COUNTER,
		      "Tokens that were looked up in the database." },
	[REFUSED] = { "sortie_auth_refused_total", NULL, METRIC_COUNTER,
		      "Requests whose token was refused." },
	[TOO_MANY] = { "sortie_auth_too_many_total", NULL, METRIC_COUNTER,
		       "Requests that were beyond their owner's rate." },
};

struct auth {
	struct server *srv;
	struct db_conn *listener;
	uint64_t seed; /* nobody outside can fill a bucket */
	LIST_HEAD(, entry) bucket[BUCKETS];
	TAILQ_HEAD(, entry) ages;
	size_t n_entries;
	struct rates *rates;
	struct metric **metric;
};

static const struct role_row {
	const char *name;
	bool stored;
} roles[] = {
	[ROLE_NONE] = { "none", false }, [ROLE_READER] = { "reader", true },
	[ROLE_USER] = { "user", true },  [ROLE_ADMIN] = { "admin", true },
	[ROLE_JOIN] = { "join", true },  [ROLE_PILOT] = { "pilot", false },
	[ROLE_JOB] = { "job", false },
};

#define N_ROLES (sizeof(roles) / sizeof(roles[0]))

const char *auth_role_name(enum role role)
{
	return (size_t)role < N_ROLES ? roles[role].name : "none";
}

bool auth_role_from_name(const char *name, enum role *out)
{
	for (size_t i = 0; i < N_ROLES; i++) {
		if (roles[i].stored && strcmp(roles[i].name, name) == 0) {
			*out = (enum role)i;
			return true;
		}
	}
	return false;
}

/* Derived tokens */

static void derive(const struct server *srv, const char *text, char *hex)
{
	uint8_t mac[32];

	id_hmac_sha256(srv->cluster_key, sizeof(srv->cluster_key), text,
		       strlen(text), mac);
	id_hex(mac, sizeof(mac), hex);
}

void auth_pilot_token(const struct server *srv, int64_t number, char *out)
{
	char text[40], hex[65];

	snprintf(text, sizeof(text), "pilot:%016llx",
		 (unsigned long long)number);
	derive(srv, text, hex);
	snprintf(out, AUTH_PILOT_TOKEN_LEN + 1, "sp_%016llx_%s",
		 (unsigned long long)number, hex);
}

void auth_job_token(const struct server *srv, int64_t job, uint64_t run,
		    char *out)
{
	char text[64], hex[65];

	snprintf(text, sizeof(text), "job:%016llx:%016llx",
		 (unsigned long long)run, (unsigned long long)job);
	derive(srv, text, hex);
	snprintf(out, AUTH_JOB_TOKEN_LEN + 1, "sr_%016llx_%016llx_%s",
		 (unsigned long long)run, (unsigned long long)job, hex);
}

/* Sixteen lower-case hexadecimal digits. */
static bool take_u64(const char *s, uint64_t *out)
{
	uint8_t bytes[8];
	char text[17];

	memcpy(text, s, 16);
	text[16] = '\0';
	if (!id_unhex(text, bytes, sizeof(bytes)))
		return false;
	*out = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		*out = *out << 8 | bytes[i];
	return true;
}

bool auth_pilot_check(const struct server *srv, const char *token,
		      int64_t *number)
{
	char right[AUTH_PILOT_TOKEN_LEN + 1];
	uint64_t n;

	if (strlen(token) != AUTH_PILOT_TOKEN_LEN ||
	    strncmp(token, "sp_", 3) != 0 || !take_u64(token + 3, &n) ||
	    n > INT64_MAX)
		return false;
	auth_pilot_token(srv, (int64_t)n, right);
	if (!id_equal(token, right, AUTH_PILOT_TOKEN_LEN))
		return false;
	*number = (int64_t)n;
	return true;
}

static bool job_check(const struct server *srv, const char *token,
		      struct principal *who)
{
	char right[AUTH_JOB_TOKEN_LEN + 1];
	uint64_t run, job;

	if (strlen(token) != AUTH_JOB_TOKEN_LEN ||
	    strncmp(token, "sr_", 3) != 0 || !take_u64(token + 3, &run) ||
	    !take_u64(token + 20, &job) || job > INT64_MAX)
		return false;
	auth_job_token(srv, (int64_t)job, run, right);
	if (!id_equal(token, right, AUTH_JOB_TOKEN_LEN))
		return false;
	who->run = run;
	who->job = (int64_t)job;
	return true;
}

void auth_secret_make(const char *prefix, char *out, uint8_t hash[32])
{
	uint8_t secret[32];
	char hex[65];

	id_random(secret, sizeof(secret));
	id_hex(secret, sizeof(secret), hex);
	snprintf(out, AUTH_SECRET_LEN + 1, "%s%s", prefix, hex);
	id_sha256(out, strlen(out), hash);
}

/* The cache */

static size_t bucket_of(const struct auth *a, const uint8_t hash[32])
{
	uint64_t x;

	memcpy(&x, hash, sizeof(x));
	x = (x ^ a->seed) * (a->seed | 1);
	return (size_t)(x >> 40) & (BUCKETS - 1);
}

static struct entry *entry_find(struct auth *a, const uint8_t hash[32])
{
	struct entry *x;

	LIST_FOREACH (x, &a->bucket[bucket_of(a, hash)], chain) {
		if (id_equal(x->hash, hash, sizeof(x->hash)))
			return x;
	}
	return NULL;
}

static void entry_free(struct auth *a, struct entry *x)
{
	LIST_REMOVE(x, chain);
	TAILQ_REMOVE(&a->ages, x, age);
	a->n_entries--;
	arena_free(x->arena);
	free(x);
}

/* Makes room first; entries that somebody waits for stay. */
static struct entry *entry_new(struct auth *a, const uint8_t hash[32])
{
	struct entry *x = TAILQ_FIRST(&a->ages), *next;

	for (; x != NULL && a->n_entries >= ENTRIES_MAX; x = next) {
		next = TAILQ_NEXT(x, age);
		if (!x->asking)
			entry_free(a, x);
	}
	x = xcalloc(1, sizeof(*x));
	x->auth = a;
	memcpy(x->hash, hash, sizeof(x->hash));
	x->arena = arena_new();
	x->last = &x->first;
	LIST_INSERT_HEAD(&a->bucket[bucket_of(a, hash)], x, chain);
	TAILQ_INSERT_TAIL(&a->ages, x, age);
	a->n_entries++;
	return x;
}

void auth_purge(struct auth *a)
{
	struct entry *x = TAILQ_FIRST(&a->ages), *next;

	for (; x != NULL; x = next) {
		next = TAILQ_NEXT(x, age);
		if (x->asking)
			x->stale = true;
		else
			entry_free(a, x);
	}
}

static void refuse(struct req *r, const char *why)
{
	struct err e = ERR_INIT;

	metric_add(r->srv->auth->metric[REFUSED], 1);
	err_set(&e, ERR_UNAUTHORIZED, "%s", why);
	req_reply_err(r, &e);
}

/* Pilots come with their own tokens, so that no call of theirs is counted;
 * joining is not either. */
static bool in_time(struct req *r, const struct entry *x)
{
	struct auth *a = r->srv->auth;
	struct err e = ERR_INIT;

	if (x->rate <= 0 || x->who.role == ROLE_JOIN ||
	    rate_take(a->rates, x->who.owner_id, x->rate, clock_mono_us()))
		return true;
	metric_add(a->metric[TOO_MANY], 1);
	err_set(&e, ERR_TOO_MANY,
		"\"%s\" may make %lld call%s a second: wait a moment, or ask "
		"an administrator",
		x->who.owner, (long long)x->rate, x->rate == 1 ? "" : "s");
	req_reply_err(r, &e);
	return false;
}

/* The principal's lists are copied: the entry may go before the request. */
static void grant(struct req *r, const struct entry *x,
		  void (*then)(struct req *r))
{
	const struct principal *from = &x->who;
	struct principal *to = &r->who;
	const char **names;

	if (from->role == ROLE_NONE) {
		refuse(r, "the token is not known here, or it has expired or "
			  "was revoked");
		return;
	}
	if (!in_time(r, x))
		return;
	*to = *from;
	to->owner = arena_strdup(r->arena, from->owner);
	to->token_id = arena_strdup(r->arena, from->token_id);
	if (from->n_projects > 0) {
		to->projects = arena_memdup(r->arena, from->projects,
					    from->n_projects *
						    sizeof(*from->projects));
		names = ARENA_ARRAY(r->arena, const char *, from->n_projects);
		for (size_t i = 0; i < from->n_projects; i++)
			names[i] =
				arena_strdup(r->arena, from->project_names[i]);
		to->project_names = names;
	}
	then(r);
}

static void fill_projects(struct entry *x, const struct db_result *res)
{
	size_t n = db_rows(res);
	const char **names = ARENA_ARRAY(x->arena, const char *, n);

	x->who.projects = ARENA_ARRAY(x->arena, int32_t, n);
	x->who.n_projects = n;
	for (size_t i = 0; i < n; i++) {
		bool none = db_is_null(res, i, 6);

		/* Bound to projects that are gone means none, not all. */
		x->who.projects[i] = none ? -1 : (int32_t)db_i64(res, i, 6);
		names[i] =
			none ? "" : arena_strdup(x->arena, db_text(res, i, 7));
	}
	x->who.project_names = names;
}

static void entry_fill(struct entry *x, const struct db_result *res)
{
	struct principal *who = &x->who;

	arena_reset(x->arena);
	memset(who, 0, sizeof(*who));
	x->note_use = false;
	x->rate = 0;
	if (db_rows(res) == 0)
		return;
	if (!auth_role_from_name(db_text(res, 0, 1), &who->role))
		return;
	who->token_id = arena_strdup(x->arena, db_text(res, 0, 0));
	who->owner = arena_strdup(x->arena, db_text(res, 0, 2));
	who->owner_id = (int32_t)db_i64(res, 0, 3);
	who->everybody = db_bool(res, 0, 4);
	if (db_bool(res, 0, 5))
		fill_projects(x, res);
	x->note_use = db_bool(res, 0, 8);
	x->rate = db_is_null(res, 0, 9) ? 0 : db_i64(res, 0, 9);
}

static void on_noted(enum db_outcome o, const struct db_result *res,
		     const struct db_fault *fault, void *arg)
{
	(void)res;
	arena_free(arg);
	if (o != DB_OK)
		log_debug("a token's use was not noted: %s", fault->err.text);
}

static void note_use(struct entry *x)
{
	struct arena *a = arena_new();
	struct db_params *p = db_params_new(a);

	x->note_use = false;
	db_p_text(p, x->who.token_id);
	db_run(x->auth->srv->db, "token_used", p, on_noted, a);
}

static void on_token(enum db_outcome o, const struct db_result *res,
		     const struct db_fault *fault, void *arg)
{
	struct entry *x = arg;
	struct req *r = x->first, *next;

	x->first = NULL;
	x->last = &x->first;
	x->asking = false;
	if (o == DB_OK)
		entry_fill(x, res);
	if (o == DB_OK && x->note_use)
		note_use(x);
	x->until_ms = o == DB_OK && !x->stale ? clock_mono_ms() + TTL_MS : 0;
	x->stale = false;
	x->asking = true; /* stays while those who waited go on */
	for (; r != NULL; r = next) {
		struct waiting *w = r->data;

		next = r->next;
		r->next = NULL;
		r->data = w->data;
		if (o == DB_OK)
			grant(r, x, w->then);
		else
			db_reply_fault(r, o, fault);
	}
	x->asking = false;
	if (x->first != NULL)
		BUG("a request waits for a token that is here");
}

static void ask(struct entry *x)
{
	struct db_params *p = db_params_new(x->arena);

	x->asking = true;
	metric_add(x->auth->metric[LOOKUPS], 1);
	db_p_bytes(p, x->hash, sizeof(x->hash));
	db_run(x->auth->srv->db, "token_get", p, on_token, x);
}

static void look_up(struct req *r, const char *token,
		    void (*then)(struct req *r))
{
	struct auth *a = r->srv->auth;
	struct waiting *w;
	struct entry *x;
	uint8_t hash[32];

	id_sha256(token, strlen(token), hash);
	x = entry_find(a, hash);
	if (x == NULL)
		x = entry_new(a, hash);
	if (!x->asking && clock_mono_ms() < x->until_ms) {
		grant(r, x, then);
		return;
	}
	w = ARENA_NEW(r->arena, struct waiting);
	w->then = then;
	w->data = r->data;
	r->data = w;
	r->next = NULL;
	*x->last = r;
	x->last = &r->next;
	if (!x->asking)
		ask(x);
}

void auth_request(struct req *r, void (*then)(struct req *r))
{
	const char *header = req_header(r, "Authorization");
	const char *token;

	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0) {
		refuse(r, "the Authorization header must be \"Bearer TOKEN\"");
		return;
	}
	token = header + 7 + strspn(header + 7, " ");
	if (strlen(token) <= TOKEN_MAX &&
	    (strncmp(token, "st_", 3) == 0 || strncmp(token, "sj_", 3) == 0)) {
		look_up(r, token, then);
	} else if (auth_pilot_check(r->srv, token, &r->who.pilot)) {
		r->who.role = ROLE_PILOT;
		then(r);
	} else if (job_check(r->srv, token, &r->who)) {
		r->who.role = ROLE_JOB;
		then(r);
	} else {
		refuse(r, "the token is none of ours");
	}
}

/* Its life */

static void on_notify(const char *payload, void *arg)
{
	(void)payload;
	auth_purge(arg);
}

struct auth *auth_new(struct server *srv)
{
	struct auth *a = xcalloc(1, sizeof(*a));

	a->srv = srv;
	a->seed = id_random_u64();
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&a->bucket[i]);
	TAILQ_INIT(&a->ages);
	a->rates = rates_new();
	a->metric = metrics_register(srv->metrics, metric_defs, N_METRICS);
	a->listener = db_conn_new(srv->db, "tokens", 10000);
	db_conn_listen(a->listener, "sortie_token", on_notify, a);
	return a;
}

/* After the database: no statement is under way any more. */
void auth_free(struct auth *a)
{
	struct entry *x, *next;

	if (a == NULL)
		return;
	for (x = TAILQ_FIRST(&a->ages); x != NULL; x = next) {
		next = TAILQ_NEXT(x, age);
		entry_free(a, x);
	}
	rates_free(a->rates);
	free(a);
}
