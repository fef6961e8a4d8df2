/* The listening sockets of a process: opened, or handed over by systemd or by
 * the process that started this one. */
#ifndef SORTIE_SERVER_SOCKETS_H
#define SORTIE_SERVER_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/arena.h"
#include "lib/err.h"

struct httpd;
struct listen_socket;
struct settings;
struct tls;

/* Zeroed is none. Memory belongs to the arena. */
struct sockets {
	struct listen_socket *list;
	size_t n;
	bool borrowed; /* their files are another's to remove */
};

/* Refuses what would carry tokens in the clear, unless settings allow it. */
bool sockets_open(struct sockets *s, struct arena *a,
		  const struct settings *set, struct err *e) MUST_CHECK;
/* Hands them to the HTTP server, which closes them. tls may be NULL. */
bool sockets_serve(struct sockets *s, struct httpd *httpd, struct tls *tls,
		   struct err *e) MUST_CHECK;
void sockets_close(struct sockets *s);

#endif
