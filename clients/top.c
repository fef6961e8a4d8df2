/* `sortie top`: what goes on, on a screen that renews itself. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/list.h"
#include "clients/table.h"
#include "clients/top.h"
#include "lib/clock.h"

#define PATH "/api/v1/top"
/* Other screen, no cursor; and back. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define TITLE_LINES 2

struct top_opts {
	struct cli_settings common;
	int64_t interval_s;
	bool once;
};

struct top {
	struct cli *c;
	bool keys; /* standard input is a terminal */
	struct termios before;
	struct arena *arena;     /* of the answer */
	struct json_object *doc; /* the last good answer */
	struct err e;            /* why there is no newer one */
	bool away;
};

static volatile sig_atomic_t end_signal, stop_asked, resized;

static void on_signal(int sig)
{
	if (sig == SIGWINCH || sig == SIGCONT)
		resized = 1;
	else if (sig == SIGTSTP)
		stop_asked = 1;
	else
		end_signal = sig;
}

static const int caught[] = { SIGINT,   SIGTERM, SIGHUP, SIGQUIT,
			      SIGWINCH, SIGTSTP, SIGCONT };

/* They come only while the program waits; *waiting is the mask for that. */
static void catch_signals(sigset_t *waiting)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&sa.sa_mask);
	sigemptyset(&set);
	for (size_t i = 0; i < CLI_N(caught); i++) {
		sigaction(caught[i], &sa, NULL);
		sigaddset(&set, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &set, waiting);
	for (size_t i = 0; i < CLI_N(caught); i++)
		sigdelset(waiting, caught[i]);
}

static void put(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR) {
			end_signal = SIGHUP;
			return;
		}
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

static void screen_enter(struct top *t)
{
	struct termios raw;

	t->keys = tcgetattr(STDIN_FILENO, &t->before) == 0;
	if (t->keys) {
		raw = t->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	put(ENTER, strlen(ENTER));
}

static void screen_leave(struct top *t)
{
	put(LEAVE, strlen(LEAVE));
	if (t->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
}

static bool fetch(struct top *t, struct call_answer *answer)
{
	struct call_request r = { .method = "GET", .path = PATH, .once = true };
	struct arena *a = arena_new();

	if (!call_send(t->c, a, &r, answer, &t->e)) {
		arena_free(a);
		t->away = true;
		return false;
	}
	t->away = false;
	arena_free(t->arena);
	t->arena = a;
	t->doc = answer->doc;
	return true;
}

static void add_title(const struct top *t, int width, struct buf *out)
{
	const struct top_opts *o = CLI_OPTS(t->c, struct top_opts);
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct buf b = BUF_INIT;
	char at[16] = "";
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		strftime(at, sizeof(at), "%H:%M:%S", &tm);
	if (t->away)
		buf_addf(&b, "%s  no answer: %s", at, t->e.text);
	else
		buf_addf(&b, "%s  %s  every %" PRId64 " s, q ends", at,
			 call_url(t->c), o->interval_s);
	table_add_text(out, buf_str(&b), width);
	buf_adds(out, "\n\n");
	buf_fini(&b);
}

/* Line by line over what stood there: wiping it first would flicker. */
static void draw(struct top *t)
{
	struct winsize w = { 0 };
	struct buf text = BUF_INIT, out = BUF_INIT;
	struct arena *a = arena_new();
	int width, height;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0)
		w.ws_row = 0;
	width = w.ws_col > 0 ? w.ws_col : 80;
	height = w.ws_row > 0 ? w.ws_row : 24;
	add_title(t, width, &text);
	if (t->doc != NULL && json_type(t->doc) == JSON_OBJECT)
		top_layout(a, t->doc, width,
			   height > TITLE_LINES + 1 ? height - TITLE_LINES : 1,
			   &text);
	buf_adds(&out, "\033[H");
	for (const char *p = buf_str(&text); *p != '\0' && height > 0;
	     height--) {
		size_t len = strcspn(p, "\n");

		buf_add(&out, p, len);
		p += len + (p[len] != '\0');
		/* The last line must not scroll the rest away. */
		buf_adds(&out, "\033[K");
		if (*p != '\0' && height > 1)
			buf_addc(&out, '\n');
	}
	buf_adds(&out, "\033[J");
	put(out.data, out.len);
	buf_fini(&out);
	buf_fini(&text);
	arena_free(a);
}

static void suspend(struct top *t)
{
	stop_asked = 0;
	screen_leave(t);
	raise(SIGSTOP);
	screen_enter(t);
	resized = 1;
}

static bool key_ends(struct top *t)
{
	char key[64];
	ssize_t n = read(STDIN_FILENO, key, sizeof(key));

	if (n <= 0)
		t->keys = false;
	for (ssize_t i = 0; i < n; i++)
		if (key[i] == 'q' || key[i] == 'Q')
			return true;
	return false;
}

/* Until the next look is due; false when it is to end. */
static bool rest(struct top *t, int64_t until_ms, const sigset_t *waiting)
{
	int64_t left;

	while (end_signal == 0 && (left = until_ms - clock_mono_ms()) > 0) {
		struct timespec ts = { left / 1000, left % 1000 * 1000000 };
		struct pollfd in = { .fd = t->keys ? STDIN_FILENO : -1,
				     .events = POLLIN };
		int n = ppoll(&in, 1, &ts, waiting);

		if (stop_asked)
			suspend(t);
		if (resized) {
			resized = 0;
			draw(t);
		}
		if (n > 0 && key_ends(t))
			return false;
	}
	return end_signal == 0;
}

static int live(struct top *t)
{
	const struct top_opts *o = CLI_OPTS(t->c, struct top_opts);
	struct call_answer answer;
	sigset_t waiting;
	int64_t due_ms;

	/* What is wrong from the start is told without a screen. */
	if (!fetch(t, &answer))
		return cli_fail(t->c, &t->e);
	catch_signals(&waiting);
	screen_enter(t);
	do {
		due_ms = clock_mono_ms() + o->interval_s * 1000;
		draw(t);
		if (!rest(t, due_ms, &waiting))
			break;
		(void)fetch(t, &answer);
	} while (end_signal == 0);
	screen_leave(t);
	return end_signal == 0 ? CLI_OK : CLI_SIGNAL + (int)end_signal;
}

/* One object a line, for programs that draw curves. */
static int stream(struct top *t, bool once)
{
	const struct top_opts *o = CLI_OPTS(t->c, struct top_opts);
	struct call_answer answer;
	int64_t due_ms = clock_mono_ms();

	do {
		struct buf b = BUF_INIT;

		if (!fetch(t, &answer))
			return cli_fail(t->c, &t->e);
		json_write(&b, t->doc);
		buf_addc(&b, '\n');
		put(b.data, b.len);
		buf_fini(&b);
		due_ms += o->interval_s * 1000;
		while (!once && clock_mono_ms() < due_ms)
			(void)poll(NULL, 0, (int)(due_ms - clock_mono_ms()));
	} while (!once && end_signal == 0);
	return CLI_OK;
}

static int single(struct top *t)
{
	struct call_answer answer;
	struct buf b = BUF_INIT;

	if (!call_get(t->c, t->c->arena, PATH, &answer, &t->e))
		return cli_fail(t->c, &t->e);
	if (t->c->settings->json) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	top_layout(t->c->arena, answer.doc, table_terminal_width(STDOUT_FILENO),
		   0, &b);
	fputs(buf_str(&b), stdout);
	buf_fini(&b);
	return CLI_OK;
}

static int run(struct cli *c)
{
	const struct top_opts *o = CLI_OPTS(c, struct top_opts);
	struct top t = { .c = c, .e = ERR_INIT };
	int status;

	if (c->settings->ndjson)
		status = stream(&t, o->once);
	else if (o->once || c->settings->json || !isatty(STDOUT_FILENO))
		status = single(&t);
	else
		status = live(&t);
	arena_free(t.arena);
	return status;
}

#define AT(field) offsetof(struct top_opts, field)

static const struct opt opts[] = {
	{ "interval", 'i', OPT_SECONDS, AT(interval_s), 0, 1, 3600, "2", NULL,
	  "TIME", "Look again this often." },
	{ "once", '1', OPT_FLAG, AT(once), 0, 0, 0, NULL, NULL, NULL,
	  "Look once, print all of it and end; this is also what happens when "
	  "standard output is no terminal." },
};

#undef AT

const struct cli_command command_top = {
	.path = "top",
	.brief = "watch queue, pilots, rates and failures",
	.text = "Jobs by type and by priority, pilots by site, rates of the "
		"last one to two minutes, and the last failures, on a screen "
		"that renews itself until q is typed. It shows as much of each "
		"as fits. In a long queue counts by priority are estimates "
		"from a sample; they begin with ~. With --json one look, with "
		"--ndjson one a line until interrupted.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct top_opts),
	.run = run,
};
