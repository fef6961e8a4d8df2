/*
 * One spelling of a path, so that two that mean one file are seen to.  Only
 * what is certain without looking at the disk: ".." may lead elsewhere where a
 * directory is a symbolic link, and stays.
 */
#include <string.h>
#include "lib/workflow.h"

const char *workflow_path(struct arena *a, const char *s)
{
	char *out, *w;
	size_t len;

	if (strstr(s, "://") || !strncmp(s, "file:/", 6))
		return s;
	out = w = arena_strdup(a, s);
	if (*s == '/')
		*w++ = '/';
	for (const char *p = s; *p; p += len) {
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 0 || (len == 1 && *p == '.'))
			continue;
		if (w > out && w[-1] != '/')
			*w++ = '/';
		memcpy(w, p, len);
		w += len;
	}
	*w = '\0';
	return w > out ? out : s;
}
