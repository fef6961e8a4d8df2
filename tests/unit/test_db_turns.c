/* Owners take turns at the database, and nobody waits behind all of another's. */
#include "server/db_turns.h"

#include <stdio.h>
#include <stdlib.h>
#include "lib/arena.h"
#include "tests/unit/unit.h"

/* Puts one whose name is NAME of the owner; who is refused, as text. */
static const char *put(struct db_turns *t, int64_t owner, const char *name)
{
	struct db_wait *w = xcalloc(1, sizeof(*w)), *out;
	const char *refused;

	w->owner = owner;
	w->stmt = name;
	out = db_turns_put(t, w);
	refused = out == NULL ? "none" : out->stmt;
	free(out);
	return refused;
}

/* The names of the next n, each with a blank; they run no more when over. */
static const char *take(struct db_turns *t, int n, bool over)
{
	static char names[100];
	struct db_wait *w;
	size_t len = 0;

	names[0] = '\0';
	while (n-- > 0 && (w = db_turns_take(t)) != NULL) {
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s ",
					w->stmt);
		if (over)
			db_turns_ran(t, w);
		free(w);
	}
	return names;
}

static void owners_take_turns(void)
{
	struct db_turns *t = db_turns_new(100, 3);

	put(t, 1, "a1");
	put(t, 1, "a2");
	put(t, 1, "a3");
	put(t, 2, "b1");
	put(t, -7, "p1");
	put(t, 2, "b2");
	CHECK_INT_EQ(db_turns_waiting(t), 6);
	CHECK_STR_EQ(take(t, 10, true), "a1 b1 p1 a2 b2 a3 ");
	CHECK_STR_EQ(take(t, 10, true), "");
	db_turns_free(t);
}

static void nobody_has_all_connections(void)
{
	struct db_turns *t = db_turns_new(100, 2);
	struct db_wait of_a = { .owner = 1 };

	put(t, 1, "a1");
	put(t, 1, "a2");
	put(t, 1, "a3");
	CHECK_STR_EQ(take(t, 10, false), "a1 a2 ");
	put(t, 2, "b1");
	CHECK_STR_EQ(take(t, 10, false), "b1 ");
	db_turns_ran(t, &of_a);
	CHECK_STR_EQ(take(t, 10, false), "a3 ");
	db_turns_free(t);
}

static void the_servers_own_are_not_bound(void)
{
	struct db_turns *t = db_turns_new(100, 1);

	put(t, 0, "s1");
	put(t, 0, "s2");
	CHECK_STR_EQ(take(t, 10, false), "s1 s2 ");
	db_turns_free(t);
}

static void the_longest_line_loses_its_last(void)
{
	struct db_turns *t = db_turns_new(3, 3);

	CHECK_STR_EQ(put(t, 1, "a1"), "none");
	CHECK_STR_EQ(put(t, 1, "a2"), "none");
	CHECK_STR_EQ(put(t, 1, "a3"), "none");
	CHECK_STR_EQ(put(t, 1, "a4"), "a4");
	CHECK_STR_EQ(put(t, 2, "b1"), "a3");
	CHECK_STR_EQ(put(t, 2, "b2"), "b2");
	CHECK_STR_EQ(put(t, 3, "c1"), "a2");
	CHECK_STR_EQ(put(t, 4, "d1"), "d1");
	CHECK_STR_EQ(take(t, 10, true), "a1 b1 c1 ");
	db_turns_free(t);
}

static void what_waits_can_be_dropped(void)
{
	struct db_turns *t = db_turns_new(9, 9);
	int n = 0;

	put(t, 1, "a1");
	put(t, 2, "b1");
	put(t, 1, "a2");
	for (struct db_wait *w; (w = db_turns_drop(t)) != NULL; n++)
		free(w);
	CHECK_INT_EQ(n, 3);
	CHECK_INT_EQ(db_turns_waiting(t), 0);
	put(t, 1, "a3");
	db_turns_free(t);
}

static const struct unit_test tests[] = {
	{ "owners take turns", owners_take_turns },
	{ "nobody has all connections", nobody_has_all_connections },
	{ "the server's own are not bound", the_servers_own_are_not_bound },
	{ "the longest line loses its last", the_longest_line_loses_its_last },
	{ "what waits can be dropped", what_waits_can_be_dropped },
};

int main(void)
{
	return unit_main("db_turns", tests, UNIT_N(tests));
}
