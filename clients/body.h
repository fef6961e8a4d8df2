/* Puts the bodies of changes together from what options give: the key
 * "max_running" is that of the option --max-running. What was not given (NULL)
 * is left out. */
#ifndef SORTIE_CLIENTS_BODY_H
#define SORTIE_CLIENTS_BODY_H

#include "lib/buf.h"
#include "lib/err.h"

void body_text(struct buf *b, const char *key, const char *text);
/* False with *e, which names the option, when text is no such number. */
bool body_number(struct buf *b, const char *key, const char *text, int64_t min,
		 int64_t max, struct err *e) MUST_CHECK;
bool body_seconds(struct buf *b, const char *key, const char *text,
		  struct err *e) MUST_CHECK;
bool body_bytes(struct buf *b, const char *key, const char *text,
		struct err *e) MUST_CHECK;
/* `none` becomes null, else as body_number or body_bytes. */
bool body_limit(struct buf *b, const char *key, const char *text, int64_t min,
		int64_t max, struct err *e) MUST_CHECK;
bool body_limit_bytes(struct buf *b, const char *key, const char *text,
		      struct err *e) MUST_CHECK;
/* NAME=VALUE of --env (NULL-terminated) as members of an object that the caller
 * has begun; what is given twice is as it was given last. */
bool body_env(struct buf *b, const char *const *env, struct err *e) MUST_CHECK;
/* The list, NULL-terminated, unless it is empty. */
void body_list(struct buf *b, const char *key, const char *const *list);

#endif
