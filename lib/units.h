/*
 * Durations and sizes as people write them: "90 s", "5 m", "2 h", "1 d",
 * "2 GiB", "500 MB", plain numbers.  No floating point; overflow is refused.
 * Blanks around number and unit do not matter, nor do capitals in a unit.
 */
#ifndef SORTIE_LIB_UNITS_H
#define SORTIE_LIB_UNITS_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/err.h"

/* Seconds; units s, m, h, d, w (also sec, min, hour, day); none means s. */
bool units_parse_seconds(const char *s, int64_t *out, struct err *e) MUST_CHECK;
/* Milliseconds; as above, with ms as well. */
bool units_parse_ms(const char *s, int64_t *out, struct err *e) MUST_CHECK;
/* Bytes; units B, kB MB GB TB (powers of 1000), KiB MiB GiB TiB (1024),
 * and K M G T, which mean KiB ... as batch systems use them. */
bool units_parse_bytes(const char *s, int64_t *out, struct err *e) MUST_CHECK;
/* A whole decimal number within bounds, nothing behind it. */
bool units_parse_i64(const char *s, int64_t min, int64_t max, int64_t *out,
		     struct err *e) MUST_CHECK;
/* "250 ms", "1.5 s", "2 m 05 s", "3 h 10 m", "4 d 2 h"; never rounded up. */
void units_format_ms(struct buf *b, int64_t ms);
/* "512 B", "1.5 KiB", "2 GiB"; never rounded up. */
void units_format_bytes(struct buf *b, int64_t bytes);

#endif
