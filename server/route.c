/*
 * Finds the handler of a request: one pass over the tables of all resources,
 * segment by segment, then who may, then the names of the query's variables.
 */
#include "server/route.h"

#include <stdlib.h>
#include <string.h>
#include "lib/nearest.h"
#include "server/auth.h"
#include "server/db.h"
#include "server/httpd.h"
#include "server/httpd_int.h"
#include "server/server.h"

#define SEGMENTS_MAX 12

static const struct route *const tables[] = {
	routes_health,  routes_submit,    routes_jobs,       routes_talk,
	routes_output,  routes_pilots,    routes_admin,      routes_tokens,
	routes_reports, routes_datatypes, routes_datasets,   routes_owners,
	routes_dags,    routes_workflows, routes_injections,
};

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

struct segment {
	const char *s;
	size_t len;
};

/* "/a/b" is two segments, "/a/b/" three, the last empty. 0: too many. */
static size_t split(const char *path, struct segment *out)
{
	size_t n = 0;

	while (*path == '/') {
		if (n == SEGMENTS_MAX)
			return 0;
		path++;
		out[n].s = path;
		out[n].len = strcspn(path, "/");
		path += out[n++].len;
	}
	return n;
}

/* Whether the pattern fits; "{x}" takes any segment that is not empty. */
static bool fits(const char *pattern, const struct segment *seg, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len;

		if (*pattern != '/')
			return false;
		pattern++;
		len = strcspn(pattern, "/");
		if (*pattern == '{') {
			if (seg[i].len == 0)
				return false;
		} else if (len != seg[i].len ||
			   memcmp(pattern, seg[i].s, len) != 0) {
			return false;
		}
		pattern += len;
	}
	return *pattern == '\0';
}

static bool take_vars(struct req *r, const struct route *route,
		      const struct segment *seg, struct err *e)
{
	const char *p = route->path;

	r->n_vars = 0;
	for (size_t i = 0; *p == '/'; i++) {
		p++;
		if (*p == '{' && !req_unescape(r, seg[i].s, seg[i].len, false,
					       &r->var[r->n_vars++], e))
			return false;
		p += strcspn(p, "/");
	}
	return true;
}

static bool word_in(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		if (n == len && memcmp(list, word, n) == 0)
			return true;
		list += n;
		list += *list == ' ';
	}
	return false;
}

static bool query_known(struct req *r, const struct route *route, struct err *e)
{
	const char *known = route->query == NULL ? "" : route->query;
	struct req_var *x;

	for (x = httpd_query(r); x != NULL; x = x->next) {
		struct nearest near;
		char *names, *word, *rest;

		if (word_in(known, x->name))
			continue;
		nearest_init(&near, x->name);
		names = arena_strdup(r->arena, known);
		for (word = strtok_r(names, " ", &rest); word != NULL;
		     word = strtok_r(NULL, " ", &rest))
			nearest_try(&near, word);
		err_set(e, ERR_BAD_REQUEST,
			"the query has an unknown variable \"%s\"", x->name);
		if (near.name != NULL)
			err_set(e, ERR_BAD_REQUEST, "%s: did you mean \"%s\"?",
				e->text, near.name);
		return false;
	}
	return true;
}

/* Says who may as well, so that one knows whom to ask. */
static void forbid(struct req *r, const struct route *route)
{
	struct buf who = BUF_INIT;
	struct err e = ERR_INIT;

	for (int role = ROLE_READER; role <= ROLE_JOB; role++) {
		if ((route->may & MAY(role)) == 0)
			continue;
		if (who.len > 0)
			buf_adds(&who, ", ");
		buf_adds(&who, auth_role_name((enum role)role));
	}
	err_set(&e, ERR_FORBIDDEN,
		"a token of role \"%s\" may not %s %s "
		"(%s may)",
		auth_role_name(r->who.role), route->method, route->path,
		buf_str(&who));
	buf_fini(&who);
	req_reply_err(r, &e);
}

static void run(struct req *r)
{
	const struct route *route = r->data;
	struct server *srv = r->srv;
	struct err e = ERR_INIT;

	r->data = NULL;
	if ((route->may & MAY(r->who.role)) == 0) {
		forbid(r, route);
		return;
	}
	if (!query_known(r, route, &e)) {
		req_reply_err(r, &e);
		return;
	}
	/* The request may be gone behind this. */
	db_owner_set(srv->db, req_turn(&r->who));
	route->handle(r);
	db_owner_set(srv->db, 0);
}

static void authorise(struct req *r, const struct route *route)
{
	bool header = req_header(r, "Authorization") != NULL;
	struct err e = ERR_INIT;

	r->data = (void *)(uintptr_t)route;
	if (route->may == MAY_ANYBODY ||
	    (!header && (route->may & MAY_ANYBODY) != 0)) {
		run(r);
	} else if (header) {
		auth_request(r, run);
	} else {
		err_set(&e, ERR_UNAUTHORIZED,
			"this call needs a token: send "
			"it as \"Authorization: Bearer TOKEN\"");
		req_reply_err(r, &e);
	}
}

struct search {
	const struct segment *seg;
	size_t n_seg;
	const char *method;
	const struct route *found;
	struct buf allow; /* methods that the path has */
};

static void look(const struct route *route, struct search *s)
{
	if (s->found != NULL || !fits(route->path, s->seg, s->n_seg))
		return;
	if (strcmp(route->method, s->method) == 0) {
		s->found = route;
		return;
	}
	if (s->allow.len > 0)
		buf_adds(&s->allow, ", ");
	buf_adds(&s->allow, route->method);
	if (strcmp(route->method, "GET") == 0)
		buf_adds(&s->allow, ", HEAD");
}

static void refuse(struct req *r, const char *allow)
{
	struct err e = ERR_INIT;

	if (*allow == '\0') {
		err_set(&e, ERR_NOT_FOUND, "there is nothing at \"%.200s\"",
			r->path);
	} else if (strcmp(r->method, "OPTIONS") == 0) {
		req_header_add(r, "Allow", allow);
		req_reply_empty(r, 204);
		return;
	} else {
		req_header_add(r, "Allow", allow);
		err_set(&e, ERR_METHOD, "\"%.200s\" takes %s, not %s", r->path,
			allow, r->method);
	}
	req_reply_err(r, &e);
}

/* The caller ends s->allow. */
static void find(struct search *s, struct segment *seg, const char *method,
		 const char *path)
{
	memset(s, 0, sizeof(*s));
	s->seg = seg;
	s->method = method;
	s->n_seg = split(path, seg);
	for (size_t i = 0; i < N_TABLES && s->found == NULL; i++) {
		for (const struct route *x = tables[i]; x->path != NULL; x++)
			look(x, s);
	}
}

size_t route_body_max(const char *method, const char *path)
{
	struct segment seg[SEGMENTS_MAX];
	struct search s;

	find(&s, seg, method, path);
	buf_fini(&s.allow);
	return s.found != NULL && (s.found->may & LARGE_BODY) != 0
		       ? ROUTE_BODY_LARGE
		       : HTTPD_BODY_MAX;
}

void route_dispatch(struct req *r)
{
	struct segment seg[SEGMENTS_MAX];
	struct search s;
	struct err e = ERR_INIT;

	find(&s, seg, r->method, r->path);
	if (s.found == NULL)
		refuse(r, buf_str(&s.allow));
	else if (!take_vars(r, s.found, seg, &e))
		req_reply_err(r, &e);
	else
		authorise(r, s.found);
	buf_fini(&s.allow);
}

void route_each(void (*fn)(const struct route *r, void *arg), void *arg)
{
	for (size_t i = 0; i < N_TABLES; i++) {
		for (const struct route *x = tables[i]; x->path != NULL; x++)
			fn(x, arg);
	}
}
