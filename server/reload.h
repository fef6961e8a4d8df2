/* What SIGHUP does. */
#ifndef SORTIE_SERVER_RELOAD_H
#define SORTIE_SERVER_RELOAD_H

#include "lib/arena.h"
#include "server/options.h"

struct tls;

/* Opens the log again, reads the certificate again (tls may be NULL), and
 * options and config file: what may change while the server runs is changed in
 * *set, of the rest it is said that it needs a restart. A file with a fault
 * changes nothing. The new texts stay in the arena a. */
void reload(struct arena *a, struct settings *set, struct tls *tls, int argc,
	    char **argv);

#endif
