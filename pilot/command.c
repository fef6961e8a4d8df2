/*
 * Reads a job's payload, argv or shell, with its args, and finds the program
 * that they name.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/words.h"
#include "pilot/command.h"

#define SHELL "/bin/sh"
#define DEFAULT_PATH "/usr/bin:/bin"

static struct json_object *member(struct json_object *def, const char *key,
				  enum json_type type)
{
	struct json_object *o = json_get(def, key);

	return o && json_type(o) == type ? o : NULL;
}

static bool list_words(struct arena *a, struct json_object *list,
		       const char *key, char **out, struct err *e)
{
	size_t n = json_len(list);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_at(list, i);

		if (json_type(o) != JSON_STR)
			return err_set(e, ERR_UNPROCESSABLE,
				       "%s: word %zu is not text", key, i);
		out[i] = arena_strdup(a, json_str(o));
	}
	return true;
}

/* words = the first n of `first`, then args. */
static bool join_words(struct arena *a, struct command *c, char **first,
		       size_t n, struct json_object *args, struct err *e)
{
	c->n_words = n + (args ? json_len(args) : 0);
	c->words = ARENA_ARRAY(a, char *, c->n_words + 1);
	if (n)
		memcpy(c->words, first, n * sizeof(*first));
	return !args || list_words(a, args, "args", c->words + n, e);
}

/* How many bytes of a command's text its first word takes. */
static size_t first_word_len(const char *s)
{
	const char *start = s;
	char quote = '\0';

	s += strspn(s, " \t\n");
	for (; *s && (quote || !strchr(" \t\n;&|<>()", *s)); s++) {
		if (quote == *s)
			quote = '\0';
		else if (!quote && (*s == '"' || *s == '\''))
			quote = *s;
		else if (quote != '\'' && *s == '\\' && s[1])
			s++;
	}
	return (size_t)(s - start);
}

static bool read_payload(struct arena *a, const char *text, bool through_shell,
			 struct json_object *args, struct command *c,
			 struct err *e)
{
	char **words;
	size_t n;

	if (!words_split(a, text, &words, &n, e)) {
		if (!through_shell)
			return err_prefix(e, "payload");
		n = 0; /* the shell may well understand it */
	}
	if (n == 0 && !through_shell)
		return err_set(e, ERR_UNPROCESSABLE, "payload is empty");
	c->program = n ? words[0] : NULL;
	if (!through_shell)
		return join_words(a, c, words + 1, n - 1, args, e);
	c->shell = args && json_len(args) ? arena_printf(a, "%s \"$@\"", text)
					  : arena_strdup(a, text);
	c->program_len = first_word_len(text);
	return join_words(a, c, NULL, 0, args, e);
}

static bool read_argv(struct arena *a, struct json_object *list,
		      struct json_object *args, struct command *c,
		      struct err *e)
{
	size_t n = json_len(list);
	char **words = ARENA_ARRAY(a, char *, n + 1);

	if (n == 0)
		return err_set(e, ERR_UNPROCESSABLE, "argv is empty");
	if (!list_words(a, list, "argv", words, e))
		return false;
	c->program = words[0];
	return join_words(a, c, words + 1, n - 1, args, e);
}

bool command_read(struct arena *a, struct json_object *definition,
		  bool through_shell, struct command *out, struct err *e)
{
	struct json_object *args = member(definition, "args", JSON_ARRAY);
	struct json_object *o;

	memset(out, 0, sizeof(*out));
	if ((o = member(definition, "payload", JSON_STR)))
		return read_payload(a, json_str(o), through_shell, args, out,
				    e);
	if ((o = member(definition, "argv", JSON_ARRAY)))
		return read_argv(a, o, args, out, e);
	if ((o = member(definition, "shell", JSON_STR))) {
		out->shell = arena_strdup(a, json_str(o));
		return join_words(a, out, NULL, 0, args, e);
	}
	return err_set(e, ERR_UNPROCESSABLE,
		       "the job has no payload, argv or shell");
}

static void quote(struct buf *b, const char *s)
{
	buf_addc(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *s);
	}
	buf_addc(b, '\'');
}

void command_replace(struct arena *a, struct command *c, const char *path)
{
	struct buf b = BUF_INIT;

	c->program = path;
	if (!c->shell)
		return;
	quote(&b, path);
	buf_adds(&b, c->shell + c->program_len);
	c->shell = arena_strdup(a, buf_str(&b));
	buf_fini(&b);
}

char **command_argv(struct arena *a, const struct command *c)
{
	char **v = ARENA_ARRAY(a, char *, c->n_words + 5);
	size_t n = 0;

	if (c->shell) {
		v[n++] = arena_strdup(a, SHELL);
		v[n++] = arena_strdup(a, "-c");
		v[n++] = arena_strdup(a, c->shell);
		v[n++] = arena_strdup(a, "sh");
	} else {
		v[n++] = arena_strdup(a, c->program);
	}
	memcpy(v + n, c->words, c->n_words * sizeof(*v));
	return v;
}

static bool runnable(const char *path, int *why)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno == EACCES)
			*why = EACCES;
		return false;
	}
	if (!S_ISREG(st.st_mode))
		return false;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		return true;
	*why = EACCES;
	return false;
}

const char *command_find(struct arena *a, const char *name, const char *path,
			 const char *cwd)
{
	int why = ENOENT;

	if (strchr(name, '/') || !*name)
		return name;
	path = path ? path : DEFAULT_PATH;
	for (;;) {
		size_t len = strcspn(path, ":");
		const char *at = len ? arena_strndup(a, path, len) : ".";
		const char *found =
			*at == '/' ? arena_printf(a, "%s/%s", at, name)
				   : arena_printf(a, "%s/%s/%s", cwd, at, name);

		if (runnable(found, &why))
			return found;
		if (!path[len]) {
			errno = why;
			return NULL;
		}
		path += len + 1;
	}
}
