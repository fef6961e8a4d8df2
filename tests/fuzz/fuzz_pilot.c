/*
 * Any bytes as what a pilot reads: a payload's output, of which the meta lines
 * do not depend on how it is cut; a grant, up to the arguments and variables
 * of its payload; a journal, whose records are there again the next time.
 * The first byte chooses.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/json.h"
#include "lib/log.h"
#include "pilot/command.h"
#include "pilot/journal.h"
#include "pilot/meta.h"
#include "pilot/payload_env.h"
#include "pilot/runfiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void meta(const char *text, size_t len)
{
	struct meta_list whole = { 0 }, cut = { 0 };
	struct meta_scan one = { 0 }, many = { 0 };
	size_t step = len > 0 ? 1 + (uint8_t)text[0] % 7 : 1;

	meta_feed(&one, &whole, text, len);
	meta_end(&one, &whole);
	for (size_t i = 0; i < len; i += step)
		meta_feed(&many, &cut, text + i,
			  len - i < step ? len - i : step);
	meta_end(&many, &cut);
	if (whole.n != cut.n || whole.more != cut.more)
		BUG("%zu meta lines in one piece, %zu in many", whole.n, cut.n);
	for (size_t i = 0; i < whole.n; i++) {
		if (strcmp(whole.line[i], cut.line[i]) != 0)
			BUG("meta line %zu depends on the pieces", i);
		if (strlen(whole.line[i]) > META_LINE_MAX)
			BUG("meta line %zu is too long", i);
	}
	meta_list_fini(&whole);
	meta_list_fini(&cut);
}

static void grant(struct arena *a, const char *text, size_t len)
{
	static char *own[] = { (char *)"PATH=/bin", (char *)"HOME=/", NULL };
	struct payload_settings set = {
		.url = "u", .pilot_id = "p", .host_name = "h", .site = ""
	};
	struct payload_env base = { 0 }, env;
	struct payload_grant g;
	struct runfiles files;
	struct json_object *o;
	struct err e = ERR_INIT;
	struct command c;

	if (!json_parse(a, text, len, &o, &e) ||
	    !payload_grant_read(a, o, &g, &e) ||
	    !runfiles_read(a, g.definition, &files, &e))
		return;
	payload_env_base(&base, a, own, NULL);
	if (!payload_env_make(&env, a, &base, &set, &g, NULL, &files, "/j", &e))
		return;
	for (size_t i = 0; i < env.n; i++)
		if (env.v[i] == NULL || strchr(env.v[i], '=') == NULL)
			BUG("variable %zu is none", i);
	if (env.v[env.n] != NULL)
		BUG("the variables have no end");
	for (int shell = 0; shell < 2; shell++) {
		if (!command_read(a, g.definition, shell, &c, &e))
			continue;
		if (command_argv(a, &c)[0] == NULL)
			BUG("a command has no words");
	}
}

struct seen {
	size_t n;
	uint64_t sum;
};

static void on_record(enum journal_kind kind, const char *text, size_t len,
		      void *arg)
{
	struct seen *s = arg;

	s->n++;
	s->sum = s->sum * 31 + (uint64_t)kind;
	for (size_t i = 0; i < len; i++)
		s->sum = s->sum * 31 + (uint8_t)text[i];
	if (text[len] != '\0')
		BUG("a record has no end");
}

static char dir[] = "/tmp/sortie-fuzz.XXXXXX";

static void remove_dir(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/journal", dir);
	(void)unlink(path);
	(void)rmdir(dir);
}

static int dir_fd(void)
{
	static int fd = -1;

	if (fd < 0) {
		if (mkdtemp(dir) == NULL || atexit(remove_dir) != 0)
			log_die("there is no place for a journal");
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd;
}

static void journal(const char *text, size_t len)
{
	struct seen first = { 0 }, again = { 0 };
	struct err e = ERR_INIT;
	struct journal *j;
	int64_t torn = -1;
	int fd = openat(dir_fd(), "journal",
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		log_die("the journal cannot be written");
	close(fd);
	j = journal_open(dir_fd(), NULL, on_record, NULL, &first, &torn, &e);
	if (j == NULL)
		return;
	if (torn < 0 || torn > (int64_t)len)
		BUG("a journal of %zu bytes lost %lld", len, (long long)torn);
	journal_close(j);
	j = journal_open(dir_fd(), NULL, on_record, NULL, &again, &torn, &e);
	if (j == NULL || torn != 0 || again.n != first.n ||
	    again.sum != first.sum)
		BUG("a journal says something else the second time");
	journal_close(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data + 1;
	struct arena *a;

	log_set_level(LOG_ERROR);
	if (len == 0)
		return 0;
	a = arena_new();
	if (data[0] == 'm')
		meta(text, len - 1);
	else if (data[0] == 'g')
		grant(a, text, len - 1);
	else if (data[0] == 'j')
		journal(text, len - 1);
	arena_free(a);
	return 0;
}
