/* Files that travel with a job (--send): known by the hash of their content,
 * uploaded only when the server has not got them yet. */
#ifndef SORTIE_CLIENTS_SENDFILE_H
#define SORTIE_CLIENTS_SENDFILE_H

#include "clients/cli.h"

struct sendfile {
	const char *path; /* here */
	const char *name; /* in the working directory */
	char sha256[65];
	int64_t size;
	unsigned mode; /* permissions */
};

/* word: "FILE", or "FILE:NAME" for another name there. Reads and hashes it. */
bool sendfile_read(struct arena *a, const char *word, struct sendfile *out,
		   struct err *e) MUST_CHECK;
/* The object of the job's `send` list. */
void sendfile_json(struct buf *b, const struct sendfile *f);
bool sendfile_upload(struct cli *c, const struct sendfile *f,
		     struct err *e) MUST_CHECK;

#endif
