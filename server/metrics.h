/*
 * What the server counts about itself, for /metrics in the Prometheus text
 * format.  A module lists its metrics in one constant table and registers
 * it; it gets back one cell per entry, in the table's order:
 *
 *	enum { BATCHES, BATCH_US, N_METRICS };
 *	static const struct metric_def defs[N_METRICS] = {
 *		[BATCHES] = { "sortie_batches_total", "lane=\"claim\"",
 *			METRIC_COUNTER, "Batches that were sent." },
 *		[BATCH_US] = { "sortie_batch_seconds", "lane=\"claim\"",
 *			METRIC_SECONDS, "Time of a batch in the database." },
 *	};
 *	lane->metric = metrics_register(srv->metrics, defs, N_METRICS);
 *	metric_add(lane->metric[BATCHES], 1);
 *	metric_observe_us(lane->metric[BATCH_US], us);
 *
 * One name may stand in several tables with different labels.
 */
#ifndef SORTIE_SERVER_METRICS_H
#define SORTIE_SERVER_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"

struct metrics;
struct metric;

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,        /* metric_set, or a function asked each time */
	METRIC_SECONDS,      /* a histogram of times, 100 us to 100 s */
	METRIC_SECONDS_SEEN, /* one that is left out while it is empty */
	METRIC_SIZES         /* a histogram of counts, 1 to 100,000 */
};

struct metric_def {
	const char *name;
	const char *labels; /* without braces; NULL or "" = none */
	enum metric_kind kind;
	const char *help;
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
/* defs and what it points to live as long as m; the cells belong to m. */
struct metric **metrics_register(struct metrics *m,
				 const struct metric_def *defs, size_t n);
/* A gauge whose value is asked for when it is read. */
void metrics_gauge_fn(struct metrics *m, const struct metric_def *def,
		      int64_t (*fn)(void *arg), void *arg);

void metric_add(struct metric *x, int64_t n);
void metric_set(struct metric *x, int64_t value);
void metric_observe_us(struct metric *x, int64_t us);
void metric_observe(struct metric *x, int64_t value);
int64_t metric_value(const struct metric *x); /* of a counter or gauge */

/* From now on each line has this label, too. */
void metrics_label(struct metrics *m, const char *name, int value);
void metrics_write(struct metrics *m, struct buf *out);

#endif
