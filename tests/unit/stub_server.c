/* The server that the HTTP client's tests talk to; see the header. */
#include "tests/unit/stub_server.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>
#include "lib/log.h"

static int cuts_seen;

static const char *method_of(struct evhttp_request *r)
{
	switch (evhttp_request_get_command(r)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	default:
		return "?";
	}
}

static const char *header(struct evhttp_request *r, const char *name)
{
	const char *v =
		evhttp_find_header(evhttp_request_get_input_headers(r), name);

	return v ? v : "-";
}

static void reply_header(struct evhttp_request *r, const char *name,
			 const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(r), name, value);
}

static void echo(struct evhttp_request *r)
{
	struct evbuffer *out = evbuffer_new();

	evbuffer_add_printf(out, "%s %s %s %s %s %s ", method_of(r),
			    evhttp_request_get_uri(r),
			    header(r, "Authorization"),
			    header(r, "Content-Type"), header(r, "Expect"),
			    header(r, "X-Extra"));
	evbuffer_add_buffer(out, evhttp_request_get_input_buffer(r));
	reply_header(r, "Content-Type", "text/plain; charset=utf-8");
	reply_header(r, "X-Trace", "  a value  ");
	evhttp_send_reply(r, 200, "OK", out);
	evbuffer_free(out);
}

static void reply_bytes(struct evhttp_request *r, long n)
{
	struct evbuffer *out = evbuffer_new();

	for (long i = 0; i < n; i++)
		evbuffer_add(out, "x", 1);
	evhttp_send_reply(r, 200, "OK", out);
	evbuffer_free(out);
}

/* Under evhttp's feet; the request is never answered. */
static void cut(struct evhttp_request *r, const char *last_words)
{
	struct evhttp_connection *c = evhttp_request_get_connection(r);
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(c));

	if (send(fd, last_words, strlen(last_words), MSG_NOSIGNAL) < 0)
		log_warn("the stub server cannot send");
	shutdown(fd, SHUT_RDWR);
}

static void on_request(struct evhttp_request *r, void *arg)
{
	const char *uri = evhttp_request_get_uri(r);
	char text[16];

	(void)arg;
	if (!strncmp(uri, "/echo", 5)) {
		echo(r);
	} else if (!strncmp(uri, "/status/", 8)) {
		reply_header(r, "Retry-After", "7");
		evhttp_send_reply(r, atoi(uri + 8), "Status", NULL);
	} else if (!strncmp(uri, "/retry/", 7)) {
		reply_header(r, "Retry-After", uri + 7);
		evhttp_send_reply(r, 503, "Status", NULL);
	} else if (!strncmp(uri, "/bytes/", 7)) {
		reply_bytes(r, atol(uri + 7));
	} else if (!strcmp(uri, "/cut")) {
		cuts_seen++;
		cut(r, "");
	} else if (!strcmp(uri, "/half")) {
		cut(r, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	} else if (!strcmp(uri, "/redirect")) {
		reply_header(r, "Location", "/echo");
		evhttp_send_reply(r, 302, "Found", NULL);
	} else if (!strcmp(uri, "/seen")) {
		struct evbuffer *out = evbuffer_new();

		snprintf(text, sizeof(text), "%d", cuts_seen);
		evbuffer_add(out, text, strlen(text));
		evhttp_send_reply(r, 200, "OK", out);
		evbuffer_free(out);
	}
}

static EVP_PKEY *make_key_and_certificate(const char *path, X509 **out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *san = X509V3_EXT_conf_nid(
		NULL, NULL, NID_subject_alt_name, "DNS:localhost");
	X509_NAME *name = X509_get_subject_name(x);
	FILE *f = fopen(path, "w");

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)"localhost", -1, -1,
				   0);
	X509_set_issuer_name(x, name);
	X509_add_ext(x, san, -1);
	X509_EXTENSION_free(san);
	if (!X509_sign(x, key, EVP_sha256()) || !f || !PEM_write_X509(f, x))
		log_die("the stub server cannot make a certificate");
	fclose(f);
	*out = x;
	return key;
}

static struct bufferevent *new_tls(struct event_base *base, void *arg)
{
	return bufferevent_openssl_socket_new(base, -1, SSL_new(arg),
					      BUFFEREVENT_SSL_ACCEPTING,
					      BEV_OPT_CLOSE_ON_FREE);
}

/* A listening socket on a free port of the loopback address. */
static int listen_tcp(int *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) ||
	    listen(fd, 128) || getsockname(fd, (struct sockaddr *)&in, &len))
		log_die("the stub server cannot listen");
	*port = ntohs(in.sin_port);
	return fd;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) ||
	    listen(fd, 128))
		log_die("the stub server cannot listen on %s", path);
	return fd;
}

static void serve_on(struct event_base *base, int fd, SSL_CTX *tls)
{
	struct evhttp *http = evhttp_new(base);

	evhttp_set_allowed_methods(http,
				   EVHTTP_REQ_GET | EVHTTP_REQ_POST |
					   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
					   EVHTTP_REQ_HEAD | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(http, on_request, NULL);
	if (tls)
		evhttp_set_bevcb(http, new_tls, tls);
	if (evhttp_accept_socket(http, fd))
		log_die("the stub server cannot accept");
}

_Noreturn static void serve(int tcp, int secure, int local, EVP_PKEY *key,
			    X509 *certificate)
{
	struct event_base *base = event_base_new();
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	SSL_CTX_use_certificate(tls, certificate);
	SSL_CTX_use_PrivateKey(tls, key);
	serve_on(base, tcp, NULL);
	serve_on(base, local, NULL);
	serve_on(base, secure, tls);
	event_base_dispatch(base);
	_exit(0);
}

void stub_server_start(struct stub_server *s, const char *socket_path,
		       const char *ca_file)
{
	int port, secure_port, tcp, secure, local;
	EVP_PKEY *key;
	X509 *certificate;

	s->ca_file = ca_file;
	snprintf(s->unix_socket, sizeof(s->unix_socket), "unix:%s",
		 socket_path);
	key = make_key_and_certificate(s->ca_file, &certificate);
	tcp = listen_tcp(&port);
	secure = listen_tcp(&secure_port);
	local = listen_unix(socket_path);
	snprintf(s->http, sizeof(s->http), "http://127.0.0.1:%d", port);
	snprintf(s->https, sizeof(s->https), "https://localhost:%d",
		 secure_port);
	snprintf(s->https_ip, sizeof(s->https_ip), "https://127.0.0.1:%d",
		 secure_port);
	fflush(NULL);
	s->pid = fork();
	if (s->pid < 0)
		log_die("cannot start the stub server");
	if (s->pid == 0)
		serve(tcp, secure, local, key, certificate);
	close(tcp);
	close(secure);
	close(local);
	EVP_PKEY_free(key);
	X509_free(certificate);
}

void stub_server_stop(struct stub_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}
