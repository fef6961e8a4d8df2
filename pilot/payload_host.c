/*
 * What all payloads of a pilot share: one descriptor that tells of dead
 * children, one tick that looks at every output file and at the disk, one
 * queue of payloads whose turn has come, and the spool's upkeep.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/log.h"
#include "pilot/keeper.h"
#include "pilot/payload_impl.h"
#include "pilot/proctree.h"
#include "pilot/rmtree.h"

#define TICK_MS 500
#define FLOOR_DEFAULT ((int64_t)16 << 20)
/* A payload that uses less than this is not what fills the disk. */
#define WRITER_MIN ((int64_t)256 << 10)
#define USAGE_ENTRIES 10000
#define KILL_ROUNDS 50

extern char **environ;

static const struct timeval tick = { 0, TICK_MS * 1000 };
static const struct timeval at_once = { 0, 0 };

/* --- turns ------------------------------------------------------------- */

void payload_host_want_turn(struct payload_host *h)
{
	if (h->turning)
		return;
	h->turning = true;
	event_add(h->turn_event, &at_once);
}

void payload_host_turn(struct payload *p)
{
	struct payload_host *h = p->host;

	if (!p->has_turn) {
		p->has_turn = true;
		TAILQ_INSERT_TAIL(&h->turns, p, turn);
	}
	payload_host_want_turn(h);
}

static void end_turn(struct payload *p)
{
	if (p->has_turn)
		TAILQ_REMOVE(&p->host->turns, p, turn);
	p->has_turn = false;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct payload_host *h = arg;
	/* Whoever is queued while we work waits for the next loop turn. */
	struct payload *last = TAILQ_LAST(&h->turns, payload_list), *p;

	(void)fd;
	(void)what;
	h->turning = false;
	while (last && (p = TAILQ_FIRST(&h->turns))) {
		bool was_last = p == last;

		end_turn(p);
		payload_turn(p);
		if (was_last)
			break;
	}
	if (workdir_clean(h->dirs) || !TAILQ_EMPTY(&h->turns))
		payload_host_want_turn(h);
}

/* --- children ---------------------------------------------------------- */

static struct payload *find_pid(struct payload_host *h, pid_t pid)
{
	struct payload *p;

	for (p = TAILQ_FIRST(&h->live); p; p = TAILQ_NEXT(p, link))
		if (p->pid == pid && payload_running(p))
			return p;
	return NULL;
}

static bool is_dead(idtype_t type, id_t id, pid_t *pid)
{
	siginfo_t info;

	info.si_pid = 0;
	if (waitid(type, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
		return false;
	*pid = info.si_pid;
	return info.si_pid != 0;
}

/* A dead child that is nobody's payload stands in the way of asking for any:
 * then each payload is asked for. Restarts after each, as ends call out. */
static bool reap_one_by_one(struct payload_host *h)
{
	struct payload *p;
	pid_t pid;

	for (p = TAILQ_FIRST(&h->live); p; p = TAILQ_NEXT(p, link)) {
		if (payload_running(p) && is_dead(P_PID, (id_t)p->pid, &pid)) {
			payload_exited(p);
			return true;
		}
	}
	return false;
}

static void reap_all(struct payload_host *h)
{
	struct payload *p;
	pid_t pid;

	while (is_dead(P_ALL, 0, &pid)) {
		p = find_pid(h, pid);
		if (p)
			payload_exited(p);
		else if (!reap_one_by_one(h))
			return;
	}
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo info[8];

	(void)what;
	while (read(fd, info, sizeof(info)) == (ssize_t)sizeof(info))
		;
	reap_all(arg);
}

/* --- the tick: output and disk ------------------------------------------ */

int64_t payload_host_free_bytes(const struct payload_host *h)
{
	struct statvfs v;

	if (fstatvfs(h->spool_fd, &v) != 0)
		return INT64_MAX;
	return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

int64_t payload_host_floor(const struct payload_host *h)
{
	return h->s.spool_floor > 0 ? h->s.spool_floor : FLOOR_DEFAULT;
}

static int64_t disk_use(const struct payload *p)
{
	int64_t sum = capture_usage(&p->out[0]) + capture_usage(&p->out[1]);

	return sum +
	       rmtree_usage(p->host->spool_fd, p->dir->name, USAGE_ENTRIES);
}

static struct payload *largest_writer(struct payload_host *h)
{
	struct payload *p, *largest = NULL;
	int64_t most = WRITER_MIN;

	for (p = TAILQ_FIRST(&h->live); p; p = TAILQ_NEXT(p, link)) {
		int64_t use = payload_running(p) ? disk_use(p) : 0;

		if (use >= most) {
			most = use;
			largest = p;
		}
	}
	return largest;
}

/* One writer a tick: what its end gives back is seen by the next. */
static void watch_disk(struct payload_host *h)
{
	int64_t left = payload_host_free_bytes(h);
	struct payload *p;

	if (left >= payload_host_floor(h)) {
		h->disk_low = false;
		return;
	}
	if (!h->disk_low) {
		h->disk_low = true;
		log_warn("disk of '%s' is full: %" PRId64
			 " bytes left, %" PRId64 " are kept free",
			 h->s.spool, left, payload_host_floor(h));
		if (!h->s.no_clean) {
			workdir_sweep(h->dirs, 0);
			payload_host_want_turn(h);
			return;
		}
	}
	p = largest_writer(h);
	if (!p)
		return;
	log_warn("run %s is ended: it uses most of the disk of '%s'",
		 p->grant.run, h->s.spool);
	payload_kill(p, PAYLOAD_NO_SPACE, 0);
}

static void look_at(struct payload *p)
{
	bool more = false, grew = false;

	for (int i = 0; i < 2; i++) {
		(void)capture_look(&p->out[i]);
		if (capture_step(&p->out[i], &p->meta))
			more = true;
		if (p->out[i].size != p->told[i])
			grew = true;
		p->told[i] = p->out[i].size;
	}
	if (more)
		payload_host_turn(p);
	if (grew && p->on_output)
		p->on_output(p, p->arg);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct payload_host *h = arg;
	struct payload *p, *next;

	(void)fd;
	(void)what;
	for (p = TAILQ_FIRST(&h->live); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (payload_running(p))
			look_at(p);
	}
	cgroups_sweep(h->cgroups);
	watch_disk(h);
	if (h->n_live == 0) {
		event_del(h->tick_event);
		h->ticking = false;
	}
}

/* --- the list of the living --------------------------------------------- */

void payload_host_add(struct payload *p)
{
	struct payload_host *h = p->host;

	TAILQ_INSERT_TAIL(&h->live, p, link);
	h->n_live++;
	h->n_payloads++;
	if (!h->ticking) {
		h->ticking = true;
		event_add(h->tick_event, &tick);
	}
}

void payload_host_ended(struct payload *p)
{
	end_turn(p);
	TAILQ_REMOVE(&p->host->live, p, link);
	p->host->n_live--;
}

int payload_host_live(const struct payload_host *h)
{
	return h->n_live;
}

/* What forks while /proc is walked is found by the next walk. */
static int kill_to_the_last(const char *run)
{
	int n = 0, more;

	for (int i = 0; i < KILL_ROUNDS; i++) {
		more = proctree_signal(run, 0, false, SIGKILL);
		if (more == 0)
			break;
		n += more;
	}
	return n;
}

/* The keeper is dead, so nobody would inherit what we leave: the pilot ends
 * its payloads while it still can, as the keeper would have, and itself. */
static void on_keeper_death(evutil_socket_t fd, short what, void *arg)
{
	struct payload_host *h = arg;
	struct payload *p;

	(void)fd;
	(void)what;
	log_error("the keeper was killed: ending all payloads and the pilot");
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (p = TAILQ_FIRST(&h->live); p; p = TAILQ_NEXT(p, link)) {
		if (p->pid)
			payload_signal(p, SIGKILL);
		kill_to_the_last(p->grant.run);
	}
	do {
		while (proctree_signal_children(0, SIGKILL) > 0)
			(void)waitpid(-1, NULL, 0);
	} while (waitpid(-1, NULL, 0) > 0);
	_exit(128 + SIGKILL);
}

/* --- the spool's upkeep ------------------------------------------------- */

void payload_host_sweep(struct payload_host *h)
{
	if (!h->s.no_clean)
		workdir_sweep(h->dirs, h->s.keep_failed_s);
	payload_host_want_turn(h);
}

/* Of a pilot that was killed together with its keeper, grandchildren may have
 * survived. Their successor on the spool ends them. */
static void end_leftover(const char *run, void *arg)
{
	(void)arg;
	if (kill_to_the_last(run) > 0)
		log_warn("run %s of an earlier pilot: killed what was left "
			 "of its payload",
			 run);
}

/* --- making and ending the host ------------------------------------------ */

static int open_child_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	/* An ignored SIGCHLD would reap the payloads behind our back. */
	(void)signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void add_events(struct payload_host *h)
{
	h->turn_event = evtimer_new(h->s.base, on_turn, h);
	h->tick_event = event_new(h->s.base, -1, EV_PERSIST, on_tick, h);
	h->child_event = event_new(h->s.base, h->child_fd, EV_READ | EV_PERSIST,
				   on_child, h);
	if (!h->turn_event || !h->tick_event || !h->child_event ||
	    event_add(h->child_event, NULL) != 0)
		log_die("cannot make the payloads' events");
	if (keeper_fd() < 0)
		return;
	h->keeper_event =
		event_new(h->s.base, keeper_fd(), EV_READ, on_keeper_death, h);
	if (!h->keeper_event || event_add(h->keeper_event, NULL) != 0)
		log_die("cannot watch the keeper");
}

struct payload_host *payload_host_new(const struct payload_settings *s,
				      struct err *e)
{
	struct payload_host *h;
	int fd = open(s->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		err_set_errno(e, ERR_IO, "cannot open the spool '%s'",
			      s->spool);
		return NULL;
	}
	h = xcalloc(1, sizeof(*h));
	h->s = *s;
	h->spool_fd = fd;
	h->a = arena_new();
	TAILQ_INIT(&h->live);
	TAILQ_INIT(&h->turns);
	if (s->host_name != NULL)
		(void)snprintf(h->name, sizeof(h->name), "%s", s->host_name);
	else if (gethostname(h->name, sizeof(h->name) - 1) != 0)
		memcpy(h->name, "?", 2);
	h->spawner = spawner_new();
	h->child_fd = open_child_fd();
	if (h->child_fd < 0)
		log_die("cannot watch child processes: %s", strerror(errno));
	h->pid = getpid();
	h->orphans_fd = -1;
	if (keeper_pid())
		h->orphans_fd = proctree_open_children(keeper_pid());
	add_events(h);
	payload_env_base(&h->env, h->a, environ, s->site_env);
	h->cgroups = cgroups_open(s->cgroups);
	h->dirs = workdir_pool_new(fd, h->s.spool);
	workdir_leftovers(h->dirs, end_leftover, NULL);
	payload_host_want_turn(h);
	return h;
}

void payload_host_free(struct payload_host *h)
{
	if (!h)
		return;
	if (h->n_payloads > 0)
		BUG("%d payloads are left", h->n_payloads);
	event_free(h->child_event);
	event_free(h->tick_event);
	event_free(h->turn_event);
	if (h->keeper_event)
		event_free(h->keeper_event);
	workdir_pool_free(h->dirs);
	close(h->child_fd);
	if (h->orphans_fd >= 0)
		close(h->orphans_fd);
	close(h->spool_fd);
	spawner_free(h->spawner);
	cgroups_close(h->cgroups);
	arena_free(h->a);
	free(h);
}
