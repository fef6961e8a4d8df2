/* One line of `sortie doctor` each: what was looked at, how it is, what to
 * do. */
#ifndef SORTIE_CLIENTS_DOCTOR_H
#define SORTIE_CLIENTS_DOCTOR_H

#include "clients/cli.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
	struct cli *c;
	int n[3];        /* findings by level */
	struct buf json; /* with --json: the list of findings */
};

void doctor_tell(struct doctor *d, enum doctor_level level, const char *what,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* This machine: libraries, config file, cgroups, disk, programs, limits. */
void doctor_machine(struct doctor *d);
/* The server: reachable, ready, token, version, clock, pilots. */
void doctor_server(struct doctor *d);

#endif
