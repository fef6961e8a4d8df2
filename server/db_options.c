/* How to connect: the operator's connection string, completed with what this
 * program needs and he did not say. */
#include "server/db_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXTRA_KEYS 8

static const char *parsed_value(const PQconninfoOption *all, const char *key)
{
	for (const PQconninfoOption *o = all; o->keyword != NULL; o++)
		if (strcmp(o->keyword, key) == 0 && o->val != NULL &&
		    o->val[0] != '\0')
			return o->val;
	return NULL;
}

static int hosts_count(const PQconninfoOption *all)
{
	const char *s = parsed_value(all, "host");
	int n = 1;

	if (s == NULL)
		s = parsed_value(all, "hostaddr");
	for (; s != NULL && *s != '\0'; s++)
		n += *s == ',';
	return n;
}

static void option_set(struct db_options *o, size_t *n, const char *key,
		       const char *value)
{
	o->key[*n] = key;
	o->value[*n] = value;
	(*n)++;
}

static void option_default(struct db_options *o, size_t *n, const char *key,
			   const char *value)
{
	if (parsed_value(o->parsed, key) == NULL)
		option_set(o, n, key, value);
}

bool db_options_init(struct db_options *o, const char *conninfo,
		     const char *name, int64_t statement_timeout_ms,
		     struct err *e)
{
	char *why = NULL;
	const char *options;
	size_t n = 0, given = 0;

	memset(o, 0, sizeof(*o));
	o->parsed = PQconninfoParse(conninfo, &why);
	if (o->parsed == NULL) {
		/* libpq ends its sentences with a line feed. */
		(void)err_set(e, ERR_BAD_REQUEST, "connection string: %.*s",
			      why != NULL ? (int)strcspn(why, "\n") : 9,
			      why != NULL ? why : "no memory");
		PQfreemem(why);
		return false;
	}
	for (PQconninfoOption *p = o->parsed; p->keyword != NULL; p++)
		given++;
	o->key = xcalloc(given + EXTRA_KEYS + 1, sizeof(*o->key));
	o->value = xcalloc(given + EXTRA_KEYS + 1, sizeof(*o->value));
	for (PQconninfoOption *p = o->parsed; p->keyword != NULL; p++)
		if (p->val != NULL && strcmp(p->keyword, "options") != 0)
			option_set(o, &n, p->keyword, p->val);
	o->hosts = hosts_count(o->parsed);
	options = parsed_value(o->parsed, "options");
	/* A transaction of ours is one statement, so one that idles is lost.
	 * Plans are made once: PostgreSQL takes arrays for longer than they
	 * are and would plan most statements anew each time (measured: 0.42
	 * instead of 0.70 ms for a submission of one job).  Functions whose
	 * plan depends on their parameters say so themselves. */
	o->options = xasprintf("%s -c statement_timeout=%lld"
			       " -c idle_in_transaction_session_timeout=30000"
			       " -c client_min_messages=warning -c jit=off"
			       " -c TimeZone=UTC -c DateStyle=ISO"
			       " -c plan_cache_mode=force_generic_plan",
			       options != NULL ? options : "",
			       (long long)statement_timeout_ms);
	option_set(o, &n, "options", o->options);
	option_default(o, &n, "application_name", name);
	option_default(o, &n, "client_encoding", "UTF8");
	if (o->hosts > 1)
		option_default(o, &n, "target_session_attrs", "read-write");
	/* A host that is gone must not cost minutes; no effect on sockets. */
	option_default(o, &n, "tcp_user_timeout", "10000");
	option_default(o, &n, "keepalives_idle", "10");
	option_default(o, &n, "keepalives_interval", "5");
	return true;
}

/* "a,b,c" becomes "b,c,a" where it stands. */
static void turn(char *list)
{
	char *comma = strchr(list, ',');
	size_t n = (size_t)(comma - list), rest = strlen(comma + 1);
	char *first = xstrndup(list, n);

	memmove(list, comma + 1, rest);
	list[rest] = ',';
	memcpy(list + rest + 1, first, n + 1);
	free(first);
}

void db_options_turn(struct db_options *o)
{
	static const char *const lists[] = { "host", "hostaddr", "port" };

	for (PQconninfoOption *p = o->parsed; p->keyword != NULL; p++)
		for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
			if (strcmp(p->keyword, lists[i]) == 0 &&
			    p->val != NULL && strchr(p->val, ',') != NULL)
				turn(p->val);
}

void db_options_fini(struct db_options *o)
{
	PQconninfoFree(o->parsed);
	free(o->key);
	free(o->value);
	free(o->options);
}
