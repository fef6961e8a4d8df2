/* The injector at work: see inject_run.h. */
#include "clients/inject_run.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>
#include "clients/commands.h"
#include "clients/inject_int.h"
#include "clients/progress.h"
#include "lib/log.h"

#define TICK_MS 200
/* Calls that are under way when we are told to stop. */
#define LAST_CALLS_MS 5000

static void end(struct inject *in)
{
	in->ended = true;
	event_base_loopbreak(in->base);
}

void inject_stop(struct inject *in)
{
	struct timeval tv = { LAST_CALLS_MS / 1000, 0 };

	in->stopping = true;
	if (inject_send_under_way(in->send) == 0)
		end(in);
	else
		evtimer_add(in->stop_ev, &tv);
}

/* With --once there is nothing left to wait for. */
void inject_look_for_the_end(struct inject *in)
{
	struct inject_table *t = in->table;

	if (in->stopping) {
		if (inject_send_under_way(in->send) == 0)
			end(in);
	} else if (in->plan->once && in->scanned && in->loaded &&
		   !inject_count(t, INJECT_SETTLING) &&
		   !inject_count(t, INJECT_READY) &&
		   !inject_count(t, INJECT_SENDING)) {
		inject_stop(in);
	}
}

void inject_fail(struct inject *in, const struct err *e)
{
	if (in->status == CLI_OK) {
		progress_hide(in->progress);
		in->status = cli_fail(in->c, e);
	}
	inject_stop(in);
}

static void on_denied(const struct err *e, void *arg)
{
	inject_fail(arg, e);
}

static void on_cycle(evutil_socket_t fd, short what, void *arg)
{
	struct inject *in = arg;

	(void)fd;
	(void)what;
	in->cycles++;
	if (in->plan->cycles && in->cycles >= in->plan->cycles) {
		inject_stop(in);
		return;
	}
	if (in->plan->max_per_cycle)
		in->allowed = in->plan->max_per_cycle;
	inject_pump(in);
}

static void show(struct inject *in)
{
	const struct inject_table *t = in->table;
	struct buf b = BUF_INIT;

	if (in->progress == NULL)
		return;
	buf_addf(&b, "%zu settling, %zu to be told",
		 inject_count(t, INJECT_SETTLING),
		 inject_count(t, INJECT_READY) +
			 inject_count(t, INJECT_SENDING));
	if (in->known)
		buf_addf(&b, ", %" PRId64 " known before", in->known);
	if (in->refused)
		buf_addf(&b, ", %zu refused", inject_count(t, INJECT_REFUSED));
	progress_set(in->progress, in->made, buf_str(&b));
	buf_fini(&b);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct inject *in = arg;

	(void)fd;
	(void)what;
	show(in);
	if (inject_count(in->table, INJECT_REFUSED)) {
		inject_try_refused(in);
		inject_pump(in);
	}
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct inject *in = arg;

	(void)number;
	(void)what;
	if (in->stopping)
		end(in);
	else
		inject_stop(in);
}

static void add_timer(struct event *ev, int64_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_add(ev, &tv);
}

static void hush(void *arg)
{
	struct inject *in = arg;

	progress_hide(in->progress);
}

static void set_up(struct inject *in)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	const struct inject_send_config send = { .base = in->base,
						 .c = in->c,
						 .order = &in->plan->order,
						 .on_answer = inject_on_answer,
						 .on_known = inject_on_known,
						 .wants_more =
							 inject_wants_more,
						 .on_loaded = inject_on_loaded,
						 .on_room = inject_on_room,
						 .on_denied = on_denied,
						 .hush = hush,
						 .arg = in };

	in->table = inject_table_new();
	in->send = inject_send_new(&send);
	in->settle_ev = evtimer_new(in->base, inject_on_settle, in);
	in->stop_ev = evtimer_new(in->base, on_stop, in);
	in->cycle_ev = event_new(in->base, -1, EV_PERSIST, on_cycle, in);
	in->tick_ev = event_new(in->base, -1, EV_PERSIST, on_tick, in);
	add_timer(in->cycle_ev, in->plan->period_ms);
	add_timer(in->tick_ev, TICK_MS);
	for (size_t i = 0; i < CLI_N(numbers); i++) {
		in->signal_ev[i] =
			evsignal_new(in->base, numbers[i], on_signal, in);
		event_add(in->signal_ev[i], NULL);
	}
	if (isatty(STDERR_FILENO) && !in->c->settings->quiet)
		in->progress = progress_new("files injected:", 0, false);
	in->allowed = in->plan->max_per_cycle ? in->plan->max_per_cycle : -1;
}

static void tear_down(struct inject *in)
{
	inject_watch_free(in->watch);
	inject_send_free(in->send);
	inject_table_free(in->table);
	event_free(in->settle_ev);
	event_free(in->stop_ev);
	event_free(in->cycle_ev);
	event_free(in->tick_ev);
	for (size_t i = 0; i < CLI_N(in->signal_ev); i++)
		event_free(in->signal_ev[i]);
	progress_free(in->progress);
	event_base_free(in->base);
}

static void watch(struct inject *in)
{
	const struct inject_plan *p = in->plan;
	const struct inject_watch_config config = {
		.base = in->base,
		.dirs = p->dirs,
		.patterns = p->patterns,
		.recursive = p->recursive,
		.follow = p->follow,
		.no_inotify = p->no_inotify,
		.rescan_ms = p->period_ms,
		.on_file = inject_on_file,
		.on_gone = inject_on_gone,
		.on_dir_gone = inject_on_dir_gone,
		.on_scanned = inject_on_scanned,
		.hush = hush,
		.arg = in,
	};

	in->watch = inject_watch_new(&config);
	inject_watch_scan(in->watch);
}

static void say_start(const struct inject *in)
{
	if (in->c->settings->quiet || in->plan->once)
		return;
	for (size_t i = 0; in->plan->dirs[i] != NULL; i++)
		log_info("watching '%s'%s", in->plan->dirs[i],
			 in->plan->recursive ? " and all below" : "");
}

static void say_end(const struct inject *in)
{
	if (in->c->settings->quiet)
		return;
	log_info("%" PRId64 " file%s injected, %" PRId64
		 " known before, %zu refused",
		 in->made, in->made == 1 ? "" : "s", in->known,
		 inject_count(in->table, INJECT_REFUSED));
}

int inject_run(struct cli *c, const struct inject_plan *plan)
{
	struct inject in = { .c = c, .plan = plan, .scan = 1 };
	struct err e = ERR_INIT;

	log_init("sortie-inject");
	signal(SIGPIPE, SIG_IGN);
	/* Of leases that somebody breaks: see inject_busy. */
	signal(SIGIO, SIG_IGN);
	in.base = event_base_new();
	if (in.base == NULL) {
		err_set(&e, ERR_INTERNAL, "no event loop can be made");
		return cli_fail(c, &e);
	}
	set_up(&in);
	watch(&in);
	say_start(&in);
	/* With --once there may have been nothing to do. */
	if (!in.ended)
		event_base_dispatch(in.base);
	progress_hide(in.progress);
	say_end(&in);
	if (in.status == CLI_OK && plan->once &&
	    (in.unread || inject_count(in.table, INJECT_REFUSED)))
		in.status = CLI_FAILED;
	tear_down(&in);
	return in.status;
}
