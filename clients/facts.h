/* What `show` commands print of one thing: a name and a value a line, the
 * names of equal width. */
#ifndef SORTIE_CLIENTS_FACTS_H
#define SORTIE_CLIENTS_FACTS_H

#include "lib/json.h"

/* NULL or empty values are left out. Control characters are made harmless but
 * for line ends, which indent what follows. */
void facts_text(const char *name, const char *value);
void facts_printf(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The member of an object: text, number, true; a list of texts with commas;
 * an object as k=v. */
void facts_member(const char *name, struct json_object *o, const char *key);
/* An RFC 3339 time as local time and age. */
void facts_time(const char *name, struct json_object *o, const char *key);
/* The members of an object as further lines, one each. */
void facts_object(const char *name, struct json_object *o);

#endif
