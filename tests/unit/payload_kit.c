/* Runs payloads for tests on a loop of their own. */
#include <dirent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "lib/clock.h"
#include "tests/unit/payload_kit.h"
#include "tests/unit/unit.h"

#define WAIT_MS 20000

struct payload_settings kit_settings;
struct payload_host *kit_host;
const char *kit_timeout = "0";
const char *kit_index = "null";

static unsigned n_runs, n_spools;

void kit_defaults(void)
{
	char name[32];

	snprintf(name, sizeof(name), "spool%u", n_spools++);
	memset(&kit_settings, 0, sizeof(kit_settings));
	kit_settings.spool = unit_path(name);
	REQUIRE(mkdir(kit_settings.spool, 0700) == 0);
	kit_settings.url = "unix:/run/sortie.sock";
	kit_settings.pilot_id = "0192f0c1-0000-7000-8000-00000000000a";
	kit_settings.site = "CERN";
	kit_settings.grace_ms = 10000;
	kit_settings.head_max = 1 << 20;
	kit_settings.tail_max = 1 << 20;
	kit_settings.spool_floor = 1;
	kit_timeout = "0";
	kit_index = "null";
}

void kit_open(void)
{
	struct err e = ERR_INIT;

	kit_settings.base = event_base_new();
	kit_host = payload_host_new(&kit_settings, &e);
	if (!kit_host)
		fprintf(stderr, "%s\n", e.text);
	REQUIRE(kit_host != NULL);
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

void kit_close(void)
{
	CHECK_INT_EQ(payload_host_live(kit_host), 0);
	payload_host_free(kit_host);
	event_base_free(kit_settings.base);
	if (!kit_settings.no_clean && kit_settings.keep_failed_s == 0)
		CHECK_INT_EQ(entries(kit_settings.spool), 0);
}

static void on_started(struct payload *p, void *arg)
{
	struct kit_run *r = arg;

	(void)p;
	CHECK_FALSE(r->started);
	CHECK_FALSE(r->ended);
	r->started = true;
}

static void on_output(struct payload *p, void *arg)
{
	struct kit_run *r = arg;

	(void)p;
	r->outputs++;
}

static void on_ended(struct payload *p, void *arg)
{
	struct kit_run *r = arg;

	CHECK_FALSE(r->ended);
	r->ended = true;
	r->end = *payload_end(p);
	snprintf(r->reason, sizeof(r->reason), "%s", r->end.reason);
	CHECK_TRUE(r->started == r->end.started);
	CHECK_FALSE(payload_running(p));
}

void kit_start(struct kit_run *r, const char *definition,
	       const char *const *files)
{
	struct arena *a = arena_new(), *reply = arena_new();
	struct err e = ERR_INIT;
	struct payload_grant g;
	struct json_object *o;
	char *text;
	bool ok;

	memset(r, 0, sizeof(*r));
	n_runs++;
	text = arena_printf(reply,
			    "{\"run\":\"%08x%08x\",\"job\":%u,\"id\":"
			    "\"0192f0c1-1111-7000-8000-000000000001\","
			    "\"attempt\":2,\"name\":\"a job\",\"project\":"
			    "\"demo\",\"owner\":\"ann\",\"jobtype\":\"type1\","
			    "\"token\":\"sr_secret\",\"timeout_s\":%s,"
			    "\"index\":%s,\"later\":1,\"definition\":%s}",
			    (unsigned)getpid(), n_runs, n_runs, kit_timeout,
			    kit_index, definition);
	ok = json_parse(reply, text, strlen(text), &o, &e) &&
	     payload_grant_read(a, o, &g, &e);
	if (!ok)
		fprintf(stderr, "%s\n", e.text);
	REQUIRE(ok);
	arena_free(reply);
	r->p = payload_start(kit_host, a, &g, files, on_started, on_output,
			     on_ended, r);
	CHECK_FALSE(r->started);
	CHECK_FALSE(r->ended);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	bool *late = arg;

	(void)fd;
	(void)what;
	*late = true;
}

bool kit_wait_for(bool (*done)(void *arg), void *arg)
{
	const struct timeval tv = { WAIT_MS / 1000, 0 };
	bool late = false;
	struct event *ev = evtimer_new(kit_settings.base, on_deadline, &late);

	evtimer_add(ev, &tv);
	while (!done(arg) && !late)
		event_base_loop(kit_settings.base, EVLOOP_ONCE);
	event_free(ev);
	return CHECK_FALSE(late);
}

static bool is_set(void *arg)
{
	return *(bool *)arg;
}

bool kit_wait(const bool *flag)
{
	return kit_wait_for(is_set, (void *)(uintptr_t)flag);
}

struct grown {
	struct kit_run *r;
	enum payload_stream s;
	int64_t size;
};

static bool has_grown(void *arg)
{
	struct grown *g = arg;

	return payload_output_size(g->r->p, g->s) >= g->size;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

bool kit_wait_output(struct kit_run *r, enum payload_stream s, int64_t size)
{
	struct grown g = { r, s, size };
	const struct timeval often = { 0, 2000 };
	struct event *ev =
		event_new(kit_settings.base, -1, EV_PERSIST, on_look, NULL);
	bool ok;

	event_add(ev, &often);
	ok = kit_wait_for(has_grown, &g);
	event_free(ev);
	return ok;
}

void kit_run(struct kit_run *r, const char *definition)
{
	kit_start(r, definition, NULL);
	REQUIRE(kit_wait(&r->ended));
}

char *kit_output(struct kit_run *r, enum payload_stream s, int64_t *len)
{
	struct buf b = BUF_INIT;
	int64_t offset = 0, n;
	char piece[8192];

	while ((n = payload_output_read(r->p, s, &offset, piece,
					sizeof(piece))) > 0) {
		buf_add(&b, piece, (size_t)n);
		offset += n;
	}
	CHECK_INT_EQ(n, 0);
	if (len)
		*len = (int64_t)b.len;
	buf_add(&b, "", 0);
	return buf_take(&b);
}

void kit_free(struct kit_run *r)
{
	payload_free(r->p);
	r->freed = true;
}

static bool is_gone(int pid)
{
	char path[64], text[256];
	const char *p;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	return !p || p[2] == 'Z' || p[2] == 'X';
}

bool kit_dies(int pid)
{
	int64_t deadline = clock_mono_ms() + 10000;
	const struct timespec pause = { 0, 2000000 };

	while (!is_gone(pid) && clock_mono_ms() < deadline)
		nanosleep(&pause, NULL);
	return is_gone(pid);
}

int kit_open_descriptors(void)
{
	return entries("/proc/self/fd") - 1;
}

bool kit_valgrind_keeps(const char *what)
{
	const char *preload = getenv("LD_PRELOAD");

	if (!preload || !strstr(preload, "valgrind"))
		return false;
	printf("# skipped: valgrind keeps %s to itself\n", what);
	return true;
}
