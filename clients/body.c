/* Turns options into the members of a body. */
#include "clients/body.h"

#include <string.h>
#include "lib/json.h"
#include "lib/units.h"

/* "--max-running" in front. */
static bool blame(struct err *e, const char *key)
{
	char option[64];
	size_t i = 0;

	for (; i < sizeof(option) - 1 && key[i] != '\0'; i++)
		option[i] = key[i] == '_' ? '-' : key[i];
	option[i] = '\0';
	return err_prefix(e, "--%s", option);
}

static bool put(struct buf *b, const char *key, bool ok, const int64_t *n,
		struct err *e)
{
	if (!ok)
		return blame(e, key);
	buf_json_kv_i64(b, key, *n);
	return true;
}

static bool put_none(struct buf *b, const char *key, const char *text)
{
	if (text == NULL || strcmp(text, "none") != 0)
		return false;
	buf_json_kv_raw(b, key, "null");
	return true;
}

void body_text(struct buf *b, const char *key, const char *text)
{
	if (text != NULL)
		buf_json_kv_str(b, key, text);
}

bool body_number(struct buf *b, const char *key, const char *text, int64_t min,
		 int64_t max, struct err *e)
{
	int64_t n = 0;

	return text == NULL ||
	       put(b, key, units_parse_i64(text, min, max, &n, e), &n, e);
}

bool body_seconds(struct buf *b, const char *key, const char *text,
		  struct err *e)
{
	int64_t n = 0;

	return text == NULL ||
	       put(b, key, units_parse_seconds(text, &n, e), &n, e);
}

bool body_bytes(struct buf *b, const char *key, const char *text, struct err *e)
{
	int64_t n = 0;

	return text == NULL ||
	       put(b, key, units_parse_bytes(text, &n, e), &n, e);
}

bool body_limit(struct buf *b, const char *key, const char *text, int64_t min,
		int64_t max, struct err *e)
{
	return put_none(b, key, text) || body_number(b, key, text, min, max, e);
}

bool body_limit_bytes(struct buf *b, const char *key, const char *text,
		      struct err *e)
{
	return put_none(b, key, text) || body_bytes(b, key, text, e);
}

static bool is_given_later(const char *const *env)
{
	size_t len = strcspn(*env, "=") + 1;

	for (const char *const *later = env + 1; *later != NULL; later++)
		if (strncmp(*later, *env, len) == 0)
			return true;
	return false;
}

bool body_env(struct buf *b, const char *const *env, struct err *e)
{
	struct buf name = BUF_INIT;

	for (; *env != NULL; env++) {
		const char *equals = strchr(*env, '=');

		if (equals == NULL || equals == *env) {
			buf_fini(&name);
			return err_set(e, ERR_BAD_REQUEST,
				       "--env \"%s\": write NAME=VALUE", *env);
		}
		if (is_given_later(env))
			continue;
		buf_reset(&name);
		buf_add(&name, *env, (size_t)(equals - *env));
		buf_json_kv_str(b, buf_str(&name), equals + 1);
	}
	buf_fini(&name);
	return true;
}

void body_list(struct buf *b, const char *key, const char *const *list)
{
	if (list == NULL || list[0] == NULL)
		return;
	buf_json_key(b, key);
	buf_addc(b, '[');
	for (size_t i = 0; list[i] != NULL; i++) {
		if (i > 0)
			buf_addc(b, ',');
		buf_json_str(b, list[i]);
	}
	buf_addc(b, ']');
}
