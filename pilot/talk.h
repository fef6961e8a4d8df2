/*
 * The conversation with the server: join, ask for work, say what started and
 * ended, obey orders, leave.  It is one state machine on one event loop.
 * Everything that happens (an answer, a payload's end, a timer) only notes
 * itself and asks for a turn; the turn then starts what can be started and
 * sends what there is to send, at most one claim and one report at a time.
 * So whatever happens while a report is under way travels in the next one.
 *
 * This header is shared by the files that are parts of that machine:
 *   talk.c    turns, timers, phases       join.c    registration, site, leaving
 *   work.c    grants, starts, ends        claim.c   asking for work
 *   report.c  telling, and the answer     upload.c  output of runs
 *   fetch.c   files that runs want        orders.c  cancel, drain, stop
 */
#ifndef SORTIE_PILOT_TALK_H
#define SORTIE_PILOT_TALK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/httpc.h"
#include "pilot/backoff.h"
#include "pilot/blackhole.h"
#include "pilot/journal.h"
#include "pilot/link.h"
#include "pilot/options.h"
#include "pilot/sandbox.h"
#include "pilot/runs.h"
#include "pilot/spool.h"

/* Exit statuses, as in the manual. */
enum pilot_exit {
	PILOT_EXIT_OK = 0,
	PILOT_EXIT_MACHINE = 1, /* spool, descriptors, memory */
	PILOT_EXIT_USAGE = 2,
	PILOT_EXIT_REFUSED = 3,   /* the join token was refused */
	PILOT_EXIT_NO_SERVER = 4, /* not reached within the time-out */
	PILOT_EXIT_UNTOLD = 5     /* ends are left in the spool */
};

enum talk_phase {
	TALK_SITE,    /* asks for its site's definition */
	TALK_JOINING, /* registers */
	TALK_WORKING,
	TALK_DRAINING, /* takes no more; what runs may end, or must */
	TALK_LEAVING,  /* says good-bye */
	TALK_DONE
};

/* How urgent the end is. */
enum talk_drain {
	DRAIN_NONE,
	DRAIN_USED_UP, /* attempts used up: what was granted still runs */
	DRAIN_SOFT,    /* live payloads end by themselves, the rest goes back */
	DRAIN_HARD,    /* payloads get the grace */
	DRAIN_NOW      /* payloads are killed */
};

struct room {
	int64_t slots, cores, memory;
	int64_t ahead; /* one-core runs beyond the slots */
};

struct talk_call {               /* one conversation's only call */
	struct httpc_call *call; /* NULL = none is under way */
	const char *url;
	int64_t sent_ms;
	struct backoff backoff;
};

struct talk {
	struct event_base *base;
	struct httpc *http;
	struct arena *arena; /* of the pilot's life */
	struct pilot_options opt;
	struct engine engine;
	int argc;
	char **argv;
	struct link link;
	struct spool spool;
	struct sandbox sandbox;     /* program NULL = none */
	const struct runas *run_as; /* NULL = all as our user */
	struct spool_identity last; /* who lived in the spool before */
	struct journal *journal;
	struct runs *runs;
	struct payload_host *host;
	struct blackhole blackhole;

	enum talk_phase phase;
	enum talk_drain drain;
	int exit_status;
	int64_t begun_ms;
	int64_t end_ms;     /* lifetime's end; 0 = none */
	int64_t busy_ms;    /* when there was something to do, or no server */
	int64_t drained_ms; /* when a hard drain gives up; 0 = not */
	int64_t signal_ms;  /* of the first signal; 0 = none */

	/* What registration told. */
	const char *pilot_id, *token;
	int64_t number;
	int64_t lease_ms, heartbeat_ms;
	int64_t head_max, tail_max, chunk_max, inline_max;
	struct json_object *site; /* definition or NULL */

	struct talk_call join, claim, report, leave;
	bool told_join_failure;
	int64_t unknown_since_ms; /* 0 = the server knows us */

	/* Asking for work. */
	struct room live;   /* what runs hold in the server's eyes */
	struct room active; /* what payloads hold here */
	bool last_granted;  /* the last attempt brought work */
	int64_t request;    /* number of the next granting call */
	int64_t attempts;
	int64_t next_attempt_ms; /* when polling */
	struct room claimed;     /* what the claim named */
	int quick_empty;         /* answers that were empty at once */
	int64_t run_us;          /* what a run takes, smoothed; 0 = new */
	int64_t trip_us;         /* what a report takes, likewise */

	/* Telling. */
	bool report_granting; /* the one under way asks for work */
	bool report_live;     /* ... and lists what is live */
	bool tell_live;       /* the next one lists live runs */
	bool first_report;    /* ends of a predecessor go first */
	bool drain_told;
	int64_t live_told_ms;
	size_t report_max; /* ends and starts a report may hold */
	size_t in_report;  /* how many the one under way holds */

	/* Output. */
	TAILQ_HEAD(stream_list, run_stream) streams;
	int uploads;
	struct backoff upload_backoff;
	struct backoff fetch_backoff;
	struct fetch_cache *files;
	struct buf chunk; /* output on its way to a call */

	struct event *turn_ev, *tick_ev, *retry_ev;
	struct event *signal_ev[4];
	bool turn_due;
	int64_t wake_ms;    /* when retry_ev comes; 0 = not set */
	int64_t compact_at; /* bytes of the journal */
};

/* talk.c */

/* Takes the opened spool and options; runs until the pilot is to end and
 * returns its exit status. */
int talk_run(struct talk *t);
/* Opens the spool's journal and takes over the ends that it holds. */
bool talk_journal_open(struct talk *t, struct err *e) MUST_CHECK;
/* A turn comes as soon as the loop is idle. */
void talk_turn_soon(struct talk *t);
/* A turn comes at that time at the latest. */
void talk_turn_at(struct talk *t, int64_t at_ms);
void talk_drain(struct talk *t, enum talk_drain how, const char *why);
void talk_done(struct talk *t, int exit_status);
/* Starts the conversation's call with a body that is copied. */
void talk_send(struct talk *t, struct talk_call *c, const char *method,
	       const char *path, const char *token, const struct buf *body,
	       int64_t timeout_ms, httpc_done_fn *done);
/* Ends it: reads the answer; a failure sets the backoff and its turn. True
 * when the answer is OK. */
bool talk_answer(struct talk *t, struct talk_call *c, struct arena *a,
		 const struct httpc_reply *r, struct answer *out);
/* The same for a call that has no conversation of its own. */
void talk_failed(struct talk *t, struct backoff *b, const struct answer *ans);

/* join.c */
void join_begin(struct talk *t);
void join_turn(struct talk *t);
void leave_turn(struct talk *t);

/* work.c */
void work_grants(struct talk *t, struct json_object *grants, bool missing);
void work_start_ready(struct talk *t);
/* Ends a run that has no payload, or whose payload's end is final. */
void work_end_unstarted(struct talk *t, struct run *r, const char *state,
			const char *reason);
/* Output is complete or given up: the end may be reported. */
void work_end_final(struct talk *t, struct run *r);
/* The server has acknowledged the end, or does not want the run any more. */
void work_forget(struct talk *t, struct run *r);
void work_stale(struct talk *t, struct run *r);
/* Hands unstarted runs back; only those that wait for longer than
 * older_ms. */
void work_return_ready(struct talk *t, int64_t older_ms, const char *reason);
void work_kill_all(struct talk *t, enum payload_why why, int64_t grace_ms);
/* A journal_replay_fn for journal_open. */
void work_replay(enum journal_kind kind, const char *text, size_t len,
		 void *arg);
/* Moves replayed, unfinished runs out of the way and keeps spooled ends. */
void work_replayed(struct talk *t);
void work_compact(struct talk *t);
/* At the end, when no payload lives any more. */
void work_free_payloads(struct talk *t);

/* claim.c */

/* What the server may grant, given that the ends of runs that hold `reported`
 * go with the same call. */
void claim_room(const struct talk *t, const struct room *reported,
		struct room *out);
/* Whether to ask for more at all, by any call. */
bool claim_wants(const struct talk *t, const struct room *room);
void claim_room_write(struct buf *b, const struct room *room);
void claim_turn(struct talk *t);
void claim_note_run(struct talk *t, int64_t wall_us);
void claim_note_trip(struct talk *t, int64_t trip_us);
void claim_cancel(struct talk *t);

/* report.c */
void report_turn(struct talk *t);
/* There is enough to run: ends are collected for a moment (and a turn comes
 * at its end). */
bool report_paced(struct talk *t);

/* orders.c */
void orders_obey(struct talk *t, struct json_object *orders);

/* upload.c */
void upload_grown(struct talk *t, struct run *r);
/* The payload has ended: sizes are final. */
void upload_last(struct talk *t, struct run *r);
void upload_turn(struct talk *t);
void upload_drop(struct talk *t, struct run *r);

/* fetch.c */
void fetch_init(struct talk *t);
void fetch_fini(struct talk *t);
/* Starts to fetch what the run's definition sends along; false when there is
 * nothing to fetch. Ends in work_start_ready or work_end_unstarted. */
bool fetch_begin(struct talk *t, struct run *r);
void fetch_turn(struct talk *t);
void fetch_drop(struct talk *t, struct run *r);
/* Paths in the order of `send`, NULL when there are none. */
const char *const *fetch_paths(const struct run *r);

#endif
