/* `sortied --dev`: a local pilot beside the server, and what to export. */
#ifndef SORTIE_SERVER_DEV_H
#define SORTIE_SERVER_DEV_H

struct dev;
struct server;

/* Prints the exports and starts sortie-pilot (from the folder that sortied is
 * in, else from PATH) against the address. A pilot that cannot be started is
 * told of, no more. */
struct dev *dev_start(struct server *srv, const char *address);
/* Tells the pilot to drain; ended is called once, from the loop or at once,
 * when it has left, or when it had to be killed. */
void dev_end(struct dev *d, void (*ended)(void *arg), void *arg);
/* Kills what is still there. NULL ok. */
void dev_free(struct dev *d);

#endif
