/* Prints the server's lists in each of the forms that every command takes. */
#include "clients/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/each.h"
#include "clients/query.h"
#include "clients/refs.h"

#define PAGE_MAX 1000

struct printing {
	struct cli *c;
	const struct list *l;
	const char *path;
	int64_t max; /* 0 = all */
	int64_t n;   /* items so far */
	bool begun;  /* the first page is there */
};

void list_raw(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == '\n')
		len--;
	fwrite(text, 1, len, stdout);
	putchar('\n');
}

const char *list_text(struct arena *a, struct json_object *o, const char *key)
{
	struct json_object *v = o ? json_get(o, key) : NULL;
	struct buf b = BUF_INIT;
	char *text;

	if (v == NULL || json_type(v) == JSON_NULL)
		return NULL;
	if (json_type(v) == JSON_STR)
		return json_str(v);
	json_write(&b, v);
	text = arena_strndup(a, buf_str(&b), b.len);
	buf_fini(&b);
	return text;
}

static void print_ids(struct arena *a, const struct list *l,
		      struct json_object *items)
{
	for (size_t i = 0; i < json_len(items); i++) {
		const char *id = list_text(a, json_at(items, i), l->id);

		printf("%s\n", id ? id : "-");
	}
}

static void print_lines(struct json_object *items)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(items); i++) {
		buf_reset(&b);
		json_write(&b, json_at(items, i));
		list_raw(buf_str(&b), b.len);
	}
	buf_fini(&b);
}

static void print_part(struct json_object *items, bool first)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(items); i++) {
		if (!first || i > 0)
			buf_addc(&b, ',');
		json_write(&b, json_at(items, i));
	}
	fwrite(buf_str(&b), 1, b.len, stdout);
	buf_fini(&b);
}

static void add_row(struct table *t, const struct list *l,
		    struct json_object *item)
{
	for (size_t i = 0; i < l->n_columns; i++) {
		const struct table_column *column = &l->columns[i];

		(column->cell ? column->cell : list_cell)(t, item, column->key);
	}
}

static void print_table(struct arena *a, const struct list *l,
			struct json_object *items, bool head)
{
	struct table *t = table_new(a, l->columns, l->n_columns);

	for (size_t i = 0; i < json_len(items); i++)
		add_row(t, l, json_at(items, i));
	table_print(t, head);
}

/* Around the items of --json: the head comes with the first page, so that a
 * failure before it leaves no half document. */
static void print_frame(const struct printing *p, bool head, const char *cursor)
{
	struct buf b = BUF_INIT;

	if (!p->c->settings->json || p->c->settings->ndjson)
		return;
	if (head) {
		fputs("{\"items\":[", stdout);
		return;
	}
	buf_json_str(&b, cursor);
	printf("],\"next\":%s}\n", buf_str(&b));
	buf_fini(&b);
}

static void print_page(struct printing *p, struct arena *a,
		       struct json_object *items)
{
	const struct cli_settings *s = p->c->settings;

	if (!p->begun)
		print_frame(p, true, NULL);
	p->begun = true;
	if (json_len(items) == 0)
		return;
	if (s->ndjson)
		print_lines(items);
	else if (s->json)
		print_part(items, p->n == 0);
	else if (s->quiet)
		print_ids(a, p->l, items);
	else
		print_table(a, p->l, items, p->n == 0);
	p->n += (int64_t)json_len(items);
}

/* *cursor becomes that of the next page, or NULL after the last. */
static bool next_page(struct printing *p, struct arena *a, char **cursor,
		      struct err *e)
{
	struct buf path = BUF_INIT;
	struct call_answer answer;
	struct json_object *items;
	int64_t size = PAGE_MAX;
	const char *next;
	bool ok;

	if (p->max > 0 && p->max - p->n < size)
		size = p->max - p->n;
	buf_adds(&path, p->path);
	query_add_i64(&path, "page_size", size);
	query_add(&path, "cursor", *cursor);
	ok = call_get(p->c, a, buf_str(&path), &answer, e);
	buf_fini(&path);
	if (!ok)
		return false;
	items = json_type(answer.doc) == JSON_OBJECT
			? json_get(answer.doc, "items")
			: NULL;
	if (items == NULL || json_type(items) != JSON_ARRAY)
		return err_set(e, ERR_INTERNAL,
			       "the server's answer has no list of items");
	print_page(p, a, items);
	next = json_get_str(answer.doc, "next");
	*cursor = next ? arena_strdup(p->c->arena, next) : NULL;
	return true;
}

int list_print(struct cli *c, const struct list *l, const char *path,
	       int64_t max)
{
	struct printing p = {
		.c = c, .l = l, .path = path ? path : l->path, .max = max
	};
	const struct cli_settings *s = c->settings;
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	char *cursor = NULL;
	bool ok;

	do {
		arena_reset(a);
		ok = next_page(&p, a, &cursor, &e);
	} while (ok && cursor != NULL && (max == 0 || p.n < max));
	arena_free(a);
	if (!ok)
		return cli_fail(c, &e);
	print_frame(&p, false, cursor);
	if (p.n == 0 && !s->json && !s->ndjson && !s->quiet)
		cli_note("%s", l->none);
	return CLI_OK;
}

/* The workflow of --workflow may be @last. */
static bool add_text(struct cli *c, struct buf *path, const char *name,
		     const char *text, struct err *e)
{
	if (text != NULL && strcmp(name, "workflow") == 0 &&
	    !each_one(c, name, text, &text, e))
		return false;
	query_add(path, name, text);
	return true;
}

bool list_query(struct cli *c, struct buf *path, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct opt *o = &c->command->opts[i];
		const void *field = (const char *)c->settings + o->offset;
		const char *const *list;
		const char *text;
		int64_t s;

		switch (o->kind) {
		case OPT_STR:
			memcpy(&text, field, sizeof(text));
			if (!add_text(c, path, o->name, text, e))
				return false;
			break;
		case OPT_LIST:
			memcpy(&list, field, sizeof(list));
			query_add_joined(path, o->name, list);
			break;
		case OPT_SECONDS:
			memcpy(&s, field, sizeof(s));
			if (s > 0)
				query_add_i64(
					path,
					arena_printf(c->arena, "%s_s", o->name),
					s);
			break;
		default: /* not what is looked for */
			break;
		}
	}
	return true;
}

int64_t list_max(const struct cli *c)
{
	const struct list_opts *o = CLI_OPTS(c, struct list_opts);

	return c->command->n_opts == 0 || o->all ? 0 : o->max;
}

int list_command(struct cli *c)
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	buf_adds(&path, c->command->list->path);
	if (!list_query(c, &path, c->command->n_opts, &e))
		status = refs_fail(c, &e);
	else
		status = list_print(c, c->command->list, buf_str(&path),
				    list_max(c));
	buf_fini(&path);
	return status;
}
