/*
 * Files that jobs want in their working directories: fetched once from the
 * server, checked against their hash, and kept for the next run that wants
 * the same, up to a bound.
 */
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/id.h"
#include "lib/log.h"
#include "pilot/talk.h"

#define FETCHES_MAX 4
#define FETCH_TIMEOUT_MS 30000
#define FILE_MAX (INT64_C(1) << 20)
#define CACHE_MAX (INT64_C(64) << 20)
#define SHA_LEN 64

struct fetch_file {
	TAILQ_ENTRY(fetch_file) entry;
	struct talk *talk;
	char sha[SHA_LEN + 1];
	char *path;
	int64_t size;
	bool here;
	int users; /* runs that want it or read it */
	struct httpc_call *call;
	const char *url;
	int64_t call_ms;
};

TAILQ_HEAD(fetch_list, fetch_file);

struct fetch_cache {
	struct fetch_list files; /* least lately wanted first */
	int64_t size;            /* bytes that are here */
	int calls;
};

/* What one run waits for; freed with its run's grant. */
struct fetch {
	size_t n;
	struct fetch_file **file;
	const char **path; /* NULL-terminated */
};

static void clean(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		return;
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
}

void fetch_init(struct talk *t)
{
	t->files = xcalloc(1, sizeof(*t->files));
	TAILQ_INIT(&t->files->files);
	clean(t->spool.files);
}

static void file_free(struct fetch_cache *c, struct fetch_file *f)
{
	TAILQ_REMOVE(&c->files, f, entry);
	if (f->here) {
		unlink(f->path);
		c->size -= f->size;
	}
	free(f->path);
	free(f);
}

void fetch_fini(struct talk *t)
{
	struct fetch_file *f, *next;

	for (f = TAILQ_FIRST(&t->files->files); f != NULL; f = next) {
		next = TAILQ_NEXT(f, entry);
		file_free(t->files, f);
	}
	free(t->files);
	t->files = NULL;
}

static struct fetch_file *find(struct talk *t, const char *sha)
{
	struct fetch_cache *c = t->files;
	struct fetch_file *f;

	TAILQ_FOREACH (f, &c->files, entry)
		if (strcmp(f->sha, sha) == 0)
			break;
	if (f) {
		TAILQ_REMOVE(&c->files, f, entry);
	} else {
		f = xcalloc(1, sizeof(*f));
		f->talk = t;
		snprintf(f->sha, sizeof(f->sha), "%s", sha);
		f->path = xasprintf("%s/%s", t->spool.files, sha);
	}
	TAILQ_INSERT_TAIL(&c->files, f, entry);
	return f;
}

static const char *wanted_sha(struct json_object *item)
{
	const char *sha = NULL;

	if (json_type(item) == JSON_OBJECT)
		sha = json_get_str(item, "sha256");
	if (!sha || strlen(sha) != SHA_LEN ||
	    strspn(sha, "0123456789abcdef") != SHA_LEN)
		return NULL;
	return sha;
}

static bool complete(const struct fetch *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (!w->file[i]->here)
			return false;
	return true;
}

bool fetch_begin(struct talk *t, struct run *r)
{
	struct json_object *send = json_get(r->grant.definition, "send");
	struct fetch *w;
	size_t n;

	if (!send || json_type(send) != JSON_ARRAY || json_len(send) == 0)
		return false;
	n = json_len(send);
	w = ARENA_NEW(r->arena, struct fetch);
	w->file = ARENA_ARRAY(r->arena, struct fetch_file *, n);
	w->path = ARENA_ARRAY(r->arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const char *sha = wanted_sha(json_at(send, i));

		if (!sha)
			return false; /* the payload's start will tell */
		w->file[i] = find(t, sha);
		w->file[i]->users++;
		w->path[i] = arena_strdup(r->arena, w->file[i]->path);
		w->n++;
	}
	r->fetch = w;
	return !complete(w);
}

const char *const *fetch_paths(const struct run *r)
{
	return r->fetch ? r->fetch->path : NULL;
}

static void shrink(struct fetch_cache *c)
{
	struct fetch_file *f, *next;

	for (f = TAILQ_FIRST(&c->files); f && c->size > CACHE_MAX; f = next) {
		next = TAILQ_NEXT(f, entry);
		if (f->here && !f->users)
			file_free(c, f);
	}
}

void fetch_drop(struct talk *t, struct run *r)
{
	struct fetch *w = r->fetch;

	r->fetch = NULL;
	for (size_t i = 0; w && i < w->n; i++) {
		struct fetch_file *f = w->file[i];

		if (--f->users || f->here)
			continue;
		if (f->call) {
			httpc_cancel(f->call);
			t->files->calls--;
		}
		file_free(t->files, f);
	}
	shrink(t->files);
}

static bool wants(const struct run *r, const struct fetch_file *f)
{
	for (size_t i = 0; i < r->fetch->n; i++)
		if (r->fetch->file[i] == f)
			return true;
	return false;
}

/* Every run that waits for the file cannot start. It may be freed here. */
static void fail(struct talk *t, struct fetch_file *f, const char *why)
{
	struct run_list *list = runs_list(t->runs, RUN_FETCHING);
	char *reason = xasprintf("nonstarter: cannot fetch the file %.12s…: %s",
				 f->sha, why);
	struct run *r, *next;

	for (r = TAILQ_FIRST(list); r; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (wants(r, f))
			work_end_unstarted(t, r, "failed", reason);
	}
	free(reason);
}

static void release_ready(struct talk *t)
{
	struct run_list *list = runs_list(t->runs, RUN_FETCHING);
	struct run *r, *next;

	for (r = TAILQ_FIRST(list); r; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (!complete(r->fetch))
			continue;
		r->granted_ms = clock_mono_ms();
		runs_move(t->runs, r, RUN_READY);
	}
	talk_turn_soon(t);
}

static bool store(struct fetch_file *f, const struct buf *body, struct err *e)
{
	char *temp = xasprintf("%s.new", f->path);
	int fd = open(temp,
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		      0600);
	bool ok = fd >= 0 && fd_write_all(fd, body->data, body->len) &&
		  rename(temp, f->path) == 0;

	if (!ok) {
		err_set_errno(e, ERR_IO, "cannot store it");
		unlink(temp);
	}
	if (fd >= 0)
		close(fd);
	free(temp);
	return ok;
}

static bool right_hash(const struct fetch_file *f, const struct buf *body)
{
	uint8_t sum[32];
	char hex[SHA_LEN + 1];

	id_sha256(body->data, body->len, sum);
	id_hex(sum, sizeof(sum), hex);
	return strcmp(hex, f->sha) == 0;
}

static void arrived(struct talk *t, struct fetch_file *f,
		    const struct buf *body)
{
	struct err e = ERR_INIT;

	if (!right_hash(f, body)) {
		fail(t, f, "its contents do not match its hash");
		return;
	}
	if (!store(f, body, &e)) {
		fail(t, f, e.text);
		return;
	}
	f->here = true;
	f->size = (int64_t)body->len;
	t->files->size += f->size;
	release_ready(t);
}

static void on_file(const struct httpc_reply *reply, void *arg)
{
	struct fetch_file *f = arg;
	struct talk *t = f->talk;
	struct arena *a = arena_new();
	struct answer ans;

	f->call = NULL;
	t->files->calls--;
	if (reply->ok && reply->status == 200) {
		backoff_ok(&t->fetch_backoff);
		arrived(t, f, &reply->body);
	} else {
		link_answer(&t->link, a, reply, f->url, f->call_ms, &ans);
		if (ans.kind == ANSWER_REFUSED && ans.status == 404)
			fail(t, f, ans.err.text);
		else
			talk_failed(t, &t->fetch_backoff, &ans);
	}
	arena_free(a);
	talk_turn_soon(t);
}

static void get(struct talk *t, struct fetch_file *f)
{
	struct buf path = BUF_INIT;
	struct httpc_request q = {
		.method = "GET",
		.base = link_url(&t->link),
		.token = t->token,
		.timeout_ms = FETCH_TIMEOUT_MS,
		.connect_timeout_ms = t->lease_ms / 3,
		.max_reply = FILE_MAX,
	};

	buf_addf(&path, "/api/v1/files/%s", f->sha);
	q.path = buf_str(&path);
	f->url = q.base;
	f->call_ms = clock_mono_ms();
	f->call = httpc_start(t->http, &q, on_file, f);
	t->files->calls++;
	buf_fini(&path);
}

void fetch_turn(struct talk *t)
{
	struct fetch_cache *c = t->files;
	struct fetch_file *f;

	if (!runs_count(t->runs, RUN_FETCHING))
		return;
	if (!backoff_ready(&t->fetch_backoff, clock_mono_ms())) {
		talk_turn_at(t, t->fetch_backoff.until_ms);
		return;
	}
	TAILQ_FOREACH (f, &c->files, entry) {
		if (c->calls >= FETCHES_MAX)
			return;
		if (!f->here && !f->call)
			get(t, f);
	}
}
