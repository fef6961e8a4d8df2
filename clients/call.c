/*
 * Calls to the server, one at a time: address and token once, then each call
 * with its repeats, and every way in which it can fail as one sentence that
 * says what to do.
 */
#include "clients/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "clients/place.h"
#include "lib/clock.h"

#define PATIENCE_MS 60000
#define PAUSE_FIRST_MS 200
#define PAUSE_MAX_MS 5000
#define CALL_MS 60000

struct call {
	struct httpc *http;
	struct httpc_tls tls;
	struct place place;
	bool answered; /* the server has answered us once */
};

bool call_open(struct cli *c, struct err *e)
{
	const struct cli_settings *s = c->settings;
	struct call *call;

	if (c->call != NULL)
		return true;
	call = ARENA_NEW(c->arena, struct call);
	if (!place_find(c, &call->place, e))
		return false;
	call->tls = (struct httpc_tls){ .ca_file = s->ca_file,
					.cert_file = s->cert,
					.key_file = s->key,
					.insecure = s->insecure };
	call->http = httpc_new(NULL, &call->tls);
	c->call = call;
	return true;
}

void call_close(struct call *call)
{
	if (call != NULL)
		httpc_free(call->http);
}

const char *call_url(const struct cli *c)
{
	return c->call->place.url;
}

const char *call_token(const struct cli *c)
{
	return c->call->place.token;
}

const struct httpc_tls *call_tls(const struct cli *c)
{
	return &c->call->tls;
}

bool call_is_local(const struct cli *c)
{
	return place_is_local(c->call->place.url);
}

static bool away(struct cli *c, const struct httpc_reply *reply, struct err *e)
{
	const struct place *place = &c->call->place;

	if (!reply->refused)
		return err_set(e, ERR_UNAVAILABLE, "%s", reply->err.text);
	if (place->given)
		return err_set(e, ERR_UNAVAILABLE,
			       "no server answers at %s: "
			       "see that `sortied` runs there, or name "
			       "another with --url or SORTIE_URL",
			       place->url);
	return err_set(e, ERR_UNAVAILABLE,
		       "no server runs on this machine "
		       "(%s): start one with `sortied --dev`, or name one "
		       "with --url or SORTIE_URL",
		       place->url);
}

static bool denied(struct cli *c, const char *said, struct err *e)
{
	if (c->call->place.token == NULL)
		return err_set(e, ERR_UNAUTHORIZED,
			       "no token: set "
			       "SORTIE_TOKEN or --token-file (the server "
			       "prints where it wrote its first one when it "
			       "starts)");
	return err_set(e, ERR_UNAUTHORIZED,
		       "%s says: %s; see that "
		       "SORTIE_TOKEN belongs to this server and has not "
		       "expired",
		       c->call->place.url, said);
}

/* The fields of {"error":{…}}; false when the body is something else, such as
 * a proxy's page. */
static bool read_error(struct arena *a, const struct httpc_reply *reply,
		       enum err_code *code, const char **message)
{
	struct json_object *doc, *error;
	struct err ignored = ERR_INIT;

	if (!json_parse(a, buf_str(&reply->body), reply->body.len, &doc,
			&ignored) ||
	    json_type(doc) != JSON_OBJECT)
		return false;
	error = json_get(doc, "error");
	if (error == NULL || json_type(error) != JSON_OBJECT)
		return false;
	*message = json_get_str(error, "message");
	if (*message == NULL || json_get_str(error, "code") == NULL)
		return false;
	*code = err_from_name(json_get_str(error, "code"));
	return true;
}

bool call_error(struct cli *c, const struct httpc_reply *reply, struct err *e)
{
	struct arena *a;
	enum err_code code;
	const char *message;

	if (!reply->ok)
		return away(c, reply, e);
	a = arena_new();
	if (!read_error(a, reply, &code, &message))
		err_set(e,
			reply->status == 503   ? ERR_UNAVAILABLE
			: reply->status == 404 ? ERR_NOT_FOUND
					       : ERR_INTERNAL,
			"%s answered %d in a form that is not Sortie's: see "
			"that the address is a Sortie server's",
			c->call->place.url, reply->status);
	else if (code == ERR_UNAUTHORIZED)
		denied(c, message, e);
	else
		err_set(e, code, "%s", message);
	arena_free(a);
	return false;
}

static bool worth_repeating(const struct httpc_reply *reply)
{
	return !reply->ok || reply->status == 503 || reply->status == 504;
}

static int64_t patience_ms(const struct cli *c, const struct httpc_reply *reply)
{
	if (c->settings->patience_s > 0)
		return c->settings->patience_s * 1000;
	if (!c->call->answered && !reply->ok)
		return 0;
	return PATIENCE_MS;
}

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* The pause before repeat number n, or -1 when patience is at its end. */
static int64_t next_pause(const struct cli *c, const struct httpc_reply *reply,
			  int n, int64_t since_ms)
{
	int64_t pause = PAUSE_FIRST_MS << (n < 8 ? n : 8);
	int64_t left = patience_ms(c, reply) - (clock_mono_ms() - since_ms);

	if (pause > PAUSE_MAX_MS)
		pause = PAUSE_MAX_MS;
	if (left <= 0)
		return -1;
	return pause < left ? pause : left;
}

static void tell_away(struct cli *c, const struct httpc_reply *reply)
{
	struct err e = ERR_INIT;

	call_error(c, reply, &e);
	cli_note("%s; trying on for %" PRId64 " s", e.text,
		 patience_ms(c, reply) / 1000);
}

bool call_raw(struct cli *c, const struct call_request *r,
	      struct httpc_reply *reply, struct err *e)
{
	const char *headers[3] = { NULL };
	struct httpc_request q = {
		.method = r->method,
		.path = r->path,
		.headers = headers,
		.content_type = r->content_type,
		.body = r->body,
		.body_len = r->body && r->body_len == 0 ? strlen(r->body)
							: r->body_len,
		.timeout_ms = CALL_MS + r->wait_s * 1000,
	};
	char key[256];
	char accept[128];
	size_t n = 0;
	int64_t since_ms;

	if (!call_open(c, e))
		return false;
	q.base = c->call->place.url;
	q.token = c->call->place.token;
	if (r->key != NULL) {
		snprintf(key, sizeof(key), "Idempotency-Key: %s", r->key);
		headers[n++] = key;
	}
	if (r->accept != NULL) {
		snprintf(accept, sizeof(accept), "Accept: %s", r->accept);
		headers[n++] = accept;
	}
	since_ms = clock_mono_ms();
	for (int i = 0;; i++) {
		int64_t pause;

		httpc_call_wait(c->call->http, &q, reply, NULL, NULL);
		if (!worth_repeating(reply) ||
		    (r->once && (reply->ok || reply->sent)))
			break;
		pause = next_pause(c, reply, i, since_ms);
		if (pause < 0)
			break;
		if (i == 0)
			tell_away(c, reply);
		if (reply->retry_after_s * 1000 > pause &&
		    reply->retry_after_s * 1000 <= PAUSE_MAX_MS)
			pause = reply->retry_after_s * 1000;
		httpc_reply_fini(reply);
		pause_ms(pause);
	}
	if (reply->ok) {
		if (reply->status != 503)
			c->call->answered = true;
		return true;
	}
	away(c, reply, e);
	httpc_reply_fini(reply);
	return false;
}

bool call_send(struct cli *c, struct arena *a, const struct call_request *r,
	       struct call_answer *out, struct err *e)
{
	struct httpc_reply reply;
	struct err parse = ERR_INIT;

	if (!call_raw(c, r, &reply, e))
		return false;
	if (reply.status < 200 || reply.status > 299) {
		call_error(c, &reply, e);
		httpc_reply_fini(&reply);
		return false;
	}
	*out = (struct call_answer){
		.status = reply.status,
		.len = reply.body.len,
		.text = arena_strndup(a, buf_str(&reply.body), reply.body.len),
	};
	httpc_reply_fini(&reply);
	if (out->len == 0 || r->accept != NULL)
		return true;
	if (json_parse(a, out->text, out->len, &out->doc, &parse))
		return true;
	return err_set(e, ERR_INTERNAL, "the answer of %s is not JSON: %s",
		       c->call->place.url, parse.text);
}

bool call_get(struct cli *c, struct arena *a, const char *path,
	      struct call_answer *out, struct err *e)
{
	struct call_request r = { .method = "GET", .path = path };

	return call_send(c, a, &r, out, e);
}

bool call_post(struct cli *c, struct arena *a, const char *path,
	       const char *body, struct call_answer *out, struct err *e)
{
	struct call_request r = { .method = "POST",
				  .path = path,
				  .body = body };

	return call_send(c, a, &r, out, e);
}
