/*
 * JSON from outside, read strictly.  This is the only module that includes
 * json-c, which is lenient where a server must not be (library-traps in
 * doc/decisions): so text is first checked here byte by byte against
 * RFC 8259 (position of the fault, duplicate keys, control characters, lone
 * surrogates, NUL, UTF-8, depth, numbers that do not fit 64 bits), and only
 * then handed to json-c.  Values are borrowed from the document; the document
 * belongs to the arena.
 */
#ifndef SORTIE_LIB_JSON_H
#define SORTIE_LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

struct json_object; /* json-c's; borrowed */
#define JSON_DEPTH_MAX 16

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_DOUBLE,
	JSON_STR,
	JSON_ARRAY,
	JSON_OBJECT
};

/* Checks text only. The message names line and column. */
bool json_check(const char *text, size_t len, struct err *e) MUST_CHECK;
/* Checks and parses one document. *out lives as long as the arena. */
bool json_parse(struct arena *a, const char *text, size_t len,
		struct json_object **out, struct err *e) MUST_CHECK;

enum json_type json_type(const struct json_object *o);
const char *json_type_name(enum json_type t); /* "a string", "a list" ... */
/* NULL when absent (a null value is an object of type JSON_NULL too). */
struct json_object *json_get(struct json_object *o, const char *key);
size_t json_len(struct json_object *o); /* of a list or an object */
struct json_object *json_at(struct json_object *array, size_t i);
/* These abort (BUG) when the type is another one: check first. */
const char *json_str(struct json_object *o);
size_t json_str_len(struct json_object *o);
int64_t json_int(struct json_object *o);
bool json_bool(struct json_object *o);
/* Calls fn for each member in order; stops and returns false when fn does. */
bool json_each(struct json_object *o,
	       bool (*fn)(const char *key, struct json_object *v, void *arg),
	       void *arg);
/* Compact text, keys in document order, appended to b. */
void json_write(struct buf *b, struct json_object *o);
/* As json_write, but the keys of every object sorted: equal values give equal
 * text, whatever the order they were written in (hashes, comparisons). */
void json_write_sorted(struct buf *b, struct json_object *o);

/*
 * Table-driven decoding of an object into a struct: unknown keys, wrong types
 * and numbers out of range are refused by name.  A key that is absent leaves
 * the field as it is; null counts as absent.
 */
enum json_kind {
	JK_STR,     /* const char *, NUL-free, at most max bytes (max 0: any) */
	JK_I64,     /* int64_t; a string of digits is accepted with JF_LOOSE */
	JK_I32,     /* int32_t, likewise */
	JK_BOOL,    /* bool */
	JK_OBJECT,  /* struct json_object * of type object */
	JK_ARRAY,   /* struct json_object * of type list */
	JK_ANY,     /* struct json_object * */
	JK_SECONDS, /* int64_t seconds from a number or "90 s", "5 m" */
	JK_BYTES    /* int64_t bytes from a number or "2 GiB" */
};

#define JF_REQUIRED 1u
#define JF_LOOSE 2u

struct json_field {
	const char *key;
	enum json_kind kind;
	size_t offset; /* of the field in the struct */
	unsigned flags;
	int64_t min, max;   /* numbers: range; both 0 means any */
	size_t seen_offset; /* of a bool set when present; 0 = none: the
				   first member must not be such a bool */
};

/* where: what the message begins with ("job 3", "the body"); may be "". */
bool json_decode(struct json_object *o, const struct json_field *fields,
		 size_t n, void *out, const char *where,
		 struct err *e) MUST_CHECK;

/* For replies of other programs: NULL, 0 or false when absent or of another
 * type. */
const char *json_get_str(struct json_object *o, const char *key);
int64_t json_get_int(struct json_object *o, const char *key);
bool json_get_bool(struct json_object *o, const char *key);

#endif
