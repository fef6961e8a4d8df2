/* Hashes and uploads the files that jobs bring into their directories. */
#include "clients/sendfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "clients/call.h"
#include "lib/id.h"

#define FILE_MAX (1024 * 1024)

static bool read_content(int fd, const char *path, struct buf *b, struct err *e)
{
	buf_reserve(b, FILE_MAX + 1);
	while (b->len <= FILE_MAX) {
		ssize_t n = read(fd, b->data + b->len, FILE_MAX + 1 - b->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(e, ERR_IO, "cannot read \"%s\"",
					     path);
		if (n == 0)
			break;
		b->len += (size_t)n;
	}
	b->data[b->len <= FILE_MAX ? b->len : FILE_MAX] = '\0';
	if (b->len > FILE_MAX)
		return err_set(e, ERR_TOO_LARGE,
			       "\"%s\" is larger than "
			       "1 MiB: put it where the payload can read it "
			       "and give its path",
			       path);
	return true;
}

static bool load(const char *path, struct buf *b, struct stat *st,
		 struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0 || fstat(fd, st) != 0) {
		err_set_errno(e, ERR_IO, "cannot open \"%s\"", path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (!S_ISREG(st->st_mode)) {
		close(fd);
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" is no file that "
			       "can be sent",
			       path);
	}
	ok = read_content(fd, path, b, e);
	close(fd);
	return ok;
}

static void split(struct arena *a, const char *word, struct sendfile *out)
{
	const char *colon = strrchr(word, ':');
	const char *slash;

	out->path = arena_strdup(a, word);
	if (colon != NULL && colon != word && colon[1] != '\0' &&
	    access(word, F_OK) != 0) {
		out->path = arena_strndup(a, word, (size_t)(colon - word));
		out->name = arena_strdup(a, colon + 1);
		return;
	}
	slash = strrchr(out->path, '/');
	out->name = slash ? slash + 1 : out->path;
}

bool sendfile_read(struct arena *a, const char *word, struct sendfile *out,
		   struct err *e)
{
	struct buf b = BUF_INIT;
	uint8_t hash[32];
	struct stat st;
	bool ok;

	*out = (struct sendfile){ 0 };
	split(a, word, out);
	ok = load(out->path, &b, &st, e);
	if (ok) {
		id_sha256(b.data, b.len, hash);
		id_hex(hash, sizeof(hash), out->sha256);
		out->size = (int64_t)b.len;
		out->mode = st.st_mode & 0777;
	}
	buf_fini(&b);
	return ok;
}

void sendfile_json(struct buf *b, const struct sendfile *f)
{
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", f->mode);
	buf_addc(b, '{');
	buf_json_kv_str(b, "name", f->name);
	buf_json_kv_str(b, "sha256", f->sha256);
	buf_json_kv_i64(b, "size", f->size);
	buf_json_kv_str(b, "mode", mode);
	buf_addc(b, '}');
}

static bool is_there(struct cli *c, const char *path)
{
	struct call_request r = { .method = "HEAD", .path = path };
	struct err ignored = ERR_INIT;
	struct httpc_reply reply;
	bool there;

	if (!call_raw(c, &r, &reply, &ignored))
		return false;
	there = reply.status == 200;
	httpc_reply_fini(&reply);
	return there;
}

bool sendfile_upload(struct cli *c, const struct sendfile *f, struct err *e)
{
	char path[128];
	struct call_request r = { .method = "PUT",
				  .path = path,
				  .content_type = "application/octet-stream" };
	struct buf b = BUF_INIT;
	struct call_answer answer;
	struct stat st;
	bool ok;

	snprintf(path, sizeof(path), "/api/v1/files/%s", f->sha256);
	if (is_there(c, path))
		return true;
	ok = load(f->path, &b, &st, e);
	if (ok) {
		r.body = b.data;
		r.body_len = b.len;
		ok = call_send(c, c->arena, &r, &answer, e);
	}
	buf_fini(&b);
	return ok || err_prefix(e, "cannot upload \"%s\"", f->path);
}
