/* The injector sees every file that comes, once, and tells it exactly. */
#include "clients/inject_watch.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "clients/inject_file.h"
#include "clients/inject_order.h"
#include "clients/inject_table.h"
#include "lib/arena.h"
#include "tests/unit/unit.h"

static char root[] = "/tmp/sortie-inject.XXXXXX";

static char *at(const char *name)
{
	static char path[8][512];
	static int n;

	n = (n + 1) % 8;
	snprintf(path[n], sizeof(path[n]), "%s/%s", root, name);
	return path[n];
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "w");

	REQUIRE(f != NULL);
	fputs(text, f);
	fclose(f);
}

static void clean(void)
{
	char *command = xasprintf("rm -rf %s/* %s/.[a-z]*", root, root);

	CHECK_INT_EQ(system(command), 0);
	free(command);
}

static void check_text(const char *path, const char *want)
{
	struct buf b = BUF_INIT, back = BUF_INIT;

	CHECK_INT_EQ(inject_text(&b, path), strcmp(path, want) == 0);
	CHECK_STR_EQ(buf_str(&b), want);
	inject_untext(&back, buf_str(&b));
	CHECK_STR_EQ(buf_str(&back), path);
	buf_fini(&b);
	buf_fini(&back);
}

static void paths_are_told_as_text(void)
{
	check_text("/d/a b", "/d/a b");
	check_text("/d/\xc3\xa9%41", "/d/\xc3\xa9%41");
	check_text("/d/a\nb", "file:///d/a%0Ab");
	check_text("/d/\xff b%41", "file:///d/%FF%20b%2541");
	check_text("/\x7f", "file:///%7F");
}

static void patterns_want_names(void)
{
	static const char *const none[] = { NULL };
	static const char *const some[] = { "*.root", ".keep*", NULL };

	CHECK_TRUE(inject_wanted(none, "a"));
	CHECK_FALSE(inject_wanted(none, ".a"));
	CHECK_TRUE(inject_wanted(some, "a.root"));
	CHECK_FALSE(inject_wanted(some, ".a.root"));
	CHECK_TRUE(inject_wanted(some, ".keeper"));
	CHECK_FALSE(inject_wanted(some, "a.txt"));
}

static void looks_tell_what_a_file_is(void)
{
	struct inject_look l;
	int fd;

	put("f", "four");
	CHECK_INT_EQ(symlink("f", at("l")), 0);
	CHECK_INT_EQ(symlink("none", at("dead")), 0);
	CHECK_TRUE(inject_look(at("f"), false, &l));
	CHECK_INT_EQ(l.size, 4);
	CHECK_FALSE(l.link);
	CHECK_FALSE(inject_look(at("l"), false, &l));
	CHECK_TRUE(inject_look(at("l"), true, &l));
	CHECK_TRUE(l.link);
	CHECK_FALSE(inject_look(at("dead"), true, &l));
	CHECK_FALSE(inject_look(root, true, &l));
	CHECK_FALSE(inject_busy(at("f")));
	fd = open(at("f"), O_WRONLY | O_APPEND);
	CHECK_TRUE(inject_busy(at("f")));
	close(fd);
	CHECK_FALSE(inject_busy(at("f")));
	clean();
}

static void count(struct inject_file *f, void *arg)
{
	(void)f;
	++*(size_t *)arg;
}

static void table_keeps_order_and_paths(void)
{
	struct inject_table *t = inject_table_new();
	struct inject_file *f;
	char path[32];
	size_t n = 0;

	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "/d/%d", i);
		f = inject_add(t, path);
		f->version = i;
	}
	CHECK_INT_EQ(inject_count(t, INJECT_SETTLING), 10000);
	for (int i = 0; i < 10000; i += 2) {
		snprintf(path, sizeof(path), "/d/%d", i);
		f = inject_find(t, path);
		if (!CHECK_INT_EQ(f ? f->version : -1, i))
			break;
		inject_move(t, f, i % 4 ? INJECT_READY : INJECT_TOLD);
	}
	CHECK_INT_EQ(inject_first(t, INJECT_SETTLING)->version, 1);
	CHECK_INT_EQ(inject_first(t, INJECT_READY)->version, 2);
	inject_move(t, inject_first(t, INJECT_READY), INJECT_READY);
	CHECK_INT_EQ(inject_first(t, INJECT_READY)->version, 6);
	inject_remove(t, inject_first(t, INJECT_TOLD));
	CHECK_TRUE(inject_find(t, "/d/0") == NULL);
	CHECK_INT_EQ(inject_count(t, INJECT_TOLD), 2499);
	inject_each(t, count, &n);
	CHECK_INT_EQ(n, 9999);
	inject_table_free(t);
}

/* What the watch told, one word an event. */
struct told {
	struct event_base *base;
	struct inject_watch *watch;
	struct buf news;
	bool blind;
};

static void add(struct told *t, const char *word, const char *path)
{
	if (t->news.len)
		buf_addc(&t->news, ' ');
	buf_addf(&t->news, "%s:%s", word,
		 strlen(path) > strlen(root) ? path + strlen(root) + 1 : ".");
}

static void on_file(const char *path, enum inject_news news, bool blind,
		    void *arg)
{
	static const char *const words[] = { "found", "written", "closed",
					     "moved" };
	struct told *t = arg;

	t->blind |= blind;
	/* A write may be one event or several. */
	if (news != INJECT_WRITTEN)
		add(t, words[news], path);
}

static void on_gone(const char *path, void *arg)
{
	add(arg, "gone", path);
}

static void on_dir_gone(const char *path, void *arg)
{
	add(arg, "dir-gone", path);
}

static void on_scanned(bool all, void *arg)
{
	struct told *t = arg;

	add(t, all ? "all" : "some", root);
}

static void hush(void *arg)
{
	(void)arg;
}

static void begin(struct told *t, struct inject_watch_config *c)
{
	static const char *const none[] = { NULL };
	static const char *dirs[] = { root, NULL };

	memset(t, 0, sizeof(*t));
	t->base = event_base_new();
	c->base = t->base;
	if (c->dirs == NULL)
		c->dirs = dirs;
	if (c->patterns == NULL)
		c->patterns = none;
	c->rescan_ms = 20;
	c->on_file = on_file;
	c->on_gone = on_gone;
	c->on_dir_gone = on_dir_gone;
	c->on_scanned = on_scanned;
	c->hush = hush;
	c->arg = t;
	t->watch = inject_watch_new(c);
	inject_watch_scan(t->watch);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static bool is_all(const char *told, const char *want)
{
	return strcmp(told, want) == 0;
}

static bool is_part(const char *told, const char *want)
{
	return strstr(told, want) != NULL;
}

static void hear(struct told *t, const char *want,
		 bool (*enough)(const char *told, const char *want))
{
	const struct timeval tv = { 5, 0 };
	bool late = false;
	struct event *ev = evtimer_new(t->base, on_deadline, &late);

	evtimer_add(ev, &tv);
	while (!late && !enough(buf_str(&t->news), want))
		event_base_loop(t->base, EVLOOP_ONCE);
	event_free(ev);
}

/* Until exactly that was told since the last call. */
static void hears(struct told *t, const char *want)
{
	hear(t, want, is_all);
	CHECK_STR_EQ(buf_str(&t->news), want);
	buf_reset(&t->news);
}

static void hears_among_others(struct told *t, const char *want)
{
	hear(t, want, is_part);
	CHECK_TRUE(is_part(buf_str(&t->news), want));
}

static void finish(struct told *t)
{
	inject_watch_free(t->watch);
	event_base_free(t->base);
	buf_fini(&t->news);
	clean();
}

static void events_are_told(void)
{
	struct inject_watch_config c = { .recursive = true };
	struct told t;

	put("there", "x");
	put(".hidden", "x");
	begin(&t, &c);
	hears(&t, "found:there all:.");
	put("new", "x");
	hears(&t, "closed:new");
	CHECK_INT_EQ(rename(at("new"), at("named")), 0);
	hears(&t, "gone:new moved:named");
	CHECK_INT_EQ(unlink(at("named")), 0);
	hears(&t, "gone:named");
	CHECK_FALSE(t.blind);
	finish(&t);
}

static void directories_come_and_go(void)
{
	struct inject_watch_config c = { .recursive = true };
	char other[] = "/tmp/sortie-inject-other.XXXXXX";
	char path[128];
	struct told t;

	REQUIRE(mkdtemp(other) != NULL);
	begin(&t, &c);
	hears(&t, "all:.");
	CHECK_INT_EQ(mkdir(at("d"), 0755), 0);
	CHECK_INT_EQ(mkdir(at("d/e"), 0755), 0);
	put("d/e/f", "made before the watch is there");
	hears(&t, "found:d/e/f");
	put("d/e/g", "x");
	hears(&t, "closed:d/e/g");
	snprintf(path, sizeof(path), "%s/d", other);
	CHECK_INT_EQ(rename(at("d"), path), 0);
	hears(&t, "dir-gone:d");
	snprintf(path, sizeof(path), "%s/d/e/not-ours", other);
	CHECK_INT_EQ(fclose(fopen(path, "w")), 0);
	snprintf(path, sizeof(path), "%s/d", other);
	CHECK_INT_EQ(rename(path, at("back")), 0);
	put("last", "x");
	event_base_loop(t.base, EVLOOP_ONCE);
	CHECK_TRUE(strstr(buf_str(&t.news), "found:back/e/f") != NULL);
	CHECK_TRUE(strstr(buf_str(&t.news), "found:back/e/not-ours") != NULL);
	CHECK_TRUE(strstr(buf_str(&t.news), "closed:last") != NULL);
	CHECK_INT_EQ(rmdir(other), 0);
	finish(&t);
}

static void links_are_followed_when_asked(void)
{
	struct inject_watch_config c = { .recursive = true };
	struct told t;

	CHECK_INT_EQ(mkdir(at("d"), 0755), 0);
	CHECK_INT_EQ(symlink(root, at("d/loop")), 0);
	begin(&t, &c);
	/* A link to a directory is told as any other name; looking at it shows
	 * that it is no file. */
	hears(&t, "found:d/loop all:.");
	finish(&t);

	c.follow = true;
	CHECK_INT_EQ(mkdir(at("d"), 0755), 0);
	put("d/f", "x");
	CHECK_INT_EQ(symlink(root, at("d/loop")), 0);
	begin(&t, &c);
	hears(&t, "found:d/f all:.");
	finish(&t);
}

static void a_directory_behind_links_is_one(void)
{
	struct inject_watch_config c = { .recursive = true, .follow = true };
	char name[32], target[32];
	struct told t;

	/* Each leads to all others: 10! ways, if each was another. */
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		CHECK_INT_EQ(mkdir(at(name), 0755), 0);
		for (int k = 0; k < 10; k++) {
			snprintf(name, sizeof(name), "d%d/to%d", i, k);
			snprintf(target, sizeof(target), "../d%d", k);
			CHECK_INT_EQ(symlink(target, at(name)), 0);
		}
	}
	put("d3/f", "x");
	begin(&t, &c);
	hears_among_others(&t, "found:d3/f");
	CHECK_FALSE(is_part(buf_str(&t.news), "to"));
	CHECK_TRUE(t.news.len < 2000);
	buf_reset(&t.news);
	put("d5/g", "x");
	hears(&t, "closed:d5/g");
	CHECK_INT_EQ(symlink("../d3", at("d5/late")), 0);
	hears_among_others(&t, "found:d3/f");
	CHECK_FALSE(is_part(buf_str(&t.news), "late"));
	finish(&t);
}

static void what_links_lead_to_is_looked_at_again(void)
{
	struct inject_watch_config c = { .follow = true };
	struct told t;

	put("f", "x");
	begin(&t, &c);
	hears(&t, "found:f all:.");
	CHECK_INT_EQ(symlink("f", at("link")), 0);
	hears_among_others(&t, "found:link");
	finish(&t);
}

static void hidden_directories_are_left_alone(void)
{
	static const char *const all[] = { "*", ".*", NULL };
	struct inject_watch_config c = { .recursive = true, .patterns = all };
	struct told t;

	CHECK_INT_EQ(mkdir(at(".snapshot"), 0755), 0);
	put(".snapshot/f", "x");
	begin(&t, &c);
	hears(&t, "all:.");
	CHECK_INT_EQ(mkdir(at(".tmp"), 0755), 0);
	put(".tmp/f", "x");
	CHECK_INT_EQ(rename(at(".tmp/f"), at("f")), 0);
	hears(&t, "moved:f");
	finish(&t);
}

/* No event tells of it. */
static void a_root_that_was_replaced_is_watched(void)
{
	struct inject_watch_config c = { .recursive = true };
	const char *dirs[] = { NULL, NULL };
	struct told t;

	dirs[0] = xstrdup(at("above/in"));
	c.dirs = dirs;
	CHECK_INT_EQ(mkdir(at("above"), 0755), 0);
	CHECK_INT_EQ(mkdir(at("above/in"), 0755), 0);
	put("above/in/old", "x");
	begin(&t, &c);
	hears(&t, "found:above/in/old all:.");
	CHECK_INT_EQ(rename(at("above"), at("away")), 0);
	CHECK_INT_EQ(mkdir(at("above"), 0755), 0);
	CHECK_INT_EQ(mkdir(at("above/in"), 0755), 0);
	put("above/in/new", "x");
	hears(&t, "found:above/in/new all:.");
	put("above/in/next", "x");
	hears(&t, "closed:above/in/next");
	put("away/in/lost", "x");
	CHECK_INT_EQ(unlink(at("above/in/next")), 0);
	hears(&t, "gone:above/in/next");
	finish(&t);
	free((char *)dirs[0]);
}

static void without_inotify_it_looks_again(void)
{
	struct inject_watch_config c = { .no_inotify = true };
	struct told t;

	CHECK_INT_EQ(mkdir(at("d"), 0755), 0);
	put("d/f", "x");
	put("a", "x");
	begin(&t, &c);
	hears(&t, "found:a all:.");
	hears(&t, "found:a all:.");
	CHECK_TRUE(t.blind);
	finish(&t);
}

static void a_directory_that_comes_back_is_watched(void)
{
	struct inject_watch_config c = { .recursive = true };
	struct told t;

	begin(&t, &c);
	hears(&t, "all:.");
	CHECK_INT_EQ(rmdir(root), 0);
	hears(&t, "dir-gone:. some:.");
	CHECK_INT_EQ(mkdir(root, 0755), 0);
	put("f", "x");
	hears(&t, "found:f all:.");
	put("g", "x");
	hears(&t, "closed:g");
	finish(&t);
}

static bool make(const struct inject_wish *w, struct inject_order *o,
		 struct arena *a, struct err *e)
{
	static const char *none[] = { NULL };
	struct inject_wish full = *w;

	if (full.edges == NULL)
		full.edges = none;
	if (full.env == NULL)
		full.env = none;
	return inject_order_make(a, &full, o, e);
}

static void orders_say_what_was_wished(void)
{
	static const char *edges[] = { "A:B", NULL };
	static const char *env[] = { "X=0", "X=1=2", "Y=", NULL };
	struct arena *a = arena_new();
	struct inject_order o;
	struct err e = ERR_INIT;
	struct inject_wish w = { .dag = "calib",
				 .site = "CERN",
				 .datatype = "ROOT",
				 .edges = edges,
				 .env = env,
				 .state = "held",
				 .priority = "-3",
				 .jobinfo = "{\"n\":{}}" };

	CHECK_TRUE(make(&w, &o, a, &e));
	CHECK_STR_EQ(o.stream, "dag calib at CERN");
	CHECK_STR_EQ(o.members, "\"site\":\"CERN\",\"datatype\":\"ROOT\","
				"\"edges\":[\"A:B\"]");
	CHECK_STR_EQ(o.dag, "{\"dag\":\"calib\",\"state\":\"held\","
			    "\"priority\":-3,\"jobinfo\":{\"n\":{}},"
			    "\"env\":{\"X\":\"1=2\",\"Y\":\"\"}");
	CHECK_TRUE(o.job == NULL);

	put("j.json", "[{\"argv\":[\"true\"],\"env\":{\"X\":\"9\",\"Z\":\"3\"},"
		      "\"priority\":7,\"state\":\"held\"}]");
	w = (struct inject_wish){ .job = at("j.json"),
				  .env = env,
				  .state = "defined" };
	CHECK_TRUE(make(&w, &o, a, &e));
	CHECK_TRUE(strncmp(o.stream, "job /tmp/", 9) == 0);
	CHECK_STR_EQ(o.members, "");
	CHECK_STR_EQ(o.job, "{\"argv\":[\"true\"],\"priority\":7,"
			    "\"state\":\"defined\",\"env\":{\"Z\":\"3\","
			    "\"X\":\"1=2\",\"Y\":\"\"}}");
	arena_free(a);
	clean();
}

static void wrong_orders_are_refused(void)
{
	static const char *env[] = { "=1", NULL };
	struct arena *a = arena_new();
	struct inject_order o;
	struct err e = ERR_INIT;

	CHECK_FALSE(make(&(struct inject_wish){ .dag = "d", .env = env }, &o, a,
			 &e));
	CHECK_STR_EQ(e.text, "--env \"=1\": write NAME=VALUE");
	CHECK_FALSE(make(&(struct inject_wish){ .dag = "d", .priority = "x" },
			 &o, a, &e));
	CHECK_FALSE(make(&(struct inject_wish){ .dag = "d", .jobinfo = "{" },
			 &o, a, &e));
	CHECK_TRUE(strncmp(e.text, "--jobinfo: ", 11) == 0);
	put("two.json", "[{\"argv\":[\"a\"]},{\"argv\":[\"b\"]}]");
	CHECK_FALSE(make(&(struct inject_wish){ .job = at("two.json") }, &o, a,
			 &e));
	CHECK_TRUE(strstr(e.text, "more than one job") != NULL);
	put("bad.json", "[{\"argv\":[\"a\"],\"priorty\":1}]");
	CHECK_FALSE(make(&(struct inject_wish){ .job = at("bad.json") }, &o, a,
			 &e));
	CHECK_TRUE(strstr(e.text, "priority") != NULL);
	arena_free(a);
	clean();
}

static const struct unit_test tests[] = {
	{ "paths are told as text", paths_are_told_as_text },
	{ "patterns want names", patterns_want_names },
	{ "looks tell what a file is", looks_tell_what_a_file_is },
	{ "the table keeps order and paths", table_keeps_order_and_paths },
	{ "events are told", events_are_told },
	{ "directories come and go", directories_come_and_go },
	{ "links are followed when asked", links_are_followed_when_asked },
	{ "a directory behind links is one", a_directory_behind_links_is_one },
	{ "what links lead to is looked at again",
	  what_links_lead_to_is_looked_at_again },
	{ "hidden directories are left alone",
	  hidden_directories_are_left_alone },
	{ "without inotify it looks again", without_inotify_it_looks_again },
	{ "a directory that comes back is watched",
	  a_directory_that_comes_back_is_watched },
	{ "a root that was replaced is watched",
	  a_root_that_was_replaced_is_watched },
	{ "orders say what was wished", orders_say_what_was_wished },
	{ "wrong orders are refused", wrong_orders_are_refused },
};

int main(void)
{
	int status;

	signal(SIGIO, SIG_IGN);
	if (mkdtemp(root) == NULL)
		return 99;
	status = unit_main("cli_inject", tests, UNIT_N(tests));
	rmdir(root);
	return status;
}
