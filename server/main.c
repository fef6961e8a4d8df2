/* sortied: the server of Sortie. Chooses what this call of it is for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "server/options.h"
#include "server/serve.h"
#include "server/tls.h"
#include "server/tools.h"

#define STATUS_USAGE 2

static int width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col < 40)
		return 80;
	return w.ws_col > 120 ? 120 : w.ws_col;
}

static int print(struct buf *b)
{
	fputs(buf_str(b), stdout);
	buf_fini(b);
	return EXIT_SUCCESS;
}

static int mdoc(void)
{
	struct buf b = BUF_INIT;

	options_mdoc(&b);
	return print(&b);
}

static int help(void)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "Usage: sortied [OPTION]...\n\n"
		     "The server of Sortie: keeps jobs in a PostgreSQL "
		     "database and grants them to\npilots. Without options "
		     "it keeps a database of its own and serves at\n"
		     "127.0.0.1:7900; sortied --dev is a whole system to try "
		     "out.\n\n");
	options_help(&b, width());
	buf_adds(&b, "\nSee sortied(8) and sortied.conf(5).\n");
	return print(&b);
}

static bool start_log(const struct settings *set)
{
	enum log_level level = LOG_INFO;

	if (log_level_from_name(set->log_level, &level))
		log_set_level(level);
	if (set->log_file == NULL || log_to_file(set->log_file))
		return true;
	log_error("cannot open the log file \"%s\"", set->log_file);
	return false;
}

/* What options_read found right; here what the certificate's files say. */
static int check_config(const struct settings *set)
{
	struct err e = ERR_INIT;
	struct tls *tls;

	if (set->tls_cert != NULL) {
		tls = tls_new(set->tls_cert, set->tls_key, set->tls_client_ca,
			      &e);
		if (tls == NULL) {
			fprintf(stderr, "sortied: %s\n", e.text);
			return STATUS_USAGE;
		}
		tls_free(tls);
	}
	printf("%s: no faults\n",
	       set->config != NULL ? set->config : "options");
	return 0;
}

static int run(struct arena *a, struct settings *set, int argc, char **argv)
{
	if (set->help)
		return help();
	if (set->mdoc)
		return mdoc();
	if (set->version) {
		printf("sortied %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (set->print_routes)
		return tools_print_routes();
	if (set->check_config)
		return check_config(set);
	if (set->audit)
		return tools_audit(set);
	if (set->restored)
		return tools_restored(set);
	if (!start_log(set))
		return EXIT_FAILURE;
	return serve(a, set, argc, argv);
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct settings set;
	struct err e = ERR_INIT;
	int status = STATUS_USAGE;
	mode_t mask = umask(077);

	log_init("sortied");
	if (options_read(a, argc, argv, &set, &e)) {
		set.umask = mask;
		status = run(a, &set, argc, argv);
		/* What could not be printed was not done. */
		if ((fflush(stdout) != 0 || ferror(stdout)) &&
		    status == EXIT_SUCCESS)
			status = EXIT_FAILURE;
	} else {
		fprintf(stderr,
			"sortied: %s\n"
			"Try sortied --help.\n",
			e.text);
	}
	arena_free(a);
	return status;
}
