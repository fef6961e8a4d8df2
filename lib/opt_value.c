/* Turns what was written for an option into the value of its field. */
#include "lib/opt_value.h"

#include <string.h>
#include <strings.h>
#include "lib/log.h"
#include "lib/nearest.h"
#include "lib/units.h"

static const struct kind_row {
	size_t size;
	const char *form;
} kinds[] = {
	[OPT_FLAG] = { sizeof(bool), "true or false" },
	[OPT_STR] = { sizeof(const char *), "a string" },
	[OPT_LIST] = { sizeof(const char **), "a string or a list of strings" },
	[OPT_MULTI] = { sizeof(const char **),
			"a string or a list of strings" },
	[OPT_INT] = { sizeof(int64_t), "a whole number" },
	[OPT_SECONDS] = { sizeof(int64_t),
			  "a number of seconds or a string such as \"90 s\"" },
	[OPT_BYTES] = { sizeof(int64_t),
			"a number of bytes or a string such as \"2 GiB\"" },
};

static void *field(const struct opt *o, void *out)
{
	return (char *)out + o->offset;
}

/* People write keys of config files with underscores as well. */
static bool same_name(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (a[i] != (b[i] == '_' ? '-' : b[i]))
			return false;
	}
	return true;
}

const struct opt *opt_find(const struct opt *opts, size_t n, const char *name,
			   size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(opts[i].name) == len &&
		    same_name(opts[i].name, name, len))
			return &opts[i];
	}
	return NULL;
}

const struct opt *opt_find_letter(const struct opt *opts, size_t n, char letter)
{
	for (size_t i = 0; letter != '\0' && i < n; i++) {
		if (opts[i].letter == letter)
			return &opts[i];
	}
	return NULL;
}

const char *opt_nearest(struct arena *a, const struct opt *opts, size_t n,
			const char *name, size_t len, bool in_file)
{
	unsigned barred = OPT_HIDDEN | (in_file ? OPT_CLI_ONLY : 0);
	struct nearest best;

	nearest_init(&best, arena_strndup(a, name, len));
	for (size_t i = 0; i < n; i++) {
		if ((opts[i].flags & barred) == 0)
			nearest_try(&best, opts[i].name);
	}
	return best.name;
}

const char *opt_form(enum opt_kind kind)
{
	return kinds[kind].form;
}

void opt_set_flag(const struct opt *o, void *out, bool v)
{
	memcpy(field(o, out), &v, sizeof(v));
}

void opt_set_list(const struct opt *o, void *out, const char **items)
{
	memcpy(field(o, out), &items, sizeof(items));
}

static bool set_flag_text(const struct opt *o, void *out, const char *text,
			  struct err *e)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		bool is_yes = strcasecmp(text, yes[i]) == 0;

		if (is_yes || strcasecmp(text, no[i]) == 0) {
			opt_set_flag(o, out, is_yes);
			return true;
		}
	}
	return err_set(e, ERR_BAD_REQUEST,
		       "\"%.80s\" is neither true nor false", text);
}

static void show_number(struct buf *b, enum opt_kind kind, int64_t v)
{
	if (kind == OPT_BYTES) {
		units_format_bytes(b, v);
		return;
	}
	buf_add_i64(b, v);
	if (kind == OPT_SECONDS)
		buf_adds(b, " s");
}

bool opt_set_int(const struct opt *o, void *out, int64_t v, struct err *e)
{
	bool bounded = o->min != 0 || o->max != 0;
	struct buf text = BUF_INIT;

	if (!bounded || (v >= o->min && v <= o->max)) {
		memcpy(field(o, out), &v, sizeof(v));
		return true;
	}
	buf_adds(&text, "must be between ");
	show_number(&text, o->kind, o->min);
	buf_adds(&text, " and ");
	show_number(&text, o->kind, o->max);
	err_set(e, ERR_BAD_REQUEST, "%s", buf_str(&text));
	buf_fini(&text);
	return false;
}

static bool set_int_text(const struct opt *o, void *out, const char *text,
			 struct err *e)
{
	int64_t v;
	bool ok;

	if (o->kind == OPT_SECONDS)
		ok = units_parse_seconds(text, &v, e);
	else if (o->kind == OPT_BYTES)
		ok = units_parse_bytes(text, &v, e);
	else
		ok = units_parse_i64(text, INT64_MIN, INT64_MAX, &v, e);
	return ok && opt_set_int(o, out, v, e);
}

/* The items of text between commas, blanks around them and empty ones left
 * out; or text itself. Puts them behind items[n]; returns how many there are
 * then. */
static size_t split(struct arena *a, const char *text, bool commas,
		    const char **items, size_t n)
{
	if (!commas) {
		items[n++] = arena_strdup(a, text);
		return n;
	}
	while (*text != '\0') {
		size_t len = strcspn(text, ","), end = len, start;

		start = strspn(text, " \t");
		while (end > start && strchr(" \t", text[end - 1]) != NULL)
			end--;
		if (start < end)
			items[n++] =
				arena_strndup(a, text + start, end - start);
		text += len + (text[len] == ',');
	}
	return n;
}

static void set_list_text(struct arena *a, const struct opt *o, void *out,
			  const char *text, bool append)
{
	const char **old = NULL, **items;
	size_t n = 0;

	memcpy(&old, field(o, out), sizeof(old));
	while (append && old != NULL && old[n] != NULL)
		n++;
	items = ARENA_ARRAY(a, const char *, n + strlen(text) / 2 + 3);
	if (n > 0)
		memcpy(items, old, n * sizeof(*items));
	split(a, text, o->kind == OPT_LIST, items, n);
	opt_set_list(o, out, items);
}

bool opt_set_text(struct arena *a, const struct opt *o, void *out,
		  const char *text, bool append, struct err *e)
{
	const char *copy;

	switch (o->kind) {
	case OPT_FLAG:
		return set_flag_text(o, out, text, e);
	case OPT_STR:
		copy = arena_strdup(a, text);
		memcpy(field(o, out), &copy, sizeof(copy));
		return true;
	case OPT_LIST:
	case OPT_MULTI:
		set_list_text(a, o, out, text, append);
		return true;
	case OPT_INT:
	case OPT_SECONDS:
	case OPT_BYTES:
		return set_int_text(o, out, text, e);
	}
	BUG("option \"%s\" is of no kind", o->name);
}

void *opt_stage(struct arena *a, const struct opt *opts, size_t n,
		const void *out)
{
	size_t len = 0;
	void *staged;

	for (size_t i = 0; i < n; i++) {
		size_t end = opts[i].offset + kinds[opts[i].kind].size;

		if (end > len)
			len = end;
	}
	staged = arena_alloc(a, len);
	opt_commit(opts, n, out, staged);
	return staged;
}

void opt_commit(const struct opt *opts, size_t n, const void *staged, void *out)
{
	for (size_t i = 0; i < n; i++)
		memcpy((char *)out + opts[i].offset,
		       (const char *)staged + opts[i].offset,
		       kinds[opts[i].kind].size);
}
