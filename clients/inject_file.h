/*
 * One file as the injector looks at it: is it one, how large and how old is
 * it, does somebody still write it, is it wanted, and how its name is told.
 */
#ifndef SORTIE_CLIENTS_INJECT_FILE_H
#define SORTIE_CLIENTS_INJECT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"

struct statfs;

struct inject_look {
	int64_t size;       /* bytes */
	int64_t mtime_ns;   /* since 1970; between 1684 and 2255 */
	int64_t touched_ms; /* the younger of contents and name, since 1970 */
	bool link;          /* a symbolic link leads to it */
};

/* False when there is no regular file of that name (a symbolic link is none
 * unless follow). */
bool inject_look(const char *path, bool follow, struct inject_look *out);
/* The same, but never what a network file system remembers of it. */
bool inject_look_anew(const char *path, bool follow, struct inject_look *out);
/* A file system on which others' changes raise no events here. */
bool inject_is_remote(const struct statfs *fs);
/* Somebody has it open for writing. Only the owner, root, and local file
 * systems can tell: false elsewhere. The caller ignores SIGIO. */
bool inject_busy(const char *path);
/* The name fits one of the patterns (NULL-terminated; none: every name), and
 * a name with a leading dot only a pattern with one. */
bool inject_wanted(const char *const *patterns, const char *name);
/* Appends the path as text: as it is, or, when it is not UTF-8 or has control
 * characters, as a file: URI. Returns whether it is as it is. */
bool inject_text(struct buf *b, const char *path);
/* The other way round. */
void inject_untext(struct buf *b, const char *text);

#endif
