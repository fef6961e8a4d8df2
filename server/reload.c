/* Takes over changed settings and certificates without a restart. */
#include "server/reload.h"

#include <string.h>
#include "lib/log.h"
#include "server/tls.h"

static void on_differ(const char *name, bool is_live, void *arg)
{
	(void)arg;
	if (is_live)
		log_info("reload: \"%s\" is changed", name);
	else
		log_warn("reload: \"%s\" is changed in the file, but needs a "
			 "restart",
			 name);
}

static void take_live(struct settings *set, const struct settings *now)
{
	set->drain_s = now->drain_s;
	set->loss_budget = now->loss_budget;
	set->default_timeout_s = now->default_timeout_s;
	set->retention_s = now->retention_s;
	set->event_retention_s = now->event_retention_s;
	set->output_head = now->output_head;
	set->output_tail = now->output_tail;
	set->log_file = now->log_file;
	set->log_level = now->log_level;
}

static void open_log(const struct settings *set)
{
	enum log_level level;

	if (set->log_file != NULL && !log_to_file(set->log_file))
		log_error("reload: cannot open the log file \"%s\"",
			  set->log_file);
	else
		log_reopen();
	if (log_level_from_name(set->log_level, &level))
		log_set_level(level);
}

void reload(struct arena *a, struct settings *set, struct tls *tls, int argc,
	    char **argv)
{
	struct settings now;
	struct err e = ERR_INIT;

	if (options_read(a, argc, argv, &now, &e)) {
		options_differ(set, &now, on_differ, NULL);
		take_live(set, &now);
	} else {
		log_error("reload: the old settings stay: %s", e.text);
	}
	open_log(set);
	if (tls != NULL && !tls_reload(tls, &e))
		log_error("reload: the old certificate stays: %s", e.text);
	log_info("reloaded");
}
