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
	const char *path;
	const struct table_column *columns;
	size_t n_columns;
	const char *id;   /* what --quiet prints */
	const char *none; /* "no such jobs", for people */
};

/* What the options of a list begin with, where it has some. */
struct list_opts {
	struct cli_settings common;
	int64_t max;
	bool all;
};

#define LIST_MAX(things, n)                                          \
	{                                                            \
		.name = "max", .letter = 'n', .kind = OPT_INT,       \
		.offset = offsetof(struct list_opts, max), .min = 1, \
		.max = 100000000, .def = n, .arg = "N",              \
		.help = "At most N " things "."                      \
	}
#define LIST_ALL                                                \
	{                                                       \
		.name = "all", .letter = 'a', .kind = OPT_FLAG, \
		.offset = offsetof(struct list_opts, all),      \
		.help = "However many there are."               \
	}

/* Runs a command that is a list (command->list): its options of text, of lists
 * and of time are the query. The exit status. */
int list_command(struct cli *c);
/* The same in parts. list_query adds what the first n options filter by and
 * fails when there is no @last; list_max is how many are wanted, 0 = all; list_print takes the path with its
 * query, NULL = the list's own. */
bool list_query(struct cli *c, struct buf *path, size_t n,
		struct err *e) MUST_CHECK;
int64_t list_max(const struct cli *c);
int list_print(struct cli *c, const struct list *l, const char *path,
	       int64_t max);

/* One answer as it came, with a line end. */
void list_raw(const char *text, size_t len);
/* The member of an item as text: numbers too. NULL when absent. */
const char *list_text(struct arena *a, struct json_object *o, const char *key);

/* Cells of a member: its text; the local time or the age of a time; a size; a
 * number that is not 0; the members of a list, with commas; the time from
 * started_at to ended_at, or to now. What is absent or empty is "-". */
void list_cell(struct table *t, struct json_object *o, const char *key);
void list_time(struct table *t, struct json_object *o, const char *key);
void list_age(struct table *t, struct json_object *o, const char *key);
void list_bytes(struct table *t, struct json_object *o, const char *key);
void list_number(struct table *t, struct json_object *o, const char *key);
void list_words(struct table *t, struct json_object *o, const char *key);
void list_span(struct table *t, struct json_object *o, const char *key);
/* Adds b as a cell, "-" when it is empty, and ends it. */
void list_buf(struct table *t, struct buf *b);

#endif
