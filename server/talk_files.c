/*
 * Reads what the end of a run tells of files: which inputs the pilot saw, and
 * which outputs are there, with their sizes and checksums.
 */
#include <stddef.h>
#include <string.h>
#include "lib/id.h"
#include "lib/json.h"
#include "server/talk.h"

#define FILES_MAX 1000
#define FILES_BYTES_MAX 65536
#define PATH_BYTES_MAX 4096
#define SHA256_DIGITS 64

struct file {
	int64_t size;
	const char *path, *sha256;
};

static const struct json_field file_fields[] = {
	{ "path", JK_STR, offsetof(struct file, path), JF_REQUIRED, 0,
	  PATH_BYTES_MAX, 0 },
	{ "size", JK_I64, offsetof(struct file, size), 0, 0, INT64_MAX, 0 },
	{ "sha256", JK_STR, offsetof(struct file, sha256), 0, 0, SHA256_DIGITS,
	  0 },
};

static bool file_read(struct json_object *o, struct err *e)
{
	struct file f = { 0 };
	uint8_t hash[32];

	if (json_type(o) != JSON_OBJECT)
		return err_set(
			e, ERR_BAD_REQUEST,
			"inputs and outputs of an end are lists of objects");
	if (!json_decode(o, file_fields,
			 sizeof(file_fields) / sizeof(file_fields[0]), &f,
			 "a file of an end", e))
		return false;
	if (f.sha256 != NULL && !id_unhex(f.sha256, hash, sizeof(hash)))
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" is not a SHA-256: 64 hexadecimal digits",
			       f.sha256);
	return true;
}

static bool list_read(struct json_object *list, size_t *n, struct err *e)
{
	size_t len = list != NULL ? json_len(list) : 0;

	*n += len;
	if (*n > FILES_MAX)
		return err_set(e, ERR_BAD_REQUEST,
			       "an end tells of more than %d files", FILES_MAX);
	for (size_t i = 0; i < len; i++)
		if (!file_read(json_at(list, i), e))
			return false;
	return true;
}

static void list_write(struct buf *b, const char *key, struct json_object *list)
{
	if (list == NULL)
		return;
	buf_json_key(b, key);
	json_write(b, list);
}

bool talk_files(struct arena *a, struct json_object *inputs,
		struct json_object *outputs, bool left_out, const char **out,
		struct err *e)
{
	struct buf b = BUF_INIT;
	size_t n = 0;
	bool ok;

	if (inputs == NULL && outputs == NULL)
		return true;
	if (!list_read(inputs, &n, e) || !list_read(outputs, &n, e))
		return false;
	buf_addc(&b, '{');
	list_write(&b, "inputs", inputs);
	list_write(&b, "outputs", outputs);
	if (left_out)
		buf_json_kv_bool(&b, "left_out", true);
	buf_addc(&b, '}');
	ok = b.len <= FILES_BYTES_MAX;
	if (ok)
		*out = arena_strndup(a, b.data, b.len);
	buf_fini(&b);
	return ok ||
	       err_set(e, ERR_TOO_LARGE,
		       "what an end tells of files has more than %d bytes",
		       FILES_BYTES_MAX);
}
