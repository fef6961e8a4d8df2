/* Job files cut into jobs, the messages on what is wrong with them, and the
 * bodies that jobs are gathered into. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/jobfile.h"
#include "clients/parts.h"
#include "tests/unit/unit.h"

static struct err e;
static struct buf seen; /* the jobs' texts, one a line */
static int64_t n_seen;

static bool on_job(struct arena *a, const struct jobfile_job *job, void *arg,
		   struct err *err)
{
	(void)a;
	(void)arg;
	(void)err;
	json_write(&seen, job->object);
	buf_addc(&seen, '\n');
	n_seen++;
	return true;
}

static bool read_text(const char *text)
{
	buf_reset(&seen);
	n_seen = 0;
	e = (struct err)ERR_INIT;
	return jobfile_read_text("f", text, strlen(text), on_job, NULL, &e);
}

static void a_list_gives_its_jobs(void)
{
	CHECK_OK(read_text(" [ {\"a\":1} ,\n{\"b\":[{}, 2, \"}\\\"]\"]}\n] \n"),
		 e);
	CHECK_STR_EQ(buf_str(&seen), "{\"a\":1}\n{\"b\":[{},2,\"}\\\"]\"]}\n");
}

static void one_object_is_one_job(void)
{
	CHECK_OK(read_text("{\n\t\"a\": 1\n}\n"), e);
	CHECK_STR_EQ(buf_str(&seen), "{\"a\":1}\n");
}

static void objects_may_follow_each_other(void)
{
	CHECK_OK(read_text("{\"a\":1}\n\n{\"a\":2}{\"a\":3}\r\n"), e);
	CHECK_INT_EQ(n_seen, 3);
}

static void other_documents_are_refused_with_a_sentence(void)
{
	static const char *const text[][2] = {
		{ "", "f is empty" },
		{ " \n", "f is empty" },
		{ "[]", "f holds no jobs" },
		{ "\"x\"", "f is a string: a job file is a list of jobs" },
		{ "12", "f is a whole number: a job file is" },
		{ "true", "f is true or false: a job file is" },
		{ "hello", "f: line 1, column 1: " },
		{ "[1]", "f: job 1 is a whole number: a job is an object" },
		{ "[[{}]]", "f: job 1 is a list: a job is an object" },
		{ "[\"a]\"]", "f: job 1 is a string: a job is an object" },
	};

	for (size_t i = 0; i < UNIT_N(text); i++)
		CHECK_FAILS(read_text(text[i][0]), e, ERR_BAD_REQUEST,
			    text[i][1]);
}

static void faults_are_placed_in_the_file(void)
{
	static const char *const text[][2] = {
		{ "[{}\n {}]", "f: line 2, column 2: between two jobs" },
		{ "[{},\n]", "f: line 2, column 1: a comma without a job" },
		{ "[{}", "f: line 1, column 4: the list does not end" },
		{ "[{}] x", "f: line 1, column 6: text behind the end" },
		{ "[,{}]", "f: line 1, column 2: a job is missing" },
		{ "{},{}", "f: line 1, column 3: a comma outside a list" },
		{ "[{},\n  {\"a\":\n  1x}]", "f: job 2: line 3, column " },
		{ "[{\"a\":\"b\tc\"}]", "f: job 1: line 1, column 9: " },
		{ "[{\"a\":1,\"a\":2}]", "f: job 1: line 1, column " },
		{ "{\"a\":\"\xff\"}", "f: job 1: line 1, column " },
		{ "{\"a\":[}]", "f: job 1: line 1, column " },
		{ "{\"a\":\"b", "f: job 1: line 1, column " },
		{ "[{\"a\":tru", "f: job 1: line 1, column " },
	};

	for (size_t i = 0; i < UNIT_N(text); i++)
		CHECK_FAILS(read_text(text[i][0]), e, ERR_BAD_REQUEST,
			    text[i][1]);
}

static void a_file_is_read_in_pieces(void)
{
	struct buf b = BUF_INIT;
	const char *path;

	buf_addc(&b, '[');
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "%s{\"name\":\"job \\\" %d\",\"n\":[%d]}",
			 i ? ",\n" : "", i, i);
	buf_addc(&b, ']');
	path = unit_file(b.data, b.len);
	buf_reset(&seen);
	n_seen = 0;
	CHECK_OK(jobfile_read(path, on_job, NULL, &e), e);
	CHECK_INT_EQ(n_seen, 20000);
	CHECK_CONTAINS(buf_str(&seen),
		       "{\"name\":\"job \\\" 19999\",\"n\":[19999]}\n");
	buf_fini(&b);
}

static void a_job_beyond_a_megabyte_is_refused(void)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "{\"a\":\"");
	for (int i = 0; i < (1 << 20); i++)
		buf_addc(&b, 'x');
	buf_adds(&b, "\"}");
	CHECK_FAILS(read_text(buf_str(&b)), e, ERR_TOO_LARGE,
		    "f: job 1 (line 1) is larger than 1 MiB");
	buf_fini(&b);
}

static void a_file_that_is_not_there_is_named(void)
{
	CHECK_FAILS(jobfile_read(unit_path("none"), on_job, NULL, &e), e,
		    ERR_IO, "No such file");
}

static void parts_are_bounded_and_whole(void)
{
	struct parts *p = parts_new(40, 3);
	struct buf b = BUF_INIT;
	char text[32];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "{\"n\":%d}", i);
		CHECK_OK(parts_add(p, text, strlen(text), &e), e);
	}
	CHECK_INT_EQ(parts_jobs(p), 10);
	CHECK_UINT_EQ(parts_n(p), 4);
	CHECK_OK(parts_read(p, 0, &b, &e), e);
	CHECK_STR_EQ(buf_str(&b), "[{\"n\":0},{\"n\":1},{\"n\":2}]");
	CHECK_OK(parts_read(p, 2, &b, &e), e);
	CHECK_STR_EQ(buf_str(&b), "[{\"n\":6},{\"n\":7},{\"n\":8}]");
	CHECK_OK(parts_read(p, 3, &b, &e), e);
	CHECK_STR_EQ(buf_str(&b), "[{\"n\":9}]");
	CHECK_INT_EQ(parts_jobs_of(p, 0), 3);
	CHECK_INT_EQ(parts_jobs_of(p, 3), 1);
	buf_fini(&b);
	parts_free(p);
}

static void parts_end_before_they_are_too_long(void)
{
	struct parts *p = parts_new(20, 100);
	struct buf b = BUF_INIT;

	for (int i = 0; i < 4; i++)
		CHECK_OK(parts_add(p, "{\"n\":1}", 7, &e), e);
	CHECK_UINT_EQ(parts_n(p), 2);
	for (size_t i = 0; i < parts_n(p); i++) {
		CHECK_OK(parts_read(p, i, &b, &e), e);
		CHECK_TRUE(b.len <= 20);
	}
	buf_fini(&b);
	parts_free(p);
}

static const struct unit_test tests[] = {
	{ "a list gives its jobs", a_list_gives_its_jobs },
	{ "one object is one job", one_object_is_one_job },
	{ "objects may follow each other", objects_may_follow_each_other },
	{ "other documents are refused with a sentence",
	  other_documents_are_refused_with_a_sentence },
	{ "faults are placed in the file", faults_are_placed_in_the_file },
	{ "a file is read in pieces", a_file_is_read_in_pieces },
	{ "a job beyond a megabyte is refused",
	  a_job_beyond_a_megabyte_is_refused },
	{ "a file that is not there is named",
	  a_file_that_is_not_there_is_named },
	{ "parts are bounded and whole", parts_are_bounded_and_whole },
	{ "parts end before they are too long",
	  parts_end_before_they_are_too_long },
};

int main(void)
{
	int status = unit_main("cli_jobfile", tests, UNIT_N(tests));

	buf_fini(&seen);
	return status;
}
