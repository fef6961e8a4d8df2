/* Applies migrations, each whole or not at all, and one server at a time. */
#include "server/migrate.h"

#include <string.h>
#include "lib/id.h"
#include "lib/log.h"
#include "server/db.h"
#include "server/server.h"
#include "sql/sql_data.h"

/* The row of the functions among those of the migrations. */
#define FUNCTIONS 0

/* What the database says it has. */
struct applied {
	int newest;
	const struct sql_migration *other; /* applied, but not ours */
	bool functions;                    /* they are ours */
};

const char *migrate_sql(const char *name)
{
	for (size_t i = 0; i < n_sql_stmts; i++) {
		if (strcmp(sql_stmts[i].name, name) == 0)
			return sql_stmts[i].text;
	}
	BUG("there is no statement \"%s\"", name);
}

int migrate_level(void)
{
	return sql_migrations[n_sql_migrations - 1].number;
}

static void checksum(const char *text, char out[65])
{
	uint8_t hash[32];

	id_sha256(text, strlen(text), hash);
	id_hex(hash, sizeof(hash), out);
}

static void functions_checksum(char out[65])
{
	struct id_sha256_ctx *c = id_sha256_new();
	uint8_t hash[32];

	for (const struct sql_stmt *f = sql_functions; f->name != NULL; f++)
		id_sha256_add(c, f->text, strlen(f->text));
	id_sha256_end(c, hash);
	id_hex(hash, sizeof(hash), out);
}

static const struct sql_migration *find(int number)
{
	for (size_t i = 0; i < n_sql_migrations; i++) {
		if (sql_migrations[i].number == number)
			return &sql_migrations[i];
	}
	return NULL;
}

static void on_applied(const struct db_result *r, size_t row, void *arg)
{
	struct applied *a = arg;
	int number = (int)db_i64(r, row, 0);
	const struct sql_migration *m = find(number);
	char ours[65];

	if (number > a->newest)
		a->newest = number;
	if (number == FUNCTIONS) {
		functions_checksum(ours);
		a->functions = strcmp(ours, db_text(r, row, 1)) == 0;
	} else if (m != NULL) {
		checksum(m->text, ours);
		if (strcmp(ours, db_text(r, row, 1)) != 0 && a->other == NULL)
			a->other = m;
	}
}

static bool check(const struct applied *a, struct err *e)
{
	if (a->newest > migrate_level())
		return err_set(e, ERR_CONFLICT,
			       "the database has migration "
			       "%d, this sortied knows %d: it is older than "
			       "the one that was here before; install the "
			       "newer one",
			       a->newest, migrate_level());
	if (a->other != NULL)
		return err_set(e, ERR_CONFLICT,
			       "migration %d (%s) of the "
			       "database is another one than this sortied's: "
			       "use the program that made it",
			       a->other->number, a->other->name);
	return true;
}

static bool record(struct db_sync *db, int number, const char *name,
		   const char *sum, struct err *e)
{
	struct arena *a = arena_new();
	struct db_params *p = db_params_new(a);
	bool ok;

	db_p_i32(p, number);
	db_p_text(p, name);
	db_p_text(p, sum);
	ok = db_sync_run(db, "migration_record", p, NULL, NULL, e);
	arena_free(a);
	return ok;
}

static bool migration_apply(struct db_sync *db, const struct sql_migration *m,
			    struct err *e)
{
	char sum[65];

	checksum(m->text, sum);
	return (db_sync_exec(db, m->text, e) &&
		record(db, m->number, m->name, sum, e)) ||
	       err_prefix(e, "migration %d (%s)", m->number, m->name);
}

static bool functions_apply(struct db_sync *db, struct err *e)
{
	char sum[65];

	if (!db_sync_exec(db, migrate_sql("functions_prepare"), e))
		return false;
	for (const struct sql_stmt *f = sql_functions; f->name != NULL; f++) {
		if (!db_sync_exec(db, f->text, e))
			return err_prefix(e, "functions (%s)", f->name);
	}
	functions_checksum(sum);
	return record(db, FUNCTIONS, "functions", sum, e);
}

/* Functions come in one transaction with the last migration, so that nobody
 * meets the new tables with the old ones. m NULL: only the functions. */
static bool apply(struct db_sync *db, const struct sql_migration *m,
		  struct err *e)
{
	bool last = m == NULL || m->number == migrate_level();
	struct err ignored = ERR_INIT;

	if (!db_sync_exec(db, migrate_sql("transaction_begin"), e))
		return false;
	if ((m == NULL || migration_apply(db, m, e)) &&
	    (!last || functions_apply(db, e)) &&
	    db_sync_exec(db, migrate_sql("transaction_commit"), e))
		return true;
	if (!db_sync_exec(db, migrate_sql("transaction_rollback"), &ignored))
		log_warn("%s", ignored.text);
	return false;
}

static bool run_locked(struct db_sync *db, int *applied, struct err *e)
{
	struct arena *a = arena_new();
	struct applied there = { 0 };
	bool ok;

	*applied = 0;
	ok = db_sync_exec(db, migrate_sql("migration_prepare"), e) &&
	     db_sync_run(db, "migration_list", db_params_new(a), on_applied,
			 &there, e) &&
	     check(&there, e);
	arena_free(a);
	for (size_t i = 0; ok && i < n_sql_migrations; i++) {
		if (sql_migrations[i].number <= there.newest)
			continue;
		ok = apply(db, &sql_migrations[i], e);
		*applied += ok;
	}
	if (ok && *applied == 0 && !there.functions)
		ok = apply(db, NULL, e);
	return ok;
}

bool migrate_run(struct db_sync *db, int *applied, struct err *e)
{
	struct err ignored = ERR_INIT;
	bool ok;

	if (!db_sync_exec(db, migrate_sql("migration_lock"), e))
		return false;
	ok = run_locked(db, applied, e);
	if (!db_sync_exec(db, migrate_sql("migration_unlock"), &ignored))
		log_warn("%s", ignored.text);
	return ok;
}

static void on_cluster(const struct db_result *r, size_t row, void *arg)
{
	struct server *srv = arg;
	struct buf key = BUF_INIT;

	if (db_len(r, row, 0) == sizeof(srv->cluster) - 1)
		memcpy(srv->cluster, db_text(r, row, 0), sizeof(srv->cluster));
	if (db_bytes(r, row, 1, &key))
		id_sha256(key.data, key.len, srv->cluster_key);
	buf_fini(&key);
}

bool migrate_cluster(struct db_sync *db, struct server *srv, struct err *e)
{
	struct arena *a = arena_new();
	bool ok;

	srv->cluster[0] = '\0';
	ok = db_sync_run(db, "cluster_get", db_params_new(a), on_cluster, srv,
			 e);
	arena_free(a);
	if (ok && srv->cluster[0] == '\0')
		return err_set(e, ERR_INTERNAL,
			       "the database does not say "
			       "which cluster it is: the row of "
			       "sortie.cluster is missing");
	return ok;
}
