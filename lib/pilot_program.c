/* Finds the pilot that belongs to this very program, so that a build tree
 * never starts another version from PATH. */
#include "lib/pilot_program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "sortie-pilot"

static char *beside(struct arena *a)
{
	static const char *const folders[] = { "", "../bin/", "../pilot/" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len <= 0)
		return NULL;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return NULL;
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *path = arena_printf(a, "%s%s%s", self, folders[i], NAME);

		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

const char *pilot_program_find(struct arena *a)
{
	const char *dirs = getenv("PATH");
	char *found = beside(a);

	while (found == NULL && dirs != NULL && dirs[0] != '\0') {
		size_t len = strcspn(dirs, ":");
		char *path = arena_printf(a, "%.*s/%s", (int)len, dirs, NAME);

		if (len > 0 && access(path, X_OK) == 0)
			found = path;
		dirs += len + (dirs[len] == ':');
	}
	return found;
}
