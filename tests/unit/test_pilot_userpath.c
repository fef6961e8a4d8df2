/* Paths that a job names lead nowhere that only the pilot may go, whoever swaps
 * what meanwhile. */
#include "pilot/userpath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "pilot/sendfile.h"
#include "tests/unit/unit.h"

#define ROUNDS 2000

typedef int open_fn(int at, const char *path, int flags);

static char *in(const char *folder, const char *name)
{
	static char path[4][4096];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

static const char *folder_new(const char *name)
{
	const char *path = unit_path(name);

	REQUIRE(mkdir(path, 0755) == 0);
	return path;
}

static void reads(open_fn *fn, int at, const char *path, const char *want)
{
	char got[64] = "";
	int fd = fn(at, path, O_RDONLY);

	CHECK_TRUE(fd >= 0);
	CHECK_TRUE(fd >= 0 && read(fd, got, sizeof(got) - 1) >= 0);
	CHECK_STR_EQ(got, want);
	CHECK_INT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

static void refuses(open_fn *fn, int at, const char *path, int number)
{
	int fd = fn(at, path, O_RDONLY);

	CHECK_INT_EQ(fd, -1);
	CHECK_INT_EQ(errno, number);
	if (fd >= 0)
		close(fd);
}

/* What both ways must do, in a folder of their own. */
static void both(open_fn *fn, const char *name)
{
	const char *dir = folder_new(name);
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = open(in(dir, "f"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char own[64];

	REQUIRE(at >= 0 && fd >= 0 && write(fd, "here", 4) == 4);
	REQUIRE(mkdirat(at, "d", 0755) == 0);
	REQUIRE(symlinkat("../f", at, "d/up") == 0);
	REQUIRE(symlinkat(dir, at, "d/all") == 0);
	REQUIRE(symlinkat("round", at, "round") == 0);
	REQUIRE(symlinkat("/proc/self/fd", at, "open") == 0);
	reads(fn, at, "f", "here");
	reads(fn, at, "./d/..//f", "here");
	reads(fn, at, "d/up", "here");
	reads(fn, at, "d/all/d/all/f", "here");
	reads(fn, AT_FDCWD, in(dir, "d/up"), "here");
	refuses(fn, at, "g", ENOENT);
	refuses(fn, at, "", ENOENT);
	refuses(fn, at, "f/g", ENOTDIR);
	refuses(fn, at, "round", ELOOP);
	/* A descriptor of our own, straight and by links. */
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	refuses(fn, AT_FDCWD, own, ELOOP);
	snprintf(own, sizeof(own), "open/%d", fd);
	refuses(fn, at, own, ELOOP);
	refuses(fn, AT_FDCWD, "/proc/self/cwd/f", ELOOP);
	refuses(fn, AT_FDCWD, "/proc/self/root/etc/passwd", ELOOP);
	close(fd);
	close(at);
}

static void the_kernel_refuses_links_of_proc(void)
{
	both(userpath_open, "kernel");
}

static void a_walk_does_without_the_kernel(void)
{
	both(userpath_walk, "walk");
}

/* In a child whose kernel does not know openat2: 0 when all was as above. */
static int without_openat2(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { UNIT_N(code), code };
	char own[64];
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
		return 77;
	/* Valgrind has no such call at all. */
	if (syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0) != -1 ||
	    (errno != error && errno != ENOSYS))
		return 78;
	fd = userpath_open(AT_FDCWD, "/etc/passwd", O_RDONLY);
	if (fd < 0)
		return 1;
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	return userpath_open(AT_FDCWD, own, O_RDONLY) == -1 && errno == ELOOP
		       ? 0
		       : 2;
}

static void an_old_kernel_refuses_them_too(void)
{
	static const int errors[] = { ENOSYS, EPERM };

	for (size_t i = 0; i < UNIT_N(errors); i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0)
			_exit(without_openat2(errors[i]));
		REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
		CHECK_TRUE(WIFEXITED(status));
		CHECK_INT_EQ(WEXITSTATUS(status), 0);
	}
}

/* Swaps a folder and a link to another place, fast, but not in step with who
 * sends, as threads that take turns would be. */
struct swapper {
	const char *folder, *link;
	atomic_bool over;
	int n;
};

static void *swap(void *arg)
{
	const struct timespec pause = { 0, 20000 };
	struct swapper *s = arg;

	while (!atomic_load(&s->over)) {
		s->n += renameat2(AT_FDCWD, s->folder, AT_FDCWD, s->link,
				  RENAME_EXCHANGE) == 0;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void no_swapped_link_leads_a_sent_file_away(void)
{
	const char *cwd = folder_new("cwd"), *away = folder_new("away");
	char folder[4096], link[4096], found[4096];
	const char *from = unit_file("sent", 4);
	struct swapper s = { folder, link, false, 0 };
	pthread_t thread;
	struct err e = ERR_INIT;
	int put = 0;

	snprintf(folder, sizeof(folder), "%s/d", cwd);
	snprintf(link, sizeof(link), "%s/other", cwd);
	snprintf(found, sizeof(found), "%s/f", away);
	REQUIRE(mkdir(folder, 0755) == 0 && symlink(away, link) == 0);
	REQUIRE(pthread_create(&thread, NULL, swap, &s) == 0);
	for (int i = 0;
	     i < ROUNDS || ((put == 0 || s.n == 0) && i < 100 * ROUNDS); i++)
		put += sendfile_put(cwd, "d/f", 0644, from, NULL, &e);
	atomic_store(&s.over, true);
	pthread_join(thread, NULL);
	CHECK_TRUE(s.n > 0);
	CHECK_TRUE(put > 0);
	CHECK_INT_EQ(access(found, F_OK), -1);
}

static const struct unit_test tests[] = {
	{ "the kernel refuses links of /proc",
	  the_kernel_refuses_links_of_proc },
	{ "a walk does without the kernel", a_walk_does_without_the_kernel },
	{ "an old kernel refuses them, too", an_old_kernel_refuses_them_too },
	{ "no swapped link leads a sent file away",
	  no_swapped_link_leads_a_sent_file_away },
};

int main(void)
{
	return unit_main("pilot_userpath", tests, UNIT_N(tests));
}
