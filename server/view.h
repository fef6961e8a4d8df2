/*
 * What the reading handlers share: who asks, as parameters of a statement;
 * pages of lists; and the replies that a statement's result makes as it is.
 */
#ifndef SORTIE_SERVER_VIEW_H
#define SORTIE_SERVER_VIEW_H

#include "server/db.h"
#include "server/refs.h"
#include "server/req.h"

#define VIEW_PAGE_MAX 1000
#define VIEW_PAGE 100
#define VIEW_WAIT_MAX_S 60
#define VIEW_SINCE_MAX_S INT64_C(10000000000)

/* Adds two parameters: the owner's id (NULL for admins and for readers who see
 * everybody's) and the ids of the projects that the token is bound to (empty:
 * all). */
void view_p_who(struct db_params *p, const struct req *r);
/* Only the first of the two. */
void view_p_owner(struct db_params *p, const struct req *r);
void view_p_projects(struct db_params *p, const struct req *r);
/* Adds two arrays: lower and upper ends. NULL refs: two NULLs. */
void view_p_refs(struct db_params *p, struct req *r, const struct refs *refs);
/* A list of words between commas as an array of text; NULL: NULL. */
void view_p_words(struct db_params *p, struct req *r, const char *words);

/* page_size from the query. */
bool view_page(struct req *r, int32_t *size, struct err *e) MUST_CHECK;
/* The cursor of a list by numbers; *below is 0 on the first page. */
bool view_below(struct req *r, int64_t *below, struct err *e) MUST_CHECK;
void view_p_below(struct db_params *p, int64_t below);
/* What stands between two items of the list that was asked for: "," or, for
 * NDJSON, "\n". */
const char *view_between(struct req *r);
/* arg is the request. Columns items and next, as of all list statements. */
void view_on_list(enum db_outcome o, const struct db_result *res,
		  const struct db_fault *fault, void *arg);

/* arg is the request. Column 0 of the only row is the reply; no row is 404,
 * and r->data (const char *) says of what: "job 17". */
void view_on_one(enum db_outcome o, const struct db_result *res,
		 const struct db_fault *fault, void *arg);
void view_reply_missing(struct req *r, const char *what);
/* As the above for a handler that has the row already. */
void view_reply_text(struct req *r, const struct db_result *res, int col);

/* wait from the query as the monotonic time when it is over; 0 = no wait. */
bool view_deadline(struct req *r, int64_t *deadline_ms,
		   struct err *e) MUST_CHECK;

/* The body as an object that is decoded by the table. */
bool view_body(struct req *r, const struct json_field *fields, size_t n,
	       void *out, struct err *e) MUST_CHECK;

#endif
