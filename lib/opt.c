/* Reads a program's options from its table's defaults, the environment and
 * the command line. */
#include "lib/opt.h"

#include <stdlib.h>
#include <string.h>
#include "lib/log.h"
#include "lib/opt_value.h"

/* A table's own mistakes show at the first start. */
static void set_default(struct arena *a, const struct opt *o, void *out)
{
	struct err e = ERR_INIT;
	bool ok = true;

	if (o->def != NULL)
		ok = opt_set_text(a, o, out, o->def, false, &e);
	else if (o->kind == OPT_LIST || o->kind == OPT_MULTI)
		opt_set_list(o, out, ARENA_NEW(a, const char *));
	else if (o->kind == OPT_FLAG)
		opt_set_flag(o, out, false);
	else if (o->kind == OPT_STR)
		memset((char *)out + o->offset, 0, sizeof(const char *));
	else
		memset((char *)out + o->offset, 0, sizeof(int64_t));
	if (!ok)
		BUG("default of option \"%s\": %s", o->name, e.text);
}

void opt_defaults(struct arena *a, const struct opt *opts, size_t n, void *out)
{
	for (size_t i = 0; i < n; i++)
		set_default(a, &opts[i], out);
}

bool opt_read_env(struct arena *a, const struct opt *opts, size_t n, void *out,
		  struct err *e)
{
	void *staged = opt_stage(a, opts, n, out);

	for (size_t i = 0; i < n; i++) {
		const char *text = NULL;

		if (opts[i].env != NULL)
			text = getenv(opts[i].env);
		if (text == NULL || text[0] == '\0')
			continue;
		if (!opt_set_text(a, &opts[i], staged, text, false, e))
			return err_prefix(e, "environment variable \"%s\"",
					  opts[i].env);
	}
	opt_commit(opts, n, staged, out);
	return true;
}

/* The command line */

struct reader {
	struct arena *a;
	const struct opt *opts;
	size_t n;
	void *out;
	char **argv; /* what is still to be read */
	char **end;
	bool *seen; /* per option: a list's next value joins */
	struct err *e;
};

static bool set(struct reader *r, const struct opt *o, const char *text)
{
	bool *seen = &r->seen[o - r->opts];

	if (!opt_set_text(r->a, o, r->out, text, *seen, r->e))
		return err_prefix(r->e, "option \"--%s\"", o->name);
	*seen = true;
	return true;
}

/* inline_value: what stood behind "=" or the letter, or NULL. */
static bool read_value(struct reader *r, const struct opt *o,
		       const char *inline_value)
{
	if (inline_value != NULL)
		return set(r, o, inline_value);
	if (r->argv == r->end)
		return err_set(r->e, ERR_BAD_REQUEST,
			       "option \"--%s\" needs a value: --%s %s",
			       o->name, o->name,
			       o->arg != NULL ? o->arg : "VALUE");
	return set(r, o, *r->argv++);
}

static bool unknown_long(struct reader *r, const char *name, size_t len)
{
	const char *near = opt_nearest(r->a, r->opts, r->n, name, len, false);

	/* What stands behind "=" may be secret and is not repeated. */
	if (near == NULL)
		return err_set(r->e, ERR_BAD_REQUEST,
			       "unknown option \"--%.*s\": see --help",
			       (int)(len < 80 ? len : 80), name);
	return err_set(r->e, ERR_BAD_REQUEST,
		       "unknown option \"--%.*s\": did you mean \"--%s\"?",
		       (int)(len < 80 ? len : 80), name, near);
}

static bool read_long(struct reader *r, const char *name)
{
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct opt *o = opt_find(r->opts, r->n, name, len);
	bool on = true;

	if (o == NULL && len > 3 && memcmp(name, "no-", 3) == 0) {
		o = opt_find(r->opts, r->n, name + 3, len - 3);
		if (o != NULL && o->kind != OPT_FLAG)
			o = NULL;
		on = false;
	}
	if (o == NULL)
		return unknown_long(r, name, len);
	if (o->kind != OPT_FLAG)
		return read_value(r, o, value);
	if (value != NULL)
		return err_set(r->e, ERR_BAD_REQUEST,
			       "option \"--%.*s\" takes no value", (int)len,
			       name);
	opt_set_flag(o, r->out, on);
	return true;
}

/* Flags may stand together; an option with a value ends the word. */
static bool read_letters(struct reader *r, const char *letters)
{
	while (*letters != '\0') {
		char letter = *letters++;
		const struct opt *o = opt_find_letter(r->opts, r->n, letter);

		if (o == NULL)
			return err_set(r->e, ERR_BAD_REQUEST,
				       "unknown option \"-%c\": see --help",
				       letter);
		if (o->kind != OPT_FLAG)
			return read_value(r, o, *letters ? letters : NULL);
		opt_set_flag(o, r->out, true);
	}
	return true;
}

bool opt_read_args(struct arena *a, const struct opt *opts, size_t n, void *out,
		   int argc, char **argv, bool stop_at_word, char ***rest,
		   size_t *n_rest, struct err *e)
{
	size_t n_args = argc > 0 ? (size_t)argc : 0, n_words = 0;
	char **words = ARENA_ARRAY(a, char *, n_args + 1);
	struct reader r = {
		.a = a,
		.opts = opts,
		.n = n,
		.out = opt_stage(a, opts, n, out),
		.argv = argv + (n_args > 0),
		.end = argv + n_args,
		.seen = ARENA_ARRAY(a, bool, n),
		.e = e,
	};
	bool open = true; /* options are still read */

	while (r.argv < r.end) {
		char *word = *r.argv++;
		bool ok = true;

		if (!open || word[0] != '-' || word[1] == '\0') {
			words[n_words++] = word;
			open = open && !stop_at_word;
		} else if (strcmp(word, "--") == 0) {
			open = false;
		} else if (word[1] == '-') {
			ok = read_long(&r, word + 2);
		} else {
			ok = read_letters(&r, word + 1);
		}
		if (!ok)
			return false;
	}
	opt_commit(opts, n, r.out, out);
	*rest = words;
	*n_rest = n_words;
	return true;
}
