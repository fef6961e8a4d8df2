/*
 * The embedded database's configuration: who may connect (nobody but us, on a
 * private Unix socket), and settings for this load on this machine.  Files of
 * ours are written anew at each start; an operator's own go into
 * pg/local.conf, which is read after them.
 */
#include "server/embedded_int.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/units.h"

#define MIB (INT64_C(1) << 20)

/* The same on every machine. Durability stays as PostgreSQL has it: what was
 * acknowledged survives a power cut. naptime: the queue and lease tables are
 * small and change wholly within seconds; vacuumed once a minute they halve
 * the rate within a million jobs (measured). */
static const char fixed[] = "listen_addresses = ''\n"
			    "port = 5432\n"
			    "unix_socket_permissions = 0700\n"
			    "max_connections = 100\n"
			    "fsync = on\n"
			    "synchronous_commit = on\n"
			    "full_page_writes = on\n"
			    "wal_buffers = 16MB\n"
			    "checkpoint_timeout = 15min\n"
			    "checkpoint_completion_target = 0.9\n"
			    "jit = off\n"
			    "max_parallel_workers_per_gather = 0\n"
			    "random_page_cost = 1.1\n"
			    "work_mem = 16MB\n"
			    "huge_pages = try\n"
			    "max_locks_per_transaction = 256\n"
			    "autovacuum = on\n"
			    "autovacuum_naptime = 1s\n"
			    "autovacuum_vacuum_cost_delay = 0\n"
			    "idle_in_transaction_session_timeout = 60s\n"
			    "timezone = 'UTC'\n"
			    "log_timezone = 'UTC'\n"
			    "lc_messages = 'C'\n"
			    "logging_collector = on\n"
			    "log_directory = 'log'\n"
			    "log_filename = 'postgresql-%a.log'\n"
			    "log_rotation_age = 1d\n"
			    "log_rotation_size = 0\n"
			    "log_truncate_on_rotation = on\n"
			    "log_line_prefix = '%m [%p] %a '\n"
			    "log_autovacuum_min_duration = 60s\n";

static int64_t clamp(int64_t v, int64_t min, int64_t max)
{
	return v < min ? min : v > max ? max : v;
}

/* A container's bound counts where it is lower than the machine's memory. */
static int64_t cgroup_memory(const char *path)
{
	int64_t bytes = 0;
	char text[32] = "";
	struct err e;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return INT64_MAX;
	text[strcspn(text, "\n")] = '\0';
	return units_parse_i64(text, 1, INT64_MAX, &bytes, &e) ? bytes
							       : INT64_MAX;
}

static int64_t memory_bytes(void)
{
	static const char *const bounds[] = {
		"/sys/fs/cgroup/memory.max",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes",
	};
	int64_t pages = sysconf(_SC_PHYS_PAGES);
	int64_t bytes = pages * sysconf(_SC_PAGESIZE);

	if (pages <= 0)
		return 1024 * MIB;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		int64_t bound = cgroup_memory(bounds[i]);

		if (bound < bytes)
			bytes = bound;
	}
	return bytes;
}

static int64_t disk_free(const char *dir)
{
	struct statvfs vfs;

	if (statvfs(dir, &vfs) != 0)
		return 4096 * MIB;
	return (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
}

/* A value in the form of postgresql.conf; paths may hold anything. */
static void add_quoted(struct buf *b, const char *s)
{
	buf_addc(b, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			buf_addc(b, *s);
		buf_addc(b, *s);
	}
	buf_addc(b, '\'');
}

static void add_size(struct buf *b, const char *name, int64_t bytes)
{
	buf_addf(b, "%s = %lldMB\n", name, (long long)(bytes / MIB));
}

static void fill_settings(struct embedded *em, struct buf *b)
{
	int64_t memory = memory_bytes();
	int64_t wal = clamp(disk_free(em->dir) / 8, 256 * MIB, 4096 * MIB);

	buf_adds(b, "# Written by sortied at each start. Put settings of your "
		    "own into local.conf.\n");
	buf_adds(b, fixed);
	buf_adds(b, "unix_socket_directories = ");
	add_quoted(b, em->sockets);
	buf_addc(b, '\n');
	/* The tables that are hot are small; the rest is the system's cache's
	 * business, and others live on this machine too. */
	add_size(b, "shared_buffers", clamp(memory / 16, 64 * MIB, 1024 * MIB));
	add_size(b, "effective_cache_size",
		 clamp(memory / 2, 256 * MIB, INT64_C(65536) * MIB));
	add_size(b, "maintenance_work_mem",
		 clamp(memory / 64, 32 * MIB, 256 * MIB));
	add_size(b, "max_wal_size", wal);
	add_size(b, "min_wal_size", wal / 4);
}

/* Written beside and renamed, so that the database never reads half a file. */
static bool write_file(struct embedded *em, const char *dir, const char *name,
		       const struct buf *b, struct err *e)
{
	const char *path = arena_printf(em->arena, "%s/%s", dir, name);
	const char *tmp = arena_printf(em->arena, "%s.new", path);
	int fd;
	bool ok;

	/* The database's user owns the directory: follow nothing there. */
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = fd >= 0 && fd_write_all(fd, buf_str(b), b->len) &&
	     (!em->other_user || fchown(fd, em->uid, em->gid) == 0) &&
	     fsync(fd) == 0;
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	if (ok && rename(tmp, path) == 0)
		return true;
	return err_set_errno(e, ERR_IO, "cannot write \"%s\"", path);
}

/* Peer authentication with a map: the kernel says who is at the other end of
 * the socket, and only the database's own user and ours are somebody. */
static void fill_ident(struct embedded *em, struct buf *b)
{
	struct passwd *pw = getpwuid(geteuid());

	buf_addf(b, "sortied \"%s\" sortie\n", em->user);
	if (pw != NULL && strcmp(pw->pw_name, em->user) != 0)
		buf_addf(b, "sortied \"%s\" sortie\n", pw->pw_name);
}

bool embedded_configure(struct embedded *em, const char *dir, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok;

	fill_settings(em, &b);
	ok = write_file(em, dir, "sortied.conf", &b, e);
	buf_reset(&b);
	buf_adds(&b, "local all all peer map=sortied\n");
	ok = ok && write_file(em, dir, "pg_hba.conf", &b, e);
	buf_reset(&b);
	fill_ident(em, &b);
	ok = ok && write_file(em, dir, "pg_ident.conf", &b, e);
	buf_fini(&b);
	return ok;
}
