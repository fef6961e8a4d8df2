/* What a submission is answered: the jobs that it made, or has made before. */
#include "server/lanes_int.h"

#include "lib/id.h"
#include "lib/json.h"
#include "lib/log.h"
#include "server/stamp.h"

#define SHOWN_MAX 1000 /* jobs that an answer lists */

static void add_job(struct buf *b, const char *id, int64_t number, bool created)
{
	buf_json_comma(b);
	buf_addc(b, '{');
	buf_json_kv_i64(b, "number", number);
	buf_json_kv_str(b, "id", id);
	buf_json_kv_bool(b, "created", created);
	buf_addc(b, '}');
}

static void add_range(struct buf *b, const struct stamp *st, int64_t first,
		      int64_t n)
{
	char id[ID_UUID_LEN + 1];

	buf_json_key(b, "jobs");
	buf_addc(b, '[');
	for (int64_t i = 0; i < n; i++) {
		stamp_uuid(st, first + i, id);
		add_job(b, id, first + i, true);
	}
	buf_addc(b, ']');
}

void submit_reply_range(struct req *r, const struct stamp *st, int64_t first,
			int64_t n)
{
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "count", n);
	buf_json_kv_i64(&b, "first", first);
	if (n <= SHOWN_MAX)
		add_range(&b, st, first, n);
	buf_addc(&b, '}');
	req_reply_buf(r, 201, &b);
	buf_fini(&b);
}

/* [number, created, id of an existing one] */
static void add_numbers(struct buf *b, const struct stamp *st,
			struct json_object *list)
{
	char id[ID_UUID_LEN + 1];

	buf_json_key(b, "jobs");
	buf_addc(b, '[');
	for (size_t i = 0; i < json_len(list); i++) {
		struct json_object *x = json_at(list, i);
		int64_t number = json_int(json_at(x, 0));
		bool created = json_bool(json_at(x, 1));

		if (created)
			stamp_uuid(st, number, id);
		add_job(b, created ? id : json_str(json_at(x, 2)), number,
			created);
	}
	buf_addc(b, ']');
}

void submit_reply_answer(struct req *r, const char *text, size_t len)
{
	struct json_object *o, *numbers;
	struct stamp st;
	struct err e;
	struct buf b = BUF_INIT;

	if (!json_parse(r->arena, text, len, &o, &e))
		BUG("a submission is answered %s", e.text);
	stamp_read(&st, json_get_int(o, "high"), json_get_int(o, "low"));
	numbers = json_get(o, "numbers");
	if (numbers == NULL || json_type(numbers) != JSON_ARRAY) {
		submit_reply_range(r, &st, json_get_int(o, "first"),
				   json_get_int(o, "count"));
		return;
	}
	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "count", json_get_int(o, "count"));
	buf_json_kv_i64(&b, "first", json_get_int(o, "first"));
	add_numbers(&b, &st, numbers);
	buf_addc(&b, '}');
	req_reply_buf(r, 201, &b);
	buf_fini(&b);
}
