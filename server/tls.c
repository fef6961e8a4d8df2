/* Holds the certificate that new TLS connections are accepted with. */
#include "server/tls.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "lib/arena.h"
#include "lib/log.h"

struct tls {
	char *cert;
	char *key;
	char *client_ca; /* NULL = none asked for */
	SSL_CTX *ctx;
};

/* The reason of OpenSSL's oldest complaint; its queue is emptied. */
static bool ssl_fault(struct err *e, const char *what, const char *file)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_SYSTEM_ERROR(code)
				     ? strerror(ERR_GET_REASON(code))
				     : ERR_reason_error_string(code);

	ERR_clear_error();
	return err_set(e, ERR_IO, "cannot use the %s in \"%s\": %s", what, file,
		       reason == NULL ? "unknown reason" : reason);
}

static bool ctx_fill(SSL_CTX *ctx, const struct tls *t, struct err *e)
{
	static const unsigned char session_id[] = "sortied";

	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(ctx, session_id, sizeof(session_id) - 1);
	if (SSL_CTX_use_certificate_chain_file(ctx, t->cert) != 1)
		return ssl_fault(e, "certificate", t->cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, t->key, SSL_FILETYPE_PEM) != 1)
		return ssl_fault(e, "key", t->key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return ssl_fault(e, "key (it is not the certificate's)",
				 t->key);
	if (t->client_ca == NULL)
		return true;
	if (SSL_CTX_load_verify_locations(ctx, t->client_ca, NULL) != 1)
		return ssl_fault(e, "authorities", t->client_ca);
	SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(t->client_ca));
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

bool tls_reload(struct tls *t, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		log_die("no memory for TLS");
	if (!ctx_fill(ctx, t, e)) {
		SSL_CTX_free(ctx);
		return false;
	}
	SSL_CTX_free(t->ctx);
	t->ctx = ctx;
	return true;
}

struct tls *tls_new(const char *cert, const char *key, const char *client_ca,
		    struct err *e)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	t->cert = xstrdup(cert);
	t->key = xstrdup(key);
	t->client_ca = client_ca == NULL ? NULL : xstrdup(client_ca);
	if (tls_reload(t, e))
		return t;
	tls_free(t);
	return NULL;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t->cert);
	free(t->key);
	free(t->client_ca);
	free(t);
}

void tls_bye(struct ssl_st *ssl)
{
	SSL_shutdown(ssl);
	ERR_clear_error();
}

struct ssl_st *tls_accept(struct tls *t)
{
	SSL *ssl = SSL_new(t->ctx);

	if (ssl == NULL)
		log_die("no memory for a TLS connection");
	return ssl;
}
