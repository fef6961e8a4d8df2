/* A payload finds its environment, its program and its files in place. */
#include "pilot/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/payload_kit.h"
#include "tests/unit/unit.h"

extern char **environ;

static char *run_output(const char *definition, int exit_code)
{
	struct kit_run r;
	char *out;

	kit_run(&r, definition);
	if (!CHECK_INT_EQ(r.end.exit_code, exit_code))
		fprintf(stderr, "# %s\n", r.reason);
	CHECK_TRUE(r.end.started);
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	kit_free(&r);
	return out;
}

static void check_output(const char *definition, const char *want)
{
	char *out = run_output(definition, 0);

	CHECK_STR_EQ(out, want);
	free(out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of text in order, joined again. */
static char *sorted(char *text)
{
	struct buf b = BUF_INIT;
	char *line[100] = { 0 }, *save = NULL, *p;
	size_t n = 0;

	for (p = strtok_r(text, "\n", &save); p && n < 100;
	     p = strtok_r(NULL, "\n", &save))
		line[n++] = p;
	qsort(line, n, sizeof(*line), by_text);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s\n", line[i]);
	return buf_take(&b);
}

static void environment_is_exact(void)
{
	static char *own[] = { (char *)"PATH=/usr/bin:/bin",
			       (char *)"A=pilot",
			       (char *)"B=pilot",
			       (char *)"SORTIE_JOIN_TOKEN=sj_secret",
			       (char *)"SORTIE_TOKEN=st_secret",
			       (char *)"SORTIE_INDEX=9",
			       (char *)"NOTIFY_SOCKET=/x",
			       (char *)"TMPDIR=/somewhere",
			       NULL };
	static char *site[] = { (char *)"B=site", (char *)"C=site",
				(char *)"D=site", NULL };
	char **saved = environ, *out, *lines, want[2048];
	struct kit_run r;

	kit_defaults();
	environ = own;
	kit_settings.site_env = site;
	kit_index = "4";
	kit_open();
	environ = saved;
	kit_run(&r, "{\"payload\":\"env\",\"env\":{\"D\":\"job\",\"E\":\"\","
		    "\"SORTIE_URL\":\"http://evil\"}}");
	CHECK_INT_EQ(r.end.exit_code, 0);
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	lines = sorted(out);
	snprintf(want, sizeof(want),
		 "A=pilot\nB=site\nC=site\nD=job\nE=\n"
		 "P3S_JOB_UUID=0192f0c1-1111-7000-8000-000000000001\n"
		 "P3S_PILOT_UUID=%s\nP3S_SITE=CERN\nPATH=/usr/bin:/bin\n"
		 "SORTIE_INDEX=4\n"
		 "SORTIE_JOB_FILE=%s/slot-0/job.json\n"
		 "SORTIE_JOB_ID=0192f0c1-1111-7000-8000-000000000001\n"
		 "SORTIE_JOB_NAME=a job\nSORTIE_JOB_NUMBER=%lld\n"
		 "SORTIE_PILOT_ID=%s\nSORTIE_PROJECT=demo\nSORTIE_RUN=%s\n"
		 "SORTIE_TOKEN=sr_secret\nSORTIE_URL=unix:/run/sortie.sock\n"
		 "TMPDIR=/somewhere\n",
		 kit_settings.pilot_id, kit_settings.spool,
		 (long long)payload_grant(r.p)->job, kit_settings.pilot_id,
		 payload_grant(r.p)->run);
	CHECK_STR_EQ(lines, want);
	free(lines);
	free(out);
	kit_free(&r);
	kit_close();
}

static void job_file_tells_the_job(void)
{
	char *out;

	kit_defaults();
	kit_index = "3";
	kit_open();
	out = run_output("{\"shell\":\"cat \\\"$SORTIE_JOB_FILE\\\"; stat -c %a"
			 " \\\"$SORTIE_JOB_FILE\\\"\",\"tags\":{\"a\":\"b\"},"
			 "\"config\":[1,null]}",
			 0);
	CHECK_CONTAINS(out, "\"tags\":{\"a\":\"b\"}");
	CHECK_CONTAINS(out, "\"config\":[1,null]");
	CHECK_CONTAINS(out, "\"attempt\":2,\"index\":3,");
	CHECK_CONTAINS(out, "\"project\":\"demo\"}\n600\n");
	free(out);
	kit_close();
}

static void words_and_args_arrive_as_they_are(void)
{
	kit_defaults();
	kit_open();
	check_output("{\"payload\":\"printf '[%s]' 'a b' $HOME *\","
		     "\"args\":[\"\",\"c\\nd\"]}",
		     "[a b][$HOME][*][][c\nd]");
	check_output("{\"argv\":[\"printf\",\"[%s]\",\"a b\"],"
		     "\"args\":[\"$x\"]}",
		     "[a b][$x]");
	check_output("{\"shell\":\"printf '[%s]' \\\"$@\\\" | cat\","
		     "\"args\":[\"a b\",\"c\"]}",
		     "[a b][c]");
	check_output("{\"payload\":\"x='a  b'; echo \\\"$x\\\" | tr a-z A-Z\","
		     "\"env\":{\"P3S_EXECMODE\":\"SHELL\"}}",
		     "A  B\n");
	check_output("{\"payload\":\"printf '[%s]'\",\"args\":[\"a b\"],"
		     "\"env\":{\"P3S_EXECMODE\":\"SHELL\"}}",
		     "[a b]");
	kit_close();
}

static void program_is_searched_in_the_payloads_own_path(void)
{
	char dir[512], path[600], def[1024];
	FILE *f;

	snprintf(dir, sizeof(dir), "%s", unit_path("bin dir"));
	REQUIRE(mkdir(dir, 0700) == 0);
	snprintf(path, sizeof(path), "%s/mine", dir);
	f = fopen(path, "we");
	REQUIRE(f != NULL);
	fputs("#!/bin/sh\necho mine $0 \"$@\"\n", f);
	fclose(f);
	REQUIRE(chmod(path, 0755) == 0);
	kit_defaults();
	kit_open();
	snprintf(def, sizeof(def),
		 "{\"payload\":\"mine x\",\"env\":{\"PATH\":"
		 "\"/none:%s:/bin\"}}",
		 dir);
	snprintf(path, sizeof(path), "mine %s/mine x\n", dir);
	check_output(def, path);
	snprintf(def, sizeof(def),
		 "{\"payload\":\"mine x\",\"cwd\":\"%s\","
		 "\"env\":{\"PATH\":\".:/bin\"}}",
		 dir);
	snprintf(path, sizeof(path), "mine %s/./mine x\n", dir);
	check_output(def, path);
	kit_close();
}

static void copy_mode_runs_a_copy(void)
{
	const char *text = "#!/bin/sh\nrm -f \"$ORIGINAL\"\necho \"$0\" $1\n";
	char path[512], def[1200], *out;

	kit_defaults();
	kit_open();
	for (int shell = 0; shell < 2; shell++) {
		snprintf(path, sizeof(path), "%s",
			 unit_file(text, strlen(text)));
		REQUIRE(chmod(path, 0755) == 0);
		snprintf(def, sizeof(def),
			 "{\"payload\":\"%s one%s\","
			 "\"env\":{\"P3S_MODE\":\"COPY\"%s,"
			 "\"ORIGINAL\":\"%s\"}}",
			 path, shell ? " | cat" : "",
			 shell ? ",\"P3S_EXECMODE\":\"1\"" : "", path);
		out = run_output(def, 0);
		CHECK_CONTAINS(out, kit_settings.spool);
		CHECK_CONTAINS(out, "/copy-");
		CHECK_CONTAINS(out, " one\n");
		CHECK_TRUE(access(path, F_OK) != 0);
		free(out);
	}
	kit_close();
}

static void working_directory_is_fresh_or_the_jobs(void)
{
	char want[600];

	kit_defaults();
	kit_open();
	snprintf(want, sizeof(want), "%s/slot-0/work\n", kit_settings.spool);
	check_output("{\"shell\":\"pwd; ls -A\"}", want);
	check_output("{\"payload\":\"pwd\",\"cwd\":\"/usr\"}", "/usr\n");
	kit_close();
}

static void files_sent_lie_in_the_working_directory(void)
{
	const char *files[2];
	struct kit_run r;
	char *out;

	files[0] = unit_file("#!/bin/sh\ncat data/in.txt\n", 27);
	files[1] = unit_file("con\0tents", 9);
	kit_defaults();
	kit_open();
	kit_start(&r,
		  "{\"payload\":\"./run.sh\",\"send\":[{\"name\":\"run.sh\","
		  "\"mode\":\"0755\"},{\"name\":\"data/in.txt\"}]}",
		  files);
	REQUIRE(kit_wait(&r.ended));
	CHECK_INT_EQ(r.end.exit_code, 0);
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	CHECK_MEM_EQ(out, "con\0tents", 9);
	free(out);
	kit_free(&r);
	kit_close();
}

static void files_sent_never_leave_the_working_directory(void)
{
	static const char *const names[] = { "../escape",
					     "a/../../escape",
					     "/etc/escape",
					     "link/escape",
					     "a//b",
					     "",
					     "." };
	const char *file = unit_file("x", 1);
	char cwd[512], link[600], def[1200];

	snprintf(cwd, sizeof(cwd), "%s", unit_path("cwd"));
	REQUIRE(mkdir(cwd, 0700) == 0);
	snprintf(link, sizeof(link), "%s/link", cwd);
	REQUIRE(symlink("/tmp", link) == 0);
	kit_defaults();
	kit_open();
	for (size_t i = 0; i < UNIT_N(names); i++) {
		struct kit_run r;

		snprintf(def, sizeof(def),
			 "{\"payload\":\"true\",\"cwd\":\"%s\""
			 ",\"send\":[{\"name\":\"%s\"}]}",
			 cwd, names[i]);
		kit_start(&r, def, &file);
		REQUIRE(kit_wait(&r.ended));
		CHECK_FALSE(r.end.started);
		CHECK_CONTAINS(r.reason, "cannot put");
		kit_free(&r);
	}
	CHECK_TRUE(access("/tmp/escape", F_OK) != 0);
	kit_close();
}

static void failed_runs_directory_is_kept_for_a_while(void)
{
	char path[600];
	struct kit_run r;

	kit_defaults();
	kit_settings.keep_failed_s = 3600;
	kit_open();
	kit_run(&r, "{\"shell\":\"echo x >result; exit 2\"}");
	snprintf(path, sizeof(path), "%s/run-%s/work/result",
		 kit_settings.spool, payload_grant(r.p)->run);
	kit_free(&r);
	CHECK_INT_EQ(access(path, F_OK), 0);
	payload_host_sweep(kit_host);
	CHECK_INT_EQ(access(path, F_OK), 0);
	kit_close();
	kit_settings.keep_failed_s = 0;
	kit_open();
	payload_host_sweep(kit_host);
	CHECK_TRUE(access(path, F_OK) != 0);
	kit_close();
}

static void whatever_a_payload_leaves_is_removed(void)
{
	struct kit_run r;

	kit_defaults();
	kit_open();
	kit_run(&r, "{\"shell\":\"mkdir -p a/b c && touch a/b/f c/g && "
		    "ln -s /etc c/link && mkfifo p && chmod 0 a c && "
		    "i=0; while [ $i -lt 100 ]; do mkdir d && cd d || exit 1; "
		    "i=$((i+1)); done; touch deep; "
		    "cd \\\"$(dirname $SORTIE_JOB_FILE)/work\\\" && "
		    "seq -f f%g 3000 | xargs touch\"}");
	CHECK_INT_EQ(r.end.exit_code, 0);
	kit_free(&r);
	CHECK_INT_EQ(access("/etc/passwd", F_OK), 0);
	kit_close();
}

static const struct unit_test tests[] = {
	{ "the environment is exact", environment_is_exact },
	{ "the job file tells the job", job_file_tells_the_job },
	{ "words and args arrive as they are",
	  words_and_args_arrive_as_they_are },
	{ "the program is searched in the payload's own path",
	  program_is_searched_in_the_payloads_own_path },
	{ "copy mode runs a copy", copy_mode_runs_a_copy },
	{ "the working directory is fresh or the job's",
	  working_directory_is_fresh_or_the_jobs },
	{ "files sent lie in the working directory",
	  files_sent_lie_in_the_working_directory },
	{ "files sent never leave the working directory",
	  files_sent_never_leave_the_working_directory },
	{ "a failed run's directory is kept for a while",
	  failed_runs_directory_is_kept_for_a_while },
	{ "whatever a payload leaves is removed",
	  whatever_a_payload_leaves_is_removed },
};

int main(void)
{
	return unit_main("payload_place", tests, UNIT_N(tests));
}
