/* Judges the words of options that take only some. */
#include "clients/choice.h"

#include <string.h>

const struct cli_choice choice_job_states[] = {
	{ "state", CHOICE_JOB_STATES },
	{ NULL, NULL },
};

const struct cli_choice choice_pilot_states[] = {
	{ "state", CHOICE_PILOT_STATES },
	{ NULL, NULL },
};

static bool fits(const char *words, const char *text)
{
	size_t len;

	for (; *words != '\0'; words += len, words += *words == ' ') {
		len = strcspn(words, " ");
		if (strncmp(words, text, len) == 0 &&
		    (words[len - 1] == ':') == (text[len] != '\0'))
			return true;
	}
	return false;
}

/* "held, template or defined" */
static void add_words(struct buf *b, const char *words)
{
	for (; *words != '\0'; words += *words == ' ') {
		size_t len = strcspn(words, " ");
		bool last = words[len] == '\0';

		if (b->len > 0)
			buf_adds(b, last ? " or " : ", ");
		buf_add(b, words, len);
		if (words[len - 1] == ':')
			buf_adds(b, "...");
		words += len;
	}
}

static bool refuse(const struct cli_choice *choice, const char *text,
		   struct err *e)
{
	struct buf b = BUF_INIT;

	add_words(&b, choice->words);
	(void)err_set(e, ERR_BAD_REQUEST,
		      "option \"--%s\": must be %s, not \"%.80s\"",
		      choice->option, buf_str(&b), text);
	buf_fini(&b);
	return false;
}

static bool check(const struct cli *c, const struct opt *o,
		  const struct cli_choice *choice, struct err *e)
{
	const void *field = (const char *)c->settings + o->offset;
	const char *one[2] = { NULL, NULL };
	const char *const *list = one;

	if (o->kind == OPT_STR)
		memcpy(&one[0], field, sizeof(one[0]));
	else
		memcpy(&list, field, sizeof(list));
	for (; list != NULL && *list != NULL; list++)
		if (!fits(choice->words, *list))
			return refuse(choice, *list, e);
	return true;
}

static const struct cli_choice *find(const struct cli_command *command,
				     const char *option)
{
	const struct cli_choice *choice = command->choices;

	while (choice != NULL && choice->option != NULL &&
	       strcmp(choice->option, option) != 0)
		choice++;
	return choice != NULL && choice->option != NULL ? choice : NULL;
}

bool choice_check(const struct cli *c, struct err *e)
{
	for (size_t i = 0; i < c->command->n_opts; i++) {
		const struct opt *o = &c->command->opts[i];
		const struct cli_choice *choice = find(c->command, o->name);

		if (choice != NULL && !check(c, o, choice, e))
			return false;
	}
	return true;
}

const char *choice_words(const struct cli_command *command, const char *option)
{
	const struct cli_choice *choice = find(command, option);

	return choice != NULL ? choice->words : NULL;
}
