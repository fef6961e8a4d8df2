/*
 * Opens what a job names: its files, folders and programs, by paths that are
 * the user's to choose.
 *
 * The links of /proc that lead past all permissions (/proc/self/fd/7 would be
 * a descriptor of the pilot's own) are refused with ELOOP: by the kernel, or
 * where that cannot (before 5.6), by walking the path, which refuses every link
 * that lies in /proc.
 */
#ifndef SORTIE_PILOT_USERPATH_H
#define SORTIE_PILOT_USERPATH_H

#include <sys/stat.h>

/* Relative to at. O_CLOEXEC is added; no file is made. -1 with errno. */
int userpath_open(int at, const char *path, int flags);
/* The same without help of the kernel's. */
int userpath_walk(int at, const char *path, int flags);
/* What is there, links followed. -1 with errno. */
int userpath_stat(int at, const char *path, struct stat *st);

#endif
