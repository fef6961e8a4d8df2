/* How a pilot comes and goes: the site's word, registration, good-bye. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/id.h"
#include "lib/log.h"
#include "lib/units.h"
#include "pilot/talk.h"

#define JOIN_BACKOFF_MS 5000
#define JOIN_TIMEOUT_MS 15000
#define LEAVE_TIMEOUT_MS 5000
#define LEASE_DEFAULT_MS 15000
#define FIRST_REPORT_MAX 1000

void join_begin(struct talk *t)
{
	t->phase = t->opt.site[0] && !t->site ? TALK_SITE : TALK_JOINING;
	t->link.cluster[0] = '\0';
	t->lease_ms = LEASE_DEFAULT_MS;
	backoff_init(&t->join.backoff, JOIN_BACKOFF_MS);
	talk_turn_soon(t);
}

/* The first failure is told at once, whatever the log level says of others:
 * whoever typed a wrong address must not wait for an answer. */
static void join_failed(struct talk *t, const struct answer *ans)
{
	if (!t->told_join_failure)
		log_warn("cannot join yet: %s", ans->err.text);
	t->told_join_failure = true;
	if (ans->kind == ANSWER_REFUSED &&
	    (ans->status == 401 || ans->status == 403)) {
		log_error("the join token was refused: %s", ans->err.text);
		talk_done(t, PILOT_EXIT_REFUSED);
	}
}

static void check_timeout(struct talk *t)
{
	int64_t limit = t->opt.connect_timeout_s * 1000;

	/* One that has been in already stays as long as it may live. */
	if (!limit || t->number)
		return;
	if (clock_mono_ms() - t->begun_ms >= limit) {
		log_error("no server has taken this pilot in within %lld s",
			  (long long)t->opt.connect_timeout_s);
		talk_done(t, PILOT_EXIT_NO_SERVER);
	} else {
		talk_turn_at(t, t->begun_ms + limit);
	}
}

/* Reads the options again with the site's values beneath the others. */
static void site_apply(struct talk *t, struct json_object *site)
{
	struct pilot_options opt;
	struct err e = ERR_INIT;

	t->site = site;
	if (!pilot_options_read(t->arena, t->argc, t->argv, site, &t->engine,
				&opt, &e)) {
		log_warn("site '%s': %s; its values are not used", t->opt.site,
			 e.text);
		return;
	}
	opt.join_token = t->opt.join_token;
	t->opt = opt;
	if (opt.lifetime_s)
		t->end_ms = t->begun_ms + opt.lifetime_s * 1000;
}

static void arena_release(void *p)
{
	arena_free(p);
}

/* What an answer told is needed for the pilot's life. */
static void keep(struct talk *t, struct arena **a)
{
	arena_defer(t->arena, arena_release, *a);
	*a = NULL;
}

static void on_site(const struct httpc_reply *r, void *arg)
{
	struct talk *t = arg;
	struct arena *a = arena_new();
	struct answer ans;

	if (talk_answer(t, &t->join, a, r, &ans)) {
		if (ans.doc)
			site_apply(t, ans.doc);
		keep(t, &a);
		t->phase = TALK_JOINING;
	} else if (ans.kind == ANSWER_REFUSED && ans.status != 401) {
		log_info("site '%s' has no definition here: %s", t->opt.site,
			 ans.err.text);
		backoff_ok(&t->join.backoff);
		t->phase = TALK_JOINING;
	} else {
		join_failed(t, &ans);
	}
	arena_free(a);
	talk_turn_soon(t);
}

static void site_ask(struct talk *t)
{
	struct buf path = BUF_INIT;

	buf_adds(&path, "/api/v1/sites/");
	httpc_escape(&path, t->opt.site);
	talk_send(t, &t->join, "GET", buf_str(&path), t->opt.join_token, NULL,
		  JOIN_TIMEOUT_MS, on_site);
	buf_fini(&path);
}

static void write_list(struct buf *b, const char *key, const char **list,
		       bool refused)
{
	buf_json_key(b, key);
	buf_addc(b, '[');
	for (; list && *list; list++) {
		if ((**list == '!') != refused)
			continue;
		buf_json_comma(b);
		buf_json_str(b, *list + refused);
	}
	buf_addc(b, ']');
}

static void write_labels(struct buf *b, const char **labels)
{
	buf_json_key(b, "labels");
	buf_addc(b, '{');
	for (; labels && *labels; labels++) {
		const char *eq = strchr(*labels, '=');
		char *name = xstrndup(*labels, (size_t)(eq - *labels));

		buf_json_kv_str(b, name, eq + 1);
		free(name);
	}
	buf_addc(b, '}');
}

static int64_t life_left_s(const struct talk *t)
{
	int64_t left = (t->end_ms - clock_mono_ms() + 999) / 1000;

	if (!t->end_ms)
		return 0;
	return left > 0 ? left : 1;
}

static void write_offer(struct buf *b, const struct talk *t)
{
	const struct pilot_options *o = &t->opt;

	buf_json_kv_i64(b, "protocol", 1);
	buf_json_kv_str(b, "version", PACKAGE_VERSION);
	buf_json_kv_str(b, "host", o->host_name);
	if (o->site[0])
		buf_json_kv_str(b, "site", o->site);
	write_list(b, "pools", o->pools, false);
	write_labels(b, o->labels);
	buf_json_key(b, "jobtypes");
	buf_addc(b, '{');
	write_list(b, "accept", o->jobtypes, false);
	write_list(b, "refuse", o->jobtypes, true);
	buf_addc(b, '}');
	buf_json_kv_i64(b, "slots", o->slots);
	buf_json_kv_i64(b, "cores", o->cores);
	buf_json_kv_i64(b, "memory", o->memory);
	if (o->batch_id[0])
		buf_json_kv_str(b, "batch_id", o->batch_id);
	buf_json_kv_i64(b, "lifetime_s", life_left_s(t));
	buf_json_kv_bool(b, "one_user", o->one_user);
	if (t->run_as)
		buf_json_kv_bool(b, "run_as", true);
	buf_json_kv_i64(b, "uid", (int64_t)geteuid());
}

static void bound(int64_t *v, struct json_object *o, const char *key,
		  int64_t unit, int64_t least, int64_t most)
{
	int64_t got = json_get_int(o, key);

	if (got <= 0)
		return;
	got = got > most / unit ? most : got * unit;
	*v = got < least ? least : got;
}

static void read_limits(struct talk *t, struct json_object *doc)
{
	struct json_object *out = json_get(doc, "output");

	t->lease_ms = LEASE_DEFAULT_MS;
	t->heartbeat_ms = LEASE_DEFAULT_MS / 4;
	t->head_max = t->tail_max = INT64_C(1) << 20;
	t->chunk_max = INT64_C(256) << 10;
	t->inline_max = 4096;
	bound(&t->lease_ms, doc, "lease_s", 1000, 1000, INT64_C(86400000));
	bound(&t->heartbeat_ms, doc, "heartbeat_s", 1000, 200, t->lease_ms / 2);
	if (!out || json_type(out) != JSON_OBJECT)
		return;
	bound(&t->head_max, out, "head", 1, 1, INT64_C(1) << 40);
	bound(&t->tail_max, out, "tail", 1, 1, INT64_C(1) << 40);
	bound(&t->chunk_max, out, "chunk", 1, 1, INT64_C(1) << 20);
	bound(&t->inline_max, out, "inline", 1, 1, INT64_C(64) << 10);
}

static bool on_env_member(const char *key, struct json_object *v, void *arg)
{
	void **ctx = arg;
	struct arena *a = ctx[0];
	char ***at = ctx[1];

	if (json_type(v) == JSON_STR && key[0] && !strchr(key, '='))
		*(*at)++ = arena_printf(a, "%s=%s", key, json_str(v));
	return true;
}

static char **site_env(struct talk *t)
{
	struct json_object *env = t->site ? json_get(t->site, "env") : NULL;
	char **list, **at;
	void *ctx[2];

	if (!env || json_type(env) != JSON_OBJECT)
		return NULL;
	list = at = ARENA_ARRAY(t->arena, char *, json_len(env) + 1);
	ctx[0] = t->arena;
	ctx[1] = &at;
	json_each(env, on_env_member, ctx);
	return list;
}

static bool host_open(struct talk *t, struct err *e)
{
	struct payload_settings s = {
		.base = t->base,
		.spool = t->spool.runs,
		.url = link_url(&t->link),
		.host_name = t->opt.host_name,
		.pilot_id = t->pilot_id,
		.site = t->opt.site,
		.site_env = site_env(t),
		.grace_ms = t->opt.grace_s * 1000,
		.keep_failed_s = t->opt.keep_s,
		.head_max = t->head_max,
		.tail_max = t->tail_max,
		.sandbox = t->sandbox.program ? &t->sandbox : NULL,
		.run_as = t->run_as,
		.no_new_privs = t->opt.no_new_privs,
		.cgroups = t->opt.cgroups,
		.no_clean = t->opt.keep_all,
	};

	if (t->host)
		payload_host_free(t->host);
	t->host = payload_host_new(&s, e);
	return t->host != NULL;
}

/* The spool's ends belong to a pilot of another cluster than this one. */
static bool set_aside(struct talk *t, struct err *e)
{
	struct run *r, *next;

	log_warn("the spool '%s' holds ends for another cluster: they are kept "
		 "there as journal.unclaimed-%s",
		 t->spool.path, t->last.pilot);
	for (r = TAILQ_FIRST(runs_list(t->runs, RUN_ENDED)); r; r = next) {
		next = TAILQ_NEXT(r, entry);
		runs_move(t->runs, r, RUN_GONE);
	}
	journal_close(t->journal);
	t->journal = NULL;
	if (!spool_journal_set_aside(&t->spool, t->last.pilot, e))
		return false;
	return talk_journal_open(t, e);
}

static bool joined(struct talk *t, struct json_object *doc, struct err *e)
{
	const char *id = json_get_str(doc, "pilot");
	const char *token = json_get_str(doc, "token");
	const char *cluster = json_get_str(doc, "cluster");
	struct spool_identity now;

	if (!id || !token || !cluster ||
	    strlen(cluster) >= sizeof(t->link.cluster))
		return err_set(e, ERR_UNPROCESSABLE,
			       "the server's answer to the registration lacks "
			       "the pilot, its token or the cluster");
	if (t->last.pilot && strcmp(t->last.cluster, cluster) != 0 &&
	    runs_count(t->runs, RUN_ENDED) && !set_aside(t, e))
		return false;
	now = (struct spool_identity){ .pilot = arena_strdup(t->arena, id),
				       .token = arena_strdup(t->arena, token),
				       .cluster = cluster };
	now.cluster = arena_strdup(t->arena, cluster);
	if (!spool_identity_write(&t->spool, &now, e))
		return false;
	t->first_report = t->last.pilot != NULL;
	t->last = now;
	t->pilot_id = now.pilot;
	t->token = now.token;
	t->number = json_get_int(doc, "number");
	snprintf(t->link.cluster, sizeof(t->link.cluster), "%s", cluster);
	read_limits(t, doc);
	if (!t->site && json_get(doc, "site") &&
	    json_type(json_get(doc, "site")) == JSON_OBJECT)
		t->site = json_get(doc, "site");
	return host_open(t, e);
}

static void work_begin(struct talk *t)
{
	struct talk_call *calls[] = { &t->claim, &t->report, &t->leave };
	struct buf life = BUF_INIT;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		backoff_init(&calls[i]->backoff, t->lease_ms / 3);
	backoff_init(&t->upload_backoff, t->lease_ms / 3);
	backoff_init(&t->fetch_backoff, t->lease_ms / 3);
	t->request = 1;
	t->report_max = FIRST_REPORT_MAX;
	t->link.heard_ms = clock_mono_ms();
	t->live_told_ms = t->link.heard_ms;
	t->phase = TALK_WORKING;
	if (t->end_ms) {
		buf_adds(&life, ", lifetime ");
		units_format_ms(&life, life_left_s(t) * 1000);
	}
	log_info("pilot %lld at %s: %lld slot%s, %lld core%s%s",
		 (long long)t->number, link_url(&t->link),
		 (long long)t->opt.slots, t->opt.slots == 1 ? "" : "s",
		 (long long)t->opt.cores, t->opt.cores == 1 ? "" : "s",
		 buf_str(&life));
	buf_fini(&life);
	if (runs_count(t->runs, RUN_ENDED))
		log_info("telling of %d spooled end%s of the pilot that was "
			 "here before",
			 runs_count(t->runs, RUN_ENDED),
			 runs_count(t->runs, RUN_ENDED) == 1 ? "" : "s");
}

/* The server does not take us for the dead pilot's heir: come as a new one. */
static bool disowned(struct talk *t, const struct answer *ans, struct err *e)
{
	log_warn("the server does not accept the spool's last pilot: %s",
		 ans->err.text);
	if (runs_count(t->runs, RUN_ENDED) && !set_aside(t, e))
		return false;
	t->last = (struct spool_identity){ 0 };
	return true;
}

static void on_joined(const struct httpc_reply *r, void *arg)
{
	struct talk *t = arg;
	struct arena *a = arena_new();
	struct answer ans;
	struct err e = ERR_INIT;
	bool ok = true;

	if (talk_answer(t, &t->join, a, r, &ans) && ans.doc) {
		ok = joined(t, ans.doc, &e);
		if (ok)
			work_begin(t);
		keep(t, &a);
	} else if (ans.kind == ANSWER_REFUSED && t->last.pilot &&
		   ans.status != 401 && ans.status != 403) {
		ok = disowned(t, &ans, &e);
	} else {
		join_failed(t, &ans);
	}
	arena_free(a);
	if (!ok) {
		log_error("%s", e.text);
		talk_done(t, PILOT_EXIT_MACHINE);
	}
	talk_turn_soon(t);
}

static void join_ask(struct talk *t)
{
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	write_offer(&b, t);
	if (t->last.pilot) {
		buf_json_key(&b, "predecessor");
		buf_addc(&b, '{');
		buf_json_kv_str(&b, "pilot", t->last.pilot);
		buf_json_kv_str(&b, "token", t->last.token);
		buf_addc(&b, '}');
	}
	buf_addc(&b, '}');
	talk_send(t, &t->join, "POST", "/api/v1/pilots", t->opt.join_token, &b,
		  JOIN_TIMEOUT_MS, on_joined);
	buf_fini(&b);
}

void join_turn(struct talk *t)
{
	check_timeout(t);
	if (t->phase == TALK_DONE || t->join.call)
		return;
	if (!backoff_ready(&t->join.backoff, clock_mono_ms())) {
		talk_turn_at(t, t->join.backoff.until_ms);
		return;
	}
	if (t->phase == TALK_SITE)
		site_ask(t);
	else
		join_ask(t);
}

static void nothing(struct journal *j, void *arg)
{
	(void)j;
	(void)arg;
}

static void left(struct talk *t)
{
	struct err e = ERR_INIT;

	spool_identity_forget(&t->spool);
	if (!journal_rewrite(t->journal, nothing, NULL, &e))
		log_debug("the journal stays as it is: %s", e.text);
	log_info("pilot %lld has left", (long long)t->number);
	talk_done(t, PILOT_EXIT_OK);
}

static void on_left(const struct httpc_reply *r, void *arg)
{
	struct talk *t = arg;
	struct arena *a = arena_new();
	struct answer ans;

	if (talk_answer(t, &t->leave, a, r, &ans) || answer_unknown_pilot(&ans))
		left(t);
	arena_free(a);
}

void leave_turn(struct talk *t)
{
	int64_t now = clock_mono_ms();
	struct buf path = BUF_INIT;

	if (t->leave.call)
		return;
	if (now >= t->drained_ms) {
		log_warn("leaving without a good-bye: no server answers");
		talk_done(t, PILOT_EXIT_OK);
		return;
	}
	talk_turn_at(t, t->drained_ms);
	if (!backoff_ready(&t->leave.backoff, now)) {
		talk_turn_at(t, t->leave.backoff.until_ms);
		return;
	}
	buf_addf(&path, "/api/v1/pilots/%s", t->pilot_id);
	talk_send(t, &t->leave, "DELETE", buf_str(&path), t->token, NULL,
		  LEAVE_TIMEOUT_MS, on_left);
	buf_fini(&path);
}
