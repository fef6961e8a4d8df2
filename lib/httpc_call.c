/*
 * One HTTP call: what a request sets in libcurl, what its answer becomes, and
 * what a person is told when there is none.
 */
#include "lib/httpc_call.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "lib/arena.h"
#include "lib/log.h"

#define TIMEOUT_MS 60000
#define CONNECT_TIMEOUT_MS 5000
#define MAX_REPLY ((size_t)64 << 20)
#define MAX_HEADERS ((size_t)256 << 10)

/* An option that this libcurl does not take is our mistake. */
#define SET(easy, option, value)                                      \
	do {                                                          \
		CURLcode rc_ = curl_easy_setopt(easy, option, value); \
		if (rc_ != CURLE_OK)                                  \
			BUG("libcurl refuses " #option ": %s",        \
			    curl_easy_strerror(rc_));                 \
	} while (0)

struct httpc_call *httpc_call_new(struct httpc *pool, bool *answered)
{
	struct httpc_call *call = xcalloc(1, sizeof(*call));

	call->pool = pool;
	call->answered = answered;
	call->easy = curl_easy_init();
	if (!call->easy)
		log_die("libcurl cannot make a handle: out of memory");
	return call;
}

void httpc_call_reset(struct httpc_call *call)
{
	curl_slist_free_all(call->headers);
	free(call->address);
	free(call->url);
	free(call->socket_path);
	call->headers = NULL;
	call->address = call->url = call->socket_path = NULL;
	buf_reset(&call->body);
	buf_reset(&call->reply.body);
	buf_reset(&call->reply.headers);
	call->attempts = 0;
	call->too_large = call->stopped = false;
	call->away = call->near = false;
	call->on_body = NULL;
}

void httpc_call_free(struct httpc_call *call)
{
	httpc_call_reset(call);
	curl_easy_cleanup(call->easy);
	buf_fini(&call->body);
	httpc_reply_fini(&call->reply);
	free(call);
}

void httpc_reply_fini(struct httpc_reply *reply)
{
	buf_fini(&reply->body);
	buf_fini(&reply->headers);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct httpc_call *call = arg;
	size_t len = size * n;

	/* The answer proper follows an interim one (1xx). */
	if (len > 5 && !memcmp(p, "HTTP/", 5))
		buf_reset(&call->reply.headers);
	call->too_large = len > MAX_HEADERS - call->reply.headers.len;
	if (call->too_large)
		return 0;
	buf_add(&call->reply.headers, p, len);
	return len;
}

static bool is_success(CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
	struct httpc_call *call = arg;
	size_t len = size * n;

	if (call->on_body && is_success(call->easy)) {
		call->stopped = !call->on_body(p, len, call->arg);
		return call->stopped ? 0 : len;
	}
	call->too_large = len > call->max_reply - call->reply.body.len;
	if (call->too_large)
		return 0;
	buf_add(&call->reply.body, p, len);
	return len;
}

/* Called each time before the request goes out; a second time means that a
 * kept connection died after the first, which the server may have read. */
static int on_send(void *arg, char *remote, char *local, int remote_port,
		   int local_port)
{
	struct httpc_call *call = arg;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	return ++call->attempts > 1 && !call->repeatable ? CURL_PREREQFUNC_ABORT
							 : CURL_PREREQFUNC_OK;
}

/* 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16. */
static bool is_near_4(const uint8_t a[4])
{
	return a[0] == 0 || a[0] == 127 || (a[0] == 169 && a[1] == 254);
}

static bool is_near(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *a =
			&((const struct sockaddr_in6 *)(const void *)sa)
				 ->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) ||
		       IN6_IS_ADDR_LINKLOCAL(a) ||
		       (IN6_IS_ADDR_V4MAPPED(a) && is_near_4(a->s6_addr + 12));
	}
	return sa->sa_family != AF_INET ||
	       is_near_4((const uint8_t *)&(
				 (const struct sockaddr_in *)(const void *)sa)
				 ->sin_addr);
}

/* No descriptor of ours reaches a payload. The address is looked at here, where
 * no name can lead elsewhere any more. */
static curl_socket_t on_socket_open(void *arg, curlsocktype purpose,
				    struct curl_sockaddr *address)
{
	struct httpc_call *call = arg;

	(void)purpose;
	if (call->away && is_near(&address->addr)) {
		call->near = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
		      address->protocol);
}

static bool is_loopback(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return !strncmp(host, "127.", 4) || !strncmp(host, "[::1]", 5) ||
	       (!strncasecmp(host, "localhost", 9) &&
		(host[9] == ':' || host[9] == '/' || host[9] == '\0'));
}

/* Splits the address into a URL and, for unix:, the socket's path. */
static bool set_address(struct httpc_call *call, const struct httpc_request *r)
{
	struct err *e = &call->reply.err;
	const char *base = r->base;
	size_t len = strlen(base);

	if (r->path[0] != '/')
		return err_set(e, ERR_BAD_REQUEST,
			       "the path \"%s\" must "
			       "begin with \"/\"",
			       r->path);
	if (!strncmp(base, "unix:/", 6)) {
		struct sockaddr_un un;

		if (len - 5 >= sizeof(un.sun_path))
			return err_set(e, ERR_BAD_REQUEST,
				       "the socket's path "
				       "in \"%s\" is longer than %zu bytes",
				       base, sizeof(un.sun_path) - 1);
		call->socket_path = xstrdup(base + 5);
		call->url = xasprintf("http://localhost%s", r->path);
		return true;
	}
	if (strncasecmp(base, "http://", 7) != 0 &&
	    strncasecmp(base, "https://", 8) != 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the server's address "
			       "\"%s\" is not understood: write "
			       "http://HOST:PORT, https://HOST:PORT or "
			       "unix:/PATH",
			       base);
	if (strchr(base, '@'))
		return err_set(e, ERR_BAD_REQUEST,
			       "the server's address must "
			       "not contain a user name or password: use a "
			       "token");
	while (len && base[len - 1] == '/')
		len--;
	call->url = xasprintf("%.*s%s", (int)len, base, r->path);
	return true;
}

static bool add_header(struct httpc_call *call, const char *name,
		       const char *value)
{
	struct curl_slist *list;
	char *line = xasprintf("%s%s", name, value);

	/* The value may be a secret: the message does not show it. */
	if (strpbrk(line, "\r\n")) {
		free(line);
		return err_set(&call->reply.err, ERR_BAD_REQUEST,
			       "the "
			       "header \"%.*s\" contains a line break",
			       (int)strcspn(name[0] ? name : value, ":\r\n"),
			       name[0] ? name : value);
	}
	list = curl_slist_append(call->headers, line);
	if (!list)
		log_die("out of memory");
	call->headers = list;
	free(line);
	return true;
}

static bool set_headers(struct httpc_call *call, const struct httpc_request *r)
{
	/* libcurl would wait a second for a 100 that need not come. */
	bool ok = add_header(call, "Expect:", "");

	if (ok && r->token)
		ok = add_header(call, "Authorization: Bearer ", r->token);
	if (ok && r->body)
		ok = add_header(call, "Content-Type: ",
				r->content_type ? r->content_type
						: "application/json");
	for (size_t i = 0; ok && r->headers && r->headers[i]; i++) {
		ok = add_header(call, "", r->headers[i]);
		if (!strncasecmp(r->headers[i], "Idempotency-Key:", 16))
			call->repeatable = true;
	}
	SET(call->easy, CURLOPT_HTTPHEADER, call->headers);
	return ok;
}

static void set_method(struct httpc_call *call, const struct httpc_request *r)
{
	CURL *easy = call->easy;
	const char *m = r->method;
	bool get = !strcmp(m, "GET"), head = !strcmp(m, "HEAD");
	bool post = !strcmp(m, "POST"), put = !strcmp(m, "PUT");

	call->repeatable = get || head || put || !strcmp(m, "DELETE");
	if (r->body || post || put) {
		buf_add(&call->body, r->body ? r->body : "", r->body_len);
		SET(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)call->body.len);
		SET(easy, CURLOPT_POSTFIELDS, buf_str(&call->body));
	}
	if (head)
		SET(easy, CURLOPT_NOBODY, 1L);
	if (!head && (!get || r->body) && (!post))
		SET(easy, CURLOPT_CUSTOMREQUEST, m);
}

static void set_tls(CURL *easy, const struct httpc_tls *tls)
{
	SET(easy, CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, tls->insecure ? 0L : 2L);
	if (tls->ca_file)
		SET(easy, CURLOPT_CAINFO, tls->ca_file);
	if (tls->cert_file)
		SET(easy, CURLOPT_SSLCERT, tls->cert_file);
	if (tls->key_file)
		SET(easy, CURLOPT_SSLKEY, tls->key_file);
}

static void set_transfer(struct httpc_call *call)
{
	CURL *easy = call->easy;

	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, CURLOPT_TCP_NODELAY, 1L);
	SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(easy, CURLOPT_USERAGENT, "sortie");
	SET(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_timeout_ms);
	SET(easy, CURLOPT_HEADERFUNCTION, on_header);
	SET(easy, CURLOPT_HEADERDATA, call);
	SET(easy, CURLOPT_WRITEFUNCTION, on_data);
	SET(easy, CURLOPT_WRITEDATA, call);
	SET(easy, CURLOPT_PREREQFUNCTION, on_send);
	SET(easy, CURLOPT_PREREQDATA, call);
	SET(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_open);
	SET(easy, CURLOPT_OPENSOCKETDATA, call);
	SET(easy, CURLOPT_PRIVATE, call);
	SET(easy, CURLOPT_URL, call->url);
	if (call->socket_path)
		SET(easy, CURLOPT_UNIX_SOCKET_PATH, call->socket_path);
	if (call->socket_path || is_loopback(call->url))
		SET(easy, CURLOPT_PROXY, "");
}

bool httpc_call_prepare(struct httpc_call *call, const struct httpc_tls *tls,
			const struct httpc_request *r)
{
	struct buf body = call->reply.body, headers = call->reply.headers;

	call->reply = (struct httpc_reply){ .body = body, .headers = headers };
	call->address = xstrdup(r->base);
	call->timeout_ms = r->timeout_ms ? r->timeout_ms : TIMEOUT_MS;
	call->connect_timeout_ms = r->connect_timeout_ms ? r->connect_timeout_ms
							 : CONNECT_TIMEOUT_MS;
	call->max_reply = r->max_reply ? r->max_reply : MAX_REPLY;
	call->away = r->away;
	if (!set_address(call, r))
		return false;
	curl_easy_reset(call->easy);
	set_method(call, r);
	if (!set_headers(call, r))
		return false;
	set_transfer(call);
	set_tls(call->easy, tls);
	return true;
}

/* What follows "cannot connect to ADDRESS: ". */
static void explain_connect(struct httpc_call *call)
{
	struct httpc_reply *reply = &call->reply;
	long number = 0;

	if (call->near) {
		err_set(&reply->err, ERR_FORBIDDEN,
			"%s is a loopback or link-local address, where this "
			"call may not go",
			call->address);
		return;
	}
	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
	reply->refused = number == ECONNREFUSED ||
			 (call->socket_path && number == ENOENT);
	if (reply->refused)
		err_set(&reply->err, ERR_UNAVAILABLE,
			"cannot connect to %s: "
			"%s; is the server running there?",
			call->address,
			number == ENOENT ? "no such socket"
					 : "connection refused");
	else
		err_set(&reply->err, ERR_UNAVAILABLE,
			"cannot connect to %s: "
			"%s; check the address and the network",
			call->address,
			number ? strerror((int)number)
			       : "the host cannot be reached");
}

static void explain_timeout(struct httpc_call *call)
{
	struct httpc_reply *reply = &call->reply;
	curl_off_t connected = 0;

	curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (reply->sent || connected)
		err_set(&reply->err, ERR_TIMEOUT,
			"no complete answer from %s "
			"within %" PRId64 " ms",
			call->address, call->timeout_ms);
	else
		err_set(&reply->err, ERR_TIMEOUT,
			"cannot connect to %s: no "
			"answer within %" PRId64 " ms; check the address and "
			"the network",
			call->address,
			call->connect_timeout_ms < call->timeout_ms
				? call->connect_timeout_ms
				: call->timeout_ms);
}

/* Nothing ever came back over plain HTTP: so does a port for TLS behave. */
static bool is_maybe_tls(const struct httpc_call *call)
{
	return !*call->answered && call->reply.headers.len == 0 &&
	       !strncasecmp(call->address, "http://", 7);
}

static void explain_lost(struct httpc_call *call)
{
	struct httpc_reply *reply = &call->reply;

	if (reply->sent && is_maybe_tls(call))
		err_set(&reply->err, ERR_OUTCOME_UNKNOWN,
			"%s closed the connection without an answer: if the "
			"server speaks TLS, write https://; else the request "
			"may have been carried out",
			call->address);
	else if (reply->sent)
		err_set(&reply->err, ERR_OUTCOME_UNKNOWN,
			"the connection to "
			"%s was lost before its answer was complete; the "
			"request may have been carried out",
			call->address);
	else
		err_set(&reply->err, ERR_UNAVAILABLE,
			"the connection to %s "
			"was lost before the request was sent; try again",
			call->address);
}

/* All other results that a person can do something about; address, then
 * libcurl's own words. */
static const struct {
	CURLcode result;
	enum err_code code;
	const char *what, *advice;
} explanations[] = {
	{ CURLE_URL_MALFORMAT, ERR_BAD_REQUEST, "the address is not a URL",
	  "write http://HOST:PORT, https://HOST:PORT or unix:/PATH" },
	{ CURLE_COULDNT_RESOLVE_HOST, ERR_UNAVAILABLE,
	  "the host name is not known", "check the server's address" },
	{ CURLE_COULDNT_RESOLVE_PROXY, ERR_UNAVAILABLE,
	  "the proxy's host name is not known",
	  "check http_proxy and https_proxy in the environment" },
	{ CURLE_PEER_FAILED_VERIFICATION, ERR_UNAVAILABLE,
	  "the server's certificate is not valid for this address or not "
	  "signed by an authority that is trusted here",
	  "name the authority's certificate file (--ca-file)" },
	{ CURLE_SSL_CONNECT_ERROR, ERR_UNAVAILABLE,
	  "no TLS connection came about", "does the server speak https?" },
	{ CURLE_SSL_CACERT_BADFILE, ERR_BAD_REQUEST,
	  "the file of trusted authorities cannot be read",
	  "check its path and mode" },
	{ CURLE_SSL_CERTPROBLEM, ERR_BAD_REQUEST,
	  "the client's certificate or key cannot be used",
	  "check their paths and modes" },
	{ CURLE_WEIRD_SERVER_REPLY, ERR_UNAVAILABLE, "the answer is not HTTP",
	  "is it a Sortie server, and not one for https?" },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_UNAVAILABLE, "the answer is not HTTP",
	  "is it a Sortie server, and not one for https?" },
};

static void explain_other(struct httpc_call *call, CURLcode result)
{
	struct err *e = &call->reply.err;

	for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]);
	     i++) {
		if (explanations[i].result != result)
			continue;
		err_set(e, explanations[i].code, "cannot use %s: %s; %s",
			call->address, explanations[i].what,
			explanations[i].advice);
		return;
	}
	err_set(e, ERR_UNAVAILABLE, "the call to %s failed: %s", call->address,
		curl_easy_strerror(result));
}

static void explain(struct httpc_call *call, CURLcode result)
{
	long sent = 0;

	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
	call->reply.sent = sent > 0;
	switch (result) {
	case CURLE_COULDNT_CONNECT:
		explain_connect(call);
		return;
	case CURLE_OPERATION_TIMEDOUT:
		explain_timeout(call);
		return;
	case CURLE_ABORTED_BY_CALLBACK: /* on_send: it was sent */
		call->reply.sent = true;
		explain_lost(call);
		return;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		explain_lost(call);
		return;
	case CURLE_WRITE_ERROR:
		err_set(&call->reply.err, ERR_TOO_LARGE,
			"the answer of %s "
			"has more than %zu bytes",
			call->address, call->max_reply);
		return;
	default:
		explain_other(call, result);
	}
}

void httpc_call_finish(struct httpc_call *call, CURLcode result)
{
	struct httpc_reply *reply = &call->reply;
	const char *type = NULL;
	curl_off_t retry_after = 0;
	long status = 0;

	if (result != CURLE_OK && !call->stopped) {
		explain(call, result);
		return;
	}
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
	reply->ok = true;
	reply->sent = true;
	*call->answered = true;
	reply->status = (int)status;
	/* Whoever answers may write any number there. */
	reply->retry_after_s = retry_after < 0 ? 0
			       : retry_after > HTTPC_RETRY_MAX_S
				       ? HTTPC_RETRY_MAX_S
				       : retry_after;
	if (type)
		strncpy(reply->content_type, type,
			sizeof(reply->content_type) - 1);
}

const char *httpc_reply_header(const struct httpc_reply *r, const char *name,
			       char *out, size_t cap)
{
	const char *p = buf_str(&r->headers), *eol;
	size_t n = strlen(name);

	for (; *p; p = eol + strspn(eol, "\r\n")) {
		eol = p + strcspn(p, "\r\n");
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			continue;
		p += n + 1;
		p += strspn(p, " \t");
		while (eol > p && (eol[-1] == ' ' || eol[-1] == '\t'))
			eol--;
		if ((size_t)(eol - p) >= cap)
			return NULL;
		memcpy(out, p, (size_t)(eol - p));
		out[eol - p] = '\0';
		return out;
	}
	return NULL;
}

void httpc_escape(struct buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (isalnum(c) || strchr("-._~", c))
			buf_addc(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}
