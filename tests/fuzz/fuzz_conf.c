/*
 * Any bytes as a config file: it is taken, or refused with its line and
 * nothing changed.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/log.h"
#include "lib/opt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int __lsan_is_turned_off(void);

/* libconfig forgets a text whose end is missing; a program reads its file
 * once. */
int __lsan_is_turned_off(void)
{
	return 1;
}

struct settings {
	bool flag;
	const char *text;
	const char **list, **multi;
	int64_t number, seconds, bytes;
};

#define AT(field) offsetof(struct settings, field)

static const struct opt opts[] = {
	{ "flag", 0, OPT_FLAG, AT(flag), 0, 0, 0, NULL, NULL, NULL, "." },
	{ "text", 0, OPT_STR, AT(text), 0, 0, 0, "t", NULL, "T", "." },
	{ "list", 0, OPT_LIST, AT(list), 0, 0, 0, "a,b", NULL, "L", "." },
	{ "multi", 0, OPT_MULTI, AT(multi), 0, 0, 0, NULL, NULL, "M", "." },
	{ "a-number", 0, OPT_INT, AT(number), 0, -5, 1000, "7", NULL, "N",
	  "." },
	{ "seconds", 0, OPT_SECONDS, AT(seconds), 0, 0, 3600, "1 s", NULL, "S",
	  "." },
	{ "bytes", 0, OPT_BYTES, AT(bytes), OPT_SECRET, 0, 1 << 30, "1 KiB",
	  NULL, "B", "." },
	{ "line", 0, OPT_FLAG, AT(flag), OPT_CLI_ONLY, 0, 0, NULL, NULL, NULL,
	  "." },
};

#define N_OPTS (sizeof(opts) / sizeof(opts[0]))

/* One file in memory for all inputs. */
static const char *path_of(const uint8_t *data, size_t len)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("conf", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (fd < 0 || fchmod(fd, 0600) != 0)
			log_die("no file in memory");
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, len, 0) != (ssize_t)len)
		log_die("the file in memory cannot be written");
	return path;
}

static bool same(const struct settings *a, const struct settings *b)
{
	return a->flag == b->flag && a->text == b->text && a->list == b->list &&
	       a->multi == b->multi && a->number == b->number &&
	       a->seconds == b->seconds && a->bytes == b->bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct settings set = { 0 }, before;
	struct err e = ERR_INIT;

	opt_defaults(a, opts, N_OPTS, &set);
	before = set;
	if (opt_read_file(a, opts, N_OPTS, &set, path_of(data, len), &e)) {
		if (set.number < -5 || set.number > 1000 || set.seconds < 0 ||
		    set.seconds > 3600 || set.bytes < 0 ||
		    set.bytes > 1 << 30 || set.list == NULL ||
		    set.multi == NULL || set.text == NULL)
			BUG("a setting is out of bounds");
	} else if (!same(&set, &before)) {
		BUG("refused (%s), and yet something is changed", e.text);
	} else if (e.text[0] == '\0') {
		BUG("refused without a word");
	}
	arena_free(a);
	return 0;
}
