/*
 * What the options of `job submit` change in the jobs of a file: --set, --env,
 * --tag, --input, --send and the short forms.  A job's text goes in, the text
 * that is sent comes out.
 */
#ifndef SORTIE_CLIENTS_PATCH_H
#define SORTIE_CLIENTS_PATCH_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"

struct patch;

struct patch *patch_new(struct arena *a);
/* key takes the place of the job's own; json is a JSON value. */
void patch_set(struct patch *p, const char *key, const char *json);
void patch_set_text(struct patch *p, const char *key, const char *text);
/* "key=value": value is JSON, or else text; keys whose values are texts take
 * everything as text. */
bool patch_set_word(struct patch *p, const char *word,
		    struct err *e) MUST_CHECK;
/* "NAME=VALUE" joins the member `object`: "env", "tags" or "labels"; later
 * wins. */
bool patch_join(struct patch *p, const char *object, const char *word,
		struct err *e) MUST_CHECK;
/* json, an object's text, is added to the list `send` of each job. */
void patch_send(struct patch *p, const char *json);
bool patch_is_empty(const struct patch *p);
/* Writes the changed job. input: value of P3S_INPUT_FILE or NULL. False when
 * env, tags or send of the job have a form that nothing can be added to. */
bool patch_write(const struct patch *p, struct json_object *job,
		 const char *input, const char *where, struct buf *out,
		 struct err *e) MUST_CHECK;

#endif
