/* A payload's text as words, by the shell's rules for quotes. */
#include "lib/words.h"

#include <stdio.h>
#include <string.h>
#include "lib/buf.h"
#include "tests/unit/unit.h"

/* The words of text, each in <>, or the error's sentence. */
static void check_words(const char *text, const char *want)
{
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	char **argv;
	size_t n = 77;

	if (words_split(a, text, &argv, &n, &e)) {
		for (size_t i = 0; i < n; i++)
			buf_addf(&b, "<%s>", argv[i]);
		CHECK_NULL(argv[n]);
	} else {
		buf_adds(&b, e.text);
		CHECK_INT_EQ(e.code, ERR_BAD_REQUEST);
		CHECK_UINT_EQ(n, 77);
	}
	CHECK_STR_EQ(buf_str(&b), want);
	buf_fini(&b);
	arena_free(a);
}

static void blanks_part_words(void)
{
	check_words("", "");
	check_words(" \t\n ", "");
	check_words("a", "<a>");
	check_words(" /bin/echo  a\tb\nc ", "</bin/echo><a><b><c>");
	check_words("caf\xc3\xa9 \xff", "<caf\xc3\xa9><\xff>");
}

static void quotes_keep_blanks(void)
{
	check_words("'a b' \"c d\"", "<a b><c d>");
	check_words("a'b c'd\"e f\"g", "<ab cde fg>");
	check_words("'' \"\" x''", "<><><x>");
	check_words("'\"' \"'\"", "<\"><'>");
	check_words("'a\nb'", "<a\nb>");
}

static void a_backslash_quotes_one_character(void)
{
	check_words("a\\ b", "<a b>");
	check_words("\\'\\\"\\\\", "<'\"\\>");
	check_words("'a\\'", "<a\\>");
	check_words("\"\\$\\`\\\"\\\\\"", "<$`\"\\>");
	check_words("\"\\a\\n\\ \"", "<\\a\\n\\ >");
	check_words("\\a", "<a>");
}

static void a_line_goes_on_after_a_backslash(void)
{
	check_words("a\\\nb", "<ab>");
	check_words("a \\\n b", "<a><b>");
	check_words("\\\n", "");
	check_words("\"a\\\nb\"", "<ab>");
	check_words("a \\\n", "<a>");
}

static void nothing_is_expanded(void)
{
	check_words("$HOME * ~ $(x) `y` ;|&<>#",
		    "<$HOME><*><~><$(x)><`y`><;|&<>#>");
}

static void what_stays_open_is_refused(void)
{
	check_words("'a", "a single quote is not closed");
	check_words("a b'", "a single quote is not closed");
	check_words("\"a", "a double quote is not closed");
	check_words("\"a\\\"", "a double quote is not closed");
	check_words("\"a\\", "a double quote is not closed");
	check_words("a\\", "a backslash stands at the end");
}

static void many_words_fit(void)
{
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	size_t n = 0;
	char **argv;

	for (int i = 0; i < 100000; i++)
		buf_adds(&b, i % 2 ? "x " : "y\n");
	CHECK_OK(words_split(a, buf_str(&b), &argv, &n, &e), e);
	CHECK_UINT_EQ(n, 100000);
	CHECK_STR_EQ(argv[99999], "x");
	CHECK_NULL(argv[100000]);
	buf_fini(&b);
	arena_free(a);
}

static const struct unit_test tests[] = {
	{ "blanks part words", blanks_part_words },
	{ "quotes keep blanks", quotes_keep_blanks },
	{ "a backslash quotes one character",
	  a_backslash_quotes_one_character },
	{ "a line goes on after a backslash",
	  a_line_goes_on_after_a_backslash },
	{ "nothing is expanded", nothing_is_expanded },
	{ "what stays open is refused", what_stays_open_is_refused },
	{ "many words fit", many_words_fit },
};

int main(void)
{
	return unit_main("words", tests, UNIT_N(tests));
}
