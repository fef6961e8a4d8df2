/* Shows on a terminal how far something long has come. */
#include "clients/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "clients/human.h"
#include "clients/table.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"

#define REDRAW_MS 100
#define BAR_MAX 40
#define BAR_MIN 10

struct progress {
	const char *label;
	int64_t total;
	int64_t begun_ms, drawn_ms;
	bool silent, drawn;
};

struct progress *progress_new(const char *label, int64_t total, bool quiet)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->label = label;
	p->total = total;
	p->begun_ms = clock_mono_ms();
	p->silent = quiet || !isatty(STDERR_FILENO);
	return p;
}

bool progress_shown(const struct progress *p)
{
	return !p->silent;
}

static void add_rate(const struct progress *p, struct buf *b, int64_t done,
		     int64_t now_ms)
{
	int64_t taken_ms = now_ms - p->begun_ms;

	if (taken_ms < REDRAW_MS)
		return;
	buf_adds(b, "  ");
	human_count(b, done * 1000 / taken_ms);
	buf_adds(b, "/s");
}

static void add_bar(struct buf *b, int64_t done, int64_t total, int width)
{
	int filled = (int)(done * width / total);

	buf_addc(b, '[');
	for (int i = 0; i < width; i++)
		buf_addc(b, i < filled ? '=' : i == filled ? '>' : ' ');
	buf_adds(b, "] ");
}

static void draw(struct progress *p, int64_t done, const char *note,
		 int64_t now_ms)
{
	struct buf line = BUF_INIT, tail = BUF_INIT;
	int width = table_terminal_width(STDERR_FILENO);
	int room;

	human_count(&tail, done);
	if (p->total > 0) {
		buf_adds(&tail, " of ");
		human_count(&tail, p->total);
	}
	if (note != NULL)
		buf_addf(&tail, "  %s", note);
	else
		add_rate(p, &tail, done, now_ms);
	buf_addf(&line, "%s ", p->label);
	room = width - (int)line.len - (int)tail.len - 4;
	if (p->total > 0 && room >= BAR_MIN)
		add_bar(&line, done < p->total ? done : p->total, p->total,
			room < BAR_MAX ? room : BAR_MAX);
	buf_adds(&line, buf_str(&tail));
	buf_reset(&tail);
	table_add_text(&tail, buf_str(&line), width > 1 ? width - 1 : 1);
	fprintf(stderr, "\r%s\x1b[K", buf_str(&tail));
	fflush(stderr);
	buf_fini(&line);
	buf_fini(&tail);
}

void progress_set(struct progress *p, int64_t done, const char *note)
{
	int64_t now_ms = clock_mono_ms();

	if (p->silent || (p->drawn && now_ms - p->drawn_ms < REDRAW_MS))
		return;
	draw(p, done, note, now_ms);
	p->drawn = true;
	p->drawn_ms = now_ms;
}

void progress_hide(struct progress *p)
{
	if (p == NULL || !p->drawn)
		return;
	fputs("\r\x1b[K", stderr);
	fflush(stderr);
	p->drawn = false;
}

void progress_free(struct progress *p)
{
	progress_hide(p);
	free(p);
}
