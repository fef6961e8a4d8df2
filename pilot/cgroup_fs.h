/* Small reads and writes in the control group file systems. */
#ifndef SORTIE_PILOT_CGROUP_FS_H
#define SORTIE_PILOT_CGROUP_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the group of this process lies for a version 1 controller ("memory"),
 * or for version 2 (NULL): an absolute path that exists and is writable, or
 * false. */
bool cgroup_fs_own(const char *controller, char *out, size_t cap);
/* False where systemd keeps the version 2 group for itself. Only root has to
 * ask, who may write everywhere: systemd would stop a service of which a
 * process runs out of memory, the pilot with it, unless it has delegated the
 * group. Whom else it lets write has been delegated to. */
bool cgroup_fs_delegated(const char *own);
bool cgroup_fs_write(const char *dir, const char *file, const char *text);
bool cgroup_fs_write_i64(const char *dir, const char *file, int64_t v);
/* The whole file, cut at cap. */
bool cgroup_fs_read(const char *dir, const char *file, char *out, size_t cap);
/* The number behind `word` in a file of "word number" lines; -1 = none. */
int64_t cgroup_fs_count(const char *dir, const char *file, const char *word);
/* True when the space-separated list in the file has the word. */
bool cgroup_fs_has(const char *dir, const char *file, const char *word);
/* Removes a group with those that were made below it; false and EBUSY while
 * processes are left. */
bool cgroup_fs_remove(const char *dir);
/* Removes the groups sortie-PID of processes that are gone, with all that is
 * in them, below `parent`. */
void cgroup_fs_remove_stale(const char *parent);
/* A descriptor to write into cgroup.procs, or -1. */
int cgroup_fs_open_procs(const char *dir);
/* SIGKILL to each process in it, over and over until no new one appears. */
void cgroup_fs_kill_each(const char *dir);

#endif
