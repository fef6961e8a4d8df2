/* Makes the embedded database: its user, directories, programs and cluster. */
#include "server/embedded_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/log.h"
#include "server/migrate.h"

#define OLDEST_VERSION 13
/* What PostgreSQL puts behind the directory: "/.s.PGSQL.5432.lock". */
#define SOCKET_SUFFIX 20

static bool set_user(struct embedded *em, const struct passwd *pw)
{
	if (pw == NULL)
		return false;
	em->user = arena_strdup(em->arena, pw->pw_name);
	em->uid = pw->pw_uid;
	em->gid = pw->pw_gid;
	return true;
}

bool embedded_choose_user(struct embedded *em, const char *wanted,
			  struct err *e)
{
	if (geteuid() != 0) {
		if (set_user(em, getpwuid(geteuid())))
			return true;
		return err_set(e, ERR_IO,
			       "the user %ld has no name: "
			       "PostgreSQL's peer authentication needs one",
			       (long)geteuid());
	}
	em->other_user = true;
	if (wanted != NULL && !set_user(em, getpwnam(wanted)))
		return err_set(e, ERR_BAD_REQUEST,
			       "there is no user \"%s\" "
			       "(--user)",
			       wanted);
	if (wanted == NULL && !set_user(em, getpwnam("sortie")) &&
	    !set_user(em, getpwnam("postgres")))
		return err_set(e, ERR_IO,
			       "PostgreSQL refuses to run as root "
			       "and there is no user \"sortie\": make one "
			       "with \"useradd --system sortie\", or name "
			       "another with --user");
	if (em->uid == 0 || strcmp(em->user, "nobody") == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the database cannot run "
			       "as \"%s\": name a user of its own with "
			       "--user",
			       em->user);
	return true;
}

/* Directories */

static bool make_dir(const char *path, mode_t mode, struct err *e)
{
	struct stat st;

	if (mkdir(path, mode) == 0 || errno == EEXIST) {
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return true;
		errno = ENOTDIR;
	}
	return err_set_errno(e, ERR_IO, "cannot make the directory \"%s\"",
			     path);
}

static bool make_parents(struct embedded *em, struct err *e)
{
	char *path = arena_strdup(em->arena, em->dir);
	char *p = path;

	while ((p = strchr(p + 1, '/')) != NULL) {
		*p = '\0';
		if (!make_dir(path, 0755, e))
			return false;
		*p = '/';
	}
	return true;
}

/* Runs as the database's user. */
static bool walk(struct embedded *em, struct err *e)
{
	char *path = arena_strdup(em->arena, em->dir);
	char *p = path;
	bool more = true;

	while (more) {
		p = strchr(p + 1, '/');
		more = p != NULL;
		if (more)
			*p = '\0';
		if (access(path, X_OK) != 0)
			return err_set(e, ERR_IO,
				       "the user \"%s\", who runs "
				       "the database, may not enter \"%s\": "
				       "allow it (chmod o+x) or choose "
				       "another directory with --embedded",
				       em->user, path);
		if (more)
			*p = '/';
	}
	return true;
}

static bool own_dir(struct embedded *em, const char *path, struct err *e)
{
	if (!make_dir(path, 0700, e))
		return false;
	if (em->other_user && lchown(path, em->uid, em->gid) != 0)
		return err_set_errno(e, ERR_IO,
				     "cannot give \"%s\" to the "
				     "user \"%s\"",
				     path, em->user);
	if (chmod(path, 0700) == 0)
		return true;
	return err_set_errno(e, ERR_IO, "cannot close \"%s\" to others", path);
}

/* A deep DIR is too long for a socket's address: then DIR/run is a link to a
 * short directory of ours. */
static bool socket_dir_short(struct embedded *em, const char *run,
			     struct err *e)
{
	char target[64], *dir;
	struct stat st;
	ssize_t n = readlink(run, target, sizeof(target) - 1);

	if (n > 0) {
		target[n] = '\0';
		if (lstat(target, &st) == 0 && S_ISDIR(st.st_mode) &&
		    st.st_uid == em->uid && (st.st_mode & 077) == 0) {
			em->sockets = arena_strdup(em->arena, target);
			return true;
		}
		unlink(run);
	}
	dir = arena_strdup(em->arena, "/tmp/sortie-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return err_set_errno(e, ERR_IO,
				     "cannot make a directory for "
				     "the database's socket below /tmp");
	if (symlink(dir, run) != 0)
		return err_set_errno(e, ERR_IO, "cannot make the link \"%s\"",
				     run);
	em->sockets = dir;
	return own_dir(em, dir, e);
}

bool embedded_make_dirs(struct embedded *em, struct err *e)
{
	const char *run = arena_printf(em->arena, "%s/run", em->dir);
	struct sockaddr_un un;

	/* Root keeps tokens in DIR, the database's user must pass through. */
	mode_t mode = em->other_user ? 0711 : 0700;

	if (!make_parents(em, e) || !make_dir(em->dir, mode, e))
		return false;
	if (chmod(em->dir, mode) != 0)
		return err_set_errno(e, ERR_IO,
				     "cannot set the mode of "
				     "\"%s\"",
				     em->dir);
	if (!embedded_as_user(em, walk, e))
		return false;
	if (strlen(run) + SOCKET_SUFFIX > sizeof(un.sun_path))
		return socket_dir_short(em, run, e);
	em->sockets = run;
	return own_dir(em, run, e);
}

/* Programs */

static bool is_bindir(struct embedded *em, const char *dir)
{
	const char *initdb = arena_printf(em->arena, "%s/initdb", dir);
	const char *postgres = arena_printf(em->arena, "%s/postgres", dir);

	return access(initdb, X_OK) == 0 && access(postgres, X_OK) == 0;
}

/* The version in the names of the folders of distributions' packages. */
static int newest_below(struct embedded *em, const char *parent,
			const char *prefix, const char *suffix, int wanted,
			int best)
{
	DIR *d = opendir(parent);
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		const char *dir;
		int version;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		version = (int)strtol(entry->d_name + strlen(prefix), NULL, 10);
		dir = arena_printf(em->arena, "%s/%s%s", parent, entry->d_name,
				   suffix);
		if (version <= best || version < OLDEST_VERSION ||
		    (wanted != 0 && version != wanted) || !is_bindir(em, dir))
			continue;
		em->bindir = dir;
		best = version;
	}
	if (d != NULL)
		closedir(d);
	return best;
}

static bool find_in_path(struct embedded *em)
{
	const char *path = getenv("PATH");
	char *list, *dir, *rest;

	if (path == NULL)
		return false;
	list = arena_strdup(em->arena, path);
	for (dir = strtok_r(list, ":", &rest); dir != NULL;
	     dir = strtok_r(NULL, ":", &rest)) {
		if (dir[0] == '/' && is_bindir(em, dir)) {
			em->bindir = dir;
			return true;
		}
	}
	return false;
}

/* The version of the database that is there, 0 when none is. */
static int data_version(struct embedded *em)
{
	const char *path = arena_printf(em->arena, "%s/PG_VERSION", em->data);
	const char *text = embedded_tail(em, path);

	return (int)strtol(text, NULL, 10);
}

static bool find_programs(struct embedded *em, const char *wanted,
			  struct err *e)
{
	int version = data_version(em);
	int best = 0;

	if (wanted != NULL) {
		em->bindir = wanted;
		if (is_bindir(em, wanted))
			return true;
		return err_set(e, ERR_IO,
			       "there are no initdb and postgres "
			       "in \"%s\" (--pg-bindir)",
			       wanted);
	}
	best = newest_below(em, "/usr/lib/postgresql", "", "/bin", version,
			    best);
	best = newest_below(em, "/usr", "pgsql-", "/bin", version, best);
	if (best != 0 || find_in_path(em))
		return true;
	if (version != 0)
		return err_set(e, ERR_IO,
			       "the database in \"%s\" is "
			       "PostgreSQL %d, which is not installed: "
			       "install it, or upgrade the database with "
			       "pg_upgrade",
			       em->data, version);
	return err_set(e, ERR_IO,
		       "PostgreSQL (%d or newer) is not "
		       "installed: install postgresql (on Debian: apt install "
		       "postgresql), name its programs with --pg-bindir, or "
		       "use another database with --database",
		       OLDEST_VERSION);
}

/* The cluster */

static bool append_include(struct embedded *em, const char *dir, struct err *e)
{
	const char *path = arena_printf(em->arena, "%s/postgresql.conf", dir);
	FILE *f = fopen(path, "ae");
	bool ok;

	if (f == NULL)
		return err_set_errno(e, ERR_IO, "cannot open \"%s\"", path);
	ok = fputs("\ninclude = 'sortied.conf'\n"
		   "include_if_exists = 'local.conf'\n",
		   f) >= 0;
	ok = fclose(f) == 0 && ok;
	if (ok)
		return true;
	return err_set_errno(e, ERR_IO, "cannot write \"%s\"", path);
}

static bool sync_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	if (ok)
		return true;
	return err_set_errno(e, ERR_IO, "cannot sync \"%s\"", path);
}

static bool make_cluster(struct embedded *em, struct err *e)
{
	const char *tmp = arena_printf(em->arena, "%s/pg.tmp", em->dir);
	const char *rm[] = { "/bin/rm", "-rf", "--", tmp, NULL };
	const char *initdb[] = {
		arena_printf(em->arena, "%s/initdb", em->bindir),
		"-D",
		tmp,
		"-U",
		"sortie",
		"--auth-local=peer",
		"--auth-host=reject",
		"-E",
		"UTF8",
		"--locale=C",
		"--data-checksums",
		NULL,
	};
	const char *create[] = {
		arena_printf(em->arena, "%s/postgres", em->bindir),
		"--single",
		"-j",
		"-D",
		tmp,
		"postgres",
		NULL,
	};
	const char *input = arena_printf(em->arena, "%s\n\n",
					 migrate_sql("database_create"));

	log_info("making a PostgreSQL database in \"%s\"", em->data);
	if (!embedded_run(em, rm, NULL, e) || !own_dir(em, tmp, e) ||
	    !embedded_run(em, initdb, NULL, e) || !append_include(em, tmp, e) ||
	    !embedded_configure(em, tmp, e) ||
	    !embedded_run(em, create, input, e) || !sync_dir(tmp, e))
		return false;
	if (rename(tmp, em->data) != 0)
		return err_set_errno(e, ERR_IO, "cannot name \"%s\"", em->data);
	return sync_dir(em->dir, e);
}

bool embedded_make(struct embedded *em, const char *bindir, struct err *e)
{
	struct stat st;

	if (!find_programs(em, bindir, e))
		return false;
	if (stat(em->data, &st) != 0)
		return make_cluster(em, e);
	return embedded_configure(em, em->data, e);
}
