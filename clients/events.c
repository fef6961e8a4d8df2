/* `sortie events`: what happened, oldest first, and what happens (-f). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/refs.h"
#include "clients/table.h"

#define POLL_S 30
#define PAGE_MAX 1000

struct opts {
	struct cli_settings common;
	bool follow;
	const char *after, *job, *kind;
	int64_t max;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "follow",
	  .letter = 'f',
	  .kind = OPT_FLAG,
	  .offset = F(follow),
	  .help = "Go on with what happens, until "
		  "interrupted." },
	{ .name = "after",
	  .kind = OPT_STR,
	  .offset = F(after),
	  .arg = "CURSOR",
	  .help = "Begin behind this place in the feed: the `next` of an "
		  "answer with --json." },
	{ .name = "job",
	  .letter = 'j',
	  .kind = OPT_STR,
	  .offset = F(job),
	  .arg = "JOB",
	  .help = "Only what happened to this job." },
	{ .name = "kind",
	  .letter = 'k',
	  .kind = OPT_STR,
	  .offset = F(kind),
	  .arg = "KIND",
	  .help = "Only events of this kind (`submitted`, `ended`, `pilot "
		  "lost`, ...); a wrong one is answered with a list." },
	{ .name = "max",
	  .letter = 'n',
	  .kind = OPT_INT,
	  .offset = F(max),
	  .min = 1,
	  .max = PAGE_MAX,
	  .arg = "N",
	  .help = "The newest N events; with --after or --job the first N. "
		  "With -f, before it goes on." },
};

static void add_number(struct buf *b, struct json_object *item, const char *key)
{
	if (json_get_int(item, key) > 0)
		buf_addf(b, "  %s %" PRId64, key, json_get_int(item, key));
}

static void print_event(struct json_object *item)
{
	const char *at = json_get_str(item, "at");
	const char *kind = json_get_str(item, "kind");
	const char *text = json_get_str(item, "text");
	struct json_object *detail = json_get(item, "detail");
	int64_t ms, count = detail && json_type(detail) == JSON_OBJECT
				    ? json_get_int(detail, "count")
				    : 0;
	const char *gap = "  ";
	struct buf b = BUF_INIT, line = BUF_INIT;

	if (at != NULL && human_time_parse(at, &ms))
		human_time(&b, ms);
	buf_addf(&b, "  %-16s", kind ? kind : "?");
	add_number(&b, item, "job");
	if (count > 1)
		buf_addf(&b, " and %" PRId64 " more", count - 1);
	add_number(&b, item, "pilot");
	if (detail != NULL && json_type(detail) == JSON_OBJECT &&
	    json_get_str(detail, "name") != NULL) {
		buf_addf(&b, "  %s:", json_get_str(detail, "name"));
		gap = " ";
	}
	if (text != NULL && text[0] != '\0')
		buf_addf(&b, "%s%s", gap, text);
	table_add_text(&line, buf_str(&b), 1 << 20);
	printf("%s\n", buf_str(&line));
	buf_fini(&b);
	buf_fini(&line);
}

/* All pages of a feed that is not followed are one document. */
static bool is_document(const struct cli *c)
{
	return c->settings->json && !c->settings->ndjson &&
	       !CLI_OPTS(c, struct opts)->follow;
}

static void document_end(const struct cli *c, const char *next)
{
	struct buf b = BUF_INIT;

	if (!is_document(c))
		return;
	buf_addc(&b, '{');
	if (next != NULL)
		buf_json_kv_str(&b, "next", next);
	else
		buf_json_kv_raw(&b, "next", "null");
	printf("],%s}\n", buf_str(&b) + 1);
	buf_fini(&b);
}

static void print_items(struct cli *c, struct json_object *items, bool first)
{
	struct buf b = BUF_INIT;

	if (first && is_document(c))
		printf("{\"items\":[");
	for (size_t i = 0; i < json_len(items); i++) {
		struct json_object *item = json_at(items, i);

		if (!c->settings->json && !c->settings->ndjson) {
			print_event(item);
			continue;
		}
		buf_reset(&b);
		json_write(&b, item);
		if (!is_document(c)) {
			list_raw(buf_str(&b), b.len);
			continue;
		}
		if (!first || i > 0)
			putchar(',');
		fwrite(b.data, 1, b.len, stdout);
	}
	buf_fini(&b);
}

static void write_path(struct buf *path, const struct opts *o, int64_t job,
		       const char *after, int64_t most, bool wait)
{
	buf_reset(path);
	buf_adds(path, "/api/v1/events");
	query_add(path, "after", after);
	if (job > 0)
		query_add_i64(path, "job", job);
	query_add(path, "kind", o->kind);
	if (most > 0)
		query_add_i64(path, "page_size", most);
	if (wait)
		query_add_i64(path, "wait", POLL_S);
}

/* One page, which may be empty although there is more; *n is how many events
 * were on it. */
static bool page(struct cli *c, const char *path, bool first, char **after,
		 bool *more, int64_t *n, struct err *e)
{
	struct arena *a = arena_new();
	struct call_request r = { .method = "GET",
				  .path = path,
				  .wait_s = POLL_S };
	struct call_answer answer;
	struct json_object *items;
	const char *next;
	bool ok = call_send(c, a, &r, &answer, e);

	*more = false;
	*n = 0;
	if (ok) {
		items = json_get(answer.doc, "items");
		next = json_get_str(answer.doc, "next");
		if (items != NULL && json_type(items) == JSON_ARRAY) {
			print_items(c, items, first);
			*n = (int64_t)json_len(items);
		}
		fflush(stdout);
		*more = next != NULL &&
			(*after == NULL || strcmp(*after, next) != 0);
		if (next != NULL) {
			free(*after);
			*after = xstrdup(next);
		}
	}
	arena_free(a);
	return ok;
}

static int run(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	char *after = o->after ? xstrdup(o->after) : NULL;
	bool more = true, ok = true, wait = false, first = true;
	int64_t job = 0, n, left = o->max;

	if (o->job != NULL && !refs_resolve_one(c, o->job, &job, &e))
		return cli_fail(c, &e);
	while (ok && (more || o->follow) && !ferror(stdout)) {
		write_path(&path, o, job, after, left, wait);
		ok = page(c, buf_str(&path), first, &after, &more, &n, &e);
		wait = o->follow && !more;
		first = false;
		if (left > n) {
			left -= n;
			continue;
		}
		if (o->max > 0 && !o->follow)
			break;
		left = 0;
	}
	if (ok)
		document_end(c, after);
	buf_fini(&path);
	free(after);
	return ok ? CLI_OK : cli_fail(c, &e);
}

const struct cli_command command_events = {
	.path = "events",
	.brief = "tell what happened, oldest first",
	.text = "Submissions, grants, starts, ends, cancels and what else "
		"changed, as far as the token may see it. With --json one "
		"document, with --ndjson or -f one event a line.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.run = run,
};
