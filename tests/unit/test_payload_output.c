/* A payload's output is captured byte for byte, bounded, and searched. */
#include "pilot/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <event2/event.h>
#include "pilot/meta.h"
#include "tests/unit/payload_kit.h"
#include "tests/unit/unit.h"

static void binary_output_survives_byte_for_byte(void)
{
	char path[256], def[1024], *file, *out;
	struct kit_run r;
	int64_t len;

	file = malloc(300000);
	REQUIRE(file != NULL);
	for (size_t i = 0; i < 300000; i++)
		file[i] = (char)(i * 7 + i / 256);
	snprintf(path, sizeof(path), "%s", unit_file(file, 300000));
	snprintf(def, sizeof(def), "{\"shell\":\"cat '%s'; cat '%s' >&2\"}",
		 path, path);
	kit_defaults();
	kit_open();
	kit_run(&r, def);
	for (int s = 0; s < 2; s++) {
		out = kit_output(&r, s ? PAYLOAD_STDERR : PAYLOAD_STDOUT, &len);
		if (CHECK_INT_EQ(len, 300000))
			CHECK_MEM_EQ(out, file, 300000);
		free(out);
	}
	CHECK_INT_EQ(payload_output_size(r.p, PAYLOAD_STDERR), 300000);
	kit_free(&r);
	free(file);
	kit_close();
}

static void long_stream_keeps_head_and_tail_only(void)
{
	struct kit_run r;
	struct stat st;
	char path[600], *out;
	int64_t len;

	kit_defaults();
	kit_settings.head_max = 10000;
	kit_settings.tail_max = 20000;
	kit_settings.keep_failed_s = 3600;
	kit_open();
	kit_run(&r, "{\"shell\":\"seq -w 0 4999999; exit 1\"}");
	CHECK_INT_EQ(payload_output_size(r.p, PAYLOAD_STDOUT), 40000000);
	out = kit_output(&r, PAYLOAD_STDOUT, &len);
	CHECK_INT_EQ(len, 30000);
	CHECK_MEM_EQ(out, "0000000\n0000001\n", 16);
	CHECK_MEM_EQ(out + len - 8, "4999999\n", 8);
	free(out);
	snprintf(path, sizeof(path), "%s/run-%s/stdout", kit_settings.spool,
		 payload_grant(r.p)->run);
	kit_free(&r);
	if (CHECK_INT_EQ(stat(path, &st), 0))
		CHECK_TRUE(st.st_blocks * 512 < (10 << 20));
	kit_close();
}

static void growth_is_told_while_the_payload_runs(void)
{
	struct kit_run r;

	kit_defaults();
	kit_open();
	kit_start(&r, "{\"shell\":\"echo one; sleep 1000\"}", NULL);
	REQUIRE(kit_wait_output(&r, PAYLOAD_STDOUT, 4));
	while (r.outputs == 0)
		event_base_loop(kit_settings.base, EVLOOP_ONCE);
	payload_kill(r.p, PAYLOAD_CANCEL, 0);
	REQUIRE(kit_wait(&r.ended));
	CHECK_INT_EQ(r.outputs, 1);
	kit_free(&r);
	kit_close();
}

static void meta_lines_are_found_before_anything_is_left_out(void)
{
	struct kit_run r;
	char *const *line;
	size_t n;

	kit_defaults();
	kit_settings.head_max = 100;
	kit_settings.tail_max = 100;
	kit_open();
	kit_run(&r, "{\"shell\":\"echo meta: name=a age=4; seq 3000000; "
		    "echo 'no meta: here'; echo meta:second; seq 3000000; "
		    "printf 'meta: last without newline'\"}");
	line = payload_meta(r.p, &n);
	if (CHECK_UINT_EQ(n, 3)) {
		CHECK_STR_EQ(line[0], "name=a age=4");
		CHECK_STR_EQ(line[1], "second");
		CHECK_STR_EQ(line[2], "last without newline");
	}
	kit_free(&r);
	kit_close();
}

static void meta_is_found_however_it_is_cut(void)
{
	static const char text[] = "meta: a\nmetal\n meta: no\nmeta:b \r\n"
				   "\nmeta:\nmet\nmeta: c";

	for (size_t cut = 1; cut < sizeof(text); cut++) {
		struct meta_list l = { NULL, 0, 0, false };
		struct meta_scan s = { META_PREFIX, 0, NULL, 0 };

		for (size_t at = 0; at < sizeof(text) - 1; at += cut) {
			size_t n = sizeof(text) - 1 - at;

			meta_feed(&s, &l, text + at, n < cut ? n : cut);
		}
		meta_end(&s, &l);
		if (CHECK_UINT_EQ(l.n, 3)) {
			CHECK_STR_EQ(l.line[0], "a");
			CHECK_STR_EQ(l.line[1], "b");
			CHECK_STR_EQ(l.line[2], "c");
		}
		meta_list_fini(&l);
	}
}

static void meta_has_bounds(void)
{
	struct meta_list l = { NULL, 0, 0, false };
	struct meta_scan s = { META_PREFIX, 0, NULL, 0 };
	char big[8192];

	memset(big, 'x', sizeof(big));
	meta_feed(&s, &l, "meta:", 5);
	meta_feed(&s, &l, big, sizeof(big));
	meta_feed(&s, &l, "\nmeta: nul\0l\n", 13);
	for (int i = 0; i < META_LINES_MAX + 5; i++)
		meta_feed(&s, &l, "meta: y\n", 8);
	meta_end(&s, &l);
	CHECK_UINT_EQ(l.n, META_LINES_MAX);
	CHECK_TRUE(l.more);
	CHECK_UINT_EQ(strlen(l.line[0]), META_LINE_MAX);
	CHECK_STR_EQ(l.line[1], "y");
	meta_list_fini(&l);
}

static void truncated_output_is_read_from_its_start(void)
{
	struct kit_run r;
	char *out;

	kit_defaults();
	kit_open();
	kit_run(&r, "{\"shell\":\"echo a long first line; : >/dev/stdout; "
		    "echo two\"}");
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	CHECK_STR_EQ(out, "two\n");
	free(out);
	kit_free(&r);
	kit_close();
}

/* Runs fn on a spool of 8 MiB; false = not possible here. */
static void on_small_disk(void (*fn)(void))
{
	kit_defaults();
	if (mount("none", kit_settings.spool, "tmpfs", 0, "size=8m") != 0) {
		puts("# skipped: no permission to mount a small file system");
		return;
	}
	fn();
	CHECK_INT_EQ(umount(kit_settings.spool), 0);
}

static void fill_by_output(void)
{
	struct kit_run r;

	kit_settings.spool_floor = 4 << 20;
	kit_settings.keep_failed_s = 3600;
	kit_settings.head_max = kit_settings.tail_max = 64 << 20;
	kit_open();
	kit_start(&r,
		  "{\"shell\":\"head -c 5000000 /dev/zero; "
		  "sleep 1000\"}",
		  NULL);
	REQUIRE(kit_wait(&r.ended));
	CHECK_INT_EQ(r.end.why, PAYLOAD_NO_SPACE);
	CHECK_CONTAINS(r.reason, "disk full");
	kit_free(&r);
	kit_run(&r, "{\"payload\":\"true\"}");
	CHECK_INT_EQ(r.end.exit_code, 0);
	kit_free(&r);
	kit_run(&r, "{\"shell\":\"cat /dev/zero >big\"}");
	CHECK_CONTAINS(r.reason, "disk full");
	kit_free(&r);
	kit_run(&r, "{\"payload\":\"true\"}");
	CHECK_INT_EQ(r.end.exit_code, 0);
	kit_free(&r);
	kit_close();
}

static void fill_wholly(void)
{
	char path[600], piece[4096];
	struct kit_run r;
	FILE *f;

	kit_open();
	snprintf(path, sizeof(path), "%s/ballast", kit_settings.spool);
	f = fopen(path, "we");
	REQUIRE(f != NULL);
	memset(piece, 1, sizeof(piece));
	setvbuf(f, NULL, _IONBF, 0);
	while (fwrite(piece, 1, sizeof(piece), f) == sizeof(piece))
		;
	fclose(f);
	kit_run(&r, "{\"payload\":\"true\"}");
	CHECK_FALSE(r.end.started);
	CHECK_CONTAINS(r.reason, "disk full: no room for a working directory");
	kit_free(&r);
	CHECK_INT_EQ(unlink(path), 0);
	kit_run(&r, "{\"payload\":\"true\"}");
	CHECK_TRUE(r.end.started);
	kit_free(&r);
	kit_close();
}

static void full_disk_ends_the_largest_writer(void)
{
	on_small_disk(fill_by_output);
}

static void start_on_a_full_disk_is_a_nonstarter(void)
{
	on_small_disk(fill_wholly);
}

static const struct unit_test tests[] = {
	{ "binary output survives byte for byte",
	  binary_output_survives_byte_for_byte },
	{ "a long stream keeps head and tail only",
	  long_stream_keeps_head_and_tail_only },
	{ "growth is told while the payload runs",
	  growth_is_told_while_the_payload_runs },
	{ "meta lines are found before anything is left out",
	  meta_lines_are_found_before_anything_is_left_out },
	{ "meta is found however it is cut", meta_is_found_however_it_is_cut },
	{ "meta has bounds", meta_has_bounds },
	{ "truncated output is read from its start",
	  truncated_output_is_read_from_its_start },
	{ "a full disk ends the largest writer",
	  full_disk_ends_the_largest_writer },
	{ "a start on a full disk is a nonstarter",
	  start_on_a_full_disk_is_a_nonstarter },
};

int main(void)
{
	return unit_main("payload_output", tests, UNIT_N(tests));
}
