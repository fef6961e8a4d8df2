/* Time: monotonic for waiting, wall clock only for people. */
#ifndef SORTIE_LIB_CLOCK_H
#define SORTIE_LIB_CLOCK_H

#include <stdint.h>
#include "lib/buf.h"

int64_t clock_mono_ms(void); /* milliseconds, never goes back */
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* milliseconds since 1970, UTC */
/* "2026-11-22T07:21:38.123Z" */
void clock_format_utc(struct buf *b, int64_t wall_ms);

#endif
