/* `sortied --dev`: a local pilot beside the server, and what to export. */
#ifndef SORTIE_SERVER_DEV_H
#define SORTIE_SERVER_DEV_H

struct dev;
struct server;

/* Prints the exports and starts sortie-pilot (from the folder that sortied is
 * in, else from PATH) against the address. A pilot that cannot be started is
 * told of, no more. */
struct dev *dev_start(struct server *srv, const char *address);
/* Stops the pilot (drain, then kill) and waits for it. NULL ok. */
void dev_stop(struct dev *d);

#endif
