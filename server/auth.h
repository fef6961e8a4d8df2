/*
 * Who asks: bearer tokens and what they stand for.
 *
 * Users' (`st_`) and join tokens (`sj_`) are 256 random bits, stored as
 * SHA-256 and looked up through a small cache (5 s; unknown tokens too;
 * emptied when any server changes a token).  Pilots' and jobs' tokens carry
 * their numbers and an HMAC under the cluster's key, so they are checked
 * without the database; whether the pilot or the run still lives is for the
 * statement that serves the call to say.
 *
 *	sp_<number, 16 hex>_<HMAC-SHA256(key, "pilot:" number), 64 hex>
 *	sr_<run, 16 hex>_<job, 16 hex>_<HMAC(key, "job:" run ":" job), 64 hex>
 */
#ifndef SORTIE_SERVER_AUTH_H
#define SORTIE_SERVER_AUTH_H

#include <stdbool.h>
#include <stdint.h>
#include "server/req.h"

struct auth;
struct server;

#define AUTH_SECRET_LEN 67 /* "st_" and 64 hex digits */
#define AUTH_PILOT_TOKEN_LEN 84
#define AUTH_JOB_TOKEN_LEN 101

/* Needs srv->base, srv->db, srv->metrics and the cluster key. */
struct auth *auth_new(struct server *srv);
void auth_free(struct auth *a);

/* Fills in r->who from the Authorization header and calls then(r), now or
 * from the loop; or replies 401 or the database's error. A header must be
 * there. */
void auth_request(struct req *r, void (*then)(struct req *r));
/* Forgets what is cached: called after every change of tokens. Other servers
 * do the same when they hear NOTIFY sortie_token. */
void auth_purge(struct auth *a);

/* out holds AUTH_PILOT_TOKEN_LEN + 1 bytes. */
void auth_pilot_token(const struct server *srv, int64_t number, char *out);
/* out holds AUTH_JOB_TOKEN_LEN + 1 bytes. */
void auth_job_token(const struct server *srv, int64_t job, uint64_t run,
		    char *out);
/* The number in a pilot's token that is ours (predecessors); in constant
 * time. */
bool auth_pilot_check(const struct server *srv, const char *token,
		      int64_t *number) MUST_CHECK;
/* A new secret with prefix "st_" or "sj_", and its SHA-256. out holds
 * AUTH_SECRET_LEN + 1 bytes. */
void auth_secret_make(const char *prefix, char *out, uint8_t hash[32]);
const char *auth_role_name(enum role role);
/* False for names of no role of a stored token (admin, user, reader, join). */
bool auth_role_from_name(const char *name, enum role *out) MUST_CHECK;

#endif
