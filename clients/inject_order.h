/*
 * From the command line of `sortie inject` to what each file's message to the
 * server has in common: what is to be made of a file, and the stream's name.
 */
#ifndef SORTIE_CLIENTS_INJECT_ORDER_H
#define SORTIE_CLIENTS_INJECT_ORDER_H

#include "clients/cli.h"
#include "clients/inject_send.h"

struct inject_wish {
	const char *dag, *job; /* one of the two: a name, or a file's */
	const char *name;      /* of the stream, NULL = from dag or job */
	const char *site, *project, *state, *datatype;
	const char *jobinfo;       /* a file, or JSON that begins with '{' */
	const char *priority;      /* a number as text; NULL: not given */
	const char **edges, **env; /* NULL-terminated */
};

/* The stream's name, "dag N" or "job /FILE", with the site; NULL when nothing
 * tells it. Arena. */
const char *inject_stream(struct arena *a, const struct inject_wish *w);
/* Reads files and checks everything that can be checked here. */
bool inject_order_make(struct arena *a, const struct inject_wish *w,
		       struct inject_order *out, struct err *e) MUST_CHECK;

#endif
