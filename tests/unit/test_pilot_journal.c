/* What the spool keeps when a pilot dies at any moment. */
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "pilot/journal.h"
#include "pilot/spool.h"
#include "tests/unit/unit.h"

static int dir_number;

static const char *new_dir(void)
{
	char name[32];
	const char *path;

	snprintf(name, sizeof(name), "spool%d", dir_number++);
	path = unit_path(name);
	REQUIRE(mkdir(path, 0700) == 0);
	return path;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

static void on_record(enum journal_kind kind, const char *text, size_t len,
		      void *arg)
{
	struct buf *b = arg;

	CHECK_UINT_EQ(strlen(text), len);
	buf_addf(b, "%c:%s;", (char)kind, text);
}

/* Everything a fresh reader finds, as "KIND:TEXT;..."; the caller frees. */
static char *replay(int fd, int64_t *torn)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct journal *j =
		journal_open(fd, NULL, on_record, NULL, &b, torn, &e);

	REQUIRE(j != NULL);
	journal_close(j);
	return buf_take(&b);
}

static void add(struct journal *j, enum journal_kind kind, const char *text)
{
	journal_add(j, kind, text, strlen(text));
}

static struct journal *open_one(int fd)
{
	struct err e = ERR_INIT;
	struct journal *j = journal_open(fd, NULL, NULL, NULL, NULL, NULL, &e);

	REQUIRE(j != NULL);
	return j;
}

static void write_three(int fd)
{
	struct journal *j = open_one(fd);

	add(j, JOURNAL_GRANT, "aa 1");
	add(j, JOURNAL_END, "aa 1 5 {\"x\":1");
	add(j, JOURNAL_ACK, "aa");
	journal_flush(j);
	journal_close(j);
}

static void records_come_back_in_order(void)
{
	int fd = open_dir(new_dir());
	int64_t torn = -1;
	char *got;

	write_three(fd);
	got = replay(fd, &torn);
	CHECK_STR_EQ(got, "G:aa 1;E:aa 1 5 {\"x\":1;A:aa;");
	CHECK_INT_EQ(torn, 0);
	free(got);
	close(fd);
}

static void a_new_journal_is_empty(void)
{
	int fd = open_dir(new_dir());
	char *got = replay(fd, NULL);

	CHECK_STR_EQ(got, "");
	free(got);
	close(fd);
}

static void every_torn_tail_is_cut_at_a_whole_record(void)
{
	int fd = open_dir(new_dir());
	int file;
	int64_t torn;
	struct stat st;

	write_three(fd);
	file = openat(fd, "journal", O_RDWR | O_CLOEXEC);
	REQUIRE(file >= 0 && fstat(file, &st) == 0);
	for (off_t len = st.st_size - 1; len > 0; len--) {
		char *got;

		REQUIRE(ftruncate(file, len) == 0);
		got = replay(fd, &torn);
		if (strlen(got))
			CHECK_INT_EQ(got[strlen(got) - 1], ';');
		REQUIRE(fstat(file, &st) == 0);
		CHECK_TRUE(st.st_size <= len || len < 17);
		free(got);
		if (st.st_size < len)
			len = st.st_size + 1;
	}
	close(file);
	close(fd);
}

static void a_flipped_bit_hides_what_follows_and_no_more(void)
{
	int fd = open_dir(new_dir());
	int file;
	int64_t torn = 0;
	struct stat st;
	char c, *got;

	write_three(fd);
	file = openat(fd, "journal", O_RDWR | O_CLOEXEC);
	REQUIRE(file >= 0 && fstat(file, &st) == 0);
	/* The last record is 9 bytes of head and 2 of text. */
	REQUIRE(pread(file, &c, 1, st.st_size - 12) == 1);
	c ^= 4;
	REQUIRE(pwrite(file, &c, 1, st.st_size - 12) == 1);
	got = replay(fd, &torn);
	CHECK_STR_EQ(got, "G:aa 1;");
	CHECK_TRUE(torn > 0);
	free(got);
	got = replay(fd, &torn);
	CHECK_STR_EQ(got, "G:aa 1;");
	CHECK_INT_EQ(torn, 0);
	free(got);
	close(file);
	close(fd);
}

static void writing_goes_on_behind_a_cut(void)
{
	int fd = open_dir(new_dir());
	int file;
	struct journal *j;
	char *got;

	write_three(fd);
	file = openat(fd, "journal", O_WRONLY | O_APPEND | O_CLOEXEC);
	REQUIRE(file >= 0 && write(file, "\x10\0\0\0half", 8) == 8);
	close(file);
	j = open_one(fd);
	add(j, JOURNAL_GRANT, "bb 2");
	journal_flush(j);
	journal_close(j);
	got = replay(fd, NULL);
	CHECK_CONTAINS(got, "A:aa;G:bb 2;");
	free(got);
	close(fd);
}

static void fill_one(struct journal *j, void *arg)
{
	(void)arg;
	add(j, JOURNAL_END, "cc 3 9 {");
}

static void rewriting_leaves_what_still_matters(void)
{
	int fd = open_dir(new_dir());
	struct err e = ERR_INIT;
	struct journal *j;
	int64_t before;
	char *got;

	write_three(fd);
	j = open_one(fd);
	before = journal_size(j);
	add(j, JOURNAL_GRANT, "dropped 1");
	CHECK_OK(journal_rewrite(j, fill_one, NULL, &e), e);
	CHECK_TRUE(journal_size(j) < before);
	add(j, JOURNAL_ACK, "cc");
	journal_flush(j);
	journal_close(j);
	got = replay(fd, NULL);
	CHECK_STR_EQ(got, "E:cc 3 9 {;A:cc;");
	free(got);
	close(fd);
}

struct sync_test {
	struct event_base *base;
	struct journal *journal;
	int synced;
};

static void on_synced(void *arg)
{
	struct sync_test *t = arg;

	t->synced++;
	event_base_loopbreak(t->base);
}

static void an_end_is_synced_by_the_thread_before_it_counts(void)
{
	int fd = open_dir(new_dir());
	struct sync_test t = { .base = event_base_new() };
	struct err e = ERR_INIT;
	uint64_t mark;

	t.journal = journal_open(fd, t.base, NULL, on_synced, &t, NULL, &e);
	REQUIRE(t.journal != NULL);
	mark = journal_add(t.journal, JOURNAL_END, "ee 1 1 {", 8);
	CHECK_TRUE(journal_synced(t.journal) < mark);
	journal_flush(t.journal);
	CHECK_TRUE(journal_synced(t.journal) < mark);
	event_base_dispatch(t.base);
	CHECK_INT_EQ(t.synced, 1);
	CHECK_TRUE(journal_synced(t.journal) >= mark);
	journal_close(t.journal);
	event_base_free(t.base);
	close(fd);
}

static void a_spool_has_one_pilot(void)
{
	struct arena *a = arena_new();
	const char *state = new_dir();
	struct spool first, second, third;
	struct err e = ERR_INIT;

	REQUIRE(spool_open(a, NULL, state, "host", &first, &e));
	REQUIRE(spool_open(a, NULL, state, "host", &second, &e));
	CHECK_CONTAINS(first.path, "/host/0");
	CHECK_CONTAINS(second.path, "/host/1");
	CHECK_FAILS(spool_open(a, first.path, NULL, "host", &third, &e), e,
		    ERR_CONFLICT, "another pilot lives");
	spool_close(&first);
	CHECK_OK(spool_open(a, NULL, state, "host", &third, &e), e);
	CHECK_CONTAINS(third.path, "/host/0");
	spool_close(&third);
	spool_close(&second);
	arena_free(a);
}

static void an_identity_is_kept_until_it_is_forgotten(void)
{
	struct arena *a = arena_new();
	struct spool_identity id = { "p", "sp_t", "c" }, got;
	struct err e = ERR_INIT;
	struct spool s;

	REQUIRE(spool_open(a, unit_path("identity"), NULL, "h", &s, &e));
	spool_identity_read(a, &s, &got);
	CHECK_NULL(got.pilot);
	CHECK_OK(spool_identity_write(&s, &id, &e), e);
	spool_identity_read(a, &s, &got);
	CHECK_STR_EQ(got.pilot, "p");
	CHECK_STR_EQ(got.token, "sp_t");
	CHECK_STR_EQ(got.cluster, "c");
	spool_identity_forget(&s);
	spool_identity_read(a, &s, &got);
	CHECK_NULL(got.pilot);
	spool_close(&s);
	arena_free(a);
}

static const struct unit_test tests[] = {
	{ "a new journal is empty", a_new_journal_is_empty },
	{ "records come back in order", records_come_back_in_order },
	{ "every torn tail is cut at a whole record",
	  every_torn_tail_is_cut_at_a_whole_record },
	{ "a flipped bit hides what follows and no more",
	  a_flipped_bit_hides_what_follows_and_no_more },
	{ "writing goes on behind a cut", writing_goes_on_behind_a_cut },
	{ "rewriting leaves what still matters",
	  rewriting_leaves_what_still_matters },
	{ "an end is synced by the thread before it counts",
	  an_end_is_synced_by_the_thread_before_it_counts },
	{ "a spool has one pilot", a_spool_has_one_pilot },
	{ "an identity is kept until it is forgotten",
	  an_identity_is_kept_until_it_is_forgotten },
};

int main(void)
{
	return unit_main("pilot_journal", tests, UNIT_N(tests));
}
