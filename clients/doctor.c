/* `sortie doctor`: looks at all that must be right for jobs to run, and says
 * of each what to do when it is not. */
#include "clients/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include "clients/commands.h"
#include "clients/table.h"

static const char *const levels[] = { "ok", "warn", "fail" };

void doctor_tell(struct doctor *d, enum doctor_level level, const char *what,
		 const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(d->c->arena, fmt, ap);
	va_end(ap);
	d->n[level]++;
	if (d->c->settings->json || d->c->settings->ndjson) {
		buf_json_comma(&d->json);
		buf_addc(&d->json, '{');
		buf_json_kv_str(&d->json, "level", levels[level]);
		buf_json_kv_str(&d->json, "what", what);
		buf_json_kv_str(&d->json, "text", text);
		buf_addc(&d->json, '}');
	} else if (!d->c->settings->quiet || level != DOCTOR_OK) {
		struct buf b = BUF_INIT;

		table_wrap(&b, text, 18, table_terminal_width(STDOUT_FILENO));
		printf("%-4s  %-10s  %s\n", levels[level], what, buf_str(&b));
		buf_fini(&b);
	}
}

static int run(struct cli *c)
{
	struct doctor d = { .c = c };

	buf_adds(&d.json, "{\"findings\":[");
	doctor_tell(&d, DOCTOR_OK, "sortie", "version %s", PACKAGE_VERSION);
	doctor_machine(&d);
	doctor_server(&d);
	buf_adds(&d.json, "]}");
	if (c->settings->json || c->settings->ndjson)
		printf("%s\n", buf_str(&d.json));
	buf_fini(&d.json);
	cli_say(c, "%s",
		d.n[DOCTOR_FAIL] > 0
			? "something must be mended before jobs can run"
		: d.n[DOCTOR_WARN] > 0 ? "jobs can run; see the warnings"
				       : "all is well");
	return d.n[DOCTOR_FAIL] > 0 ? CLI_FAILED : CLI_OK;
}

const struct cli_command command_doctor = {
	.path = "doctor",
	.brief = "look at all that must be right for jobs to run",
	.text = "Libraries, configuration, server, token, clock, pilots, "
		"cgroups, disk: a line each, ok, warn or fail, with what to "
		"do. With -q only what is not ok. Exit status 1 when "
		"something fails.",
	.run = run,
};
