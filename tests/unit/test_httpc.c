/*
 * The HTTP client says truly what became of a request: answered, not sent, or
 * sent with an unknown outcome.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "lib/arena.h"
#include "lib/httpc.h"
#include "tests/unit/stub_server.h"
#include "tests/unit/unit.h"

static struct stub_server server;
static struct httpc *client;
static struct httpc_reply last; /* of call(); ended by the next one */

static void call_with(struct httpc *c, const struct httpc_request *r)
{
	httpc_reply_fini(&last);
	httpc_call_wait(c, r, &last, NULL, NULL);
}

static void call(const char *method, const char *address, const char *path)
{
	struct httpc_request r = { .method = method,
				   .base = address,
				   .path = path,
				   .timeout_ms = 20000 };

	call_with(client, &r);
}

static void there_is_a_server(void)
{
	stub_server_start(&server, unit_path("socket"), unit_path("ca.pem"));
	call("GET", server.http, "/echo");
	REQUIRE(last.ok);
}

static void an_answer_arrives_whole(void)
{
	call("GET", server.http, "/echo?a=b");
	CHECK_OK(last.ok, last.err);
	CHECK_TRUE(last.sent);
	CHECK_INT_EQ(last.status, 200);
	CHECK_STR_EQ(last.content_type, "text/plain; charset=utf-8");
	CHECK_STR_EQ(buf_str(&last.body), "GET /echo?a=b - - - - ");
	CHECK_INT_EQ(last.retry_after_s, 0);
}

static void a_request_carries_token_type_and_body(void)
{
	const char *headers[] = { "X-Extra: more", NULL };
	struct httpc_request r = { .method = "POST",
				   .base = server.http,
				   .path = "/echo",
				   .token = "t0ken",
				   .body = "{\"a\":1}",
				   .body_len = 7 };

	call_with(client, &r);
	CHECK_STR_EQ(buf_str(&last.body), "POST /echo Bearer t0ken "
					  "application/json - - {\"a\":1}");
	r.content_type = "application/x-ndjson";
	r.headers = headers;
	r.token = NULL;
	call_with(client, &r);
	CHECK_STR_EQ(buf_str(&last.body), "POST /echo - "
					  "application/x-ndjson - more "
					  "{\"a\":1}");
}

static void every_method_goes_out_as_itself(void)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH",
					       "DELETE" };

	for (size_t i = 0; i < UNIT_N(methods); i++) {
		call(methods[i], server.http, "/echo");
		CHECK_OK(last.ok, last.err);
		CHECK_UINT_EQ(strlen(methods[i]),
			      strcspn(buf_str(&last.body), " "));
		CHECK_CONTAINS(buf_str(&last.body), methods[i]);
	}
	call("HEAD", server.http, "/echo");
	CHECK_INT_EQ(last.status, 200);
	CHECK_UINT_EQ(last.body.len, 0);
}

static void a_large_body_goes_out_at_once(void)
{
	size_t len = 3 << 20;
	char *body = calloc(1, len);
	struct httpc_request r = { .method = "PUT",
				   .base = server.http,
				   .path = "/echo",
				   .body = body,
				   .body_len = len };

	memset(body, 'b', len);
	call_with(client, &r);
	CHECK_OK(last.ok, last.err);
	CHECK_UINT_EQ(last.body.len, len + strlen("PUT /echo - "
						  "application/json - - "));
	free(body);
}

static void a_unix_socket_is_an_address_too(void)
{
	call("GET", server.unix_socket, "/echo");
	CHECK_OK(last.ok, last.err);
	CHECK_INT_EQ(last.status, 200);
}

static void no_retry_after_is_without_bounds(void)
{
	call("GET", server.http, "/retry/9223372036854775806");
	CHECK_INT_EQ(last.retry_after_s, HTTPC_RETRY_MAX_S);
	call("GET", server.http, "/retry/-5");
	CHECK_INT_EQ(last.retry_after_s, 0);
	call("GET", server.http, "/retry/Sun,%2006%20Nov%201994");
	CHECK_INT_EQ(last.retry_after_s, 0);
}

static void any_status_is_an_answer(void)
{
	char text[16];

	call("GET", server.http, "/status/503");
	CHECK_TRUE(last.ok);
	CHECK_INT_EQ(last.status, 503);
	CHECK_INT_EQ(last.retry_after_s, 7);
	CHECK_STR_EQ(
		httpc_reply_header(&last, "retry-after", text, sizeof(text)),
		"7");
}

static void a_redirect_is_not_followed(void)
{
	char text[16];

	call("GET", server.http, "/redirect");
	CHECK_INT_EQ(last.status, 302);
	CHECK_STR_EQ(httpc_reply_header(&last, "Location", text, sizeof(text)),
		     "/echo");
}

static void a_header_is_found_trimmed_or_not_at_all(void)
{
	char text[8];

	call("GET", server.http, "/echo");
	CHECK_STR_EQ(httpc_reply_header(&last, "x-trace", text, sizeof(text)),
		     "a value");
	CHECK_NULL(httpc_reply_header(&last, "x-trace", text, 7));
	CHECK_NULL(httpc_reply_header(&last, "x-trac", text, sizeof(text)));
}

static void nobody_listening_is_told_with_the_address(void)
{
	call("GET", "http://127.0.0.1:1", "/");
	CHECK_FALSE(last.ok);
	CHECK_FALSE(last.sent);
	CHECK_TRUE(last.refused);
	CHECK_INT_EQ(last.status, 0);
	CHECK_STR_EQ(last.err.text, "cannot connect to http://127.0.0.1:1: "
				    "connection refused; is the server running "
				    "there?");
	call("GET", "unix:/nonexistent/socket", "/");
	CHECK_TRUE(last.refused);
	CHECK_STR_EQ(last.err.text, "cannot connect to "
				    "unix:/nonexistent/socket: no such "
				    "socket; is the server running there?");
}

static void an_unknown_host_is_not_sent(void)
{
	call("GET", "http://no-such-host.invalid:80", "/");
	CHECK_FALSE(last.ok);
	CHECK_FALSE(last.sent);
	CHECK_FALSE(last.refused);
	CHECK_STR_EQ(last.err.text, "cannot use http://no-such-host.invalid:80"
				    ": the host name is not known; check the "
				    "server's address");
}

static void addresses_that_are_none_are_refused(void)
{
	static const struct {
		const char *address, *path, *sentence;
	} cases[] = {
		{ "ftp://x", "/",
		  "the server's address \"ftp://x\" is not understood: write "
		  "http://HOST:PORT, https://HOST:PORT or unix:/PATH" },
		{ "", "/",
		  "the server's address \"\" is not understood: write "
		  "http://HOST:PORT, https://HOST:PORT or unix:/PATH" },
		{ "http://a:b@c", "/",
		  "the server's address must not contain a user name or "
		  "password: use a token" },
		{ "http://127.0.0.1", "x",
		  "the path \"x\" must begin with "
		  "\"/\"" },
		{ "http://127.0.0.1:99999", "/",
		  "cannot use http://127.0.0.1:99999: the address is not a "
		  "URL; write http://HOST:PORT, https://HOST:PORT or "
		  "unix:/PATH" },
	};
	char address[200];

	for (size_t i = 0; i < UNIT_N(cases); i++) {
		call("GET", cases[i].address, cases[i].path);
		CHECK_FALSE(last.ok);
		CHECK_FALSE(last.sent);
		CHECK_INT_EQ(last.err.code, ERR_BAD_REQUEST);
		CHECK_STR_EQ(last.err.text, cases[i].sentence);
	}
	memset(address, 'x', sizeof(address) - 1);
	address[sizeof(address) - 1] = '\0';
	memcpy(address, "unix:/", 6);
	call("GET", address, "/");
	CHECK_CONTAINS(last.err.text, "is longer than 107 bytes");
}

static void a_line_break_cannot_smuggle_a_header(void)
{
	const char *headers[] = { "X-A: b\r\nX-C: d", NULL };
	struct httpc_request r = { .method = "GET",
				   .base = server.http,
				   .path = "/echo",
				   .token = "a\r\nX-C: d" };

	call_with(client, &r);
	CHECK_FALSE(last.ok);
	CHECK_STR_EQ(last.err.text, "the header \"Authorization\" contains a "
				    "line break");
	r.token = NULL;
	r.headers = headers;
	call_with(client, &r);
	CHECK_STR_EQ(last.err.text, "the header \"X-A\" contains a line "
				    "break");
}

static void an_answer_too_late_may_have_been_carried_out(void)
{
	struct httpc_request r = { .method = "GET",
				   .base = server.http,
				   .path = "/wait",
				   .timeout_ms = 50 };
	char sentence[200];

	call_with(client, &r);
	CHECK_FALSE(last.ok);
	CHECK_TRUE(last.sent);
	CHECK_INT_EQ(last.err.code, ERR_TIMEOUT);
	snprintf(sentence, sizeof(sentence),
		 "no complete answer from %s within 50 ms", server.http);
	CHECK_STR_EQ(last.err.text, sentence);
}

static void check_lost(void)
{
	char sentence[200];

	snprintf(sentence, sizeof(sentence),
		 "the connection to %s was lost before its answer was "
		 "complete; the request may have been carried out",
		 server.http);
	CHECK_FALSE(last.ok);
	CHECK_TRUE(last.sent);
	CHECK_FALSE(last.refused);
	CHECK_INT_EQ(last.err.code, ERR_OUTCOME_UNKNOWN);
	CHECK_STR_EQ(last.err.text, sentence);
}

static int cuts(void)
{
	call("GET", server.http, "/seen");
	return atoi(buf_str(&last.body));
}

/* libcurl repeats what it sent on a kept connection that turns out dead. */
static void a_post_is_never_sent_twice(void)
{
	const char *key[] = { "Idempotency-Key: 1", NULL };
	struct httpc_request r = { .method = "POST",
				   .base = server.http,
				   .path = "/cut",
				   .body = "{}",
				   .body_len = 2 };
	int before = cuts();

	call_with(client, &r);
	check_lost();
	CHECK_INT_EQ(cuts() - before, 1);
	r.headers = key;
	call_with(client, &r);
	check_lost();
	CHECK_INT_EQ(cuts() - before, 3);
	call("GET", server.http, "/cut");
	check_lost();
	CHECK_INT_EQ(cuts() - before, 5);
}

static void half_an_answer_is_none(void)
{
	call("GET", server.http, "/half");
	check_lost();
}

static void an_answer_beyond_the_limit_is_refused(void)
{
	struct httpc_request r = { .method = "GET",
				   .base = server.http,
				   .path = "/bytes/100001",
				   .max_reply = 100000 };

	call_with(client, &r);
	CHECK_FALSE(last.ok);
	CHECK_INT_EQ(last.err.code, ERR_TOO_LARGE);
	CHECK_CONTAINS(last.err.text, "has more than 100000 bytes");
	r.path = "/bytes/100000";
	call_with(client, &r);
	CHECK_OK(last.ok, last.err);
	CHECK_UINT_EQ(last.body.len, 100000);
}

struct stream {
	size_t len, stop_at;
};

static bool on_piece(const char *p, size_t len, void *arg)
{
	struct stream *s = arg;

	(void)p;
	s->len += len;
	return s->len < s->stop_at;
}

static void a_stream_comes_in_pieces_and_may_be_stopped(void)
{
	struct stream s = { 0, SIZE_MAX };
	struct httpc_request r = { .method = "GET",
				   .base = server.http,
				   .path = "/bytes/1000000",
				   .max_reply = 10 };

	httpc_reply_fini(&last);
	httpc_call_wait(client, &r, &last, on_piece, &s);
	CHECK_OK(last.ok, last.err);
	CHECK_UINT_EQ(s.len, 1000000);
	CHECK_UINT_EQ(last.body.len, 0);
	s = (struct stream){ 0, 1000 };
	httpc_reply_fini(&last);
	httpc_call_wait(client, &r, &last, on_piece, &s);
	CHECK_OK(last.ok, last.err);
	CHECK_INT_EQ(last.status, 200);
	CHECK_TRUE(s.len < 1000000);
}

static void a_refusal_is_not_part_of_the_stream(void)
{
	struct stream s = { 0, 0 };
	struct httpc_request r = { .method = "GET",
				   .base = server.http,
				   .path = "/redirect" };

	httpc_reply_fini(&last);
	httpc_call_wait(client, &r, &last, on_piece, &s);
	CHECK_TRUE(last.ok);
	CHECK_UINT_EQ(s.len, 0);
}

static void certificate_and_host_name_are_checked(void)
{
	struct httpc_tls tls = { .ca_file = server.ca_file };
	struct httpc *trusting = httpc_new(NULL, &tls);
	struct httpc *careless =
		httpc_new(NULL, &(struct httpc_tls){ .insecure = true });
	struct httpc_request r = { .method = "GET",
				   .base = server.https,
				   .path = "/echo" };

	call_with(client, &r);
	CHECK_FALSE(last.ok);
	CHECK_FALSE(last.sent);
	CHECK_CONTAINS(last.err.text, "the server's certificate is not valid "
				      "for this address or not signed");
	CHECK_CONTAINS(last.err.text, "certificate file (--ca-file)");
	call_with(trusting, &r);
	CHECK_OK(last.ok, last.err);
	r.base = server.https_ip;
	call_with(trusting, &r);
	CHECK_FALSE(last.ok);
	CHECK_CONTAINS(last.err.text, server.https_ip);
	call_with(careless, &r);
	CHECK_OK(last.ok, last.err);
	httpc_free(trusting);
	httpc_free(careless);
}

static void tls_to_a_plain_port_is_explained(void)
{
	char *address = xasprintf("https%s", server.http + 4);

	call("GET", address, "/echo");
	free(address);
	CHECK_FALSE(last.ok);
	CHECK_FALSE(last.sent);
	CHECK_CONTAINS(last.err.text, "no TLS connection came about; does "
				      "the server speak https?");
}

/* Until the server has answered once; then a lost connection is just that. */
static void plain_to_a_tls_port_is_explained(void)
{
	struct httpc *fresh = httpc_new(NULL, NULL);
	char *address = xasprintf("http://127.0.0.1:%s",
				  strrchr(server.https, ':') + 1);
	struct httpc_request r = { .method = "GET",
				   .base = address,
				   .path = "/echo" };

	call_with(fresh, &r);
	CHECK_FALSE(last.ok);
	CHECK_CONTAINS(last.err.text, "https");
	r.base = server.http;
	r.path = "/cut";
	call_with(fresh, &r);
	CHECK_CONTAINS(last.err.text, "if the server speaks TLS, write "
				      "https://");
	r.path = "/echo";
	call_with(fresh, &r);
	CHECK_OK(last.ok, last.err);
	r.path = "/cut";
	call_with(fresh, &r);
	check_lost();
	httpc_free(fresh);
	free(address);
}

static void the_environments_proxy_is_not_used_on_loopback(void)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	call("GET", server.http, "/echo");
	CHECK_OK(last.ok, last.err);
	call("GET", server.unix_socket, "/echo");
	CHECK_OK(last.ok, last.err);
	unsetenv("http_proxy");
}

static void components_are_escaped(void)
{
	struct buf b = BUF_INIT;

	httpc_escape(&b, "a-b_c.d~e f/?&=%\u00e4");
	CHECK_STR_EQ(buf_str(&b), "a-b_c.d~e%20f%2F%3F%26%3D%25%C3%A4");
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "there is a server to talk to", there_is_a_server },
	{ "an answer arrives whole", an_answer_arrives_whole },
	{ "a request carries token, type and body",
	  a_request_carries_token_type_and_body },
	{ "every method goes out as itself", every_method_goes_out_as_itself },
	{ "a large body goes out at once", a_large_body_goes_out_at_once },
	{ "a Unix socket is an address too", a_unix_socket_is_an_address_too },
	{ "any status is an answer", any_status_is_an_answer },
	{ "no Retry-After is without bounds",
	  no_retry_after_is_without_bounds },
	{ "a redirect is not followed", a_redirect_is_not_followed },
	{ "a header is found trimmed or not at all",
	  a_header_is_found_trimmed_or_not_at_all },
	{ "nobody listening is told with the address",
	  nobody_listening_is_told_with_the_address },
	{ "an unknown host is not sent", an_unknown_host_is_not_sent },
	{ "addresses that are none are refused",
	  addresses_that_are_none_are_refused },
	{ "a line break cannot smuggle a header",
	  a_line_break_cannot_smuggle_a_header },
	{ "an answer too late may have been carried out",
	  an_answer_too_late_may_have_been_carried_out },
	{ "a POST is never sent twice", a_post_is_never_sent_twice },
	{ "half an answer is none", half_an_answer_is_none },
	{ "an answer beyond the limit is refused",
	  an_answer_beyond_the_limit_is_refused },
	{ "a stream comes in pieces and may be stopped",
	  a_stream_comes_in_pieces_and_may_be_stopped },
	{ "a refusal is not part of the stream",
	  a_refusal_is_not_part_of_the_stream },
	{ "certificate and host name are checked",
	  certificate_and_host_name_are_checked },
	{ "TLS to a plain port is explained",
	  tls_to_a_plain_port_is_explained },
	{ "plain HTTP to a TLS port is explained",
	  plain_to_a_tls_port_is_explained },
	{ "the environment's proxy is not used on loopback",
	  the_environments_proxy_is_not_used_on_loopback },
	{ "components are escaped", components_are_escaped },
};

int main(void)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	client = httpc_new(NULL, NULL);
	status = unit_main("httpc", tests, UNIT_N(tests));
	httpc_reply_fini(&last);
	httpc_free(client);
	stub_server_stop(&server);
	return status;
}
