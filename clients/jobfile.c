/*
 * Cuts a job file into its jobs while it is being read.  Only brackets,
 * quotes and the commas between jobs are looked at here; each job's text is
 * then checked and parsed by lib/json, whose strictness decides.
 */
#include "clients/jobfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READ_LEN (256 * 1024)
/* A job is a request's body at most. */
#define JOB_MAX (1024 * 1024)

enum expect {
	EXPECT_START,   /* nothing but blanks so far */
	EXPECT_FIRST,   /* behind '[': a job or ']' */
	EXPECT_JOB,     /* behind ',': a job */
	EXPECT_COMMA,   /* behind a job of a list: ',' or ']' */
	EXPECT_MORE,    /* objects one after the other */
	EXPECT_NOTHING, /* behind the list */
	EXPECT_OTHER    /* neither list nor object: to be refused */
};

struct jobfile {
	const char *source;
	jobfile_fn *fn;
	void *arg;
	struct arena *arena; /* one job at a time */
	enum expect expect;
	struct buf text; /* of the job that has begun */
	int depth;
	bool in_job, in_string, escaped;
	int64_t line, column; /* of the next byte; bytes, from 1 */
	int64_t job_line, job_column;
	int64_t n; /* jobs so far */
};

static bool fault(const struct jobfile *f, struct err *e, const char *what)
{
	return err_set(e, ERR_BAD_REQUEST,
		       "%s: line %" PRId64 ", column %" PRId64 ": %s",
		       f->source, f->line, f->column, what);
}

/* The check again on text that begins where the job does, so that the message
 * names line and column of the file. */
static bool fault_in_job(const struct jobfile *f, struct err *e)
{
	struct buf b = BUF_INIT;

	for (int64_t i = 1; i < f->job_line; i++)
		buf_addc(&b, '\n');
	for (int64_t i = 1; i < f->job_column; i++)
		buf_addc(&b, ' ');
	buf_add(&b, f->text.data, f->text.len);
	if (json_check(buf_str(&b), b.len, e))
		err_set(e, ERR_BAD_REQUEST, "the text was refused");
	buf_fini(&b);
	if (f->expect == EXPECT_OTHER)
		return err_prefix(e, "%s", f->source);
	return err_prefix(e, "%s: job %" PRId64, f->source, f->n);
}

static bool end_job(struct jobfile *f, struct err *e)
{
	struct jobfile_job job = { .text = buf_str(&f->text),
				   .len = f->text.len };
	bool ok;

	f->n++;
	f->in_job = false;
	if (!json_parse(f->arena, job.text, job.len, &job.object, e))
		return fault_in_job(f, e);
	job.where = arena_printf(f->arena, "%s: job %" PRId64, f->source, f->n);
	if (json_type(job.object) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s is %s: a job is an "
			       "object, {…}",
			       job.where,
			       json_type_name(json_type(job.object)));
	ok = f->fn(f->arena, &job, f->arg, e);
	arena_reset(f->arena);
	buf_reset(&f->text);
	return ok;
}

static void begin_job(struct jobfile *f)
{
	f->in_job = true;
	f->in_string = f->escaped = false;
	f->depth = 0;
	f->job_line = f->line;
	f->job_column = f->column;
	buf_reset(&f->text);
}

/* What a byte between jobs means. *take: it belongs to a job. */
static bool between(struct jobfile *f, char ch, bool *take, struct err *e)
{
	*take = false;
	if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n')
		return true;
	switch (f->expect) {
	case EXPECT_START:
		if (ch == '[') {
			f->expect = EXPECT_FIRST;
			return true;
		}
		f->expect = ch == '{' ? EXPECT_MORE : EXPECT_OTHER;
		break;
	case EXPECT_FIRST:
		if (ch == ']') {
			f->expect = EXPECT_NOTHING;
			return true;
		}
		f->expect = EXPECT_COMMA;
		break;
	case EXPECT_JOB:
		if (ch == ']')
			return fault(f, e, "a comma without a job behind it");
		f->expect = EXPECT_COMMA;
		break;
	case EXPECT_COMMA:
		if (ch != ',' && ch != ']')
			return fault(f, e,
				     "between two jobs of a list there "
				     "must be a comma");
		f->expect = ch == ',' ? EXPECT_JOB : EXPECT_NOTHING;
		return true;
	case EXPECT_MORE:
		if (ch == ',')
			return fault(f, e,
				     "a comma outside a list: jobs "
				     "with commas between them need [ ] "
				     "around them");
		break;
	case EXPECT_NOTHING:
		return fault(f, e, "text behind the end of the list");
	case EXPECT_OTHER:
		break;
	}
	if (ch == ',' || ch == ']')
		return fault(f, e, "a job is missing");
	begin_job(f);
	*take = true;
	return true;
}

/* A byte inside a job. *ends: the job ends before it, or with it (*take). */
static void inside(struct jobfile *f, char ch, bool *take, bool *ends)
{
	*take = true;
	*ends = false;
	if (f->in_string) {
		if (f->escaped)
			f->escaped = false;
		else if (ch == '\\')
			f->escaped = true;
		else if (ch == '"') {
			f->in_string = false;
			*ends = f->depth == 0;
		}
		return;
	}
	switch (ch) {
	case '"':
		f->in_string = true;
		break;
	case '{':
	case '[':
		f->depth++;
		break;
	case '}':
	case ']':
		if (f->depth == 0) {
			*take = false;
			*ends = true;
		} else {
			*ends = --f->depth == 0;
		}
		break;
	case ',':
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		if (f->depth == 0) {
			*take = false;
			*ends = true;
		}
		break;
	default:
		break;
	}
}

static void advance(struct jobfile *f, char ch)
{
	if (ch == '\n') {
		f->line++;
		f->column = 1;
	} else {
		f->column++;
	}
}

/* The longest run of bytes of a job that cannot change the state. */
static size_t plain(const struct jobfile *f, const char *p, size_t len)
{
	size_t n = 0;

	if (!f->in_job || f->escaped || f->expect == EXPECT_OTHER)
		return 0;
	if (f->in_string) {
		while (n < len && p[n] != '"' && p[n] != '\\' && p[n] != '\n')
			n++;
		return n;
	}
	if (f->depth == 0)
		return 0;
	while (n < len && strchr("\"{}[]\n", p[n]) == NULL && p[n] != '\0')
		n++;
	return n;
}

static bool feed_byte(struct jobfile *f, char ch, struct err *e)
{
	bool take = true, ends = false;

	if (!f->in_job && !between(f, ch, &take, e))
		return false;
	/* Without the brackets of a list or an object there is no telling
	 * where jobs end: all of it is one text, for one message. */
	if (f->in_job && f->expect != EXPECT_OTHER)
		inside(f, ch, &take, &ends);
	if (take)
		buf_addc(&f->text, ch);
	if (ends && !end_job(f, e))
		return false;
	if (ends && !take) {
		bool again;

		if (!between(f, ch, &again, e))
			return false;
	}
	advance(f, ch);
	return true;
}

static bool too_large(const struct jobfile *f, struct err *e)
{
	if (f->expect == EXPECT_OTHER)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s is no job file: it begins with neither '[' "
			       "nor '{'",
			       f->source);
	return err_set(e, ERR_TOO_LARGE,
		       "%s: job %" PRId64 " (line %" PRId64 ") is larger than "
		       "1 MiB: hand large input over as a file (--send)",
		       f->source, f->n + 1, f->job_line);
}

static bool feed(struct jobfile *f, const char *p, size_t len, struct err *e)
{
	while (len > 0) {
		size_t n = plain(f, p, len);

		if (n > 0) {
			buf_add(&f->text, p, n);
			f->column += (int64_t)n;
		} else {
			if (!feed_byte(f, *p, e))
				return false;
			n = 1;
		}
		p += n;
		len -= n;
		if (f->text.len > JOB_MAX)
			return too_large(f, e);
	}
	return true;
}

static bool refuse_other(struct jobfile *f, struct err *e)
{
	struct json_object *o;

	if (!json_parse(f->arena, buf_str(&f->text), f->text.len, &o, e))
		return fault_in_job(f, e);
	return err_set(e, ERR_BAD_REQUEST,
		       "%s is %s: a job file is a list of "
		       "jobs, [{…}, …], or one job, {…}",
		       f->source, json_type_name(json_type(o)));
}

static bool end_text(struct jobfile *f, struct err *e)
{
	switch (f->expect) {
	case EXPECT_OTHER:
		return refuse_other(f, e);
	case EXPECT_START:
		return err_set(e, ERR_BAD_REQUEST, "%s is empty", f->source);
	case EXPECT_MORE:
	case EXPECT_NOTHING:
		break;
	default:
		if (!f->in_job)
			return fault(f, e,
				     "the list does not end: ']' is "
				     "missing");
	}
	if (f->in_job) {
		f->n++;
		return fault_in_job(f, e);
	}
	if (f->n == 0)
		return err_set(e, ERR_BAD_REQUEST, "%s holds no jobs",
			       f->source);
	return true;
}

static void init(struct jobfile *f, const char *source, jobfile_fn *fn,
		 void *arg)
{
	*f = (struct jobfile){
		.source = source,
		.fn = fn,
		.arg = arg,
		.arena = arena_new(),
		.line = 1,
		.column = 1,
	};
}

static void fini(struct jobfile *f)
{
	buf_fini(&f->text);
	arena_free(f->arena);
}

bool jobfile_read_text(const char *source, const char *text, size_t len,
		       jobfile_fn *fn, void *arg, struct err *e)
{
	struct jobfile f;
	bool ok;

	init(&f, source, fn, arg);
	ok = feed(&f, text, len, e) && end_text(&f, e);
	fini(&f);
	return ok;
}

static bool read_all(struct jobfile *f, int fd, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = true;

	buf_reserve(&b, READ_LEN);
	while (ok) {
		ssize_t n = read(fd, b.data, READ_LEN);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ok = err_set_errno(e, ERR_IO, "cannot read \"%s\"",
					   f->source);
		if (n <= 0)
			break;
		ok = feed(f, b.data, (size_t)n, e);
	}
	buf_fini(&b);
	return ok && end_text(f, e);
}

bool jobfile_read(const char *path, jobfile_fn *fn, void *arg, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct jobfile f;
	bool ok;

	if (fd < 0)
		return err_set_errno(e, ERR_IO, "cannot open \"%s\"", path);
	init(&f, is_stdin ? "standard input" : path, fn, arg);
	ok = read_all(&f, fd, e);
	fini(&f);
	if (!is_stdin)
		close(fd);
	return ok;
}
