/* Puts together the sentences in which problems of the world are told. */
#include "lib/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/utf8.h"

static const struct err_row {
	const char *name;
	int status;
} rows[] = {
#define X(sym, name, status) [sym] = { name, status },
	ERR_TABLE(X)
#undef X
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* What was written into e->text may have been cut inside a character. */
static void trim(struct err *e, int len)
{
	if (len < 0)
		e->text[0] = '\0';
	else if ((size_t)len >= sizeof(e->text)) {
		size_t end = strlen(e->text);
		size_t at = end;
		bool ok;

		while (at > 0 && end - at < 3 &&
		       ((unsigned char)e->text[at - 1] & 0xc0) == 0x80)
			at--;
		if (at > 0 && ((unsigned char)e->text[at - 1] & 0x80) != 0) {
			utf8_next(e->text + at - 1, end - at + 1, &ok);
			if (!ok)
				e->text[at - 1] = '\0';
		}
	}
}

/* The sentence is made beside e->text, which may be among the arguments. */
static void fill(struct err *e, enum err_code code, const char *suffix,
		 const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static void fill(struct err *e, enum err_code code, const char *suffix,
		 const char *fmt, va_list ap)
{
	char text[sizeof(e->text)];
	int len;

	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (suffix != NULL && len >= 0)
		len = snprintf(e->text, sizeof(e->text), "%s: %s", text,
			       suffix);
	else
		memcpy(e->text, text, sizeof(text));
	e->code = code;
	trim(e, len);
}

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, code, NULL, fmt, ap);
	va_end(ap);
	return false;
}

bool err_set_errno(struct err *e, enum err_code code, const char *fmt, ...)
{
	char reason[128];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	fill(e, code, strerror_r(saved, reason, sizeof(reason)), fmt, ap);
	va_end(ap);
	errno = saved;
	return false;
}

bool err_prefix(struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->text)], old[sizeof(e->text)];
	va_list ap;

	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	trim(e, snprintf(e->text, sizeof(e->text), "%s: %s", text, old));
	return false;
}

const char *err_name(enum err_code code)
{
	return (size_t)code < N_ROWS ? rows[code].name : "internal";
}

int err_status(enum err_code code)
{
	return (size_t)code < N_ROWS ? rows[code].status : 500;
}

enum err_code err_from_name(const char *name)
{
	for (size_t i = 0; name != NULL && i < N_ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return (enum err_code)i;
	}
	return ERR_INTERNAL;
}
