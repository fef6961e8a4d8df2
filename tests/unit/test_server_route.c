/* Which handler a request finds, who may, and what is said otherwise. */
#include <string.h>
#include "lib/arena.h"
#include "server/auth.h"
#include "server/db.h"
#include "server/httpd.h"
#include "server/httpd_int.h"
#include "server/route.h"
#include "server/server.h"
#include "tests/unit/unit.h"

/* Instead of the handlers, tokens and HTTP of the server. */

static const char *handled;
static enum role token_role; /* whose token the request brings */
static bool has_token;
static struct req_var *vars;
static int status;
static char body[512], allow[64];

static void handle_list(struct req *r)
{
	handled = "list";
	req_reply_empty(r, 204);
}

static void handle_one(struct req *r)
{
	handled = r->var[0];
	req_reply_empty(r, 204);
}

static void handle_two(struct req *r)
{
	handled = r->var[1];
	req_reply_empty(r, 204);
}

const struct route routes_health[] = {
	{ "GET", "/open", MAY_ANYBODY, NULL, handle_list },
	{ "GET", "/either", MAY_ANYBODY | MAY_PEOPLE, NULL, handle_list },
	{ NULL, NULL, 0, NULL, NULL }
};
const struct route routes_jobs[] = {
	{ "GET", "/api/v1/jobs", MAY_PEOPLE, "state page_size", handle_list },
	{ "GET", "/api/v1/jobs/counts", MAY_PEOPLE, NULL, handle_list },
	{ "GET", "/api/v1/jobs/{ref}", MAY_PEOPLE, NULL, handle_one },
	{ "DELETE", "/api/v1/jobs/{ref}", MAY_CHANGE, NULL, handle_one },
	{ "PUT", "/api/v1/a/{x}/b/{y}", MAY(ROLE_PILOT), NULL, handle_two },
	{ "POST", "/api/v1/large/{x}", MAY_CHANGE | LARGE_BODY, NULL,
	  handle_one },
	{ NULL, NULL, 0, NULL, NULL }
};
#define NO_ROUTES                                 \
	{                                         \
		{                                 \
			NULL, NULL, 0, NULL, NULL \
		}                                 \
	}
const struct route routes_submit[] = NO_ROUTES;
const struct route routes_talk[] = NO_ROUTES;
const struct route routes_output[] = NO_ROUTES;
const struct route routes_pilots[] = NO_ROUTES;
const struct route routes_admin[] = NO_ROUTES;
const struct route routes_tokens[] = NO_ROUTES;
const struct route routes_reports[] = NO_ROUTES;
const struct route routes_dags[] = NO_ROUTES;
const struct route routes_workflows[] = NO_ROUTES;
const struct route routes_injections[] = NO_ROUTES;
const struct route routes_datatypes[] = NO_ROUTES;
const struct route routes_owners[] = NO_ROUTES;
const struct route routes_datasets[] = NO_ROUTES;

static struct server server;
static int64_t turn; /* while the handler ran */

void db_owner_set(struct db *db, int64_t owner)
{
	(void)db;
	if (owner != 0)
		turn = owner;
}

void auth_request(struct req *r, void (*then)(struct req *r))
{
	r->who.role = token_role;
	r->who.owner_id = 7;
	r->who.pilot = 8;
	r->who.job = 9;
	then(r);
}

const char *auth_role_name(enum role role)
{
	static const char *const names[] = {
		[ROLE_NONE] = "none", [ROLE_READER] = "reader",
		[ROLE_USER] = "user", [ROLE_ADMIN] = "admin",
		[ROLE_JOIN] = "join", [ROLE_PILOT] = "pilot",
		[ROLE_JOB] = "job",
	};

	return names[role];
}

const char *httpd_header_get(struct req *r, const char *name)
{
	(void)r;
	return has_token && strcmp(name, "Authorization") == 0 ? "Bearer x"
							       : NULL;
}

struct req_var *httpd_query(struct req *r)
{
	(void)r;
	return vars;
}

void httpd_header_push(struct req *r, const char *name, const char *value)
{
	(void)r;
	if (strcmp(name, "Allow") == 0)
		snprintf(allow, sizeof(allow), "%s", value);
}

void httpd_send(struct req *r, int with, const char *content_type,
		const void *text, size_t len)
{
	(void)content_type;
	r->replied = true;
	status = with;
	snprintf(body, sizeof(body), "%.*s", (int)len,
		 len == 0 ? "" : (const char *)text);
}

/* Dispatches one request and gives the status. role NONE: without a token. */
static int ask(const char *method, const char *path, const char *query,
	       enum role role)
{
	struct req r = { .arena = arena_new(),
			 .srv = &server,
			 .method = method,
			 .path = path,
			 .body = "" };
	struct err e = ERR_INIT;

	handled = NULL;
	status = 0;
	allow[0] = body[0] = '\0';
	vars = NULL;
	has_token = role != ROLE_NONE;
	token_role = role;
	CHECK_OK(req_parse_query(&r, query, &vars, &e), e);
	route_dispatch(&r);
	CHECK_TRUE(r.replied);
	/* What handled points to dies with the request. */
	if (handled != NULL) {
		static char name[64];

		snprintf(name, sizeof(name), "%s", handled);
		handled = name;
	}
	arena_free(r.arena);
	return status;
}

static void a_path_finds_its_handler(void)
{
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs", "", ROLE_USER), 204);
	CHECK_STR_EQ(handled, "list");
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs/counts", "", ROLE_USER), 204);
	CHECK_STR_EQ(handled, "list");
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs/17", "", ROLE_USER), 204);
	CHECK_STR_EQ(handled, "17");
	CHECK_INT_EQ(ask("PUT", "/api/v1/a/1/b/2", "", ROLE_PILOT), 204);
	CHECK_STR_EQ(handled, "2");
}

static void segments_are_decoded_after_they_are_split(void)
{
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs/a%2Fb%20+", "", ROLE_USER), 204);
	CHECK_STR_EQ(handled, "a/b +");
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs/a%00b", "", ROLE_USER), 400);
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs/a%2", "", ROLE_USER), 400);
}

static void a_route_says_how_large_a_body_may_be(void)
{
	CHECK_UINT_EQ(route_body_max("POST", "/api/v1/large/1"),
		      ROUTE_BODY_LARGE);
	CHECK_UINT_EQ(route_body_max("GET", "/api/v1/large/1"), HTTPD_BODY_MAX);
	CHECK_UINT_EQ(route_body_max("GET", "/api/v1/jobs"), HTTPD_BODY_MAX);
	CHECK_UINT_EQ(route_body_max("POST", "*"), HTTPD_BODY_MAX);
	CHECK_INT_EQ(ask("POST", "/api/v1/large/1", "", ROLE_USER), 204);
	CHECK_INT_EQ(ask("POST", "/api/v1/large/1", "", ROLE_READER), 403);
}

static void other_paths_are_not_found(void)
{
	static const char *const paths[] = {
		"/",
		"/api",
		"/api/v1/jobs/",
		"/api/v1/jobs/1/2",
		"/api/v1/job",
		"//api/v1/jobs",
		"/api/v1/jobs//",
		"/1/2/3/4/5/6/7/8/9/10/11/12/13/14",
	};

	for (size_t i = 0; i < UNIT_N(paths); i++)
		CHECK_INT_EQ(ask("GET", paths[i], "", ROLE_ADMIN), 404);
}

static void another_method_is_told_which_there_are(void)
{
	CHECK_INT_EQ(ask("POST", "/api/v1/jobs/1", "", ROLE_USER), 405);
	CHECK_STR_EQ(allow, "GET, HEAD, DELETE");
	CHECK_INT_EQ(ask("OPTIONS", "/api/v1/jobs/1", "", ROLE_NONE), 204);
	CHECK_STR_EQ(allow, "GET, HEAD, DELETE");
}

static void a_token_is_asked_for_and_its_role_counts(void)
{
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs", "", ROLE_NONE), 401);
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs", "", ROLE_PILOT), 403);
	CHECK_INT_EQ(ask("DELETE", "/api/v1/jobs/1", "", ROLE_READER), 403);
	CHECK_CONTAINS(body, "role \\\"reader\\\"");
	CHECK_CONTAINS(body, "{ref} (user, admin may)");
	CHECK_INT_EQ(ask("PUT", "/api/v1/a/1/b/2", "", ROLE_ADMIN), 403);
	CHECK_CONTAINS(body, "{y} (pilot may)");
	CHECK_INT_EQ(ask("GET", "/open", "", ROLE_NONE), 204);
	CHECK_INT_EQ(ask("GET", "/open", "", ROLE_PILOT), 204);
	CHECK_INT_EQ(ask("GET", "/either", "", ROLE_NONE), 204);
	CHECK_INT_EQ(ask("GET", "/either", "", ROLE_PILOT), 403);
}

static void unknown_variables_are_refused_by_name(void)
{
	CHECK_INT_EQ(
		ask("GET", "/api/v1/jobs", "state=a&page_size=1", ROLE_USER),
		204);
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs", "stat=a", ROLE_USER), 400);
	CHECK_CONTAINS(body, "did you mean \\\"state\\\"");
	CHECK_INT_EQ(ask("GET", "/api/v1/jobs/1", "x=1", ROLE_USER), 400);
	CHECK_INT_EQ(
		ask("GET", "/api/v1/jobs", "state%20page_size=1", ROLE_USER),
		400);
}

static void each_takes_a_turn_of_its_own(void)
{
	ask("GET", "/api/v1/jobs", "", ROLE_USER);
	CHECK_INT_EQ(turn, 7);
	ask("PUT", "/api/v1/a/1/b/2", "", ROLE_PILOT);
	CHECK_INT_EQ(turn, -8);
}

static const struct unit_test tests[] = {
	{ "a path finds its handler", a_path_finds_its_handler },
	{ "segments are decoded after they are split",
	  segments_are_decoded_after_they_are_split },
	{ "a route says how large a body may be",
	  a_route_says_how_large_a_body_may_be },
	{ "other paths are not found", other_paths_are_not_found },
	{ "another method is told which there are",
	  another_method_is_told_which_there_are },
	{ "a token is asked for and its role counts",
	  a_token_is_asked_for_and_its_role_counts },
	{ "unknown variables are refused by name",
	  unknown_variables_are_refused_by_name },
	{ "each takes a turn of its own", each_takes_a_turn_of_its_own },
};

int main(void)
{
	return unit_main("server_route", tests, UNIT_N(tests));
}
