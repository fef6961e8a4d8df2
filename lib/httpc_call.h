/*
 * One call of the HTTP client, shared by its two ways of running calls (on a
 * loop, and blocking).  Internal to lib/httpc.
 */
#ifndef SORTIE_LIB_HTTPC_CALL_H
#define SORTIE_LIB_HTTPC_CALL_H

#include <curl/curl.h>
#include <sys/queue.h>
#include "lib/httpc.h"

struct httpc_call {
	TAILQ_ENTRY(httpc_call) link;
	struct httpc *pool;
	CURL *easy; /* kept from call to call */
	struct curl_slist *headers;
	char *address; /* the server as the user wrote it */
	char *url;
	char *socket_path; /* of a Unix socket, or NULL */
	struct buf body;   /* of the request */
	int64_t timeout_ms, connect_timeout_ms;
	size_t max_reply;
	bool repeatable;         /* libcurl may send it a second time */
	int attempts;            /* how often it was put on a line */
	bool too_large, stopped; /* why writing the answer was refused */
	bool away, near;         /* only others; it was not another one */
	bool *answered;          /* the pool's: HTTP has come back once */
	struct httpc_reply reply;
	bool (*on_body)(const char *p, size_t len, void *arg);
	httpc_done_fn *done;
	void *arg;
};

/* *answered is borrowed from the pool, and set by the first answer. */
struct httpc_call *httpc_call_new(struct httpc *pool, bool *answered);
void httpc_call_free(struct httpc_call *call);
/* Sets everything from the request. False with reply.err when the request
 * cannot be made at all (address not understood, line break in a header). */
bool httpc_call_prepare(struct httpc_call *call, const struct httpc_tls *tls,
			const struct httpc_request *r)
	__attribute__((warn_unused_result));
/* Fills the reply from the transfer's result. */
void httpc_call_finish(struct httpc_call *call, CURLcode result);
/* Forgets request and reply; the handle and its memory stay. */
void httpc_call_reset(struct httpc_call *call);

#endif
