/* Parameters of a statement: arrays travel in PostgreSQL's binary form, so
 * that nothing is quoted, parsed or escaped on the way. */
#include "server/db_int.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include "lib/log.h"

#define OID_BOOL 16
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_INT2 21
#define OID_INT4 23
#define OID_TEXT 25

/* dimensions, has nulls, element type, length, lower bound */
#define HEADER_LEN 20

struct db_array {
	struct buf b;
	enum db_elem elem;
	size_t n;
	bool nulls;
};

static const uint32_t elem_oid[] = {
	[DB_I16] = OID_INT2,  [DB_I32] = OID_INT4,  [DB_I64] = OID_INT8,
	[DB_BOOL] = OID_BOOL, [DB_TEXT] = OID_TEXT, [DB_BYTEA] = OID_BYTEA,
};

struct db_params *db_params_new(struct arena *a)
{
	struct db_params *p = ARENA_NEW(a, struct db_params);

	p->arena = a;
	return p;
}

static void param_add(struct db_params *p, const char *v, size_t len,
		      int format)
{
	if (p->n == DB_PARAMS_MAX)
		BUG("more than %d parameters", DB_PARAMS_MAX);
	p->value[p->n] = v;
	p->len[p->n] = (int)len;
	p->format[p->n] = format;
	p->n++;
}

void db_p_text(struct db_params *p, const char *s)
{
	param_add(p, arena_strdup(p->arena, s), 0, 0);
}

void db_p_i64(struct db_params *p, int64_t v)
{
	param_add(p, arena_printf(p->arena, "%lld", (long long)v), 0, 0);
}

void db_p_i32(struct db_params *p, int32_t v)
{
	db_p_i64(p, v);
}

void db_p_bool(struct db_params *p, bool v)
{
	param_add(p, v ? "t" : "f", 0, 0);
}

void db_p_bytes(struct db_params *p, const void *v, size_t len)
{
	param_add(p, arena_memdup(p->arena, v, len), len, 1);
}

void db_p_null(struct db_params *p)
{
	param_add(p, NULL, 0, 0);
}

static void array_release(void *p)
{
	buf_fini(&((struct db_array *)p)->b);
}

struct db_array *db_array_new(struct arena *a, enum db_elem elem)
{
	struct db_array *v = ARENA_NEW(a, struct db_array);
	static const char header[HEADER_LEN];

	v->elem = elem;
	buf_init(&v->b);
	buf_add(&v->b, header, HEADER_LEN);
	arena_defer(a, array_release, v);
	return v;
}

static void put32(char *at, uint32_t v)
{
	v = htobe32(v);
	memcpy(at, &v, 4);
}

void db_a_i64(struct db_array *v, int64_t x)
{
	char item[12];
	size_t len = 0;
	uint64_t wide = htobe64((uint64_t)x);

	switch (v->elem) {
	case DB_BOOL:
		item[4] = x != 0;
		len = 1;
		break;
	case DB_I16:
		len = 2;
		break;
	case DB_I32:
		len = 4;
		break;
	case DB_I64:
		len = 8;
		break;
	case DB_TEXT:
	case DB_BYTEA:
		BUG("a number in an array of texts");
	}
	put32(item, (uint32_t)len);
	if (v->elem != DB_BOOL)
		memcpy(item + 4, (char *)&wide + 8 - len, len);
	buf_add(&v->b, item, 4 + len);
	v->n++;
}

void db_a_text(struct db_array *v, const char *s, size_t len)
{
	char head[4];

	if (v->elem != DB_TEXT && v->elem != DB_BYTEA)
		BUG("a text in an array of numbers");
	put32(head, (uint32_t)len);
	buf_add(&v->b, head, 4);
	buf_add(&v->b, s, len);
	v->n++;
}

void db_a_null(struct db_array *v)
{
	buf_add(&v->b, "\377\377\377\377", 4);
	v->nulls = true;
	v->n++;
}

size_t db_a_len(const struct db_array *v)
{
	return v->n;
}

void db_p_array(struct db_params *p, struct db_array *v)
{
	put32(v->b.data, v->n > 0);
	put32(v->b.data + 4, v->nulls);
	put32(v->b.data + 8, elem_oid[v->elem]);
	put32(v->b.data + 12, (uint32_t)v->n);
	put32(v->b.data + 16, 1);
	param_add(p, v->b.data, v->n > 0 ? v->b.len : 12, 1);
}
