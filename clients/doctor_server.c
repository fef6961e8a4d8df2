/* The part of `sortie doctor` that asks the server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "clients/call.h"
#include "clients/doctor.h"
#include "lib/clock.h"

#define CLOCK_BAD_MS 5000

/* The Date of an answer has whole seconds: half of one is added. */
static void server_clock(struct doctor *d, const struct httpc_reply *reply)
{
	char text[64];
	struct tm tm = { 0 };
	int64_t off_ms;

	if (httpc_reply_header(reply, "Date", text, sizeof(text)) == NULL ||
	    strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
		return;
	off_ms = (int64_t)timegm(&tm) * 1000 + 500 - clock_wall_ms();
	if (llabs(off_ms) > CLOCK_BAD_MS)
		doctor_tell(d, DOCTOR_WARN, "clock",
			    "the server's clock is "
			    "%" PRId64 " s %s of this machine's: run NTP on "
			    "both; leases do not depend on it, times shown do",
			    (int64_t)(llabs(off_ms) / 1000),
			    off_ms > 0 ? "ahead" : "behind");
	else
		doctor_tell(d, DOCTOR_OK, "clock",
			    "within a second or two of the server's");
}

static bool reachable(struct doctor *d)
{
	struct call_request r = { .method = "GET", .path = "/healthz" };
	struct httpc_reply reply;
	struct err e = ERR_INIT;
	bool ok;

	if (!call_raw(d->c, &r, &reply, &e)) {
		doctor_tell(d, DOCTOR_FAIL, "server", "%s", e.text);
		return false;
	}
	ok = reply.status == 200;
	if (ok) {
		doctor_tell(d, DOCTOR_OK, "server", "%s answers",
			    call_url(d->c));
		server_clock(d, &reply);
	} else {
		call_error(d->c, &reply, &e);
		doctor_tell(d, DOCTOR_FAIL, "server", "%s", e.text);
	}
	httpc_reply_fini(&reply);
	return ok;
}

static void warnings(struct doctor *d, struct json_object *doc)
{
	struct json_object *list = json_get(doc, "warnings");

	if (list == NULL || json_type(list) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(list); i++)
		if (json_type(json_at(list, i)) == JSON_STR)
			doctor_tell(d, DOCTOR_WARN, "server", "%s",
				    json_str(json_at(list, i)));
}

static void ready(struct doctor *d)
{
	struct call_request r = { .method = "GET", .path = "/readyz" };
	struct err e = ERR_INIT;
	struct httpc_reply reply;
	struct json_object *doc;
	const char *status;

	/* 503 is the answer here, no reason to try again. */
	r.once = true;
	if (!call_raw(d->c, &r, &reply, &e)) {
		doctor_tell(d, DOCTOR_FAIL, "database", "%s", e.text);
		return;
	}
	if (!json_parse(d->c->arena, buf_str(&reply.body), reply.body.len, &doc,
			&e) ||
	    json_type(doc) != JSON_OBJECT) {
		doctor_tell(d, DOCTOR_FAIL, "database",
			    "the server's word on "
			    "its readiness is not JSON");
	} else if (reply.status == 200) {
		doctor_tell(d, DOCTOR_OK, "database", "ready, schema %" PRId64,
			    json_get_int(doc, "schema"));
		warnings(d, doc);
	} else {
		status = json_get_str(doc, "status");
		doctor_tell(d, DOCTOR_FAIL, "database",
			    "the server is not "
			    "ready (%s): see its log",
			    status ? status : "no reason given");
		warnings(d, doc);
	}
	httpc_reply_fini(&reply);
}

static bool token(struct doctor *d)
{
	struct call_answer answer;
	struct err e = ERR_INIT;
	const char *version;

	if (!call_get(d->c, d->c->arena, "/api/v1/whoami", &answer, &e)) {
		doctor_tell(d, DOCTOR_FAIL, "token", "%s", e.text);
		return false;
	}
	doctor_tell(d, DOCTOR_OK, "token", "%s of \"%s\"",
		    json_get_str(answer.doc, "role"),
		    json_get_str(answer.doc, "owner"));
	version = json_get_str(answer.doc, "version");
	if (version != NULL && strcmp(version, PACKAGE_VERSION) != 0)
		doctor_tell(d, DOCTOR_WARN, "version",
			    "the server is %s, "
			    "this program %s: update the older one",
			    version, PACKAGE_VERSION);
	return true;
}

static bool add_live(const char *state, struct json_object *n, void *arg)
{
	static const char *const live[] = {
		"active",
		"idle",
		"busy",
		"draining",
	};
	int64_t *total = arg;

	for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
		if (strcmp(state, live[i]) == 0 && json_type(n) == JSON_INT)
			*total += json_int(n);
	return true;
}

static void pilots(struct doctor *d)
{
	struct call_answer answer;
	struct json_object *now, *states;
	struct err e = ERR_INIT;
	int64_t n = 0;

	if (!call_get(d->c, d->c->arena, "/api/v1/summary", &answer, &e)) {
		doctor_tell(d, DOCTOR_WARN, "pilots", "%s", e.text);
		return;
	}
	now = json_get(answer.doc, "now");
	states = now ? json_get(now, "pilots") : NULL;
	if (states != NULL && json_type(states) == JSON_OBJECT)
		json_each(states, add_live, &n);
	if (n == 0)
		doctor_tell(d, DOCTOR_WARN, "pilots",
			    "none lives, so no job "
			    "starts: `sortie pilot start` starts one here");
	else
		doctor_tell(d, DOCTOR_OK, "pilots", "%" PRId64 " live", n);
}

void doctor_server(struct doctor *d)
{
	if (!reachable(d))
		return;
	ready(d);
	if (token(d))
		pilots(d);
}
