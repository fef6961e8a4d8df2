/*
 * Lists of the server, page by page: as a table for people, as one JSON
 * document, as NDJSON, or as ids only.
 */
#ifndef SORTIE_CLIENTS_LIST_H
#define SORTIE_CLIENTS_LIST_H

#include "clients/cli.h"
#include "clients/table.h"
#include "lib/json.h"

struct list {
	const char *path; /* with its query */
	const struct table_column *columns;
	size_t n_columns;
	/* Adds one item's cells. */
	void (*row)(struct table *t, struct json_object *item);
	const char *id;   /* what --quiet prints */
	const char *none; /* "no jobs", for people */
	int64_t max;      /* items; 0 = all */
};

/* Prints it; the exit status. */
int list_print(struct cli *c, const struct list *l);

/* One answer as it came, with a line end. */
void list_raw(const char *text, size_t len);
/* The member of an item as text: numbers too. NULL when absent. */
const char *list_text(struct arena *a, struct json_object *o, const char *key);
/* A cell with that text. */
void list_cell(struct table *t, struct json_object *o, const char *key);
/* A cell with the local time of an RFC 3339 member. */
void list_time(struct table *t, struct json_object *o, const char *key);

#endif
