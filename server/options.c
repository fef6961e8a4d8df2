/* The table of sortied's options, and what follows from several of them. */
#include "server/options.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <regex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include "lib/log.h"
#include "lib/opt.h"
#include "server/listen.h"

#define SYSTEM_CONFIG "/etc/sortie/sortied.conf"
#define SYSTEM_STATE "/var/lib/sortie"
#define DAY_S INT64_C(86400)
#define TIMEOUT_MAX_S INT64_C(1000000000)
#define WORKERS_MAX 32
/* Of an embedded database: a worker's besides its pool, and in all. */
#define OWN_CONNECTIONS 8
#define EMBEDDED_CONNECTIONS 90
#define AT(field) offsetof(struct settings, field)

static const struct opt opts[] = {
	{ "config", 'c', OPT_STR, AT(config), OPT_CLI_ONLY, 0, 0, NULL,
	  "SORTIED_CONFIG", "FILE",
	  "Read this config file; " SYSTEM_CONFIG " when it exists and none "
	  "is named. Every option that is not about one call of the program "
	  "is a key there, by its name with _ or -." },
	{ "embedded", 0, OPT_STR, AT(embedded), 0, 0, 0, NULL, NULL, "DIR",
	  "Keep a PostgreSQL of our own in DIR, making it when it is not "
	  "there. This is the default, with DIR the state directory, when "
	  "there is neither a config file nor a database." },
	{ "database", 'd', OPT_STR, AT(database), OPT_SECRET, 0, 0, NULL,
	  "SORTIED_DATABASE", "CONNINFO",
	  "Use the PostgreSQL (13 or newer) that this libpq connection "
	  "string names: \"host=db1,db2 dbname=sortie user=sortie "
	  "target_session_attrs=read-write\". Put passwords into a password "
	  "file, not here." },
	{ "pg-bindir", 0, OPT_STR, AT(pg_bindir), 0, 0, 0, NULL, NULL, "DIR",
	  "Take initdb and postgres from DIR instead of looking for the "
	  "newest ones." },
	{ "user", 'u', OPT_STR, AT(user), 0, 0, 0, NULL, NULL, "NAME",
	  "Run the embedded database as this user when started as root "
	  "(default: sortie, else postgres, whichever exists)." },
	{ "state-dir", 's', OPT_STR, AT(state_dir), 0, 0, 0, NULL, NULL, "DIR",
	  "Keep tokens, the Unix socket and blobs in DIR (default: the "
	  "embedded database's; else " SYSTEM_STATE " for root and "
	  "~/.local/share/sortie for others)." },
	{ "blob-dir", 0, OPT_STR, AT(blob_dir), 0, 0, 0, NULL, NULL, "DIR",
	  "Keep large output and job files in DIR (default: blobs in the "
	  "state directory)." },
	{ "admin-token-file", 0, OPT_STR, AT(admin_token_file), 0, 0, 0, NULL,
	  NULL, "FILE",
	  "Write the admin token that the first start makes to FILE, mode "
	  "0600 (default: admin-token in the state directory)." },
	{ "join-token-file", 0, OPT_STR, AT(join_token_file), 0, 0, 0, NULL,
	  NULL, "FILE",
	  "Write the join token that the first start makes to FILE, mode "
	  "0600 (default: join-token in the state directory)." },
	{ "secrets-key-file", 0, OPT_STR, AT(secrets_key_file), 0, 0, 0, NULL,
	  NULL, "FILE",
	  "The key that the secrets of jobs are stored under, mode 0600; made "
	  "when it is not there (default: secrets-key in the state "
	  "directory). All servers of a database need the same." },
	{ "listen", 'l', OPT_LIST, AT(listen), 0, 0, 0, NULL, NULL, "ADDRESS",
	  "Serve at HOST:PORT, [V6]:PORT or unix:PATH; may come several "
	  "times. With a certificate TCP is TLS unless http:// stands before "
	  "the address. Default: 127.0.0.1:7900 and the Unix socket "
	  "sortied.sock in the state directory; with --dev only the "
	  "latter." },
	{ "allow-plain-http", 0, OPT_FLAG, AT(allow_plain_http), 0, 0, 0, NULL,
	  NULL, NULL,
	  "Serve without TLS on addresses that are not loopback. Tokens then "
	  "travel in the clear: only behind a proxy that adds TLS." },
	{ "socket-group", 0, OPT_STR, AT(socket_group), 0, 0, 0, NULL, NULL,
	  "GROUP",
	  "Let this group connect to Unix sockets (mode 0660 instead of "
	  "0600)." },
	{ "tls-cert", 0, OPT_STR, AT(tls_cert), 0, 0, 0, NULL, NULL, "FILE",
	  "Serve TLS with the certificate chain in FILE (PEM); read again on "
	  "SIGHUP." },
	{ "tls-key", 0, OPT_STR, AT(tls_key), 0, 0, 0, NULL, NULL, "FILE",
	  "The certificate's private key (PEM); default: in the "
	  "certificate's file." },
	{ "tls-client-ca", 0, OPT_STR, AT(tls_client_ca), 0, 0, 0, NULL, NULL,
	  "FILE",
	  "Demand of TLS clients a certificate from one of the authorities "
	  "in FILE, in addition to their token." },
	{ "max-connections", 0, OPT_INT, AT(max_connections), 0, 16, 1000000,
	  "20000", NULL, "N",
	  "Open at most N connections; more wait in the kernel." },
	{ "db-connections", 0, OPT_INT, AT(db_connections), 0, 1, 64, "4", NULL,
	  "N",
	  "Connections to the database besides those of submissions, claims, "
	  "reports and output, which have their own." },
	{ "workers", 'w', OPT_INT, AT(workers), 0, 1, WORKERS_MAX, "1", NULL,
	  "N",
	  "Serve with N processes on the same addresses, for machines with "
	  "cores to spare; each has connections to the database of its own, "
	  "and --max-connections counts for each." },
	{ "drain", 0, OPT_SECONDS, AT(drain_s), 0, 0, 3600, "10", NULL, "TIME",
	  "On SIGTERM wait at most this long for running requests." },
	{ "lease", 0, OPT_SECONDS, AT(lease_s), 0, 3, 3600, "15", NULL, "TIME",
	  "A pilot that is not heard for this long has lost its runs." },
	{ "heartbeat", 0, OPT_SECONDS, AT(heartbeat_s), 0, 1, 1200, "4", NULL,
	  "TIME",
	  "How often a pilot with runs reports; at most a third of the "
	  "lease." },
	{ "loss-budget", 0, OPT_INT, AT(loss_budget), 0, 0, 1000, "3", NULL,
	  "N", "A job whose pilots were lost is run again this many times." },
	{ "default-timeout", 0, OPT_SECONDS, AT(default_timeout_s), 0, 0,
	  TIMEOUT_MAX_S, "0", NULL, "TIME",
	  "Time limit of jobs that name none; 0 means no limit." },
	{ "retention", 0, OPT_SECONDS, AT(retention_s), 0, 0, TIMEOUT_MAX_S,
	  "30 d", NULL, "TIME",
	  "Forget jobs this long (and up to two minutes) after their end; 0 "
	  "keeps them for ever." },
	{ "event-retention", 0, OPT_SECONDS, AT(event_retention_s), 0, 0,
	  TIMEOUT_MAX_S, "30 d", NULL, "TIME",
	  "Forget events after this time; 0 keeps them for ever." },
	{ "output-head", 0, OPT_BYTES, AT(output_head), 0, 65536,
	  INT64_C(1) << 30, "1 MiB", NULL, "SIZE",
	  "Keep this much of the beginning of each output stream." },
	{ "output-tail", 0, OPT_BYTES, AT(output_tail), 0, 65536,
	  INT64_C(1) << 30, "1 MiB", NULL, "SIZE",
	  "And this much of its end; what lies between is left out and "
	  "counted." },
	{ "callback-local", 0, OPT_FLAG, AT(callback_local), 0, 0, 0, NULL,
	  NULL, NULL,
	  "Let callbacks go to loopback and link-local addresses, too: whoever "
	  "submits workflows can then have the server post to services of its "
	  "own machine. With --dev they may." },
	{ "log-file", 0, OPT_STR, AT(log_file), 0, 0, 0, NULL, NULL, "FILE",
	  "Append the log to FILE instead of writing it to standard error; "
	  "opened again on SIGHUP." },
	{ "log-level", 0, OPT_STR, AT(log_level), 0, 0, 0, "info", NULL,
	  "LEVEL", "error, warn, info or debug." },
	{ "dev", 0, OPT_FLAG, AT(dev), OPT_CLI_ONLY, 0, 0, NULL, NULL, NULL,
	  "A whole system for trying things out: serves on a Unix socket, "
	  "starts one local pilot, prints what to export for the command, "
	  "and stops the pilot at its end." },
	{ "check-config", 0, OPT_FLAG, AT(check_config), OPT_CLI_ONLY, 0, 0,
	  NULL, NULL, NULL,
	  "Read options and config file, say what is wrong, and exit." },
	{ "audit", 0, OPT_FLAG, AT(audit), OPT_CLI_ONLY, 0, 0, NULL, NULL, NULL,
	  "Check that counters and limits equal what the rows say, in one "
	  "snapshot, name each breach, and exit (0 none, 3 some)." },
	{ "restored", 0, OPT_FLAG, AT(restored), OPT_CLI_ONLY, 0, 0, NULL, NULL,
	  NULL,
	  "After the database was restored from a backup: give the cluster a "
	  "new identity, so that pilots do not believe what it has "
	  "forgotten, and exit." },
	{ "print-routes", 0, OPT_FLAG, AT(print_routes), OPT_CLI_ONLY, 0, 0,
	  NULL, NULL, NULL,
	  "Print method, path and roles of each call, and exit." },
	{ "version", 'V', OPT_FLAG, AT(version), OPT_CLI_ONLY, 0, 0, NULL, NULL,
	  NULL, "Print the version and exit." },
	{ "help", 'h', OPT_FLAG, AT(help), OPT_CLI_ONLY, 0, 0, NULL, NULL, NULL,
	  "Print this and exit." },
	{ "mdoc", 0, OPT_FLAG, AT(mdoc), OPT_CLI_ONLY | OPT_HIDDEN, 0, 0, NULL,
	  NULL, NULL, "Print the manual's section of options." },
};

#define N_OPTS (sizeof(opts) / sizeof(opts[0]))

/* What a reload changes at once; the rest needs a restart. */
static const char *const live[] = {
	"drain",       "loss-budget",     "default-timeout",
	"retention",   "event-retention", "output-head",
	"output-tail", "log-file",        "log-level",
};

#define N_LIVE (sizeof(live) / sizeof(live[0]))

/* Where a user's own data are (XDG base directories). */
static const char *user_state(struct arena *a)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	struct passwd *pw;

	if (data != NULL && data[0] == '/')
		return arena_printf(a, "%s/sortie", data);
	if (home == NULL || home[0] != '/') {
		pw = getpwuid(getuid());
		home = pw == NULL ? NULL : pw->pw_dir;
	}
	if (home == NULL || home[0] != '/')
		return NULL;
	return arena_printf(a, "%s/.local/share/sortie", home);
}

static bool make_absolute(struct arena *a, const char **path, struct err *e)
{
	char cwd[PATH_MAX];

	if (*path == NULL || (*path)[0] == '/')
		return true;
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return err_set_errno(e, ERR_IO,
				     "cannot tell the current "
				     "directory");
	*path = arena_printf(a, "%s/%s", cwd, *path);
	return true;
}

static bool settle_database(struct settings *s, const char *file, struct err *e)
{
	if (s->database != NULL && s->embedded != NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "both a database and an "
			       "embedded one are named: give one of "
			       "--database and --embedded");
	if (s->database != NULL || s->embedded != NULL || s->dev ||
	    file == NULL)
		return true;
	/* A forgotten key must not start an empty system in silence. */
	return err_set(e, ERR_BAD_REQUEST,
		       "\"%s\" names no database: set "
		       "database = \"...\" or embedded = \"DIR\"",
		       file);
}

static bool settle_places(struct arena *a, struct settings *s, struct err *e)
{
	if (s->state_dir == NULL)
		s->state_dir = s->embedded;
	if (s->state_dir == NULL)
		s->state_dir = geteuid() == 0 ? SYSTEM_STATE : user_state(a);
	if (s->state_dir == NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "there is no home "
			       "directory to keep things in: give "
			       "--state-dir DIR");
	if (s->database == NULL && s->embedded == NULL)
		s->embedded = s->state_dir;
	if (!make_absolute(a, &s->state_dir, e) ||
	    !make_absolute(a, &s->embedded, e) ||
	    !make_absolute(a, &s->blob_dir, e))
		return false;
	if (s->blob_dir == NULL)
		s->blob_dir = arena_printf(a, "%s/blobs", s->state_dir);
	if (s->admin_token_file == NULL)
		s->admin_token_file =
			arena_printf(a, "%s/admin-token", s->state_dir);
	if (s->secrets_key_file == NULL)
		s->secrets_key_file =
			arena_printf(a, "%s/secrets-key", s->state_dir);
	if (s->join_token_file == NULL)
		s->join_token_file =
			arena_printf(a, "%s/join-token", s->state_dir);
	return true;
}

static bool settle_listen(struct arena *a, struct settings *s, struct err *e)
{
	struct sockaddr_un un;
	struct listen_addr addr;
	const char *own;
	size_t n = 0;

	if (s->listen == NULL || s->listen[0] == NULL) {
		s->listen = ARENA_ARRAY(a, const char *, 3);
		own = arena_printf(a, "unix:%s/sortied.sock", s->state_dir);
		if (strlen(own) - strlen("unix:") < sizeof(un.sun_path))
			s->listen[n++] = own;
		if (!s->dev || n == 0)
			s->listen[n++] = "127.0.0.1:7900";
	}
	for (size_t i = 0; s->listen[i] != NULL; i++) {
		if (!listen_parse(a, s->listen[i], &addr, e))
			return err_prefix(e, "--listen");
		if (addr.tls && s->tls_cert == NULL)
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%s\" needs a "
				       "certificate: give --tls-cert",
				       s->listen[i]);
		if (!s->allow_plain_http && listen_is_open(&addr) &&
		    (addr.plain || s->tls_cert == NULL))
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%s\" can be "
				       "reached from other machines, and "
				       "without TLS tokens would travel in "
				       "the clear: give --tls-cert, or "
				       "--allow-plain-http behind a proxy "
				       "that adds TLS",
				       s->listen[i]);
	}
	return true;
}

static bool settle_rest(struct settings *s, struct err *e)
{
	enum log_level level;

	if (s->heartbeat_s * 3 > s->lease_s)
		return err_set(e, ERR_BAD_REQUEST,
			       "a heartbeat of %lld s is "
			       "more than a third of the lease of %lld s",
			       (long long)s->heartbeat_s,
			       (long long)s->lease_s);
	if (s->embedded != NULL &&
	    s->workers * (s->db_connections + OWN_CONNECTIONS) >
		    EMBEDDED_CONNECTIONS)
		return err_set(e, ERR_BAD_REQUEST,
			       "%lld workers with %lld connections each of "
			       "--db-connections are more than the embedded "
			       "database takes",
			       (long long)s->workers,
			       (long long)s->db_connections);
	if (!log_level_from_name(s->log_level, &level))
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" is no level of "
			       "the log: error, warn, info or debug",
			       s->log_level);
	if (s->tls_cert == NULL &&
	    (s->tls_key != NULL || s->tls_client_ca != NULL))
		return err_set(e, ERR_BAD_REQUEST,
			       "--tls-key and "
			       "--tls-client-ca mean nothing without "
			       "--tls-cert");
	if (s->tls_key == NULL)
		s->tls_key = s->tls_cert;
	return true;
}

/* Arguments are for everybody on the machine to read. */
static bool check_words(int argc, char **argv, struct err *e)
{
	static const char uri[] = "^(--database=)?postgres(ql)?://[^/]*:[^/]*@";
	static const char pair[] = "(^|[= '])password *=";
	regex_t re;

	for (int i = 1; i < argc; i++) {
		const char *pattern = strstr(argv[i], "://") ? uri : pair;
		bool found;

		if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
			BUG("a pattern is wrong");
		found = regexec(&re, argv[i], 0, NULL, 0) == 0;
		regfree(&re);
		if (found)
			return err_set(e, ERR_BAD_REQUEST,
				       "a password on the command line can be "
				       "read by everybody on this machine: "
				       "name the database in the "
				       "configuration file (mode 0600), or "
				       "give passfile=FILE instead");
	}
	return true;
}

/* The command line is read first to find the file, and again over it. */
bool options_read(struct arena *a, int argc, char **argv, struct settings *out,
		  struct err *e)
{
	struct settings s = { 0 }, words = { 0 };
	const char *file;
	char **rest;
	size_t n;

	if (!check_words(argc, argv, e))
		return false;
	opt_defaults(a, opts, N_OPTS, &words);
	if (!opt_read_env(a, opts, N_OPTS, &words, e) ||
	    !opt_read_args(a, opts, N_OPTS, &words, argc, argv, false, &rest,
			   &n, e))
		return false;
	if (n > 0)
		return err_set(e, ERR_BAD_REQUEST, "\"%s\" is not an option",
			       rest[0]);
	file = words.config;
	if (file == NULL && !words.dev && access(SYSTEM_CONFIG, F_OK) == 0)
		file = SYSTEM_CONFIG;
	opt_defaults(a, opts, N_OPTS, &s);
	if (words.help || words.version || words.print_routes || words.mdoc) {
		*out = words;
		return true;
	}
	if (file != NULL && !opt_read_file(a, opts, N_OPTS, &s, file, e))
		return false;
	if (!opt_read_env(a, opts, N_OPTS, &s, e) ||
	    !opt_read_args(a, opts, N_OPTS, &s, argc, argv, false, &rest, &n,
			   e))
		return false;
	s.config = file;
	if (!settle_database(&s, file, e) || !settle_places(a, &s, e) ||
	    !settle_listen(a, &s, e) || !settle_rest(&s, e))
		return false;
	*out = s;
	return true;
}

void options_help(struct buf *b, int width)
{
	opt_help(b, opts, N_OPTS, width);
}

void options_mdoc(struct buf *b)
{
	opt_mdoc(b, opts, N_OPTS);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_list(const char **a, const char **b)
{
	size_t i = 0;

	if (a == NULL || b == NULL)
		return a == b;
	while (a[i] != NULL && b[i] != NULL && strcmp(a[i], b[i]) == 0)
		i++;
	return a[i] == NULL && b[i] == NULL;
}

static bool same(const struct opt *o, const struct settings *a,
		 const struct settings *b)
{
	const void *x = (const char *)a + o->offset;
	const void *y = (const char *)b + o->offset;

	switch (o->kind) {
	case OPT_FLAG:
		return *(const bool *)x == *(const bool *)y;
	case OPT_STR:
		return same_text(*(const char *const *)x,
				 *(const char *const *)y);
	case OPT_LIST:
	case OPT_MULTI:
		return same_list(*(const char ***)(uintptr_t)x,
				 *(const char ***)(uintptr_t)y);
	case OPT_INT:
	case OPT_SECONDS:
	case OPT_BYTES:
		return *(const int64_t *)x == *(const int64_t *)y;
	}
	return true;
}

void options_differ(const struct settings *old, const struct settings *now,
		    void (*fn)(const char *name, bool is_live, void *arg),
		    void *arg)
{
	for (size_t i = 0; i < N_OPTS; i++) {
		bool is_live = false;

		if (same(&opts[i], old, now))
			continue;
		for (size_t j = 0; j < N_LIVE; j++)
			is_live = is_live || strcmp(live[j], opts[i].name) == 0;
		fn(opts[i].name, is_live, arg);
	}
}
