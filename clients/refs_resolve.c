/* From the words by which a person names jobs to their numbers, with the
 * server's help for UUIDs and keys, and the memory of the last submission. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/query.h"
#include "clients/refs.h"
#include "clients/settings.h"
#include "lib/id.h"

/* One file per server, so that @last never means another server's jobs. */
static char *last_path(struct cli *c, char **dir)
{
	uint8_t hash[32];
	char hex[17];

	*dir = settings_user_dir(c->arena, "state");
	if (*dir == NULL)
		return NULL;
	id_sha256(call_url(c), strlen(call_url(c)), hash);
	id_hex(hash, 8, hex);
	return arena_printf(c->arena, "%s/last-%s", *dir, hex);
}

void refs_save_last(struct cli *c, const struct refs *refs)
{
	struct err ignored = ERR_INIT;
	struct buf b = BUF_INIT;
	char *dir, *path, *draft;
	bool ok;
	FILE *f;

	if (refs->n == 0 || !call_open(c, &ignored))
		return;
	path = last_path(c, &dir);
	if (path == NULL || !settings_make_dirs(dir))
		return;
	draft = arena_printf(c->arena, "%s.%ld", path, (long)getpid());
	f = fopen(draft, "we");
	if (f == NULL)
		return;
	refs_write(&b, refs);
	ok = fprintf(f, "%s\n", buf_str(&b)) > 0;
	buf_fini(&b);
	if (fclose(f) != 0 || !ok || rename(draft, path) != 0)
		unlink(draft);
}

static bool add_last(struct cli *c, struct refs *out, struct err *e)
{
	char *dir, *path, *line = NULL;
	size_t cap = 0;
	ssize_t len;
	FILE *f;
	bool ok;

	if (!call_open(c, e))
		return false;
	path = last_path(c, &dir);
	f = path ? fopen(path, "re") : NULL;
	if (f == NULL)
		return err_set(e, ERR_NOT_FOUND,
			       "there is no @last: nothing "
			       "was submitted from here to %s yet",
			       call_url(c));
	len = getline(&line, &cap, f);
	fclose(f);
	if (len > 0 && line[len - 1] == '\n')
		line[len - 1] = '\0';
	ok = len > 0 && refs_add_text(c->arena, out, line, e);
	free(line);
	return ok || err_set(e, ERR_IO, "\"%s\" is damaged: remove it", path);
}

static bool add_uuid(struct cli *c, const char *uuid, struct refs *out,
		     struct err *e)
{
	struct call_answer answer;
	struct buf path = BUF_INIT;
	bool ok;

	query_path(&path, "/api/v1/jobs/", uuid);
	ok = call_get(c, c->arena, buf_str(&path), &answer, e);
	buf_fini(&path);
	if (!ok)
		return false;
	refs_add(c->arena, out, json_get_int(answer.doc, "number"),
		 json_get_int(answer.doc, "number"));
	return true;
}

static bool add_key(struct cli *c, const char *key, struct refs *out,
		    struct err *e)
{
	struct call_answer answer;
	struct buf path = BUF_INIT;
	struct json_object *items;
	bool ok;

	buf_adds(&path, "/api/v1/jobs");
	query_add(&path, "key", key);
	ok = call_get(c, c->arena, buf_str(&path), &answer, e);
	buf_fini(&path);
	if (!ok)
		return false;
	items = json_get(answer.doc, "items");
	if (items == NULL || json_type(items) != JSON_ARRAY ||
	    json_len(items) == 0)
		return err_set(e, ERR_NOT_FOUND,
			       "there is no job with the "
			       "key \"%s\"",
			       key);
	for (size_t i = 0; i < json_len(items); i++) {
		int64_t n = json_get_int(json_at(items, i), "number");

		refs_add(c->arena, out, n, n);
	}
	return true;
}

static bool add_word(struct cli *c, const char *word, struct refs *out,
		     struct err *e)
{
	if (strcmp(word, "@last") == 0)
		return add_last(c, out, e);
	if (word[0] == '\0' || word[0] == '@')
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" does not name a "
			       "job: write a number, a range (3-9,12), a "
			       "UUID, a key or @last",
			       word);
	if (strncmp(word, "key:", 4) == 0)
		return add_key(c, word + 4, out, e);
	if (refs_is_numbers(word))
		return refs_add_text(c->arena, out, word, e);
	if (id_uuid_valid(word))
		return add_uuid(c, word, out, e);
	return add_key(c, word, out, e);
}

bool refs_resolve(struct cli *c, char *const *words, size_t n, struct refs *out,
		  struct err *e)
{
	*out = (struct refs){ 0 };
	for (size_t i = 0; i < n; i++)
		if (!add_word(c, words[i], out, e))
			return false;
	refs_sort(out);
	return true;
}

bool refs_resolve_one(struct cli *c, const char *word, int64_t *number,
		      struct err *e)
{
	char *words[] = { arena_strdup(c->arena, word), NULL };
	struct refs refs;

	if (!refs_resolve(c, words, 1, &refs, e))
		return false;
	if (refs_count(&refs) != 1)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" names %" PRId64 " jobs, this command "
			       "takes one: they begin with %" PRId64,
			       word, refs_count(&refs), refs.ranges[0].first);
	*number = refs.ranges[0].first;
	return true;
}

int refs_fail(struct cli *c, const struct err *e)
{
	return e->code == ERR_BAD_REQUEST ? cli_misuse(c, "%s", e->text)
					  : cli_fail(c, e);
}
