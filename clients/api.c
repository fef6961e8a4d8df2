/* `sortie api METHOD PATH`: any call of the protocol, by hand. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/slurp.h"

#define BODY_MAX (16 * 1024 * 1024)

struct opts {
	struct cli_settings common;
	const char *data, *content_type, *accept, *key;
	bool include;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "data",
	  .letter = 'd',
	  .kind = OPT_STR,
	  .offset = F(data),
	  .arg = "JSON|@FILE",
	  .help = "The body; @FILE reads it from a file, @- from standard "
		  "input." },
	{ .name = "content-type",
	  .kind = OPT_STR,
	  .offset = F(content_type),
	  .arg = "TYPE",
	  .help = "What the body is. Default: application/json." },
	{ .name = "accept",
	  .kind = OPT_STR,
	  .offset = F(accept),
	  .arg = "TYPE",
	  .help = "The form of answer to ask for (application/x-ndjson)." },
	{ .name = "idempotency-key",
	  .kind = OPT_STR,
	  .offset = F(key),
	  .arg = "KEY",
	  .help = "Repeating with the same key does nothing twice." },
	{ .name = "include",
	  .letter = 'i',
	  .kind = OPT_FLAG,
	  .offset = F(include),
	  .help = "Print the answer's headers, too." },
};

static bool read_body(const char *data, struct buf *body, struct err *e)
{
	if (data == NULL)
		return true;
	if (data[0] == '@')
		return slurp_file(data + 1, BODY_MAX, body, e);
	buf_adds(body, data);
	return true;
}

static bool is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
	       strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0;
}

/* The answer as it came, on standard output, whatever its status. */
static int print(struct cli *c, const struct httpc_reply *reply)
{
	struct err e = ERR_INIT;

	if (CLI_OPTS(c, struct opts)->include)
		fwrite(buf_str(&reply->headers), 1, reply->headers.len, stdout);
	fwrite(buf_str(&reply->body), 1, reply->body.len, stdout);
	if (reply->body.len > 0 &&
	    reply->body.data[reply->body.len - 1] != '\n' &&
	    strstr(reply->content_type, "json") != NULL)
		putchar('\n');
	if (reply->status < 400)
		return CLI_OK;
	call_error(c, reply, &e);
	return cli_fail(c, &e);
}

static int run(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	char *method = c->args[0], *path = c->args[1];
	struct call_request r = { .method = method,
				  .content_type = o->content_type,
				  .accept = o->accept,
				  .key = o->key };
	struct httpc_reply reply;
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	for (char *p = method; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	r.path = path[0] == '/' ? path
				: arena_printf(c->arena, "/api/v1/%s", path);
	r.once = !is_safe(method) && o->key == NULL;
	if (!read_body(o->data, &body, &e)) {
		buf_fini(&body);
		return cli_fail(c, &e);
	}
	if (o->data != NULL) {
		r.body = buf_str(&body);
		r.body_len = body.len;
	}
	if (call_raw(c, &r, &reply, &e)) {
		status = print(c, &reply);
		httpc_reply_fini(&reply);
	} else {
		status = cli_fail(c, &e);
	}
	buf_fini(&body);
	return status;
}

const struct cli_command command_api = {
	.path = "api",
	.args = "METHOD PATH",
	.brief = "make one call of the protocol by hand",
	.text = "PATH without a leading slash is below /api/v1. The answer's "
		"body goes to standard output as it came; an error is told "
		"on standard error as well.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
