/* Times, ages and amounts as people read them. Pure. */
#ifndef SORTIE_CLIENTS_HUMAN_H
#define SORTIE_CLIENTS_HUMAN_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"

/* "2026-11-22T07:21:38.123Z" -> milliseconds since 1970. */
bool human_time_parse(const char *text, int64_t *ms)
	__attribute__((warn_unused_result));
/* "2026-11-22 08:21:38" in the local time zone. */
void human_time(struct buf *b, int64_t ms);
/* One number and one unit: "12 s", "5 m", "3 h", "2 d"; less than a second is
 * "0 s", below zero (clocks differ) too. */
void human_age(struct buf *b, int64_t ms);
/* "12,345" */
void human_count(struct buf *b, int64_t n);
/* "1 job", "12,345 jobs" */
void human_plural(struct buf *b, int64_t n, const char *noun);

#endif
