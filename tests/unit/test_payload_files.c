/* What a job declares to read and to write is told, looked for and measured. */
#include "pilot/runfiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/buf.h"
#include "pilot/ending.h"
#include "tests/unit/payload_kit.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/sortie-files.XXXXXX";

static void open_kit(void)
{
	kit_defaults();
	kit_open();
}

/* A folder of the test's is written @. */
static void expand(struct buf *b, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '@')
			buf_adds(b, dir);
		else
			buf_addc(b, *c);
	}
}

static void run(struct kit_run *r, const char *text, bool wait)
{
	struct buf b = BUF_INIT;

	expand(&b, text);
	kit_start(r, buf_str(&b), NULL);
	if (wait)
		CHECK_TRUE(kit_wait(&r->ended));
	buf_fini(&b);
}

static void ends(const char *text, bool started, const char *reason)
{
	struct kit_run r;
	struct buf want = BUF_INIT;

	expand(&want, reason);
	run(&r, text, true);
	CHECK_INT_EQ(r.end.started, started);
	CHECK_STR_EQ(r.reason, buf_str(&want));
	buf_fini(&want);
	kit_free(&r);
}

static void tags_reach_the_payload(void)
{
	struct kit_run r;
	char *out;

	open_kit();
	run(&r,
	    "{\"shell\":\"echo $IN $OUT $A $SORTIE_PROJECT $N\","
	    "\"env\":{\"IN\":\"job\",\"A\":\"job\",\"N\":\"job\"},"
	    "\"inputs\":[{\"path\":\"in.txt\",\"tag\":\"IN\",\"check\":false},"
	    "{\"path\":\"x://y\",\"tag\":\"SORTIE_PROJECT\"}],"
	    "\"outputs\":[{\"path\":\"s3://b/k\",\"tag\":\"OUT\"},"
	    "{\"path\":\"/n\",\"tag\":\"N\",\"optional\":true}]}",
	    true);
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	CHECK_STR_EQ(out, "in.txt s3://b/k job demo /n\n");
	CHECK_STR_EQ(r.reason, "");
	free(out);
	kit_free(&r);
	run(&r,
	    "{\"shell\":\"echo $IN $P3S_INPUT_FILE $U\",\"env\":{"
	    "\"P3S_INPUT_FILE\":\"file:///%61%FFb\",\"U\":\"file:///%61\"},"
	    "\"inputs\":[{\"path\":\"file:///%64ev/nul%6c\",\"tag\":\"IN\"}]}",
	    true);
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	CHECK_STR_EQ(out, "/dev/null /a\xff"
			  "b file:///%61\n");
	CHECK_STR_EQ(r.reason, "");
	free(out);
	kit_free(&r);
	ends("{\"argv\":[\"true\"],\"inputs\":[\"file:///n%20o\"]}", false,
	     "input missing: file:///n%20o");
	ends("{\"argv\":[\"true\"],\"inputs\":[{\"path\":\"/\",\"tag\":"
	     "\"A=B\"}]}",
	     false,
	     "nonstarter: the tag 'A=B' of '/' cannot be a variable's name");
	kit_close();
}

static bool is_own_fault(const char *text)
{
	struct kit_run r;
	bool own;

	run(&r, text, true);
	CHECK_FALSE(r.end.started);
	own = r.end.own_fault;
	kit_free(&r);
	return own;
}

static void missing_input_is_not_started(void)
{
	struct kit_run r;

	open_kit();
	ends("{\"argv\":[\"true\"],\"inputs\":[\"@/none\"]}", false,
	     "input missing: @/none");
	ends("{\"argv\":[\"true\"],\"inputs\":[\"/\",\"@/no/ne\",\"@/2\"]}",
	     false, "input missing: @/no/ne (and 1 more)");
	ends("{\"argv\":[\"true\"],\"inputs\":[\"none\"]}", false,
	     "input missing: none");
	ends("{\"argv\":[\"true\"],\"inputs\":[\"http://none/x\","
	     "{\"path\":\"@/none\",\"check\":false}]}",
	     true, "");
	/* Where the folder is, the host is not to blame. */
	CHECK_TRUE(is_own_fault("{\"argv\":[\"true\"],\"inputs\":"
				"[\"@/none\"]}"));
	CHECK_FALSE(is_own_fault("{\"argv\":[\"true\"],\"inputs\":"
				 "[\"@/none\",\"@/no/ne\"]}"));
	CHECK_TRUE(is_own_fault("{\"argv\":[\"true\"],\"inputs\":[\"x\"]}"));
	run(&r, "{\"argv\":[\"false\"],\"inputs\":[\"@\"]}", true);
	CHECK_TRUE(r.end.started);
	CHECK_FALSE(r.end.own_fault);
	kit_free(&r);
	kit_close();
}

static void missing_output_fails_a_good_end(void)
{
	open_kit();
	ends("{\"argv\":[\"true\"],\"outputs\":[\"@/none\"]}", true,
	     "output missing: @/none");
	ends("{\"argv\":[\"true\"],\"outputs\":[\"none\",\"2\"]}", true,
	     "output missing: none (and 1 more)");
	ends("{\"argv\":[\"false\"],\"outputs\":[\"none\"]}", true, "");
	ends("{\"shell\":\"echo a >b; :\",\"outputs\":[\"b\","
	     "{\"path\":\"c\",\"optional\":true},\"x-y://z\"]}",
	     true, "");
	ends("{\"shell\":\"echo a >b; :\",\"cwd\":\"@\",\"outputs\":[\"b\","
	     "\"@/b\"]}",
	     true, "");
	kit_close();
}

static void size_and_checksum_are_taken(void)
{
	const struct runfiles *f;
	struct kit_run r;

	open_kit();
	run(&r,
	    "{\"shell\":\"printf abc >a; mkdir d; ln -s a l; :\",\"outputs\":["
	    "{\"path\":\"a\",\"sha256\":true},\"d\","
	    "\"l\","
	    "{\"path\":\"o\",\"optional\":true,\"sha256\":true}],"
	    "\"inputs\":[\"/etc/passwd\"]}",
	    true);
	f = payload_files(r.p);
	CHECK_STR_EQ(r.reason, "");
	CHECK_TRUE(f->written);
	CHECK_TRUE(f->in[0].found && f->in[0].size > 0);
	CHECK_STR_EQ(f->out[0].sha256, "ba7816bf8f01cfea414140de5dae2223"
				       "b00361a396177a9cb410ff61f20015ad");
	CHECK_INT_EQ(f->out[0].size, 3);
	CHECK_INT_EQ(f->out[1].size, -1);
	CHECK_INT_EQ(f->out[2].size, 3);
	CHECK_STR_EQ(f->out[2].sha256, "");
	CHECK_FALSE(f->out[3].found);
	kit_free(&r);
	ends("{\"shell\":\"mkdir d; :\",\"outputs\":[{\"path\":\"d\","
	     "\"sha256\":true}]}",
	     true, "output not readable: d: Is a directory");
	kit_close();
}

/* 64 GiB of nothing: minutes to hash, an instant to give up. */
static const char large[] = "{\"shell\":\"truncate -s 64G a; :\",\"outputs\":["
			    "{\"path\":\"a\",\"sha256\":true}]}";

static bool is_hashing(void *arg)
{
	struct kit_run *r = arg;

	return !payload_running(r->p);
}

static void hashing_is_given_up(enum payload_why why, int64_t grace_ms)
{
	struct kit_run r;

	open_kit();
	kit_timeout = "1";
	run(&r, large, false);
	CHECK_TRUE(kit_wait(&r.started));
	CHECK_TRUE(kit_wait_for(is_hashing, &r));
	CHECK_FALSE(r.ended);
	payload_kill(r.p, why, grace_ms);
	CHECK_TRUE(kit_wait(&r.ended));
	CHECK_INT_EQ(r.end.exit_code, 0);
	CHECK_INT_EQ(r.end.why == why, why == PAYLOAD_CANCEL);
	CHECK_STR_EQ(r.reason, "");
	CHECK_STR_EQ(payload_files(r.p)->out[0].sha256, "");
	kit_free(&r);
	kit_timeout = "0";
	kit_close();
}

static void hashing_ends_when_nobody_waits_for_it(void)
{
	hashing_is_given_up(PAYLOAD_CANCEL, -1);
	hashing_is_given_up(PAYLOAD_DRAIN, 50);
	hashing_is_given_up(PAYLOAD_STOP, 0);
}

/* The end of a run with n outputs, of which half are there, as a document;
 * numbers in their paths have that many digits. */
static struct json_object *told(struct arena *a, size_t n, int width,
				const char *state, size_t *len)
{
	struct buf def = BUF_INIT, end = BUF_INIT;
	struct ending e = { .state = state, .ran = true, .exited = true };
	struct err err = ERR_INIT;
	struct json_object *doc = NULL;
	struct kit_run k;
	struct run r = { .id = "0123456789abcdef", .job = 1 };

	buf_adds(&def, "{\"argv\":[\"true\"],\"outputs\":[");
	for (size_t i = 0; i < n; i++)
		buf_addf(&def, "%s{\"path\":\"%s/%0*zu.\",\"optional\":%s}",
			 i ? "," : "", i % 2 ? "" : "s3://b", width, i,
			 i % 2 ? "true" : "false");
	buf_adds(&def, "],\"inputs\":[{\"path\":\"/\"},"
		       "{\"path\":\"/etc\"}]}");
	kit_run(&k, buf_str(&def));
	r.payload = k.p;
	ending_write(&r, &e);
	ending_report(&end, &r, 0);
	*len = r.end_len;
	if (!CHECK_TRUE(json_parse(a, buf_str(&end), end.len, &doc, &err)))
		fprintf(stderr, "# %s\n", err.text);
	free(r.end);
	buf_fini(&end);
	buf_fini(&def);
	kit_free(&k);
	return doc;
}

static void end_tells_what_was_found(void)
{
	struct arena *a = arena_new();
	struct json_object *doc;
	size_t len;

	open_kit();
	doc = told(a, 4, 1, "finished", &len);
	CHECK_INT_EQ(json_len(json_get(doc, "outputs")), 2);
	CHECK_STR_EQ(json_get_str(json_at(json_get(doc, "outputs"), 1), "path"),
		     "s3://b/2.");
	CHECK_INT_EQ(json_len(json_get(doc, "inputs")), 2);
	CHECK_FALSE(json_get_bool(doc, "files_left_out"));
	doc = told(a, 4, 1, "failed", &len);
	CHECK_TRUE(json_get(doc, "outputs") == NULL);
	CHECK_INT_EQ(json_len(json_get(doc, "inputs")), 2);
	/* As many as the server takes, and outputs before inputs. */
	doc = told(a, 2200, 1, "finished", &len);
	CHECK_INT_EQ(json_len(json_get(doc, "outputs")), 1000);
	CHECK_INT_EQ(json_len(json_get(doc, "inputs")), 0);
	CHECK_TRUE(json_get_bool(doc, "files_left_out"));
	doc = told(a, 1900, 100, "finished", &len);
	CHECK_TRUE(len > 60000 && len < 65536);
	CHECK_TRUE(json_len(json_get(doc, "outputs")) > 400);
	CHECK_TRUE(json_get_bool(doc, "files_left_out"));
	arena_free(a);
	kit_close();
}

static const struct unit_test tests[] = {
	{ "tags reach the payload", tags_reach_the_payload },
	{ "a payload whose input is missing is not started",
	  missing_input_is_not_started },
	{ "a missing output fails a good end",
	  missing_output_fails_a_good_end },
	{ "size and checksum are taken", size_and_checksum_are_taken },
	{ "hashing ends when nobody waits for it",
	  hashing_ends_when_nobody_waits_for_it },
	{ "an end tells what was found", end_tells_what_was_found },
};

int main(void)
{
	int status;

	if (!mkdtemp(dir))
		return 99;
	status = unit_main("payload_files", tests, UNIT_N(tests));
	if (remove(dir) != 0) {
		char path[64];

		snprintf(path, sizeof(path), "%s/b", dir);
		(void)remove(path);
		(void)remove(dir);
	}
	return status;
}
