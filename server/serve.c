/*
 * Puts a server together, in the order in which its parts need each other,
 * and takes it apart in the opposite one.
 */
#include "server/serve.h"
#include "server/serve_int.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <event2/event.h>
#include "lib/log.h"
#include "server/auth.h"
#include "server/blob.h"
#include "server/callback.h"
#include "server/db.h"
#include "server/dev.h"
#include "server/duty.h"
#include "server/embedded.h"
#include "server/figures.h"
#include "server/httpd.h"
#include "server/lanes.h"
#include "server/lease.h"
#include "server/listen.h"
#include "server/metrics.h"
#include "server/park.h"
#include "server/prepare.h"
#include "server/reload.h"
#include "server/sdnotify.h"
#include "server/seal.h"
#include "server/server.h"
#include "server/tls.h"
#include "server/workers.h"

#define SIGNALS 3

static const struct metric_def memory = {
	"sortie_memory_bytes", NULL, METRIC_GAUGE,
	"Memory that is allocated and not freed."
};

/* What belongs to the process rather than to its requests. */
struct process {
	struct server srv;
	struct arena *arena;
	struct settings *set;
	int argc;
	char **argv;
	struct tls *tls;
	const struct serve_worker *worker; /* NULL: not one of several */
	struct sockets sockets;
	struct event *signals[SIGNALS];
	struct dev *dev;
	bool stopping;
	bool hurry; /* told twice */
};

/* Set by a signal that comes before there is a loop. */
volatile sig_atomic_t serve_stop_asked;

static void on_early_signal(int sig)
{
	serve_stop_asked = sig;
}

void serve_catch_early(void)
{
	struct sigaction sa = { .sa_handler = on_early_signal };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* Stopping and reloading */

static void on_drained(void *arg)
{
	struct process *p = arg;

	event_base_loopbreak(p->srv.base);
}

static void drain(void *arg)
{
	struct process *p = arg;

	p->srv.draining = true;
	park_drain(p->srv.park);
	httpd_drain(p->srv.httpd, (int)p->set->drain_s * 1000, on_drained, p);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct process *p = arg;

	(void)what;
	if (p->stopping) {
		log_warn("told a second time: stopping at once");
		p->hurry = true;
		event_base_loopbreak(p->srv.base);
		return;
	}
	log_info("signal %d: finishing what is under way", (int)sig);
	p->stopping = true;
	if (p->worker == NULL)
		sdnotify_stopping();
	/* A pilot of ours needs the server to leave. */
	if (p->dev != NULL)
		dev_end(p->dev, drain, p);
	else
		drain(p);
}

static void on_hangup(evutil_socket_t sig, short what, void *arg)
{
	struct process *p = arg;

	(void)sig;
	(void)what;
	if (p->worker == NULL)
		sdnotify_reloading();
	reload(p->arena, p->set, p->tls, p->argc, p->argv);
	if (p->worker == NULL)
		sdnotify_ready();
}

static bool watch_signals(struct process *p)
{
	static const int numbers[SIGNALS] = { SIGTERM, SIGINT, SIGHUP };

	for (int i = 0; i < SIGNALS; i++) {
		p->signals[i] = evsignal_new(
			p->srv.base, numbers[i],
			numbers[i] == SIGHUP ? on_hangup : on_stop, p);
		if (p->signals[i] == NULL ||
		    event_add(p->signals[i], NULL) != 0)
			return false;
	}
	return true;
}

/* Assembly */

static bool open_database(struct process *p, struct err *e)
{
	struct server *srv = &p->srv;
	struct db_settings settings = { 0 };
	struct db_sync *sync;
	bool ok;

	if (p->worker != NULL)
		srv->conninfo = p->worker->conninfo;
	else if (!prepare_embedded(srv, &serve_stop_asked, e))
		return false;
	sync = prepare_database(srv, &serve_stop_asked, e);
	if (sync == NULL)
		return false;
	ok = lease_open(srv, sync, e);
	db_sync_close(sync);
	if (!ok)
		return false;
	settings.conninfo = srv->conninfo;
	settings.cluster = srv->cluster;
	settings.pool = (int)p->set->db_connections;
	srv->db = db_new(srv->base, &settings);
	return true;
}

static int64_t memory_used(void *arg)
{
	struct mallinfo2 m = mallinfo2();

	(void)arg;
	return (int64_t)(m.uordblks + m.hblkhd);
}

static bool assemble(struct process *p, struct err *e)
{
	struct server *srv = &p->srv;

	srv->arena = p->arena;
	srv->set = p->set;
	srv->base = event_base_new();
	if (srv->base == NULL)
		return err_set(e, ERR_IO, "libevent gives no loop");
	if (p->set->tls_cert != NULL) {
		p->tls = tls_new(p->set->tls_cert, p->set->tls_key,
				 p->set->tls_client_ca, e);
		if (p->tls == NULL)
			return false;
	}
	if (p->worker != NULL)
		p->sockets = p->worker->sockets;
	else if (!prepare_state_dir(p->set, e) ||
		 !sockets_open(&p->sockets, p->arena, p->set, e))
		return false;
	if (!open_database(p, e))
		return false;
	srv->blobs = blobs_open(p->set->blob_dir, e);
	if (srv->blobs == NULL)
		return false;
	srv->seal = seal_open(p->set->secrets_key_file, e);
	if (srv->seal == NULL)
		return false;
	srv->metrics = metrics_new();
	metrics_gauge_fn(srv->metrics, &memory, memory_used, NULL);
	if (p->worker != NULL)
		metrics_label(srv->metrics, "worker", p->worker->number);
	db_measure(srv->db, srv->metrics, srv->arena);
	srv->auth = auth_new(srv);
	srv->park = park_new(srv);
	srv->lanes = lanes_new(srv);
	srv->lease = lease_new(srv);
	srv->duties = duties_new(srv);
	srv->figures = figures_new(srv);
	srv->callbacks = callbacks_new(srv);
	srv->httpd = httpd_new(srv);
	if (srv->embedded != NULL)
		embedded_supervise(srv->embedded, srv->base);
	if (!watch_signals(p))
		return err_set(e, ERR_IO, "cannot catch signals");
	return serve_stop_asked == 0 &&
	       sockets_serve(&p->sockets, srv->httpd, p->tls, e);
}

static void dismantle(struct process *p)
{
	struct server *srv = &p->srv;

	dev_free(p->dev);
	httpd_free(srv->httpd);
	callbacks_free(srv->callbacks);
	figures_free(srv->figures);
	duties_free(srv->duties);
	lease_free(srv->lease);
	lanes_free(srv->lanes);
	park_free(srv->park);
	db_free(srv->db);
	auth_free(srv->auth);
	blobs_free(srv->blobs);
	seal_free(srv->seal);
	embedded_stop(srv->embedded, p->hurry);
	sockets_close(&p->sockets);
	tls_free(p->tls);
	metrics_free(srv->metrics);
	for (int i = 0; i < SIGNALS; i++) {
		if (p->signals[i] != NULL)
			event_free(p->signals[i]);
	}
	if (srv->base != NULL)
		event_base_free(srv->base);
}

/* It serves: says so to whoever waits for it. */
static void announce(struct process *p)
{
	if (p->worker != NULL) {
		p->worker->ready(p->worker->arg);
		return;
	}
	sdnotify_ready();
	sdnotify_watchdog(p->srv.base);
	if (p->set->dev && p->sockets.n > 0)
		p->dev = dev_start(&p->srv, p->sockets.list[0].text);
}

int serve_one(struct arena *a, struct settings *set, int argc, char **argv,
	      const struct serve_worker *worker)
{
	struct process p = { .arena = a,
			     .set = set,
			     .argc = argc,
			     .argv = argv,
			     .worker = worker };
	struct err e = ERR_INIT;
	bool ok = assemble(&p, &e);

	if (ok) {
		announce(&p);
		log_info("ready");
		event_base_dispatch(p.srv.base);
	} else if (serve_stop_asked == 0) {
		log_error("%s", e.text);
	}
	dismantle(&p);
	log_info("stopped");
	return ok || serve_stop_asked != 0 ? 0 : 1;
}

int serve(struct arena *a, struct settings *set, int argc, char **argv)
{
	serve_catch_early();
	/* Tokens pass through this memory: it is in no core dump, and not for
	 * others of our user to read. What we start gets its own again. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		log_warn("the server's memory stays readable for its user");
	log_info("sortied %s: %s \"%s\"", PACKAGE_VERSION,
		 set->embedded != NULL ? "embedded database in"
				       : "the database that is configured; "
					 "state in",
		 set->embedded != NULL ? set->embedded : set->state_dir);
	if (set->workers > 1)
		return workers_run(a, set, argc, argv);
	return serve_one(a, set, argc, argv, NULL);
}
