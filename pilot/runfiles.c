/* Finds the files that a run reads and writes: see runfiles.h. */
#include "pilot/runfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/id.h"
#include "pilot/userpath.h"

#define FILE_URI "file://"
#define INPUT_FILE "P3S_INPUT_FILE"

/* "scheme://", as RFC 3986 writes a scheme. */
static bool is_remote(const char *path)
{
	size_t n = strspn(path, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return n > 0 && strncmp(path + n, "://", 3) == 0;
}

/* "file:///a%20b" becomes "/a b"; what is no file: URI, or holds a NUL, stays
 * as it is. */
static const char *local_path(struct arena *a, const char *text)
{
	const char *from = text + sizeof(FILE_URI) - 1;
	char *path, *to;
	int high, low;

	if (strncmp(text, FILE_URI "/", sizeof(FILE_URI)) != 0)
		return text;
	path = to = arena_strdup(a, from);
	for (; *from; from++) {
		high = *from == '%' ? id_hex_value(from[1]) : -1;
		low = high >= 0 ? id_hex_value(from[2]) : -1;
		if (low < 0) {
			*to++ = *from;
			continue;
		}
		if (high == 0 && low == 0)
			return text;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return path;
}

static bool read_one(struct arena *a, struct json_object *o, const char *key,
		     struct runfile *f, struct err *e)
{
	const char *path = NULL, *tag = NULL;
	struct json_object *check = NULL;

	if (json_type(o) == JSON_STR) {
		path = json_str(o);
	} else if (json_type(o) == JSON_OBJECT) {
		path = json_get_str(o, "path");
		tag = json_get_str(o, "tag");
		check = json_get(o, "check");
		f->optional = json_get_bool(o, "optional");
		f->hash = json_get_bool(o, "sha256");
	}
	if (!path || !*path)
		return err_set(e, ERR_UNPROCESSABLE,
			       "%s: a file without a path", key);
	f->path = arena_strdup(a, path);
	f->tag = tag && *tag ? arena_strdup(a, tag) : NULL;
	f->local = local_path(a, f->path);
	f->remote = is_remote(f->local);
	f->check = !check || json_type(check) != JSON_BOOL || json_bool(check);
	f->size = -1;
	return true;
}

static bool read_list(struct arena *a, struct json_object *def, const char *key,
		      struct runfile **list, size_t *n, struct err *e)
{
	struct json_object *o = json_get(def, key);

	if (!o || json_type(o) == JSON_NULL)
		return true;
	if (json_type(o) != JSON_ARRAY)
		return err_set(e, ERR_UNPROCESSABLE, "%s is not a list", key);
	*n = json_len(o);
	*list = ARENA_ARRAY(a, struct runfile, *n);
	for (size_t i = 0; i < *n; i++)
		if (!read_one(a, json_at(o, i), key, &(*list)[i], e))
			return false;
	return true;
}

bool runfiles_read(struct arena *a, struct json_object *definition,
		   struct runfiles *f, struct err *e)
{
	memset(f, 0, sizeof(*f));
	return read_list(a, definition, "inputs", &f->in, &f->n_in, e) &&
	       read_list(a, definition, "outputs", &f->out, &f->n_out, e);
}

static bool env_list(const struct runfile *f, size_t n, struct payload_env *env,
		     struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (!f[i].tag)
			continue;
		if (strchr(f[i].tag, '='))
			return err_set(e, ERR_UNPROCESSABLE,
				       "the tag '%s' of '%s' cannot be a "
				       "variable's name",
				       f[i].tag, f[i].path);
		payload_env_set(env, f[i].tag, f[i].local);
	}
	return true;
}

bool runfiles_env(const struct runfiles *f, struct payload_env *env,
		  struct err *e)
{
	const char *input = payload_env_get(env, INPUT_FILE);

	if (input && strncmp(input, FILE_URI, sizeof(FILE_URI) - 1) == 0)
		payload_env_set(env, INPUT_FILE, local_path(env->a, input));
	return env_list(f->in, f->n_in, env, e) &&
	       env_list(f->out, f->n_out, env, e);
}

/* at: where relative paths begin; -1 = that folder cannot be entered. */
static bool look(struct runfile *f, int at)
{
	struct stat st;

	if (f->remote) {
		f->found = true;
		return true;
	}
	if (at < 0 && f->local[0] != '/') {
		errno = ENOENT;
		return false;
	}
	if (userpath_stat(at, f->local, &st) != 0)
		return false;
	f->found = true;
	f->size = S_ISREG(st.st_mode) ? st.st_size : -1;
	return true;
}

static bool folder_is_there(int at, const char *path)
{
	size_t len = strlen(path);
	struct stat st;
	char *folder;
	bool there;

	while (len && path[len - 1] == '/')
		len--;
	while (len && path[len - 1] != '/')
		len--;
	folder = len ? xstrndup(path, len) : xstrndup(".", 1);
	there = userpath_stat(at, folder, &st) == 0 && S_ISDIR(st.st_mode);
	free(folder);
	return there;
}

/* "input missing: PATH", what else is the matter with it, and how many more
 * there are. */
static bool missing(const char *what, const struct runfile *f, int number,
		    size_t more, struct err *e)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s missing: %s", what, f->path);
	if (number != ENOENT && number != ENOTDIR)
		buf_addf(&b, ": %s", strerror(number));
	if (more)
		buf_addf(&b, " (and %zu more)", more);
	err_set(e, ERR_NOT_FOUND, "%s", buf_str(&b));
	buf_fini(&b);
	return false;
}

static int open_folder(const char *cwd)
{
	return userpath_open(AT_FDCWD, cwd, O_PATH | O_DIRECTORY);
}

bool runfiles_find_inputs(struct runfiles *f, const char *cwd, bool *own,
			  struct err *e)
{
	const struct runfile *first = NULL;
	int at, number = 0;
	bool file_only = true;
	size_t n = 0;

	if (!f->n_in)
		return true;
	at = open_folder(cwd);
	for (size_t i = 0; i < f->n_in; i++) {
		if (!f->in[i].check || look(&f->in[i], at))
			continue;
		if (n++ == 0) {
			first = &f->in[i];
			number = errno;
		}
		if (errno != ELOOP &&
		    (errno != ENOENT || !folder_is_there(at, f->in[i].local)))
			file_only = false;
	}
	if (at >= 0)
		close(at);
	if (n == 0)
		return true;
	*own = file_only;
	return missing("input", first, number, n - 1, e);
}

bool runfiles_find_outputs(struct runfiles *f, const char *cwd, struct err *e)
{
	const struct runfile *first = NULL;
	int at, number = 0;
	size_t n = 0;

	if (!f->n_out)
		return true;
	at = open_folder(cwd);
	for (size_t i = 0; i < f->n_out; i++) {
		if (look(&f->out[i], at) || f->out[i].optional)
			continue;
		if (n++ == 0) {
			first = &f->out[i];
			number = errno;
		}
	}
	if (at >= 0)
		close(at);
	f->written = n == 0;
	return f->written || missing("output", first, number, n - 1, e);
}

bool runfiles_wants_hash(const struct runfile *f)
{
	return f->hash && f->found && !f->remote;
}

size_t runfiles_to_hash(const struct runfiles *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_out; i++)
		n += runfiles_wants_hash(&f->out[i]);
	return n;
}
