/* The commands themselves: each defined by the file of its name, listed in
 * commands.c. */
#ifndef SORTIE_CLIENTS_COMMANDS_H
#define SORTIE_CLIENTS_COMMANDS_H

#include "clients/cli.h"

extern const struct cli_command command_job_submit;
extern const struct cli_command command_job_run;
extern const struct cli_command command_job_list;
extern const struct cli_command command_job_show;
extern const struct cli_command command_job_logs;
extern const struct cli_command command_job_wait;
extern const struct cli_command command_job_cancel;
extern const struct cli_command command_job_hold;
extern const struct cli_command command_job_release;
extern const struct cli_command command_job_retry;
extern const struct cli_command command_job_adjust;
extern const struct cli_command command_job_delete;
extern const struct cli_command command_job_explain;
extern const struct cli_command command_workflow_create;
extern const struct cli_command command_workflow_add;
extern const struct cli_command command_workflow_list;
extern const struct cli_command command_workflow_show;
extern const struct cli_command command_workflow_graph;
extern const struct cli_command command_workflow_wait;
extern const struct cli_command command_workflow_start;
extern const struct cli_command command_workflow_cancel;
extern const struct cli_command command_workflow_retry;
extern const struct cli_command command_workflow_close;
extern const struct cli_command command_workflow_adjust;
extern const struct cli_command command_workflow_delete;
extern const struct cli_command command_dag_add;
extern const struct cli_command command_dag_get;
extern const struct cli_command command_dag_list;
extern const struct cli_command command_dag_show;
extern const struct cli_command command_dag_delete;
extern const struct cli_command command_dataset_register;
extern const struct cli_command command_dataset_list;
extern const struct cli_command command_dataset_show;
extern const struct cli_command command_dataset_adjust;
extern const struct cli_command command_dataset_delete;
extern const struct cli_command command_datatype_define;
extern const struct cli_command command_datatype_list;
extern const struct cli_command command_datatype_delete;
extern const struct cli_command command_pilot_list;
extern const struct cli_command command_pilot_show;
extern const struct cli_command command_pilot_start;
extern const struct cli_command command_pilot_drain;
extern const struct cli_command command_pilot_kill;
extern const struct cli_command command_pilot_delete;
extern const struct cli_command command_inject;
extern const struct cli_command command_summary;
extern const struct cli_command command_top;
extern const struct cli_command command_events;
extern const struct cli_command command_event_add;
extern const struct cli_command command_purge;
extern const struct cli_command command_project_list;
extern const struct cli_command command_project_set;
extern const struct cli_command command_owner_list;
extern const struct cli_command command_owner_set;
extern const struct cli_command command_site_list;
extern const struct cli_command command_site_show;
extern const struct cli_command command_site_define;
extern const struct cli_command command_site_delete;
extern const struct cli_command command_jobtype_list;
extern const struct cli_command command_jobtype_set;
extern const struct cli_command command_limit_list;
extern const struct cli_command command_limit_set;
extern const struct cli_command command_limit_delete;
extern const struct cli_command command_token_list;
extern const struct cli_command command_token_create;
extern const struct cli_command command_token_revoke;
extern const struct cli_command command_whoami;
extern const struct cli_command command_doctor;
extern const struct cli_command command_api;
extern const struct cli_command command_version;
extern const struct cli_command command_help;
extern const struct cli_command command_complete;
extern const struct cli_command command_mdoc;

#define CLI_N(array) (sizeof(array) / sizeof((array)[0]))

#endif
