/*
 * What must be done now and then by whichever server gets to it: a table of
 * statements with their periods (duty.c).  Each statement takes its own
 * advisory lock or skips locked rows and does a bounded step; a step that did
 * all it may is followed by the next one soon.
 */
#ifndef SORTIE_SERVER_DUTY_H
#define SORTIE_SERVER_DUTY_H

struct server;
struct duties;

/* Duties that somebody else knows to be due. */
enum duty_name {
	DUTY_FIRING,            /* edges of graphs are left to tell */
	DUTY_WORKFLOW_CANCEL,   /* a workflow's jobs are to be cancelled */
	DUTY_WORKFLOW_RETRY,    /* ... to be tried again */
	DUTY_WORKFLOW_LOOK,     /* ... to be looked at: they may run */
	DUTY_WORKFLOW_PRIORITY, /* ... to get another priority */
	DUTY_WORKFLOW_FORGET    /* a workflow was deleted */
};

/* Needs srv->base, db, set, metrics, park and blobs. */
struct duties *duties_new(struct server *srv);
void duties_free(struct duties *d);
/* It is due now; from any callback. */
void duty_poke(struct duties *d, enum duty_name which);

#endif
