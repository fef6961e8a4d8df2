/* What the benchmark programs share. */
#include "tests/bench/bench.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

static void option_set(const struct bench_option *o, const char *value)
{
	char *end;

	if (o->text) {
		*o->text = value;
		return;
	}
	*o->number = strtoll(value, &end, 10);
	if (end == value || *end || *o->number < 0)
		errx(2, "--%s: \"%s\" is not a number", o->name, value);
}

void bench_options(int argc, char **argv, const struct bench_option *options)
{
	for (int i = 1; i < argc; i += 2) {
		const struct bench_option *o = options;

		while (o->name && (strncmp(argv[i], "--", 2) != 0 ||
				   strcmp(argv[i] + 2, o->name) != 0))
			o++;
		if (!o->name)
			errx(2, "there is no option \"%s\"", argv[i]);
		if (i + 1 == argc)
			errx(2, "\"%s\" needs a value", argv[i]);
		option_set(o, argv[i + 1]);
	}
	for (const struct bench_option *o = options; o->name; o++)
		if (o->text && !*o->text)
			errx(2, "--%s is missing", o->name);
}

char *bench_token(const char *file)
{
	char *token = NULL;
	FILE *f = fopen(file, "re");

	if (!f || fscanf(f, "%ms", &token) != 1)
		err(1, "cannot read a token from \"%s\"", file);
	fclose(f);
	return token;
}

void bench_print(const char *name, double value)
{
	printf("%s %.*f\n", name, value < 100 ? 3 : 0, value);
}

void samples_add(struct samples *s, int64_t us)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 1024;
		s->us = xrealloc(s->us, s->cap * sizeof(*s->us));
	}
	s->us[s->n++] = us;
}

static int by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int64_t samples_quantile(struct samples *s, double q)
{
	size_t i;

	if (s->n == 0)
		errx(1, "there are no samples");
	qsort(s->us, s->n, sizeof(*s->us), by_time);
	i = (size_t)(q * (double)s->n);
	return s->us[i < s->n ? i : s->n - 1];
}

void samples_fini(struct samples *s)
{
	free(s->us);
	*s = (struct samples){ 0 };
}

static void print_one(struct samples *s, const char *prefix, const char *what,
		      double q)
{
	char *name = xasprintf("%s_%s_ms", prefix, what);

	printf("%s %.3f\n", name, (double)samples_quantile(s, q) / 1000.0);
	free(name);
}

void samples_print(struct samples *s, const char *prefix)
{
	print_one(s, prefix, "p50", 0.5);
	print_one(s, prefix, "p99", 0.99);
	print_one(s, prefix, "max", 1.0);
}
