/* Writes what the table of options says, for --help and for the manual. */
#include "lib/opt.h"

#include <ctype.h>
#include <string.h>

#define HELP_COLUMN 28
#define NARROW_COLUMN 8
#define WIDTH_MIN 40

static bool is_shown(const struct opt *o)
{
	return (o->flags & OPT_HIDDEN) == 0;
}

static bool has_default(const struct opt *o)
{
	return o->def != NULL && o->def[0] != '\0' &&
	       (o->flags & OPT_SECRET) == 0;
}

/* A flag that is on unless told otherwise is shown as what one would write. */
static const char *prefix(const struct opt *o)
{
	bool on = o->kind == OPT_FLAG && o->def != NULL &&
		  strcmp(o->def, "true") == 0;

	return on ? "no-" : "";
}

static const char *arg_name(const struct opt *o)
{
	if (o->kind == OPT_FLAG)
		return NULL;
	return o->arg != NULL ? o->arg : "VALUE";
}

/* --help */

struct page {
	struct buf *b;
	size_t column; /* where text begins */
	size_t width;
	size_t at; /* columns used in this line */
};

static void page_break(struct page *p)
{
	buf_addc(p->b, '\n');
	p->at = 0;
}

static void page_word(struct page *p, const char *word, size_t len)
{
	if (p->at > p->column && p->at + 1 + len > p->width)
		page_break(p);
	if (p->at > p->column) {
		buf_addc(p->b, ' ');
		p->at++;
	}
	for (; p->at < p->column; p->at++)
		buf_addc(p->b, ' ');
	buf_add(p->b, word, len);
	p->at += len;
}

static void page_text(struct page *p, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " \n");

		if (len > 0)
			page_word(p, text, len);
		text += len;
		if (*text == '\n' && p->at > 0)
			page_break(p);
		if (*text != '\0')
			text++;
	}
}

static void help_head(struct page *p, const struct opt *o)
{
	size_t before = p->b->len;

	if (o->letter != '\0')
		buf_addf(p->b, "  -%c, ", o->letter);
	else
		buf_adds(p->b, "      ");
	buf_addf(p->b, "--%s%s", prefix(o), o->name);
	if (arg_name(o) != NULL)
		buf_addf(p->b, " %s", arg_name(o));
	p->at = p->b->len - before;
	if (p->at + 2 > p->column)
		page_break(p);
}

static void help_one(struct page *p, const struct opt *o)
{
	struct buf note = BUF_INIT;

	help_head(p, o);
	page_text(p, o->help != NULL ? o->help : "");
	if (has_default(o) && o->kind != OPT_FLAG)
		buf_addf(&note, "(default: %s", o->def);
	if (o->env != NULL)
		buf_addf(&note, "%senvironment: %s", note.len > 0 ? "; " : "(",
			 o->env);
	if (note.len > 0) {
		buf_addc(&note, ')');
		page_text(p, buf_str(&note));
	}
	buf_fini(&note);
	if (p->at > 0)
		page_break(p);
}

void opt_help(struct buf *b, const struct opt *opts, size_t n, int width)
{
	struct page p = { .b = b };

	p.width = width > WIDTH_MIN ? (size_t)width : WIDTH_MIN;
	p.column = p.width > 2 * HELP_COLUMN ? HELP_COLUMN : NARROW_COLUMN;
	for (size_t i = 0; i < n; i++) {
		if (is_shown(&opts[i]))
			help_one(&p, &opts[i]);
	}
}

/* The manual */

/* Sentences begin lines in a manual's source. */
static bool mdoc_sentence(const char *before)
{
	return before[0] == '.' && before[1] == ' ' &&
	       isupper((unsigned char)before[2]);
}

/* roff takes a backslash anywhere, and a dot or quote that begins a line, for
 * its own. */
static void mdoc_text(struct buf *b, const char *text)
{
	bool begins = true;

	for (; *text != '\0'; text++) {
		if (begins && *text == '\n')
			continue;
		if (begins && (*text == '.' || *text == '\''))
			buf_adds(b, "\\&");
		begins = *text == '\n';
		if (*text == '\\') {
			buf_adds(b, "\\e");
		} else if (begins) {
			buf_adds(b, "\n.Pp\n");
		} else if (mdoc_sentence(text)) {
			buf_adds(b, ".\n");
			text++;
		} else {
			buf_addc(b, *text);
		}
	}
	if (!begins)
		buf_addc(b, '\n');
}

static void mdoc_one(struct buf *b, const struct opt *o)
{
	buf_adds(b, ".It ");
	if (o->letter != '\0')
		buf_addf(b, "Fl %c , ", o->letter);
	buf_addf(b, "Fl -%s%s", prefix(o), o->name);
	if (arg_name(o) != NULL)
		buf_addf(b, " Ar %s", arg_name(o));
	buf_addc(b, '\n');
	mdoc_text(b, o->help != NULL ? o->help : "");
	if (has_default(o) && o->kind != OPT_FLAG) {
		buf_adds(b, "The default is \\(lq");
		for (const char *s = o->def; *s != '\0'; s++) {
			if (*s == '\\')
				buf_adds(b, "\\e");
			else
				buf_addc(b, *s);
		}
		buf_adds(b, "\\(rq.\n");
	}
	if (o->env != NULL)
		buf_addf(b,
			 "The environment variable\n.Ev %s\n"
			 "does the same.\n",
			 o->env);
}

void opt_mdoc(struct buf *b, const struct opt *opts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_shown(&opts[i]))
			mdoc_one(b, &opts[i]);
	}
}
