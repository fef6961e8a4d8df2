/* What cells of lists show of a member, so that all tables say it alike. */
#include <inttypes.h>
#include "clients/human.h"
#include "clients/jobview.h"
#include "clients/list.h"
#include "lib/units.h"

void list_buf(struct table *t, struct buf *b)
{
	table_cell(t, b->len > 0 ? buf_str(b) : NULL);
	buf_fini(b);
}

void list_cell(struct table *t, struct json_object *o, const char *key)
{
	struct arena *a = arena_new();
	const char *text = list_text(a, o, key);

	table_cell(t, text != NULL && text[0] != '\0' ? text : NULL);
	arena_free(a);
}

void list_time(struct table *t, struct json_object *o, const char *key)
{
	const char *text = json_get_str(o, key);
	struct buf b = BUF_INIT;
	int64_t ms;

	if (text != NULL && human_time_parse(text, &ms))
		human_time(&b, ms);
	list_buf(t, &b);
}

void list_age(struct table *t, struct json_object *o, const char *key)
{
	int64_t ms = jobview_span_ms(o, key, "absent");
	struct buf b = BUF_INIT;

	if (ms >= 0)
		human_age(&b, ms);
	list_buf(t, &b);
}

void list_bytes(struct table *t, struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);
	struct buf b = BUF_INIT;

	if (v != NULL && json_type(v) == JSON_INT)
		units_format_bytes(&b, json_int(v));
	list_buf(t, &b);
}

void list_number(struct table *t, struct json_object *o, const char *key)
{
	if (json_get_int(o, key) > 0)
		table_cellf(t, "%" PRId64, json_get_int(o, key));
	else
		table_cell(t, NULL);
}

void list_words(struct table *t, struct json_object *o, const char *key)
{
	struct json_object *list = json_get(o, key);
	struct buf b = BUF_INIT;

	for (size_t i = 0; list != NULL && json_type(list) == JSON_ARRAY &&
			   i < json_len(list);
	     i++)
		if (json_type(json_at(list, i)) == JSON_STR)
			buf_addf(&b, "%s%s", i > 0 ? "," : "",
				 json_str(json_at(list, i)));
	list_buf(t, &b);
}

void list_span(struct table *t, struct json_object *o, const char *key)
{
	int64_t ms = jobview_span_ms(o, "started_at", "ended_at");
	struct buf b = BUF_INIT;

	(void)key;
	if (ms >= 0)
		units_format_ms(&b, ms);
	list_buf(t, &b);
}
