/*
 * The table of routes: method, path, who may, handler.  One entry per route;
 * openapi.json, the access test and the metrics are checked against it.
 */
#ifndef SORTIE_SERVER_ROUTE_H
#define SORTIE_SERVER_ROUTE_H

#include "server/req.h"

#define MAY(role) (1u << (role))
#define MAY_ANYBODY MAY(ROLE_NONE) /* also without a token */
#define MAY_PEOPLE (MAY(ROLE_READER) | MAY(ROLE_USER) | MAY(ROLE_ADMIN))
#define MAY_CHANGE (MAY(ROLE_USER) | MAY(ROLE_ADMIN))

struct route {
	const char *method;
	const char *path; /* "/api/v1/jobs/{ref}" */
	unsigned may;
	const char *query; /* known variables, blank-separated */
	void (*handle)(struct req *r);
};

/* Each resource's file exports its own NULL-ended table; route.c lists the
 * tables. */
extern const struct route routes_jobs[];    /* h_jobs.c: read, actions */
extern const struct route routes_submit[];  /* h_submit.c */
extern const struct route routes_talk[];    /* h_talk.c: pilots' side */
extern const struct route routes_output[];  /* h_output.c */
extern const struct route routes_pilots[];  /* h_pilots.c: people's side */
extern const struct route routes_admin[];   /* h_admin.c: sites ... */
extern const struct route routes_tokens[];  /* h_tokens.c */
extern const struct route routes_reports[]; /* h_reports.c: summary,
						   events, explain, purge */
extern const struct route routes_health[];  /* h_health.c */

/* Finds the route, authorises, calls the handler or replies with the error
 * (404, 405 with Allow, 401, 403, 400 for unknown query variables). */
void route_dispatch(struct req *r);
/* All routes in order, for openapi tests (`sortied --print-routes`). */
void route_each(void (*fn)(const struct route *r, void *arg), void *arg);

#endif
