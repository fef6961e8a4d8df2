/*
 * Tells the server of files: several calls at a time, each harmless to
 * repeat.  While the server is away one call after the other tries, with
 * growing pauses; that it is away, and that it is back, is said once.
 */
#ifndef SORTIE_CLIENTS_INJECT_SEND_H
#define SORTIE_CLIENTS_INJECT_SEND_H

#include "clients/call.h"
#include "clients/inject_table.h"

struct event_base;
struct inject_send;

/* What every file's message has in common. */
struct inject_order {
	const char *stream;
	const char *members; /* JSON members: site, datatype, edges; "" ok */
	const char *dag;     /* a workflow's, a JSON object without the closing
				   brace; NULL: a job */
	const char *job;     /* a job's, JSON; NULL: a workflow */
};

enum inject_outcome {
	INJECT_MADE, /* now, or it was there already: see created */
	INJECT_AWAY, /* not told: again later */
	INJECT_NOT,  /* refused: *err tells why */
	INJECT_NONE  /* refused as any file may be: there is no such dag, or
			the token may not */
};

struct inject_answer {
	enum inject_outcome outcome;
	bool created;
	int version;              /* the newest that the server has, */
	int64_t size, changed_ms; /* its bytes and time of change */
	int64_t workflow, job;    /* what was made; 0 = none */
	const char *text;         /* the server's answer */
	const struct err *err;    /* not made */
};

struct inject_send_config {
	struct event_base *base;
	struct cli *c; /* its server is known */
	const struct inject_order *order;
	void (*on_answer)(struct inject_file *f, const struct inject_answer *a,
			  void *arg);
	/* What the server knows of the stream's file. */
	void (*on_known)(const char *path, int version, int64_t size,
			 int64_t changed_ms, void *arg);
	/* Whether older ones are wanted, too, after n. */
	bool (*wants_more)(size_t n, void *arg);
	void (*on_loaded)(void *arg); /* it has told what was wanted */
	void (*on_room)(void *arg);   /* there may be room again */
	void (*hush)(void *arg);      /* before a line of the log */
	/* The token may not: nothing will ever be told. */
	void (*on_denied)(const struct err *e, void *arg);
	void *arg;
};

/* Strings are borrowed. */
struct inject_send *inject_send_new(const struct inject_send_config *config);
/* Calls that are under way end unheard. */
void inject_send_free(struct inject_send *s);
/* Asks what the server knows of the stream, newest first. */
void inject_send_load(struct inject_send *s);
/* How many files may be told now. */
int inject_send_room(const struct inject_send *s);
int inject_send_under_way(const struct inject_send *s);
/* The file stays until on_answer. */
void inject_send(struct inject_send *s, struct inject_file *f);

#endif
