/* Brings everything up that a server needs before its first request. */
#include "server/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/id.h"
#include "lib/log.h"
#include "server/auth.h"
#include "server/db.h"
#include "server/embedded.h"
#include "server/migrate.h"
#include "server/options.h"
#include "server/server.h"

#define RETRY_MS 500
#define TELL_MS 10000

bool prepare_state_dir(const struct settings *set, struct err *e)
{
	char *path = xstrdup(set->state_dir);
	char *p = path;
	struct stat st;
	bool ok;

	while ((p = strchr(p + 1, '/')) != NULL) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
	free(path);
	ok = (mkdir(set->state_dir, 0700) == 0 || errno == EEXIST) &&
	     stat(set->state_dir, &st) == 0;
	if (ok && !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		ok = false;
	}
	if (ok)
		return true;
	return err_set_errno(e, ERR_IO,
			     "cannot make the state directory "
			     "\"%s\" (--state-dir)",
			     set->state_dir);
}

bool prepare_embedded(struct server *srv, const volatile sig_atomic_t *stop,
		      struct err *e)
{
	srv->conninfo = srv->set->database;
	if (srv->set->embedded == NULL)
		return true;
	srv->embedded = embedded_start(srv->set, stop, e);
	if (srv->embedded == NULL)
		return false;
	srv->conninfo = embedded_conninfo(srv->embedded);
	return true;
}

static struct db_sync *connect_patiently(struct server *srv,
					 const volatile sig_atomic_t *stop,
					 struct err *e)
{
	int64_t told = 0;
	struct db_sync *db;

	while ((db = db_sync_open(srv->conninfo, e)) == NULL) {
		int64_t now = clock_mono_ms();

		if (e->code == ERR_BAD_REQUEST)
			return NULL;
		if (told == 0 || now - told >= TELL_MS) {
			log_warn("%s; trying again", e->text);
			told = now;
		}
		(void)poll(NULL, 0, RETRY_MS);
		if (stop == NULL || *stop != 0)
			return NULL;
	}
	return db;
}

/* First tokens */

static void on_count(const struct db_result *r, size_t row, void *arg)
{
	*(int64_t *)arg = db_i64(r, row, 0);
}

/* Whole or not at all: clients may wait for the file to appear. */
static bool write_secret(const char *path, const char *secret, struct err *e)
{
	char *tmp = xasprintf("%s.new", path);
	bool ok = unlink(tmp) == 0 || errno == ENOENT;
	int fd = ok ? open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
		    : -1;

	ok = fd >= 0 && dprintf(fd, "%s\n", secret) > 0 && fsync(fd) == 0;
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	if (ok && (rename(tmp, path) != 0 || !fd_sync_folder(path)))
		ok = false;
	if (!ok)
		err_set_errno(e, ERR_IO, "cannot write the token file \"%s\"",
			      path);
	free(tmp);
	return ok;
}

static const char *login_name(void)
{
	struct passwd *pw = getpwuid(geteuid());

	return pw == NULL ? "admin" : pw->pw_name;
}

/* The file first: a token that nobody can read would lock everybody out. */
static bool make_token(struct db_sync *db, enum role role, const char *path,
		       struct err *e)
{
	struct arena *a = arena_new();
	struct db_params *p = db_params_new(a);
	char secret[AUTH_SECRET_LEN + 1];
	uint8_t hash[32];
	bool ok;

	auth_secret_make(role == ROLE_JOIN ? "sj_" : "st_", secret, hash);
	db_p_bytes(p, hash, sizeof(hash));
	db_p_text(p, auth_role_name(role));
	db_p_text(p, login_name());
	db_p_text(p, "made at the first start");
	db_p_array(p, db_array_new(a, DB_TEXT));
	db_p_bool(p, false);
	db_p_null(p);
	db_p_null(p);
	ok = write_secret(path, secret, e) &&
	     db_sync_run(db, "token_create", p, NULL, NULL, e);
	explicit_bzero(secret, sizeof(secret));
	arena_free(a);
	if (ok)
		log_info("made the first %s token: it is in \"%s\"",
			 auth_role_name(role), path);
	return ok;
}

/* Whether there is a token in it. */
static bool is_written(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

static void on_known(const struct db_result *r, size_t row, void *arg)
{
	(void)r;
	(void)row;
	*(bool *)arg = true;
}

/* Whether the cluster knows the token in the file. */
static bool token_is_known(struct db_sync *db, const char *path, bool *known,
			   struct err *e)
{
	struct arena *a = arena_new();
	struct db_params *p = db_params_new(a);
	char secret[AUTH_SECRET_LEN + 2] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, secret, sizeof(secret) - 1);
	uint8_t hash[32];
	bool ok = true;

	if (fd >= 0)
		close(fd);
	*known = false;
	if (n > 0) {
		secret[strcspn(secret, "\n")] = '\0';
		id_sha256(secret, strlen(secret), hash);
		db_p_bytes(p, hash, sizeof(hash));
		ok = db_sync_run(db, "token_get", p, on_known, known, e);
	}
	explicit_bzero(secret, sizeof(secret));
	arena_free(a);
	return ok;
}

static bool first_tokens(struct db_sync *db, const struct settings *set,
			 struct err *e)
{
	struct arena *a = arena_new();
	int64_t n = 0;
	bool begun;
	bool ok = db_sync_run(db, "token_count", db_params_new(a), on_count, &n,
			      e);

	arena_free(a);
	if (!ok || n > 0)
		return ok;
	/* The admin token last: while it is missing this is done again. One
	 * that is written in a cluster which does not know our join token is
	 * another cluster's: somebody else is just making this one. */
	if (is_written(set->admin_token_file)) {
		if (!token_is_known(db, set->join_token_file, &begun, e))
			return false;
		if (!begun)
			return err_set(e, ERR_CONFLICT,
				       "the database has a new cluster, but "
				       "\"%s\" is from one that this server "
				       "had: name that one, or remove the file "
				       "when the new one is meant",
				       set->admin_token_file);
	}
	return make_token(db, ROLE_JOIN, set->join_token_file, e) &&
	       make_token(db, ROLE_ADMIN, set->admin_token_file, e);
}

/* An empty database where there was one before is another that stands behind
 * the address, or a new disk in the place of the old: a new cluster there would
 * write its tokens over those of the cluster that is missed. */
static bool not_missed(struct db_sync *db, const struct settings *set,
		       struct err *e)
{
	struct arena *a = arena_new();
	int64_t empty = 0;
	bool ok = db_sync_run(db, "database_empty", db_params_new(a), on_count,
			      &empty, e);

	arena_free(a);
	if (!ok || !empty || !is_written(set->admin_token_file))
		return ok;
	return err_set(
		e, ERR_CONFLICT,
		"the database is empty, but \"%s\" is from one that this "
		"server had: name that one, or remove the file when a "
		"new cluster is meant",
		set->admin_token_file);
}

struct db_sync *prepare_database(struct server *srv,
				 const volatile sig_atomic_t *stop,
				 struct err *e)
{
	struct db_sync *db = connect_patiently(srv, stop, e);
	int applied;

	if (db == NULL)
		return NULL;
	if (!not_missed(db, srv->set, e) || !migrate_run(db, &applied, e) ||
	    !migrate_cluster(db, srv, e) || !first_tokens(db, srv->set, e)) {
		db_sync_close(db);
		return NULL;
	}
	if (applied > 0)
		log_info("applied %d migration%s to the database", applied,
			 applied == 1 ? "" : "s");
	return db;
}
