/* Telling the server, and what it answers: see inject_int.h. */
#include "clients/inject_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/inject_file.h"
#include "clients/progress.h"
#include "lib/clock.h"
#include "lib/log.h"

#define REFUSED_AGAIN_MS 60000

void inject_pump(struct inject *in)
{
	struct inject_file *f;

	while (!in->stopping && in->loaded && in->allowed != 0 &&
	       inject_send_room(in->send) > 0 &&
	       (f = inject_first(in->table, INJECT_READY)) != NULL) {
		if (!inject_is_still(in, f))
			continue;
		f->changed = false;
		inject_move(in->table, f, INJECT_SENDING);
		if (in->allowed > 0)
			in->allowed--;
		inject_send(in->send, f);
	}
	inject_look_for_the_end(in);
}

/* Somebody may have put right what was wrong. */
void inject_try_refused(struct inject *in)
{
	int64_t until_ms = clock_mono_ms() - REFUSED_AGAIN_MS;
	struct inject_file *f;

	while (!in->plan->once &&
	       (f = inject_first(in->table, INJECT_REFUSED)) != NULL &&
	       f->changed_ms <= until_ms)
		inject_move(in->table, f, INJECT_READY);
}

void inject_on_room(void *arg)
{
	inject_pump(arg);
}

/* What the server answers */

static void note_told(struct inject_file *f, int version, int64_t size,
		      int64_t changed_ms)
{
	f->version = version;
	f->told_size = size;
	f->told_ms = changed_ms;
}

void inject_on_known(const char *path, int version, int64_t size,
		     int64_t changed_ms, void *arg)
{
	struct inject *in = arg;
	struct inject_file *f = inject_find(in->table, path);

	if (f == NULL || f->version >= version)
		return;
	note_told(f, version, size, changed_ms);
	if (f->state != INJECT_SETTLING && f->state != INJECT_READY)
		return;
	if (!in->plan->again || inject_is_as_told(f)) {
		inject_move(in->table, f, INJECT_TOLD);
		in->known++;
	}
}

/* A record costs a server what a fiftieth of a question about a file does; of
 * a stream that is years old the newest will do. */
bool inject_wants_more(size_t n, void *arg)
{
	const struct inject *in = arg;
	size_t left = inject_count(in->table, INJECT_READY) +
		      inject_count(in->table, INJECT_SETTLING);

	return n < 50 * left;
}

void inject_on_loaded(void *arg)
{
	struct inject *in = arg;

	in->loaded = true;
	progress_hide(in->progress);
	if (in->known)
		log_info("%" PRId64 " of the files are known already",
			 in->known);
	inject_pump(in);
}

static void print_made(const struct inject_file *f,
		       const struct inject_answer *a)
{
	struct buf b = BUF_INIT, path = BUF_INIT;

	inject_text(&path, f->path);
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "path", buf_str(&path));
	/* The rest of the answer's object, without its line's end. */
	printf("%s,%.*s\n", buf_str(&b), (int)strcspn(a->text + 1, "\n"),
	       a->text + 1);
	fflush(stdout);
	buf_fini(&path);
	buf_fini(&b);
}

static void tell_made(struct inject *in, const struct inject_file *f,
		      const struct inject_answer *a)
{
	if (!a->created) {
		in->known++;
		return;
	}
	in->made++;
	if (in->c->settings->json || in->c->settings->ndjson)
		print_made(f, a);
	if (in->progress == NULL && !in->c->settings->quiet)
		log_info("'%s' (%" PRId64 " byte%s%s): %s %" PRId64, f->path,
			 f->size, f->size == 1 ? "" : "s",
			 f->version > 1 ? ", a new version" : "",
			 a->workflow ? "workflow" : "job",
			 a->workflow ? a->workflow : a->job);
}

static void is_told(struct inject *in, struct inject_file *f,
		    const struct inject_answer *a)
{
	note_told(f, a->version, a->size, a->changed_ms);
	tell_made(in, f, a);
	if (f->gone) {
		inject_remove(in->table, f);
	} else if (f->changed && in->plan->again) {
		inject_unsettle(in, f);
	} else if (!inject_is_as_told(f) && in->plan->again && !a->created) {
		/* What the server had was an older version. */
		inject_move(in->table, f, INJECT_READY);
	} else {
		inject_move(in->table, f, INJECT_TOLD);
	}
}

/* Once a file and reason, however often it is tried. */
static void say_refusal(struct inject *in, struct inject_file *f,
			const char *why)
{
	uint64_t hash = inject_hash(why) | 1;

	if (f->refusal == hash)
		return;
	f->refusal = hash;
	progress_hide(in->progress);
	if (strcmp(in->last_refusal, why) != 0)
		log_error("'%s' is refused: %s", f->path, why);
	else
		log_info("'%s' is refused, too", f->path);
	snprintf(in->last_refusal, sizeof(in->last_refusal), "%s", why);
}

static void is_refused(struct inject *in, struct inject_file *f,
		       const struct inject_answer *a)
{
	in->refused++;
	say_refusal(in, f, a->err->text);
	if (f->gone) {
		inject_remove(in->table, f);
		return;
	}
	f->changed_ms = clock_mono_ms();
	inject_move(in->table, f, INJECT_REFUSED);
}

void inject_on_answer(struct inject_file *f, const struct inject_answer *a,
		      void *arg)
{
	struct inject *in = arg;

	switch (a->outcome) {
	case INJECT_MADE:
		is_told(in, f, a);
		break;
	case INJECT_AWAY:
		if (f->gone)
			inject_remove(in->table, f);
		else
			inject_move(in->table, f, INJECT_READY);
		break;
	case INJECT_NONE:
		is_refused(in, f, a);
		/* From the start on: a wrong name, or the wrong token. */
		if (in->made + in->known == 0)
			inject_fail(in, a->err);
		break;
	case INJECT_NOT:
		is_refused(in, f, a);
		break;
	}
}
