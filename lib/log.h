/*
 * What a program tells its operator: one line per event, to standard error
 * (or a file), with time, level and program.  Control characters in what is
 * logged are made visible at the sink, so nobody outside can forge a line.
 * Secrets are never passed to these functions.
 */
#ifndef SORTIE_LIB_LOG_H
#define SORTIE_LIB_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* program: a static string. Default level: LOG_INFO, sink: standard error.
 * Under systemd (JOURNAL_STREAM) time is left out and a <N> level prefix
 * written instead. */
void log_init(const char *program);
void log_set_level(enum log_level level);
bool log_level_from_name(const char *name, enum log_level *out);
/* Appends to path from now on; NULL goes back to standard error. */
bool log_to_file(const char *path);
/* Reopens the file (after rotation, SIGHUP). */
void log_reopen(void);
bool log_enabled(enum log_level level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Our own mistake: logs "BUG: file:line: ..." and aborts. */
#define BUG(...) log_bug(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void log_bug(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The machine's fault at start: logs and exits with status 1. */
_Noreturn void log_die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#endif
