/* The sentences in which problems are told, and their codes. */
#include "lib/err.h"

#include <errno.h>
#include <string.h>
#include "lib/utf8.h"
#include "tests/unit/unit.h"

static void every_code_has_its_own_name_and_a_status(void)
{
	static const enum err_code codes[] = {
#define X(sym, name, status) sym,
		ERR_TABLE(X)
#undef X
	};

	for (size_t i = 0; i < UNIT_N(codes); i++) {
		CHECK_INT_EQ(err_from_name(err_name(codes[i])), codes[i]);
		CHECK_TRUE(err_status(codes[i]) >= 200 &&
			   err_status(codes[i]) < 600);
	}
	CHECK_STR_EQ(err_name(ERR_BAD_REQUEST), "bad_request");
	CHECK_INT_EQ(err_status(ERR_NOT_FOUND), 404);
}

static void what_is_unknown_is_internal(void)
{
	CHECK_INT_EQ(err_from_name("no such thing"), ERR_INTERNAL);
	CHECK_INT_EQ(err_from_name(""), ERR_INTERNAL);
	CHECK_INT_EQ(err_from_name(NULL), ERR_INTERNAL);
	CHECK_STR_EQ(err_name((enum err_code)9999), "internal");
	CHECK_INT_EQ(err_status((enum err_code)9999), 500);
}

static void setting_gives_false_and_the_sentence(void)
{
	struct err e = ERR_INIT;

	CHECK_FALSE(err_set(&e, ERR_CONFLICT, "job \"%s\" is %d", "x", 7));
	CHECK_ERR(e, ERR_CONFLICT, "job \"x\" is 7");
	CHECK_FALSE(err_set(&e, ERR_GONE, "%s", ""));
	CHECK_STR_EQ(e.text, "");
}

static void errno_is_told_and_kept(void)
{
	struct err e = ERR_INIT;

	errno = ENOENT;
	CHECK_FALSE(err_set_errno(&e, ERR_IO, "cannot open \"%s\"", "f"));
	CHECK_INT_EQ(errno, ENOENT);
	CHECK_ERR(e, ERR_IO, "cannot open \"f\": No such file or directory");
}

static void a_prefix_keeps_the_code(void)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_FORBIDDEN, "no");
	CHECK_FALSE(err_prefix(&e, "job %d", 3));
	CHECK_ERR(e, ERR_FORBIDDEN, "job 3: no");
}

static void a_sentence_may_quote_itself(void)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_IO, "first");
	err_set(&e, ERR_GONE, "%s again", e.text);
	CHECK_STR_EQ(e.text, "first again");
	err_prefix(&e, "<%s>", e.text);
	CHECK_STR_EQ(e.text, "<first again>: first again");
}

/* The end of e's text is the end of a character. */
static bool ends_well(const struct err *e)
{
	size_t len = strlen(e->text);
	bool ok = true;

	for (size_t i = 0; ok && i < len;)
		i += utf8_next(e->text + i, len - i, &ok);
	return ok;
}

static void long_sentences_are_cut_between_characters(void)
{
	static const char *const letters[] = { "x", "\xc3\xa9", "\xe2\x82\xac",
					       "\xf0\x9f\x98\x80" };
	struct err e = ERR_INIT;
	char text[3000];

	for (size_t i = 0; i < 4; i++) {
		for (size_t pad = 0; pad < 4; pad++) {
			memset(text, 'p', pad);
			text[pad] = '\0';
			while (strlen(text) < 2000)
				strncat(text, letters[i], 4);
			err_set(&e, ERR_IO, "%s", text);
			CHECK_TRUE(strlen(e.text) >= sizeof(e.text) - 4);
			CHECK_TRUE(ends_well(&e));
			err_prefix(&e, "%s", text);
			CHECK_TRUE(ends_well(&e));
			errno = EIO;
			err_set_errno(&e, ERR_IO, "%s", text);
			CHECK_TRUE(ends_well(&e));
		}
	}
}

static void a_full_sentence_keeps_its_last_character(void)
{
	struct err e = ERR_INIT;
	char text[sizeof(e.text)];

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 3, "\xc3\xa9", 3);
	err_set(&e, ERR_IO, "%s", text);
	CHECK_STR_EQ(e.text, text);
}

static void cutting_utf8_leaves_whole_characters(void)
{
	const char *s = "a\xe2\x82\xac\xf0\x9f\x98\x80";

	CHECK_UINT_EQ(utf8_cut(s, 8, 100), 8);
	CHECK_UINT_EQ(utf8_cut(s, 8, 8), 8);
	CHECK_UINT_EQ(utf8_cut(s, 8, 7), 4);
	CHECK_UINT_EQ(utf8_cut(s, 8, 5), 4);
	CHECK_UINT_EQ(utf8_cut(s, 8, 4), 4);
	CHECK_UINT_EQ(utf8_cut(s, 8, 3), 1);
	CHECK_UINT_EQ(utf8_cut(s, 8, 1), 1);
	CHECK_UINT_EQ(utf8_cut(s, 8, 0), 0);
	CHECK_UINT_EQ(utf8_cut("", 0, 0), 0);
	/* no character at all: cut where asked */
	CHECK_UINT_EQ(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
}

static const struct unit_test tests[] = {
	{ "every code has its own name and a status",
	  every_code_has_its_own_name_and_a_status },
	{ "what is unknown is internal", what_is_unknown_is_internal },
	{ "setting gives false and the sentence",
	  setting_gives_false_and_the_sentence },
	{ "errno is told and kept", errno_is_told_and_kept },
	{ "a prefix keeps the code", a_prefix_keeps_the_code },
	{ "a sentence may quote itself", a_sentence_may_quote_itself },
	{ "long sentences are cut between characters",
	  long_sentences_are_cut_between_characters },
	{ "a full sentence keeps its last character",
	  a_full_sentence_keeps_its_last_character },
	{ "cutting UTF-8 leaves whole characters",
	  cutting_utf8_leaves_whole_characters },
};

int main(void)
{
	return unit_main("err", tests, UNIT_N(tests));
}
