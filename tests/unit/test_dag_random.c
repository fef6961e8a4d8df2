/* Random and large graphs: layers as a slow count has them, memory within a
 * few times the text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lib/graphml.h"
#include "tests/unit/dag_kit.h"
#include "tests/unit/unit.h"

static struct arena *arena;
static uint64_t seed;

static unsigned random_below(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	       UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

#define N_MAX 40

struct graph {
	unsigned n;
	bool edge[N_MAX][N_MAX]; /* from, to */
	unsigned name[N_MAX];    /* the text has the nodes in any order */
};

static void make_graph(struct graph *g, bool cycles)
{
	memset(g, 0, sizeof(*g));
	g->n = 1 + random_below(N_MAX);
	for (unsigned i = 0; i < g->n; i++)
		g->name[i] = i;
	for (unsigned i = g->n; i > 1; i--) {
		unsigned k = random_below(i), t = g->name[i - 1];

		g->name[i - 1] = g->name[k];
		g->name[k] = t;
	}
	for (unsigned i = 0; i < g->n; i++)
		for (unsigned k = 0; k < g->n; k++)
			g->edge[i][k] = (i < k && random_below(6) == 0) ||
					(cycles && random_below(200) == 0);
}

/* By length of paths: as long as it changes, at most n times. False when it
 * has not come to rest, for then there is a cycle. */
static bool slow_layers(const struct graph *g, unsigned *layer)
{
	bool changed = true;

	memset(layer, 0, N_MAX * sizeof(*layer));
	for (unsigned round = 0; changed; round++) {
		if (round > g->n)
			return false;
		changed = false;
		for (unsigned i = 0; i < g->n; i++)
			for (unsigned k = 0; k < g->n; k++)
				if (g->edge[i][k] && layer[k] <= layer[i]) {
					layer[k] = layer[i] + 1;
					changed = true;
				}
	}
	return true;
}

static void write_graph(const struct graph *g, struct buf *b)
{
	buf_adds(b, "{\"jobs\":{");
	for (unsigned i = 0; i < g->n; i++) {
		unsigned child = g->name[i];
		bool more = false;

		buf_addf(b, "%s\"n%u\":{\"after\":[", i ? "," : "", child);
		for (unsigned k = 0; k < g->n; k++)
			if (g->edge[k][child]) {
				buf_addf(b, "%s\"n%u\"", more ? "," : "", k);
				more = true;
			}
		buf_adds(b, "]}");
	}
	buf_adds(b, "}}");
}

static void check_layers(const struct graph *g, const struct dag *d,
			 const unsigned *want)
{
	uint32_t n_layers, *layer = dag_layers(d, arena, &n_layers), most = 0;
	char name[16];

	for (unsigned i = 0; i < g->n; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		CHECK_UINT_EQ(layer[dag_find(d, name)], want[i]);
		if (want[i] > most)
			most = want[i];
	}
	CHECK_UINT_EQ(n_layers, most + 1);
}

/* The message's names, each an edge from the one before. */
static void check_cycle(const struct graph *g, const char *sentence)
{
	const char *p = strchr(sentence, ':');
	unsigned from = N_MAX, to, first = N_MAX, n = 0;

	if (strstr(sentence, " more "))
		return;
	for (p = strstr(p, " n"); p; p = strstr(p + 1, " n"), n++) {
		to = (unsigned)strtoul(p + 2, NULL, 10);
		if (n)
			CHECK_TRUE(g->edge[from][to]);
		else
			first = to;
		from = to;
	}
	CHECK_TRUE(n >= 2 && from == first);
}

static void layers_and_cycles_are_as_a_slow_count_has_them(void)
{
	unsigned layer[N_MAX], n_cycles = 0;
	struct graph g;

	seed = (uint64_t)time(NULL);
	printf("# seed %llu\n", (unsigned long long)seed);
	for (int i = 0; i < 500; i++) {
		struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		struct dag *d;
		bool ok;

		make_graph(&g, i % 2);
		write_graph(&g, &b);
		ok = dag_read(arena, b.data, b.len, "", 0, &d, &e);
		CHECK_TRUE(ok == slow_layers(&g, layer));
		if (ok)
			check_layers(&g, d, layer);
		else
			check_cycle(&g, e.text);
		n_cycles += !ok;
		buf_fini(&b);
	}
	CHECK_TRUE(n_cycles > 10 && n_cycles < 490);
}

/* Of this thread: other work on the machine does not count. */
static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Bytes that a dag holds: its arena and its arrays. */
static size_t held(const struct arena *a, const struct dag *d)
{
	return arena_size(a) + d->n_nodes * sizeof(*d->nodes) +
	       d->n_edges * sizeof(*d->edges) + d->n_data * sizeof(*d->data);
}

struct figures {
	size_t bytes;
	double longest_ms;
};

static struct workflow *unfold(struct arena *a, const struct dag *d,
			       struct figures *f)
{
	struct workflow_options *o = ARENA_NEW(a, struct workflow_options);
	struct err e = ERR_INIT;
	struct workflow *w;
	bool done = false;

	CHECK_OK(workflow_options_read(a, "{\"jobs\":{}}", 11, o, &e), e);
	CHECK_OK(workflow_new(a, d, o, "", &w, &e), e);
	f->longest_ms = 0;
	while (!done) {
		double begin = now_ms();

		CHECK_OK(workflow_step(w, 4000, &done, &e), e);
		if (now_ms() - begin > f->longest_ms)
			f->longest_ms = now_ms() - begin;
	}
	f->bytes = arena_size(a);
	return w;
}

static void measure(const char *what, const struct buf *b, uint32_t n_edges)
{
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	struct figures f;
	struct dag *d;
	struct workflow *w;
	double begin = now_ms(), read_ms;

	CHECK_OK(dag_read(a, b->data, b->len, "", 0, &d, &e), e);
	read_ms = now_ms() - begin;
	CHECK_UINT_EQ(d->n_edges, n_edges);
	printf("# %s: %zu KB of text, read in %.0f ms, held in %zu KB\n", what,
	       b->len >> 10, read_ms, held(a, d) >> 10);
	CHECK_TRUE(held(a, d) < 6 * b->len);
	w = unfold(a, d, &f);
	CHECK_UINT_EQ(w->n_edges, n_edges);
	printf("# %s: unfolded, longest step %.1f ms\n", what, f.longest_ms);
	arena_free(a);
}

static void a_fan_out_of_10000_is_cheap(void)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "{\"jobs\":{\"root\":{\"argv\":[\"x\"]}");
	for (int i = 0; i < 10000; i++)
		buf_addf(&b,
			 ",\"job %d\":{\"argv\":[\"x\"],\"after\":[\"root\"]}",
			 i);
	buf_adds(&b, "}}");
	measure("fan-out of 10,000", &b, 10000);
	buf_fini(&b);
}

/* 1,000 jobs after 1,000 others: near to the longest text. */
static void a_million_edges_are_bounded(void)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "{\"jobs\":{\"x\":{\"argv\":[\"x\"]}");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, ",\"%d\":{\"argv\":[\"x\"]}", i);
	for (int i = 1000; i < 2000; i++) {
		buf_addf(&b, ",\"%d\":{\"argv\":[\"x\"],\"after\":[", i);
		for (int k = 0; k < 1000; k++)
			buf_addf(&b, "%s\"%d\"", k ? "," : "", k);
		buf_adds(&b, "]}");
	}
	buf_adds(&b, "}}");
	measure("1,000,000 edges", &b, 1000000);
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "layers and cycles are as a slow count has them",
	  layers_and_cycles_are_as_a_slow_count_has_them },
	{ "a fan-out of 10,000 is cheap", a_fan_out_of_10000_is_cheap },
	{ "a million edges are bounded", a_million_edges_are_bounded },
};

int main(void)
{
	int status;

	arena = arena_new();
	status = unit_main("dag_random", tests, UNIT_N(tests));
	arena_free(arena);
	return status;
}
