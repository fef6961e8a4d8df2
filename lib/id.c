/* Makes identifiers and secrets; the only module that includes OpenSSL. */
#include "lib/id.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "lib/arena.h"
#include "lib/log.h"

#define SALT_LOW_BITS 18

struct id_sha256_ctx {
	EVP_MD_CTX *md;
};

static const char hex_digits[] = "0123456789abcdef";

void id_random(void *p, size_t len)
{
	unsigned char *out = p;

	while (len > 0) {
		int part = len < INT_MAX ? (int)len : INT_MAX;

		if (RAND_bytes(out, part) != 1)
			log_die("this machine gives no random numbers "
				"(OpenSSL error %lx)",
				ERR_get_error());
		out += part;
		len -= (size_t)part;
	}
}

uint64_t id_random_u64(void)
{
	uint64_t v;

	id_random(&v, sizeof(v));
	return v;
}

/* Hexadecimal */

void id_hex(const void *p, size_t len, char *out)
{
	const uint8_t *in = p;

	for (size_t i = 0; i < len; i++) {
		*out++ = hex_digits[in[i] >> 4];
		*out++ = hex_digits[in[i] & 15];
	}
	*out = '\0';
}

int id_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool id_unhex(const char *s, void *out, size_t len)
{
	uint8_t *bytes = out;

	/* Looked at twice, so that a failure has no effect. */
	for (size_t i = 0; i < 2 * len; i++) {
		if (id_hex_value(s[i]) < 0)
			return false;
	}
	if (s[2 * len] != '\0')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned high = (unsigned)id_hex_value(s[2 * i]);
		unsigned low = (unsigned)id_hex_value(s[2 * i + 1]);

		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Digests */

static void must(int result, const char *what)
{
	if (result != 1)
		log_die("%s does not work here (OpenSSL error %lx)", what,
			ERR_get_error());
}

/* Fetched once: asking for it by name on each call costs more than hashing a
 * token. Lives as long as the process. */
static const EVP_MD *sha256(void)
{
	static EVP_MD *md;

	if (md == NULL) {
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
		must(md != NULL, "SHA-256");
	}
	return md;
}

void id_sha256(const void *p, size_t len, uint8_t out[32])
{
	must(EVP_Digest(len > 0 ? p : "", len, out, NULL, sha256(), NULL),
	     "SHA-256");
}

void id_hmac_sha256(const void *key, size_t key_len, const void *p, size_t len,
		    uint8_t out[32])
{
	if (key_len > INT_MAX)
		BUG("a key of %zu bytes", key_len);
	must(HMAC(sha256(), key_len > 0 ? key : "", (int)key_len,
		  len > 0 ? p : (const void *)"", len, out, NULL) != NULL,
	     "HMAC");
}

bool id_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

struct id_sha256_ctx *id_sha256_new(void)
{
	struct id_sha256_ctx *c = xcalloc(1, sizeof(*c));

	c->md = EVP_MD_CTX_new();
	must(c->md != NULL, "SHA-256");
	must(EVP_DigestInit_ex(c->md, sha256(), NULL), "SHA-256");
	return c;
}

void id_sha256_add(struct id_sha256_ctx *c, const void *p, size_t len)
{
	must(EVP_DigestUpdate(c->md, p, len), "SHA-256");
}

void id_sha256_end(struct id_sha256_ctx *c, uint8_t out[32])
{
	must(EVP_DigestFinal_ex(c->md, out, NULL), "SHA-256");
	EVP_MD_CTX_free(c->md);
	free(c);
}

/* Base 64 (RFC 4648, with padding) */

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void id_base64(struct buf *b, const void *p, size_t len)
{
	const uint8_t *in = p;

	if (len > SIZE_MAX / 8)
		BUG("%zu bytes for base 64", len);
	buf_reserve(b, (len + 2) / 3 * 4);
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)in[i] << 16;
		char out[4];

		if (n > 1)
			v |= (uint32_t)in[i + 1] << 8;
		if (n > 2)
			v |= in[i + 2];
		out[0] = base64_digits[v >> 18];
		out[1] = base64_digits[v >> 12 & 63];
		out[2] = n > 1 ? base64_digits[v >> 6 & 63] : '=';
		out[3] = n > 2 ? base64_digits[v & 63] : '=';
		buf_add(b, out, sizeof(out));
	}
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Four digits, of which the last two may be padding where the text ends.
 * Returns the number of bytes, 0 when they are no such group. */
static size_t base64_group(const char *s, bool last, uint8_t out[3])
{
	size_t pad = 0;
	uint32_t v = 0;

	if (last && s[3] == '=')
		pad = s[2] == '=' ? 2 : 1;
	for (size_t i = 0; i < 4; i++) {
		int digit = i < 4 - pad ? base64_value(s[i]) : 0;

		if (digit < 0)
			return 0;
		v = v << 6 | (uint32_t)digit;
	}
	/* One text for one value: bits beyond the last byte must be zero. */
	if ((v & ((UINT32_C(1) << 8 * pad) - 1)) != 0)
		return 0;
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
	return 3 - pad;
}

bool id_unbase64(struct buf *b, const char *s, size_t len)
{
	size_t before = b->len;
	uint8_t bytes[3];

	if (len % 4 != 0)
		return false;
	buf_reserve(b, len / 4 * 3);
	for (size_t i = 0; i < len; i += 4) {
		size_t n = base64_group(s + i, i + 4 == len, bytes);

		if (n == 0) {
			b->len = before;
			b->data[before] = '\0';
			return false;
		}
		buf_add(b, bytes, n);
	}
	return true;
}

/* UUIDs */

static void format_uuid(const uint8_t u[16], char *out)
{
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex_digits[u[i] >> 4];
		*out++ = hex_digits[u[i] & 15];
	}
	*out = '\0';
}

static bool parse_uuid(const char *s, uint8_t u[16])
{
	size_t at = 0;

	for (size_t i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && s[at++] != '-')
			return false;
		high = id_hex_value(s[at]);
		if (high < 0)
			return false;
		low = id_hex_value(s[at + 1]);
		if (low < 0)
			return false;
		u[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	return s[at] == '\0';
}

static void put_bits(uint8_t *u, size_t bytes, uint64_t v)
{
	while (bytes-- > 0) {
		u[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

void id_uuid_make(int64_t wall_ms, int64_t number, uint32_t salt, char *out)
{
	uint64_t low, n = (uint64_t)number;
	uint8_t u[16];

	if (wall_ms < 0 || wall_ms >> 48 != 0)
		BUG("%lld ms does not fit a UUID", (long long)wall_ms);
	if (number < 0 || number > ID_NUMBER_MAX)
		BUG("number %lld does not fit a UUID", (long long)number);
	salt &= (UINT32_C(1) << 30) - 1;
	low = UINT64_C(2) << 62 | n << SALT_LOW_BITS |
	      (salt & ((UINT32_C(1) << SALT_LOW_BITS) - 1));
	put_bits(u, 6, (uint64_t)wall_ms);
	put_bits(u + 6, 2, UINT64_C(7) << 12 | salt >> SALT_LOW_BITS);
	put_bits(u + 8, 8, low);
	format_uuid(u, out);
}

void id_uuid_random(char *out)
{
	uint8_t u[16];

	id_random(u, sizeof(u));
	u[6] = (u[6] & 0x0f) | 0x40;
	u[8] = (u[8] & 0x3f) | 0x80;
	format_uuid(u, out);
}

bool id_uuid_valid(const char *s)
{
	uint8_t u[16];

	return parse_uuid(s, u);
}

bool id_uuid_number(const char *s, int64_t *number)
{
	uint64_t low = 0;
	uint8_t u[16];

	if (!parse_uuid(s, u) || u[6] >> 4 != 7 || u[8] >> 6 != 2)
		return false;
	for (size_t i = 8; i < 16; i++)
		low = low << 8 | u[i];
	*number = (int64_t)(low >> SALT_LOW_BITS & (uint64_t)ID_NUMBER_MAX);
	return true;
}
