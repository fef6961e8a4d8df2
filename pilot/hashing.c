/* Computes checksums beside the loop: see hashing.h. */
#include "pilot/hashing.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/id.h"
#include "lib/log.h"
#include "pilot/userpath.h"

#define PIECE ((size_t)256 << 10)

struct hashing {
	pthread_t thread;
	atomic_bool stop;
	int done_fd;
	struct event *done_ev;
	struct runfiles *f;
	const char *cwd;
	hashing_done_fn *done;
	void *arg;
	struct err err; /* the thread's until it is done */
};

/* False when it cannot be read (errno), or at a stop (errno 0). */
static bool hash_file(struct hashing *h, int fd, struct runfile *f, char *piece)
{
	struct id_sha256_ctx *c = id_sha256_new();
	int64_t size = 0;
	uint8_t sum[32];
	ssize_t n = 0;

	errno = 0;
	while (!atomic_load(&h->stop)) {
		n = read(fd, piece, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		id_sha256_add(c, piece, (size_t)n);
		size += n;
	}
	id_sha256_end(c, sum);
	if (n < 0 || atomic_load(&h->stop))
		return false;
	f->size = size;
	id_hex(sum, sizeof(sum), f->sha256);
	return true;
}

static bool hash_one(struct hashing *h, int at, struct runfile *f, char *piece)
{
	int fd = userpath_open(at, f->local, O_RDONLY | O_NONBLOCK);
	bool ok = fd >= 0 && hash_file(h, fd, f, piece);

	if (!ok && !atomic_load(&h->stop))
		err_set_errno(&h->err, ERR_IO, "output not readable: %s",
			      f->path);
	if (fd >= 0)
		close(fd);
	return ok;
}

static void *hash_main(void *arg)
{
	struct hashing *h = arg;
	char *piece = xmalloc(PIECE);
	int at = userpath_open(AT_FDCWD, h->cwd, O_PATH | O_DIRECTORY);
	uint64_t one = 1;

	for (size_t i = 0; i < h->f->n_out; i++)
		if (runfiles_wants_hash(&h->f->out[i]) &&
		    !hash_one(h, at, &h->f->out[i], piece))
			break;
	if (at >= 0)
		close(at);
	free(piece);
	if (write(h->done_fd, &one, sizeof(one)) < 0)
		BUG("an eventfd refused one: %s", strerror(errno));
	return NULL;
}

static void hashing_free(struct hashing *h)
{
	if (h->done_ev)
		event_free(h->done_ev);
	if (h->done_fd >= 0)
		close(h->done_fd);
	free(h);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct hashing *h = arg;

	(void)fd;
	(void)what;
	pthread_join(h->thread, NULL);
	h->done(h->err.code == ERR_NONE ? NULL : &h->err, h->arg);
	hashing_free(h);
}

/* No signal may end up in that thread: the loop waits for them. */
static int thread_start(struct hashing *h)
{
	sigset_t all, old;
	int number;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	number = pthread_create(&h->thread, NULL, hash_main, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return number;
}

struct hashing *hashing_start(struct event_base *base, struct runfiles *f,
			      const char *cwd, hashing_done_fn *done, void *arg,
			      struct err *e)
{
	struct hashing *h = xcalloc(1, sizeof(*h));

	h->f = f;
	h->cwd = cwd;
	h->done = done;
	h->arg = arg;
	h->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->done_fd >= 0)
		h->done_ev = event_new(base, h->done_fd, EV_READ, on_done, h);
	if (h->done_ev && event_add(h->done_ev, NULL) == 0 &&
	    (errno = thread_start(h)) == 0)
		return h;
	err_set_errno(e, ERR_IO, "cannot start a thread for checksums");
	hashing_free(h);
	return NULL;
}

void hashing_stop(struct hashing *h)
{
	atomic_store(&h->stop, true);
}
