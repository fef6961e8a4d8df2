/*
 * Makes, checks, reuses and removes the directories that runs have in the
 * spool.  All names are relative to the spool's descriptor, so a spool that is
 * moved or mounted over does not lead anywhere else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/clock.h"
#include "lib/id.h"
#include "lib/json.h"
#include "pilot/rmtree.h"
#include "pilot/runas.h"
#include "pilot/sendfile.h"
#include "pilot/userpath.h"
#include "pilot/workdir.h"

#define SLOT_PREFIX "slot-"
#define KEPT_PREFIX "run-"
#define GONE_PREFIX "gone-"
/* Entries removed in one step: about 10 ms on a disk. */
#define STEP 1000
/* An output file longer than this is made anew instead of truncated. */
#define REUSE_MAX ((off_t)1 << 20)
#define JOB_FILE_MAX ((off_t)4 << 20)
/* No file system that has modes keeps coarser times than whole seconds. */
#define SETTLED_MS 1500

struct workdir_pool {
	int spool_fd;
	const char *spool;
	unsigned next; /* number of the next new slot */
	bool unclean;  /* gone-* are there */
	LIST_HEAD(workdir_list, workdir) spare;
};

static const char *const file_name[WORKDIR_N] = { "stdout", "stderr",
						  "job.json" };
static const char work_name[] = "work";

struct workdir_pool *workdir_pool_new(int spool_fd, const char *spool)
{
	struct workdir_pool *pool = xcalloc(1, sizeof(*pool));

	pool->spool_fd = spool_fd;
	pool->spool = spool;
	pool->unclean = true; /* a predecessor's, perhaps */
	LIST_INIT(&pool->spare);
	return pool;
}

/* The slot becomes gone-NAME when it cannot be removed in one step. */
static void drop_dir(struct workdir_pool *pool, const char *name)
{
	char gone[64];

	if (rmtree(pool->spool_fd, name, STEP) == 0)
		return;
	/* The time keeps it from an older one of the same name. */
	snprintf(gone, sizeof(gone), GONE_PREFIX "%.24s-%llx", name,
		 (unsigned long long)clock_mono_us());
	(void)renameat(pool->spool_fd, name, pool->spool_fd, gone);
	pool->unclean = true;
}

static void close_all(struct workdir *w)
{
	for (int i = 0; i < WORKDIR_N; i++)
		if (w->fd[i] >= 0)
			close(w->fd[i]);
	if (w->dir_fd >= 0)
		close(w->dir_fd);
	if (w->work_fd >= 0)
		close(w->work_fd);
	free(w->work);
	free(w->job_file);
	free(w);
}

void workdir_pool_free(struct workdir_pool *pool)
{
	struct workdir *w;

	while ((w = LIST_FIRST(&pool->spare))) {
		LIST_REMOVE(w, link);
		drop_dir(pool, w->name);
		close_all(w);
	}
	while (workdir_clean(pool))
		;
	free(pool);
}

static bool cannot_make(struct workdir_pool *pool, struct err *e)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return err_set(e, ERR_NO_SPACE,
			       "disk full: no room for a working "
			       "directory under '%s'",
			       pool->spool);
	return err_set_errno(e, ERR_IO,
			     "cannot make a working directory "
			     "under '%s'",
			     pool->spool);
}

static bool make_dir(struct workdir *w)
{
	struct workdir_pool *pool = w->pool;

	do {
		snprintf(w->name, sizeof(w->name), SLOT_PREFIX "%u",
			 pool->next++);
		if (mkdirat(pool->spool_fd, w->name, 0700) == 0)
			break;
		if (errno != EEXIST) {
			*w->name = '\0';
			return false;
		}
	} while (true);
	w->dir_fd = openat(pool->spool_fd, w->name,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->dir_fd >= 0;
}

static bool make_entries(struct workdir *w)
{
	struct stat st;

	if (mkdirat(w->dir_fd, work_name, 0700) != 0)
		return false;
	w->work_fd = openat(w->dir_fd, work_name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->work_fd < 0 || fstat(w->work_fd, &st) != 0)
		return false;
	w->ino[WORKDIR_N] = st.st_ino;
	for (int i = 0; i < WORKDIR_N; i++) {
		w->fd[i] = openat(w->dir_fd, file_name[i],
				  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (w->fd[i] < 0 || fstat(w->fd[i], &st) != 0)
			return false;
		w->ino[i] = st.st_ino;
	}
	return true;
}

static struct workdir *make_slot(struct workdir_pool *pool, struct err *e)
{
	struct workdir *w = xcalloc(1, sizeof(*w));

	w->pool = pool;
	w->dir_fd = w->work_fd = -1;
	for (int i = 0; i < WORKDIR_N; i++)
		w->fd[i] = -1;
	if (!make_dir(w) || !make_entries(w)) {
		cannot_make(pool, e);
		if (*w->name)
			drop_dir(pool, w->name);
		close_all(w);
		return NULL;
	}
	w->work = xasprintf("%s/%s/%s", pool->spool, w->name, work_name);
	w->job_file = xasprintf("%s/%s/%s", pool->spool, w->name,
				file_name[WORKDIR_JOB]);
	return w;
}

struct workdir *workdir_take(struct workdir_pool *pool, struct err *e)
{
	struct workdir *w = LIST_FIRST(&pool->spare);

	if (!w)
		return make_slot(pool, e);
	LIST_REMOVE(w, link);
	return w;
}

struct entry { /* as getdents64 gives it */
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

/* Which of ours an entry is; -1 = none. */
static int which(const struct workdir *w, const struct entry *de)
{
	for (int i = 0; i < WORKDIR_N; i++)
		if (de->ino == w->ino[i] && !strcmp(de->name, file_name[i]))
			return i;
	if (de->ino == w->ino[WORKDIR_N] && !strcmp(de->name, work_name))
		return WORKDIR_N;
	return -1;
}

/* The directory holds our entries, `want` of them, and nothing else. */
static bool holds_just(const struct workdir *w, int fd, int want)
{
	_Alignas(struct entry) char text[1024];
	long n, at = 0;
	int seen = 0;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return false;
	/* What is just ours fits; a second call tells that this is all. */
	n = syscall(SYS_getdents64, fd, text, sizeof(text));
	while (at < n) {
		const struct entry *de = (const void *)(text + at);

		at += de->len;
		if (strcmp(de->name, ".") == 0 || strcmp(de->name, "..") == 0)
			continue;
		if (which(w, de) < 0)
			return false;
		seen++;
	}
	return n > 0 && seen == want &&
	       syscall(SYS_getdents64, fd, text, sizeof(text)) == 0;
}

/* Its only name is ours: else a run could read the next one's output by it. */
static bool is_private(int fd, mode_t mode, off_t *size)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || (st.st_mode & 07777) != mode ||
	    st.st_nlink != 1)
		return false;
	*size = st.st_size;
	return true;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A directory that we have looked through is looked through again only when
 * its time of change, which nobody can set, is another one; or so soon after
 * its last change that a second one may have got the same time. */
static bool is_clean(const struct workdir *w, int fd, int want,
		     struct workdir_seen *seen)
{
	int64_t now = clock_mono_ms();
	struct stat st;

	if (fstat(fd, &st) != 0 || (st.st_mode & 07777) != 0700)
		return false;
	if (!same_time(&st.st_ctim, &seen->changed)) {
		seen->changed = st.st_ctim;
		seen->since_ms = now;
		seen->settled = false;
	}
	if (seen->settled)
		return true;
	seen->settled = now - seen->since_ms >= SETTLED_MS;
	return holds_just(w, fd, want);
}

static bool as_it_was(struct workdir *w)
{
	off_t size;

	if (w->changed || !is_clean(w, w->work_fd, 0, &w->seen_work) ||
	    !is_clean(w, w->dir_fd, WORKDIR_N + 1, &w->seen_dir))
		return false;
	for (int i = 0; i < WORKDIR_JOB; i++) {
		if (!is_private(w->fd[i], 0600, &size) || size > REUSE_MAX)
			return false;
		if (size > 0 && ftruncate(w->fd[i], 0) != 0)
			return false;
	}
	return is_private(w->fd[WORKDIR_JOB], 0600, &w->job_size);
}

static void keep(struct workdir *w, const char *run)
{
	char kept[64];

	snprintf(kept, sizeof(kept), KEPT_PREFIX "%s", run);
	(void)unlinkat(w->dir_fd, file_name[WORKDIR_JOB], 0);
	(void)futimens(w->dir_fd, NULL);
	(void)renameat(w->pool->spool_fd, w->name, w->pool->spool_fd, kept);
}

void workdir_give(struct workdir *w, enum workdir_fate fate, const char *run)
{
	if (fate == WORKDIR_REUSE && as_it_was(w)) {
		LIST_INSERT_HEAD(&w->pool->spare, w, link);
		return;
	}
	if (fate == WORKDIR_KEEP)
		keep(w, run);
	else
		drop_dir(w->pool, w->name);
	close_all(w);
}

int workdir_open_output(const struct workdir *w, enum workdir_file f)
{
	return openat(w->dir_fd, file_name[f],
		      O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
}

bool workdir_write_job(struct workdir *w, const void *data, size_t len,
		       struct err *e)
{
	int fd = w->fd[WORKDIR_JOB];
	ssize_t n;

	do {
		n = pwrite(fd, data, len, 0);
	} while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n < len)
		errno = ENOSPC;
	if ((size_t)n != len)
		return cannot_make(w->pool, e);
	if (w->job_size > (off_t)len && ftruncate(fd, (off_t)len) != 0)
		return cannot_make(w->pool, e);
	return true;
}

bool workdir_own(struct workdir *w, const struct runas_user *u, struct err *e)
{
	bool ok = fchmod(w->dir_fd, 0711) == 0 &&
		  fchown(w->work_fd, u->uid, u->gid) == 0;

	w->changed = true;
	for (int i = 0; ok && i < WORKDIR_N; i++)
		ok = fchown(w->fd[i], u->uid, u->gid) == 0;
	return ok || err_set_errno(e, ERR_IO,
				   "cannot give the working directory to '%s'",
				   u->name);
}

bool workdir_copy_program(struct workdir *w, struct arena *a, const char *cwd,
			  const char *from, const struct runas_user *as,
			  const char **to, struct err *e)
{
	const char *slash = strrchr(from, '/');
	const char *base = slash ? slash + 1 : from;
	char *source = *from == '/' ? arena_strdup(a, from)
				    : arena_printf(a, "%s/%s", cwd, from);
	char *name = arena_printf(a, "copy-%s", base);
	bool ok;
	int fd;

	runas_enter(as);
	fd = userpath_open(AT_FDCWD, source, O_RDONLY);
	runas_leave(as);
	if (fd < 0)
		return err_set_errno(e, ERR_IO, "cannot read it");
	w->changed = true;
	ok = sendfile_copy(w->dir_fd, name, 0700, fd) &&
	     (!as || fchownat(w->dir_fd, name, as->uid, as->gid,
			      AT_SYMLINK_NOFOLLOW) == 0);
	if (!ok)
		err_set_errno(e, errno == ENOSPC ? ERR_NO_SPACE : ERR_IO,
			      "cannot copy it to '%s'", w->pool->spool);
	close(fd);
	*to = arena_printf(a, "%s/%s/%s", w->pool->spool, w->name, name);
	return ok;
}

/* --- the spool's upkeep -------------------------------------------------- */

/* Calls fn for each entry of the spool that begins with prefix, until fn says
 * stop by true; gives what the last call gave. */
static bool each_entry(struct workdir_pool *pool, const char *prefix,
		       bool (*fn)(struct workdir_pool *pool, const char *name,
				  void *arg),
		       void *arg)
{
	int fd =
		openat(pool->spool_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool stop = false;
	struct dirent *de;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!stop && (de = readdir(d)))
		if (strncmp(de->d_name, prefix, strlen(prefix)) == 0)
			stop = fn(pool, de->d_name, arg);
	closedir(d);
	return stop;
}

static bool clean_one(struct workdir_pool *pool, const char *name, void *arg)
{
	(void)arg;
	return rmtree(pool->spool_fd, name, STEP) > 0;
}

bool workdir_unclean(const struct workdir_pool *pool)
{
	return pool->unclean;
}

/* What cannot be removed is tried again when the next one comes. */
bool workdir_clean(struct workdir_pool *pool)
{
	if (pool->unclean)
		pool->unclean = each_entry(pool, GONE_PREFIX, clean_one, NULL);
	return pool->unclean;
}

static bool sweep_one(struct workdir_pool *pool, const char *name, void *arg)
{
	int64_t *age_s = arg, now_s = clock_wall_ms() / 1000;
	struct stat st;

	if (fstatat(pool->spool_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now_s - (int64_t)st.st_mtime >= *age_s)
		drop_dir(pool, name);
	return false;
}

void workdir_sweep(struct workdir_pool *pool, int64_t age_s)
{
	(void)each_entry(pool, KEPT_PREFIX, sweep_one, &age_s);
}

struct leftovers {
	void (*fn)(const char *run, void *arg);
	void *arg;
};

static void read_run(int fd, struct leftovers *l)
{
	struct arena *a = arena_new();
	struct json_object *doc;
	struct err e = ERR_INIT;
	struct stat st;
	uint8_t id[8];

	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    st.st_size <= JOB_FILE_MAX) {
		char *text = arena_alloc(a, (size_t)st.st_size + 1);
		ssize_t n = read(fd, text, (size_t)st.st_size);

		if (n > 0 && json_parse(a, text, (size_t)n, &doc, &e) &&
		    json_type(doc) == JSON_OBJECT) {
			const char *run = json_get_str(doc, "run");

			if (run && id_unhex(run, id, sizeof(id)))
				l->fn(run, l->arg);
		}
	}
	arena_free(a);
}

static bool leftover_one(struct workdir_pool *pool, const char *name, void *arg)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", name, file_name[WORKDIR_JOB]);
	fd = openat(pool->spool_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		read_run(fd, arg);
		close(fd);
	}
	drop_dir(pool, name);
	return false;
}

void workdir_leftovers(struct workdir_pool *pool,
		       void (*fn)(const char *run, void *arg), void *arg)
{
	struct leftovers l = { fn, arg };

	(void)each_entry(pool, SLOT_PREFIX, leftover_one, &l);
}
