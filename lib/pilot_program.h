/* Where the program sortie-pilot is. */
#ifndef SORTIE_LIB_PILOT_PROGRAM_H
#define SORTIE_LIB_PILOT_PROGRAM_H

#include "lib/arena.h"

/* Beside this program, as built or as installed, else in PATH; NULL when
 * nowhere. In the arena. */
const char *pilot_program_find(struct arena *a);

#endif
