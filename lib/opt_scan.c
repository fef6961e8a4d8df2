/* Looks over a config file before libconfig does, which reads 5000000000 as
 * 705032704 without a word. */
#include "lib/opt_scan.h"

#include <string.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Below 10^9 everything fits 32 bits. */
#define DIGITS_MAX 9

/* The length of the string whose opening quote is at s. A string that does
 * not end is libconfig's to tell. */
static size_t string_len(const char *s)
{
	size_t i = 1;

	while (s[i] != '\0' && s[i] != '"')
		i += s[i] == '\\' && s[i + 1] != '\0' ? 2 : 1;
	return s[i] == '"' ? i + 1 : i;
}

static bool is_long_comment(const char *s)
{
	return s[0] == '/' && s[1] == '*';
}

/* 0 when no comment begins at s, or one that does not end. */
static size_t comment_len(const char *s)
{
	const char *end;

	if (s[0] == '#' || (s[0] == '/' && s[1] == '/'))
		return strcspn(s, "\n");
	end = is_long_comment(s) ? strstr(s + 2, "*/") : NULL;
	return end != NULL ? (size_t)(end - s) + 2 : 0;
}

static bool number_ok(const char *s, size_t len)
{
	return strspn(s, DIGITS) >= len && len <= DIGITS_MAX &&
	       (s[0] != '0' || len == 1);
}

static int count_lines(const char *s, size_t len)
{
	int n = 0;

	for (size_t i = 0; i < len; i++)
		n += s[i] == '\n';
	return n;
}

bool opt_scan(const char *text, const char *path, struct err *e)
{
	const char *s = text;
	int line = 1;

	while (*s != '\0') {
		size_t len = comment_len(s);

		if (len > 0) {
			/* Nothing in it counts. */
		} else if (is_long_comment(s)) {
			return err_set(e, ERR_BAD_REQUEST,
				       "%s:%d: a comment is not closed", path,
				       line);
		} else if (*s == '"') {
			len = string_len(s);
		} else if (strchr(LETTERS "*", *s) != NULL) {
			len = strspn(s, LETTERS DIGITS "_*-");
		} else if (strchr(DIGITS, *s) != NULL) {
			len = strspn(s, LETTERS DIGITS ".");
			if (!number_ok(s, len))
				return err_set(
					e, ERR_BAD_REQUEST,
					"%s:%d: number \"%.*s\" is not a "
					"plain one below 1000000000: write "
					"sizes and durations as strings, as "
					"in \"5 GiB\"",
					path, line, (int)(len < 40 ? len : 40),
					s);
		} else if (*s == '@') {
			return err_set(e, ERR_BAD_REQUEST,
				       "%s:%d: files cannot be included here",
				       path, line);
		} else {
			len = 1;
		}
		line += count_lines(s, len);
		s += len;
	}
	return true;
}
