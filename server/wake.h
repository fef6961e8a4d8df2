/*
 * Who must hear that something was committed.  Whoever commits says here what
 * it changed; parked claims, long polls and (merged, as a NOTIFY that is only
 * a hint) the other servers are told.
 */
#ifndef SORTIE_SERVER_WAKE_H
#define SORTIE_SERVER_WAKE_H

#include <stddef.h>
#include <stdint.h>

struct server;

/* n jobs of the class became grantable (submitted, released, given back). */
void wake_class(struct server *srv, int32_t class_id, int64_t n);
/* Work may be there for anybody (a gate opened, a limit was raised). */
void wake_work(struct server *srv);
/* The pilot has an order or something else that its parked claim must bring. */
void wake_pilot(struct server *srv, int64_t pilot);
/* The job has started, has new output, or has changed. */
void wake_job(struct server *srv, int64_t number);
/* The job has ended. */
void wake_ended(struct server *srv, int64_t number);
/* The workflow has ended, or was changed by hand. */
void wake_workflow(struct server *srv, int64_t number);
/* Jobs of graphs ended without a run, or wait again: nobody knows of which. */
void wake_graphs(struct server *srv);
/* Work for the classes and orders for the pilots that two columns of a row
 * list. */
struct db_result;
void wake_listed(struct server *srv, const struct db_result *r, size_t row,
		 int classes, int pilots);
/* Something was recorded in sortie.event. */
void wake_events(struct server *srv);

#endif
