/*
 * The pilot's parent, whose only work is to outlive it: whatever the pilot's
 * payloads leave behind becomes the keeper's child and is killed when the
 * pilot has died, however it died.
 */
#ifndef SORTIE_PILOT_KEEPER_H
#define SORTIE_PILOT_KEEPER_H

#include <sys/types.h>

/* In the pilot: the keeper's pid, or 0 when keeper_become was not called. */
pid_t keeper_pid(void);
/* In the pilot: a descriptor that becomes readable when the keeper dies (the
 * pilot must then end all its payloads and itself), or -1. */
int keeper_fd(void);

#endif
