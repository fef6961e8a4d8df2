/* Goes through what a command line names. */
#include "clients/each.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/last.h"

/* A range beyond this is a slip of the finger. */
#define NUMBERS_MAX 10000

struct walk {
	struct cli *c;
	const char *noun;
	each_fn one;
	void *arg;
	struct refs missing;
	int64_t done;
	int status;
	bool over;
};

static bool goes_on(enum err_code code)
{
	return code == ERR_NOT_FOUND || code == ERR_CONFLICT ||
	       code == ERR_GONE;
}

static void fail(struct walk *w, const struct err *e)
{
	int status = cli_fail(w->c, e);

	if (w->status == CLI_OK)
		w->status = status;
	w->over = !goes_on(e->code);
}

static void do_word(struct walk *w, const char *word)
{
	struct err e = ERR_INIT;

	if (w->one(w->c, word, w->arg, &e))
		w->done++;
	else
		fail(w, &e);
}

static void do_number(struct walk *w, int64_t number)
{
	struct err e = ERR_INIT;
	char word[24];

	snprintf(word, sizeof(word), "%" PRId64, number);
	if (w->one(w->c, word, w->arg, &e))
		w->done++;
	else if (e.code == ERR_NOT_FOUND)
		refs_add(w->c->arena, &w->missing, number, number);
	else
		fail(w, &e);
}

static bool numbers_of(struct cli *c, const char *noun, const char *word,
		       struct refs *out, struct err *e)
{
	*out = (struct refs){ 0 };
	if (strcmp(word, "@last") == 0)
		return last_read(c, noun, out, e);
	return refs_add_text(c->arena, out, word, e) &&
	       (refs_count(out) <= NUMBERS_MAX ||
		err_set(e, ERR_BAD_REQUEST, "\"%s\" names more than %d %ss",
			word, NUMBERS_MAX, noun));
}

static void do_numbers(struct walk *w, const char *word)
{
	struct err e = ERR_INIT;
	struct refs refs;

	if (!numbers_of(w->c, w->noun, word, &refs, &e)) {
		w->over = true;
		w->status = refs_fail(w->c, &e);
		return;
	}
	for (size_t i = 0; i < refs.n; i++)
		for (int64_t n = refs.ranges[i].first;
		     !w->over && n <= refs.ranges[i].last; n++)
			do_number(w, n);
}

static bool is_several(const char *word)
{
	return strcmp(word, "@last") == 0 ||
	       (refs_is_numbers(word) && strpbrk(word, "-,") != NULL);
}

static void tell_missing(struct walk *w)
{
	bool one = refs_count(&w->missing) == 1;
	struct buf b = BUF_INIT;

	if (w->missing.n == 0)
		return;
	refs_sort(&w->missing);
	refs_write(&b, &w->missing);
	cli_note("there %s no %s%s %s", one ? "is" : "are", w->noun,
		 one ? "" : "s", buf_str(&b));
	buf_fini(&b);
	if (w->done == 0 && w->status == CLI_OK)
		w->status = CLI_NOT_FOUND;
}

int each_named(struct cli *c, const char *noun, each_fn one, void *arg)
{
	struct walk w = { .c = c, .noun = noun, .one = one, .arg = arg };

	for (size_t i = 0; i < c->n_args && !w.over; i++)
		if (is_several(c->args[i]))
			do_numbers(&w, c->args[i]);
		else
			do_word(&w, c->args[i]);
	tell_missing(&w);
	return w.status;
}

bool each_one(struct cli *c, const char *noun, const char *word,
	      const char **out, struct err *e)
{
	struct refs refs;

	*out = word;
	if (!is_several(word))
		return true;
	if (!numbers_of(c, noun, word, &refs, e))
		return false;
	if (refs_count(&refs) != 1)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" names %" PRId64 " %ss, this command "
			       "takes one: they begin with %" PRId64,
			       word, refs_count(&refs), noun,
			       refs.ranges[0].first);
	*out = arena_printf(c->arena, "%" PRId64, refs.ranges[0].first);
	return true;
}
