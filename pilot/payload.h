/*
 * One payload: the process group that a run starts, from its working
 * directory and environment to its exit status, resource usage and output
 * files.  This module knows processes and files and nothing of the server:
 * the conversation (pilot/talk.c) gives it a grant and learns of the end.
 *
 * Life: payload_start -> (on_started or a failed start) -> running ->
 * [payload_kill] -> on_ended, exactly once, from the event loop, never from
 * inside payload_start or payload_kill.  The end comes when the first process
 * has been reaped, the group has been swept, both output files are closed and
 * the files that it was to write are looked at.  After on_ended the struct
 * lives until payload_free.
 */
#ifndef SORTIE_PILOT_PAYLOAD_H
#define SORTIE_PILOT_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include "lib/arena.h"
#include "lib/err.h"
#include "lib/json.h"

struct event_base;
struct payload;
struct runas;
struct sandbox;
struct runfiles;
struct payload_host; /* what all payloads of this pilot share */

/* Settings of the pilot that matter to payloads; strings outlive the host. */
struct payload_settings {
	struct event_base *base;
	const char *spool;             /* directory, absolute, mode 0700 */
	const char *url;               /* SORTIE_URL */
	const char *pilot_id;          /* UUID */
	const char *host_name;         /* for reasons; NULL = the machine's */
	const char *site;              /* "" = none */
	char **site_env;               /* NAME=VALUE, NULL-terminated or NULL */
	int64_t grace_ms;              /* SIGTERM to SIGKILL */
	int64_t keep_failed_s;         /* failed runs' directories stay */
	int64_t head_max, tail_max;    /* bytes of a stream that are kept */
	int64_t spool_floor;           /* bytes to stay free; 0 = 16 MiB */
	const struct sandbox *sandbox; /* NULL = none */
	const struct runas *run_as;    /* NULL = all as the pilot's user */
	bool no_new_privs;             /* no set-user-id programs */
	bool cgroups;                  /* try cgroups at all */
	bool no_clean;                 /* keep working directories */
};

/* A grant as the server gave it, decoded; lives in the payload's arena. */
struct payload_grant {
	char run[17]; /* hex */
	int64_t job;  /* number */
	char id[37];  /* job's UUID */
	int attempt;
	int64_t index; /* -1 = none */
	const char *name, *project, *owner, *jobtype;
	const char *token;    /* SORTIE_TOKEN */
	const char *workflow; /* id or NULL */
	int64_t timeout_ms;   /* 0 = none */
	int32_t cores;
	int64_t memory; /* bytes, 0 = unlimited */
	bool stop_on_disconnect;
	struct json_object *definition;
	struct json_object *secrets; /* variables; NULL = none */
};

enum payload_why { /* who ended it, first cause wins */
		   PAYLOAD_BY_ITSELF,
		   PAYLOAD_TIMELIMIT,
		   PAYLOAD_CANCEL,
		   PAYLOAD_STALE,
		   PAYLOAD_DRAIN,
		   PAYLOAD_DISCONNECT,
		   PAYLOAD_NO_SPACE,
		   PAYLOAD_STOP
};

struct payload_end {
	bool started;       /* false: could not start */
	const char *reason; /* "nonstarter: ..." with path, host and
					   errno's text; "input missing: ..."; "output
					   missing: ..."; "out of memory"; or "" */
	enum payload_why why;
	bool own_fault; /* the job's: says nothing of this host */
	bool exited;    /* exit_code holds, else signal */
	int exit_code, signal;
	int64_t wall_ms, user_ms, system_ms, max_rss; /* rss in bytes */
};

enum payload_stream { PAYLOAD_STDOUT, PAYLOAD_STDERR };

typedef void payload_fn(struct payload *p, void *arg);

/* NULL with *e filled when the spool cannot be opened. Blocks SIGCHLD and
 * reads it from a descriptor, so dead children are for this module alone.
 * Kills what is left of payloads whose pilot died on this spool together with
 * its keeper, and removes their directories: call it with the spool locked.
 * When the keeper is killed the host ends all payloads and the process. */
struct payload_host *payload_host_new(const struct payload_settings *s,
				      struct err *e);
/* Only when no payload lives. */
void payload_host_free(struct payload_host *h);
int payload_host_live(const struct payload_host *h);
/* Removes working directories of failed runs past their time. */
void payload_host_sweep(struct payload_host *h);

/* Decodes and copies a GRANT of the protocol. Refuses what it cannot run. */
bool payload_grant_read(struct arena *a, struct json_object *o,
			struct payload_grant *out, struct err *e) MUST_CHECK;

/* Always gives a payload; a start that fails ends with started = false. The
 * arena of the grant becomes the payload's. files: for `send`, paths of
 * already fetched files in the same order, or NULL when there are none.
 * on_output is called at most every 0.5 s per payload when a stream grew. */
struct payload *payload_start(struct payload_host *h, struct arena *a,
			      const struct payload_grant *g,
			      const char *const *files, payload_fn *on_started,
			      payload_fn *on_output, payload_fn *on_ended,
			      void *arg);
const struct payload_grant *payload_grant(const struct payload *p);
int payload_pid(const struct payload *p); /* 0 = not yet */
bool payload_running(const struct payload *p);
/* SIGTERM to everything of it, SIGKILL after the grace. Repeatable; a second
 * call with grace_ms 0 kills at once. grace_ms -1 = the settings'. */
void payload_kill(struct payload *p, enum payload_why why, int64_t grace_ms);
/* Valid in and after on_ended. */
const struct payload_end *payload_end(const struct payload *p);
/* Bytes written so far; and the bytes at offset (fewer at the end), -1 on a
 * read error. Offsets between head_max and size - tail_max may be gone when
 * the stream is longer than both: *offset is then moved to the first byte
 * that is still there. */
int64_t payload_output_size(struct payload *p, enum payload_stream s);
int64_t payload_output_read(struct payload *p, enum payload_stream s,
			    int64_t *offset, void *out, int64_t len);
/* Lines of output that began with "meta:", without the prefix, in order. At
 * most 1,000 of at most 4 KiB. */
char *const *payload_meta(const struct payload *p, size_t *n);
/* The files that its definition names, and what became of them; outputs are
 * looked for only when it ended well. */
const struct runfiles *payload_files(const struct payload *p);
/* Frees it and removes (or keeps, when failed) its working directory. */
void payload_free(struct payload *p);

/* In keeper.c: forks the pilot under a subreaper that outlives it; returns in
 * the child only; both are undumpable. Call it before there is a loop or a
 * thread. The keeper forwards SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1 and
 * SIGUSR2, so who signals every process of a unit or batch job (systemd,
 * Slurm) reaches the pilot twice: a second signal counts as one only when it
 * comes a second or more after the first. The exit status is the pilot's, or
 * 128 + the signal that killed it. */
void keeper_become(void);

#endif
