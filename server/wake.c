/*
 * Who must hear of a commit: finds the profiles that a class's jobs fit, and
 * tells the other servers, at most every 2 ms and only when there are any.
 */
#include "server/wake.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "lib/log.h"
#include "server/lease.h"
#include "server/park_int.h"

#define CLASS_SLOTS 1024
#define KNOWN_MAX 20000
#define NOTIFY_US 2000
#define NAMED_MAX 200 /* classes a notice names; then all */
#define CHANNEL "sortie"

/* Profiles that fit a class, as of `fit_version`. */
struct known {
	struct known *next;
	int32_t class_id;
	bool known;
	int64_t pending; /* jobs to wake for that nobody asked about */
	int64_t asking;  /* the same, of the statement in flight */
	size_t n;
	int32_t *profile;
};

/* What the next notice tells. */
struct notice {
	int32_t *class_id;
	size_t n_classes;
	int64_t *pilot;
	size_t n_pilots;
	bool all_work, ended, events;
};

struct waker {
	struct server *srv;
	struct known *slot[CLASS_SLOTS];
	size_t n;
	int64_t fit_version;
	struct arena *asking;
	struct db_conn *conn;
	struct event *timer;
	struct arena *sending;
	struct notice notice;
};

static struct waker *waker_of(const struct server *srv)
{
	return srv->park->waker;
}

static struct known *known_get(struct waker *w, int32_t class_id)
{
	struct known **at = &w->slot[(uint32_t)class_id % CLASS_SLOTS];
	struct known *k;

	for (k = *at; k != NULL; k = k->next)
		if (k->class_id == class_id)
			return k;
	k = xcalloc(1, sizeof(*k));
	k->class_id = class_id;
	k->next = *at;
	*at = k;
	w->n++;
	return k;
}

/* What is being asked for is kept: its answer will be newer. */
static void known_drop(struct waker *w)
{
	for (size_t i = 0; i < CLASS_SLOTS; i++) {
		struct known **at = &w->slot[i], *k;

		while ((k = *at) != NULL) {
			if (k->pending + k->asking > 0) {
				at = &k->next;
				continue;
			}
			*at = k->next;
			free(k->profile);
			free(k);
			w->n--;
		}
	}
}

void waker_fit_version(struct waker *w, int64_t version)
{
	if (version <= w->fit_version)
		return;
	w->fit_version = version;
	known_drop(w);
}

static void known_wake(struct waker *w, const struct known *k, int64_t n)
{
	for (size_t i = 0; i < k->n; i++)
		n = parking_wake(w->srv->park->parking, k->profile[i], n);
}

/* "{1,2,3}" */
static void known_fill(struct known *k, const char *s)
{
	size_t n = 0;

	for (const char *p = s; *p != '\0'; p++)
		n += *p == ',' || *p == '{';
	free(k->profile);
	k->profile = xcalloc(n, sizeof(int32_t));
	k->n = 0;
	while (*s != '\0') {
		if (*s == '{' || *s == ',')
			s++;
		if (*s < '0' || *s > '9')
			break;
		k->profile[k->n++] = (int32_t)strtol(s, (char **)&s, 10);
	}
}

static void waker_ask(struct waker *w);

static void on_profiles(enum db_outcome o, const struct db_result *r,
			const struct db_fault *f, void *arg)
{
	struct waker *w = arg;

	(void)f;
	arena_free(w->asking);
	w->asking = NULL;
	for (size_t row = 0; o == DB_OK && row < db_rows(r); row++) {
		struct known *k = known_get(w, (int32_t)db_i64(r, row, 0));

		known_fill(k, db_text(r, row, 1));
		k->known = true;
		known_wake(w, k, k->asking);
	}
	/* After a failure the slow re-check finds the work. */
	for (size_t i = 0; i < CLASS_SLOTS; i++)
		for (struct known *k = w->slot[i]; k != NULL; k = k->next)
			k->asking = 0;
	waker_ask(w);
}

/* Asks for all classes that have jobs pending, in one statement. */
static void waker_ask(struct waker *w)
{
	struct db_params *p;
	struct db_array *v;

	if (w->asking != NULL)
		return;
	w->asking = arena_new();
	p = db_params_new(w->asking);
	v = db_array_new(w->asking, DB_I32);
	for (size_t i = 0; i < CLASS_SLOTS; i++)
		for (struct known *k = w->slot[i]; k != NULL; k = k->next)
			if (k->pending > 0) {
				db_a_i64(v, k->class_id);
				k->asking = k->pending;
				k->pending = 0;
			}
	if (db_a_len(v) == 0) {
		arena_free(w->asking);
		w->asking = NULL;
		return;
	}
	db_p_array(p, v);
	db_run(w->srv->db, "class_profiles", p, on_profiles, w);
}

static void wake_here(struct waker *w, int32_t class_id, int64_t n)
{
	struct known *k;

	if (w->n >= KNOWN_MAX)
		known_drop(w);
	k = known_get(w, class_id);
	if (k->known) {
		known_wake(w, k, n);
		return;
	}
	k->pending += n;
	waker_ask(w);
}

static void notify_soon(struct waker *w)
{
	static const struct timeval soon = { 0, NOTIFY_US };

	if (w->conn != NULL && !evtimer_pending(w->timer, NULL))
		evtimer_add(w->timer, &soon);
}

static bool others(const struct waker *w)
{
	return w->srv->lease != NULL && lease_others(w->srv->lease);
}

void wake_class(struct server *srv, int32_t class_id, int64_t n)
{
	struct waker *w = waker_of(srv);

	wake_here(w, class_id, n);
	if (!others(w))
		return;
	if (w->notice.n_classes == NAMED_MAX)
		w->notice.all_work = true;
	else
		w->notice.class_id[w->notice.n_classes++] = class_id;
	notify_soon(w);
}

void wake_work(struct server *srv)
{
	struct waker *w = waker_of(srv);

	parking_wake_all(srv->park->parking);
	if (!others(w))
		return;
	w->notice.all_work = true;
	notify_soon(w);
}

void wake_pilot(struct server *srv, int64_t pilot)
{
	struct waker *w = waker_of(srv);

	parking_wake_pilot(srv->park->parking, pilot);
	if (!others(w))
		return;
	if (w->notice.n_pilots == NAMED_MAX)
		w->notice.all_work = true;
	else
		w->notice.pilot[w->notice.n_pilots++] = pilot;
	notify_soon(w);
}

void wake_job(struct server *srv, int64_t number)
{
	park_job_changed(srv->park, number, false);
}

void wake_ended(struct server *srv, int64_t number)
{
	struct waker *w = waker_of(srv);

	park_job_changed(srv->park, number, true);
	if (!others(w))
		return;
	w->notice.ended = true;
	notify_soon(w);
}

void wake_workflow(struct server *srv, int64_t number)
{
	struct waker *w = waker_of(srv);

	park_workflow_changed(srv->park, number);
	if (!others(w))
		return;
	w->notice.ended = true;
	notify_soon(w);
}

void wake_graphs(struct server *srv)
{
	struct waker *w = waker_of(srv);

	park_all_changed(srv->park);
	if (!others(w))
		return;
	w->notice.ended = true;
	notify_soon(w);
}

/* "{1,2,3}"; a NULL is no text. */
void wake_listed(struct server *srv, const struct db_result *r, size_t row,
		 int classes, int pilots)
{
	const char *s = db_text(r, row, classes);

	if (s[0] == '{' && s[1] != '}')
		wake_work(srv);
	s = db_text(r, row, pilots);
	while (*s == '{' || *s == ',')
		wake_pilot(srv, strtoll(s + 1, (char **)&s, 10));
}

void wake_events(struct server *srv)
{
	struct waker *w = waker_of(srv);

	park_events_changed(srv->park);
	if (!others(w))
		return;
	w->notice.events = true;
	notify_soon(w);
}

static void on_notified(enum db_outcome o, const struct db_result *r,
			const struct db_fault *f, void *arg)
{
	struct waker *w = arg;

	(void)o;
	(void)r;
	(void)f;
	arena_free(w->sending);
	w->sending = NULL;
}

/* "SERVER w e v c1 c2 p7": work for all, ends, events, classes, pilots. */
static void notice_text(const struct waker *w, struct buf *b)
{
	const struct notice *n = &w->notice;

	buf_add_i64(b, w->srv->server_id);
	if (n->all_work)
		buf_adds(b, " w");
	if (n->ended)
		buf_adds(b, " e");
	if (n->events)
		buf_adds(b, " v");
	for (size_t i = 0; !n->all_work && i < n->n_classes; i++)
		buf_addf(b, " c%" PRId32, n->class_id[i]);
	for (size_t i = 0; i < n->n_pilots; i++)
		buf_addf(b, " p%" PRId64, n->pilot[i]);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct waker *w = arg;
	struct buf b = BUF_INIT;
	struct db_params *p;

	(void)fd;
	(void)what;
	if (w->sending != NULL || !db_conn_ready(w->conn)) {
		notify_soon(w);
		return;
	}
	notice_text(w, &b);
	w->notice.n_classes = w->notice.n_pilots = 0;
	w->notice.all_work = w->notice.ended = w->notice.events = false;
	w->sending = arena_new();
	p = db_params_new(w->sending);
	db_p_text(p, CHANNEL);
	db_p_text(p, buf_str(&b));
	db_conn_run(w->conn, "notify", p, on_notified, w);
	buf_fini(&b);
}

static void hear_word(struct waker *w, const char *word)
{
	struct park *park = w->srv->park;

	switch (word[0]) {
	case 'w':
		parking_wake_all(park->parking);
		break;
	case 'e':
		park_all_changed(park);
		break;
	case 'v':
		park_events_changed(park);
		break;
	case 'c':
		wake_here(w, (int32_t)strtol(word + 1, NULL, 10), 1);
		break;
	case 'p':
		parking_wake_pilot(park->parking, strtoll(word + 1, NULL, 10));
		break;
	default:
		break; /* a newer server's word */
	}
}

static void on_notice(const char *payload, void *arg)
{
	struct waker *w = arg;
	char *text, *word, *save = NULL;

	if (payload == NULL) {
		/* The connection is new: what was said meanwhile is lost. */
		parking_wake_all(w->srv->park->parking);
		park_all_changed(w->srv->park);
		return;
	}
	if (strtoll(payload, NULL, 10) == w->srv->server_id)
		return;
	text = xstrdup(payload);
	(void)strtok_r(text, " ", &save);
	while ((word = strtok_r(NULL, " ", &save)) != NULL)
		hear_word(w, word);
	free(text);
}

struct waker *waker_new(struct server *srv)
{
	struct waker *w = xcalloc(1, sizeof(*w));

	w->srv = srv;
	w->notice.class_id = xcalloc(NAMED_MAX, sizeof(int32_t));
	w->notice.pilot = xcalloc(NAMED_MAX, sizeof(int64_t));
	w->timer = evtimer_new(srv->base, on_timer, w);
	w->conn = db_conn_new(srv->db, "listen", 10000);
	db_conn_listen(w->conn, CHANNEL, on_notice, w);
	return w;
}

void waker_free(struct waker *w)
{
	event_free(w->timer);
	known_drop(w);
	for (size_t i = 0; i < CLASS_SLOTS; i++)
		while (w->slot[i] != NULL) {
			struct known *k = w->slot[i];

			w->slot[i] = k->next;
			free(k->profile);
			free(k);
		}
	arena_free(w->asking);
	arena_free(w->sending);
	free(w->notice.class_id);
	free(w->notice.pilot);
	free(w);
}
