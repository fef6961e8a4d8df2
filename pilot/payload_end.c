/*
 * How a payload ends: its first process is reaped, whatever else belongs to
 * it is killed, its output is read to the end, and the cause is put in words.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/units.h"
#include "pilot/keeper.h"
#include "pilot/payload_impl.h"
#include "pilot/proctree.h"

/* SIGKILL works at once but on a process in uninterruptible sleep; a hung
 * file server must not keep the run's end from being told. */
#define SWEEP_MAX_MS 5000
#define SWEEP_WAIT_MAX_MS 50

void payload_signal(struct payload *p, int sig)
{
	bool in_zombie_group = p->state < PAYLOAD_SWEEPING;

	if (sig == SIGKILL && p->cgroup)
		cgroup_kill(p->cgroup);
	/* The sandbox's own processes would die of what is for the payload,
	 * and take it along before its grace is over. */
	if (p->host->s.sandbox && sig != SIGKILL) {
		(void)proctree_signal(p->grant.run, p->pid, true, sig);
		return;
	}
	/* While the first process is not reaped its number is taken, so the
	 * group cannot be somebody else's. */
	if (in_zombie_group)
		(void)kill(-p->pid, sig);
	(void)proctree_signal(p->grant.run, p->pid, in_zombie_group, sig);
	if (sig == SIGTERM && in_zombie_group)
		(void)kill(-p->pid, SIGCONT);
}

static int64_t timeval_ms(struct timeval tv)
{
	return (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

static void note_status(struct payload_end *end, int status,
			const struct rusage *ru)
{
	end->exited = WIFEXITED(status);
	if (end->exited)
		end->exit_code = WEXITSTATUS(status);
	else
		end->signal = WTERMSIG(status);
	end->user_ms = timeval_ms(ru->ru_utime);
	end->system_ms = timeval_ms(ru->ru_stime);
	end->max_rss = (int64_t)ru->ru_maxrss * 1024;
}

void payload_exited(struct payload *p)
{
	struct rusage ru;
	int status = 0;

	/* Background children die with the first process; see above why the
	 * group is signalled before the zombie is reaped. */
	(void)kill(-p->pid, SIGKILL);
	memset(&ru, 0, sizeof(ru));
	while (wait4(p->pid, &status, 0, &ru) < 0)
		if (errno != EINTR)
			BUG("run %s: no child %d: %s", p->grant.run,
			    (int)p->pid, strerror(errno));
	note_status(&p->end, status, &ru);
	p->reaped_ms = clock_mono_ms();
	p->end.wall_ms = p->reaped_ms - p->started_ms;
	p->state = PAYLOAD_SWEEPING;
	p->sweep_wait_ms = 1;
	payload_sweep(p);
}

/* True while something of the payload lives. The first looks are cheap: one
 * or two system calls; /proc is walked only when they find something. */
static bool something_left(struct payload *p)
{
	bool left = false;

	p->alone = p->cgroup != NULL;
	if (p->cgroup && !cgroup_empty(p->cgroup)) {
		cgroup_kill(p->cgroup);
		left = true;
	}
	if (keeper_pid() &&
	    proctree_signal_orphans(p->host->orphans_fd, p->host->pid,
				    p->grant.run, SIGKILL, &p->alone) > 0)
		left = true;
	if (!left && kill(-p->pid, 0) != 0 && errno == ESRCH &&
	    p->end.why == PAYLOAD_BY_ITSELF)
		return false;
	return proctree_signal(p->grant.run, p->pid, false, SIGKILL) > 0;
}

static bool failed(const struct payload_end *end)
{
	return !end->exited || end->exit_code != 0;
}

/* The reason that the exit status alone does not tell. */
static const char *find_reason(struct payload *p)
{
	const struct payload_host *h = p->host;
	struct buf b = BUF_INIT;
	const char *reason = "";

	if (p->cgroup && failed(&p->end) && cgroup_oom_kills(p->cgroup) > 0) {
		units_format_bytes(&b, p->grant.memory);
		reason = arena_printf(p->a, "out of memory (limit %s)",
				      buf_str(&b));
	} else if (p->end.why == PAYLOAD_NO_SPACE ||
		   (p->end.why == PAYLOAD_BY_ITSELF && failed(&p->end) &&
		    payload_host_free_bytes(h) < payload_host_floor(h))) {
		reason = arena_printf(p->a, "disk full ('%s' on %s)",
				      h->s.spool, h->name);
	}
	buf_fini(&b);
	return reason;
}

static void tell_end(struct payload *p)
{
	cgroup_free(p->cgroup);
	p->cgroup = NULL;
	payload_host_ended(p);
	p->state = PAYLOAD_ENDED;
	if (!p->told_started) {
		p->told_started = true;
		if (p->on_started)
			p->on_started(p, p->arg);
	}
	p->on_ended(p, p->arg);
}

static void on_hashed(const struct err *e, void *arg)
{
	struct payload *p = arg;

	p->hashing = NULL;
	if (p->timer)
		evtimer_del(p->timer);
	if (e)
		p->end.reason = arena_strdup(p->a, e->text);
	tell_end(p);
}

/* Whether the end would be a good one, so that there must be outputs. */
static bool did_well(const struct payload_end *end)
{
	return !failed(end) && !end->reason[0] &&
	       end->why != PAYLOAD_TIMELIMIT && end->why != PAYLOAD_CANCEL &&
	       end->why != PAYLOAD_STALE;
}

/* Looks at what it was to write. True: the end has to wait for checksums. */
static bool look_at_outputs(struct payload *p)
{
	struct err e = ERR_INIT;
	bool found;

	if (!p->files.n_out || !did_well(&p->end))
		return false;
	runas_enter(p->user);
	found = runfiles_find_outputs(&p->files, p->cwd, &e);
	/* The thread stays the user that it was begun as. */
	if (found && runfiles_to_hash(&p->files))
		p->hashing = hashing_start(p->host->s.base, &p->files, p->cwd,
					   on_hashed, p, &e);
	runas_leave(p->user);
	if (p->hashing)
		return true;
	if (e.code == ERR_NONE)
		return false;
	p->end.reason = arena_strdup(p->a, e.text);
	return false;
}

void payload_read_on(struct payload *p)
{
	bool more = false;

	for (int i = 0; i < 2; i++)
		if (capture_step(&p->out[i], &p->meta))
			more = true;
	if (more) {
		payload_host_turn(p);
		return;
	}
	for (int i = 0; i < 2; i++)
		capture_end(&p->out[i], &p->meta);
	p->end.reason = find_reason(p);
	if (!look_at_outputs(p)) {
		tell_end(p);
		return;
	}
	p->state = PAYLOAD_HASHING;
	/* The time limit was the payload's. */
	if (p->timer)
		evtimer_del(p->timer);
}

void payload_sweep(struct payload *p)
{
	if (something_left(p)) {
		if (clock_mono_ms() - p->reaped_ms < SWEEP_MAX_MS) {
			payload_timer(p, p->sweep_wait_ms);
			if (p->sweep_wait_ms < SWEEP_WAIT_MAX_MS)
				p->sweep_wait_ms *= 2;
			return;
		}
		log_warn("run %s: processes of the payload do not die",
			 p->grant.run);
	}
	p->state = PAYLOAD_READING;
	for (int i = 0; i < 2; i++)
		(void)capture_look(&p->out[i]);
	payload_read_on(p);
}
