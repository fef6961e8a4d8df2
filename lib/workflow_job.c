/*
 * Writes one job of a workflow as the object that jobspec_decode reads: the
 * node's own keys, what was said at creation over them, the environment from
 * all sides, and the files of its edges.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/workflow_work.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The document's, or written from elsewhere below. */
static const char *const left_out[] = {
	"after",  "allow_failure", "attributes", "children", "join",
	"matrix", "noop",          "name",       "project",  "priority",
	"env",    "inputs",        "outputs",
};

static const char *const commands[] = { "payload", "argv", "shell" };

static bool is_one_of(struct json_span key, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (json_span_is(key, list[i]))
			return true;
	return false;
}

static bool is_empty(struct json_span v)
{
	return json_span_type(v) == JSON_NULL ||
	       (json_span_type(v) == JSON_STR && v.len == 2);
}

static struct json_span jobinfo_of(const struct workflow *w, uint32_t node)
{
	return w->work->jobinfo ? w->work->jobinfo[node]
				: (struct json_span){ NULL, 0 };
}

/* p3s writes an empty payload where there is none. */
static bool has_command(struct json_span object)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!is_empty(json_span_get(object, commands[i])))
			return true;
	return false;
}

/* A key of the job that GraphML has a default for. */
static const char *default_of(const struct dag *d, const char *name)
{
	for (uint32_t i = 0; i < d->n_keys; i++)
		if (d->keys[i].def && dag_key_is_for(&d->keys[i], "node") &&
		    !strcmp(d->keys[i].name, name))
			return d->keys[i].def;
	return NULL;
}

static bool has_default_command(const struct dag *d)
{
	const char *text;

	for (size_t i = 0; i < COUNT(commands); i++) {
		text = default_of(d, commands[i]);
		if (text && *text)
			return true;
	}
	return false;
}

bool workflow_check_command(const struct workflow *w, uint32_t node,
			    struct err *e)
{
	const struct dag_node *n = &w->dag->nodes[node];

	if (n->noop || has_command(n->job) ||
	    has_command(jobinfo_of(w, node)) || has_default_command(w->dag))
		return true;
	return err_set(
		e, ERR_BAD_REQUEST,
		"job \"%.256s\": it has none of payload, argv and shell: "
		"give it one in the document or in \"jobinfo\"",
		n->name);
}

/* A variable of the environment. */
struct variable {
	const char *name;
	struct json_span value;
	uint32_t order; /* later wins */
};

struct writing {
	const struct workflow *w;
	const struct workflow_node *node;
	const struct dag_node *dag_node;
	struct json_span own, info;
	struct arena *a;
	struct buf *b;
	struct err *e;
	struct variable *env;
	uint32_t n_env, env_cap;
};

static bool fail(struct writing *t, const char *sentence)
{
	return err_set(t->e, ERR_BAD_REQUEST, "job \"%.256s\": %s",
		       t->node->name, sentence);
}

/* The job's key: creation's, the node's, or GraphML's default as text. */
static struct json_span find(struct writing *t, const char *key)
{
	struct json_span v = json_span_get(t->info, key);
	const char *text;
	struct buf b = BUF_INIT;

	if (!v.p)
		v = json_span_get(t->own, key);
	if (v.p)
		return v;
	text = default_of(t->w->dag, key);
	if (!text)
		return v;
	buf_json_str(&b, text);
	v.len = b.len;
	v.p = arena_strndup(t->a, buf_str(&b), b.len);
	buf_fini(&b);
	return v;
}

static void add_member(struct buf *b, struct json_span key, struct json_span v)
{
	buf_json_comma(b);
	buf_add(b, key.p, key.len);
	buf_addc(b, ':');
	json_span_write(b, v);
}

static void add_key(struct buf *b, const char *key, struct json_span v)
{
	buf_json_key(b, key);
	json_span_write(b, v);
}

/* Keys that need nothing else to be known. */
static void write_plain(struct writing *t, struct json_span object, bool is_own,
			bool skip_commands)
{
	struct json_cursor c;
	struct json_span key, v;

	if (!object.p)
		return;
	for (c = json_cursor_open(object); json_cursor_member(&c, &key, &v);) {
		if (json_span_type(v) == JSON_NULL ||
		    is_one_of(key, left_out, COUNT(left_out)))
			continue;
		if (is_one_of(key, commands, COUNT(commands)) &&
		    (skip_commands || is_empty(v)))
			continue;
		if (is_own && t->info.p &&
		    json_span_get(t->info, json_span_str(t->a, key)).p)
			continue;
		add_member(t->b, key, v);
	}
}

/* What GraphML's keys say of all nodes, where the node does not. */
static void write_defaults(struct writing *t, bool skip_commands)
{
	const struct dag *d = t->w->dag;

	for (uint32_t i = 0; i < d->n_keys; i++) {
		const struct dag_key *k = &d->keys[i];
		struct json_span v, key;
		struct buf b = BUF_INIT;

		if (!k->def || default_of(d, k->name) != k->def ||
		    !dag_key_is_for(k, "node") ||
		    json_span_get(t->own, k->name).p ||
		    json_span_get(t->info, k->name).p)
			continue;
		buf_json_str(&b, k->name);
		key = json_span_of(arena_strndup(t->a, buf_str(&b), b.len),
				   b.len);
		buf_fini(&b);
		v = find(t, k->name);
		if (dag_is_job_key(key) &&
		    !is_one_of(key, left_out, COUNT(left_out)) &&
		    !(is_one_of(key, commands, COUNT(commands)) &&
		      (skip_commands || is_empty(v))))
			add_member(t->b, key, v);
	}
}

static void write_commands(struct writing *t)
{
	bool info = has_command(t->info), own = has_command(t->own);

	write_plain(t, t->info, false, false);
	write_plain(t, t->own, true, info);
	write_defaults(t, info || own);
	if (!info && !own && !has_default_command(t->w->dag))
		buf_json_kv_raw(t->b, "argv", "[\"true\"]");
}

static bool write_project(struct writing *t)
{
	struct json_span v = find(t, "project");

	if (!is_empty(v) && !json_span_is(v, t->w->project))
		return err_set(t->e, ERR_BAD_REQUEST,
			       "job \"%.256s\": the key \"project\" must be "
			       "that of the workflow, \"%.256s\"",
			       t->node->name, t->w->project);
	buf_json_kv_str(t->b, "project", t->w->project);
	return true;
}

static void write_priority(struct writing *t)
{
	const struct workflow_options *o = t->w->work->o;
	struct json_span v = find(t, "priority");

	if (o->has_priority)
		buf_json_kv_i64(t->b, "priority", o->priority);
	else if (json_span_type(v) != JSON_NULL)
		add_key(t->b, "priority", v);
	else if (t->w->dag->has_priority)
		buf_json_kv_i64(t->b, "priority", t->w->dag->priority);
}

static void add_variable(struct writing *t, const char *name,
			 struct json_span value)
{
	t->env = workflow_grow(t->env, t->n_env, &t->env_cap, sizeof(*t->env));
	t->env[t->n_env] = (struct variable){ name, value, t->n_env };
	t->n_env++;
}

/* An object, or (in p3s's files) its JSON as a text. */
static bool add_env(struct writing *t, struct json_span v)
{
	struct err ignored = ERR_INIT;
	struct json_cursor c;
	struct json_span key, value;
	char *text;

	if (json_span_type(v) == JSON_NULL)
		return true;
	if (json_span_type(v) == JSON_STR) {
		text = json_span_str(t->a, v);
		if (!text[strspn(text, " \t\r\n")])
			return true;
		if (!json_check(text, strlen(text), &ignored))
			return fail(t, "the key \"env\" is a text that is not "
				       "JSON");
		v = json_span_of(text, strlen(text));
	}
	if (json_span_type(v) != JSON_OBJECT)
		return fail(t, "the key \"env\" must be an object of text");
	for (c = json_cursor_open(v); json_cursor_member(&c, &key, &value);)
		add_variable(t, json_span_str(t->a, key), value);
	return true;
}

static bool add_matrix_env(struct writing *t)
{
	char *index;

	if (t->node->index < 0)
		return true;
	index = arena_printf(t->a, "\"%d\"", t->node->index);
	if (!add_env(t, t->node->env))
		return false;
	add_variable(t, "SORTIE_INDEX", json_span_of(index, strlen(index)));
	return true;
}

static int compare_variables(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->order < y->order ? -1 : 1;
}

static bool write_env(struct writing *t)
{
	if (!add_env(t, t->w->dag->env) || !add_env(t, t->w->work->o->env) ||
	    !add_env(t, find(t, "env")) || !add_matrix_env(t))
		return false;
	if (!t->n_env)
		return true;
	qsort(t->env, t->n_env, sizeof(*t->env), compare_variables);
	buf_json_key(t->b, "env");
	buf_addc(t->b, '{');
	for (uint32_t i = 0; i < t->n_env; i++)
		if (i + 1 == t->n_env ||
		    strcmp(t->env[i].name, t->env[i + 1].name) != 0)
			add_key(t->b, t->env[i].name, t->env[i].value);
	buf_addc(t->b, '}');
	return true;
}

/* Whether the job's own list has the file already. */
static bool is_listed(struct json_span list, const char *path, const char *tag)
{
	struct json_cursor c;
	struct json_span v, own_tag;

	if (json_span_type(list) != JSON_ARRAY)
		return false;
	for (c = json_cursor_open(list); json_cursor_element(&c, &v);) {
		if (json_span_type(v) == JSON_STR && !*tag &&
		    json_span_is(v, path))
			return true;
		if (json_span_type(v) != JSON_OBJECT ||
		    !json_span_is(json_span_get(v, "path"), path))
			continue;
		own_tag = json_span_get(v, "tag");
		if (is_empty(own_tag) ? !*tag : json_span_is(own_tag, tag))
			return true;
	}
	return false;
}

/* What another job writes is looked for by that job's pilot. */
static void write_use(struct writing *t, const struct workflow_use *u)
{
	const struct workflow_dataset *ds = &t->w->datasets[u->dataset];

	buf_json_comma(t->b);
	buf_addc(t->b, '{');
	if (u->role == 'i' && ds->producer != DAG_NONE)
		buf_json_kv_bool(t->b, "check", false);
	buf_json_kv_str(t->b, "path", ds->path);
	if (*u->tag)
		buf_json_kv_str(t->b, "tag", u->tag);
	buf_addc(t->b, '}');
}

static bool write_files(struct writing *t, const char *key, char role)
{
	const struct workflow_use *u = t->w->uses + t->node->first_use;
	struct json_span own = find(t, key), v;
	struct json_cursor c;
	bool none = !own.p || json_span_type(own) == JSON_NULL;

	for (uint32_t i = 0; none && i < t->node->n_uses; i++)
		none = u[i].role != role;
	if (t->node->noop || none)
		return true;
	if (own.p && json_span_type(own) != JSON_ARRAY &&
	    json_span_type(own) != JSON_NULL)
		return err_set(t->e, ERR_BAD_REQUEST,
			       "job \"%.256s\": the key \"%s\" must be a list "
			       "of files, not %s",
			       t->node->name, key,
			       json_type_name(json_span_type(own)));
	buf_json_key(t->b, key);
	buf_addc(t->b, '[');
	if (json_span_type(own) == JSON_ARRAY)
		for (c = json_cursor_open(own); json_cursor_element(&c, &v);) {
			buf_json_comma(t->b);
			json_span_write(t->b, v);
		}
	for (uint32_t i = 0; i < t->node->n_uses; i++)
		if (u[i].role == role &&
		    !is_listed(own, t->w->datasets[u[i].dataset].path,
			       u[i].tag))
			write_use(t, &u[i]);
	buf_addc(t->b, ']');
	return true;
}

bool workflow_job(const struct workflow *w, uint32_t node, struct buf *b,
		  struct err *e)
{
	struct writing t = { .w = w, .node = &w->nodes[node], .b = b, .e = e };
	bool ok;

	t.dag_node = &w->dag->nodes[t.node->node];
	t.own = t.dag_node->job;
	t.info = jobinfo_of(w, t.node->node);
	t.a = arena_new();
	buf_addc(b, '{');
	buf_json_kv_str(b, "name", t.node->name);
	write_commands(&t);
	ok = write_project(&t);
	write_priority(&t);
	ok = ok && write_env(&t) && write_files(&t, "inputs", 'i') &&
	     write_files(&t, "outputs", 'o');
	buf_addc(b, '}');
	free(t.env);
	arena_free(t.a);
	return ok;
}
