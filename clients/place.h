/* Where the server of this machine is found when nobody says where: the
 * socket and the token file that `sortied` makes in its state directory. */
#ifndef SORTIE_CLIENTS_PLACE_H
#define SORTIE_CLIENTS_PLACE_H

#include "clients/cli.h"

#define PLACE_DEFAULT_URL "http://127.0.0.1:7900"

struct place {
	const char *url;   /* never NULL */
	const char *token; /* NULL = none found */
	bool given;        /* the person named the server */
};

/* Strings live in the command's arena. False: a token file that was named
 * cannot be read. */
bool place_find(struct cli *c, struct place *out, struct err *e) MUST_CHECK;

/* The first line of a token file. */
bool place_read_token(struct cli *c, const char *path, const char **out,
		      struct err *e) MUST_CHECK;
/* The join token of this machine's server, when the server that is spoken to
 * is on this machine and its file may be read; else NULL. After call_open. */
const char *place_join_token(struct cli *c);
/* A Unix socket or a loopback address. */
bool place_is_local(const char *url) MUST_CHECK;

#endif
