/* What handlers ask a request for, and the forms in which they reply. */
#include "server/req.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "lib/id.h"
#include "lib/log.h"
#include "lib/units.h"
#include "lib/utf8.h"
#include "server/httpd_int.h"

#define JSON_TYPE "application/json"
/* Seconds after which a refused request is worth another try. */
#define RETRY_AFTER "1"

int64_t req_turn(const struct principal *who)
{
	if (who->role == ROLE_PILOT)
		return -who->pilot;
	if (who->role == ROLE_JOB)
		return -who->job;
	return who->owner_id;
}

static bool is_utf8(const char *s, size_t len)
{
	bool ok = true;

	while (len > 0 && ok) {
		size_t n = utf8_next(s, len, &ok);

		s += n;
		len -= n;
	}
	return ok;
}

bool req_unescape(struct req *r, const char *s, size_t len, bool plus,
		  const char **out, struct err *e)
{
	char *text = arena_alloc(r->arena, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (s[i] != '%') {
			text[n++] = plus && s[i] == '+' ? ' ' : s[i];
			continue;
		}
		high = i + 2 < len ? id_hex_value(s[i + 1]) : -1;
		low = high < 0 ? -1 : id_hex_value(s[i + 2]);
		if (low < 0)
			return err_set(e, ERR_BAD_REQUEST,
				       "a \"%%\" in the path or query is not "
				       "followed by two hexadecimal digits");
		text[n] = (char)(high * 16 + low);
		if (text[n++] == '\0')
			return err_set(e, ERR_BAD_REQUEST,
				       "the path or query has a NUL in it");
		i += 2;
	}
	text[n] = '\0';
	if (!is_utf8(text, n))
		return err_set(e, ERR_BAD_REQUEST,
			       "the path or query is not UTF-8");
	*out = text;
	return true;
}

static bool add_var(struct req *r, const char *s, size_t len,
		    struct req_var **out, struct err *e)
{
	const char *eq = memchr(s, '=', len);
	size_t name_len = eq == NULL ? len : (size_t)(eq - s);
	struct req_var *x, **at;

	if (name_len == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the query has a value without a name");
	x = ARENA_NEW(r->arena, struct req_var);
	x->value = "";
	if (!req_unescape(r, s, name_len, true, &x->name, e))
		return false;
	if (eq != NULL &&
	    !req_unescape(r, eq + 1, len - name_len - 1, true, &x->value, e))
		return false;
	for (at = out; *at != NULL; at = &(*at)->next) {
		if (strcmp((*at)->name, x->name) == 0)
			return err_set(e, ERR_BAD_REQUEST,
				       "the query has \"%s\" twice", x->name);
	}
	*at = x;
	return true;
}

bool req_parse_query(struct req *r, const char *query, struct req_var **out,
		     struct err *e)
{
	struct req_var *vars = NULL;

	while (*query != '\0') {
		size_t len = strcspn(query, "&");

		if (len > 0 && !add_var(r, query, len, &vars, e))
			return false;
		query += len;
		query += *query == '&';
	}
	*out = vars;
	return true;
}

const char *req_query(struct req *r, const char *name)
{
	for (struct req_var *x = httpd_query(r); x != NULL; x = x->next) {
		if (strcmp(x->name, name) == 0)
			return x->value;
	}
	return NULL;
}

bool req_query_i64(struct req *r, const char *name, int64_t min, int64_t max,
		   int64_t def, int64_t *out, struct err *e)
{
	const char *s = req_query(r, name);
	struct err why = ERR_INIT;

	if (s == NULL) {
		*out = def;
		return true;
	}
	if (units_parse_i64(s, min, max, out, &why))
		return true;
	return err_set(e, ERR_BAD_REQUEST, "\"%s\" in the query: %s", name,
		       why.text);
}

const char *req_header(struct req *r, const char *name)
{
	return httpd_header_get(r, name);
}

bool req_media_ok(struct req *r, struct err *e)
{
	static const char *const known[] = {
		"application/json", "application/x-ndjson",
		"application/x-www-form-urlencoded"
	};
	const char *type = req_header(r, "Content-Type");

	if (type == NULL)
		return true;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t len = strlen(known[i]);

		if (strncasecmp(type, known[i], len) == 0 &&
		    (type[len] == '\0' || strchr("; \t", type[len]) != NULL))
			return true;
	}
	return err_set(e, ERR_MEDIA_TYPE,
		       "the body is \"%.100s\": send JSON "
		       "as application/json",
		       type);
}

bool req_json(struct req *r, struct json_object **out, struct err *e)
{
	return req_json_in(r, r->arena, out, e);
}

bool req_json_in(struct req *r, struct arena *a, struct json_object **out,
		 struct err *e)
{
	if (!req_media_ok(r, e))
		return false;
	if (r->body_len == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the body is empty: it must be JSON");
	return json_parse(a, r->body, r->body_len, out, e);
}

void req_reply_bytes(struct req *r, int status, const char *content_type,
		     const void *p, size_t len)
{
	httpd_send(r, status, content_type, p, len);
}

void req_reply_json(struct req *r, int status, const char *json, size_t len)
{
	httpd_send(r, status, JSON_TYPE, json, len);
}

void req_reply_buf(struct req *r, int status, const struct buf *json)
{
	httpd_send(r, status, JSON_TYPE, buf_str(json), json->len);
}

void req_reply_empty(struct req *r, int status)
{
	httpd_send(r, status, NULL, NULL, 0);
}

void req_header_add(struct req *r, const char *name, const char *value)
{
	if (strpbrk(name, "\r\n") != NULL || strpbrk(value, "\r\n") != NULL)
		BUG("a header \"%s\" with a line break", name);
	httpd_header_push(r, name, value);
}

void req_error_body(struct buf *b, const struct err *e, const char *detail)
{
	buf_adds(b, "{\"error\":{");
	buf_json_kv_str(b, "code", err_name(e->code));
	buf_json_kv_str(b, "message", e->text);
	if (detail != NULL)
		buf_json_kv_raw(b, "detail", detail);
	buf_adds(b, "}}\n");
}

void req_reply_err_detail(struct req *r, const struct err *e,
			  const char *detail)
{
	int status = err_status(e->code);
	struct buf b = BUF_INIT;

	req_error_body(&b, e, detail);
	if (status == 503 || status == 429)
		req_header_add(r, "Retry-After", RETRY_AFTER);
	if (status == 401)
		req_header_add(r, "WWW-Authenticate", "Bearer");
	req_reply_buf(r, status, &b);
	buf_fini(&b);
}

void req_reply_err(struct req *r, const struct err *e)
{
	req_reply_err_detail(r, e, NULL);
}

void req_reply_busy(struct req *r, const char *why)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_UNAVAILABLE, "%s", why);
	req_reply_err(r, &e);
}
