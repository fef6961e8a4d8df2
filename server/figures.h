/* What the database tells about itself, for /metrics: rows, dead rows and
 * bytes of each table, and how old the oldest snapshot is. Asked for once a
 * minute, for nothing of it changes fast. */
#ifndef SORTIE_SERVER_FIGURES_H
#define SORTIE_SERVER_FIGURES_H

struct figures;
struct server;

struct figures *figures_new(struct server *srv);
void figures_free(struct figures *f);

#endif
