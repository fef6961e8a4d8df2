/* The table of all commands of `sortie`. */
#include "clients/commands.h"

const struct cli_command *const cli_commands[] = {
#define X(name) &command_##name,
	COMMANDS_TABLE(X)
#undef X
		NULL
};
