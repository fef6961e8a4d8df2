/*
 * The directory that a run has in the spool: slot-N with the output files and
 * the job's description in it, and below it `work`, where the payload starts
 * unless the job names another directory.
 *
 * A slot that a run has left as it was is used again, files and all: making
 * and removing two directories and three files costs as much as starting a
 * program (500 us a run on ext4 here, against 10 us for looking whether all
 * is as it was).  A failed run's slot may be kept as run-ID; what has to go
 * and is large is renamed to gone-N and removed in steps.
 */
#ifndef SORTIE_PILOT_WORKDIR_H
#define SORTIE_PILOT_WORKDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <time.h>
#include "lib/arena.h"
#include "lib/err.h"

enum workdir_file { WORKDIR_STDOUT, WORKDIR_STDERR, WORKDIR_JOB, WORKDIR_N };

struct runas_user;
struct workdir_pool;

/* When a directory last changed, and since when we know it to be clean. */
struct workdir_seen {
	struct timespec changed;
	int64_t since_ms; /* monotonic */
	bool settled;     /* any change since shows in its time */
};

struct workdir {
	struct workdir_pool *pool;
	char name[32];     /* slot-N, in the spool */
	char *work;        /* absolute path of slot-N/work */
	char *job_file;    /* absolute path of the description */
	int fd[WORKDIR_N]; /* to read and write; -1 = none */
	int dir_fd, work_fd;
	struct workdir_seen seen_dir, seen_work;
	off_t job_size;
	ino_t ino[WORKDIR_N + 1]; /* of the files, then of work */
	bool changed;             /* we have put something else into it */
	LIST_ENTRY(workdir) link; /* in the pool, when spare */
};

enum workdir_fate {
	WORKDIR_REUSE, /* if it is as it was; else as WORKDIR_DROP */
	WORKDIR_DROP,
	WORKDIR_KEEP /* as run-ID, without the job's secrets */
};

/* spool_fd and spool are borrowed. */
struct workdir_pool *workdir_pool_new(int spool_fd, const char *spool);
/* Removes the spare ones and all gone-*. */
void workdir_pool_free(struct workdir_pool *pool);

/* One with empty output files, or NULL. */
struct workdir *workdir_take(struct workdir_pool *pool, struct err *e);
void workdir_give(struct workdir *w, enum workdir_fate fate, const char *run);

/* The payload's own descriptor of an output file: appending, close-on-exec;
 * -1 with errno. */
int workdir_open_output(const struct workdir *w, enum workdir_file f);
bool workdir_write_job(struct workdir *w, const void *data, size_t len,
		       struct err *e) MUST_CHECK;
/* The run's directory and files become this user's, who may pass through the
 * slot to them; they are not used again. */
bool workdir_own(struct workdir *w, const struct runas_user *u,
		 struct err *e) MUST_CHECK;
/* Copies the program `from` (relative to cwd unless absolute) into the slot,
 * executable; *to is the copy's path. as: who reads and gets it, NULL = the
 * pilot. */
bool workdir_copy_program(struct workdir *w, struct arena *a, const char *cwd,
			  const char *from, const struct runas_user *as,
			  const char **to, struct err *e) MUST_CHECK;

/* Directories wait to be removed in steps. */
bool workdir_unclean(const struct workdir_pool *pool);
/* One step of that; true = call again. */
bool workdir_clean(struct workdir_pool *pool);
/* Kept runs of that age or older become gone-*. */
void workdir_sweep(struct workdir_pool *pool, int64_t age_s);
/* Slots of a pilot that is dead: fn gets the run each had last, then the slot
 * becomes gone-*. */
void workdir_leftovers(struct workdir_pool *pool,
		       void (*fn)(const char *run, void *arg), void *arg);

#endif
