/* Walks UTF-8, because what others wrote need not be what it claims to be. */
#include "lib/utf8.h"

#include <stdint.h>

/* clang-format off */
/* RFC 3629's table of what may follow a first byte; the third and fourth bytes
 * are always 80 to bf. */
static const struct utf8_row {
	uint8_t first, last;
	uint8_t len;
	uint8_t low, high; /* of the second byte */
} rows[] = {
	{ 0x00, 0x7f, 1, 0x00, 0x00 },
	{ 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf },
	{ 0xed, 0xed, 3, 0x80, 0x9f },
	{ 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f },
};
/* clang-format on */

static const struct utf8_row *row_of(uint8_t first)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (first >= rows[i].first && first <= rows[i].last)
			return &rows[i];
	}
	return NULL;
}

size_t utf8_next(const char *s, size_t len, bool *ok)
{
	const uint8_t *p = (const uint8_t *)s;
	const struct utf8_row *row = row_of(p[0]);
	size_t i;

	*ok = false;
	if (row == NULL)
		return 1;
	for (i = 1; i < row->len; i++) {
		uint8_t low = i == 1 ? row->low : 0x80;
		uint8_t high = i == 1 ? row->high : 0xbf;

		if (i == len || p[i] < low || p[i] > high)
			return i;
	}
	*ok = true;
	return i;
}

size_t utf8_cut(const char *s, size_t len, size_t max)
{
	size_t cut = max;

	if (len <= max)
		return len;
	/* A character has at most three continuation bytes. */
	while (cut > 0 && max - cut < 3 && ((uint8_t)s[cut] & 0xc0) == 0x80)
		cut--;
	if (((uint8_t)s[cut] & 0xc0) == 0x80)
		return max;
	return cut;
}
