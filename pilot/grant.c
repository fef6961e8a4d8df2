/*
 * Reads a grant as the server sends it.  Keys that this pilot does not know
 * are ignored (a newer server may send them); what it needs must be right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "lib/id.h"
#include "lib/jobspec.h"
#include "pilot/payload.h"

/* Parts of a definition that only later pilots can run. */
static const char *const not_here[] = { "stages", "image" };

static bool is_given(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	return v && json_type(v) != JSON_NULL;
}

static const char *text(struct arena *a, struct json_object *o, const char *key)
{
	const char *s = json_get_str(o, key);

	return s ? arena_strdup(a, s) : "";
}

static bool read_ids(struct json_object *o, struct payload_grant *g,
		     struct err *e)
{
	const char *run = json_get_str(o, "run"), *id = json_get_str(o, "id");
	uint8_t bytes[8];

	if (!run || !id_unhex(run, bytes, sizeof(bytes)))
		return err_set(e, ERR_BAD_REQUEST,
			       "a grant's run is not 16 hexadecimal digits");
	snprintf(g->run, sizeof(g->run), "%s", run);
	g->job = json_get_int(o, "job");
	if (g->job <= 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the grant of run %s names no job", run);
	if (!id || !id_uuid_valid(id))
		return err_set(e, ERR_BAD_REQUEST,
			       "the id of job %" PRId64 " is not a UUID",
			       g->job);
	snprintf(g->id, sizeof(g->id), "%s", id);
	return true;
}

static bool read_definition(struct arena *a, struct json_object *o,
			    struct payload_grant *g, struct err *e)
{
	struct json_object *def = json_get(o, "definition");
	struct buf b = BUF_INIT;
	bool ok;

	if (!def || json_type(def) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST,
			       "job %" PRId64 " has no definition", g->job);
	for (size_t i = 0; i < sizeof(not_here) / sizeof(not_here[0]); i++)
		if (is_given(def, not_here[i]))
			return err_set(e, ERR_UNPROCESSABLE,
				       "job %" PRId64 ": this pilot cannot run "
				       "'%s'",
				       g->job, not_here[i]);
	/* The reply that it came with goes; the payload keeps a copy. */
	json_write(&b, def);
	ok = json_parse(a, b.data, b.len, &g->definition, e);
	buf_fini(&b);
	return ok;
}

/* Values of the environment that stand nowhere else. */
static bool read_secrets(struct arena *a, struct json_object *o,
			 struct payload_grant *g, struct err *e)
{
	struct json_object *v = json_get(o, "secrets");
	struct buf b = BUF_INIT;
	bool ok;

	if (!v || json_type(v) == JSON_NULL)
		return true;
	json_write(&b, v);
	ok = json_parse(a, b.data, b.len, &g->secrets, e);
	explicit_bzero(b.data, b.len);
	buf_fini(&b);
	return ok;
}

static bool in_range(const struct payload_grant *g, int64_t timeout_s,
		     int64_t cores, struct err *e)
{
	if (timeout_s < 0 || timeout_s > JOBSPEC_TIMEOUT_MAX)
		return err_set(e, ERR_BAD_REQUEST,
			       "job %" PRId64 ": a time limit of %" PRId64 " s",
			       g->job, timeout_s);
	if (cores < 1 || cores > INT32_MAX || g->memory < 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "job %" PRId64 ": %" PRId64 " cores and %" PRId64
			       " bytes of memory",
			       g->job, cores, g->memory);
	return true;
}

bool payload_grant_read(struct arena *a, struct json_object *o,
			struct payload_grant *out, struct err *e)
{
	struct payload_grant g;
	int64_t timeout_s, cores;
	const char *on;

	memset(&g, 0, sizeof(g));
	if (!o || json_type(o) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST, "a grant is not an object");
	if (!read_ids(o, &g, e) || !read_definition(a, o, &g, e) ||
	    !read_secrets(a, o, &g, e))
		return false;
	timeout_s = json_get_int(o, "timeout_s");
	cores = is_given(g.definition, "cores")
			? json_get_int(g.definition, "cores")
			: 1;
	g.memory = json_get_int(g.definition, "memory");
	if (!in_range(&g, timeout_s, cores, e))
		return false;
	on = json_get_str(g.definition, "on_disconnect");
	g.attempt = (int)json_get_int(o, "attempt");
	g.index = is_given(o, "index") ? json_get_int(o, "index") : -1;
	g.name = text(a, o, "name");
	g.project = text(a, o, "project");
	g.owner = text(a, o, "owner");
	g.jobtype = text(a, o, "jobtype");
	g.token = text(a, o, "token");
	g.workflow =
		json_get_str(o, "workflow") ? text(a, o, "workflow") : NULL;
	g.timeout_ms = timeout_s * 1000;
	g.cores = (int32_t)cores;
	g.stop_on_disconnect = on && strcmp(on, "stop") == 0;
	*out = g;
	return true;
}
