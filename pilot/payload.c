/*
 * A payload's life as its owner sees it: start, time limit, kill, output, end.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "pilot/payload_impl.h"

/* How often what does not die is killed again. */
#define KILL_AGAIN_MS 1000

static void kill_hard(struct payload *p)
{
	p->state = PAYLOAD_KILLING;
	payload_signal(p, SIGKILL);
	payload_timer(p, KILL_AGAIN_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct payload *p = arg;

	(void)fd;
	(void)what;
	switch (p->state) {
	case PAYLOAD_RUNNING:
		payload_kill(p, PAYLOAD_TIMELIMIT, -1);
		break;
	case PAYLOAD_TERMING:
	case PAYLOAD_KILLING:
		kill_hard(p);
		break;
	case PAYLOAD_SWEEPING:
		payload_sweep(p);
		break;
	case PAYLOAD_HASHING:
		hashing_stop(p->hashing);
		break;
	case PAYLOAD_FAILED:
	case PAYLOAD_READING:
	case PAYLOAD_ENDED:
		break;
	}
}

void payload_timer(struct payload *p, int64_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (!p->timer)
		p->timer = evtimer_new(p->host->s.base, on_timer, p);
	// Or the time since the loop's last turn began is lost: in one turn
	// many payloads may have started.
	event_base_update_cache_time(p->host->s.base);
	if (!p->timer || evtimer_add(p->timer, &tv) != 0)
		BUG("run %s: no timer", p->grant.run);
}

void payload_turn(struct payload *p)
{
	if (p->state == PAYLOAD_FAILED) {
		payload_host_ended(p);
		p->state = PAYLOAD_ENDED;
		p->on_ended(p, p->arg);
		return;
	}
	if (!p->told_started) {
		p->told_started = true;
		if (p->on_started)
			p->on_started(p, p->arg);
	}
	if (p->state == PAYLOAD_READING)
		payload_read_on(p);
}

struct payload *payload_start(struct payload_host *h, struct arena *a,
			      const struct payload_grant *g,
			      const char *const *files, payload_fn *on_started,
			      payload_fn *on_output, payload_fn *on_ended,
			      void *arg)
{
	struct payload *p = ARENA_NEW(a, struct payload);
	struct err e = ERR_INIT;

	p->host = h;
	p->a = a;
	p->grant = *g;
	p->on_started = on_started;
	p->on_output = on_output;
	p->on_ended = on_ended;
	p->arg = arg;
	p->end.reason = "";
	p->out[0].fd = p->out[1].fd = -1;
	payload_host_add(p);
	if (payload_launch(p, files, &e)) {
		p->state = PAYLOAD_RUNNING;
		p->end.started = true;
		if (g->timeout_ms > 0)
			payload_timer(p, g->timeout_ms);
	} else {
		p->state = PAYLOAD_FAILED;
		if (!p->end.reason[0])
			p->end.reason =
				arena_printf(a, "nonstarter: %s", e.text);
		cgroup_free(p->cgroup);
		p->cgroup = NULL;
	}
	payload_host_turn(p);
	return p;
}

const struct payload_grant *payload_grant(const struct payload *p)
{
	return &p->grant;
}

int payload_pid(const struct payload *p)
{
	return p->pid;
}

bool payload_running(const struct payload *p)
{
	return p->state == PAYLOAD_RUNNING || p->state == PAYLOAD_TERMING ||
	       p->state == PAYLOAD_KILLING;
}

/* Dead, but not reaped yet: then nobody but itself has ended it. */
static bool has_exited(const struct payload *p)
{
	siginfo_t info;

	info.si_pid = 0;
	return waitid(P_PID, (id_t)p->pid, &info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid;
}

/* It has done its work: what is left is to end soon, and a result stays one
 * unless nobody wants it. */
static void stop_hashing(struct payload *p, enum payload_why why,
			 int64_t grace_ms)
{
	if (p->end.why == PAYLOAD_BY_ITSELF &&
	    (why == PAYLOAD_CANCEL || why == PAYLOAD_STALE))
		p->end.why = why;
	if (why == PAYLOAD_CANCEL || why == PAYLOAD_STALE || grace_ms == 0)
		hashing_stop(p->hashing);
	else if (!p->timer || !evtimer_pending(p->timer, NULL))
		payload_timer(p, grace_ms < 0 ? p->host->s.grace_ms : grace_ms);
}

void payload_kill(struct payload *p, enum payload_why why, int64_t grace_ms)
{
	int64_t now = clock_mono_ms();

	if (p->state == PAYLOAD_HASHING)
		stop_hashing(p, why, grace_ms);
	if (!payload_running(p) || has_exited(p))
		return;
	if (p->end.why == PAYLOAD_BY_ITSELF)
		p->end.why = why;
	if (grace_ms < 0)
		grace_ms = p->host->s.grace_ms;
	if (grace_ms == 0 || p->state == PAYLOAD_KILLING) {
		kill_hard(p);
		return;
	}
	if (p->state == PAYLOAD_TERMING && p->due_ms <= now + grace_ms)
		return;
	if (p->state == PAYLOAD_RUNNING)
		payload_signal(p, SIGTERM);
	p->state = PAYLOAD_TERMING;
	p->due_ms = now + grace_ms;
	payload_timer(p, grace_ms);
}

const struct payload_end *payload_end(const struct payload *p)
{
	return &p->end;
}

int64_t payload_output_size(struct payload *p, enum payload_stream s)
{
	if (p->state != PAYLOAD_ENDED)
		(void)capture_look(&p->out[s]);
	return p->out[s].size;
}

int64_t payload_output_read(struct payload *p, enum payload_stream s,
			    int64_t *offset, void *out, int64_t len)
{
	return capture_read(&p->out[s], offset, out, len);
}

const struct runfiles *payload_files(const struct payload *p)
{
	return &p->files;
}

char *const *payload_meta(const struct payload *p, size_t *n)
{
	*n = p->meta.n;
	return p->meta.line;
}

/* A failed run's directory stays for a while for people to look into. */
static bool is_kept(const struct payload *p)
{
	const struct payload_end *end = &p->end;

	if (p->host->s.no_clean)
		return true;
	if (p->host->s.keep_failed_s <= 0 || !end->started)
		return false;
	if (end->why != PAYLOAD_BY_ITSELF && end->why != PAYLOAD_TIMELIMIT)
		return false;
	if (end->exited && end->exit_code == 0 && !end->reason[0])
		return false;
	return payload_host_free_bytes(p->host) >= payload_host_floor(p->host);
}

/* Only where nothing of the run can still have its files open does another
 * one get them. */
static enum workdir_fate fate(const struct payload *p)
{
	if (is_kept(p))
		return WORKDIR_KEEP;
	return p->alone ? WORKDIR_REUSE : WORKDIR_DROP;
}

void payload_free(struct payload *p)
{
	struct payload_host *h = p->host;

	if (p->state != PAYLOAD_ENDED)
		BUG("run %s is freed before its end", p->grant.run);
	if (p->timer)
		event_free(p->timer);
	for (int i = 0; i < 2; i++)
		capture_fini(&p->out[i]);
	if (p->dir)
		workdir_give(p->dir, fate(p), p->grant.run);
	if (workdir_unclean(h->dirs))
		payload_host_want_turn(h);
	meta_list_fini(&p->meta);
	h->n_payloads--;
	arena_free(p->a);
}
