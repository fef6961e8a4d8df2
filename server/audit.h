/*
 * Checks of the invariants (I1, I3, I6, I11 and what foreign keys would do) on
 * a database as it is: `sortied --audit`.  All checks read one snapshot, so
 * servers may go on working.  Each check is a statement, sql/stmt/audit_*.sql,
 * that returns a row of text for each breach, at most 20.
 */
#ifndef SORTIE_SERVER_AUDIT_H
#define SORTIE_SERVER_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/err.h"

/* Prints each breach on standard output, warnings on standard error. False
 * when the checks could not be made. */
bool audit(const char *conninfo, size_t *breaches, struct err *e) MUST_CHECK;
/* Whether a connection string (either form) names more than one host. */
bool audit_many_hosts(const char *conninfo);

#endif
