/* What came back: values of rows, and what a failure means for whoever
 * asked. */
#include "server/db_int.h"

#include <stdlib.h>
#include <string.h>
#include "lib/id.h"
#include "lib/log.h"
#include "server/req.h"

#define CONTEXT_MAX 300 /* bytes of where an error was, in the log */

size_t db_rows(const struct db_result *r)
{
	return (size_t)PQntuples(r->res);
}

bool db_is_null(const struct db_result *r, size_t row, int col)
{
	return PQgetisnull(r->res, (int)row, col);
}

const char *db_text(const struct db_result *r, size_t row, int col)
{
	return PQgetvalue(r->res, (int)row, col);
}

size_t db_len(const struct db_result *r, size_t row, int col)
{
	return (size_t)PQgetlength(r->res, (int)row, col);
}

int64_t db_i64(const struct db_result *r, size_t row, int col)
{
	return strtoll(db_text(r, row, col), NULL, 10);
}

bool db_bool(const struct db_result *r, size_t row, int col)
{
	return db_text(r, row, col)[0] == 't';
}

bool db_bytes(const struct db_result *r, size_t row, int col, struct buf *b)
{
	const char *s = db_text(r, row, col);
	size_t len = db_len(r, row, col);

	if (len < 2 || len % 2 != 0 || s[0] != '\\' || s[1] != 'x')
		return false;
	len = (len - 2) / 2;
	buf_reserve(b, len);
	if (!id_unhex(s + 2, b->data + b->len, len))
		return false;
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

/*
 * The longest prefix that matches decides. key: the member of the error's
 * detail that holds the database's DETAIL; NULL: that is an object already.
 */
static const struct fault_class {
	const char *prefix;
	enum db_outcome outcome;
	enum err_code code;
	const char *key;
	bool ours;   /* the sentence is for the client */
	bool number; /* what stands under key */
} fault_classes[] = {
	{ "SO002", DB_DATA, ERR_BAD_REQUEST, "limit", true, false },
	{ "SO003", DB_DATA, ERR_CONFLICT, NULL, true, false },
	{ "SO004", DB_DATA, ERR_BAD_REQUEST, "sha256", true, false },
	{ "SO005", DB_DATA, ERR_CONFLICT, NULL, true, false },
	{ "SO006", DB_DATA, ERR_UNPROCESSABLE, NULL, true, false },
	{ "SO009", DB_DATA, ERR_INTERNAL, NULL, true, false },
	{ "SO010", DB_DATA, ERR_CONFLICT, "part", true, true },
	{ "SO011", DB_DATA, ERR_NOT_FOUND, NULL, true, false },
	{ "SO012", DB_DATA, ERR_CONFLICT, "path", true, false },
	{ "SO013", DB_DATA, ERR_BAD_REQUEST, "name", true, false },
	{ "SO014", DB_DATA, ERR_CONFLICT, "name", true, false },
	{ "SO016", DB_DATA, ERR_NOT_FOUND, NULL, true, false },
	{ "SO017", DB_DATA, ERR_BAD_REQUEST, "path", true, false },
	{ "SO020", DB_DATA, ERR_FORBIDDEN, NULL, true, false },
	{ "SO021", DB_DATA, ERR_BAD_REQUEST, NULL, true, false },
	{ "SO030", DB_DATA, ERR_TOO_MANY, "max_queued", true, true },
	{ "SO031", DB_DATA, ERR_NO_SPACE, "max_stored", true, true },
	{ "SO", DB_DATA, ERR_CONFLICT, NULL, true, false },
	{ "22", DB_DATA, ERR_BAD_REQUEST, NULL, true, false },
	{ "23", DB_DATA, ERR_CONFLICT, NULL, true, false },
	{ "40", DB_RETRY, ERR_UNAVAILABLE, NULL, false, false },
	{ "55P03", DB_RETRY, ERR_UNAVAILABLE, NULL, false, false },
	{ "08", DB_AWAY, ERR_UNAVAILABLE, NULL, false, false },
	{ "53", DB_AWAY, ERR_UNAVAILABLE, NULL, false, false },
	{ "57P0", DB_AWAY, ERR_UNAVAILABLE, NULL, false, false },
	{ "57014", DB_AWAY, ERR_UNAVAILABLE, NULL, false, false },
	{ "25006", DB_AWAY, ERR_UNAVAILABLE, NULL, false, false },
};

static const struct fault_class *fault_class_find(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(fault_classes) / sizeof(*fault_classes);
	     i++) {
		const struct fault_class *c = &fault_classes[i];

		if (strncmp(sqlstate, c->prefix, strlen(c->prefix)) == 0)
			return c;
	}
	return NULL;
}

void db_fault_away(struct db_fault *fault, const char *why)
{
	memset(fault, 0, sizeof(*fault));
	(void)err_set(&fault->err, ERR_UNAVAILABLE, "%s", why);
}

static void detail_fill(struct db_fault *fault, const struct fault_class *c,
			const char *detail)
{
	if (detail == NULL || !c->ours)
		return;
	if (c->key != NULL) {
		struct buf made;

		buf_init(&made);
		buf_addc(&made, '{');
		if (c->number)
			buf_json_kv_raw(&made, c->key, detail);
		else
			buf_json_kv_str(&made, c->key, detail);
		buf_addc(&made, '}');
		if (made.len < sizeof(fault->detail_room)) {
			memcpy(fault->detail_room, made.data, made.len + 1);
			fault->detail = fault->detail_room;
		}
		buf_fini(&made);
	} else if (detail[0] == '{') {
		fault->detail = detail;
	}
}

enum db_outcome db_fault_fill(struct db_fault *fault, PGconn *pg,
			      const PGresult *res, bool sent, bool alive)
{
	const char *state =
		res != NULL ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *text =
		res != NULL ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY)
			    : NULL;
	const struct fault_class *c;

	memset(fault, 0, sizeof(*fault));
	if (state == NULL) {
		if (alive)
			log_error("database: %s", PQerrorMessage(pg));
		if (sent) {
			(void)err_set(
				&fault->err, ERR_OUTCOME_UNKNOWN,
				"the database was lost before it answered; repeat the request");
			return DB_UNKNOWN;
		}
		(void)err_set(&fault->err, ERR_UNAVAILABLE,
			      "the database is away; try again soon");
		return DB_AWAY;
	}
	memcpy(fault->sqlstate, state, 5);
	if (text == NULL)
		text = "";
	c = fault_class_find(state);
	if (c == NULL) {
		const char *where = PQresultErrorField(res, PG_DIAG_CONTEXT);

		log_error("database: %s: %s%s%.*s", state, text,
			  where != NULL ? "; " : "", CONTEXT_MAX,
			  where != NULL ? where : "");
		(void)err_set(&fault->err, ERR_INTERNAL,
			      "the database refused a statement (%s)", state);
		return DB_BUG;
	}
	if (c->ours) {
		(void)err_set(&fault->err, c->code, "%s", text);
		detail_fill(fault, c,
			    PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL));
	} else {
		log_warn("database: %s: %s", state, text);
		(void)err_set(
			&fault->err, c->code,
			"the database is busy or away (%s); try again soon",
			state);
	}
	return c->outcome;
}

enum db_outcome db_fault_row(struct db_fault *fault, const struct db_result *r,
			     size_t row, int col)
{
	const char *state = db_text(r, row, col);
	const struct fault_class *c = fault_class_find(state);

	memset(fault, 0, sizeof(*fault));
	if (c != NULL && c->ours) {
		memcpy(fault->sqlstate, state, 5);
		(void)err_set(&fault->err, c->code, "%s",
			      db_text(r, row, col + 1));
		if (!db_is_null(r, row, col + 2))
			detail_fill(fault, c, db_text(r, row, col + 2));
		return c->outcome;
	}
	BUG("a row tells of the fault \"%s\"", state);
}

size_t db_stmt_find(const char *name)
{
	size_t low = 0, high = n_sql_stmts;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = strcmp(name, sql_stmts[mid].name);

		if (d == 0)
			return mid;
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	BUG("there is no statement \"%s\"", name);
}

void db_reply_fault(struct req *r, enum db_outcome o,
		    const struct db_fault *fault)
{
	if (o == DB_AWAY || o == DB_RETRY || o == DB_UNKNOWN)
		req_header_add(r, "Retry-After", "1");
	if (fault->detail != NULL)
		req_reply_err_detail(r, &fault->err, fault->detail);
	else
		req_reply_err(r, &fault->err);
}
