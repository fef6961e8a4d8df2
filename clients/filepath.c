/* The path of a file that a person named: see filepath.h. */
#include "clients/filepath.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_parent(const char *path)
{
	size_t len;

	for (; *path != '\0'; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && strncmp(path, "..", 2) == 0)
			return true;
	}
	return false;
}

static const char *below(struct arena *a, const char *dir, const char *name)
{
	return arena_printf(a, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name);
}

bool filepath_resolve(struct arena *a, const char **path, struct err *e)
{
	const char *slash = strrchr(*path, '/');
	const char *name = slash != NULL ? slash + 1 : *path;
	char *dir;

	if (**path == '\0' || (**path == '/' && !has_parent(*path)))
		return true;
	if (strcmp(name, "..") == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" is a directory: a dataset is a file",
			       *path);
	dir = realpath(
		slash == NULL ? "."
			      : arena_strndup(a, *path, (size_t)(name - *path)),
		NULL);
	if (dir != NULL)
		*path = below(a, dir, name);
	else if (has_parent(*path))
		return err_set_errno(e, ERR_BAD_REQUEST,
				     "\"%s\" leads through a directory that "
				     "cannot be found here: write the whole "
				     "path without \"..\"",
				     *path);
	else if ((dir = getcwd(NULL, 0)) != NULL)
		*path = below(a, dir, *path);
	free(dir);
	return true;
}
