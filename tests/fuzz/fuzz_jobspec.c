/*
 * Any bytes as a job file: what is accepted must be accepted again in its
 * canonical form, and give the same text.
 */
#include <string.h>
#include "lib/jobspec.h"
#include "lib/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_canonical(struct arena *a, const struct jobspec *job)
{
	struct json_object *o;
	struct jobspec again;
	struct err e;

	if (!json_parse(a, job->definition, job->definition_len, &o, &e) ||
	    !jobspec_decode(a, o, "", &again, &e))
		BUG("%s is refused: %s", job->definition, e.text);
	if (strcmp(job->definition, again.definition) != 0 ||
	    strcmp(job->requirements, again.requirements) != 0)
		BUG("%s became %s", job->definition, again.definition);
	if (!json_check(job->requirements, strlen(job->requirements), &e))
		BUG("%s: %s", job->requirements, e.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct json_object *doc, **jobs;
	struct jobspec job;
	struct err e = ERR_INIT;
	size_t n;

	if (json_parse(a, (const char *)data, len, &doc, &e) &&
	    jobspec_list(a, doc, "f", &jobs, &n, &e)) {
		for (size_t i = 0; i < n; i++)
			if (jobspec_decode(a, jobs[i], "f: job", &job, &e))
				check_canonical(a, &job);
	}
	arena_free(a);
	return 0;
}
