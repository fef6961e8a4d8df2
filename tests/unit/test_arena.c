/* Memory that is given back all at once: alignment, sizes, releases. */
#include "lib/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/unit.h"

static void memory_is_zeroed_and_aligned(void)
{
	struct arena *a = arena_new();
	static const unsigned char zeros[9000];

	for (size_t len = 0; len < 9000; len += len / 3 + 1) {
		unsigned char *p = arena_alloc(a, len);

		CHECK_UINT_EQ((uintptr_t)p % alignof(max_align_t), 0);
		CHECK_MEM_EQ(p, zeros, len);
		memset(p, 0xff, len);
	}
	arena_free(a);
}

static void reset_memory_is_zeroed_again(void)
{
	struct arena *a = arena_new();
	static const unsigned char zeros[100];

	for (int i = 0; i < 3; i++) {
		unsigned char *p = arena_alloc(a, sizeof(zeros));

		CHECK_MEM_EQ(p, zeros, sizeof(zeros));
		memset(p, 0xff, sizeof(zeros));
		arena_reset(a);
	}
	arena_free(a);
}

static void length_zero_gives_unique_pointers(void)
{
	struct arena *a = arena_new();
	char *p = arena_alloc(a, 0), *q = arena_alloc(a, 0);

	CHECK_NOT_NULL(p);
	CHECK_TRUE(p != q);
	arena_free(a);
}

static void allocations_do_not_overlap(void)
{
	struct arena *a = arena_new();
	char *p[500];
	size_t wrong = 0;

	for (size_t i = 0; i < 500; i++) {
		p[i] = arena_alloc(a, i * 7 + 1);
		memset(p[i], (int)(i % 251), i * 7 + 1);
	}
	for (size_t i = 0; i < 500; i++) {
		for (size_t j = 0; j < i * 7 + 1; j++)
			wrong += (unsigned char)p[i][j] != i % 251;
	}
	CHECK_UINT_EQ(wrong, 0);
	arena_free(a);
}

static void size_grows_and_reset_gives_back(void)
{
	struct arena *a = arena_new();
	size_t full;

	CHECK_UINT_EQ(arena_size(a), 0);
	arena_alloc(a, 1);
	CHECK_TRUE(arena_size(a) >= 1);
	for (int i = 0; i < 100; i++)
		arena_alloc(a, 1000);
	arena_alloc(a, 1 << 20);
	full = arena_size(a);
	CHECK_TRUE(full >= 100 * 1000 + (1 << 20));
	arena_reset(a);
	CHECK_TRUE(arena_size(a) <= 70 * 1024);
	arena_free(a);
}

static void a_hundred_resets_hold_no_more_than_one(void)
{
	struct arena *a = arena_new();
	size_t once = 0;

	for (int i = 0; i < 100; i++) {
		arena_reset(a);
		for (int j = 0; j < 100; j++)
			arena_alloc(a, 500);
		if (i == 1)
			once = arena_size(a);
	}
	CHECK_TRUE(arena_size(a) <= once);
	arena_free(a);
}

static char order[8];

static void note(void *p)
{
	strncat(order, p, 1);
}

static void releases_run_newest_first_and_once(void)
{
	struct arena *a = arena_new();
	char one[] = "1", two[] = "2", three[] = "3";

	order[0] = '\0';
	arena_defer(a, note, one);
	arena_defer(a, note, two);
	arena_reset(a);
	CHECK_STR_EQ(order, "21");
	arena_defer(a, note, three);
	arena_free(a);
	CHECK_STR_EQ(order, "213");
}

static void free_of_null_does_nothing(void)
{
	arena_free(NULL);
	CHECK_TRUE(true);
}

static void strings_are_copied(void)
{
	struct arena *a = arena_new();
	char text[] = "abc";
	char *s = arena_strdup(a, text);
	char *n = arena_strndup(a, "a\0b", 3);

	text[0] = 'x';
	CHECK_STR_EQ(s, "abc");
	CHECK_NULL(arena_strdup(a, NULL));
	CHECK_MEM_EQ(n, "a\0b", 4);
	CHECK_STR_EQ(arena_strndup(a, NULL, 0), "");
	CHECK_MEM_EQ(arena_memdup(a, "\1\2", 2), "\1\2", 2);
	CHECK_NOT_NULL(arena_memdup(a, NULL, 0));
	arena_free(a);
}

static void printf_makes_room_for_any_length(void)
{
	struct arena *a = arena_new();
	char *s = arena_printf(a, "%0100000d|%s", 7, "end");

	CHECK_UINT_EQ(strlen(s), 100004);
	CHECK_STR_EQ(s + 99999, "7|end");
	CHECK_STR_EQ(arena_printf(a, "%s", ""), "");
	arena_free(a);
}

static void ask_for_too_much(void *arg)
{
	arena_alloc(arena_new(), *(size_t *)arg);
}

static void ask_for_a_wrapping_array(void *arg)
{
	(void)ARENA_ARRAY(arena_new(), uint64_t, *(size_t *)arg);
}

static void copy_too_much(void *arg)
{
	arena_strndup(arena_new(), "", *(size_t *)arg);
}

static void too_much_memory_ends_the_program(void)
{
	size_t most = SIZE_MAX, wraps = SIZE_MAX / 8 + 2;

	CHECK_DIES(ask_for_too_much, &most, UNIT_EXIT(1), "out of memory");
	CHECK_DIES(ask_for_a_wrapping_array, &wraps, UNIT_EXIT(1),
		   "out of memory");
	CHECK_DIES(copy_too_much, &most, UNIT_EXIT(1), "out of memory");
}

static void heap_functions_accept_zero(void)
{
	void *p = xmalloc(0), *q = xcalloc(0, 8), *r = xrealloc(NULL, 0);
	char *s = xstrndup("abc", 2), *t = xstrndup("abc", 9);
	char *u = xasprintf("%d-%s", 5, "x"), *v = xstrdup("");

	CHECK_NOT_NULL(p);
	CHECK_NOT_NULL(q);
	CHECK_NOT_NULL(r);
	CHECK_STR_EQ(s, "ab");
	CHECK_STR_EQ(t, "abc");
	CHECK_STR_EQ(u, "5-x");
	CHECK_STR_EQ(v, "");
	free(p);
	free(q);
	free(r);
	free(s);
	free(t);
	free(u);
	free(v);
}

static const struct unit_test tests[] = {
	{ "memory is zeroed and aligned", memory_is_zeroed_and_aligned },
	{ "reset memory is zeroed again", reset_memory_is_zeroed_again },
	{ "length zero gives unique pointers",
	  length_zero_gives_unique_pointers },
	{ "allocations do not overlap", allocations_do_not_overlap },
	{ "size grows and reset gives back", size_grows_and_reset_gives_back },
	{ "a hundred resets hold no more than one",
	  a_hundred_resets_hold_no_more_than_one },
	{ "releases run newest first and once",
	  releases_run_newest_first_and_once },
	{ "free of NULL does nothing", free_of_null_does_nothing },
	{ "strings are copied", strings_are_copied },
	{ "printf makes room for any length",
	  printf_makes_room_for_any_length },
	{ "too much memory ends the program",
	  too_much_memory_ends_the_program },
	{ "heap functions accept zero", heap_functions_accept_zero },
};

int main(void)
{
	return unit_main("arena", tests, UNIT_N(tests));
}
