/*
 * The environment of a payload, put together from the pilot's own, the
 * site's, the job's and what Sortie injects, later ones winning.
 */
#ifndef SORTIE_PILOT_PAYLOAD_ENV_H
#define SORTIE_PILOT_PAYLOAD_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/arena.h"
#include "lib/err.h"
#include "pilot/payload.h"

struct runas_user;
struct runfiles;

struct payload_env {
	struct arena *a;
	char **v; /* NAME=VALUE, NULL-terminated */
	size_t n, cap;
};

/* What all payloads of a pilot share: `own` without what is not for payloads,
 * then `site` (NULL ok). Strings of own and site are borrowed. */
void payload_env_base(struct payload_env *env, struct arena *a, char **own,
		      char **site);
/* A run's: base, then who it runs as (NULL = the pilot's user), then the definition's env, then the paths of its files, then
 * the injected variables. job_file: path. Refuses an env that is not an object
 * of text. */
bool payload_env_make(struct payload_env *env, struct arena *a,
		      const struct payload_env *base,
		      const struct payload_settings *s,
		      const struct payload_grant *g,
		      const struct runas_user *user,
		      const struct runfiles *files, const char *job_file,
		      struct err *e) MUST_CHECK;
/* The value, or NULL. */
const char *payload_env_get(const struct payload_env *env, const char *name);
void payload_env_set(struct payload_env *env, const char *name,
		     const char *value);

#endif
