/* From the words by which a person names jobs to their numbers, with the
 * server's help for UUIDs and keys, and the memory of the last submission. */
#include <inttypes.h>
#include <string.h>
#include "clients/call.h"
#include "clients/last.h"
#include "clients/query.h"
#include "clients/refs.h"
#include "lib/id.h"

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
		return last_read(c, "job", out, e);
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
