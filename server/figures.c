/* Asks the database about its tables and its oldest snapshot, slowly. */
#include "server/figures.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "server/db.h"
#include "server/metrics.h"
#include "server/server.h"

#define FIRST_S 2
#define PERIOD_S 60

/* What a row of figures_get may be. */
static const struct metric_def kinds[] = {
	{ "sortie_table_rows", "rows", METRIC_GAUGE,
	  "Rows of a table, as its statistics estimate." },
	{ "sortie_table_dead_rows", "dead", METRIC_GAUGE,
	  "Rows of a table that wait to be vacuumed away." },
	{ "sortie_table_bytes", "bytes", METRIC_GAUGE,
	  "Size of a table with its indexes." },
	{ "sortie_oldest_xmin_transactions", "xmin_age", METRIC_GAUGE,
	  "Transactions since the oldest that others must still see as it was." },
	{ "sortie_oldest_snapshot_seconds", "snapshot_s", METRIC_GAUGE,
	  "Age of the transaction with the oldest snapshot." },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A gauge, made when the database first tells of it. */
struct figure {
	SLIST_ENTRY(figure) link;
	const char *table;
	const struct metric_def *kind;
	struct metric_def def;
	struct metric *metric;
};

struct figures {
	struct server *srv;
	struct arena *arena;  /* of the gauges */
	struct arena *asking; /* while the statement runs */
	struct event *timer;
	SLIST_HEAD(, figure) all;
};

static void rest(struct figures *f, int s)
{
	struct timeval tv = { s, 0 };

	evtimer_add(f->timer, &tv);
}

/* kinds hold in `labels` what the statement calls them. */
static const struct metric_def *kind_find(const char *what)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (strcmp(kinds[i].labels, what) == 0)
			return &kinds[i];
	BUG("figures_get tells of \"%s\"", what);
}

static struct figure *figure_get(struct figures *f, const char *what,
				 const char *table)
{
	const struct metric_def *kind = kind_find(what);
	struct figure *x;

	SLIST_FOREACH (x, &f->all, link)
		if (x->kind == kind && strcmp(x->table, table) == 0)
			return x;
	x = ARENA_NEW(f->arena, struct figure);
	x->table = arena_strdup(f->arena, table);
	x->kind = kind;
	x->def = *kind;
	x->def.labels = *table == '\0'
				? ""
				: arena_printf(f->arena, "table=\"%s\"", table);
	x->metric = *metrics_register(f->srv->metrics, &x->def, 1);
	SLIST_INSERT_HEAD(&f->all, x, link);
	return x;
}

static void on_told(enum db_outcome o, const struct db_result *r,
		    const struct db_fault *fault, void *arg)
{
	struct figures *f = arg;

	if (o != DB_OK)
		log_debug("the database tells no figures: %s", fault->err.text);
	for (size_t row = 0; o == DB_OK && row < db_rows(r); row++) {
		struct figure *x =
			figure_get(f, db_text(r, row, 0), db_text(r, row, 1));

		metric_set(x->metric, db_i64(r, row, 2));
	}
	arena_free(f->asking);
	f->asking = NULL;
	rest(f, PERIOD_S);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct figures *f = arg;

	(void)fd;
	(void)what;
	f->asking = arena_new();
	db_run(f->srv->db, "figures_get", db_params_new(f->asking), on_told, f);
}

struct figures *figures_new(struct server *srv)
{
	struct figures *f = xcalloc(1, sizeof(*f));

	f->srv = srv;
	f->arena = arena_new();
	SLIST_INIT(&f->all);
	f->timer = evtimer_new(srv->base, on_timer, f);
	if (f->timer == NULL)
		log_die("no memory for the figures");
	rest(f, FIRST_S);
	return f;
}

void figures_free(struct figures *f)
{
	if (f == NULL)
		return;
	event_free(f->timer);
	arena_free(f->asking);
	arena_free(f->arena);
	free(f);
}
