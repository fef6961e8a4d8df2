/*
 * Any bytes: json-c must accept whatever the scanner accepts, and what is
 * written must read back as the same text.
 */
#include <string.h>
#include "lib/json.h"
#include "lib/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_fixed_point(struct json_object *o, struct arena *a,
			      void (*write)(struct buf *, struct json_object *))
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct json_object *again;
	struct err e;

	write(&once, o);
	if (!json_parse(a, once.data, once.len, &again, &e))
		BUG("what was written is refused: %s", e.text);
	write(&twice, again);
	if (once.len != twice.len ||
	    memcmp(once.data, twice.data, once.len) != 0)
		BUG("%s became %s", buf_str(&once), buf_str(&twice));
	buf_fini(&once);
	buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct arena *a = arena_new();
	struct json_object *o;
	struct err e = ERR_INIT;

	if (json_check(text, len, &e)) {
		if (!json_parse(a, text, len, &o, &e))
			BUG("checked and then refused: %s", e.text);
		check_fixed_point(o, a, json_write);
		check_fixed_point(o, a, json_write_sorted);
	} else if (e.code != ERR_BAD_REQUEST ||
		   strncmp(e.text, "line ", 5) != 0) {
		BUG("no place in \"%s\"", e.text);
	}
	arena_free(a);
	return 0;
}
