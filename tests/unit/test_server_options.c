/* What follows from several options, and what is refused together. */
#include <stdlib.h>
#include <string.h>
#include "lib/arena.h"
#include "server/options.h"
#include "tests/unit/unit.h"

static struct arena *arena;
static struct settings set;
static struct err e;

/* Reads a command line, written as words with single blanks. */
static bool reads(const char *line)
{
	char *words = xasprintf("sortied %s", line), *word, *rest;
	char *argv[32];
	int argc = 0;
	bool ok;

	for (word = strtok_r(words, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	e = (struct err)ERR_INIT;
	arena_free(arena);
	arena = arena_new();
	for (int i = 0; i < argc; i++)
		argv[i] = arena_strdup(arena, argv[i]);
	ok = options_read(arena, argc, argv, &set, &e);
	free(words);
	return ok;
}

static bool reads_file(const char *text, const char *more)
{
	char *line = xasprintf("--config %s %s", unit_file(text, strlen(text)),
			       more);
	bool ok = reads(line);

	free(line);
	return ok;
}

static void everything_lies_in_the_state_directory(void)
{
	CHECK_OK(reads("--state-dir /srv/s"), e);
	CHECK_STR_EQ(set.embedded, "/srv/s");
	CHECK_STR_EQ(set.blob_dir, "/srv/s/blobs");
	CHECK_STR_EQ(set.admin_token_file, "/srv/s/admin-token");
	CHECK_STR_EQ(set.listen[0], "unix:/srv/s/sortied.sock");
	CHECK_STR_EQ(set.listen[1], "127.0.0.1:7900");
	CHECK_NULL(set.listen[2]);
	CHECK_OK(reads("--embedded /srv/db"), e);
	CHECK_STR_EQ(set.state_dir, "/srv/db");
}

static void dev_opens_no_port(void)
{
	CHECK_OK(reads("--dev --state-dir /srv/s"), e);
	CHECK_STR_EQ(set.listen[0], "unix:/srv/s/sortied.sock");
	CHECK_NULL(set.listen[1]);
}

static void a_database_and_an_embedded_one_exclude_each_other(void)
{
	CHECK_OK(reads("--database dbname=x --state-dir /srv/s"), e);
	CHECK_NULL(set.embedded);
	CHECK_FAILS(reads("--database dbname=x --embedded /srv/s"), e,
		    ERR_BAD_REQUEST, "--database and --embedded");
}

static void a_file_must_say_where_the_data_are(void)
{
	CHECK_FAILS(reads_file("lease = \"15 s\";\n", ""), e, ERR_BAD_REQUEST,
		    "names no database");
	CHECK_OK(reads_file("embedded = \"/srv/s\";\n", ""), e);
	CHECK_OK(reads_file("lease = \"15 s\";\n", "--embedded /srv/s"), e);
}

static void the_command_line_goes_before_the_file(void)
{
	CHECK_OK(reads_file("embedded = \"/srv/s\";\nlease = \"30 s\";\n"
			    "heartbeat = \"6 s\";\nloss_budget = 5;\n",
			    "--lease 60"),
		 e);
	CHECK_INT_EQ(set.lease_s, 60);
	CHECK_INT_EQ(set.heartbeat_s, 6);
	CHECK_INT_EQ(set.loss_budget, 5);
}

static void a_heartbeat_is_at_most_a_third_of_the_lease(void)
{
	CHECK_OK(reads("--lease 12 --heartbeat 4"), e);
	CHECK_FAILS(reads("--lease 11 --heartbeat 4"), e, ERR_BAD_REQUEST,
		    "a third");
}

static void addresses_that_others_reach_need_tls(void)
{
	static const char *const open[] = {
		"--listen 192.0.2.1:1",
		"--listen :7900",
		"--listen *:7900",
		"--listen 7900",
		"--listen [::]:7900",
		"--listen http://0.0.0.0:1 --tls-cert c",
	};
	static const char *const fine[] = {
		"--listen 127.0.0.1:1",
		"--listen [::1]:1",
		"--listen unix:/s",
		"--listen :7900 --tls-cert c",
		"--listen :7900 --allow-plain-http",
	};

	for (size_t i = 0; i < UNIT_N(open); i++)
		CHECK_FAILS(reads(open[i]), e, ERR_BAD_REQUEST, "clear");
	for (size_t i = 0; i < UNIT_N(fine); i++)
		CHECK_OK(reads(fine[i]), e);
}

static void wrong_values_are_refused(void)
{
	CHECK_FAILS(reads("--listen unix:relative"), e, ERR_BAD_REQUEST,
		    "begins with /");
	CHECK_FAILS(reads("--listen ::1"), e, ERR_BAD_REQUEST, "brackets");
	CHECK_FAILS(reads("--listen 127.0.0.1:65536"), e, ERR_BAD_REQUEST,
		    "port");
	CHECK_FAILS(reads("--listen https://127.0.0.1:1"), e, ERR_BAD_REQUEST,
		    "--tls-cert");
	CHECK_FAILS(reads("--tls-key k"), e, ERR_BAD_REQUEST, "--tls-cert");
	CHECK_FAILS(reads("--log-level loud"), e, ERR_BAD_REQUEST, "loud");
	CHECK_FAILS(reads("--max-connections 0"), e, ERR_BAD_REQUEST,
		    "max-connections");
	CHECK_FAILS(reads("word"), e, ERR_BAD_REQUEST, "word");
}

static void on_differ(const char *name, bool is_live, void *arg)
{
	struct buf *b = arg;

	buf_addf(b, "%s%s ", is_live ? "+" : "-", name);
}

static void a_reload_knows_what_needs_a_restart(void)
{
	struct settings old;
	struct arena *kept;
	struct buf b = BUF_INIT;

	CHECK_OK(reads("--state-dir /srv/s --retention 1d"), e);
	old = set;
	kept = arena;
	arena = NULL;
	CHECK_OK(reads("--state-dir /srv/s --retention 2d --lease 60 "
		       "--listen 127.0.0.1:1"),
		 e);
	options_differ(&old, &set, on_differ, &b);
	CHECK_STR_EQ(buf_str(&b), "-listen -lease +retention ");
	buf_fini(&b);
	arena_free(kept);
}

static void the_manual_is_made_of_the_table(void)
{
	struct buf b = BUF_INIT;

	options_mdoc(&b);
	CHECK_CONTAINS(buf_str(&b), ".It Fl l , Fl -listen Ar ADDRESS");
	buf_reset(&b);
	options_help(&b, 80);
	CHECK_CONTAINS(buf_str(&b), "--pg-bindir DIR");
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "everything lies in the state directory",
	  everything_lies_in_the_state_directory },
	{ "dev opens no port", dev_opens_no_port },
	{ "a database and an embedded one exclude each other",
	  a_database_and_an_embedded_one_exclude_each_other },
	{ "a file must say where the data are",
	  a_file_must_say_where_the_data_are },
	{ "the command line goes before the file",
	  the_command_line_goes_before_the_file },
	{ "a heartbeat is at most a third of the lease",
	  a_heartbeat_is_at_most_a_third_of_the_lease },
	{ "addresses that others reach need TLS",
	  addresses_that_others_reach_need_tls },
	{ "wrong values are refused", wrong_values_are_refused },
	{ "a reload knows what needs a restart",
	  a_reload_knows_what_needs_a_restart },
	{ "the manual is made of the table", the_manual_is_made_of_the_table },
};

int main(void)
{
	int status;

	unsetenv("SORTIED_CONFIG");
	unsetenv("SORTIED_DATABASE");
	status = unit_main("server_options", tests, UNIT_N(tests));
	arena_free(arena);
	return status;
}
