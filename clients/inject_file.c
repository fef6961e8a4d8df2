/* Looks at one file for the injector: see inject_file.h. */
#include "clients/inject_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/id.h"
#include "lib/utf8.h"

#define URI "file://"

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool inject_look(const char *path, bool follow, struct inject_look *out)
{
	struct stat st;
	int64_t named;

	if (lstat(path, &st) != 0)
		return false;
	out->link = S_ISLNK(st.st_mode);
	if (out->link && (!follow || stat(path, &st) != 0))
		return false;
	if (!S_ISREG(st.st_mode))
		return false;
	named = ns_of(st.st_ctim);
	out->size = st.st_size;
	out->mtime_ns = ns_of(st.st_mtim);
	out->touched_ms =
		(named > out->mtime_ns ? named : out->mtime_ns) / 1000000;
	return true;
}

/* The kernel grants a lease for reading only while nobody has the file open
 * for writing. It is given back at once: who opens it meanwhile waits for
 * microseconds. */
bool inject_busy(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOATIME);
	bool busy;

	if (fd < 0)
		return false;
	busy = fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
	if (!busy)
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	close(fd);
	return busy;
}

bool inject_wanted(const char *const *patterns, const char *name)
{
	if (patterns == NULL || patterns[0] == NULL)
		return name[0] != '.';
	for (; *patterns != NULL; patterns++)
		if (fnmatch(*patterns, name, FNM_PERIOD) == 0)
			return true;
	return false;
}

static bool is_text(const char *s, size_t len)
{
	bool ok = true;

	for (size_t at = 0; at < len && ok;) {
		if ((unsigned char)s[at] < ' ' || s[at] == 0x7f)
			return false;
		at += utf8_next(s + at, len - at, &ok);
	}
	return ok;
}

bool inject_text(struct buf *b, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";

	if (is_text(path, strlen(path))) {
		buf_adds(b, path);
		return true;
	}
	buf_adds(b, URI);
	for (; *path != '\0'; path++) {
		if (strchr(plain, *path) != NULL)
			buf_addc(b, *path);
		else
			buf_addf(b, "%%%02X", (unsigned char)*path);
	}
	return false;
}

void inject_untext(struct buf *b, const char *text)
{
	int high, low;

	if (strncmp(text, URI, sizeof(URI) - 1) != 0) {
		buf_adds(b, text);
		return;
	}
	for (text += sizeof(URI) - 1; *text != '\0'; text++) {
		high = *text == '%' ? id_hex_value(text[1]) : -1;
		low = high >= 0 ? id_hex_value(text[2]) : -1;
		if (low < 0) {
			buf_addc(b, *text);
			continue;
		}
		buf_addc(b, (char)(high << 4 | low));
		text += 2;
	}
}
