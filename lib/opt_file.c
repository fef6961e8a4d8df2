/* Reads a config file; the only module that includes libconfig. */
#include "lib/opt.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/opt_scan.h"
#include "lib/opt_value.h"

#define FILE_MAX (1 << 20)

/* The file */

static bool check_file(const char *path, const struct stat *st, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_BAD_REQUEST,
			       "config file \"%s\" is not a regular file",
			       path);
	if ((st->st_mode & S_IWOTH) != 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "config file \"%s\" may be changed by "
			       "everybody: chmod o-w it",
			       path);
	if (st->st_size > FILE_MAX)
		return err_set(e, ERR_TOO_LARGE,
			       "config file \"%s\" is larger than 1 MiB", path);
	return true;
}

static bool read_all(int fd, const char *path, struct buf *text, struct err *e)
{
	ssize_t n;

	do {
		buf_reserve(text, 4096);
		n = read(fd, text->data + text->len, 4096);
		if (n < 0 && errno != EINTR)
			return err_set_errno(e, ERR_IO,
					     "cannot read config file \"%s\"",
					     path);
		if (n > 0)
			text->len += (size_t)n;
		text->data[text->len] = '\0';
	} while (n != 0 && text->len <= FILE_MAX);
	if (text->len > FILE_MAX)
		return err_set(e, ERR_TOO_LARGE,
			       "config file \"%s\" is larger than 1 MiB", path);
	if (strlen(text->data) != text->len)
		return err_set(e, ERR_BAD_REQUEST,
			       "config file \"%s\" contains a NUL byte", path);
	return true;
}

/* We open the file ourselves, for libconfig does not say what was wrong.
 * Without O_NONBLOCK a named pipe would hold us before fstat. */
static bool read_file(const char *path, struct buf *text, struct stat *st,
		      struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return err_set_errno(e,
				     errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
				     "cannot open config file \"%s\"", path);
	if (fstat(fd, st) != 0)
		ok = err_set_errno(e, ERR_IO, "cannot read config file \"%s\"",
				   path);
	else
		ok = check_file(path, st, e) && read_all(fd, path, text, e);
	close(fd);
	return ok;
}

/* Its settings */

struct reader {
	struct arena *a;
	const struct opt *opts;
	size_t n;
	void *out;
	const char *path;
	bool for_others; /* everybody may read the file */
	struct err *e;
};

static bool wrong_type(struct reader *r, const struct opt *o)
{
	return err_set(r->e, ERR_BAD_REQUEST, "must be %s", opt_form(o->kind));
}

static bool set_list(struct reader *r, const struct opt *o,
		     const config_setting_t *s)
{
	int len = config_setting_length(s);
	const char **items = ARENA_ARRAY(r->a, const char *, len + 1);

	for (int i = 0; i < len; i++) {
		const config_setting_t *item =
			config_setting_get_elem(s, (unsigned)i);

		if (config_setting_type(item) != CONFIG_TYPE_STRING)
			return wrong_type(r, o);
		items[i] = arena_strdup(r->a, config_setting_get_string(item));
	}
	opt_set_list(o, r->out, items);
	return true;
}

static bool set_value(struct reader *r, const struct opt *o,
		      const config_setting_t *s)
{
	bool is_list = o->kind == OPT_LIST || o->kind == OPT_MULTI;
	bool is_number = o->kind == OPT_INT || o->kind == OPT_SECONDS ||
			 o->kind == OPT_BYTES;

	switch (config_setting_type(s)) {
	case CONFIG_TYPE_BOOL:
		if (o->kind != OPT_FLAG)
			return wrong_type(r, o);
		opt_set_flag(o, r->out, config_setting_get_bool(s));
		return true;
	case CONFIG_TYPE_INT:
		if (!is_number)
			return wrong_type(r, o);
		return opt_set_int(o, r->out, config_setting_get_int(s), r->e);
	case CONFIG_TYPE_STRING:
		if (o->kind == OPT_FLAG || o->kind == OPT_INT)
			return wrong_type(r, o);
		return opt_set_text(r->a, o, r->out,
				    config_setting_get_string(s), false, r->e);
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		return is_list ? set_list(r, o, s) : wrong_type(r, o);
	default:
		return wrong_type(r, o);
	}
}

static bool unknown_key(struct reader *r, const char *key, unsigned line)
{
	const char *near =
		opt_nearest(r->a, r->opts, r->n, key, strlen(key), true);

	if (near == NULL)
		return err_set(r->e, ERR_BAD_REQUEST,
			       "%s:%u: unknown key \"%.80s\"", r->path, line,
			       key);
	return err_set(r->e, ERR_BAD_REQUEST,
		       "%s:%u: unknown key \"%.80s\": did you mean \"%s\"?",
		       r->path, line, key, near);
}

static bool read_setting(struct reader *r, const config_setting_t *s)
{
	const char *key = config_setting_name(s);
	const struct opt *o = opt_find(r->opts, r->n, key, strlen(key));
	unsigned line = config_setting_source_line(s);

	if (o == NULL)
		return unknown_key(r, key, line);
	if ((o->flags & OPT_CLI_ONLY) != 0)
		return err_set(r->e, ERR_BAD_REQUEST,
			       "%s:%u: \"%s\" cannot stand in a config file, "
			       "only on the command line",
			       r->path, line, key);
	if ((o->flags & OPT_SECRET) != 0 && r->for_others)
		return err_set(r->e, ERR_BAD_REQUEST,
			       "%s:%u: \"%s\" is secret but everybody may "
			       "read the file: chmod o-r it",
			       r->path, line, key);
	if (!set_value(r, o, s))
		return err_prefix(r->e, "%s:%u: \"%s\"", r->path, line, key);
	return true;
}

static bool read_settings(struct reader *r, const char *text)
{
	const config_setting_t *root;
	config_t config;
	bool ok = true;

	config_init(&config);
	if (!config_read_string(&config, text)) {
		err_set(r->e, ERR_BAD_REQUEST, "%s:%d: %s", r->path,
			config_error_line(&config), config_error_text(&config));
		config_destroy(&config);
		return false;
	}
	root = config_root_setting(&config);
	for (int i = 0; ok && i < config_setting_length(root); i++)
		ok = read_setting(r,
				  config_setting_get_elem(root, (unsigned)i));
	config_destroy(&config);
	return ok;
}

bool opt_read_file(struct arena *a, const struct opt *opts, size_t n, void *out,
		   const char *path, struct err *e)
{
	struct buf text = BUF_INIT;
	struct stat st = { 0 };
	struct reader r = {
		.a = a,
		.opts = opts,
		.n = n,
		.out = opt_stage(a, opts, n, out),
		.path = path,
		.e = e,
	};
	bool ok = read_file(path, &text, &st, e) &&
		  opt_scan(buf_str(&text), path, e);

	if (ok) {
		r.for_others = (st.st_mode & S_IROTH) != 0;
		ok = read_settings(&r, buf_str(&text));
	}
	buf_fini(&text);
	if (ok)
		opt_commit(opts, n, r.out, out);
	return ok;
}
