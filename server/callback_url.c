/* Which addresses a callback may have. */
#include <string.h>
#include <strings.h>
#include "lib/json.h"
#include "server/callback.h"

#define URL_MAX 2000
#define URLS_MAX 10

/* What may stand in a URL: no blank, no control character. */
static bool text_ok(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f || *s == '\\')
			return false;
	return true;
}

const char *callback_host(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	if (strncasecmp(url, "https://", 8) == 0)
		return url + 8;
	return NULL;
}

static bool url_ok(struct json_object *v, struct err *e)
{
	const char *url = json_type(v) == JSON_STR ? json_str(v) : "";
	const char *host = callback_host(url);
	size_t len = host == NULL ? 0 : strcspn(host, "/?#");

	if (len > 0 && strlen(url) <= URL_MAX && text_ok(url) &&
	    memchr(host, '@', len) == NULL && strchr(url, '#') == NULL)
		return true;
	return err_set(e, ERR_BAD_REQUEST,
		       "the key \"callback\" must have addresses like "
		       "https://host/path, not \"%.100s\"",
		       url);
}

bool callback_ok(struct json_object *v, struct err *e)
{
	if (json_type(v) != JSON_ARRAY)
		return url_ok(v, e);
	if (json_len(v) > URLS_MAX)
		return err_set(e, ERR_BAD_REQUEST,
			       "the key \"callback\" has more than %d "
			       "addresses",
			       URLS_MAX);
	for (size_t i = 0; i < json_len(v); i++)
		if (!url_ok(json_at(v, i), e))
			return false;
	return true;
}
