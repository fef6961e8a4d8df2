/* The commands themselves: each defined by the file of its name, listed in
 * commands.c. */
#ifndef SORTIE_CLIENTS_COMMANDS_H
#define SORTIE_CLIENTS_COMMANDS_H

#include "clients/cli.h"

/* X(name of the object), in the order of `sortie help`. */
#define COMMANDS_TABLE(X)                                                      \
	X(job_submit)                                                          \
	X(job_run)                                                             \
	X(job_list)                                                            \
	X(job_show)                                                            \
	X(job_logs) X(job_wait) X(job_cancel) X(job_hold) X(job_release) X(    \
		job_retry) X(job_adjust) X(job_delete) X(job_explain)          \
		X(pilot_list) X(pilot_show) X(pilot_start) X(pilot_drain) X(   \
			pilot_kill) X(pilot_delete) X(summary) X(events)       \
			X(purge) X(project_list) X(project_set) X(             \
				site_list) X(site_show) X(site_define)         \
				X(site_delete) X(jobtype_list) X(              \
					jobtype_set) X(limit_list)             \
					X(limit_set) X(limit_delete) X(        \
						token_list) X(token_create)    \
						X(token_revoke) X(whoami) X(   \
							doctor) X(api)         \
							X(version) X(help)     \
								X(complete) X( \
									mdoc)

#define X(name) extern const struct cli_command command_##name;
COMMANDS_TABLE(X)
#undef X

#define CLI_N(array) (sizeof(array) / sizeof((array)[0]))

#endif
