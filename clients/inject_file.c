/* Looks at one file for the injector: see inject_file.h. */
#include "clients/inject_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "lib/id.h"
#include "lib/utf8.h"

#define URI "file://"

/* A file may bear any time; beyond these (1684 and 2255) it is not kept. */
#define SECONDS_MIN INT64_C(-9000000000)
#define SECONDS_MAX INT64_C(9000000000)

static int64_t ns_of(struct timespec t)
{
	int64_t s = t.tv_sec;

	if (s < SECONDS_MIN || s > SECONDS_MAX)
		return (s < 0 ? SECONDS_MIN : SECONDS_MAX) * 1000000000;
	return s * 1000000000 + t.tv_nsec;
}

bool inject_is_remote(const struct statfs *fs)
{
	static const long types[] = {
		0x6969,     /* NFS */
		0x517b,     /* SMB */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x65735546, /* FUSE */
		0x01021997, /* 9P */
		0x5346414f, /* AFS */
		0x6b414653, /* AFS of the kernel */
		0x73757245, /* Coda */
		0x0bd00bd0, /* Lustre */
		0x47504653, /* GPFS */
		0x00c36400, /* Ceph */
		0x19830326, /* BeeGFS */
		0x20030528, /* OrangeFS */
		0xaad7aaea, /* PanFS */
		0xbeefdead, /* StorNext */
		0x61636673, /* ACFS */
		0x013111a8, /* IBRIX */
		0x01161970, /* GFS2 */
		0x7461636f, /* OCFS2 */
		0x7c7c6673, /* Parallels' shared folders */
		0x786f4256, /* VirtualBox's shared folders */
		0xbacbacbc, /* VMware's */
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((fs->f_type & 0xffffffffL) == types[i])
			return true;
	return false;
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

/* NFS and others answer stat() for seconds from what they remember; opening a
 * file makes them ask. */
bool inject_look_anew(const char *path, bool follow, struct inject_look *out)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY |
				    (follow ? 0 : O_NOFOLLOW));

	if (fd >= 0)
		close(fd);
	return inject_look(path, follow, out);
}

/* The kernel grants a lease for reading only while nobody has the file open
 * for writing. It is given back at once: who opens it meanwhile waits for
 * microseconds. */
bool inject_busy(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOATIME);
	struct statfs fs;
	bool busy;

	if (fd < 0)
		return false;
	/* SMB refuses leases of files that nobody has open, too. */
	busy = fstatfs(fd, &fs) == 0 && !inject_is_remote(&fs) &&
	       fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
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
