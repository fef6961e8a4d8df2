/*
 * What the benchmark programs share: options, tokens, samples and the form of
 * what they print, which is lines of "name value" on standard output.
 */
#ifndef SORTIE_TESTS_BENCH_BENCH_H
#define SORTIE_TESTS_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* One option: --name VALUE, into exactly one of text and number. */
struct bench_option {
	const char *name;
	const char **text;
	int64_t *number;
};

/* Ends the program with a sentence when it does not understand. The last
 * element of options has name NULL. */
void bench_options(int argc, char **argv, const struct bench_option *options);
/* The first word of a file. The caller frees. */
char *bench_token(const char *file);
/* A whole number, or one with digits behind the point. */
void bench_print(const char *name, double value);

/* Times that belong together. Zeroed is empty. */
struct samples {
	int64_t *us;
	size_t n, cap;
};

void samples_add(struct samples *s, int64_t us);
/* The smallest sample that q (0 to 1) of all do not exceed, in
 * microseconds. Sorts. */
int64_t samples_quantile(struct samples *s, double q);
void samples_fini(struct samples *s);
/* prefix_p50_ms, prefix_p99_ms, prefix_max_ms. */
void samples_print(struct samples *s, const char *prefix);

#endif
