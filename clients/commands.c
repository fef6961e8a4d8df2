/* The table of all commands, in the order of `sortie help`. */
#include "clients/commands.h"

const struct cli_command *const cli_commands[] = {
	&command_job_submit,   &command_job_run,
	&command_job_list,     &command_job_show,
	&command_job_logs,     &command_job_wait,
	&command_job_cancel,   &command_job_hold,
	&command_job_release,  &command_job_retry,
	&command_job_adjust,   &command_job_delete,
	&command_job_explain,  &command_pilot_list,
	&command_pilot_show,   &command_pilot_start,
	&command_pilot_drain,  &command_pilot_kill,
	&command_pilot_delete, &command_summary,
	&command_events,       &command_purge,
	&command_project_list, &command_project_set,
	&command_site_list,    &command_site_show,
	&command_site_define,  &command_site_delete,
	&command_jobtype_list, &command_jobtype_set,
	&command_limit_list,   &command_limit_set,
	&command_limit_delete, &command_token_list,
	&command_token_create, &command_token_revoke,
	&command_whoami,       &command_doctor,
	&command_api,          &command_version,
	&command_help,         &command_complete,
	&command_mdoc,         NULL,
};
