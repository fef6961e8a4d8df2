/* One event, one line: whatever is logged, to wherever. */
#include "lib/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/unit.h"

static const char *path;

/* Logs into a new file until log_ends. */
static void log_begins(void)
{
	path = unit_file("", 0);
	log_init("prog");
	log_set_level(LOG_INFO);
	CHECK_TRUE(log_to_file(path));
}

/* What was logged; the caller frees. */
static char *log_ends(void)
{
	CHECK_TRUE(log_to_file(NULL));
	return unit_slurp(path);
}

/* The line without its time, which must look like one. */
static void check_line(const char *line, const char *want)
{
	int end = 0;

	sscanf(line, "%*4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ %n", &end);
	CHECK_INT_EQ(end, 25);
	CHECK_STR_EQ(line + end, want);
}

static void a_line_has_time_program_and_level(void)
{
	char *said;

	log_begins();
	log_error("no %s: %d", "luck", 5);
	said = log_ends();
	check_line(said, "prog error: no luck: 5\n");
	free(said);
}

static void levels_are_kept_back(void)
{
	char *said;

	log_begins();
	log_debug("not this");
	CHECK_FALSE(log_enabled(LOG_DEBUG));
	log_set_level(LOG_WARN);
	log_info("nor this");
	log_warn("but this");
	said = log_ends();
	check_line(said, "prog warn: but this\n");
	free(said);
	log_set_level(LOG_INFO);
}

static void levels_have_names(void)
{
	enum log_level level = LOG_INFO;

	CHECK_TRUE(log_level_from_name("debug", &level));
	CHECK_INT_EQ(level, LOG_DEBUG);
	CHECK_TRUE(log_level_from_name("error", &level));
	CHECK_INT_EQ(level, LOG_ERROR);
	CHECK_FALSE(log_level_from_name("loud", &level));
	CHECK_FALSE(log_level_from_name("", &level));
	CHECK_INT_EQ(level, LOG_ERROR);
}

static void nobody_can_forge_a_line(void)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a\nb", "a\\nb" },
		{ "a\r\tb", "a\\x0d\\tb" },
		{ "\x1b[31m\x7f", "\\x1b[31m\\x7f" },
		{ "caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac" },
		{ "\xc2\x85 \xc2\x9b \xc2\xa0",
		  "\\xc2\\x85 \\xc2\\x9b \xc2\xa0" },
		{ "\xff\xe2\x82", "\\xff\\xe2\\x82" },
	};

	for (size_t i = 0; i < UNIT_N(rows); i++) {
		char *said, want[200];

		log_begins();
		log_info("%s", rows[i].in);
		said = log_ends();
		snprintf(want, sizeof(want), "prog info: %s\n", rows[i].out);
		check_line(said, want);
		free(said);
	}
}

static void long_messages_are_cut_and_say_so(void)
{
	static const char fill[] = { 'x', '\n', '\x01', '\xff' };
	char text[20000], *said;

	for (size_t i = 0; i < UNIT_N(fill); i++) {
		memset(text, fill[i], sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		log_begins();
		log_info("%s", text);
		said = log_ends();
		CHECK_TRUE(strlen(said) > 3000);
		CHECK_TRUE(strlen(said) <= 4096);
		CHECK_STR_EQ(said + strlen(said) - 5, " ...\n");
		CHECK_TRUE(strchr(said, '\n') == said + strlen(said) - 1);
		free(said);
	}
}

static void errno_survives(void)
{
	char *said;

	log_begins();
	errno = EXDEV;
	log_info("x");
	CHECK_INT_EQ(errno, EXDEV);
	said = log_ends();
	free(said);
}

static void a_rotated_file_is_reopened(void)
{
	const char *old = unit_path("rotated");
	char *said, *before;

	log_begins();
	log_info("one");
	CHECK_INT_EQ(rename(path, old), 0);
	log_info("two");
	log_reopen();
	log_info("three");
	said = log_ends();
	before = unit_slurp(old);
	check_line(said, "prog info: three\n");
	CHECK_CONTAINS(before, "one\n");
	CHECK_CONTAINS(before, "two\n");
	free(said);
	free(before);
}

static void a_file_that_cannot_be_opened_changes_nothing(void)
{
	char *said, far[5000];

	log_begins();
	errno = 0;
	CHECK_FALSE(log_to_file(unit_path("no/such/folder")));
	CHECK_INT_EQ(errno, ENOENT);
	memset(far, 'x', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	CHECK_FALSE(log_to_file(far));
	CHECK_INT_EQ(errno, ENAMETOOLONG);
	log_info("still here");
	said = log_ends();
	check_line(said, "prog info: still here\n");
	free(said);
}

static void reopening_a_lost_file_keeps_the_old_one(void)
{
	char *said, *log;
	const char *folder = unit_path("gone"), *old = unit_path("kept");

	log_init("prog");
	CHECK_INT_EQ(mkdir(folder, 0700), 0);
	log = malloc(strlen(folder) + 10);
	REQUIRE(log != NULL);
	snprintf(log, strlen(folder) + 10, "%s/log", folder);
	CHECK_TRUE(log_to_file(log));
	CHECK_INT_EQ(rename(log, old), 0);
	CHECK_INT_EQ(rmdir(folder), 0);
	log_reopen();
	CHECK_TRUE(log_to_file(NULL));
	said = unit_slurp(old);
	CHECK_CONTAINS(said, "prog error: cannot reopen the log file");
	free(said);
	free(log);
}

static void run_into_a_bug(void *arg)
{
	BUG("%s happened", (const char *)arg);
}

static void die_at_start(void *arg)
{
	log_die("no %s", (const char *)arg);
}

static void say_to_the_journal(void *arg)
{
	char stream[64];
	struct stat st;

	if (fstat(STDERR_FILENO, &st) != 0)
		return;
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + (arg != NULL));
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("prog");
	log_set_level(LOG_DEBUG);
	log_warn("w");
	log_debug("d");
}

static void bugs_abort_and_tell_where(void)
{
	char what[] = "it";

	CHECK_DIES(run_into_a_bug, what, 6, "BUG: ");
	CHECK_DIES(run_into_a_bug, what, 6, "test_log.c:");
	CHECK_DIES(run_into_a_bug, what, 6, ": it happened\n");
}

static void the_machines_faults_exit_with_one(void)
{
	char what[] = "disk";

	CHECK_DIES(die_at_start, what, UNIT_EXIT(1), "prog fatal: no disk\n");
}

static void the_journal_gets_levels_instead_of_times(void)
{
	char other[] = "";

	CHECK_DIES(say_to_the_journal, NULL, UNIT_EXIT(0), "<4>w\n<7>d\n");
	/* the variable names another stream: it was inherited */
	CHECK_DIES(say_to_the_journal, other, UNIT_EXIT(0), "Z prog warn: w\n");
}

static const struct unit_test tests[] = {
	{ "a line has time, program and level",
	  a_line_has_time_program_and_level },
	{ "levels are kept back", levels_are_kept_back },
	{ "levels have names", levels_have_names },
	{ "nobody can forge a line", nobody_can_forge_a_line },
	{ "long messages are cut and say so",
	  long_messages_are_cut_and_say_so },
	{ "errno survives", errno_survives },
	{ "a rotated file is reopened", a_rotated_file_is_reopened },
	{ "a file that cannot be opened changes nothing",
	  a_file_that_cannot_be_opened_changes_nothing },
	{ "reopening a lost file keeps the old one",
	  reopening_a_lost_file_keeps_the_old_one },
	{ "bugs abort and tell where", bugs_abort_and_tell_where },
	{ "the machine's faults exit with one",
	  the_machines_faults_exit_with_one },
	{ "the journal gets levels instead of times",
	  the_journal_gets_levels_instead_of_times },
};

int main(void)
{
	return unit_main("log", tests, UNIT_N(tests));
}
