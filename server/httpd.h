/*
 * The HTTP server: it reads what arrives on the listening sockets (http_head,
 * http_chunks), turns each request into a struct req, hands it to
 * route_dispatch, and sends the one reply.
 *
 * Bounds: head 16 KiB and 64 fields, body 1 MiB, all bodies together 256 MiB,
 * connections by option (beyond it new ones wait in the kernel); 30 s from
 * accept (or a request's first byte) to the complete request, 120 s until a
 * reply is taken, 75 s of idleness.
 */
#ifndef SORTIE_SERVER_HTTPD_H
#define SORTIE_SERVER_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/err.h"

struct server;
struct httpd;
struct tls;

#define HTTPD_BODY_MAX ((size_t)1 << 20) /* unless the route takes more */

/* Needs srv->base, srv->set and srv->metrics. */
struct httpd *httpd_new(struct server *srv);
/* Serves the listening sockets that listen_open made; TLS where tls is not
 * NULL. The sockets belong to httpd from now on, even on failure. */
bool httpd_add(struct httpd *h, int fd, bool unix_socket, struct tls *tls,
	       struct err *e) MUST_CHECK;
/* No new connections and requests: idle connections are closed, running
 * requests answered with Connection: close. drained is called once, from the
 * loop, when no request is left or max_ms are over. */
void httpd_drain(struct httpd *h, int max_ms, void (*drained)(void *arg),
		 void *arg);
/* Closes everything; requests that still wait are dropped without a reply,
 * so whoever owns them must be gone. */
void httpd_free(struct httpd *h);

size_t httpd_connections(const struct httpd *h);

#endif
