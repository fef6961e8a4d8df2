/*
 * sortie-pilot: runs wherever there are cores, asks a Sortie server for work,
 * runs it, and says how it ended.
 */
#include <event2/event.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "pilot/runas.h"
#include "pilot/talk.h"

static const char usage[] =
	"Usage: sortie-pilot [OPTION]...\n"
	"Asks Sortie servers for jobs and runs them here.\n\n";
static const char statuses[] =
	"\nExit status: 0 left in order; 1 trouble with this machine; 2 wrong\n"
	"options; 3 the join token was refused; 4 no server within\n"
	"--connect-timeout; 5 left with ends untold, which are in the spool.\n";

static int terminal_width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40)
		return w.ws_col;
	return 80;
}

static int print_help(void)
{
	struct buf b = BUF_INIT;

	pilot_options_help(&b, terminal_width());
	printf("%s%s%s", usage, buf_str(&b), statuses);
	buf_fini(&b);
	return fflush(stdout) == 0 ? PILOT_EXIT_OK : PILOT_EXIT_MACHINE;
}

static int print_mdoc(void)
{
	struct buf b = BUF_INIT;

	pilot_options_mdoc(&b);
	printf("%s", buf_str(&b));
	buf_fini(&b);
	return fflush(stdout) == 0 ? PILOT_EXIT_OK : PILOT_EXIT_MACHINE;
}

static int print_version(void)
{
	printf("sortie-pilot %s\n", PACKAGE_VERSION);
	return fflush(stdout) == 0 ? PILOT_EXIT_OK : PILOT_EXIT_MACHINE;
}

static void open_log(const struct pilot_options *o)
{
	if (o->verbose)
		log_set_level(LOG_DEBUG);
	if (o->quiet)
		log_set_level(LOG_WARN);
	if (o->log_file && *o->log_file && !log_to_file(o->log_file))
		log_die("cannot write the log file '%s'", o->log_file);
}

/* Every payload holds a few descriptors here while it lives. */
static void raise_descriptors(int64_t slots)
{
	struct rlimit r;
	rlim_t want = (rlim_t)slots * 4 + 256;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= want)
		return;
	r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		log_warn("cannot raise the limit of open files");
}

static void say_one_user(const struct pilot_options *o)
{
	if (o->one_user && !(o->run_as_file && *o->run_as_file))
		log_warn("jobs of all owners run here as one user and can read "
			 "and disturb each other's (--one-user)");
}

static int run(struct talk *t)
{
	struct err e = ERR_INIT;
	int status;

	/* Nobody of the same user may read the tokens from our memory. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		log_warn("the pilot's memory stays readable for its user");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		log_warn("cannot ignore SIGPIPE");
	raise_descriptors(t->opt.slots);
	if (!spool_open(t->arena, t->opt.spool, t->opt.state, t->opt.host_name,
			&t->spool, &e)) {
		log_error("%s", e.text);
		return PILOT_EXIT_MACHINE;
	}
	t->sandbox.hidden_dir = t->spool.path;
	if (t->run_as && !spool_let_pass(&t->spool, &e)) {
		log_error("%s", e.text);
		spool_close(&t->spool);
		return PILOT_EXIT_MACHINE;
	}
	t->base = event_base_new();
	if (!t->base)
		log_die("cannot make an event loop");
	status = talk_run(t);
	event_base_free(t->base);
	spool_close(&t->spool);
	return status;
}

/* What asks for nothing but an answer on the terminal. */
static bool answered(const struct pilot_options *o, int *status)
{
	if (o->help)
		*status = print_help();
	else if (o->mdoc)
		*status = print_mdoc();
	else if (o->version)
		*status = print_version();
	else
		return false;
	return true;
}

/* Whether payloads, which are never root, may not read it anyway.  A sandbox
 * that another user makes cannot even hide what is in a closed folder. */
static bool token_is_closed(const struct talk *t, const char *path)
{
	struct stat st;

	return t->run_as && stat(path, &st) == 0 && st.st_uid == 0 &&
	       !(st.st_mode & (S_IRWXG | S_IRWXO));
}

/* The spool is not known yet. */
static bool sandbox_set(struct talk *t, struct err *e)
{
	const struct pilot_options *o = &t->opt;
	char *token;

	if (!o->sandbox || !*o->sandbox)
		return !o->sandbox_offline ||
		       err_set(e, ERR_BAD_REQUEST,
			       "--sandbox-offline means nothing without "
			       "--sandbox");
	if (!sandbox_find(t->arena, o->sandbox, &t->sandbox, e))
		return false;
	t->sandbox.writable = o->sandbox_write;
	t->sandbox.no_network = o->sandbox_offline;
	token = o->join_token_file ? realpath(o->join_token_file, NULL) : NULL;
	if (token && !token_is_closed(t, token))
		t->sandbox.hidden_file = arena_strdup(t->arena, token);
	free(token);
	return true;
}

static int pilot(struct talk *t)
{
	struct err e = ERR_INIT;
	int status;

	if (!pilot_options_read(t->arena, t->argc, t->argv, NULL, &t->engine,
				&t->opt, &e)) {
		log_error("%s", e.text);
		return PILOT_EXIT_USAGE;
	}
	if (answered(&t->opt, &status))
		return status;
	open_log(&t->opt);
	if (!pilot_options_token(t->arena, &t->opt, &e)) {
		log_error("%s", e.text);
		return PILOT_EXIT_USAGE;
	}
	if (t->opt.run_as_file && *t->opt.run_as_file) {
		t->run_as = runas_read(t->arena, t->opt.run_as_file, &e);
		if (!t->run_as) {
			log_error("--run-as-file: %s", e.text);
			return PILOT_EXIT_USAGE;
		}
	}
	if (!sandbox_set(t, &e)) {
		log_error("%s", e.text);
		return PILOT_EXIT_USAGE;
	}
	say_one_user(&t->opt);
	keeper_become();
	return run(t);
}

int main(int argc, char **argv)
{
	struct talk t = { .argc = argc, .argv = argv };
	int status;

	log_init("sortie-pilot");
	t.arena = arena_new();
	pilot_options_take_token(t.arena);
	engine_detect(t.arena, clock_wall_ms() / 1000, &t.engine);
	status = pilot(&t);
	arena_free(t.arena);
	return status;
}
