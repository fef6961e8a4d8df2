/*
 * What the jobs of the chaos suite run: a program that notes its start and its
 * end in a file of its own, so that what payloads saw can be held against what
 * the database says.
 *
 * usage: payload DIRECTORY MILLISECONDS EXIT-CODE
 *                [+VARIABLE | -VARIABLE | =VARIABLE]...
 *
 * The path in a VARIABLE with + is made when it ends well; what is in one with
 * - is looked for at its start, and noted; so is the sum of one with =, whose
 * value is nobody's to see.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Never stepped, so that times of all payloads of a machine compare. */
static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One write a line: a killed payload leaves whole lines. */
static void note(int fd, const char *what, long long value)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "%s %lld %lld\n", what, now_ms(),
			   value);

	if (write(fd, line, (size_t)len) != len)
		exit(120);
}

/* Of its bytes; -1 when there is no such variable. */
static long long sum_of(const char *text)
{
	long long sum = 0;

	if (text == NULL)
		return -1;
	for (; *text != '\0'; text++)
		sum = (sum * 31 + (unsigned char)*text) % 1000000007;
	return sum;
}

/* Which of the files of others were there: a note each, 1 or 0; and sums. */
static void look_for(int fd, char **args)
{
	for (; *args != NULL; args++) {
		const char *value = getenv(*args + 1);

		if (**args == '-')
			note(fd, "found",
			     value != NULL && access(value, F_OK) == 0);
		else if (**args == '=')
			note(fd, "sum", sum_of(value));
	}
}

static void make(int fd, char **args)
{
	for (; *args != NULL; args++) {
		const char *path = getenv(*args + 1);
		int file;

		if (**args != '+')
			continue;
		file = path == NULL ? -1
				    : open(path, O_WRONLY | O_CREAT | O_CLOEXEC,
					   0666);
		if (file < 0 || close(file) != 0) {
			note(fd, "unmade", errno);
			exit(123);
		}
	}
}

static void pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		continue;
}

int main(int argc, char **argv)
{
	const char *job = getenv("SORTIE_JOB_NUMBER");
	const char *run = getenv("SORTIE_RUN");
	char path[PATH_MAX];
	int fd, code;

	if (argc < 4 || job == NULL || run == NULL) {
		fprintf(stderr, "usage, in a job: payload DIRECTORY "
				"MILLISECONDS EXIT-CODE [+-=VARIABLE]...\n");
		return 121;
	}
	snprintf(path, sizeof(path), "%s/%s.%s", argv[1], job, run);
	/* The next run may be another user's. */
	umask(0);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 122;
	}
	note(fd, "start", getpid());
	look_for(fd, argv + 4);
	printf("job %s run %s\n", job, run);
	if (fflush(stdout) != 0)
		note(fd, "mute", errno);
	pause_ms(strtol(argv[2], NULL, 10));
	code = (int)strtol(argv[3], NULL, 10);
	if (code == 0)
		make(fd, argv + 4);
	note(fd, "end", code);
	return code;
}
