/* Remembers the numbers that `@last` stands for, in the user's state files. */
#include "clients/last.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/settings.h"
#include "lib/id.h"

/* One file per server, so that @last never means another server's jobs. */
static char *file_of(struct cli *c, const char *noun, char **dir)
{
	bool job = strcmp(noun, "job") == 0;
	uint8_t hash[32];
	char hex[17];

	*dir = settings_user_dir(c->arena, "state");
	if (*dir == NULL)
		return NULL;
	id_sha256(call_url(c), strlen(call_url(c)), hash);
	id_hex(hash, 8, hex);
	return arena_printf(c->arena, "%s/last-%s%s%s", *dir, job ? "" : noun,
			    job ? "" : "-", hex);
}

void last_save(struct cli *c, const char *noun, const struct refs *refs)
{
	struct err ignored = ERR_INIT;
	struct buf b = BUF_INIT;
	char *dir, *path, *draft;
	bool ok;
	FILE *f;

	if (refs->n == 0 || !call_open(c, &ignored))
		return;
	path = file_of(c, noun, &dir);
	if (path == NULL || !settings_make_dirs(dir))
		return;
	draft = arena_printf(c->arena, "%s.%ld", path, (long)getpid());
	f = fopen(draft, "we");
	if (f == NULL)
		return;
	refs_write(&b, refs);
	ok = fprintf(f, "%s\n", buf_str(&b)) > 0;
	buf_fini(&b);
	if (fclose(f) != 0 || !ok || rename(draft, path) != 0)
		unlink(draft);
}

bool last_read(struct cli *c, const char *noun, struct refs *out, struct err *e)
{
	char *dir, *path, *line = NULL;
	size_t cap = 0;
	ssize_t len;
	FILE *f;
	bool ok;

	if (!call_open(c, e))
		return false;
	path = file_of(c, noun, &dir);
	f = path ? fopen(path, "re") : NULL;
	if (f == NULL)
		return err_set(e, ERR_NOT_FOUND,
			       "there is no @last: no %s was made from here on "
			       "%s yet",
			       noun, call_url(c));
	len = getline(&line, &cap, f);
	fclose(f);
	if (len > 0 && line[len - 1] == '\n')
		line[len - 1] = '\0';
	ok = len > 0 && refs_add_text(c->arena, out, line, e);
	free(line);
	return ok || err_set(e, ERR_IO, "\"%s\" is damaged: remove it", path);
}
