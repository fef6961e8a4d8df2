/* Puts paths and queries of calls together, so that encoding is done once. */
#include "clients/query.h"

#include <string.h>
#include "lib/httpc.h"

static void add_name(struct buf *path, const char *name)
{
	buf_addc(path, strchr(buf_str(path), '?') ? '&' : '?');
	buf_adds(path, name);
	buf_addc(path, '=');
}

void query_add(struct buf *path, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	add_name(path, name);
	httpc_escape(path, value);
}

void query_add_i64(struct buf *path, const char *name, int64_t value)
{
	add_name(path, name);
	buf_add_i64(path, value);
}

void query_add_joined(struct buf *path, const char *name,
		      const char *const *values)
{
	struct buf all = BUF_INIT;

	for (; values != NULL && *values != NULL; values++) {
		if (all.len > 0)
			buf_addc(&all, ',');
		buf_adds(&all, *values);
	}
	query_add(path, name, buf_str(&all));
	buf_fini(&all);
}

void query_path(struct buf *path, const char *prefix, const char *name)
{
	buf_adds(path, prefix);
	httpc_escape(path, name);
}
