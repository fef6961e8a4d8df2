/* The append-only file that outlives the pilot: see journal.h. */
#include "pilot/journal.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/log.h"

#define FILE_NAME "journal"
#define NEW_NAME "journal.new"
#define MAGIC "sortie journal 1\n"
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define HEAD_LEN 9 /* length, checksum, kind */

struct journal {
	int dir_fd, fd;
	int64_t size; /* bytes of whole records in the file */
	struct buf pending;
	bool pending_end; /* an end waits to be synced */
	bool refused;     /* the disk refused, said already */
	uint64_t added, written, synced;
	journal_synced_fn *on_synced;
	void *arg;

	/* The thread that syncs; fd is the loop's until it is asked. */
	bool threaded, syncing;
	uint64_t sync_mark;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool asked, quit;
	int sync_errno;
	int done_fd;
	struct event *done_ev;
};

static uint32_t crc_table[256];

static void crc_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		crc_table[i] = c;
	}
}

static uint32_t crc32_of(uint8_t kind, const void *p, size_t len)
{
	const uint8_t *s = p;
	uint32_t c = 0xffffffffu;

	c = crc_table[(c ^ kind) & 255] ^ (c >> 8);
	while (len--)
		c = crc_table[(c ^ *s++) & 255] ^ (c >> 8);
	return c ^ 0xffffffffu;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* One whole record at the front of p, or 0. */
static size_t record_whole(const uint8_t *p, size_t len)
{
	uint32_t n;

	if (len < HEAD_LEN)
		return 0;
	n = get_u32(p);
	if (n > JOURNAL_RECORD_MAX || n > len - HEAD_LEN)
		return 0;
	if (crc32_of(p[8], p + HEAD_LEN, n) != get_u32(p + 4))
		return 0;
	return HEAD_LEN + (size_t)n;
}

/* Gives the whole records to replay and returns the bytes they take. */
static size_t replay_all(const struct buf *file, journal_replay_fn *replay,
			 void *arg)
{
	const uint8_t *p = (const uint8_t *)file->data;
	size_t at = MAGIC_LEN, n;

	if (file->len < MAGIC_LEN || memcmp(p, MAGIC, MAGIC_LEN) != 0)
		return 0;
	while ((n = record_whole(p + at, file->len - at))) {
		size_t len = n - HEAD_LEN;
		char *text = xstrndup((const char *)p + at + HEAD_LEN, len);

		if (replay)
			replay((enum journal_kind)p[at + 8], text, len, arg);
		free(text);
		at += n;
	}
	return at;
}

static bool slurp(int fd, struct buf *b)
{
	for (;;) {
		ssize_t n;

		buf_reserve(b, 65536);
		n = read(fd, b->data + b->len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			return true;
		b->len += (size_t)n;
	}
}

static void *sync_main(void *arg)
{
	struct journal *j = arg;

	pthread_mutex_lock(&j->lock);
	while (!j->quit) {
		uint64_t one = 1;
		int fd = j->fd, failed;

		if (!j->asked) {
			pthread_cond_wait(&j->wake, &j->lock);
			continue;
		}
		pthread_mutex_unlock(&j->lock);
		failed = fdatasync(fd) == 0 ? 0 : errno;
		pthread_mutex_lock(&j->lock);
		j->asked = false;
		j->sync_errno = failed;
		if (write(j->done_fd, &one, sizeof(one)) < 0)
			BUG("an eventfd refused one: %s", strerror(errno));
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

static void sync_failed(int failed)
{
	log_error("spool: cannot sync the journal: %s; ends are reported all "
		  "the same",
		  strerror(failed));
}

static void on_sync_done(evutil_socket_t fd, short what, void *arg)
{
	struct journal *j = arg;
	uint64_t n;
	int failed;

	(void)what;
	if (read(fd, &n, sizeof(n)) < 0)
		return;
	pthread_mutex_lock(&j->lock);
	failed = j->sync_errno;
	pthread_mutex_unlock(&j->lock);
	if (failed)
		sync_failed(failed);
	j->syncing = false;
	j->synced = j->sync_mark;
	if (j->on_synced)
		j->on_synced(j->arg);
}

static void thread_start(struct journal *j, struct event_base *base)
{
	sigset_t all, old;

	j->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (j->done_fd < 0)
		log_die("cannot make an eventfd: %s", strerror(errno));
	j->done_ev = event_new(base, j->done_fd, EV_READ | EV_PERSIST,
			       on_sync_done, j);
	if (!j->done_ev || event_add(j->done_ev, NULL) != 0)
		log_die("cannot watch an eventfd");
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->wake, NULL);
	/* No signal may end up in that thread: the loop waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&j->thread, NULL, sync_main, j) != 0)
		log_die("cannot start the thread that syncs the journal");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	j->threaded = true;
}

static void thread_stop(struct journal *j)
{
	if (!j->threaded)
		return;
	pthread_mutex_lock(&j->lock);
	j->quit = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	pthread_cond_destroy(&j->wake);
	pthread_mutex_destroy(&j->lock);
	event_free(j->done_ev);
	close(j->done_fd);
}

/* Reads the file, hands its records out and leaves only whole ones in it. */
static bool load(struct journal *j, journal_replay_fn *replay, void *arg,
		 int64_t *torn, struct err *e)
{
	struct buf file = BUF_INIT;
	size_t whole;
	bool ok = false;

	if (!slurp(j->fd, &file)) {
		err_set_errno(e, ERR_IO, "cannot read the spool's journal");
		goto out;
	}
	whole = replay_all(&file, replay, arg);
	if (torn)
		*torn = (int64_t)(file.len - whole);
	if (whole < file.len && ftruncate(j->fd, (off_t)whole) != 0) {
		err_set_errno(e, ERR_IO, "cannot cut the spool's journal");
		goto out;
	}
	if (whole == 0 && !fd_write_all(j->fd, MAGIC, MAGIC_LEN)) {
		err_set_errno(e, ERR_IO, "cannot write the spool's journal");
		goto out;
	}
	j->size = (int64_t)(whole ? whole : MAGIC_LEN);
	ok = true;
out:
	buf_fini(&file);
	return ok;
}

struct journal *journal_open(int dir_fd, struct event_base *base,
			     journal_replay_fn *replay,
			     journal_synced_fn *on_synced, void *arg,
			     int64_t *torn, struct err *e)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	crc_init();
	j->dir_fd = dir_fd;
	j->on_synced = on_synced;
	j->arg = arg;
	j->fd = openat(dir_fd, FILE_NAME,
		       O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		       0600);
	if (j->fd < 0) {
		err_set_errno(e, ERR_IO, "cannot open the spool's journal");
		free(j);
		return NULL;
	}
	if (!load(j, replay, arg, torn, e)) {
		close(j->fd);
		free(j);
		return NULL;
	}
	if (base)
		thread_start(j, base);
	return j;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	thread_stop(j);
	j->threaded = false;
	journal_flush(j);
	close(j->fd);
	buf_fini(&j->pending);
	free(j);
}

uint64_t journal_add(struct journal *j, enum journal_kind kind,
		     const char *text, size_t len)
{
	uint8_t head[HEAD_LEN];

	if (len > JOURNAL_RECORD_MAX)
		BUG("a journal record of %zu bytes", len);
	put_u32(head, (uint32_t)len);
	put_u32(head + 4, crc32_of((uint8_t)kind, text, len));
	head[8] = (uint8_t)kind;
	buf_add(&j->pending, head, sizeof(head));
	buf_add(&j->pending, text, len);
	if (kind == JOURNAL_END)
		j->pending_end = true;
	return ++j->added;
}

static void write_refused(struct journal *j)
{
	if (!j->refused)
		log_error("spool: cannot write the journal: %s; ends are "
			  "reported all the same",
			  strerror(errno));
	j->refused = true;
	/* Half a record would hide all that follow it. */
	if (ftruncate(j->fd, (off_t)j->size) != 0)
		log_error("spool: cannot cut the journal: %s", strerror(errno));
}

static void sync_start(struct journal *j)
{
	if (!j->threaded) {
		if (fdatasync(j->fd) != 0)
			sync_failed(errno);
		j->synced = j->written;
		return;
	}
	j->syncing = true;
	j->sync_mark = j->written;
	pthread_mutex_lock(&j->lock);
	j->asked = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
}

void journal_flush(struct journal *j)
{
	if (j->syncing)
		return;
	if (j->pending.len &&
	    !fd_write_all(j->fd, j->pending.data, j->pending.len)) {
		write_refused(j);
		j->pending_end = false;
		j->written = j->added;
		j->synced = j->added;
	} else if (j->pending.len) {
		j->size += (int64_t)j->pending.len;
		j->written = j->added;
		j->refused = false;
	}
	buf_reset(&j->pending);
	if (j->pending_end) {
		j->pending_end = false;
		sync_start(j);
	}
}

uint64_t journal_synced(const struct journal *j)
{
	return j->synced;
}

int64_t journal_size(const struct journal *j)
{
	return j->size + (int64_t)j->pending.len;
}

bool journal_rewrite(struct journal *j,
		     void (*fill)(struct journal *j, void *arg), void *arg,
		     struct err *e)
{
	int fd;

	if (j->syncing)
		return err_set(e, ERR_UNAVAILABLE, "a sync is under way");
	fd = openat(j->dir_fd, NEW_NAME,
		    O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
			    O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return err_set_errno(e, ERR_IO, "cannot make a new journal");
	/* What waits is part of what fill tells. */
	buf_reset(&j->pending);
	buf_adds(&j->pending, MAGIC);
	fill(j, arg);
	if (!fd_write_all(fd, j->pending.data, j->pending.len) ||
	    fdatasync(fd) != 0 ||
	    renameat(j->dir_fd, NEW_NAME, j->dir_fd, FILE_NAME) != 0) {
		err_set_errno(e, ERR_IO, "cannot write a new journal");
		buf_consume(&j->pending, MAGIC_LEN);
		close(fd);
		return false;
	}
	if (fsync(j->dir_fd) != 0)
		sync_failed(errno);
	close(j->fd);
	j->fd = fd;
	j->size = (int64_t)j->pending.len;
	j->written = j->added;
	j->synced = j->added;
	j->pending_end = false;
	buf_reset(&j->pending);
	return true;
}
