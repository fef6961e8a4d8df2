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

/* Among the roles: a body may have ROUTE_BODY_LARGE bytes and not only
 * HTTPD_BODY_MAX. */
#define LARGE_BODY (1u << 31)
#define ROUTE_BODY_LARGE ((size_t)8 << 20)

struct route {
	const char *method;
	const char *path;  /* "/api/v1/jobs/{ref}" */
	unsigned may;      /* MAY(role), LARGE_BODY */
	const char *query; /* known variables, blank-separated */
	void (*handle)(struct req *r);
};

/* Each resource's file exports its own NULL-ended table; route.c lists the
 * tables. */
extern const struct route routes_jobs[];       /* h_jobs.c: read, actions */
extern const struct route routes_submit[];     /* h_submit.c */
extern const struct route routes_talk[];       /* h_talk.c: pilots' side */
extern const struct route routes_output[];     /* h_output.c */
extern const struct route routes_pilots[];     /* h_pilots.c: people's side */
extern const struct route routes_admin[];      /* h_admin.c: sites ... */
extern const struct route routes_tokens[];     /* h_tokens.c */
extern const struct route routes_reports[];    /* h_reports.c: summary,
						   events, explain, purge */
extern const struct route routes_health[];     /* h_health.c */
extern const struct route routes_dags[];       /* h_dags.c */
extern const struct route routes_workflows[];  /* h_workflows.c */
extern const struct route routes_datatypes[];  /* h_datatypes.c */
extern const struct route routes_owners[];     /* h_owners.c */
extern const struct route routes_datasets[];   /* h_datasets.c */
extern const struct route routes_injections[]; /* h_injections.c */

/* Finds the route, authorises, calls the handler or replies with the error
 * (404, 405 with Allow, 401, 403, 400 for unknown query variables). */
void route_dispatch(struct req *r);
/* How many bytes the body of such a request may have: known before it is read.
 * path: raw, without the query. */
size_t route_body_max(const char *method, const char *path);
/* All routes in order, for openapi tests (`sortied --print-routes`). */
void route_each(void (*fn)(const struct route *r, void *arg), void *arg);

#endif
