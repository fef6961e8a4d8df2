/*
 * Calls that the server owes somebody: when a workflow has ended, its document
 * is posted to the addresses that it names.  They wait in a table; any server
 * takes what is due, and tries again with growing pauses, for a day, until a
 * 2xx answer comes.  Redirects are not followed.
 */
#ifndef SORTIE_SERVER_CALLBACK_H
#define SORTIE_SERVER_CALLBACK_H

#include <stdbool.h>
#include "lib/err.h"

struct callbacks;
struct json_object;
struct server;

/* Needs srv->base, db and metrics. */
struct callbacks *callbacks_new(struct server *srv);
/* Calls that are under way are dropped; they will be made again. */
void callbacks_free(struct callbacks *c);
/* Some may be due: looks at once. */
void callbacks_poke(struct callbacks *c);

/* Whether a "callback" is an address or a list of some: http or https, with a
 * host, without a user's name. */
bool callback_ok(struct json_object *v, struct err *e) MUST_CHECK;
/* Where the host begins in an address; NULL when it is of neither kind. */
const char *callback_host(const char *url);

#endif
