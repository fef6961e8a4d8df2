/*
 * The words that an option takes and no others: judged before anything is sent,
 * so that a wrong one is blamed on the option, and offered by the completion.
 */
#ifndef SORTIE_CLIENTS_CHOICE_H
#define SORTIE_CLIENTS_CHOICE_H

#include "clients/cli.h"

/* Words are separated by blanks; one that ends with a colon stands for all that
 * begin so and go on. A command's list of these ends with a NULL option. */
struct cli_choice {
	const char *option; /* without the dashes */
	const char *words;
};

#define CHOICE_JOB_ENDS "finished failed timelimit cancelled lost skipped"
/* States to look for; those that are given to new jobs and workflows. */
#define CHOICE_JOB_STATES                               \
	"held waiting defined dispatched running live " \
	"ended " CHOICE_JOB_ENDS
#define CHOICE_WORKFLOW_STATES "held running finished failed cancelled"
#define CHOICE_PILOT_STATES \
	"active idle busy draining live stopped lost killed ended"
#define CHOICE_NEW_WORKFLOW "held template defined running"
#define CHOICE_NEW_JOB "held template defined"
#define CHOICE_ON_FAILURE "continue cancel"

extern const struct cli_choice choice_job_states[];
extern const struct cli_choice choice_pilot_states[];

/* Whether the command's options in c->settings hold nothing else. */
bool choice_check(const struct cli *c, struct err *e) MUST_CHECK;
/* The words of an option; NULL when it takes anything. */
const char *choice_words(const struct cli_command *command, const char *option);

#endif
