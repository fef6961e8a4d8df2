/*
 * The limits of the database alone, on the server's own PostgreSQL: commits of
 * one row, rows inserted in bulk, and the shortest whole life of a job there
 * is (a wide row, a narrow queue, a narrow lease, an end; a hundred jobs a
 * statement, three commits a hundred), without any rule or counter.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libpq-fe.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "tests/bench/bench.h"

#define BATCH 100
#define BULK 1000

static const char *const tables[] = {
	"DROP SCHEMA IF EXISTS sortie_bench CASCADE",
	"CREATE SCHEMA sortie_bench",
	"CREATE TABLE sortie_bench.job (number bigserial PRIMARY KEY, "
	"submitted_at timestamptz NOT NULL DEFAULT now(), "
	"definition text NOT NULL)",
	"CREATE TABLE sortie_bench.queue (number bigint PRIMARY KEY)",
	"CREATE TABLE sortie_bench.live (number bigint PRIMARY KEY, "
	"run bigint NOT NULL)",
	"CREATE TABLE sortie_bench.ended (number bigint PRIMARY KEY, "
	"run bigint NOT NULL, ended_at timestamptz NOT NULL)",
};

static const char submit[] =
	"WITH j AS (INSERT INTO sortie_bench.job (definition) "
	"SELECT unnest($1::text[]) RETURNING number) "
	"INSERT INTO sortie_bench.queue SELECT number FROM j";

/* What a life is made of, in order. */
static const struct {
	const char *name, *sql;
} life[] = {
	{ "submit", submit },
	{ "grant",
	  "WITH d AS (DELETE FROM sortie_bench.queue q USING (SELECT number "
	  "FROM sortie_bench.queue ORDER BY number LIMIT 100) s "
	  "WHERE q.number = s.number RETURNING q.number), "
	  "l AS (INSERT INTO sortie_bench.live SELECT number, number FROM d) "
	  "SELECT j.number, j.definition FROM d "
	  "JOIN sortie_bench.job j ON j.number = d.number "
	  "WHERE $1::text[] IS NOT NULL" },
	{ "end",
	  "WITH d AS (DELETE FROM sortie_bench.live WHERE number = ANY (ARRAY("
	  "SELECT number FROM sortie_bench.live LIMIT 100)) RETURNING *) "
	  "INSERT INTO sortie_bench.ended SELECT number, run, now() FROM d "
	  "WHERE $1::text[] IS NOT NULL" },
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

static void check(PGconn *c, PGresult *r)
{
	if (PQresultStatus(r) != PGRES_COMMAND_OK &&
	    PQresultStatus(r) != PGRES_TUPLES_OK)
		errx(1, "%s", PQerrorMessage(c));
	PQclear(r);
}

static void run(PGconn *c, const char *name, const char *param)
{
	check(c, PQexecPrepared(c, name, 1, &param, NULL, NULL, 0));
}

/* The jobs of one statement, as an array in text. */
static char *definitions(int n)
{
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	for (int i = 0; i < n; i++)
		buf_addf(&b,
			 "%s\"{\\\"name\\\":\\\"zero work\\\",\\\"argv\\\":["
			 "\\\"/bin/true\\\"],\\\"env\\\":{\\\"INPUT_NUMBER"
			 "\\\":\\\"%06d\\\"},\\\"timeout\\\":600}\"",
			 i ? "," : "", i);
	buf_addc(&b, '}');
	return buf_take(&b);
}

/* Processor time of a process so far, in microseconds. */
static double cpu_us(int pid)
{
	char path[64], line[512];
	const char *p;
	unsigned long user, sys;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		err(1, "cannot read \"%s\"", path);
	fclose(f);
	p = strrchr(line, ')');
	if (!p || sscanf(p + 1,
			 " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			 "%lu %lu",
			 &user, &sys) != 2)
		errx(1, "\"%s\" has another form", path);
	return (double)(user + sys) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static void commits(PGconn *c, int64_t count)
{
	struct samples times = { 0 };
	char *one = definitions(1);

	for (int64_t i = 0; i < count; i++) {
		int64_t start = clock_mono_us();

		run(c, "submit", one);
		samples_add(&times, clock_mono_us() - start);
	}
	samples_print(&times, "commit");
	samples_fini(&times);
	free(one);
}

static void bulk(PGconn *c, int64_t count)
{
	char *many = definitions(BULK);
	int64_t start = clock_mono_us();

	for (int64_t i = 0; i < count; i += BULK)
		run(c, "submit", many);
	bench_print("inserted_per_s",
		    (double)count * 1e6 / (double)(clock_mono_us() - start));
	check(c, PQexec(c, "TRUNCATE sortie_bench.queue"));
	free(many);
}

static void lives(PGconn *c, int64_t count)
{
	char *some = definitions(BATCH);
	double cpu = cpu_us(PQbackendPID(c));
	int64_t start = clock_mono_us();

	for (int64_t i = 0; i < count; i += BATCH)
		for (size_t j = 0; j < N(life); j++)
			run(c, life[j].name, some);
	bench_print("lives_per_s",
		    (double)count * 1e6 / (double)(clock_mono_us() - start));
	bench_print("life_cpu_us",
		    (cpu_us(PQbackendPID(c)) - cpu) / (double)count);
	free(some);
}

int main(int argc, char **argv)
{
	const char *database = NULL;
	int64_t count = 50000;
	PGconn *c;

	bench_options(
		argc, argv,
		(const struct bench_option[]){ { "database", &database, NULL },
					       { "count", NULL, &count },
					       { NULL, NULL, NULL } });
	c = PQconnectdb(database);
	if (PQstatus(c) != CONNECTION_OK)
		errx(1, "%s", PQerrorMessage(c));
	check(c, PQexec(c, "SET client_min_messages = warning"));
	for (size_t i = 0; i < N(tables); i++)
		check(c, PQexec(c, tables[i]));
	for (size_t i = 0; i < N(life); i++)
		check(c, PQprepare(c, life[i].name, life[i].sql, 0, NULL));
	commits(c, 500);
	bulk(c, count);
	lives(c, count);
	check(c, PQexec(c, tables[0]));
	PQfinish(c);
	return 0;
}
