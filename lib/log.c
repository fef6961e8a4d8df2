/* Writes what a program tells its operator, one event on one line. */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/clock.h"
#include "lib/utf8.h"

/* A message is cut there. A line of PIPE_BUF bytes reaches a pipe whole. */
#define MESSAGE_MAX 3072
#define LINE_MAX_LEN 4096

static const struct level_row {
	const char *name;
	int priority; /* syslog's, for the journal */
} levels[] = {
	[LOG_ERROR] = { "error", 3 },
	[LOG_WARN] = { "warn", 4 },
	[LOG_INFO] = { "info", 6 },
	[LOG_DEBUG] = { "debug", 7 },
};

#define N_LEVELS (sizeof(levels) / sizeof(levels[0]))

/* The journal's level of what stops the program. */
#define PRIORITY_CRITICAL 2

static struct {
	const char *program;
	enum log_level level;
	int fd;
	bool journal;        /* standard error goes to systemd's journal */
	char path[PATH_MAX]; /* "" = standard error */
} sink = { "sortie", LOG_INFO, STDERR_FILENO, false, "" };

/* JOURNAL_STREAM is inherited, so it counts only if it names our stream. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

void log_init(const char *program)
{
	sink.program = program;
	sink.journal = stderr_is_journal();
}

void log_set_level(enum log_level level)
{
	sink.level = level;
}

bool log_level_from_name(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < N_LEVELS; i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level <= sink.level;
}

static int open_sink(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
		    0640);
}

static void use_fd(int fd)
{
	if (sink.fd != STDERR_FILENO)
		close(sink.fd);
	sink.fd = fd;
}

bool log_to_file(const char *path)
{
	int fd;

	if (path == NULL) {
		use_fd(STDERR_FILENO);
		sink.path[0] = '\0';
		return true;
	}
	if (strlen(path) >= sizeof(sink.path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = open_sink(path);
	if (fd < 0)
		return false;
	use_fd(fd);
	if (path != sink.path)
		snprintf(sink.path, sizeof(sink.path), "%s", path);
	return true;
}

void log_reopen(void)
{
	if (sink.path[0] != '\0' && !log_to_file(sink.path))
		log_error("cannot reopen the log file \"%s\": %s; "
			  "going on with the old one",
			  sink.path, strerror(errno));
}

/* Copies a message so that it stays one line of printable text: controls (C1
 * too) and bytes that are no UTF-8 become \n, \t or \xNN. Returns the length;
 * cap leaves room for the longest piece. */
static size_t make_visible(char *out, size_t cap, const char *s, size_t len)
{
	size_t n = 0, step;
	bool ok;

	for (size_t i = 0; i < len && n + 16 < cap; i += step) {
		unsigned char c = (unsigned char)s[i];

		step = utf8_next(s + i, len - i, &ok);
		if (c == '\n' || c == '\t') {
			out[n++] = '\\';
			out[n++] = c == '\n' ? 'n' : 't';
		} else if (!ok || c < 0x20 || c == 0x7f ||
			   (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0)) {
			for (size_t j = 0; j < step; j++)
				n += (size_t)snprintf(out + n, cap - n,
						      "\\x%02x",
						      (unsigned char)s[i + j]);
		} else {
			memcpy(out + n, s + i, step);
			n += step;
		}
	}
	return n;
}

static void write_all(const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(sink.fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		/* There is nobody left to tell. */
		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

static size_t put_head(char *line, size_t cap, const char *level, int priority)
{
	struct buf time = BUF_INIT;
	int n;

	if (sink.journal && sink.fd == STDERR_FILENO)
		return (size_t)snprintf(line, cap, "<%d>", priority);
	clock_format_utc(&time, clock_wall_ms());
	n = snprintf(line, cap, "%s %s %s: ", buf_str(&time), sink.program,
		     level);
	buf_fini(&time);
	return n >= 0 && (size_t)n < cap ? (size_t)n : 0;
}

/* Keeps errno, so that a caller may log before it looks at it. */
static void emit(const char *level, int priority, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void emit(const char *level, int priority, const char *fmt, va_list ap)
{
	char message[MESSAGE_MAX], line[LINE_MAX_LEN];
	int saved = errno, len;
	size_t n, used;

	len = vsnprintf(message, sizeof(message), fmt, ap);
	if (len < 0)
		len = 0;
	used = strlen(message);
	n = put_head(line, sizeof(line) - MESSAGE_MAX / 2, level, priority);
	n += make_visible(line + n, sizeof(line) - 8 - n, message, used);
	if ((size_t)len > used) {
		for (const char *p = " ..."; *p != '\0'; p++)
			line[n++] = *p;
	}
	line[n++] = '\n';
	write_all(line, n);
	errno = saved;
}

#define EMIT(at, fmt)                                                \
	do {                                                         \
		va_list ap;                                          \
                                                                     \
		if (!log_enabled(at))                                \
			return;                                      \
		va_start(ap, fmt);                                   \
		emit(levels[at].name, levels[at].priority, fmt, ap); \
		va_end(ap);                                          \
	} while (0)

void log_error(const char *fmt, ...)
{
	EMIT(LOG_ERROR, fmt);
}

void log_warn(const char *fmt, ...)
{
	EMIT(LOG_WARN, fmt);
}

void log_info(const char *fmt, ...)
{
	EMIT(LOG_INFO, fmt);
}

void log_debug(const char *fmt, ...)
{
	EMIT(LOG_DEBUG, fmt);
}

/* "BUG: file:line: ..." is what tests search the logs for. */
static void stop(const char *level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void stop(const char *level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(level, PRIORITY_CRITICAL, fmt, ap);
	va_end(ap);
}

void log_bug(const char *file, int line, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "%s:%d: ", file, line);
	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < sizeof(text))
		vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	stop("BUG", "%s", text);
	abort();
}

void log_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("fatal", PRIORITY_CRITICAL, fmt, ap);
	va_end(ap);
	exit(1);
}
