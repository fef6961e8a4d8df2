/* `sortie pilot start`: pilots on this machine, in the background. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/place.h"
#include "clients/settings.h"
#include "lib/clock.h"
#include "lib/pilot_program.h"

#define PILOTS_MAX 1000
/* A pilot needs its join token once, at its start. */
#define TOKEN_LIFE_S 3600
#define PROGRAM "sortie-pilot"

struct opts {
	struct cli_settings common;
	int64_t n;
	const char *site, *slots, *program, *log_dir, *join_token_file;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "count",
	  .letter = 'n',
	  .kind = OPT_INT,
	  .offset = F(n),
	  .min = 1,
	  .max = PILOTS_MAX,
	  .def = "1",
	  .arg = "N",
	  .help = "How many pilots." },
	{ .name = "site",
	  .letter = 'S',
	  .kind = OPT_STR,
	  .offset = F(site),
	  .arg = "NAME",
	  .help = "The site whose settings and environment they take." },
	{ .name = "slots",
	  .kind = OPT_STR,
	  .offset = F(slots),
	  .arg = "N",
	  .help = "How many payloads each may run at once." },
	{ .name = "join-token-file",
	  .kind = OPT_STR,
	  .offset = F(join_token_file),
	  .arg = "FILE",
	  .help = "The join token. Default: SORTIE_JOIN_TOKEN, else the one "
		  "of this machine's server, else a new one that only takes "
		  "your own jobs." },
	{ .name = "program",
	  .kind = OPT_STR,
	  .offset = F(program),
	  .arg = "FILE",
	  .help = "The pilot program. Default: sortie-pilot "
		  "beside this program, else in PATH." },
	{ .name = "log-dir",
	  .kind = OPT_STR,
	  .offset = F(log_dir),
	  .arg = "DIR",
	  .help = "Where their logs go. Default: "
		  "~/.local/state/sortie/pilots." },
};

struct start {
	struct cli *c;
	const struct opts *o;
	const char *program;
	char **argv, **env;
	size_t n_argv;
	const char *log_dir;
	struct buf items; /* of --json and --ndjson */
};

static bool new_token(struct cli *c, const char **token, struct err *e)
{
	struct buf body = BUF_INIT;
	struct call_answer answer;
	char host[256] = "";
	char *name;
	bool ok;

	gethostname(host, sizeof(host) - 1);
	name = arena_printf(c->arena, "pilot start on %s", host);
	buf_addc(&body, '{');
	buf_json_kv_str(&body, "name", name);
	buf_json_kv_str(&body, "role", "join");
	buf_json_kv_i64(&body, "expires_s", TOKEN_LIFE_S);
	buf_addc(&body, '}');
	ok = call_post(c, c->arena, "/api/v1/tokens", buf_str(&body), &answer,
		       e);
	buf_fini(&body);
	if (!ok)
		return err_prefix(e, "cannot get a join token");
	*token = json_get_str(answer.doc, "token");
	return *token != NULL || err_set(e, ERR_INTERNAL,
					 "the server's "
					 "answer has no token");
}

static bool find_token(struct cli *c, const struct opts *o, const char **token,
		       struct err *e)
{
	const char *given = getenv("SORTIE_JOIN_TOKEN");

	if (o->join_token_file != NULL)
		return place_read_token(c, o->join_token_file, token, e);
	if (given != NULL && given[0] != '\0') {
		*token = given;
		return true;
	}
	*token = place_join_token(c);
	return *token != NULL || new_token(c, token, e);
}

static bool make_log_dir(struct start *s, struct err *e)
{
	char *path, *dir = settings_user_dir(s->c->arena, "state");

	s->log_dir = s->o->log_dir;
	if (s->log_dir == NULL && dir == NULL)
		return err_set(e, ERR_IO,
			       "there is no HOME to keep logs in: "
			       "give --log-dir");
	if (s->log_dir == NULL)
		s->log_dir = arena_printf(s->c->arena, "%s/pilots", dir);
	path = arena_strdup(s->c->arena, s->log_dir);
	if (!settings_make_dirs(path))
		return err_set_errno(e, ERR_IO, "cannot make \"%s\"", path);
	return true;
}

/* The token goes by the environment: command lines can be read by all. */
static void make_env(struct start *s, const char *token)
{
	extern char **environ;
	size_t n = 0, kept = 0;

	while (environ[n] != NULL)
		n++;
	s->env = ARENA_ARRAY(s->c->arena, char *, n + 2);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "SORTIE_TOKEN=", 13) != 0 &&
		    strncmp(environ[i], "SORTIE_JOIN_TOKEN=", 18) != 0)
			s->env[kept++] = environ[i];
	s->env[kept] = arena_printf(s->c->arena, "SORTIE_JOIN_TOKEN=%s", token);
}

static void add_arg(struct start *s, const char *arg)
{
	s->argv[s->n_argv++] = arena_strdup(s->c->arena, arg);
}

static void add_option(struct start *s, const char *option, const char *value)
{
	if (value == NULL)
		return;
	add_arg(s, option);
	add_arg(s, value);
}

static void make_argv(struct start *s)
{
	const struct cli_settings *common = s->c->settings;

	s->argv = ARENA_ARRAY(s->c->arena, char *, s->c->n_args + 20);
	add_arg(s, PROGRAM);
	add_option(s, "--url", call_url(s->c));
	add_option(s, "--site", s->o->site);
	add_option(s, "--slots", s->o->slots);
	add_option(s, "--ca-file", common->ca_file);
	add_option(s, "--cert", common->cert);
	add_option(s, "--key-file", common->key);
	if (common->insecure)
		add_arg(s, "--insecure");
	for (size_t i = 0; i < s->c->n_args; i++)
		add_arg(s, s->c->args[i]);
}

/* Only calls that are safe between fork and exec. Writes errno to report. */
_Noreturn static void become_pilot(const struct start *s, int log_fd,
				   int report)
{
	int null_fd = open("/dev/null", O_RDONLY);

	setsid();
	if (null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
	    dup2(log_fd, STDOUT_FILENO) >= 0 &&
	    dup2(log_fd, STDERR_FILENO) >= 0)
		execvpe(s->program, s->argv, s->env);
	if (write(report, &errno, sizeof(errno)) < 0)
		_exit(127);
	_exit(126);
}

static void tell_started(struct start *s, pid_t pid, const char *log)
{
	const struct cli_settings *set = s->c->settings;

	if (set->json || set->ndjson) {
		if (s->items.len > 0)
			buf_addc(&s->items, set->ndjson ? '\n' : ',');
		buf_addc(&s->items, '{');
		buf_json_kv_i64(&s->items, "pid", pid);
		buf_json_kv_str(&s->items, "log", log);
		buf_addc(&s->items, '}');
	} else if (set->quiet) {
		printf("%ld\n", (long)pid);
	} else {
		printf("pilot process %ld, log %s\n", (long)pid, log);
	}
}

static void print_items(struct start *s)
{
	const char *items = buf_str(&s->items);

	if (s->c->settings->ndjson)
		printf("%s\n", items);
	else if (s->c->settings->json)
		printf("{\"items\":[%s]}\n", items);
	buf_fini(&s->items);
}

static bool start_one(struct start *s, int i, struct err *e)
{
	char *log = arena_printf(s->c->arena, "%s/pilot-%" PRId64 "-%d.log",
				 s->log_dir, clock_wall_ms() / 1000, i);
	int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int report[2], failed = 0;
	ssize_t n;
	pid_t pid;

	if (log_fd < 0)
		return err_set_errno(e, ERR_IO, "cannot open \"%s\"", log);
	if (pipe2(report, O_CLOEXEC) != 0) {
		close(log_fd);
		return err_set_errno(e, ERR_IO, "cannot start a pilot");
	}
	pid = fork();
	if (pid == 0)
		become_pilot(s, log_fd, report[1]);
	close(log_fd);
	close(report[1]);
	/* The pipe closes by itself when the exec has worked. */
	n = pid < 0 ? 0 : read(report[0], &failed, sizeof(failed));
	close(report[0]);
	if (pid > 0 && n <= 0) {
		tell_started(s, pid, log);
		return true;
	}
	if (n > 0)
		errno = failed;
	return err_set_errno(e, ERR_IO, "cannot start \"%s\"", s->program);
}

/* A pilot waits for a server that is away, so one may be started before it;
 * but whoever starts it should not wonder why it is not listed. */
static void tell_away(struct cli *c)
{
	struct call_request r = { .method = "GET",
				  .path = "/healthz",
				  .once = true };
	struct httpc_reply reply;
	struct err e = ERR_INIT;

	if (call_raw(c, &r, &reply, &e)) {
		if (reply.status != 200)
			call_error(c, &reply, &e);
		httpc_reply_fini(&reply);
	}
	if (e.text[0] != '\0')
		cli_note("%s; until then the pilots try on", e.text);
}

static int run(struct cli *c)
{
	struct start s = { .c = c,
			   .o = CLI_OPTS(c, struct opts),
			   .items = BUF_INIT };
	const char *token;
	struct err e = ERR_INIT;
	bool ok = true;

	if (!call_open(c, &e) || !find_token(c, s.o, &token, &e) ||
	    !make_log_dir(&s, &e))
		return cli_fail(c, &e);
	s.program = s.o->program ? s.o->program : pilot_program_find(c->arena);
	if (s.program == NULL) {
		err_set(&e, ERR_IO,
			"sortie-pilot is neither beside this "
			"program nor in PATH: give --program");
		return cli_fail(c, &e);
	}
	make_env(&s, token);
	make_argv(&s);
	tell_away(c);
	for (int i = 0; ok && i < s.o->n; i++)
		ok = start_one(&s, i + 1, &e);
	print_items(&s);
	return ok ? CLI_OK : cli_fail(c, &e);
}

const struct cli_command command_pilot_start = {
	.path = "pilot start",
	.args = "[-- PILOT-OPTION...]",
	.brief = "start pilots on this machine, in the background",
	.text = "Prints the process id and the log file of each. What stands "
		"behind -- goes to sortie-pilot as it is. While no server "
		"answers they are started all the same, wait for it, and "
		"standard error says so.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.max_args = -1,
	.run = run,
};
