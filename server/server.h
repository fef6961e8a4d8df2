/*
 * What one server process consists of: pointers to its parts, made in order
 * by main.c and handed to handlers through the request.  Nothing else is
 * global.
 */
#ifndef SORTIE_SERVER_SERVER_H
#define SORTIE_SERVER_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/arena.h"

struct event_base;
struct db;
struct httpd;
struct lanes;     /* lanes.h: submit, claim, report, output */
struct park;      /* park.h: parked claims and other long polls */
struct lease;     /* lease.h: service time, expiry, adoption */
struct duties;    /* duty.h: periodic work */
struct callbacks; /* callback.h */
struct blobs;     /* blob.h */
struct figures;   /* figures.h: what the database tells of itself */
struct embedded;  /* embedded.h: NULL with a foreign database */
struct auth;      /* auth.h: token cache, keys */
struct metrics;   /* metrics.h */
struct seal;      /* seal.h */
struct settings;  /* options.h */

struct server {
	struct event_base *base;
	struct arena *arena; /* process lifetime */
	const struct settings *set;
	struct db *db;
	struct httpd *httpd;
	struct auth *auth;
	struct lanes *lanes;
	struct park *park;
	struct lease *lease;
	struct duties *duties;
	struct figures *figures;
	struct callbacks *callbacks;
	struct blobs *blobs;
	struct seal *seal;
	struct embedded *embedded;
	const char *conninfo; /* of the database; once it is prepared */
	struct metrics *metrics;
	char cluster[37];        /* UUID of the cluster */
	uint8_t cluster_key[32]; /* HMAC key for pilot and job tokens */
	int64_t server_id;       /* row in sortie.server */
	int32_t bucket;          /* counters' bucket of this process */
	bool draining;
};

#endif
