/* Numbers and ranges by which people name jobs. */
#include "clients/refs.h"
#include "tests/unit/unit.h"

static struct arena *a;
static struct err e;

static const char *written(const struct refs *refs)
{
	struct buf b = BUF_INIT;
	char *text;

	refs_write(&b, refs);
	text = arena_strdup(a, buf_str(&b));
	buf_fini(&b);
	return text;
}

static bool read(struct refs *refs, const char *text)
{
	*refs = (struct refs){ 0 };
	e = (struct err)ERR_INIT;
	return refs_add_text(a, refs, text, &e);
}

static void numbers_and_ranges_are_read(void)
{
	struct refs refs;

	CHECK_OK(read(&refs, "3-9,12"), e);
	CHECK_INT_EQ(refs_count(&refs), 8);
	CHECK_STR_EQ(written(&refs), "3-9,12");
	CHECK_OK(read(&refs, "7"), e);
	CHECK_STR_EQ(written(&refs), "7");
	CHECK_OK(read(&refs, "5-5"), e);
	CHECK_STR_EQ(written(&refs), "5");
}

static void neighbours_are_joined(void)
{
	struct refs refs;

	CHECK_OK(read(&refs, "1,2,3,5"), e);
	CHECK_STR_EQ(written(&refs), "1-3,5");
}

static void what_is_no_number_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"x",
		"3-",
		"-3",
		"3,",
		",3",
		"3--4",
		"3 ",
		"0",
		"3-9-12",
		"1.5",
		"0-4",
		"99999999999999999999",
	};
	struct refs refs;

	for (size_t i = 0; i < UNIT_N(bad); i++)
		CHECK_FAILS(read(&refs, bad[i]), e, ERR_BAD_REQUEST,
			    "numbers and ranges like 3-9,12");
}

static void a_range_that_runs_backwards_is_refused(void)
{
	struct refs refs;

	CHECK_FAILS(read(&refs, "9-3"), e, ERR_BAD_REQUEST,
		    "9-3 ends before it begins");
}

static void sorting_takes_out_what_overlaps(void)
{
	struct refs refs;

	CHECK_OK(read(&refs, "40-50,3-9,5-12,13,45-47,1"), e);
	refs_sort(&refs);
	CHECK_STR_EQ(written(&refs), "1,3-13,40-50");
	CHECK_INT_EQ(refs_count(&refs), 23);
}

static void parts_hold_no_more_than_asked(void)
{
	struct refs refs, part;

	CHECK_OK(read(&refs, "1-10,20-24"), e);
	CHECK_TRUE(refs_take(a, &refs, &part, 4));
	CHECK_STR_EQ(written(&part), "1-4");
	CHECK_TRUE(refs_take(a, &refs, &part, 8));
	CHECK_STR_EQ(written(&part), "5-10,20-21");
	CHECK_TRUE(refs_take(a, &refs, &part, 100));
	CHECK_STR_EQ(written(&part), "22-24");
	CHECK_FALSE(refs_take(a, &refs, &part, 100));
}

static void many_ranges_are_kept(void)
{
	struct refs refs = { 0 };

	for (int64_t i = 1; i <= 1000; i++)
		refs_add(a, &refs, i * 10, i * 10 + 1);
	CHECK_UINT_EQ(refs.n, 1000);
	CHECK_INT_EQ(refs_count(&refs), 2000);
}

static void words_of_digits_are_numbers(void)
{
	CHECK_TRUE(refs_is_numbers("3-9,12"));
	CHECK_FALSE(refs_is_numbers("3a"));
	CHECK_FALSE(refs_is_numbers("key:3"));
	CHECK_FALSE(refs_is_numbers(""));
	CHECK_FALSE(refs_is_numbers("@last"));
}

static const struct unit_test tests[] = {
	{ "numbers and ranges are read", numbers_and_ranges_are_read },
	{ "neighbours are joined", neighbours_are_joined },
	{ "what is no number is refused", what_is_no_number_is_refused },
	{ "a range that runs backwards is refused",
	  a_range_that_runs_backwards_is_refused },
	{ "sorting takes out what overlaps", sorting_takes_out_what_overlaps },
	{ "parts hold no more than asked", parts_hold_no_more_than_asked },
	{ "many ranges are kept", many_ranges_are_kept },
	{ "words of digits are numbers", words_of_digits_are_numbers },
};

int main(void)
{
	int status;

	a = arena_new();
	status = unit_main("cli_refs", tests, UNIT_N(tests));
	arena_free(a);
	return status;
}
