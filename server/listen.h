/*
 * Listening sockets: what --listen means, sockets passed by systemd, and who
 * may connect to a Unix socket.
 */
#ifndef SORTIE_SERVER_LISTEN_H
#define SORTIE_SERVER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "lib/arena.h"
#include "lib/err.h"

struct listen_addr {
	const char *text; /* as it was written */
	const char *host; /* NULL for a Unix socket */
	const char *port;
	const char *path; /* NULL for TCP */
	bool tls;         /* "https://" was written before it */
	bool plain;       /* "http://" was */
};

struct listen_socket {
	int fd;
	bool unix_socket;
	bool tls;
	bool loopback;    /* or a Unix socket */
	const char *text; /* "127.0.0.1:7900", "unix:/run/..." */
};

/* HOST:PORT, [V6]:PORT, :PORT, PORT, *:PORT, unix:PATH, each TCP form with
 * http:// or https:// before it. */
bool listen_parse(struct arena *a, const char *text, struct listen_addr *out,
		  struct err *e) MUST_CHECK;
/* Whether an address can be reached from other machines, as far as that can be
 * told without asking for a name's address. */
bool listen_is_open(const struct listen_addr *addr);
/* Binds and listens; a stale Unix socket that nobody serves is replaced.
 * group: name of the group that may connect to Unix sockets (mode 0660), NULL
 * = only the owner (0600). One name may give several sockets (v4, v6). */
bool listen_open(struct arena *a, const struct listen_addr *addr,
		 const char *group, struct listen_socket **out, size_t *n,
		 struct err *e) MUST_CHECK;
/* Sockets that systemd passed (LISTEN_FDS), n = 0 when none. The variables
 * are removed from the environment. */
bool listen_inherited(struct arena *a, struct listen_socket **out, size_t *n,
		      struct err *e) MUST_CHECK;
/* Removes the file of a Unix socket that listen_open made. */
void listen_unlink(const struct listen_socket *s);
/* The uid at the other end of a Unix socket, -1 when unknown. */
int listen_peer_uid(int fd);

#endif
