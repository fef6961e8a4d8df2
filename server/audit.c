/* Reads one snapshot of the database and says what does not fit together. */
#include "server/audit.h"

#include <stdio.h>
#include <string.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "server/db.h"

static const struct check {
	const char *stmt, *claim;
} checks[] = {
	{ "audit_job_place", "each job is in one place (I1)" },
	{ "audit_job_row", "copies of a job's row" },
	{ "audit_tally", "counters of jobs (I6)" },
	{ "audit_limit", "counters of limits (I6)" },
	{ "audit_limit_known", "limits of classes" },
	{ "audit_pilot_room", "room of pilots (I6)" },
	{ "audit_live_pilot", "pilots of live runs" },
	{ "audit_gate", "gates of projects (I6)" },
	{ "audit_class_ready", "marks of queued classes" },
	{ "audit_class_profile", "which profile fits which class" },
	{ "audit_run_attempt", "numbers of attempts" },
	{ "audit_ended_run", "ends of jobs and of runs (I3)" },
	{ "audit_replay", "record of what happened (I11)" },
	{ "audit_orphan", "rows without their job" },
	{ "audit_workflow", "counters and ends of workflows (I6)" },
	{ "audit_graph", "conditions of jobs (I10)" },
	{ "audit_dataset", "datasets of jobs" },
	{ "audit_stored", "stored bytes of owners (I6)" },
};

#define N_CHECKS (sizeof(checks) / sizeof(checks[0]))

struct state {
	const struct check *now;
	size_t breaches;
	bool standby;
};

static void on_breach(const struct db_result *r, size_t row, void *arg)
{
	struct state *s = arg;

	s->breaches++;
	printf("%s: %s\n", s->now->claim, db_text(r, row, 0));
}

static void on_standby(const struct db_result *r, size_t row, void *arg)
{
	struct state *s = arg;

	s->standby = db_bool(r, row, 0);
}

/* Closing the connection ends the transaction: nothing was changed. */
static bool run_all(struct db_sync *db, struct arena *a, struct state *s,
		    struct err *e)
{
	if (!db_sync_run(db, "audit_begin", db_params_new(a), on_breach, s, e))
		return false;
	for (size_t i = 0; i < N_CHECKS; i++) {
		s->now = &checks[i];
		if (!db_sync_run(db, checks[i].stmt, db_params_new(a),
				 on_breach, s, e))
			return err_prefix(e, "%s", checks[i].claim);
	}
	return db_sync_run(db, "audit_standby", db_params_new(a), on_standby, s,
			   e);
}

bool audit_many_hosts(const char *conninfo)
{
	static const char *const keys[] = { "host=", "hostaddr=", "host =" };
	const char *p = strstr(conninfo, "://");

	if (p != NULL && p < conninfo + strlen("postgresql") + 1) {
		size_t len = strcspn(p + 3, "/?");

		return memchr(p + 3, ',', len) != NULL;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		p = strstr(conninfo, keys[i]);
		if (p != NULL) {
			p += strlen(keys[i]);
			if (memchr(p, ',', strcspn(p, " ")) != NULL)
				return true;
		}
	}
	return false;
}

bool audit(const char *conninfo, size_t *breaches, struct err *e)
{
	struct db_sync *db = db_sync_open(conninfo, e);
	struct arena *a = arena_new();
	struct state s = { 0 };
	bool ok = db != NULL && run_all(db, a, &s, e);

	if (ok && !s.standby && audit_many_hosts(conninfo))
		log_warn("the database has several hosts and "
			 "synchronous_standby_names is empty: what was "
			 "acknowledged can be lost in a failover");
	*breaches = s.breaches;
	db_sync_close(db);
	arena_free(a);
	return ok;
}
