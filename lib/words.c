/* Splits a payload's text into words by the rules of the shell's quotes. */
#include "lib/words.h"

#include <stdbool.h>
#include <string.h>

struct splitter {
	const char *at; /* what is still to be read */
	char *out;      /* where the next byte goes */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool read_single(struct splitter *s, struct err *e)
{
	const char *end = strchr(s->at, '\'');
	size_t len;

	if (end == NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "a single quote is not closed");
	len = (size_t)(end - s->at);
	memcpy(s->out, s->at, len);
	s->out += len;
	s->at = end + 1;
	return true;
}

/* In double quotes a backslash quotes only these; before others it stays. */
static bool read_double(struct splitter *s, struct err *e)
{
	while (*s->at != '"') {
		if (*s->at == '\0' || (s->at[0] == '\\' && s->at[1] == '\0'))
			return err_set(e, ERR_BAD_REQUEST,
				       "a double quote is not closed");
		if (*s->at == '\\' && strchr("$`\"\\\n", s->at[1]) != NULL) {
			s->at++;
			if (*s->at == '\n') {
				s->at++;
				continue;
			}
		}
		*s->out++ = *s->at++;
	}
	s->at++;
	return true;
}

static bool read_escaped(struct splitter *s, struct err *e)
{
	if (*s->at == '\0')
		return err_set(e, ERR_BAD_REQUEST,
			       "a backslash stands at the end");
	if (*s->at != '\n')
		*s->out++ = *s->at;
	s->at++;
	return true;
}

/* Blanks, and lines that go on after a backslash, make no word. */
static void skip_blanks(struct splitter *s)
{
	for (;;) {
		if (is_blank(*s->at))
			s->at++;
		else if (s->at[0] == '\\' && s->at[1] == '\n')
			s->at += 2;
		else
			return;
	}
}

static bool read_word(struct splitter *s, struct err *e)
{
	bool ok = true;

	while (ok && *s->at != '\0' && !is_blank(*s->at)) {
		char c = *s->at++;

		if (c == '\'')
			ok = read_single(s, e);
		else if (c == '"')
			ok = read_double(s, e);
		else if (c == '\\')
			ok = read_escaped(s, e);
		else
			*s->out++ = c;
	}
	*s->out++ = '\0';
	return ok;
}

bool words_split(struct arena *a, const char *s, char ***argv, size_t *n,
		 struct err *e)
{
	size_t len = strlen(s), found = 0;
	/* A word takes no more room than its text and the blank behind it. */
	struct splitter in = { s, arena_alloc(a, len + 1) };
	char **words = ARENA_ARRAY(a, char *, len / 2 + 2);

	for (skip_blanks(&in); *in.at != '\0'; skip_blanks(&in)) {
		words[found++] = in.out;
		if (!read_word(&in, e))
			return false;
	}
	*argv = words;
	*n = found;
	return true;
}
