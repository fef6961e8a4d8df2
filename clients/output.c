/* Fetches the output of runs piece by piece and writes it where the person
 * wants it. */
#include "clients/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/query.h"
#include "lib/units.h"

void output_path(struct buf *path, int64_t job, int64_t attempt,
		 const struct output *o, int64_t wait_s)
{
	buf_addf(path, "/api/v1/jobs/%" PRId64 "/runs/", job);
	if (attempt > 0)
		buf_add_i64(path, attempt);
	else
		buf_adds(path, "last");
	buf_addf(path, "/output/%s", o->name);
	query_add_i64(path, "offset", o->offset);
	if (wait_s > 0)
		query_add_i64(path, "wait", wait_s);
}

static int64_t number(const struct httpc_reply *reply, const char *name,
		      int64_t otherwise)
{
	char text[32];

	if (httpc_reply_header(reply, name, text, sizeof(text)) == NULL)
		return otherwise;
	return strtoll(text, NULL, 10);
}

static bool is_true(const struct httpc_reply *reply, const char *name)
{
	char text[8];

	return httpc_reply_header(reply, name, text, sizeof(text)) != NULL &&
	       strcmp(text, "true") == 0;
}

static bool write_all(struct output *o, const char *p, size_t len,
		      struct err *e)
{
	while (len > 0) {
		ssize_t n = write(o->fd, p, len);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_set_errno(e, ERR_IO,
					     "cannot write the "
					     "job's %s",
					     o->name);
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void tell_gaps(struct output *o, const struct httpc_reply *reply)
{
	int64_t left_out = number(reply, "Sortie-Left-Out", 0);
	struct buf b = BUF_INIT;

	if (left_out > 0) {
		units_format_bytes(&b, left_out);
		cli_note("%s of %s were left out here", buf_str(&b), o->name);
		buf_fini(&b);
	}
	if (is_true(reply, "Sortie-Incomplete") && !o->lost) {
		cli_note("some of %s was lost", o->name);
		o->lost = true;
	}
}

bool output_take(struct output *o, const struct httpc_reply *reply, size_t *got,
		 struct err *e)
{
	int64_t next = number(reply, "Sortie-Next",
			      o->offset + (int64_t)reply->body.len);

	*got = reply->body.len;
	tell_gaps(o, reply);
	if (!write_all(o, buf_str(&reply->body), reply->body.len, e))
		return false;
	o->offset = next;
	/* The last megabyte may end before the stream does. */
	o->complete = is_true(reply, "Sortie-Complete") &&
		      next >= number(reply, "Sortie-Size", next);
	return true;
}

bool output_copy(struct cli *c, int64_t job, int64_t attempt, struct output *o,
		 struct err *e)
{
	struct buf path = BUF_INIT;
	size_t got = 1;
	bool ok = true;

	while (ok && got > 0 && !o->complete) {
		struct call_request r = { .method = "GET" };
		struct httpc_reply reply;

		buf_reset(&path);
		output_path(&path, job, attempt, o, 0);
		r.path = buf_str(&path);
		ok = call_raw(c, &r, &reply, e);
		if (!ok)
			break;
		if (reply.status == 200)
			ok = output_take(o, &reply, &got, e);
		else
			ok = call_error(c, &reply, e);
		httpc_reply_fini(&reply);
	}
	buf_fini(&path);
	return ok;
}
