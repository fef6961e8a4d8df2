/*
 * Any text as duration, size, number and command line: never out of bounds,
 * and what is formatted is never more than what was parsed.
 */
#include <inttypes.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "lib/units.h"
#include "lib/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_numbers(const char *s)
{
	struct buf b = BUF_INIT;
	struct err e;
	int64_t v, seconds;

	if (units_parse_ms(s, &v, &e)) {
		units_format_ms(&b, v);
		if (units_parse_seconds(s, &seconds, &e) && seconds > v / 1000)
			BUG("\"%s\" is %" PRId64 " s and %" PRId64 " ms", s,
			    seconds, v);
	}
	if (units_parse_bytes(s, &v, &e))
		units_format_bytes(&b, v);
	if (units_parse_i64(s, -100, 100, &v, &e) && (v < -100 || v > 100))
		BUG("%" PRId64 " is out of bounds", v);
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *s = arena_strndup(a, (const char *)data, len);
	struct err e;
	char **words;
	size_t n;

	check_numbers(s);
	if (words_split(a, s, &words, &n, &e)) {
		for (size_t i = 0; i < n; i++)
			if (!words[i])
				BUG("word %zu of %zu is missing", i, n);
		if (words[n])
			BUG("the list of words has no end");
	}
	arena_free(a);
	return 0;
}
