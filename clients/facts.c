/* Prints names and values in two columns, the form of all `show` commands. */
#include "clients/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "clients/human.h"
#include "clients/table.h"
#include "lib/clock.h"

#define NAME_WIDTH 14

static void line(const char *name, const char *value, size_t len)
{
	struct buf b = BUF_INIT, out = BUF_INIT;

	buf_add(&b, value, len);
	table_wrap(&out, buf_str(&b), NAME_WIDTH + 2,
		   table_terminal_width(STDOUT_FILENO));
	printf("%-*s  %s\n", NAME_WIDTH, name, buf_str(&out));
	buf_fini(&b);
	buf_fini(&out);
}

void facts_text(const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	for (;;) {
		size_t len = strcspn(value, "\n");

		line(name, value, len);
		name = "";
		value += len;
		if (value[0] == '\0' || value[1] == '\0')
			return;
		value++;
	}
}

void facts_printf(const char *name, const char *fmt, ...)
{
	struct arena *a = arena_new();
	va_list ap;

	va_start(ap, fmt);
	facts_text(name, arena_vprintf(a, fmt, ap));
	va_end(ap);
	arena_free(a);
}

static void add_value(struct buf *b, struct json_object *v)
{
	if (json_type(v) == JSON_STR)
		buf_add(b, json_str(v), json_str_len(v));
	else
		json_write(b, v);
}

static bool add_pair(const char *key, struct json_object *v, void *arg)
{
	struct buf *b = arg;

	if (b->len > 0)
		buf_adds(b, ", ");
	buf_addf(b, "%s=", key);
	add_value(b, v);
	return true;
}

static void add_member(struct buf *b, struct json_object *v)
{
	switch (json_type(v)) {
	case JSON_OBJECT:
		json_each(v, add_pair, b);
		break;
	case JSON_ARRAY:
		for (size_t i = 0; i < json_len(v); i++) {
			if (i > 0)
				buf_adds(b, ", ");
			add_value(b, json_at(v, i));
		}
		break;
	default:
		add_value(b, v);
	}
}

void facts_member(const char *name, struct json_object *o, const char *key)
{
	struct json_object *v = o ? json_get(o, key) : NULL;
	struct buf b = BUF_INIT;

	if (v == NULL || json_type(v) == JSON_NULL)
		return;
	add_member(&b, v);
	facts_text(name, buf_str(&b));
	buf_fini(&b);
}

void facts_time(const char *name, struct json_object *o, const char *key)
{
	const char *text = json_get_str(o, key);
	struct buf b = BUF_INIT;
	int64_t ms;

	if (text == NULL)
		return;
	if (!human_time_parse(text, &ms)) {
		facts_text(name, text);
		return;
	}
	human_time(&b, ms);
	buf_adds(&b, " (");
	human_age(&b, clock_wall_ms() - ms);
	buf_adds(&b, " ago)");
	facts_text(name, buf_str(&b));
	buf_fini(&b);
}

static bool print_one(const char *key, struct json_object *v, void *arg)
{
	const char **name = arg;
	struct buf b = BUF_INIT;

	add_pair(key, v, &b);
	facts_text(*name, buf_str(&b));
	buf_fini(&b);
	*name = "";
	return true;
}

void facts_object(const char *name, struct json_object *o)
{
	if (o != NULL && json_type(o) == JSON_OBJECT)
		json_each(o, print_one, &name);
}
