/*
 * What a transaction that ended or moved jobs has set going besides: rows that
 * settle_2 (sql/function/graph.sql) and pilot_leave_2 answer, passed on to who
 * waits for it.
 */
#ifndef SORTIE_SERVER_SETTLED_H
#define SORTIE_SERVER_SETTLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_result;
struct server;

/* Passes on what happened to the job or workflow; false: it is none of these
 * words.
 *	e  the job has ended
 *	f  edges of a graph are left to tell
 *	F  the workflow has begun to cancel itself
 *	z  the workflow has ended */
bool settled_tell(struct server *srv, char what, int64_t number);
/* The same of a row, by its columns; false: what is null. */
bool settled_row(struct server *srv, const struct db_result *r, size_t row,
		 int what, int number);

#endif
