/*
 * Brings a job, as a user wrote it, into the form that is stored: reads each
 * key by its rule, checks what concerns several keys, and writes the canonical
 * definition and the requirements.
 *
 * Measured on one of 2 shared cores, gcc -O2: a job of 285 bytes with 7 keys
 * and 4 variables takes 1.6 microseconds, reading its JSON not counted.
 */
#include "lib/jobspec.h"

#include <stdlib.h>
#include <string.h>
#include "lib/jobspec_value.h"
#include "lib/nearest.h"
#include "lib/words.h"

/* More keys than the table has. */
#define KEYS_MAX 64

/* Known from the design, so that nobody believes that they do something. */
static const char *const not_yet[] = { "stages", "image", "collect",
				       "callback" };
/* Keys that jobs have in workflows only. */
static const char *const graph_keys[] = { "after", "allow_failure", "children",
					  "dag",   "join",          "matrix",
					  "noop" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A key that was given, and where its canonical value is in reader.b. */
struct given {
	const struct jobspec_key_doc *key;
	size_t start, len;
};

struct decoding {
	struct jobspec_reader r;
	struct given given[KEYS_MAX];
	size_t n;
};

static const char *colon(const struct jobspec_reader *r)
{
	return *r->where ? ": " : "";
}

static bool fail(struct jobspec_reader *r, const char *sentence)
{
	return err_set(r->e, ERR_BAD_REQUEST, "%s%s%s", r->where, colon(r),
		       sentence);
}

static bool fail_unknown(struct jobspec_reader *r, const char *key)
{
	struct nearest near;

	for (size_t i = 0; i < COUNT(graph_keys); i++)
		if (!strcmp(key, graph_keys[i]))
			return err_set(r->e, ERR_BAD_REQUEST,
				       "%s%sthe key \"%s\" is only for jobs "
				       "in a workflow",
				       r->where, colon(r), key);
	for (size_t i = 0; i < COUNT(not_yet); i++)
		if (!strcmp(key, not_yet[i]))
			return err_set(r->e, ERR_BAD_REQUEST,
				       "%s%sthe key "
				       "\"%s\" is known but not available in "
				       "this version",
				       r->where, colon(r), key);
	nearest_init(&near, key);
	for (size_t i = 0; i < jobspec_n_keys; i++)
		nearest_try(&near, jobspec_keys[i].name);
	if (near.name)
		return err_set(r->e, ERR_BAD_REQUEST,
			       "%s%sunknown key "
			       "\"%.100s\": did you mean \"%s\"?",
			       r->where, colon(r), key, near.name);
	return err_set(r->e, ERR_BAD_REQUEST, "%s%sunknown key \"%.100s\"",
		       r->where, colon(r), key);
}

static const struct jobspec_key_doc *find_key(const char *name)
{
	for (size_t i = 0; i < jobspec_n_keys; i++)
		if (!strcmp(jobspec_keys[i].name, name))
			return &jobspec_keys[i];
	return NULL;
}

static bool read_member(const char *name, struct json_object *v, void *arg)
{
	struct decoding *d = arg;
	const struct jobspec_key_doc *key = find_key(name);
	struct given *g = &d->given[d->n];

	if (!key)
		return fail_unknown(&d->r, name);
	if (json_type(v) == JSON_NULL)
		return true;
	d->r.key = name;
	g->key = key;
	g->start = d->r.b.len;
	if (!key->rule->read(&d->r, key->rule, v))
		return false;
	g->len = d->r.b.len - g->start;
	d->n++;
	return true;
}

static bool is_given(const struct decoding *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->given[i].key->name, name))
			return true;
	return false;
}

/* Quotes must be closed, unless a shell will read the text. */
static bool check_payload(struct decoding *d, struct json_object *o)
{
	struct jobspec_reader *r = &d->r;
	char **words;
	size_t n;

	if (!is_given(d, "payload") || r->exec_mode)
		return true;
	if (!words_split(r->arena, json_get_str(o, "payload"), &words, &n,
			 r->e))
		return err_prefix(r->e, "%s%sthe key \"payload\"", r->where,
				  colon(r));
	return n > 0 || fail(r, "the key \"payload\" holds no program");
}

static bool check_together(struct decoding *d, struct json_object *o)
{
	static const char *const what[] = { "payload", "argv", "shell" };
	const char *found = NULL;
	struct jobspec_reader *r = &d->r;

	for (size_t i = 0; i < 3; i++) {
		if (!is_given(d, what[i]))
			continue;
		if (found)
			return err_set(r->e, ERR_BAD_REQUEST,
				       "%s%sthe keys "
				       "\"%s\" and \"%s\" exclude each other: "
				       "one of payload, argv, shell is needed",
				       r->where, colon(r), found, what[i]);
		found = what[i];
	}
	if (!found)
		return fail(r, "one of payload, argv, shell is needed");
	if (is_given(d, "timeout") && is_given(d, "timelimit"))
		return fail(r, "the keys \"timeout\" and \"timelimit\" mean "
			       "the same: give one of them");
	return check_payload(d, o);
}

/* The name in the definition: one for the two words of the time limit. */
static const char *canonical_name(const struct given *g)
{
	return strcmp(g->key->name, "timelimit") ? g->key->name : "timeout";
}

static int compare_given(const void *a, const void *b)
{
	return strcmp(canonical_name(a), canonical_name(b));
}

static bool write_definition(struct decoding *d)
{
	struct jobspec_reader *r = &d->r;
	struct buf b = BUF_INIT;
	size_t len;

	qsort(d->given, d->n, sizeof(d->given[0]), compare_given);
	buf_addc(&b, '{');
	for (size_t i = 0; i < d->n; i++) {
		const struct given *g = &d->given[i];

		if (g->key->rule->apart)
			continue;
		buf_json_key(&b, canonical_name(g));
		buf_add(&b, r->b.data + g->start, g->len);
	}
	buf_addc(&b, '}');
	len = b.len;
	r->out->definition = arena_strndup(r->arena, buf_str(&b), len);
	r->out->definition_len = len;
	buf_fini(&b);
	return len <= JOBSPEC_DEFINITION_MAX ||
	       err_set(r->e, ERR_BAD_REQUEST,
		       "%s%sthe job has %zu bytes, at "
		       "most %zu are allowed: send files instead",
		       r->where, colon(r), len, JOBSPEC_DEFINITION_MAX);
}

/*
 * Up to the next 1/64 of a power of two, so that sizes which hardly differ
 * share a class.  The database rounds what pilots offer with the same
 * function (sortie.memory_1 in sql/function/queue.sql): it is monotonic, so
 * what fits a pilot fits it rounded too (doc/decisions/0003).
 */
static int64_t round_memory(int64_t bytes)
{
	int64_t step;

	if (bytes < 64)
		return bytes;
	step = INT64_C(1) << (57 - __builtin_clzll((uint64_t)bytes));
	return (bytes + step - 1) / step * step;
}

static void write_requirements(struct jobspec_reader *r)
{
	struct jobspec *j = r->out;
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "cores", j->cores);
	buf_json_key(&b, "jobtype");
	buf_json_str(&b, j->jobtype);
	buf_json_key(&b, "labels");
	buf_addc(&b, '{');
	for (size_t i = 0; i < j->n_labels; i++)
		buf_json_kv_str(&b, j->labels[i].name, j->labels[i].value);
	buf_addc(&b, '}');
	buf_json_key(&b, "limits");
	buf_addc(&b, '{');
	for (size_t i = 0; i < j->n_limits; i++)
		buf_json_kv_i64(&b, j->limits[i].name, j->limits[i].count);
	buf_addc(&b, '}');
	buf_json_kv_i64(&b, "memory", round_memory(j->memory));
	buf_json_key(&b, "pools");
	buf_addc(&b, '[');
	for (size_t i = 0; i < j->n_pools; i++) {
		buf_json_comma(&b);
		buf_json_str(&b, j->pools[i]);
	}
	buf_addc(&b, ']');
	buf_json_kv_str(&b, "project", j->project);
	buf_json_kv_str(&b, "site", j->site);
	buf_addc(&b, '}');
	j->requirements = arena_strndup(r->arena, buf_str(&b), b.len);
	buf_fini(&b);
}

static const char *no_names[] = { NULL };

static const struct jobspec defaults = {
	.name = "",
	.project = "default",
	.jobtype = "",
	.site = "",
	.cores = 1,
	.timeout_s = -1,
	.retry_delay_s = 10,
	.replicas = 1,
	.pools = no_names,
	.sends = no_names,
};

/* arg: levels that are left, as an int. */
static bool shallow(const char *key, struct json_object *v, void *arg)
{
	int left = *(int *)arg - 1;

	(void)key;
	if (json_type(v) == JSON_OBJECT)
		return left >= 0 && json_each(v, shallow, &left);
	if (json_type(v) != JSON_ARRAY)
		return true;
	for (size_t i = 0; left >= 0 && i < json_len(v); i++)
		if (!shallow(NULL, json_at(v, i), &left))
			return false;
	return left >= 0;
}

static bool check_depth(struct json_object *o, const char *where, struct err *e)
{
	int left = JOBSPEC_DEPTH_MAX;

	return shallow(NULL, o, &left) ||
	       err_set(e, ERR_BAD_REQUEST,
		       "%s%sthe job is nested more than "
		       "%d levels deep: put the inner part into a text or "
		       "a file",
		       where, *where ? ": " : "", JOBSPEC_DEPTH_MAX);
}

bool jobspec_decode(struct arena *a, struct json_object *o, const char *where,
		    struct jobspec *out, struct err *e)
{
	struct decoding d = {
		.r = { .arena = a, .where = where, .out = out, .e = e }
	};
	bool ok;

	*out = defaults;
	if (json_type(o) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s must be an object, not "
			       "%s",
			       *where ? where : "a job",
			       json_type_name(json_type(o)));
	ok = check_depth(o, where, e) && json_each(o, read_member, &d) &&
	     check_together(&d, o) && write_definition(&d);
	if (ok)
		write_requirements(&d.r);
	buf_fini(&d.r.b);
	return ok;
}

bool jobspec_list(struct arena *a, struct json_object *doc, const char *source,
		  struct json_object ***jobs, size_t *n, struct err *e)
{
	const char *sep = *source ? ": " : "";

	if (json_type(doc) == JSON_OBJECT) {
		*jobs = ARENA_ARRAY(a, struct json_object *, 1);
		(*jobs)[0] = doc;
		*n = 1;
		return true;
	}
	if (json_type(doc) != JSON_ARRAY)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s%sa job file holds one "
			       "job (an object) or a list of jobs, not %s",
			       source, sep, json_type_name(json_type(doc)));
	*n = json_len(doc);
	if (!*n)
		return err_set(e, ERR_BAD_REQUEST, "%s%sthe list has no job",
			       source, sep);
	*jobs = ARENA_ARRAY(a, struct json_object *, *n);
	for (size_t i = 0; i < *n; i++) {
		(*jobs)[i] = json_at(doc, i);
		if (json_type((*jobs)[i]) != JSON_OBJECT)
			return err_set(e, ERR_BAD_REQUEST,
				       "%s%sjob %zu must "
				       "be an object, not %s",
				       source, sep, i + 1,
				       json_type_name(json_type((*jobs)[i])));
	}
	return true;
}
