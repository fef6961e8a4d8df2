/*
 * Puts a payload's environment together.  Which variables are kept from it
 * and which are injected is in two tables; everything else is copying.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "pilot/payload_env.h"
#include "pilot/runas.h"
#include "pilot/runfiles.h"

#define INJECTED_MAX 20

/* Of the pilot's own environment: its secrets, its supervisor's channels, and
 * what an outer run gave it when it is itself a payload. */
static const char *const withheld[] = {
	"SORTIE_JOIN_TOKEN",    "SORTIE_TOKEN",
	"SORTIE_URL",           "SORTIE_JOB_ID",
	"SORTIE_JOB_NUMBER",    "SORTIE_JOB_NAME",
	"SORTIE_JOB_FILE",      "SORTIE_RUN",
	"SORTIE_INDEX",         "SORTIE_PROJECT",
	"SORTIE_PILOT_ID",      "SORTIE_WORKFLOW_ID",
	"P3S_JOB_UUID",         "P3S_PILOT_UUID",
	"NOTIFY_SOCKET",        "WATCHDOG_USEC",
	"WATCHDOG_PID",         "JOURNAL_STREAM",
	"LISTEN_FDS",           "LISTEN_PID",
	"LISTEN_FDNAMES",       "SORTIE_JOIN_TOKEN_FILE",
	"CREDENTIALS_DIRECTORY"
};
#define N_WITHHELD (sizeof(withheld) / sizeof(withheld[0]))

static size_t name_len(const char *entry)
{
	return strcspn(entry, "=");
}

static bool same_name(const char *entry, const char *name, size_t len)
{
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static void reserve(struct payload_env *env, size_t more)
{
	size_t cap = env->n + more + 1;
	char **v;

	if (cap <= env->cap)
		return;
	v = ARENA_ARRAY(env->a, char *, cap);
	if (env->n)
		memcpy(v, env->v, env->n * sizeof(*v));
	v[env->n] = NULL;
	env->v = v;
	env->cap = cap;
}

/* entry: NAME=VALUE, borrowed. */
static void put(struct payload_env *env, char *entry)
{
	size_t len = name_len(entry);

	for (size_t i = 0; i < env->n; i++) {
		if (same_name(env->v[i], entry, len)) {
			env->v[i] = entry;
			return;
		}
	}
	reserve(env, 1);
	env->v[env->n++] = entry;
	env->v[env->n] = NULL;
}

void payload_env_set(struct payload_env *env, const char *name,
		     const char *value)
{
	put(env, arena_printf(env->a, "%s=%s", name, value));
}

const char *payload_env_get(const struct payload_env *env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < env->n; i++)
		if (same_name(env->v[i], name, len))
			return env->v[i] + len + 1;
	return NULL;
}

static bool is_withheld(const char *entry)
{
	for (size_t i = 0; i < N_WITHHELD; i++)
		if (same_name(entry, withheld[i], strlen(withheld[i])))
			return true;
	return false;
}

static void put_all(struct payload_env *env, char **v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	reserve(env, n);
	for (size_t i = 0; i < n; i++)
		if (strchr(v[i], '=') && !is_withheld(v[i]))
			put(env, v[i]);
}

void payload_env_base(struct payload_env *env, struct arena *a, char **own,
		      char **site)
{
	memset(env, 0, sizeof(*env));
	env->a = a;
	put_all(env, own);
	put_all(env, site);
}

struct adding {
	struct payload_env *env;
	struct err *e;
};

static bool add_member(const char *key, struct json_object *v, void *arg)
{
	struct adding *ad = arg;

	if (!*key || strchr(key, '='))
		return err_set(ad->e, ERR_UNPROCESSABLE,
			       "env: '%s' cannot be a variable's name", key);
	if (json_type(v) != JSON_STR)
		return err_set(ad->e, ERR_UNPROCESSABLE,
			       "env: '%s' is not text", key);
	payload_env_set(ad->env, key, json_str(v));
	return true;
}

static bool add_definition(struct payload_env *env, struct json_object *def,
			   struct err *e)
{
	struct json_object *o = json_get(def, "env");
	struct adding ad = { env, e };

	if (!o || json_type(o) == JSON_NULL)
		return true;
	if (json_type(o) != JSON_OBJECT)
		return err_set(e, ERR_UNPROCESSABLE, "env is not an object");
	reserve(env, json_len(o));
	return json_each(o, add_member, &ad);
}

/* The server that granted could not open one: null. */
static bool add_secret(const char *key, struct json_object *v, void *arg)
{
	struct adding *ad = arg;

	if (json_type(v) == JSON_NULL)
		return err_set(ad->e, ERR_UNPROCESSABLE,
			       "secrets: the server cannot open '%s': its key "
			       "is not the one that it was stored with",
			       key);
	return add_member(key, v, arg);
}

static bool add_secrets(struct payload_env *env, struct json_object *secrets,
			struct err *e)
{
	struct adding ad = { env, e };

	if (!secrets)
		return true;
	if (json_type(secrets) != JSON_OBJECT)
		return err_set(e, ERR_UNPROCESSABLE,
			       "secrets is not an object");
	reserve(env, json_len(secrets));
	return json_each(secrets, add_secret, &ad);
}

static void inject(struct payload_env *env, const struct payload_settings *s,
		   const struct payload_grant *g, const char *job_file)
{
	char number[24], index[24];
	const struct {
		const char *name, *value;
	} list[] = {
		{ "SORTIE_JOB_ID", g->id },
		{ "SORTIE_JOB_NUMBER", number },
		{ "SORTIE_JOB_NAME", g->name },
		{ "SORTIE_RUN", g->run },
		{ "SORTIE_INDEX", g->index >= 0 ? index : NULL },
		{ "SORTIE_PROJECT", g->project },
		{ "SORTIE_PILOT_ID", s->pilot_id },
		{ "SORTIE_WORKFLOW_ID", g->workflow },
		{ "SORTIE_URL", s->url },
		{ "SORTIE_TOKEN", g->token },
		{ "SORTIE_JOB_FILE", job_file },
		{ "P3S_JOB_UUID", g->id },
		{ "P3S_PILOT_UUID", s->pilot_id },
		{ "P3S_SITE", s->site && *s->site ? s->site : NULL },
	};

	_Static_assert(sizeof(list) / sizeof(list[0]) <= INJECTED_MAX,
		       "room is reserved for all");
	snprintf(number, sizeof(number), "%" PRId64, g->job);
	snprintf(index, sizeof(index), "%" PRId64, g->index);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].value)
			payload_env_set(env, list[i].name, list[i].value);
}

bool payload_env_make(struct payload_env *env, struct arena *a,
		      const struct payload_env *base,
		      const struct payload_settings *s,
		      const struct payload_grant *g,
		      const struct runas_user *user,
		      const struct runfiles *files, const char *job_file,
		      struct err *e)
{
	memset(env, 0, sizeof(*env));
	env->a = a;
	reserve(env, base->n + INJECTED_MAX + 4);
	if (base->n)
		memcpy(env->v, base->v, base->n * sizeof(*env->v));
	env->n = base->n;
	env->v[env->n] = NULL;
	if (user) {
		payload_env_set(env, "HOME", user->home);
		payload_env_set(env, "USER", user->name);
		payload_env_set(env, "LOGNAME", user->name);
		payload_env_set(env, "SHELL", user->shell);
	}
	if (!add_definition(env, g->definition, e) ||
	    !add_secrets(env, g->secrets, e) || !runfiles_env(files, env, e))
		return false;
	inject(env, s, g, job_file);
	return true;
}
