/* The pilot's options: one table, and the layers that fill it. */
#include "pilot/options.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/opt.h"

#define TOKEN_ENV "SORTIE_JOIN_TOKEN"
#define TOKEN_MAX 256
#define WAIT_DEFAULT_S 30
#define SLOTS_MAX 100000
#define YEARS_S INT64_C(1000000000)

#define AT(field) offsetof(struct pilot_options, field)

/* clang-format off */
static const struct opt opts[] = {
	{ "url", 'u', OPT_LIST, AT(urls), 0, 0, 0, "http://127.0.0.1:7900",
	  "SORTIE_URL", "URL",
	  "A server: http://HOST:PORT, https://HOST:PORT or unix:/PATH. May be "
	  "given several times: when one does not answer the next is asked." },
	{ "join-token-file", 't', OPT_STR, AT(join_token_file), 0, 0, 0, NULL,
	  "SORTIE_JOIN_TOKEN_FILE", "FILE",
	  "The file, mode 0600, that holds the join token. Without it the token "
	  "is taken from SORTIE_JOIN_TOKEN, which payloads do not get to see." },
	{ "config", 'c', OPT_STR, AT(config), OPT_CLI_ONLY, 0, 0, NULL,
	  "SORTIE_PILOT_CONFIG", "FILE",
	  "Read options from this file; what the command line and the "
	  "environment say goes before it." },
	{ "site", 's', OPT_STR, AT(site), 0, 0, 0, NULL, "SORTIE_SITE", "NAME",
	  "The site this pilot belongs to. If the server has a definition of it, "
	  "its environment goes to every payload and its values are defaults of "
	  "these options." },
	{ "pools", 'p', OPT_LIST, AT(pools), 0, 0, 0, NULL, NULL, "POOL,...",
	  "The pools this pilot belongs to." },
	{ "labels", 'l', OPT_LIST, AT(labels), 0, 0, 0, NULL, NULL, "K=V,...",
	  "Labels that jobs may ask for." },
	{ "jobtypes", 'j', OPT_LIST, AT(jobtypes), 0, 0, 0, NULL, NULL,
	  "TYPE,...",
	  "Take only jobs of these types; !TYPE refuses one. Default: all." },
	{ "slots", 'n', OPT_INT, AT(slots), 0, 1, SLOTS_MAX, NULL, NULL, "N",
	  "At most so many runs at once. Default: one for each core." },
	{ "cores", 0, OPT_INT, AT(cores), 0, 1, SLOTS_MAX, NULL, NULL, "N",
	  "Cores on offer. Default: the batch engine's, else this process's." },
	{ "memory", 'm', OPT_BYTES, AT(memory), 0, 0, INT64_C(1) << 50, NULL,
	  NULL, "SIZE",
	  "Memory on offer. Default: the batch engine's, else the host's." },
	{ "cycles", 'N', OPT_INT, AT(cycles), 0, 0, YEARS_S, "0", NULL, "N",
	  "Leave after so many attempts, and when payloads have ended; an "
	  "attempt is one claim that the server answered. 0: for ever." },
	{ "period", 'P', OPT_SECONDS, AT(period_s), 0, 0, YEARS_S, "5", NULL,
	  "S", "Time between attempts that find nothing, when polling." },
	{ "wait", 'w', OPT_SECONDS, AT(wait_s), 0, 0, 60, NULL, NULL, "S",
	  "How long the server may hold a claim back until there is work; 0 "
	  "polls every --period. Default: 30 s, with --cycles 0." },
	{ "idle", 'I', OPT_SECONDS, AT(idle_s), 0, 0, YEARS_S, "0", NULL, "S",
	  "Leave when there has been nothing to run for so long while a server "
	  "answered. 0: stay." },
	{ "lifetime", 'L', OPT_SECONDS, AT(lifetime_s), 0, 0, YEARS_S, NULL,
	  NULL, "S",
	  "Be gone by then: take no job with a longer time limit, and drain in "
	  "time. Default: the end of the batch engine's allocation, else none." },
	{ "grace", 'g', OPT_SECONDS, AT(grace_s), 0, 0, 86400, "10", NULL, "S",
	  "Time from SIGTERM to SIGKILL for a payload that must end." },
	{ "keep", 'k', OPT_SECONDS, AT(keep_s), 0, 0, YEARS_S, "1 h", NULL, "S",
	  "How long the working directories of failed runs stay." },
	{ "keep-all", 0, OPT_FLAG, AT(keep_all), 0, 0, 0, NULL, NULL, NULL,
	  "Never remove working directories." },
	{ "connect-timeout", 'C', OPT_SECONDS, AT(connect_timeout_s), 0, 0,
	  YEARS_S, "0", NULL, "S",
	  "Give up (exit 4) when no server has taken this pilot in by then. 0: "
	  "try for ever." },
	{ "spool", 'S', OPT_STR, AT(spool), 0, 0, 0, NULL, NULL, "DIR",
	  "The pilot's own directory. Default: STATE/HOST/N with the first N "
	  "that is free, where STATE is in the batch engine's scratch "
	  "directory, /var/lib/sortie/pilots for root, or sortie/pilots in "
	  "$XDG_STATE_HOME (~/.local/state)." },
	{ "host-name", 'H', OPT_STR, AT(host_name), 0, 0, 0, NULL, NULL, "NAME",
	  "What to call this host. Default: its host name." },
	{ "tag", 'e', OPT_STR, AT(batch_id), 0, 0, 0, NULL, NULL, "TEXT",
	  "The batch id shown with the pilot. Default: the batch engine's." },
	{ "one-user", 0, OPT_FLAG, AT(one_user), 0, 0, 0, NULL, NULL, NULL,
	  "Take jobs of every owner although all run as this user, who can then "
	  "read and disturb each other's." },
	{ "run-as-file", 0, OPT_STR, AT(run_as_file), 0, 0, 0, NULL, NULL,
	  "FILE",
	  "As root: run each owner's jobs as the user that this file names. A "
	  "line is OWNER USER; \"* =\" stands for everybody else, each as the "
	  "user of the same name. Users below 1000 need a line of their own, "
	  "root is nobody's, and owners without a user run nothing here." },
	{ "no-new-privileges", 0, OPT_FLAG, AT(no_new_privs), 0, 0, 0, NULL,
	  NULL, NULL,
	  "Payloads gain nothing by set-user-id programs, as it always is with "
	  "--run-as-file and --sandbox: sudo, mount, or a container program that "
	  "is set-user-id, do not work in them." },
	{ "sandbox", 0, OPT_STR, AT(sandbox), 0, 0, 0, NULL, NULL, "bwrap",
	  "Run payloads in bubblewrap: the machine's files are there for reading "
	  "only, /tmp and the list of processes are their own, and the pilot's "
	  "spool and join token are not there." },
	{ "sandbox-write", 0, OPT_LIST, AT(sandbox_write), 0, 0, 0, NULL, NULL,
	  "DIR,...",
	  "Folders that payloads in the sandbox may write, beside their working "
	  "directory." },
	{ "sandbox-offline", 0, OPT_FLAG, AT(sandbox_offline), 0, 0, 0, NULL,
	  NULL, NULL, "Payloads in the sandbox have no network." },
	{ "cgroups", 0, OPT_FLAG, AT(cgroups), 0, 0, 0, "true", NULL, NULL,
	  "Leave control groups alone. Without this, jobs are held to their "
	  "memory by them where the host lets us." },
	{ "ca-file", 0, OPT_STR, AT(ca_file), 0, 0, 0, NULL, "SORTIE_CA_FILE",
	  "FILE", "Certificates of authorities to trust, instead of the system's."
	},
	{ "cert", 0, OPT_STR, AT(cert), 0, 0, 0, NULL, NULL, "FILE",
	  "A client certificate to show." },
	{ "key-file", 0, OPT_STR, AT(key), 0, 0, 0, NULL, NULL, "FILE",
	  "The client certificate's key." },
	{ "insecure", 0, OPT_FLAG, AT(insecure), 0, 0, 0, NULL, NULL, NULL,
	  "Do not check the server's certificate: whoever stands between may "
	  "then run programs here." },
	{ "log-file", 0, OPT_STR, AT(log_file), 0, 0, 0, NULL, NULL, "FILE",
	  "Append log lines to this file; SIGHUP opens it anew." },
	{ "verbose", 'v', OPT_FLAG, AT(verbose), 0, 0, 0, NULL, NULL, NULL,
	  "Log every run." },
	{ "quiet", 'q', OPT_FLAG, AT(quiet), 0, 0, 0, NULL, NULL, NULL,
	  "Log warnings and errors only." },
	{ "version", 'V', OPT_FLAG, AT(version), OPT_CLI_ONLY, 0, 0, NULL, NULL,
	  NULL, "Print the version." },
	{ "help", 'h', OPT_FLAG, AT(help), OPT_CLI_ONLY, 0, 0, NULL, NULL, NULL,
	  "Print this." },
	{ "mdoc", 0, OPT_FLAG, AT(mdoc), OPT_CLI_ONLY | OPT_HIDDEN, 0, 0, NULL,
	  NULL, NULL, "Print the manual's section of options." },
};

/* What p3s calls a pilot's options in a site's definition. */
static const struct {
	const char *key, *option;
} site_names[] = {
	{ "pilotcycles", "cycles" },
	{ "pilotperiod", "period" },
	{ "pilotlife", "lifetime" },
};

/* A site says how pilots work, not who they are or whom they trust. */
static const char *const not_from_site[] = {
	"url", "join-token-file", "config", "site", "spool", "host-name", "tag",
	"ca-file", "cert", "key-file", "insecure", "log-file", "one-user",
	"run-as-file", "sandbox", "sandbox-write", "sandbox-offline", "version", "help", "mdoc",
};
/* clang-format on */

#define N_OPTS (sizeof(opts) / sizeof(opts[0]))
#define N(table) (sizeof(table) / sizeof((table)[0]))

static const char *taken_token;

static const char *site_option(const char *key)
{
	for (size_t i = 0; i < N(site_names); i++)
		if (strcmp(site_names[i].key, key) == 0)
			return site_names[i].option;
	for (size_t i = 0; i < N(not_from_site); i++)
		if (strcmp(not_from_site[i], key) == 0)
			return NULL;
	for (size_t i = 0; i < N_OPTS; i++)
		if (strcmp(opts[i].name, key) == 0)
			return key;
	return NULL;
}

struct site_args {
	struct arena *arena;
	char **argv;
	int argc, cap;
};

static void site_arg(struct site_args *s, char *arg)
{
	if (s->argc < s->cap - 1)
		s->argv[s->argc++] = arg;
}

/* One value of the site's definition becomes words of a command line. */
static bool site_value(const char *name, struct json_object *v,
		       struct site_args *s)
{
	struct arena *a = s->arena;

	switch (json_type(v)) {
	case JSON_BOOL:
		site_arg(s, arena_printf(a, "--%s%s", json_bool(v) ? "" : "no-",
					 name));
		break;
	case JSON_INT:
		site_arg(s, arena_printf(a, "--%s=%lld", name,
					 (long long)json_int(v)));
		break;
	case JSON_STR:
		site_arg(s, arena_printf(a, "--%s=%s", name, json_str(v)));
		break;
	case JSON_ARRAY:
		for (size_t i = 0; i < json_len(v); i++)
			if (json_type(json_at(v, i)) == JSON_STR)
				site_value(name, json_at(v, i), s);
		break;
	default:
		log_warn("the site's value of '%s' is %s and is not used", name,
			 json_type_name(json_type(v)));
	}
	return true;
}

static bool on_site_member(const char *key, struct json_object *v, void *arg)
{
	const char *name = site_option(key);

	return name ? site_value(name, v, arg) : true;
}

#define SITE_ARGS_MAX 256

static bool read_site(struct arena *a, struct json_object *site,
		      struct pilot_options *out, struct err *e)
{
	struct site_args s = { .arena = a, .cap = SITE_ARGS_MAX };
	char **rest;
	size_t n_rest;

	s.argv = ARENA_ARRAY(a, char *, SITE_ARGS_MAX);
	site_arg(&s, arena_strdup(a, "site"));
	json_each(site, on_site_member, &s);
	if (opt_read_args(a, opts, N_OPTS, out, s.argc, s.argv, false, &rest,
			  &n_rest, e))
		return true;
	return err_prefix(e, "the site's definition");
}

static void read_engine(struct arena *a, const struct engine *g,
			struct pilot_options *out)
{
	if (g->batch_id)
		out->batch_id = g->batch_id;
	if (g->cores)
		out->cores = g->cores;
	if (g->memory)
		out->memory = g->memory;
	if (g->lifetime_s)
		out->lifetime_s = g->lifetime_s;
	if (g->scratch)
		out->state = arena_printf(a, "%s/sortie-%ld", g->scratch,
					  (long)geteuid());
}

static int64_t host_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static int64_t host_memory(void)
{
	int64_t pages = sysconf(_SC_PHYS_PAGES);
	int64_t size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? pages * size : 0;
}

static const char *host_name(struct arena *a)
{
	char name[256];

	if (gethostname(name, sizeof(name)) != 0)
		return "localhost";
	name[sizeof(name) - 1] = '\0';
	return arena_strdup(a, name);
}

/* What nobody has said. */
static void fill(struct arena *a, struct pilot_options *o)
{
	if (o->cores <= 0)
		o->cores = host_cores();
	if (o->cores <= 0)
		o->cores = 1;
	if (o->slots <= 0)
		o->slots = o->cores;
	if (o->memory <= 0)
		o->memory = host_memory();
	if (o->wait_s < 0)
		o->wait_s = o->cycles ? 0 : WAIT_DEFAULT_S;
	if (!o->host_name || !*o->host_name)
		o->host_name = host_name(a);
	if (!o->site)
		o->site = "";
	if (!o->batch_id)
		o->batch_id = "";
	if (o->spool && !*o->spool)
		o->spool = NULL;
}

static bool check_url(const char *url, struct err *e)
{
	if (strncmp(url, "unix:/", 6) == 0 ||
	    strncasecmp(url, "http://", 7) == 0 ||
	    strncasecmp(url, "https://", 8) == 0)
		return true;
	return err_set(e, ERR_BAD_REQUEST,
		       "the server's address \"%s\" is not understood: write "
		       "http://HOST:PORT, https://HOST:PORT or unix:/PATH",
		       url);
}

static bool check_jobtypes(const char **types, struct err *e)
{
	for (const char **t = types; t && *t; t++)
		for (const char **u = types; **t == '!' && *u; u++)
			if (strcmp(*u, *t + 1) == 0)
				return err_set(e, ERR_BAD_REQUEST,
					       "--jobtypes both takes and "
					       "refuses \"%s\"",
					       *u);
	return true;
}

/* A file that curl would only miss at the first call, again and again. */
static bool check_readable(const char *option, const char *path, struct err *e)
{
	if (!path || !*path || access(path, R_OK) == 0)
		return true;
	return err_set(e, ERR_BAD_REQUEST, "%s: cannot read \"%s\": %s", option,
		       path, strerror(errno));
}

static bool check(const struct pilot_options *o, struct err *e)
{
	if (!o->urls || !o->urls[0])
		return err_set(e, ERR_BAD_REQUEST,
			       "no server is given: use --url");
	for (const char **u = o->urls; *u; u++)
		if (!check_url(*u, e))
			return false;
	if (!check_jobtypes(o->jobtypes, e) ||
	    !check_readable("--ca-file", o->ca_file, e) ||
	    !check_readable("--cert", o->cert, e) ||
	    !check_readable("--key-file", o->key, e))
		return false;
	for (const char **l = o->labels; l && *l; l++)
		if (!strchr(*l, '=') || **l == '=')
			return err_set(e, ERR_BAD_REQUEST,
				       "the label '%s' is not NAME=VALUE", *l);
	if (o->verbose && o->quiet)
		return err_set(e, ERR_BAD_REQUEST,
			       "--verbose and --quiet exclude each other");
	if (o->run_as_file && *o->run_as_file && geteuid() != 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "--run-as-file is for a pilot that is root: "
			       "nobody else can become another user");
	if (!o->cert != !o->key)
		return err_set(e, ERR_BAD_REQUEST,
			       "--cert and --key-file go together");
	return true;
}

bool pilot_options_read(struct arena *a, int argc, char **argv,
			struct json_object *site, const struct engine *engine,
			struct pilot_options *out, struct err *e)
{
	struct pilot_options first = { 0 };
	char **rest;
	size_t n_rest;

	/* The file's name comes from the layers above the file. */
	opt_defaults(a, opts, N_OPTS, &first);
	if (!opt_read_env(a, opts, N_OPTS, &first, e) ||
	    !opt_read_args(a, opts, N_OPTS, &first, argc, argv, false, &rest,
			   &n_rest, e))
		return false;
	if (n_rest)
		return err_set(e, ERR_BAD_REQUEST,
			       "'%s' is no option: see --help", rest[0]);

	*out = (struct pilot_options){ 0 };
	opt_defaults(a, opts, N_OPTS, out);
	out->wait_s = -1;
	if (site && !read_site(a, site, out, e))
		return false;
	read_engine(a, engine, out);
	if (first.config && *first.config &&
	    !opt_read_file(a, opts, N_OPTS, out, first.config, e))
		return false;
	if (!opt_read_env(a, opts, N_OPTS, out, e) ||
	    !opt_read_args(a, opts, N_OPTS, out, argc, argv, false, &rest,
			   &n_rest, e))
		return false;
	fill(a, out);
	return check(out, e);
}

void pilot_options_take_token(struct arena *a)
{
	char *s = getenv(TOKEN_ENV);

	if (!s)
		return;
	taken_token = arena_strdup(a, s);
	/* /proc/PID/environ shows what the memory holds, not what environ
	 * points to. */
	explicit_bzero(s, strlen(s));
	unsetenv(TOKEN_ENV);
}

static bool token_file(struct arena *a, const char *path, const char **out,
		       struct err *e)
{
	char text[TOKEN_MAX];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(e, ERR_IO,
				     "cannot read the join token from '%s'",
				     path);
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0 || fstat(fd, &st) != 0) {
		close(fd);
		return err_set_errno(e, ERR_IO,
				     "cannot read the join token from '%s'",
				     path);
	}
	close(fd);
	if (S_ISREG(st.st_mode) && (st.st_mode & 077))
		log_warn("others may read the join token in '%s': chmod 600 it",
			 path);
	text[n] = '\0';
	text[strcspn(text, " \t\r\n")] = '\0';
	if (!text[0])
		return err_set(e, ERR_BAD_REQUEST,
			       "the join token file '%s' is empty", path);
	*out = arena_strdup(a, text);
	explicit_bzero(text, sizeof(text));
	return true;
}

bool pilot_options_token(struct arena *a, struct pilot_options *o,
			 struct err *e)
{
	if (o->join_token_file && *o->join_token_file)
		return token_file(a, o->join_token_file, &o->join_token, e);
	if (taken_token && *taken_token) {
		o->join_token = taken_token;
		return true;
	}
	return err_set(
		e, ERR_BAD_REQUEST,
		"no join token: name its file with --join-token-file, or "
		"set " TOKEN_ENV);
}

void pilot_options_help(struct buf *b, int width)
{
	opt_help(b, opts, N_OPTS, width);
}

void pilot_options_mdoc(struct buf *b)
{
	opt_mdoc(b, opts, N_OPTS);
}
