/*
 * Calls of the HTTP client on a loop: none blocks or starves another, each end
 * is told once and from the loop, and whatever its owner does then is safe.
 */
#include <event2/event.h>
#include <signal.h>
#include "lib/httpc.h"
#include "tests/unit/stub_server.h"
#include "tests/unit/unit.h"

static struct stub_server server;
static struct event_base *base;

static void there_is_a_server(void)
{
	stub_server_start(&server, unit_path("socket"), unit_path("ca.pem"));
	CHECK_TRUE(server.pid > 0);
}

struct tally {
	int answered, failed, wanted;
	struct httpc *pool;
	struct httpc_call *victim;
	struct err err;
};

static void on_done(const struct httpc_reply *reply, void *arg)
{
	struct tally *t = arg;

	if (reply->ok && reply->status == 200)
		t->answered++;
	else
		t->failed++;
	t->err = reply->err;
	if (t->answered + t->failed == t->wanted)
		event_base_loopbreak(base);
}

static struct httpc_call *start(struct httpc *c, const char *path,
				httpc_done_fn *done, struct tally *t)
{
	struct httpc_request r = { .method = "GET",
				   .base = server.http,
				   .path = path,
				   .timeout_ms = 20000 };

	return httpc_start(c, &r, done, t);
}

static void parked_calls_starve_nobody(void)
{
	struct httpc *c = httpc_new(base, NULL);
	struct tally parked = { .wanted = 1000 }, t = { .wanted = 500 };

	for (int i = 0; i < 40; i++)
		start(c, "/wait", on_done, &parked);
	for (int i = 0; i < t.wanted; i++)
		start(c, "/echo", on_done, &t);
	CHECK_INT_EQ(t.answered, 0);
	event_base_dispatch(base);
	CHECK_INT_EQ(t.answered, 500);
	CHECK_INT_EQ(parked.answered + parked.failed, 0);
	httpc_free(c);
}

static void one_connection_carries_call_after_call(void)
{
	struct httpc *c = httpc_new(base, NULL);

	for (int i = 0; i < 100; i++) {
		struct tally t = { .wanted = 1 };

		start(c, "/echo", on_done, &t);
		event_base_dispatch(base);
		CHECK_INT_EQ(t.answered, 1);
	}
	httpc_free(c);
}

static void a_cancelled_call_is_never_heard_of(void)
{
	struct httpc *c = httpc_new(base, NULL);
	struct tally gone = { .wanted = 1 }, t = { .wanted = 1 };
	struct httpc_request bad = { .method = "GET",
				     .base = "nonsense",
				     .path = "/" };

	httpc_cancel(start(c, "/echo", on_done, &gone));
	httpc_cancel(httpc_start(c, &bad, on_done, &gone));
	start(c, "/echo", on_done, &t);
	event_base_dispatch(base);
	CHECK_INT_EQ(t.answered, 1);
	CHECK_INT_EQ(gone.answered + gone.failed, 0);
	httpc_free(c);
}

static void an_impossible_request_fails_from_the_loop(void)
{
	struct httpc *c = httpc_new(base, NULL);
	struct tally t = { .wanted = 1 };
	struct httpc_request bad = { .method = "GET",
				     .base = "nonsense",
				     .path = "/" };

	httpc_start(c, &bad, on_done, &t);
	CHECK_INT_EQ(t.failed, 0);
	event_base_dispatch(base);
	CHECK_INT_EQ(t.failed, 1);
	CHECK_CONTAINS(t.err.text, "\"nonsense\" is not understood");
	httpc_free(c);
}

static void a_loop_that_finds_nobody_says_so(void)
{
	struct httpc *c = httpc_new(base, NULL);
	struct tally t = { .wanted = 1 };
	struct httpc_request r = { .method = "GET",
				   .base = "http://127.0.0.1:1",
				   .path = "/" };

	httpc_start(c, &r, on_done, &t);
	event_base_dispatch(base);
	CHECK_CONTAINS(t.err.text, "connection refused");
	httpc_free(c);
}

static void on_done_cancel(const struct httpc_reply *reply, void *arg)
{
	struct tally *t = arg;

	if (t->victim)
		httpc_cancel(t->victim);
	t->victim = NULL;
	start(t->pool, "/echo", on_done, t);
	CHECK_TRUE(reply->ok);
}

static void an_end_may_cancel_and_start_others(void)
{
	struct httpc *c = httpc_new(base, NULL);
	struct tally t = { .wanted = 1, .pool = c };

	t.victim = start(c, "/wait", on_done, &t);
	start(c, "/echo", on_done_cancel, &t);
	event_base_dispatch(base);
	CHECK_INT_EQ(t.answered, 1);
	httpc_free(c);
}

static void on_done_free(const struct httpc_reply *reply, void *arg)
{
	struct tally *t = arg;

	t->answered++;
	httpc_free(t->pool);
	CHECK_INT_EQ(reply->status, 200);
	event_base_loopbreak(base);
}

static void an_end_may_free_the_client(void)
{
	struct tally t = { .pool = httpc_new(base, NULL) };

	for (int i = 0; i < 5; i++)
		start(t.pool, "/echo", on_done_free, &t);
	event_base_dispatch(base);
	CHECK_INT_EQ(t.answered, 1);
}

static const struct unit_test tests[] = {
	{ "there is a server to talk to", there_is_a_server },
	{ "parked calls starve nobody", parked_calls_starve_nobody },
	{ "one connection carries call after call",
	  one_connection_carries_call_after_call },
	{ "a cancelled call is never heard of",
	  a_cancelled_call_is_never_heard_of },
	{ "an impossible request fails from the loop",
	  an_impossible_request_fails_from_the_loop },
	{ "a loop that finds nobody says so",
	  a_loop_that_finds_nobody_says_so },
	{ "an end may cancel and start others",
	  an_end_may_cancel_and_start_others },
	{ "an end may free the client", an_end_may_free_the_client },
};

int main(void)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	status = unit_main("httpc_loop", tests, UNIT_N(tests));
	event_base_free(base);
	stub_server_stop(&server);
	libevent_global_shutdown();
	return status;
}
