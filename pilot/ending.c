/* Puts the end of a run into the protocol's words: see ending.h. */
#include "pilot/ending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/id.h"
#include "lib/utf8.h"
#include "pilot/runfiles.h"

/* All meta lines of an end together, so that a report holds it. */
#define META_MAX (256 * 1024)
/* The server reads 1,000 files and 64 KiB of an end. */
#define FILES_MAX 1000
#define FILES_BYTES (63 * 1024)

void ending_unstarted(struct ending *out, const char *state, const char *reason)
{
	*out = (struct ending){ .state = state };
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
}

/* It ended because of itself: its exit status decides. */
static void by_itself(struct ending *out, const struct payload_end *end)
{
	if (!end->started || !end->exited || end->exit_code != 0 ||
	    end->reason[0]) {
		out->state = "failed";
		if (end->reason[0])
			snprintf(out->reason, sizeof(out->reason), "%s",
				 end->reason);
		else if (!end->exited)
			snprintf(out->reason, sizeof(out->reason),
				 "signal %d (%s)", end->signal,
				 strsignal(end->signal));
		return;
	}
	out->state = "finished";
}

/* The pilot ended it to be gone: an exit 0 within the grace is a result,
 * anything else runs again elsewhere and costs the job nothing. */
static void handed_back(struct ending *out, const struct payload_end *end,
			const char *reason)
{
	if (end->started && end->exited && end->exit_code == 0 &&
	    !end->reason[0]) {
		out->state = "finished";
		return;
	}
	out->state = "returned";
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
}

void ending_of_payload(struct ending *out, const struct payload_end *end,
		       const struct run *r)
{
	*out = (struct ending){ .ran = end->started,
				.exited = end->exited,
				.exit_code = end->exit_code,
				.signal = end->signal,
				.wall_ms = end->wall_ms,
				.user_ms = end->user_ms,
				.system_ms = end->system_ms,
				.max_rss = end->max_rss,
				.own_fault = end->own_fault };
	switch (end->why) {
	case PAYLOAD_TIMELIMIT:
		out->state = "timelimit";
		snprintf(out->reason, sizeof(out->reason),
			 "time limit of %lld s",
			 (long long)(r->grant.timeout_ms / 1000));
		break;
	case PAYLOAD_CANCEL:
	case PAYLOAD_STALE:
		out->state = "cancelled";
		break;
	case PAYLOAD_DRAIN:
		handed_back(out, end, "drained");
		break;
	case PAYLOAD_STOP:
		handed_back(out, end, "pilot stopped");
		break;
	case PAYLOAD_DISCONNECT:
		handed_back(out, end, "cut off from the server");
		break;
	case PAYLOAD_NO_SPACE:
		out->state = "failed";
		snprintf(out->reason, sizeof(out->reason), "%s",
			 end->reason[0] ? end->reason : "disk full");
		break;
	case PAYLOAD_BY_ITSELF:
		by_itself(out, end);
		break;
	}
}

/* Text that JSON and PostgreSQL can hold: UTF-8 without NUL. */
static bool is_text(const char *s, size_t len)
{
	bool ok = true;

	if (memchr(s, '\0', len))
		return false;
	for (size_t at = 0; at < len && ok;)
		at += utf8_next(s + at, len - at, &ok);
	return ok;
}

/* The whole stream inside the end; false when it cannot be read. */
static bool inline_stream(struct buf *b, struct run *r, struct run_stream *s)
{
	char *bytes = xmalloc((size_t)s->size + 1);
	int64_t from = 0, n;
	struct buf code = BUF_INIT;

	n = payload_output_read(r->payload, s->which, &from, bytes, s->size);
	if (n != s->size || from != 0) {
		free(bytes);
		return false;
	}
	if (is_text(bytes, (size_t)n)) {
		buf_json_key(b, "text");
		buf_json_strn(b, bytes, (size_t)n);
	} else {
		id_base64(&code, bytes, (size_t)n);
		buf_json_kv_str(b, "base64", buf_str(&code));
		buf_fini(&code);
	}
	free(bytes);
	return true;
}

static void write_stream(struct buf *b, struct run *r, struct run_stream *s,
			 const char *name)
{
	bool whole;

	if (s->size == 0)
		return;
	buf_json_key(b, name);
	buf_addc(b, '{');
	buf_json_kv_i64(b, "size", s->size);
	whole = s->inlined && inline_stream(b, r, s);
	buf_json_kv_i64(b, "sent", s->sent);
	if (!whole && (s->sent < s->size || s->incomplete))
		buf_json_kv_bool(b, "incomplete", true);
	buf_addc(b, '}');
}

static void write_meta(struct buf *b, const struct run *r)
{
	size_t n, from = b->len;
	char *const *meta = payload_meta(r->payload, &n);

	if (!n)
		return;
	buf_json_key(b, "meta");
	buf_addc(b, '[');
	for (size_t i = 0; i < n && b->len - from < META_MAX; i++) {
		buf_json_comma(b);
		buf_json_str(b, meta[i]);
	}
	buf_addc(b, ']');
}

struct file_list {
	struct buf *b;
	size_t from, n; /* where files begin, and how many there are */
	bool left_out;
};

static void write_file(struct file_list *l, const struct runfile *f)
{
	size_t before = l->b->len;

	if (l->left_out)
		return;
	buf_json_comma(l->b);
	buf_addc(l->b, '{');
	buf_json_kv_str(l->b, "path", f->path);
	if (f->size >= 0)
		buf_json_kv_i64(l->b, "size", f->size);
	if (f->sha256[0])
		buf_json_kv_str(l->b, "sha256", f->sha256);
	buf_addc(l->b, '}');
	l->left_out = ++l->n > FILES_MAX || l->b->len - l->from > FILES_BYTES;
	if (l->left_out)
		l->b->len = before;
}

/* Outputs first: they matter more. */
static void write_files(struct buf *b, const struct runfiles *f, bool finished)
{
	struct file_list l = { b, b->len, 0, false };

	if (f->n_out && finished) {
		buf_json_key(b, "outputs");
		buf_addc(b, '[');
		for (size_t i = 0; i < f->n_out; i++)
			if (f->out[i].found)
				write_file(&l, &f->out[i]);
		buf_addc(b, ']');
	}
	if (f->n_in) {
		buf_json_key(b, "inputs");
		buf_addc(b, '[');
		for (size_t i = 0; i < f->n_in; i++)
			if (f->in[i].found)
				write_file(&l, &f->in[i]);
		buf_addc(b, ']');
	}
	if (l.left_out)
		buf_json_kv_bool(b, "files_left_out", true);
}

static void write_usage(struct buf *b, const struct ending *end)
{
	if (end->exited)
		buf_json_kv_i64(b, "exit_code", end->exit_code);
	else
		buf_json_kv_i64(b, "signal", end->signal);
	buf_json_kv_i64(b, "wall_ms", end->wall_ms);
	buf_json_kv_i64(b, "user_ms", end->user_ms);
	buf_json_kv_i64(b, "system_ms", end->system_ms);
	buf_json_kv_i64(b, "max_rss", end->max_rss);
}

void ending_write(struct run *r, const struct ending *end)
{
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	buf_json_kv_str(&b, "run", r->id);
	buf_json_kv_i64(&b, "job", r->job);
	buf_json_kv_str(&b, "state", end->state);
	if (end->reason[0])
		buf_json_kv_str(&b, "reason", end->reason);
	buf_json_kv_bool(&b, "started", end->ran);
	if (end->ran)
		write_usage(&b, end);
	if (r->payload) {
		write_stream(&b, r, &r->out[0], "stdout");
		write_stream(&b, r, &r->out[1], "stderr");
		write_meta(&b, r);
		write_files(&b, payload_files(r->payload),
			    strcmp(end->state, "finished") == 0);
	}
	free(r->end);
	r->end_len = b.len;
	r->end = buf_take(&b);
}

void ending_report(struct buf *b, const struct run *r, int64_t now_ms)
{
	buf_json_comma(b);
	buf_add(b, r->end, r->end_len);
	buf_json_kv_i64(b, "ago_ms",
			now_ms > r->ended_ms ? now_ms - r->ended_ms : 0);
	buf_addc(b, '}');
}
