/* A grant in the words of the protocol. */
#include "server/lanes_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "server/auth.h"
#include "server/options.h"
#include "server/seal.h"

void run_hex(int64_t run, char out[17])
{
	(void)snprintf(out, 17, "%016llx", (unsigned long long)run);
}

static const char *string_end(const char *s)
{
	for (s++; *s != '"' && *s != '\0'; s++)
		if (*s == '\\' && s[1] != '\0')
			s++;
	return *s != '\0' ? s + 1 : s;
}

/*
 * The number behind a key of the definition's outermost object; def when it
 * has none.  Definitions are compact JSON of our own making, so a look at
 * their brackets and strings is enough, at a tenth of the cost of parsing.
 */
static int64_t definition_int(const char *s, const char *key, int64_t def)
{
	size_t len = strlen(key);
	int depth = 0;

	while (*s != '\0') {
		const char *end;

		if (*s != '"') {
			depth += *s == '{' || *s == '[';
			depth -= *s == '}' || *s == ']';
			s++;
			continue;
		}
		end = string_end(s);
		if (depth == 1 && *end == ':' && (size_t)(end - s) == len + 2 &&
		    memcmp(s + 1, key, len) == 0)
			return strtoll(end + 1, NULL, 10);
		s = end;
	}
	return def;
}

/* With secrets: *** where each was, and their values beside it. */
static void write_definition(struct buf *b, const struct server *srv,
			     const char *definition)
{
	struct buf shown = BUF_INIT, opened = BUF_INIT;

	if (seal_open_definition(srv->seal, definition, &shown, &opened)) {
		buf_json_kv_raw(b, "definition", buf_str(&shown));
		buf_json_kv_raw(b, "secrets", buf_str(&opened));
		explicit_bzero(opened.data, opened.len);
	} else {
		buf_json_kv_raw(b, "definition", definition);
	}
	buf_fini(&shown);
	buf_fini(&opened);
}

void grant_write(struct buf *b, const struct server *srv, const struct grant *g)
{
	char run[17], token[AUTH_JOB_TOKEN_LEN + 1];

	run_hex(g->run, run);
	auth_job_token(srv, g->job, (uint64_t)g->run, token);
	buf_json_comma(b);
	buf_addc(b, '{');
	buf_json_kv_str(b, "run", run);
	buf_json_kv_i64(b, "job", g->job);
	buf_json_kv_str(b, "id", g->id);
	buf_json_kv_i64(b, "attempt", g->attempt);
	buf_json_kv_str(b, "name", g->name);
	buf_json_kv_str(b, "project", g->project);
	buf_json_kv_str(b, "owner", g->owner);
	if (g->has_idx)
		buf_json_kv_i64(b, "index", g->idx);
	buf_json_kv_i64(b, "priority", g->priority);
	buf_json_kv_str(b, "jobtype", g->jobtype);
	buf_json_kv_bool(b, "ahead", g->ahead);
	buf_json_kv_str(b, "token", token);
	buf_json_kv_i64(b, "timeout_s",
			definition_int(g->definition, "timeout",
				       srv->set->default_timeout_s));
	buf_json_kv_raw(b, "workflow", "null");
	write_definition(b, srv, g->definition);
	buf_addc(b, '}');
}
