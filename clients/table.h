/*
 * Columns for people: aligned by what a terminal shows (wide and combining
 * characters count as they do there), no wider than the terminal: flexible
 * columns shrink with an ellipsis, then columns in which no row has anything
 * are left out, and at last the line is cut; nothing of this when the output
 * is no terminal.  Control characters in cells are made harmless: names come
 * from other people.
 */
#ifndef SORTIE_CLIENTS_TABLE_H
#define SORTIE_CLIENTS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/arena.h"
#include "lib/buf.h"

struct table;
struct json_object;

struct table_column {
	const char *head;
	bool right;    /* numbers */
	bool flexible; /* may shrink: to 8 columns, or 3 if it must */
	/* Of lists: the member of an item, and what makes a cell of it (NULL:
	 * its text). */
	const char *key;
	void (*cell)(struct table *t, struct json_object *o, const char *key);
};

struct table *table_new(struct arena *a, const struct table_column *columns,
			size_t n);
/* Cells of a row from left to right; NULL is shown as "-". A row is complete
 * with its last cell. */
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* width 0: as wide as need be. head: with the line of headings. */
void table_write(const struct table *t, struct buf *b, int width, bool head);
/* To standard output, in the width of the terminal if it is one. */
void table_print(const struct table *t, bool head);

/* Columns that text takes on a terminal. */
int table_text_width(const char *text);
/* Appends text, cut to width columns with an ellipsis, control characters
 * made harmless; returns the columns used. */
int table_add_text(struct buf *b, const char *text, int width);
/* Appends text, control characters made harmless, broken at blanks so that no
 * line that can be shorter is wider than width (0: as wide as need be); what
 * follows the first line, which begins at column indent, is indented. */
void table_wrap(struct buf *b, const char *text, int indent, int width);
/* Columns of the terminal behind fd; 0 when it is none. */
int table_terminal_width(int fd);

#endif
