/* The key by which a client repeats a request without doing it twice. */
#include "server/idempotency.h"

#include <string.h>
#include "lib/id.h"

#define IDEMPOTENCY_MAX 200

static bool key_ok(const char *s)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if (s[n] < '!' || s[n] > '~' || n == IDEMPOTENCY_MAX)
			return false;
	return n > 0;
}

bool idempotency_key(struct req *r, const char **out, struct err *e)
{
	const char *s = req_header(r, "Idempotency-Key");

	if (s != NULL && !key_ok(s))
		return err_set(
			e, ERR_BAD_REQUEST,
			"the Idempotency-Key must be 1 to %d printable characters without blanks",
			IDEMPOTENCY_MAX);
	*out = arena_strdup(r->arena, s);
	return true;
}

void idempotency_hash(struct req *r, uint8_t out[32])
{
	struct id_sha256_ctx *c = id_sha256_new();

	id_sha256_add(c, r->path, strlen(r->path) + 1);
	id_sha256_add(c, r->body, r->body_len);
	id_sha256_end(c, out);
}
