/*
 * The SQL of Sortie as the server carries it: the files of sql/schema,
 * sql/function and sql/stmt, put into C by sql/embed.awk at build time.
 */
#ifndef SORTIE_SQL_SQL_DATA_H
#define SORTIE_SQL_SQL_DATA_H

#include <stddef.h>

struct sql_stmt {
	const char *name; /* the file's, without folder and ".sql" */
	const char *text;
};

/* Sorted by name, as strcmp sorts. An entry of NULLs follows the last. */
extern const struct sql_stmt sql_stmts[];
extern const size_t n_sql_stmts;

struct sql_migration {
	int number;       /* ascending; numbers may be missing */
	const char *name; /* "first_tables" for 0001_first_tables.sql */
	const char *text;
};

/* In order of number. An entry of NULLs follows the last. */
extern const struct sql_migration sql_migrations[];
extern const size_t n_sql_migrations;

/* Files of functions, each a text of CREATE OR REPLACE. The same end. */
extern const struct sql_stmt sql_functions[];

#endif
