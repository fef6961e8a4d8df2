/*
 * Which server is asked next, and what its answer is worth.  A pilot knows
 * several addresses of one cluster; when one does not answer well the next is
 * tried.  Only an answer that is JSON, has a fitting status and comes from the
 * cluster that the pilot joined may change anything: a web page of a proxy, an
 * empty database behind the same address or a revoked token must not cost a
 * payload its life.
 */
#ifndef SORTIE_PILOT_LINK_H
#define SORTIE_PILOT_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/err.h"
#include "lib/httpc.h"
#include "lib/json.h"

struct link {
	const char **urls; /* NULL-terminated, at least one */
	size_t n, current;
	char cluster[64];      /* "" = not joined yet */
	int64_t down_since_ms; /* monotonic; 0 = the last call was well */
	unsigned said;         /* kinds of failure logged since then */
	int64_t heard_ms;      /* when the last call that was answered
					   well had been sent; 0 = never */
};

enum answer_kind {
	ANSWER_OK,      /* 2xx; doc is the body, NULL when there is none */
	ANSWER_REFUSED, /* the server says no, with a code */
	ANSWER_AWAY     /* nobody of ours has answered */
};

struct answer {
	enum answer_kind kind;
	int status;              /* 0 = no HTTP answer */
	enum err_code code;      /* refused: why */
	struct json_object *doc; /* refused: error.detail, or NULL */
	int64_t retry_after_ms;
	struct err err; /* not OK: one sentence */
};

void link_init(struct link *l, const char **urls);
const char *link_url(const struct link *l);
/* Reads the reply to a call that went to url at sent_ms, notes how the link
 * does, says so in the log when that changes, and moves on to the next server
 * when nobody of ours has answered. doc lives in the arena. */
void link_answer(struct link *l, struct arena *a, const struct httpc_reply *r,
		 const char *url, int64_t sent_ms, struct answer *out);
/* An answer that was refused counts as a failure of that server, too. */
void link_failed(struct link *l, const char *url, const struct err *e);
/* True when a and its status say that this pilot or its token is unknown. */
bool answer_unknown_pilot(const struct answer *a);

#endif
