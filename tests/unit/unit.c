/*
 * Runs a program's unit tests through CUnit and reports them as TAP, because
 * CUnit's own reports abort on quotes and do not count tests that never ran.
 */
#include "tests/unit/unit.h"

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/arena.h"
#include "lib/buf.h"

static const char *module_name;
static unsigned n_done;
static unsigned n_failed;
static struct arena *memory; /* paths, until the program ends */
static char *folder;
static unsigned n_files;

_Noreturn static void give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(99);
}

/* Tests and temporary files */

static void on_complete(const CU_pTest test, const CU_pSuite suite,
			const CU_pFailureRecord first)
{
	(void)suite;
	n_done++;
	for (CU_pFailureRecord f = first; f != NULL; f = f->pNext)
		printf("# %s:%u: %s\n", f->strFileName, f->uiLineNumber,
		       f->strCondition);
	if (first != NULL)
		n_failed++;
	printf("%s %u - %s: %s\n", first ? "not ok" : "ok", n_done, module_name,
	       test->pName);
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void clean_up(void)
{
	if (folder != NULL)
		nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(memory);
	CU_cleanup_registry();
}

static void register_tests(const struct unit_test *tests, size_t n)
{
	CU_pSuite suite;

	if (CU_initialize_registry() != CUE_SUCCESS)
		give_up("cannot start CUnit");
	suite = CU_add_suite(module_name, NULL, NULL);
	if (suite == NULL)
		give_up("cannot add the suite");
	for (size_t i = 0; i < n; i++) {
		CU_add_test(suite, tests[i].name, tests[i].run);
		if (CU_get_error() != CUE_SUCCESS) {
			printf("Bail out! test \"%s\": %s\n", tests[i].name,
			       CU_get_error_msg());
			exit(99);
		}
	}
}

int unit_main(const char *module, const struct unit_test *tests, size_t n)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	module_name = module;
	memory = arena_new();
	register_tests(tests, n);
	printf("1..%zu\n", n);
	CU_set_test_complete_handler(on_complete);
	CU_run_all_tests();
	clean_up();
	if (n_done != n)
		printf("# %zu tests planned, %u run\n", n, n_done);
	return n_done == n && n_failed == 0 ? 0 : 1;
}

const char *unit_path(const char *name)
{
	const char *base = getenv("TMPDIR");

	if (folder == NULL) {
		folder = arena_printf(memory, "%s/sortie-unit-XXXXXX",
				      base != NULL ? base : P_tmpdir);
		if (mkdtemp(folder) == NULL)
			give_up("cannot make a temporary folder");
	}
	return arena_printf(memory, "%s/%s", folder, name);
}

const char *unit_file(const char *content, size_t len)
{
	char name[32];
	const char *path;
	int fd;

	snprintf(name, sizeof(name), "file%u", ++n_files);
	path = unit_path(name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, content, len) != (ssize_t)len)
		give_up("cannot write a temporary file");
	close(fd);
	return path;
}

char *unit_slurp(const char *path)
{
	struct buf b = BUF_INIT;
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		give_up("cannot read a file");
	do {
		buf_reserve(&b, 4096);
		n = fread(b.data + b.len, 1, 4096, f);
		b.len += n;
		b.data[b.len] = '\0';
	} while (n > 0);
	fclose(f);
	return buf_take(&b);
}

/* Checks */

static bool report(bool pass, const char *file, int line, const char *text)
{
	CU_assertImplementation(pass, (unsigned)line, text, file, "", CU_FALSE);
	return pass;
}

static bool check(bool pass, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static bool check(bool pass, const char *file, int line, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (pass)
		return report(true, file, line, "");
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return report(false, file, line, text);
}

/* Quoted, so that a diagnostic stays on its line. */
static const char *shown(char *out, size_t cap, const char *s)
{
	struct buf b = BUF_INIT;

	buf_json_str(&b, s);
	snprintf(out, cap, "%s", buf_str(&b));
	buf_fini(&b);
	return out;
}

bool unit_true(const char *file, int line, const char *expr, bool got,
	       bool want)
{
	return check(got == want, file, line, "%s is %s", expr,
		     got ? "true" : "false");
}

bool unit_int(const char *file, int line, const char *expr, int64_t got,
	      int64_t want)
{
	return check(got == want, file, line, "%s is %" PRId64 ", not %" PRId64,
		     expr, got, want);
}

bool unit_uint(const char *file, int line, const char *expr, uint64_t got,
	       uint64_t want)
{
	return check(got == want, file, line, "%s is %" PRIu64 ", not %" PRIu64,
		     expr, got, want);
}

bool unit_str(const char *file, int line, const char *expr, const char *got,
	      const char *want)
{
	char g[900], w[900];
	bool pass = got == want ||
		    (got != NULL && want != NULL && strcmp(got, want) == 0);

	if (pass)
		return report(true, file, line, "");
	return check(false, file, line, "%s is %s, not %s", expr,
		     shown(g, sizeof(g), got), shown(w, sizeof(w), want));
}

bool unit_mem(const char *file, int line, const char *expr, const void *got,
	      const void *want, size_t len)
{
	const unsigned char *g = got, *w = want;
	size_t i = 0;

	while (i < len && g[i] == w[i])
		i++;
	if (i == len)
		return report(true, file, line, "");
	return check(false, file, line, "%s: byte %zu of %zu is %02x, not %02x",
		     expr, i, len, g[i], w[i]);
}

bool unit_contains(const char *file, int line, const char *expr,
		   const char *text, const char *part)
{
	char t[900], p[900];

	if (text != NULL && strstr(text, part) != NULL)
		return report(true, file, line, "");
	return check(false, file, line, "%s is %s, without %s", expr,
		     shown(t, sizeof(t), text), shown(p, sizeof(p), part));
}

bool unit_null(const char *file, int line, const char *expr, const void *p,
	       bool want)
{
	return check((p == NULL) == want, file, line, "%s is %sNULL", expr,
		     want ? "not " : "");
}

bool unit_ok(const char *file, int line, const char *expr, bool got,
	     const struct err *e)
{
	return check(got, file, line, "%s failed: %s: %s", expr,
		     err_name(e->code), e->text);
}

bool unit_err(const char *file, int line, const struct err *e,
	      enum err_code want, const char *part)
{
	char t[900], p[900];

	if (e->code == want && strstr(e->text, part) != NULL)
		return report(true, file, line, "");
	return check(false, file, line, "the error is %s %s, not %s with %s",
		     err_name(e->code), shown(t, sizeof(t), e->text),
		     err_name(want), shown(p, sizeof(p), part));
}

_Noreturn void unit_require(const char *file, int line, const char *expr)
{
	char text[512];

	snprintf(text, sizeof(text), "%s is false: test ended", expr);
	CU_assertImplementation(CU_FALSE, (unsigned)line, text, file, "",
				CU_TRUE);
	abort();
}

/* A child that is expected to die */

_Noreturn static void be_the_child(void (*fn)(void *arg), void *arg, int fd)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGABRT, SIG_DFL);
	dup2(fd, STDERR_FILENO);
	fn(arg);
	_exit(0);
}

static int child_end(int fd, pid_t pid, struct buf *said)
{
	char piece[512];
	ssize_t n;
	int status;

	while ((n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(said, piece, (size_t)n);
	if (waitpid(pid, &status, 0) != pid)
		give_up("cannot wait for a child");
	return WIFSIGNALED(status) ? WTERMSIG(status)
				   : UNIT_EXIT(WEXITSTATUS(status));
}

bool unit_dies(const char *file, int line, const char *expr,
	       void (*fn)(void *arg), void *arg, int want, const char *part)
{
	struct buf said = BUF_INIT;
	int fds[2], end;
	pid_t pid;
	bool pass;

	fflush(NULL);
	if (pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		give_up("cannot start a child");
	if (pid == 0)
		be_the_child(fn, arg, fds[1]);
	close(fds[1]);
	end = child_end(fds[0], pid, &said);
	close(fds[0]);
	pass = check(end == want, file, line,
		     "%s ended by %d, not %d; it said: %s", expr, end, want,
		     buf_str(&said));
	pass &= unit_contains(file, line, expr, buf_str(&said), part);
	buf_fini(&said);
	return pass;
}

/* A function and not two checks in one expression: the call comes first. */
bool unit_fails(const char *file, int line, const char *expr, bool got,
		const struct err *e, enum err_code want, const char *part)
{
	bool failed = unit_true(file, line, expr, got, false);

	return unit_err(file, line, e, want, part) && failed;
}
