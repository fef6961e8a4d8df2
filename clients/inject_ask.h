/*
 * What would refuse every file is told when `sortie inject` starts, not with
 * the first file, which may come a day later.
 */
#ifndef SORTIE_CLIENTS_INJECT_ASK_H
#define SORTIE_CLIENTS_INJECT_ASK_H

#include "clients/inject_order.h"

/* Asks the server whether dag, datatype and project are there and may be used,
 * and whether the dag has the edges and jobs that options name.
 * ERR_UNAVAILABLE: it could not be asked. */
bool inject_ask(struct cli *c, const struct inject_wish *w,
		const struct inject_order *o, struct err *e) MUST_CHECK;

#endif
