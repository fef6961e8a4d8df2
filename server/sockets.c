/* Opens what a server listens on. */
#include "server/sockets.h"

#include <string.h>
#include <unistd.h>
#include "lib/log.h"
#include "server/httpd.h"
#include "server/listen.h"
#include "server/options.h"

static void add(struct sockets *s, struct arena *a, struct listen_socket one)
{
	struct listen_socket *all =
		ARENA_ARRAY(a, struct listen_socket, s->n + 1);

	if (s->n > 0)
		memcpy(all, s->list, s->n * sizeof(*all));
	all[s->n++] = one;
	s->list = all;
}

static bool open_address(struct sockets *s, struct arena *a,
			 const struct settings *set, const char *text,
			 struct err *e)
{
	struct listen_socket *made;
	struct listen_addr addr;
	size_t n;

	if (!listen_parse(a, text, &addr, e))
		return false;
	addr.tls = set->tls_cert != NULL && !addr.plain && addr.path == NULL;
	if (!listen_open(a, &addr, set->socket_group, &made, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		add(s, a, made[i]);
	return true;
}

static bool check_plain(const struct sockets *s, const struct settings *set,
			struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct listen_socket *one = &s->list[i];

		if (one->tls || one->loopback || set->allow_plain_http)
			continue;
		return err_set(e, ERR_BAD_REQUEST,
			       "refusing to serve at %s "
			       "without TLS: tokens would travel in the "
			       "clear; give --tls-cert, or "
			       "--allow-plain-http behind a proxy that adds "
			       "TLS",
			       one->text);
	}
	return true;
}

bool sockets_open(struct sockets *s, struct arena *a,
		  const struct settings *set, struct err *e)
{
	struct listen_socket *list;
	size_t n;

	if (!listen_inherited(a, &list, &n, e))
		return false;
	s->borrowed = n > 0;
	for (size_t i = 0; i < n; i++) {
		list[i].tls = set->tls_cert != NULL && !list[i].unix_socket;
		add(s, a, list[i]);
	}
	for (size_t i = 0; n == 0 && set->listen[i] != NULL; i++)
		if (!open_address(s, a, set, set->listen[i], e))
			return false;
	return check_plain(s, set, e);
}

bool sockets_serve(struct sockets *s, struct httpd *httpd, struct tls *tls,
		   struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		struct listen_socket *one = &s->list[i];
		int fd = one->fd;

		one->fd = -1;
		if (!httpd_add(httpd, fd, one->unix_socket,
			       one->tls ? tls : NULL, e))
			return false;
		log_info("serving at %s", one->text);
	}
	return true;
}

void sockets_close(struct sockets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].fd >= 0)
			close(s->list[i].fd);
		if (!s->borrowed)
			listen_unlink(&s->list[i]);
	}
}
