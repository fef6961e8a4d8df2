/* Seals and opens the values of jobs' secrets: see seal.h. */
#include "server/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include "lib/arena.h"
#include "lib/fd.h"
#include "lib/id.h"
#include "lib/json.h"
#include "lib/log.h"

#define KEY "secrets"
#define MARK "sealed:1:"
#define NONCE_LEN 12
#define TAG_LEN 16
#define HIDDEN "\"***\""

struct seal {
	uint8_t cipher[32], nonce[32]; /* keys made from the file's */
};

/* The key's file */

/* Two servers that start at once: the first one's stays. */
static bool make_file(const char *file, struct err *e)
{
	char *tmp = xasprintf("%s.%ld", file, (long)getpid()), hex[65];
	uint8_t key[32];
	int fd =
		open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		     0600);
	bool ok;

	id_random(key, sizeof(key));
	id_hex(key, sizeof(key), hex);
	ok = fd >= 0 && dprintf(fd, "%s\n", hex) == 65 && fsync(fd) == 0;
	ok = ok && (link(tmp, file) == 0 || errno == EEXIST) &&
	     fd_sync_folder(file);
	if (!ok)
		err_set_errno(e, ERR_IO,
			      "cannot write the file of the key for secrets, "
			      "\"%s\"",
			      file);
	if (fd >= 0)
		close(fd);
	(void)unlink(tmp);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(hex, sizeof(hex));
	free(tmp);
	return ok;
}

static bool read_file(int fd, const char *file, uint8_t key[32], struct err *e)
{
	char text[66] = "";
	struct stat st;
	bool ok = fstat(fd, &st) == 0 && read(fd, text, 65) >= 64;

	if (ok && (st.st_mode & 077))
		return err_set(e, ERR_FORBIDDEN,
			       "others may read the key for secrets in \"%s\": "
			       "chmod 600 it",
			       file);
	text[64] = '\0';
	ok = ok && id_unhex(text, key, 32);
	explicit_bzero(text, sizeof(text));
	return ok || err_set(e, ERR_BAD_REQUEST,
			     "\"%s\" is not a key for secrets: it has 64 "
			     "hexadecimal digits",
			     file);
}

struct seal *seal_open(const char *file, struct err *e)
{
	struct seal *s = NULL;
	uint8_t key[32];
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (!make_file(file, e))
			return NULL;
		fd = open(file, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0) {
		err_set_errno(e, ERR_IO,
			      "cannot read the key for secrets, "
			      "\"%s\"",
			      file);
		return NULL;
	}
	if (read_file(fd, file, key, e)) {
		s = xcalloc(1, sizeof(*s));
		id_hmac_sha256(key, sizeof(key), "cipher", 6, s->cipher);
		id_hmac_sha256(key, sizeof(key), "nonce", 5, s->nonce);
		explicit_bzero(key, sizeof(key));
	}
	close(fd);
	return s;
}

void seal_free(struct seal *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s, sizeof(*s));
	free(s);
}

/* One value */

/* in to out, which holds len bytes; the tag is made or checked. */
static bool gcm(const struct seal *s, bool seal, const uint8_t *nonce,
		const char *name, const uint8_t *in, size_t len, uint8_t *out,
		uint8_t *tag)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0, way = seal ? 1 : 0;
	bool ok;

	if (c == NULL)
		log_die("no memory for a cipher");
	ok = EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, s->cipher, nonce,
			       way) == 1 &&
	     EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)name,
			      (int)strlen(name)) == 1 &&
	     EVP_CipherUpdate(c, out, &n, in, (int)len) == 1;
	if (ok && !seal)
		ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN,
					 tag) == 1;
	ok = ok && EVP_CipherFinal_ex(c, out + n, &n) == 1;
	if (ok && seal)
		ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN,
					 tag) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

static void seal_value(const struct seal *s, const char *name,
		       const char *value, struct buf *out)
{
	size_t len = strlen(value);
	uint8_t *box = xmalloc(NONCE_LEN + len + TAG_LEN), mac[32];
	struct buf b = BUF_INIT;

	/* Name and value, so that equal nonces mean equal messages. */
	buf_add(&b, name, strlen(name) + 1);
	buf_add(&b, value, len);
	id_hmac_sha256(s->nonce, sizeof(s->nonce), b.data, b.len, mac);
	memcpy(box, mac, NONCE_LEN);
	if (!gcm(s, true, box, name, (const uint8_t *)value, len,
		 box + NONCE_LEN, box + NONCE_LEN + len))
		log_die("OpenSSL does not seal");
	explicit_bzero(b.data, b.len);
	b.len = 0;
	buf_adds(&b, MARK);
	id_base64(&b, box, NONCE_LEN + len + TAG_LEN);
	buf_json_kv_str(out, name, buf_str(&b));
	buf_fini(&b);
	free(box);
}

static void open_value(const struct seal *s, const char *name,
		       const char *value, struct buf *out)
{
	struct buf b = BUF_INIT;
	uint8_t *box;
	char *text = NULL;
	size_t len = 0;
	bool ok = strncmp(value, MARK, strlen(MARK)) == 0;

	value += ok ? strlen(MARK) : 0;
	ok = ok && id_unbase64(&b, value, strlen(value)) &&
	     b.len >= NONCE_LEN + TAG_LEN;
	if (ok) {
		box = (uint8_t *)b.data;
		len = b.len - NONCE_LEN - TAG_LEN;
		text = xcalloc(1, len + 1);
		ok = gcm(s, false, box, name, box + NONCE_LEN, len,
			 (uint8_t *)text, box + NONCE_LEN + len);
	}
	if (ok)
		buf_json_kv_str(out, name, text);
	else
		buf_json_kv_raw(out, name, "null");
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
	buf_fini(&b);
}

/* The definition */

static const char *string_end(const char *s)
{
	for (s++; *s != '"' && *s != '\0'; s++)
		if (*s == '\\' && s[1] != '\0')
			s++;
	return *s != '\0' ? s + 1 : s;
}

/* The value behind `secrets` in the outermost object, from *end - its length
 * on; NULL: there is none. It is an object of texts. */
static const char *find(const char *s, const char **end)
{
	const char *value = NULL;
	int depth = 0;

	if (strstr(s, "\"" KEY "\":") == NULL)
		return NULL;
	while (*s != '\0') {
		const char *next;

		if (*s != '"') {
			depth += *s == '{' || *s == '[';
			depth -= *s == '}' || *s == ']';
			s++;
			if (value != NULL && depth == 1) {
				*end = s;
				return value;
			}
			continue;
		}
		next = string_end(s);
		if (depth == 1 && *next == ':' &&
		    strncmp(s, "\"" KEY "\"", (size_t)(next - s)) == 0)
			next = value = next + 1;
		s = next;
	}
	return NULL;
}

struct members {
	const struct seal *seal;
	struct buf *sealed, *shown, *opened;
};

static bool on_member(const char *name, struct json_object *v, void *arg)
{
	struct members *m = arg;

	if (json_type(v) != JSON_STR)
		BUG("a secret that is no text was stored");
	if (m->sealed != NULL) {
		seal_value(m->seal, name, json_str(v), m->sealed);
		return true;
	}
	buf_json_kv_raw(m->shown, name, HIDDEN);
	open_value(m->seal, name, json_str(v), m->opened);
	return true;
}

/* Calls on_member for each, if there is any. */
static bool each(const char *value, const char *end, struct members *m)
{
	struct arena *a = arena_new();
	struct json_object *o;
	struct err e = ERR_INIT;
	bool ok = json_parse(a, value, (size_t)(end - value), &o, &e) &&
		  json_type(o) == JSON_OBJECT;

	if (ok)
		ok = json_each(o, on_member, m);
	arena_free(a);
	return ok;
}

bool seal_definition(const struct seal *s, const char *definition,
		     struct buf *out)
{
	struct members m = { .seal = s, .sealed = out };
	const char *end, *value = find(definition, &end);

	if (value == NULL)
		return false;
	buf_add(out, definition, (size_t)(value - definition));
	buf_addc(out, '{');
	if (!each(value, end, &m))
		BUG("the secrets of a definition are no object");
	buf_addc(out, '}');
	buf_adds(out, end);
	return true;
}

bool seal_open_definition(const struct seal *s, const char *definition,
			  struct buf *shown, struct buf *opened)
{
	struct members m = { .seal = s, .shown = shown, .opened = opened };
	const char *end, *value = find(definition, &end);

	if (value == NULL)
		return false;
	buf_add(shown, definition, (size_t)(value - definition));
	buf_addc(shown, '{');
	buf_addc(opened, '{');
	(void)each(value, end, &m);
	buf_addc(opened, '}');
	buf_addc(shown, '}');
	buf_adds(shown, end);
	return true;
}
