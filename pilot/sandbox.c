/* Finds bubblewrap and puts its command line together: see sandbox.h. */
#include "pilot/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIND "bwrap"
#define FIXED_MAX 64

/* What every payload gets.  --new-session keeps signals for the payload from
 * bubblewrap's own processes, which would die of them and take it along. */
static const char *const always[] = { "--die-with-parent",
				      "--new-session",
				      "--unshare-pid",
				      "--unshare-ipc",
				      "--cap-drop",
				      "ALL",
				      "--ro-bind",
				      "/",
				      "/",
				      "--dev",
				      "/dev",
				      "--proc",
				      "/proc",
				      "--tmpfs",
				      "/tmp",
				      "--tmpfs",
				      "/var/tmp" };

#define N_ALWAYS (sizeof(always) / sizeof(always[0]))

bool sandbox_find(struct arena *a, const char *kind, struct sandbox *out,
		  struct err *e)
{
	const char *path = getenv("PATH");

	if (strcmp(kind, KIND) != 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "--sandbox: \"%s\" is not known, only " KIND,
			       kind);
	for (path = path ? path : "/usr/bin:/bin"; *path;) {
		size_t len = strcspn(path, ":");

		out->program = arena_printf(a, "%.*s/" KIND, (int)len, path);
		if (*path == '/' && access(out->program, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return err_set(e, ERR_NOT_FOUND,
		       "--sandbox: there is no " KIND
		       " on this machine: install the package bubblewrap");
}

struct line {
	char **v;
	size_t n;
};

static void word(struct line *l, const char *w)
{
	l->v[l->n++] = (char *)w;
}

/* A folder or file that is there under its own name. */
static void bind(struct line *l, const char *how, const char *path)
{
	word(l, how);
	word(l, path);
	word(l, path);
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

char **sandbox_argv(struct arena *a, const struct sandbox *s,
		    const struct sandbox_run *run)
{
	struct line l = { NULL, 0 };
	size_t n = 0, n_dirs = 0;

	while (run->argv[n])
		n++;
	while (s->writable && s->writable[n_dirs])
		n_dirs++;
	l.v = ARENA_ARRAY(a, char *, FIXED_MAX + n + 3 * n_dirs);
	word(&l, s->program);
	for (size_t i = 0; i < N_ALWAYS; i++)
		word(&l, always[i]);
	if (s->no_network)
		word(&l, "--unshare-net");
	for (size_t i = 0; i < n_dirs; i++)
		bind(&l, "--bind", s->writable[i]);
	if (strcmp(run->cwd, run->work) != 0)
		bind(&l, "--bind", run->cwd);
	/* After what people name, so that none of that shows it again. */
	word(&l, "--tmpfs");
	word(&l, s->hidden_dir);
	if (s->hidden_file) {
		word(&l, "--ro-bind");
		word(&l, "/dev/null");
		word(&l, s->hidden_file);
	}
	bind(&l, "--bind", run->work);
	bind(&l, "--ro-bind", run->job_file);
	if (is_below(run->program, s->hidden_dir))
		bind(&l, "--ro-bind", run->program);
	word(&l, "--chdir");
	word(&l, run->cwd);
	word(&l, "--");
	word(&l, run->program);
	for (size_t i = 1; i < n; i++)
		word(&l, run->argv[i]);
	l.v[l.n] = NULL;
	return l.v;
}
