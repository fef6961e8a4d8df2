/* Judges answers and chooses the server to ask: see link.h. */
#include "pilot/link.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/units.h"

void link_init(struct link *l, const char **urls)
{
	*l = (struct link){ .urls = urls };
	while (urls[l->n])
		l->n++;
}

const char *link_url(const struct link *l)
{
	return l->urls[l->current];
}

void link_failed(struct link *l, const char *url, const struct err *e)
{
	/* Calls that were under way together fail together: move once. */
	if (url == link_url(l))
		l->current = (l->current + 1) % l->n;
	if (!l->down_since_ms)
		l->down_since_ms = clock_mono_ms();
	/* Each kind once: a refused connection may become a wrong cluster. */
	if (l->said & 1u << e->code)
		return;
	l->said |= 1u << e->code;
	if (l->cluster[0])
		log_warn("%s; trying again, payloads go on", e->text);
}

static void link_well(struct link *l, const char *url, int64_t sent_ms)
{
	struct buf b = BUF_INIT;

	if (sent_ms > l->heard_ms)
		l->heard_ms = sent_ms;
	if (l->down_since_ms && l->cluster[0]) {
		units_format_ms(&b, clock_mono_ms() - l->down_since_ms);
		log_info("%s answers again after %s", url, buf_str(&b));
		buf_fini(&b);
	}
	l->down_since_ms = 0;
	l->said = 0;
}

static void away(struct answer *out, enum err_code code, const char *url,
		 const char *what)
{
	out->kind = ANSWER_AWAY;
	out->doc = NULL;
	err_set(&out->err, code, "%s %s", url, what);
}

/* Fills out from an answer's error object. */
static bool read_error(struct json_object *doc, struct answer *out)
{
	struct json_object *error = json_get(doc, "error");
	const char *text;

	if (!error || json_type(error) != JSON_OBJECT ||
	    !json_get_str(error, "code"))
		return false;
	text = json_get_str(error, "message");
	out->kind = ANSWER_REFUSED;
	out->code = err_from_name(json_get_str(error, "code"));
	out->doc = json_get(error, "detail");
	err_set(&out->err, out->code, "%s", text ? text : "refused");
	return true;
}

static bool same_cluster(const struct link *l, struct json_object *doc)
{
	const char *cluster = json_get_str(doc, "cluster");

	return !l->cluster[0] || !cluster || strcmp(cluster, l->cluster) == 0;
}

/* What the answer is; an error of its own is neither well nor failed. */
static void judge(struct link *l, struct arena *a, const struct httpc_reply *r,
		  const char *url, struct answer *out)
{
	struct json_object *doc = NULL;
	struct err e = ERR_INIT;

	if (!r->ok) {
		out->kind = ANSWER_AWAY;
		out->err = r->err;
		return;
	}
	if (r->body.len &&
	    (!json_parse(a, r->body.data, r->body.len, &doc, &e) ||
	     json_type(doc) != JSON_OBJECT)) {
		away(out, ERR_MEDIA_TYPE, url,
		     "does not speak Sortie's protocol");
	} else if (r->status >= 200 && r->status < 300) {
		out->doc = doc;
		if (doc && !same_cluster(l, doc))
			away(out, ERR_CONFLICT, url,
			     "is another cluster than the one that this pilot "
			     "joined");
	} else if (!doc || !read_error(doc, out)) {
		out->kind = ANSWER_AWAY;
		err_set(&out->err, ERR_UNAVAILABLE, "%s answers with status %d",
			url, r->status);
	} else {
		if (r->status >= 500 && r->status != 507)
			out->kind = ANSWER_AWAY;
		err_prefix(&out->err, "%s", url);
	}
}

void link_answer(struct link *l, struct arena *a, const struct httpc_reply *r,
		 const char *url, int64_t sent_ms, struct answer *out)
{
	*out = (struct answer){ .kind = ANSWER_OK, .status = r->status };
	out->retry_after_ms = r->retry_after_s * 1000;
	judge(l, a, r, url, out);
	if (out->kind == ANSWER_OK)
		link_well(l, url, sent_ms);
	else if (out->kind == ANSWER_AWAY)
		link_failed(l, url, &out->err);
}

bool answer_unknown_pilot(const struct answer *a)
{
	return a->kind == ANSWER_REFUSED &&
	       (a->status == 401 || a->status == 403 || a->status == 404);
}
