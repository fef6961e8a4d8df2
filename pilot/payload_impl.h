/*
 * What the files of the payload module share: a payload from its preparation
 * (payload_prepare.c) through its life (payload.c) and end (payload_end.c), and
 * the host that watches all of them (payload_host.c).  Nobody else includes
 * this.
 */
#ifndef SORTIE_PILOT_PAYLOAD_IMPL_H
#define SORTIE_PILOT_PAYLOAD_IMPL_H

#include <sys/queue.h>
#include "pilot/capture.h"
#include "pilot/cgroup.h"
#include "pilot/hashing.h"
#include "pilot/meta.h"
#include "pilot/payload.h"
#include "pilot/payload_env.h"
#include "pilot/runas.h"
#include "pilot/runfiles.h"
#include "pilot/spawn.h"
#include "pilot/workdir.h"

enum payload_state {
	PAYLOAD_FAILED, /* could not start; on_ended is due */
	PAYLOAD_RUNNING,
	PAYLOAD_TERMING,  /* has got SIGTERM, the grace runs */
	PAYLOAD_KILLING,  /* has got SIGKILL */
	PAYLOAD_SWEEPING, /* reaped; something of it is still there */
	PAYLOAD_READING,  /* its output is being searched to the end */
	PAYLOAD_HASHING,  /* what it has written is being hashed */
	PAYLOAD_ENDED     /* on_ended was called */
};

struct payload {
	struct payload_host *host;
	struct arena *a; /* the payload itself lies in it */
	struct payload_grant grant;
	payload_fn *on_started, *on_output, *on_ended;
	void *arg;
	enum payload_state state;
	pid_t pid;          /* 0 = none; stays after the end */
	int64_t started_ms; /* monotonic */
	int64_t due_ms;     /* TERMING: when the grace is over */
	int64_t reaped_ms;
	int64_t sweep_wait_ms; /* until the next look, doubling */
	struct payload_end end;
	bool told_started;
	int64_t told[2];               /* sizes when on_output was called */
	struct event *timer;           /* limit, grace or sweep, by state */
	struct workdir *dir;           /* NULL = none */
	const char *cwd;               /* where it runs; valid with dir */
	const struct runas_user *user; /* NULL = the pilot's */
	bool alone;                    /* nothing can be left of it */
	struct cgroup *cgroup;         /* NULL = none */
	struct capture out[2];
	struct meta_list meta;
	struct runfiles files;
	struct hashing *hashing;   /* HASHING */
	TAILQ_ENTRY(payload) link; /* in live, until ENDED */
	TAILQ_ENTRY(payload) turn; /* in turns */
	bool has_turn;
};

TAILQ_HEAD(payload_list, payload);

struct payload_host {
	struct payload_settings s;
	struct arena *a;
	char name[256]; /* of this machine */
	int spool_fd;
	int child_fd;   /* signalfd for SIGCHLD */
	int orphans_fd; /* the keeper's children; -1 = no keeper, or no list */
	pid_t pid;      /* the pilot's own */
	struct event *child_event, *tick_event, *turn_event, *keeper_event;
	bool turning; /* turn_event is pending */
	bool ticking; /* tick_event is pending */
	struct workdir_pool *dirs;
	bool disk_low;          /* said in the log */
	struct payload_env env; /* what all payloads see */
	struct spawner *spawner;
	struct cgroups *cgroups;
	struct payload_list live, turns;
	int n_live, n_payloads;
};

/* payload_prepare.c: directory, files, environment, command, process. False
 * = not started, *e says why (without "nonstarter"). */
bool payload_launch(struct payload *p, const char *const *files,
		    struct err *e) MUST_CHECK;

/* payload_end.c */
/* The first process has died and is a zombie: reap it and sweep the rest. */
void payload_exited(struct payload *p);
void payload_sweep(struct payload *p);
/* The next piece of its output, then its end. */
void payload_read_on(struct payload *p);
/* Signals all of the payload. With SIGKILL through its control group. */
void payload_signal(struct payload *p, int sig);

/* payload.c */
void payload_timer(struct payload *p, int64_t ms);

/* payload_host.c */
/* payload_turn is called for p from the loop. */
void payload_host_turn(struct payload *p);
void payload_host_want_turn(struct payload_host *h);
void payload_turn(struct payload *p); /* payload.c */
void payload_host_add(struct payload *p);
void payload_host_ended(struct payload *p); /* out of live */
/* Bytes free for the pilot's user where the spool is; INT64_MAX unknown. */
int64_t payload_host_free_bytes(const struct payload_host *h);
int64_t payload_host_floor(const struct payload_host *h);

#endif
