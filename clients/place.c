/*
 * Finds the server and the token: what the person gave, else what the server
 * of this user or of this machine has put into its state directory.
 */
#include "clients/place.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/settings.h"

#define TOKEN_MAX 256
#define SOCKET_NAME "sortied.sock"
#define TOKEN_NAME "admin-token"
#define JOIN_TOKEN_NAME "join-token"

/* The user's own server comes before the machine's. */
static size_t state_dirs(struct cli *c, const char *dirs[2])
{
	size_t n = 0;
	const char *own = settings_user_dir(c->arena, "data");

	if (own != NULL && geteuid() != 0)
		dirs[n++] = own;
	dirs[n++] = "/var/lib/sortie";
	return n;
}

bool place_read_token(struct cli *c, const char *path, const char **out,
		      struct err *e)
{
	char line[TOKEN_MAX];
	FILE *f = fopen(path, "re");
	char *got;

	if (f == NULL)
		return err_set_errno(e, ERR_UNAUTHORIZED,
				     "cannot read the token file \"%s\"", path);
	got = fgets(line, sizeof(line), f);
	fclose(f);
	if (got == NULL)
		return err_set(e, ERR_UNAUTHORIZED,
			       "the token file \"%s\" is empty", path);
	line[strcspn(line, " \t\r\n")] = '\0';
	*out = arena_strdup(c->arena, line);
	return true;
}

/* A socket file may outlive its server: only one that answers counts. */
static bool socket_answers(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	bool ok;
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return false;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	ok = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
	close(fd);
	return ok;
}

static void find_url(struct cli *c, struct place *out)
{
	const char *dirs[2];
	size_t n = state_dirs(c, dirs);

	for (size_t i = 0; i < n; i++) {
		char *path =
			arena_printf(c->arena, "%s/%s", dirs[i], SOCKET_NAME);

		if (socket_answers(path)) {
			out->url = arena_printf(c->arena, "unix:%s", path);
			return;
		}
	}
	out->url = PLACE_DEFAULT_URL;
}

/* A token made for this machine's server is shown to no other. */
static const char *token_of(struct cli *c, const char *url, const char *name)
{
	struct err ignored = ERR_INIT;
	const char *dirs[2], *token = NULL;
	size_t n = state_dirs(c, dirs);

	if (!place_is_local(url))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (place_read_token(
			    c, arena_printf(c->arena, "%s/%s", dirs[i], name),
			    &token, &ignored))
			return token;
	return NULL;
}

const char *place_join_token(struct cli *c)
{
	return token_of(c, call_url(c), JOIN_TOKEN_NAME);
}

bool place_is_local(const char *url)
{
	const char *host, *end;
	size_t len;

	if (strncmp(url, "unix:", 5) == 0)
		return true;
	host = strstr(url, "://");
	if (host == NULL)
		return false;
	host += 3;
	if (strncmp(host, "[::1]", 5) == 0)
		return host[5] == '\0' || strchr(":/", host[5]) != NULL;
	end = host + strcspn(host, ":/");
	len = (size_t)(end - host);
	if (len == 9 && strncmp(host, "localhost", len) == 0)
		return true;
	return strncmp(host, "127.", 4) == 0 &&
	       strspn(host, "0123456789.") == len;
}

bool place_find(struct cli *c, struct place *out, struct err *e)
{
	const struct cli_settings *s = c->settings;

	*out = (struct place){ .url = s->url, .token = s->token };
	out->given = s->url != NULL && s->url[0] != '\0';
	if (!out->given)
		find_url(c, out);
	if (out->token != NULL && out->token[0] != '\0')
		return true;
	out->token = NULL;
	if (s->token_file != NULL && s->token_file[0] != '\0')
		return place_read_token(c, s->token_file, &out->token, e);
	out->token = token_of(c, out->url, TOKEN_NAME);
	return true;
}
