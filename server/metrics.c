/* Keeps the counters of all modules and writes them for /metrics. */
#include "server/metrics.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include "lib/arena.h"
#include "lib/log.h"

#define BOUNDS_MAX 20

/* Microseconds; 1, 2, 5 steps, as a person reads them. */
static const int64_t second_bounds[] = {
	100,     200,     500,     1000,     2000,     5000,
	10000,   20000,   50000,   100000,   200000,   500000,
	1000000, 2000000, 5000000, 10000000, 30000000, 100000000,
};
static const int64_t size_bounds[] = {
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000,
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
_Static_assert(LEN(second_bounds) <= BOUNDS_MAX, "room for every bound");
_Static_assert(LEN(size_bounds) <= BOUNDS_MAX, "room for every bound");

struct metric {
	const struct metrics *of;
	const struct metric_def *def;
	int64_t (*fn)(void *arg);
	void *arg;
	int64_t value; /* histograms: number of observations */
	int64_t sum;
	int64_t *bucket; /* histograms: one per bound, and one */
	bool written;
	STAILQ_ENTRY(metric) link;
};

struct metrics {
	struct arena *arena;
	const char *label; /* of all; or "" */
	STAILQ_HEAD(, metric) all;
};

struct metrics *metrics_new(void)
{
	struct metrics *m = xcalloc(1, sizeof(*m));

	m->arena = arena_new();
	m->label = "";
	STAILQ_INIT(&m->all);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	arena_free(m->arena);
	free(m);
}

static bool is_seconds(const struct metric_def *def)
{
	return def->kind == METRIC_SECONDS || def->kind == METRIC_SECONDS_SEEN;
}

static const int64_t *bounds(const struct metric *x, size_t *n)
{
	if (is_seconds(x->def)) {
		*n = LEN(second_bounds);
		return second_bounds;
	}
	*n = LEN(size_bounds);
	return size_bounds;
}

static struct metric *add(struct metrics *m, const struct metric_def *def)
{
	struct metric *x = ARENA_NEW(m->arena, struct metric);

	x->of = m;
	x->def = def;
	if (is_seconds(def) || def->kind == METRIC_SIZES)
		x->bucket = ARENA_ARRAY(m->arena, int64_t, BOUNDS_MAX + 1);
	STAILQ_INSERT_TAIL(&m->all, x, link);
	return x;
}

void metrics_label(struct metrics *m, const char *name, int value)
{
	m->label = arena_printf(m->arena, "%s=\"%d\"", name, value);
}

struct metric **metrics_register(struct metrics *m,
				 const struct metric_def *defs, size_t n)
{
	struct metric **cells = ARENA_ARRAY(m->arena, struct metric *, n);

	for (size_t i = 0; i < n; i++)
		cells[i] = add(m, &defs[i]);
	return cells;
}

void metrics_gauge_fn(struct metrics *m, const struct metric_def *def,
		      int64_t (*fn)(void *arg), void *arg)
{
	struct metric *x = add(m, def);

	x->fn = fn;
	x->arg = arg;
}

void metric_add(struct metric *x, int64_t n)
{
	x->value += n;
}

void metric_set(struct metric *x, int64_t value)
{
	x->value = value;
}

void metric_observe(struct metric *x, int64_t value)
{
	const int64_t *bound;
	size_t n, i = 0;

	if (x->bucket == NULL)
		BUG("\"%s\" is no histogram", x->def->name);
	bound = bounds(x, &n);
	while (i < n && value > bound[i])
		i++;
	x->bucket[i]++;
	x->value++;
	x->sum += value;
}

void metric_observe_us(struct metric *x, int64_t us)
{
	metric_observe(x, us);
}

int64_t metric_value(const struct metric *x)
{
	return x->fn != NULL ? x->fn(x->arg) : x->value;
}

/* Seconds from microseconds, without the locale's decimal comma. */
static void add_seconds(struct buf *out, int64_t us)
{
	buf_addf(out, "%lld.%06lld", (long long)(us / 1000000),
		 (long long)(us % 1000000));
}

static void add_name(struct buf *out, const struct metric *x,
		     const char *suffix, const char *more)
{
	const char *labels[] = { x->of->label,
				 x->def->labels == NULL ? "" : x->def->labels,
				 more };
	const char *before = "{";

	buf_addf(out, "%s%s", x->def->name, suffix);
	for (size_t i = 0; i < LEN(labels); i++) {
		if (*labels[i] == '\0')
			continue;
		buf_addf(out, "%s%s", before, labels[i]);
		before = ",";
	}
	if (*before == ',')
		buf_addc(out, '}');
}

static void write_bound(struct buf *le, bool seconds, int64_t bound)
{
	buf_reset(le);
	buf_adds(le, "le=\"");
	if (seconds)
		add_seconds(le, bound);
	else
		buf_add_i64(le, bound);
	buf_addc(le, '"');
}

static void write_histogram(struct buf *out, const struct metric *x)
{
	bool seconds = is_seconds(x->def);
	struct buf le = BUF_INIT;
	int64_t total = 0;
	size_t n;
	const int64_t *bound = bounds(x, &n);

	for (size_t i = 0; i < n; i++) {
		total += x->bucket[i];
		write_bound(&le, seconds, bound[i]);
		add_name(out, x, "_bucket", buf_str(&le));
		buf_addf(out, " %lld\n", (long long)total);
	}
	buf_fini(&le);
	add_name(out, x, "_bucket", "le=\"+Inf\"");
	buf_addf(out, " %lld\n", (long long)x->value);
	add_name(out, x, "_sum", "");
	buf_addc(out, ' ');
	if (seconds)
		add_seconds(out, x->sum);
	else
		buf_add_i64(out, x->sum);
	buf_addc(out, '\n');
	add_name(out, x, "_count", "");
	buf_addf(out, " %lld\n", (long long)x->value);
}

static void write_one(struct buf *out, struct metric *x)
{
	x->written = true;
	if (x->def->kind == METRIC_SECONDS_SEEN && x->value == 0)
		return;
	if (x->bucket != NULL) {
		write_histogram(out, x);
		return;
	}
	add_name(out, x, "", "");
	buf_addf(out, " %lld\n", (long long)metric_value(x));
}

/* All lines of one name must stand together. */
static void write_family(struct buf *out, struct metric *x)
{
	const struct metric_def *def = x->def;
	const char *type = def->kind == METRIC_COUNTER ? "counter"
			   : def->kind == METRIC_GAUGE ? "gauge"
						       : "histogram";

	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", def->name, def->help,
		 def->name, type);
	for (; x != NULL; x = STAILQ_NEXT(x, link)) {
		if (!x->written && strcmp(x->def->name, def->name) == 0)
			write_one(out, x);
	}
}

void metrics_write(struct metrics *m, struct buf *out)
{
	struct metric *x;

	STAILQ_FOREACH (x, &m->all, link)
		x->written = false;
	STAILQ_FOREACH (x, &m->all, link) {
		if (!x->written)
			write_family(out, x);
	}
}
