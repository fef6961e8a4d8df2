/* `sortie workflow create|add`: workflows from stored dags or from files, and
 * jobs for open ones. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/body.h"
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/each.h"
#include "clients/graphfile.h"
#include "clients/human.h"
#include "clients/last.h"
#include "clients/list.h"
#include "clients/slurp.h"
#include "clients/workflow.h"
#include "lib/id.h"

#define INFO_MAX (1024 * 1024)

struct opts {
	struct cli_settings common;
	const char *dag, *name, *description, *project, *state;
	const char *fileinfo, *jobinfo, *names, *priority, *max_running;
	const char *on_failure, *key;
	const char **env, **callback;
	int64_t version;
	bool open, close_auto, wait;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "dag",
	  .letter = 'a',
	  .kind = OPT_STR,
	  .offset = F(dag),
	  .arg = "DAG",
	  .help = "The stored dag that it is made from." },
	{ .name = "version",
	  .kind = OPT_INT,
	  .offset = F(version),
	  .max = INT32_MAX,
	  .arg = "N",
	  .help = "This version of the dag; the newest by default." },
	{ .name = "name",
	  .letter = 'n',
	  .kind = OPT_STR,
	  .offset = F(name),
	  .arg = "TEXT",
	  .help = "The workflow's name." },
	{ .name = "description",
	  .letter = 'D',
	  .kind = OPT_STR,
	  .offset = F(description),
	  .arg = "TEXT",
	  .help = "What it is for." },
	{ .name = "project",
	  .letter = 'p',
	  .kind = OPT_STR,
	  .offset = F(project),
	  .arg = "NAME",
	  .help = "The project of the workflow and its jobs." },
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_STR,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "`held` (or `template`): wait for `sortie workflow start`; "
		  "`defined` (or `running`): run at once. Workflows of dags "
		  "are held by default, those of files run." },
	{ .name = "fileinfo",
	  .letter = 'f',
	  .kind = OPT_STR,
	  .offset = F(fileinfo),
	  .arg = "FILE|JSON",
	  .help = "Files in place of the dag's: {\"SOURCE:TARGET\": {\"name\", "
		  "\"directory\", ...}}; \"SOURCE:TARGET:TAG\" is one of "
		  "parallel edges." },
	{ .name = "jobinfo",
	  .letter = 'j',
	  .kind = OPT_STR,
	  .offset = F(jobinfo),
	  .arg = "FILE|JSON",
	  .help = "Keys in place of the jobs': {\"NODE\": {\"payload\", "
		  "\"env\", ...}}." },
	{ .name = "names",
	  .kind = OPT_STR,
	  .offset = F(names),
	  .arg = "HOW",
	  .help = "How files are called that --fileinfo does not name: `uuid` "
		  "(a name of their own), `sticky` (as the dag has them), "
		  "`inherit:NAME` (NAME:DAG:SOURCE:TAG)." },
	{ .name = "open",
	  .kind = OPT_FLAG,
	  .offset = F(open),
	  .help = "Jobs may be added until it is closed." },
	{ .name = "close-auto",
	  .kind = OPT_FLAG,
	  .offset = F(close_auto),
	  .help = "An open workflow closes itself when its last job has "
		  "ended." },
	{ .name = "priority",
	  .letter = 'P',
	  .kind = OPT_STR,
	  .offset = F(priority),
	  .arg = "N",
	  .help = "With --dag the priority of all its jobs; with a file of "
		  "those that have none." },
	{ .name = "env",
	  .letter = 'e',
	  .kind = OPT_MULTI,
	  .offset = F(env),
	  .arg = "K=V",
	  .help = "A variable of all its jobs." },
	{ .name = "max-running",
	  .kind = OPT_STR,
	  .offset = F(max_running),
	  .arg = "N",
	  .help = "At most N of its jobs queued or running at once." },
	{ .name = "on-failure",
	  .kind = OPT_STR,
	  .offset = F(on_failure),
	  .arg = "WHAT",
	  .help = "`continue` with what can still run (the default), or "
		  "`cancel` the rest, when a job ends badly." },
	{ .name = "callback",
	  .kind = OPT_MULTI,
	  .offset = F(callback),
	  .arg = "URL",
	  .help = "Where its end is told, by a POST with its view." },
	{ .name = "key",
	  .kind = OPT_STR,
	  .offset = F(key),
	  .arg = "KEY",
	  .help = "For 7 days the same command with the same key makes "
		  "nothing new." },
	{ .name = "wait",
	  .letter = 'w',
	  .kind = OPT_FLAG,
	  .offset = F(wait),
	  .help = "Wait until it has ended, as `sortie workflow wait` does." },
};

static const struct cli_choice choices[] = {
	{ "state", CHOICE_NEW_WORKFLOW },
	{ "names", "uuid sticky inherit:" },
	{ "on-failure", CHOICE_ON_FAILURE },
	{ NULL, NULL },
};

/* word: a file, or the text of an object. */
static bool add_info(struct cli *c, struct buf *b, const char *key,
		     const char *word, struct err *e)
{
	const char *source = word != NULL && word[0] == '{' ? "the text" : word;
	struct json_object *doc;
	struct buf text = BUF_INIT;
	bool ok = true;

	if (word == NULL)
		return true;
	if (source != word)
		buf_adds(&text, word);
	else
		ok = slurp_file(word, INFO_MAX, &text, e) ||
		     err_prefix(e, "--%s", key);
	if (ok && !json_parse(c->arena, buf_str(&text), text.len, &doc, e))
		ok = err_prefix(e, "--%s: %s", key, source);
	if (ok && json_type(doc) != JSON_OBJECT)
		ok = err_set(e, ERR_BAD_REQUEST,
			     "--%s: %s is %s, an object is expected", key,
			     source, json_type_name(json_type(doc)));
	if (ok) {
		buf_json_key(b, key);
		json_write(b, doc);
	}
	buf_fini(&text);
	return ok;
}

static bool add_env(struct buf *b, const char *const *env, struct err *e)
{
	bool ok;

	if (env == NULL || env[0] == NULL)
		return true;
	buf_json_key(b, "env");
	buf_addc(b, '{');
	ok = body_env(b, env, e);
	buf_addc(b, '}');
	return ok;
}

/* What dag and file have in common: all that is no member of a document. */
static bool add_infos(struct cli *c, struct buf *b, const struct opts *o,
		      struct err *e)
{
	body_text(b, "names", o->names);
	body_text(b, "key", o->key);
	return add_info(c, b, "fileinfo", o->fileinfo, e) &&
	       add_info(c, b, "jobinfo", o->jobinfo, e);
}

static bool write_from_dag(struct cli *c, struct buf *b, const struct opts *o,
			   struct err *e)
{
	buf_addc(b, '{');
	body_text(b, "dag", o->dag);
	if (o->version > 0)
		buf_json_kv_i64(b, "version", o->version);
	body_text(b, "name", o->name);
	body_text(b, "description", o->description);
	body_text(b, "project", o->project);
	body_text(b, "state", o->state);
	body_text(b, "on_failure", o->on_failure);
	if (o->open)
		buf_json_kv_raw(b, "open", "true");
	if (o->close_auto)
		buf_json_kv_str(b, "close", "auto");
	body_list(b, "callback", (const char *const *)o->callback);
	if (!add_infos(c, b, o, e) ||
	    !add_env(b, (const char *const *)o->env, e) ||
	    !body_number(b, "priority", o->priority, INT32_MIN, INT32_MAX, e) ||
	    !body_number(b, "max_running", o->max_running, 1, INT32_MAX, e))
		return false;
	buf_addc(b, '}');
	return true;
}

/* The document as it is read, with what the options say in place of its own
 * header. */
static bool write_from_file(struct cli *c, struct buf *b, const struct opts *o,
			    const char *file, struct err *e)
{
	struct buf head = BUF_INIT;
	struct graphfile_header h = {
		.name = o->name,
		.description = o->description,
		.project = o->project,
		.state = o->state,
		.on_failure = o->on_failure,
		.priority = o->priority,
		.max_running = o->max_running,
		.env = (const char *const *)o->env,
		.callback = (const char *const *)o->callback,
		.open = o->open,
		.close_auto = o->close_auto,
	};
	bool ok = add_infos(c, &head, o, e) &&
		  graphfile_document(c, file, &h, 0, buf_str(&head), b, e);

	buf_fini(&head);
	return ok;
}

static void tell(struct cli *c, const struct call_answer *answer)
{
	const char *state = json_get_str(answer->doc, "state");
	int64_t number = json_get_int(answer->doc, "number");
	struct buf b = BUF_INIT;

	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer->text, answer->len);
		return;
	}
	if (c->settings->quiet) {
		printf("%" PRId64 "\n", number);
		return;
	}
	human_plural(&b, json_get_int(answer->doc, "jobs"), "job");
	if (json_get(answer->doc, "created") != NULL &&
	    !json_get_bool(answer->doc, "created"))
		buf_adds(&b, " is there already");
	else if (state != NULL && strcmp(state, "held") == 0)
		buf_addf(&b,
			 " is held: `sortie workflow start %" PRId64
			 "` lets it run",
			 number);
	else
		buf_addf(&b, " is %s", state != NULL ? state : "there");
	cli_say(c, "workflow %" PRId64 " with %s", number, buf_str(&b));
	buf_fini(&b);
}

static void save_last(struct cli *c, int64_t number)
{
	struct refs refs = { 0 };

	refs_add(c->arena, &refs, number, number);
	last_save(c, "workflow", &refs);
}

static int run_create(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	char key[ID_UUID_LEN + 1];
	struct call_request r = { .method = "POST",
				  .path = "/api/v1/workflows",
				  .key = key };
	struct call_answer answer;
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	char number[32];
	bool ok;

	if ((o->dag != NULL) == (c->n_args == 1))
		return cli_misuse(c, "name either a dag (--dag) or a file");
	if (o->version > 0 && o->dag == NULL)
		return cli_misuse(c, "--version goes with --dag");
	/* A key of one's own says what is the same; a header would win. */
	if (o->key != NULL)
		r.key = NULL;
	else
		id_uuid_random(key);
	ok = o->dag != NULL ? write_from_dag(c, &body, o, &e)
			    : write_from_file(c, &body, o, c->args[0], &e);
	r.body = body.data;
	r.body_len = body.len;
	ok = ok && call_send(c, c->arena, &r, &answer, &e);
	buf_fini(&body);
	if (!ok)
		return cli_fail(c, &e);
	save_last(c, json_get_int(answer.doc, "number"));
	if (!o->wait || !c->settings->json)
		tell(c, &answer);
	if (!o->wait)
		return CLI_OK;
	snprintf(number, sizeof(number), "%" PRId64,
		 json_get_int(answer.doc, "number"));
	return workflow_wait(c, number, 0);
}

static int run_add(struct cli *c)
{
	struct call_request r = { .method = "POST" };
	struct call_answer answer;
	struct buf body = BUF_INIT, path = BUF_INIT, n = BUF_INIT;
	struct graphfile_header h = { .name = NULL };
	char key[ID_UUID_LEN + 1];
	struct err e = ERR_INIT;
	const char *word;
	bool ok;

	if (!each_one(c, "workflow", c->args[0], &word, &e))
		return refs_fail(c, &e);
	id_uuid_random(key);
	workflow_path(&path, word, "/jobs");
	ok = graphfile_document(c, c->args[1], &h, DAG_ADDITION, "", &body, &e);
	r.path = buf_str(&path);
	r.key = key;
	r.body = body.data;
	r.body_len = body.len;
	ok = ok && call_send(c, c->arena, &r, &answer, &e);
	buf_fini(&path);
	buf_fini(&body);
	if (!ok)
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	human_plural(&n, json_get_int(answer.doc, "jobs"), "job");
	cli_say(c, "added: workflow %s has %s now", word, buf_str(&n));
	buf_fini(&n);
	return CLI_OK;
}

const struct cli_command command_workflow_create = {
	.path = "workflow create",
	.args = "--dag DAG|FILE",
	.brief = "make a workflow from a stored dag or a file",
	.text = "FILE (- is standard input) is a workflow in JSON, a tree of "
		"tasks, or GraphML; sortie-workflow(5) tells what it may say. "
		"All jobs are made in one step, or none.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choices,
	.max_args = 1,
	.run = run_create,
};

const struct cli_command command_workflow_add = {
	.path = "workflow add",
	.args = "WORKFLOW FILE",
	.brief = "add jobs to an open workflow",
	.text = "FILE is like that of `sortie workflow create`, without a "
		"header; `after` may name jobs that the workflow has already.",
	.min_args = 2,
	.max_args = 2,
	.run = run_add,
};
