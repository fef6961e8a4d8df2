/* Where one character of UTF-8 ends, and whether it is one at all. */
#ifndef SORTIE_LIB_UTF8_H
#define SORTIE_LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the first character of s, len > 0. When they are no character
 * (*ok false), what one replacement character should stand for: at least one
 * byte. Surrogates, overlong forms and what lies beyond U+10FFFF are none. */
size_t utf8_next(const char *s, size_t len, bool *ok);
/* The longest prefix of s of at most max bytes that cuts no character. */
size_t utf8_cut(const char *s, size_t len, size_t max);

#endif
