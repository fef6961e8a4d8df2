/*
 * A growing run of bytes: what replies, requests, reports and files are put
 * together in.  data is always NUL-terminated one past len, so a buf that
 * holds text is also a C string.  The owner calls buf_fini.
 */
#ifndef SORTIE_LIB_BUF_H
#define SORTIE_LIB_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct buf {
	char *data;
	size_t len;
	size_t cap;
};

/* clang-format off */
#define BUF_INIT { NULL, 0, 0 }
/* clang-format on */

void buf_init(struct buf *b);
/* As buf_init; the arena's end is the buf's. */
void buf_init_in(struct buf *b, struct arena *a);
void buf_fini(struct buf *b);
void buf_reset(struct buf *b); /* len = 0, memory stays */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_add_i64(struct buf *b, int64_t v);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* The text, never NULL. */
const char *buf_str(const struct buf *b);
/* The caller owns the memory (free); the buf is empty afterwards. */
char *buf_take(struct buf *b);

/* JSON text. Strings are quoted and escaped; NULL is written as null.
 * Bytes that are not UTF-8 become U+FFFD. */
void buf_json_str(struct buf *b, const char *s);
void buf_json_strn(struct buf *b, const char *s, size_t len);
/* "key": — with a comma before it unless the last byte is '{' or '['. */
void buf_json_key(struct buf *b, const char *key);
void buf_json_kv_str(struct buf *b, const char *key, const char *s);
void buf_json_kv_i64(struct buf *b, const char *key, int64_t v);
void buf_json_kv_bool(struct buf *b, const char *key, bool v);
/* json is inserted as it is. */
void buf_json_kv_raw(struct buf *b, const char *key, const char *json);
/* A comma unless the last byte is '{', '[' or ',' or the buf is empty. */
void buf_json_comma(struct buf *b);

#endif
