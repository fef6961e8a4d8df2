/* What sortied does besides serving, each with its exit status. */
#ifndef SORTIE_SERVER_TOOLS_H
#define SORTIE_SERVER_TOOLS_H

struct settings;

/* Method, path and roles of every route, one a line. */
int tools_print_routes(void);
/* Names each breach of the invariants: 0 none, 3 some, 1 cannot tell. */
int tools_audit(const struct settings *set);
/* Gives a restored database's cluster a new identity. */
int tools_restored(const struct settings *set);

#endif
