/* Lines of statements by owner, who take turns: see db_turns.h. */
#include "server/db_turns.h"

#include <stdlib.h>
#include <sys/queue.h>
#include "lib/arena.h"

struct line {
	int64_t owner;
	int n, n_running;
	TAILQ_HEAD(waits, db_wait) waits;
	TAILQ_ENTRY(line) link;
};

/* Lines in which somebody waits or runs; the first has its turn. There are
 * never more than statements, so they are looked for one by one. */
struct db_turns {
	TAILQ_HEAD(lines, line) lines;
	int n, max, share;
};

struct db_turns *db_turns_new(int max, int share)
{
	struct db_turns *t = xcalloc(1, sizeof(*t));

	TAILQ_INIT(&t->lines);
	t->max = max > 0 ? max : 1;
	t->share = share > 0 ? share : 1;
	return t;
}

static void line_free_if_idle(struct db_turns *t, struct line *l)
{
	if (l->n > 0 || l->n_running > 0)
		return;
	TAILQ_REMOVE(&t->lines, l, link);
	free(l);
}

static struct db_wait *pop(struct db_turns *t, struct line *l,
			   struct db_wait *w)
{
	TAILQ_REMOVE(&l->waits, w, link);
	l->n--;
	t->n--;
	return w;
}

void db_turns_free(struct db_turns *t)
{
	struct line *l;

	if (t == NULL)
		return;
	while (t->n > 0)
		free(db_turns_drop(t));
	while ((l = TAILQ_FIRST(&t->lines)) != NULL) {
		TAILQ_REMOVE(&t->lines, l, link);
		free(l);
	}
	free(t);
}

int db_turns_waiting(const struct db_turns *t)
{
	return t->n;
}

static struct line *line_of(struct db_turns *t, int64_t owner)
{
	struct line *l;

	TAILQ_FOREACH (l, &t->lines, link) {
		if (l->owner == owner)
			return l;
	}
	l = xcalloc(1, sizeof(*l));
	l->owner = owner;
	TAILQ_INIT(&l->waits);
	TAILQ_INSERT_TAIL(&t->lines, l, link);
	return l;
}

static struct line *longest(struct db_turns *t)
{
	struct line *l, *best = TAILQ_FIRST(&t->lines);

	TAILQ_FOREACH (l, &t->lines, link) {
		if (l->n > best->n)
			best = l;
	}
	return best;
}

struct db_wait *db_turns_put(struct db_turns *t, struct db_wait *w)
{
	struct line *mine = line_of(t, w->owner), *most;
	struct db_wait *out;

	TAILQ_INSERT_TAIL(&mine->waits, w, link);
	mine->n++;
	if (++t->n <= t->max)
		return NULL;
	most = longest(t);
	if (most->n == mine->n)
		most = mine;
	out = pop(t, most, TAILQ_LAST(&most->waits, waits));
	line_free_if_idle(t, most);
	return out;
}

struct db_wait *db_turns_take(struct db_turns *t)
{
	struct line *l;

	TAILQ_FOREACH (l, &t->lines, link) {
		if (l->n > 0 && (l->owner == 0 || l->n_running < t->share))
			break;
	}
	if (l == NULL)
		return NULL;
	TAILQ_REMOVE(&t->lines, l, link);
	TAILQ_INSERT_TAIL(&t->lines, l, link);
	l->n_running++;
	return pop(t, l, TAILQ_FIRST(&l->waits));
}

void db_turns_ran(struct db_turns *t, const struct db_wait *w)
{
	struct line *l = line_of(t, w->owner);

	l->n_running--;
	line_free_if_idle(t, l);
}

struct db_wait *db_turns_drop(struct db_turns *t)
{
	struct line *l = t->n > 0 ? longest(t) : NULL;
	struct db_wait *w;

	if (l == NULL)
		return NULL;
	w = pop(t, l, TAILQ_FIRST(&l->waits));
	line_free_if_idle(t, l);
	return w;
}
