/*
 * The table of runs that this pilot answers for, from the grant until the
 * server has acknowledged the end, and for a while longer the ids of those
 * that are done, so that a grant that is told twice is not run twice.
 */
#ifndef SORTIE_PILOT_RUNS_H
#define SORTIE_PILOT_RUNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include "lib/arena.h"
#include "pilot/payload.h"

struct fetch;
struct httpc_call;
struct talk;

enum run_state {
	RUN_FETCHING,  /* files it wants in its directory are on their way */
	RUN_READY,     /* waits for room */
	RUN_ACTIVE,    /* its payload lives */
	RUN_UPLOADING, /* its payload has ended, output is on its way */
	RUN_ENDED,     /* its end waits to be reported and acknowledged */
	RUN_GONE,      /* acknowledged, or no longer ours */
	RUN_STATES
};

/* One stream of a run's output on its way to the server. */
struct run_stream {
	TAILQ_ENTRY(run_stream) entry; /* on the uploader's list */
	struct run *run;
	enum payload_stream which;
	struct httpc_call *call;
	const char *url;       /* where the call went, */
	int64_t call_ms;       /* and when */
	int64_t sent;          /* the server has everything before this */
	int64_t size;          /* final when the payload has ended */
	int64_t not_before_ms; /* pace of a stream that is beyond its head */
	int conflicts;         /* answers "you are elsewhere" in a row */
	bool queued, inlined, incomplete;
};

struct run {
	TAILQ_ENTRY(run) entry; /* on the list of its state */
	struct run *next;       /* in its bucket */
	struct talk *talk;      /* for the payload's callbacks */
	enum run_state state;
	char id[17];
	int64_t job;
	int32_t cores;
	int64_t memory; /* bytes */
	bool stale;     /* the server has given it up */
	bool cancelled;
	bool start_told;           /* the server has acknowledged it */
	bool start_sent, end_sent; /* in the report that is under way */
	bool counted;              /* in the talk's sum of live runs */
	int64_t granted_ms, started_ms, ended_ms; /* monotonic; 0 = not */
	int64_t begun_us;           /* when its payload was spawned */
	int64_t tell_after_ms;      /* nothing of it is told before that */
	struct arena *arena;        /* until the payload has it */
	struct payload_grant grant; /* valid until the payload is freed */
	struct payload *payload;
	struct fetch *fetch;
	struct run_stream out[2];
	int64_t upload_deadline_ms;
	/* The end as JSON without its last members and brace; NULL = none. */
	char *end;
	size_t end_len;
	uint64_t end_mark; /* the journal's */
};

TAILQ_HEAD(run_list, run);
struct runs;

struct runs *runs_new(void);
/* Frees the table; payloads must be gone. */
void runs_free(struct runs *t);
struct run *runs_find(struct runs *t, const char *id);
/* A new run in the state RUN_READY; the id must be new. */
struct run *runs_add(struct runs *t, const char *id, int64_t job);
/* Moves it to the end of another state's list. Those that are gone are
 * forgotten, oldest first, beyond a few thousand. */
void runs_move(struct runs *t, struct run *r, enum run_state state);
struct run_list *runs_list(struct runs *t, enum run_state state);
int runs_count(const struct runs *t, enum run_state state);
/* Runs that the server counts as ours: all but those that are gone. */
int runs_live(const struct runs *t);
/* Runs whose payload lives or is yet to live. */
int runs_open(const struct runs *t);

#endif
