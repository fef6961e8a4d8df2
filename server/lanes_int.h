/*
 * What the lanes' items are, shared by the lanes (lane_*.c) and the handlers
 * that fill them (h_submit.c, h_talk.c, h_output.c).
 */
#ifndef SORTIE_SERVER_LANES_INT_H
#define SORTIE_SERVER_LANES_INT_H

#include "server/classes.h"
#include "server/lane.h"
#include "server/lanes.h"
#include "server/req.h"
#include "server/server.h"

struct lanes {
	struct server *srv;
	struct lane *submit;
	struct lane *bulk; /* large submissions, commits of parts */
	struct lane *claim;
	struct lane *report;
	struct lane *output;
	struct classes *classes;
	struct arena *scratch; /* while one call is decoded */
};

extern const struct lane_kind lane_submit_kind;
extern const struct lane_kind lane_bulk_kind;
extern const struct lane_kind lane_claim_kind;
extern const struct lane_kind lane_report_kind;
extern const struct lane_kind lane_output_kind;

/* Jobs of a request that share their requirements. */
struct submit_need {
	const char *requirements;
	const char *where; /* "job 3", its first job; or "" */
	int64_t life_s;
	struct class_ids ids;
	struct submit *of;
};

/* One object of the body; makes `replicas` jobs. */
struct submit_job {
	size_t need; /* index */
	int32_t priority;
	int32_t replicas;
	bool held;
	int64_t due_ms; /* 0 = at once */
	const char *name;
	const char *definition;
	size_t definition_len;
	const char *tags;  /* JSON object or NULL */
	const char *sends; /* "hex,hex" or NULL */
	const char *key;   /* or NULL */
};

struct submit;
struct workflow_make; /* workflow_make.h */

/* A submission of jobs by another statement, with further parameters. */
struct submit_special {
	const char *stmt;
	void (*tail)(const struct submit *s, struct db_params *p);
	/* It is committed: replies. text: the statement's answer. */
	void (*done)(struct submit *s, const char *text, size_t len);
};

/* One POST /jobs, the commit of a submission, or a workflow. All in the request's arena. */
struct submit {
	struct lane_item item;
	struct submit_job *job;
	size_t n, cap;
	struct submit_need *need;
	size_t n_needs, cap_needs;
	int64_t total;               /* jobs, replicas counted */
	bool keyed;                  /* an Idempotency-Key, or job keys */
	const char *idempotency_key; /* or NULL */
	uint8_t body_hash[32];
	const char *submission; /* UUID: commit its parts */
	int32_t parts;
	struct workflow_make *make; /* of a workflow's jobs, or NULL */
	const struct submit_special *special; /* of keyed ones; or NULL */
	void *special_arg;
	size_t pending; /* needs that are being asked for */
	int tries;
	enum db_outcome outcome; /* of the first need that failed */
	struct db_fault fault;
	void (*ready)(struct submit *s); /* all needs are known */
};

/* Puts it into the lane that fits its size; all needs are known. */
void submit_put(struct submit *s);
/* Looks up all needs, then calls ready, or replies with the error. */
void submit_resolve(struct submit *s);
/* Adds the columns that sortie.staged and submit share (lane_submit.c):
 * replicas, class, kind, priority, held, due, name, definition, tags, sends,
 * key; project ids in place of indexes. */
void submit_stage_params(const struct submit *s, struct arena *a,
			 struct db_params *p);

/* Replies with n new jobs from first on; st is their batch's (submit_reply.c). */
struct stamp;
void submit_reply_range(struct req *r, const struct stamp *st, int64_t first,
			int64_t n);
/* With the answer of submit_keyed_2 or submission_commit_1: this request's, or
 * the first one's with the same Idempotency-Key, so time and salt are in it. */
void submit_reply_answer(struct req *r, const char *text, size_t len);

/* The columns of items that a workflow has (lane_submit.c), in the order of
 * workflow_create's parameters. */
void submit_item_params(const struct submit *s, struct arena *a,
			struct db_params *p);
/* The statement that makes the workflow or adds to it, and its answer
 * (lane_workflow.c). */
const char *workflow_build(const struct submit *s, struct arena *a,
			   const struct stamp *stamp, int32_t bucket,
			   struct db_params *p);
void workflow_deliver(struct submit *s, const struct db_result *r);

struct run_ref {
	int64_t job;
	int64_t run;
};

struct talk_start {
	struct run_ref ref;
	int64_t ago_ms;
};

struct talk_stream {
	int64_t size;
	bool inlined; /* text holds all of it */
	const char *text;
	size_t text_len;
	bool incomplete;
};

struct talk_end {
	struct run_ref ref;
	const char *state;
	const char *reason;
	bool has_exit, has_signal, started;
	int32_t exit_code, signal;
	int64_t ago_ms, wall_ms, user_ms, system_ms, max_rss;
	struct talk_stream out, err;
	const char *meta;  /* JSON list or NULL */
	const char *files; /* JSON: see talk_files.c; or NULL */
};

/* One claim or report of a pilot; a report that brings `free` becomes a claim
 * when it is recorded. All in the request's arena. */
struct talk {
	struct lane_item item;
	int64_t pilot;
	bool is_report;
	bool reported; /* the report's part is committed */
	bool unheard;  /* its claim had no answer */
	bool claims;
	int64_t request;
	int32_t slots, cores, ahead;
	int64_t memory;
	int64_t deadline_ms; /* parked until then; 0 = not at all */

	bool listed, drained;
	struct talk_start *start;
	size_t n_starts;
	struct talk_end *end;
	size_t n_ends;
	struct run_ref *live;
	size_t n_live;

	/* What the answer is made of: elements, comma-separated. */
	struct buf grants, orders, missing, stale, acked_starts, acked_ends;
	const char *unknown; /* why the pilot is none any more */

	/* While it is parked (park_claim.c). */
	TAILQ_ENTRY(talk) park_link;
	LIST_ENTRY(talk) park_hash;
	int32_t profile; /* 0 = not known */
	int64_t fit_version;
	uint64_t sent_seq; /* wake counter when it was sent */
	int64_t coming;    /* jobs it may take of those told of meanwhile */
	int32_t expected;  /* parking_expect: under this profile, or 0 */
	int64_t n_grants;
	bool parked;
};

/* A claim's share of a batch: what it may be granted (lane_talk.c). */
void claim_weigh(struct talk *t);
/* The answer is complete (h_talk.c). */
void talk_reply(struct talk *t);
void talk_fail(struct lane_item *i, enum db_outcome o,
	       const struct db_fault *f);
/* A grant as the protocol has it, from columns (lane_grant.c). */
struct grant {
	int64_t run, job;
	const char *id, *name, *jobtype, *owner, *project, *definition;
	int64_t attempt, idx, priority;
	bool has_idx, ahead;
};
void grant_write(struct buf *b, const struct server *srv,
		 const struct grant *g);
void run_hex(int64_t run, char out[17]);

/* A chunk of a stream on its way to the database. */
struct chunk {
	struct lane_item item;
	int64_t pilot, job, run;
	int16_t stream;
	int64_t at;
	const char *data;
	size_t len;
	bool is_blob;
	uint8_t hash[32];
};
void chunk_reply(struct chunk *c, char what, int64_t has);

/* park_claim.c: claims that found nothing; parks or answers one. */
void parking_nothing(struct talk *t);
/* A newer call of the same pilot, whatever it is, ends what it parked. */
void park_supersede(struct server *srv, int64_t pilot);
/* A claim was granted something: others of its profile may find more. */
void parking_granted(struct server *srv, const struct talk *t);
/* A claim is about to be queued: jobs told of until it is sent are its own, as
 * far as it has room. */
void parking_expect(struct server *srv, struct talk *t);
/* A claim has come: queues it, or parks or answers it at once when it is known
 * that there is nothing for it. */
void parking_ask(struct server *srv, struct talk *t);
/* Queues a claim. */
void parking_put(struct server *srv, struct talk *t);
void parking_sent(struct server *srv, struct talk *t);
/* It was answered, or failed: n_grants. */
void parking_answered(struct server *srv, struct talk *t);
/* After it was parked or replied: when the last claim of this profile that was
 * expected has left some of the jobs it was to take, others are woken. */
void parking_left(struct server *srv, int32_t profile);
/* A claim's answer told its pilot's profile, and that nothing is queued for
 * it (empty), or that something may be. */
void parking_profile(struct server *srv, const struct talk *t, bool empty);
/* The database has answered the pilot's claim or report. */
void parking_told(struct server *srv, const struct talk *t);
/* The counter that park_claim compares. */
uint64_t park_seq(const struct server *srv);

/* lease.c: the tick that a pilot heard now may be silent to. */
int64_t lease_until(const struct server *srv);

#endif
