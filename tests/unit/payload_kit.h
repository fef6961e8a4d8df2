/*
 * What the tests of payloads share: a host on a spool of its own, runs made
 * from a definition's text, and waiting on the loop with a deadline.
 */
#ifndef SORTIE_TESTS_PAYLOAD_KIT_H
#define SORTIE_TESTS_PAYLOAD_KIT_H

#include <stdbool.h>
#include <stdint.h>
#include "pilot/payload.h"

struct kit_run {
	struct payload *p;
	bool started, ended, freed;
	int outputs;            /* calls of on_output */
	bool started_first;     /* before on_ended */
	struct payload_end end; /* as it was in on_ended */
	char reason[1024];
};

extern struct payload_settings kit_settings; /* before kit_open */
extern struct payload_host *kit_host;
extern const char *kit_timeout; /* of the grants, "0" */
extern const char *kit_index;   /* "null" */

/* Default settings with a fresh spool; tests change what they need. */
void kit_defaults(void);
void kit_open(void);
void kit_close(void); /* checks that the spool is empty */

/* definition: JSON. Zeroes *r. Dies when the grant is refused. */
void kit_start(struct kit_run *r, const char *definition,
	       const char *const *files);
/* Runs the loop until ready says so, at most 20 s. */
bool kit_wait_for(bool (*ready)(void *arg), void *arg);
/* The same until *flag. */
bool kit_wait(const bool *flag);
/* Runs the loop until the stream holds that many bytes. */
bool kit_wait_output(struct kit_run *r, enum payload_stream s, int64_t size);
/* start and wait for the end. */
void kit_run(struct kit_run *r, const char *definition);
/* Everything that can be read of the stream; the caller frees. */
char *kit_output(struct kit_run *r, enum payload_stream s, int64_t *len);
void kit_free(struct kit_run *r);
/* True once the process is gone or a zombie; waits 10 s at most. */
bool kit_dies(int pid);
int kit_open_descriptors(void);
/* True, and says so as the reason for skipping, under valgrind, which keeps
 * `what` to itself. */
bool kit_valgrind_keeps(const char *what);

#endif
