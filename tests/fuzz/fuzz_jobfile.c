/*
 * Any bytes as the command's job file: each job is a JSON object by itself,
 * and lies within the file, in order.
 */
#include <string.h>
#include "clients/jobfile.h"
#include "lib/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct reading {
	size_t n;
	size_t bytes;
};

static bool on_job(struct arena *a, const struct jobfile_job *job, void *arg,
		   struct err *e)
{
	struct reading *r = arg;
	struct json_object *o;

	r->n++;
	r->bytes += job->len;
	if (!json_parse(a, job->text, job->len, &o, e))
		BUG("%s is refused by itself: %s", job->where, e->text);
	if (job->object == NULL || *job->text != '{')
		BUG("%s is no object", job->where);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reading r = { 0, 0 };
	struct err e = ERR_INIT;

	if (jobfile_read_text("f", (const char *)data, len, on_job, &r, &e)) {
		if (r.n == 0)
			BUG("a document without any job was taken");
	} else if (strncmp(e.text, "f", 1) != 0) {
		BUG("no place in \"%s\"", e.text);
	}
	if (r.bytes > len)
		BUG("%zu bytes of jobs in a file of %zu", r.bytes, len);
	return 0;
}
