/* Columns that fit the terminal, and times and counts as people read them. */
#include <locale.h>
#include <stdlib.h>
#include <time.h>
#include "clients/human.h"
#include "clients/table.h"
#include "tests/unit/unit.h"

static const struct table_column columns[] = {
	{ .head = "JOB", .right = true },
	{ .head = "NAME", .flexible = true },
	{ .head = "STATE" },
};

static struct arena *a;

static struct table *filled(const char *name)
{
	struct table *t = table_new(a, columns, UNIT_N(columns));

	table_cellf(t, "%d", 7);
	table_cell(t, name);
	table_cell(t, "running");
	table_cellf(t, "%d", 12345);
	table_cell(t, NULL);
	table_cell(t, "failed");
	return t;
}

static const char *laid_out(const struct table *t, int width, bool head)
{
	struct buf b = BUF_INIT;
	char *text;

	table_write(t, &b, width, head);
	text = arena_strdup(a, buf_str(&b));
	buf_fini(&b);
	return text;
}

static void columns_align(void)
{
	struct table *t = filled("fit");

	CHECK_STR_EQ(laid_out(t, 0, true), "  JOB  NAME  STATE\n"
					   "    7  fit   running\n"
					   "12345  -     failed\n");
	CHECK_STR_EQ(laid_out(t, 0, false), "    7  fit   running\n"
					    "12345  -     failed\n");
}

static void the_flexible_column_shrinks_with_an_ellipsis(void)
{
	struct table *t = filled("a name that is far too long for this");

	CHECK_STR_EQ(laid_out(t, 30, false),
		     "    7  a name that i\xe2\x80\xa6  running\n"
		     "12345  -               failed\n");
}

static void nothing_is_cut_without_a_terminal(void)
{
	struct table *t = filled("a name that is far too long for this");

	CHECK_CONTAINS(laid_out(t, 0, false),
		       "a name that is far too long for this  running");
}

static void a_column_keeps_eight_columns_at_first(void)
{
	struct table *t = filled("a name that is far too long for this");

	CHECK_CONTAINS(laid_out(t, 24, false), "  a name \xe2\x80\xa6  ");
	CHECK_CONTAINS(laid_out(t, 20, false), "  a n\xe2\x80\xa6  ");
}

static void a_line_is_never_wider_than_the_terminal(void)
{
	struct table *t = filled("a name that is far too long for this");

	CHECK_STR_EQ(laid_out(t, 13, false),
		     "    7  a \xe2\x80\xa6  \xe2\x80\xa6\n"
		     "12345  -    \xe2\x80\xa6\n");
}

static void blank_columns_make_room(void)
{
	static const struct table_column ends[] = {
		{ .head = "JOB", .right = true },
		{ .head = "HOST", .flexible = true },
		{ .head = "END" },
	};
	struct table *t = table_new(a, ends, UNIT_N(ends));

	table_cell(t, "1");
	table_cell(t, NULL);
	table_cell(t, "exit 1");
	CHECK_STR_EQ(laid_out(t, 0, true), "JOB  HOST  END\n"
					   "  1  -     exit 1\n");
	CHECK_STR_EQ(laid_out(t, 12, true), "JOB  END\n"
					    "  1  exit 1\n");
}

static void wide_and_combining_characters_count_as_shown(void)
{
	/* Two CJK characters, two columns each; e with an accent of its own. */
	CHECK_INT_EQ(table_text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	CHECK_INT_EQ(table_text_width("e\xcc\x81"), 1);
	CHECK_INT_EQ(table_text_width("\xc3\xa9"), 1);
	CHECK_INT_EQ(table_text_width(""), 0);
}

static void a_wide_character_is_not_halved(void)
{
	struct buf b = BUF_INIT;

	CHECK_INT_EQ(table_add_text(&b, "\xe6\x97\xa5\xe6\x9c\xac", 3), 3);
	CHECK_STR_EQ(buf_str(&b), "\xe6\x97\xa5\xe2\x80\xa6");
	buf_fini(&b);
}

static void control_characters_do_no_harm(void)
{
	struct buf b = BUF_INIT;

	table_add_text(&b, "a\x1b[2Jb\nc\xff", 80);
	CHECK_STR_EQ(buf_str(&b), "a\xef\xbf\xbd[2Jb\xef\xbf\xbd"
				  "c\xef\xbf\xbd");
	buf_reset(&b);
	/* U+202E turns text around; C1 holds a terminal's commands, too. */
	table_add_text(&b, "\xe2\x80\xae\xc2\x9b", 80);
	CHECK_STR_EQ(buf_str(&b), "\xef\xbf\xbd\xef\xbf\xbd");
	buf_fini(&b);
}

static const char *wrapped(const char *text, int indent, int width)
{
	struct buf b = BUF_INIT;
	char *out;

	table_wrap(&b, text, indent, width);
	out = arena_strdup(a, buf_str(&b));
	buf_fini(&b);
	return out;
}

static void text_is_broken_at_blanks(void)
{
	CHECK_STR_EQ(wrapped("one two three four five six", 4, 24),
		     "one two three four\n    five six");
	CHECK_STR_EQ(wrapped("one two three four five six", 4, 23),
		     "one two three four five six");
	CHECK_STR_EQ(
		wrapped("  1  /a/rather/long/path/of/a/file, ready", 2, 30),
		"  1\n  /a/rather/long/path/of/a/file,\n  ready");
	CHECK_STR_EQ(wrapped("a  b\x1b", 16, 0), "a  b\xef\xbf\xbd");
	CHECK_STR_EQ(wrapped("", 16, 80), "");
}

static const char *age(int64_t ms)
{
	struct buf b = BUF_INIT;
	char *text;

	human_age(&b, ms);
	text = arena_strdup(a, buf_str(&b));
	buf_fini(&b);
	return text;
}

static void ages_have_one_unit(void)
{
	CHECK_STR_EQ(age(-5), "0 s");
	CHECK_STR_EQ(age(999), "0 s");
	CHECK_STR_EQ(age(119000), "119 s");
	CHECK_STR_EQ(age(120000), "2 m");
	CHECK_STR_EQ(age(7200000), "2 h");
	CHECK_STR_EQ(age(INT64_C(86400000) * 10), "10 d");
}

static void counts_have_commas(void)
{
	struct buf b = BUF_INIT;

	human_count(&b, 0);
	buf_addc(&b, ' ');
	human_count(&b, 999);
	buf_addc(&b, ' ');
	human_count(&b, 1234567);
	buf_addc(&b, ' ');
	human_count(&b, -1000);
	CHECK_STR_EQ(buf_str(&b), "0 999 1,234,567 -1,000");
	buf_reset(&b);
	human_plural(&b, 1, "job");
	buf_addc(&b, ' ');
	human_plural(&b, 1000, "job");
	CHECK_STR_EQ(buf_str(&b), "1 job 1,000 jobs");
	buf_fini(&b);
}

static void times_are_read(void)
{
	int64_t ms = 0;

	CHECK_TRUE(human_time_parse("1970-01-02T00:00:01.250Z", &ms));
	CHECK_INT_EQ(ms, 86401250);
	CHECK_TRUE(human_time_parse("2026-11-22T07:21:38Z", &ms));
	CHECK_INT_EQ(ms, INT64_C(1795332098000));
	CHECK_FALSE(human_time_parse("2026-11-22", &ms));
	CHECK_FALSE(human_time_parse("2026-11-22T07:21:38.1Z", &ms));
	CHECK_FALSE(human_time_parse("2026-11-22T07:21:38+01:00", &ms));
	CHECK_FALSE(human_time_parse("", &ms));
}

static void times_are_shown_in_local_time(void)
{
	struct buf b = BUF_INIT;

	human_time(&b, INT64_C(1795332098000));
	CHECK_STR_EQ(buf_str(&b), "2026-11-22 08:21:38");
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "columns align", columns_align },
	{ "the flexible column shrinks with an ellipsis",
	  the_flexible_column_shrinks_with_an_ellipsis },
	{ "nothing is cut without a terminal",
	  nothing_is_cut_without_a_terminal },
	{ "a column keeps eight columns at first",
	  a_column_keeps_eight_columns_at_first },
	{ "a line is never wider than the terminal",
	  a_line_is_never_wider_than_the_terminal },
	{ "blank columns make room", blank_columns_make_room },
	{ "wide and combining characters count as shown",
	  wide_and_combining_characters_count_as_shown },
	{ "a wide character is not halved", a_wide_character_is_not_halved },
	{ "control characters do no harm", control_characters_do_no_harm },
	{ "text is broken at blanks", text_is_broken_at_blanks },
	{ "ages have one unit", ages_have_one_unit },
	{ "counts have commas", counts_have_commas },
	{ "times are read", times_are_read },
	{ "times are shown in local time", times_are_shown_in_local_time },
};

int main(void)
{
	int status;

	setenv("TZ", "CET-1", 1);
	tzset();
	setlocale(LC_CTYPE, "C.UTF-8");
	a = arena_new();
	status = unit_main("cli_table", tests, UNIT_N(tests));
	arena_free(a);
	return status;
}
