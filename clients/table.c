/* Lays out rows of cells in columns that fit the terminal: the one place that
 * knows how wide text is and what may be cut. */
#include "clients/table.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include "lib/utf8.h"

#define GAP 2
#define FLEX_MIN 8
#define FLEX_LEAST 3
#define WRAP_MIN 20 /* columns: narrower text is not broken */
#define HIDDEN (-1)
#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

struct table {
	struct arena *arena;
	const struct table_column *columns;
	size_t n_columns;
	const char **cells;
	size_t n_cells, cap_cells;
};

struct table *table_new(struct arena *a, const struct table_column *columns,
			size_t n)
{
	struct table *t = ARENA_NEW(a, struct table);

	t->arena = a;
	t->columns = columns;
	t->n_columns = n;
	return t;
}

static void add_cell(struct table *t, const char *text)
{
	if (t->n_cells == t->cap_cells) {
		size_t cap = t->cap_cells ? t->cap_cells * 2 : 64;
		const char **more = ARENA_ARRAY(t->arena, const char *, cap);

		if (t->n_cells > 0)
			memcpy(more, t->cells, t->n_cells * sizeof(*more));
		t->cells = more;
		t->cap_cells = cap;
	}
	t->cells[t->n_cells++] = text;
}

void table_cell(struct table *t, const char *text)
{
	add_cell(t, text ? arena_strdup(t->arena, text) : "-");
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_cell(t, arena_vprintf(t->arena, fmt, ap));
	va_end(ap);
}

static wchar_t code_point(const char *s, size_t len)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	wchar_t c = (unsigned char)s[0] & masks[len];

	for (size_t i = 1; i < len; i++)
		c = (c << 6) | ((unsigned char)s[i] & 0x3f);
	return c;
}

/* The next character as it is to be shown: *shown and its *len bytes; returns
 * its columns. *used bytes of s were read. */
static int next_char(const char *s, size_t left, const char **shown,
		     size_t *len, size_t *used)
{
	bool ok;
	wchar_t c;
	int width;

	*used = utf8_next(s, left, &ok);
	*shown = s;
	*len = *used;
	if (ok) {
		c = code_point(s, *used);
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) ||
		    (c >= 0x202a && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069)) {
			ok = false;
		} else {
			width = wcwidth(c);
			return width < 0 ? 1 : width;
		}
	}
	*shown = REPLACEMENT;
	*len = sizeof(REPLACEMENT) - 1;
	return 1;
}

int table_text_width(const char *text)
{
	size_t left = strlen(text);
	int width = 0;

	while (left > 0) {
		const char *shown;
		size_t len, used;

		width += next_char(text, left, &shown, &len, &used);
		text += used;
		left -= used;
	}
	return width;
}

int table_add_text(struct buf *b, const char *text, int width)
{
	size_t left = strlen(text);
	int room = table_text_width(text) <= width ? width : width - 1;
	bool cut = room < width;
	int column = 0;

	while (left > 0) {
		const char *shown;
		size_t len, used;
		int w = next_char(text, left, &shown, &len, &used);

		if (column + w > room)
			break;
		buf_add(b, shown, len);
		column += w;
		text += used;
		left -= used;
	}
	if (cut && width > 0) {
		buf_adds(b, ELLIPSIS);
		column++;
	}
	return column;
}

static int widest(const struct table *t, size_t column)
{
	int max = table_text_width(t->columns[column].head);

	for (size_t i = column; i < t->n_cells; i += t->n_columns) {
		int w = table_text_width(t->cells[i]);

		if (w > max)
			max = w;
	}
	return max;
}

/* Whether the column tells nothing: no cell has anything in it. */
static bool blank(const struct table *t, size_t column)
{
	for (size_t i = column; i < t->n_cells; i += t->n_columns)
		if (t->cells[i][0] != '\0' && strcmp(t->cells[i], "-") != 0)
			return false;
	return true;
}

/* Takes the excess from the widest flexible column, one column of the
 * terminal at a time, so that equals stay equal. Returns what is left. */
static int shrink(const struct table *t, int *widths, int excess, int least)
{
	while (excess > 0) {
		size_t pick = t->n_columns;

		for (size_t i = 0; i < t->n_columns; i++)
			if (t->columns[i].flexible && widths[i] > least &&
			    (pick == t->n_columns || widths[i] > widths[pick]))
				pick = i;
		if (pick == t->n_columns)
			break;
		widths[pick]--;
		excess--;
	}
	return excess;
}

/* Leaves out blank columns, the last one first, until the rest fits. */
static int hide(const struct table *t, int *widths, int excess)
{
	for (size_t i = t->n_columns; i-- > 0 && excess > 0;) {
		if (!blank(t, i))
			continue;
		excess -= widths[i] + GAP;
		widths[i] = HIDDEN;
	}
	return excess;
}

static void write_row(const struct table *t, struct buf *b, const int *widths,
		      int width, const char *const *cells)
{
	struct buf line = BUF_INIT;

	for (size_t i = 0; i < t->n_columns; i++) {
		int pad = widths[i] - table_text_width(cells[i]);

		if (widths[i] == HIDDEN)
			continue;
		if (line.len > 0)
			buf_addf(&line, "%*s", GAP, "");
		if (t->columns[i].right && pad > 0)
			buf_addf(&line, "%*s", pad, "");
		table_add_text(&line, cells[i], widths[i]);
		if (!t->columns[i].right && pad > 0)
			buf_addf(&line, "%*s", pad, "");
	}
	while (line.len > 0 && line.data[line.len - 1] == ' ')
		line.data[--line.len] = '\0';
	if (width > 0)
		table_add_text(b, buf_str(&line), width);
	else
		buf_add(b, buf_str(&line), line.len);
	buf_addc(b, '\n');
	buf_fini(&line);
}

void table_write(const struct table *t, struct buf *b, int width, bool head)
{
	int *widths = xcalloc(t->n_columns, sizeof(*widths));
	int excess = GAP * ((int)t->n_columns - 1) - width;

	for (size_t i = 0; i < t->n_columns; i++) {
		widths[i] = widest(t, i);
		excess += widths[i];
	}
	if (width > 0) {
		excess = shrink(t, widths, excess, FLEX_MIN);
		excess = hide(t, widths, excess);
		shrink(t, widths, excess, FLEX_LEAST);
	}
	if (head) {
		const char **names = xcalloc(t->n_columns, sizeof(*names));

		for (size_t i = 0; i < t->n_columns; i++)
			names[i] = t->columns[i].head;
		write_row(t, b, widths, width, names);
		free(names);
	}
	for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns)
		write_row(t, b, widths, width, t->cells + i);
	free(widths);
}

void table_wrap(struct buf *b, const char *text, int indent, int width)
{
	int at = indent;

	if (width < indent + WRAP_MIN)
		width = INT_MAX;
	while (*text != '\0') {
		size_t blanks = strspn(text, " ");
		size_t len = blanks + strcspn(text + blanks, " ");
		char *word = xstrndup(text, len);
		int columns = table_text_width(word);

		if (at > indent && columns > width - at) {
			buf_addf(b, "\n%*s", indent, "");
			at = indent + table_add_text(b, word + blanks, INT_MAX);
		} else {
			at += table_add_text(b, word, INT_MAX);
		}
		free(word);
		text += len;
	}
}

int table_terminal_width(int fd)
{
	struct winsize size;

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

void table_print(const struct table *t, bool head)
{
	struct buf b = BUF_INIT;

	table_write(t, &b, table_terminal_width(STDOUT_FILENO), head);
	fwrite(buf_str(&b), 1, b.len, stdout);
	buf_fini(&b);
}
