/*
 * Identifiers and secrets: random bytes, hexadecimal, SHA-256, HMAC, base64
 * and the UUIDs (version 7) that carry their object's number.
 *
 * A Sortie UUID is 48 bits of milliseconds, the version, 12 bits of salt, the
 * variant, 44 bits of the object's number and 18 bits of salt.  So a UUID
 * leads to its row by the number's primary key, without a second index, and
 * the row's own UUID must still match it (RFC 9562 leaves those bits to the
 * maker and names a counter as one use).
 */
#ifndef SORTIE_LIB_ID_H
#define SORTIE_LIB_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/err.h"

#define ID_UUID_LEN 36
#define ID_NUMBER_MAX ((INT64_C(1) << 44) - 1)

/* Dies when the machine has no randomness. */
void id_random(void *p, size_t len);
uint64_t id_random_u64(void);

/* out holds 2 * len + 1 bytes; lower case. */
void id_hex(const void *p, size_t len, char *out);
/* The value of a hexadecimal digit of either case; -1: it is none. */
int id_hex_value(char c);
/* False unless s is exactly 2 * len hexadecimal digits. */
bool id_unhex(const char *s, void *out, size_t len) MUST_CHECK;

void id_sha256(const void *p, size_t len, uint8_t out[32]);
void id_hmac_sha256(const void *key, size_t key_len, const void *p, size_t len,
		    uint8_t out[32]);
/* Compares in constant time. */
bool id_equal(const void *a, const void *b, size_t len) MUST_CHECK;

/* Streaming SHA-256 for files. */
struct id_sha256_ctx;
struct id_sha256_ctx *id_sha256_new(void);
void id_sha256_add(struct id_sha256_ctx *c, const void *p, size_t len);
void id_sha256_end(struct id_sha256_ctx *c, uint8_t out[32]); /* frees c */

/* RFC 4648 with padding, appended to b. Reading accepts exactly what writing
 * makes (no blanks, no loose bits) and leaves b alone otherwise. */
void id_base64(struct buf *b, const void *p, size_t len);
bool id_unbase64(struct buf *b, const char *s, size_t len) MUST_CHECK;

/* salt: 30 random bits; the upper 12 stand behind the version, the lower 18
 * behind the number. wall_ms and number must fit (BUG otherwise). out holds ID_UUID_LEN + 1 bytes. */
void id_uuid_make(int64_t wall_ms, int64_t number, uint32_t salt, char *out);
/* A plain random UUID (version 4). */
void id_uuid_random(char *out);
/* True when s has the form of a UUID (any version; hex in either case). */
bool id_uuid_valid(const char *s) MUST_CHECK;
/* The number that a UUID of ours carries; false for other forms. */
bool id_uuid_number(const char *s, int64_t *number) MUST_CHECK;

#endif
