/*
 * What a unit test program is made of: a table of named claims, each a
 * function with checks that show the values when they fail.  One program per
 * module; output is TAP; CUnit runs the tests and is included only by unit.c.
 *
 *	static void empty_text_has_no_words(void)
 *	{
 *		...
 *		CHECK_INT_EQ(n, 0);
 *	}
 *
 *	static const struct unit_test tests[] = {
 *		{ "empty text has no words", empty_text_has_no_words },
 *	};
 *
 *	int main(void)
 *	{
 *		return unit_main("words", tests, UNIT_N(tests));
 *	}
 *
 * A check that fails lets the test go on, REQUIRE ends it: use that only
 * where going on would read through NULL.  Every check gives its result.
 */
#ifndef SORTIE_TESTS_UNIT_H
#define SORTIE_TESTS_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

struct unit_test {
	const char *name; /* the claim, unique in its program */
	void (*run)(void);
};

#define UNIT_N(array) (sizeof(array) / sizeof((array)[0]))

/* The exit status: 0 when every planned test has run and none has failed. */
int unit_main(const char *module, const struct unit_test *tests, size_t n);

/* Paths, borrowed until the program ends, when the files are removed. A new
 * file with that content (mode 0600), or a path in the program's own new
 * folder where nothing is yet. */
const char *unit_file(const char *content, size_t len);
const char *unit_path(const char *name);
/* The whole file, NUL-terminated; the caller frees. Dies when unreadable. */
char *unit_slurp(const char *path);

#define CHECK_TRUE(e) unit_true(__FILE__, __LINE__, #e, (e), true)
#define CHECK_FALSE(e) unit_true(__FILE__, __LINE__, #e, (e), false)
/* Whole numbers up to int64_t; the second for size_t and uint64_t. */
#define CHECK_INT_EQ(got, want) \
	unit_int(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_UINT_EQ(got, want) \
	unit_uint(__FILE__, __LINE__, #got, (got), (want))
/* Either may be NULL. */
#define CHECK_STR_EQ(got, want) \
	unit_str(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_MEM_EQ(got, want, len) \
	unit_mem(__FILE__, __LINE__, #got, (got), (want), (len))
#define CHECK_CONTAINS(text, part) \
	unit_contains(__FILE__, __LINE__, #text, (text), (part))
#define CHECK_NULL(p) unit_null(__FILE__, __LINE__, #p, (p), true)
#define CHECK_NOT_NULL(p) unit_null(__FILE__, __LINE__, #p, (p), false)
/* The call gave true; err (not a pointer) tells why not. */
#define CHECK_OK(call, err) unit_ok(__FILE__, __LINE__, #call, (call), &(err))
/* err (not a pointer) holds that code and a sentence that contains part. */
#define CHECK_ERR(err, want, part) \
	unit_err(__FILE__, __LINE__, &(err), (want), (part))
/* The call gave false, and err says so. */
#define CHECK_FAILS(call, err, want, part) \
	unit_fails(__FILE__, __LINE__, #call, (call), &(err), (want), (part))
/* fn(arg) ends a child process: want is a signal's number, or 256 + an exit
 * status; part is in what it wrote to standard error. */
#define CHECK_DIES(fn, arg, want, part) \
	unit_dies(__FILE__, __LINE__, #fn, (fn), (arg), (want), (part))
#define UNIT_EXIT(status) (256 + (status))
#define REQUIRE(e) ((e) ? (void)0 : unit_require(__FILE__, __LINE__, #e))

bool unit_true(const char *file, int line, const char *expr, bool got,
	       bool want);
bool unit_int(const char *file, int line, const char *expr, int64_t got,
	      int64_t want);
bool unit_uint(const char *file, int line, const char *expr, uint64_t got,
	       uint64_t want);
bool unit_str(const char *file, int line, const char *expr, const char *got,
	      const char *want);
bool unit_mem(const char *file, int line, const char *expr, const void *got,
	      const void *want, size_t len);
bool unit_contains(const char *file, int line, const char *expr,
		   const char *text, const char *part);
bool unit_null(const char *file, int line, const char *expr, const void *p,
	       bool want);
bool unit_ok(const char *file, int line, const char *expr, bool got,
	     const struct err *e);
bool unit_err(const char *file, int line, const struct err *e,
	      enum err_code want, const char *part);
bool unit_fails(const char *file, int line, const char *expr, bool got,
		const struct err *e, enum err_code want, const char *part);
bool unit_dies(const char *file, int line, const char *expr,
	       void (*fn)(void *arg), void *arg, int want, const char *part);
_Noreturn void unit_require(const char *file, int line, const char *expr);

#endif
