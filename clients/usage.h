/* Help texts, usage lines and "did you mean", made from the command table. */
#ifndef SORTIE_CLIENTS_USAGE_H
#define SORTIE_CLIENTS_USAGE_H

#include "clients/cli.h"

/* "usage: sortie job show [options] JOB..." without a line end. */
void usage_line(struct buf *b, const struct cli_command *command);
void usage_command(struct buf *b, const struct cli_command *command, int width);
/* The commands whose path begins with group ("job"), or all for NULL. */
void usage_group(struct buf *b, const char *group, int width);
/* Text with its paragraphs wrapped at width columns, each line indented. */
void usage_wrap(struct buf *b, const char *text, int indent, int width);

/* The command that the words begin with and how many of them name it;
 * NULL when none does. */
const struct cli_command *usage_find(char *const *words, size_t n,
				     size_t *n_used);
bool usage_is_group(const char *word);
/* Fills *e with a sentence on the unknown words, with the nearest command. */
void usage_unknown(char *const *words, size_t n, struct err *e);

#endif
