/* Server side of TLS: certificate, key and their replacement while running. */
#ifndef SORTIE_SERVER_TLS_H
#define SORTIE_SERVER_TLS_H

#include <stdbool.h>
#include "lib/err.h"

struct ssl_st;
struct tls;

/* TLS 1.2 or newer. client_ca: file of authorities that clients' certificates
 * must come from, NULL = clients need none. NULL on failure. */
struct tls *tls_new(const char *cert, const char *key, const char *client_ca,
		    struct err *e);
/* Reads the files again; the old certificate stays when that fails. Open
 * connections keep theirs. */
bool tls_reload(struct tls *t, struct err *e) MUST_CHECK;
void tls_free(struct tls *t);
/* A new connection's state, which the caller owns; never NULL (dies). */
struct ssl_st *tls_accept(struct tls *t);
/* Tells the peer that nothing more will be sent. */
void tls_bye(struct ssl_st *ssl);

#endif
