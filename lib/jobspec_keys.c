/*
 * The keys of a job: the one table that the decoder, the manual and --help
 * are made from.
 */
#include <stddef.h>
#include "lib/jobspec_value.h"

#define RULE(...)                    \
	&(const struct jobspec_rule) \
	{                            \
		__VA_ARGS__          \
	}
#define NO JOBSPEC_NO_FIELD
#define AT(field) offsetof(struct jobspec, field)
#define KIB INT64_C(1024)

/* exec refuses a longer variable (MAX_ARG_STRLEN). */
#define ENV_VALUE_MAX (127 * KIB)

const struct jobspec_key_doc jobspec_keys[] = {
	{ "name", "text", "",
	  "What people see in lists. Any text, never an identifier.",
	  RULE(jobspec_read_text, AT(name), 0, KIB, false) },
	{ "description", "text", "", "What the job is for.",
	  RULE(jobspec_read_text, NO, 0, 64 * KIB, false) },
	{ "comment", "text", "", "A remark.",
	  RULE(jobspec_read_text, NO, 0, 64 * KIB, false) },
	{ "key", "name", "",
	  "An identifier of your own, unique for your jobs within the "
	  "project. Submitting the same key with the same definition again "
	  "creates nothing and gives the existing job; with another "
	  "definition it is refused.",
	  RULE(jobspec_read_key, AT(key), 1, 0, true) },
	{ "project", "name", "default",
	  "What the job is counted and shared under: projects of equal "
	  "priority take turns.",
	  RULE(jobspec_read_name, AT(project), 1, 0, false) },
	{ "jobtype", "name", "",
	  "The kind of work. Pilots may accept or refuse types, and a type "
	  "may have a maximum of running jobs.",
	  RULE(jobspec_read_name, AT(jobtype), 0, 0, false) },
	{ "site", "name", "",
	  "Only pilots of this site may run the job; empty means any site.",
	  RULE(jobspec_read_name, AT(site), 0, 0, false) },
	{ "priority", "whole number", "0",
	  "Jobs with a higher number are granted first. 32 bits.",
	  RULE(jobspec_read_i32, AT(priority), INT32_MIN, INT32_MAX, false) },
	{ "payload", "text", "",
	  "The command: split into words as a shell would, with quotes and "
	  "backslashes, but without a shell. One of payload, argv and shell "
	  "is needed.",
	  RULE(jobspec_read_text, NO, 1, 256 * KIB, false) },
	{ "argv", "list of text", "", "The command as words.",
	  RULE(jobspec_read_argv, NO, 0, 0, false) },
	{ "shell", "text", "", "The command as text for /bin/sh -c.",
	  RULE(jobspec_read_text, NO, 1, 256 * KIB, false) },
	{ "args", "list of text, or text", "",
	  "Words that follow the command. Text is split as a payload is.",
	  RULE(jobspec_read_args, NO, 0, 0, false) },
	{ "env", "object of text", "",
	  "Environment variables of the payload. Numbers and truth values "
	  "are accepted and become text. P3S_EXECMODE, with any value, runs "
	  "the payload through a shell; P3S_MODE=COPY runs a copy of it.",
	  RULE(jobspec_read_env, NO, 0, ENV_VALUE_MAX, false) },
	{ "secrets", "object of text", "",
	  "Environment variables of the payload that nobody is to see: their "
	  "values are stored encrypted, given to the payload alone and shown "
	  "as ***. They win over env. Who submits the same job with the same "
	  "values again submits the same job.",
	  RULE(jobspec_read_env, NO, 0, ENV_VALUE_MAX, false) },
	{ "config", "any JSON", "",
	  "Settings for the payload, which finds them in the file that "
	  "SORTIE_JOB_FILE names. At most 64 KiB.",
	  RULE(jobspec_read_any, NO, 0, 64 * KIB, false) },
	{ "cwd", "absolute path", "",
	  "The directory to run in instead of one of its own; it must exist "
	  "on the pilot's host.",
	  RULE(jobspec_read_path, NO, 1, 4095, false) },
	{ "send", "list of files", "",
	  "Files to put into the working directory, at most 100: objects "
	  "with name (a relative path), sha256 (of the content, which must "
	  "have been uploaded), size in bytes and mode (octal text, 0644).",
	  RULE(jobspec_read_send, NO, 0, 100, false) },
	{ "inputs", "list of files", "",
	  "Files that must be there before the payload starts, else the job "
	  "fails with the reason \"input missing\". Each is a path (relative "
	  "ones are below the working directory; what has a scheme:// is "
	  "never looked for) or an object with path, tag (a variable of the "
	  "environment that gets the path) and check (false: do not look). At "
	  "most 1,000.",
	  RULE(jobspec_read_inputs, NO, 0, 1000, false) },
	{ "outputs", "list of files", "",
	  "Files that must be there when the payload has ended with 0, else "
	  "the job fails with the reason \"output missing\". Each is a path or "
	  "an object with path, tag, optional (true: it may be missing) and "
	  "sha256 (true: its checksum is taken). At most 1,000.",
	  RULE(jobspec_read_outputs, NO, 0, 1000, false) },
	{ "umask", "octal text", "",
	  "The payload's file mode creation mask, as in \"022\"; without it "
	  "the pilot's.",
	  RULE(jobspec_read_umask, NO, 0, 0, false) },
	{ "timeout", "seconds or duration", "the server's",
	  "Wall time after which the payload is ended: a number of seconds "
	  "or text such as \"90 s\", \"5 m\" or \"2 h\"; 0 means none. At "
	  "most 10^9 s.",
	  RULE(jobspec_read_seconds, AT(timeout_s), 0, JOBSPEC_TIMEOUT_MAX,
	       false) },
	{ "timelimit", "seconds or duration", "",
	  "Another word for timeout; only one of the two may be given.",
	  RULE(jobspec_read_seconds, AT(timeout_s), 0, JOBSPEC_TIMEOUT_MAX,
	       false) },
	{ "grace", "seconds or duration", "the pilot's",
	  "Time between SIGTERM and SIGKILL when the payload has to end. At "
	  "most an hour.",
	  RULE(jobspec_read_seconds, NO, 0, 3600, false) },
	{ "state", "text", "defined",
	  "held (or template) keeps the job from being run until it is "
	  "released.",
	  RULE(jobspec_read_state, NO, 0, 0, true) },
	{ "pools", "list of names, or name", "",
	  "Only pilots of one of these pools may run the job.",
	  RULE(jobspec_read_pools, NO, 0, 64, false) },
	{ "labels", "object of text", "",
	  "Only pilots that have all of these labels may run the job. A "
	  "list of names asks for the value \"true\" of each.",
	  RULE(jobspec_read_labels, NO, 0, 64, false) },
	{ "cores", "whole number", "1",
	  "Cores of the pilot that the job takes. From 1 to 100,000.",
	  RULE(jobspec_read_i32, AT(cores), 1, 100000, false) },
	{ "memory", "bytes or size", "0",
	  "Memory that the job takes: a number of bytes or text such as "
	  "\"2 GiB\"; 0 means not counted.",
	  RULE(jobspec_read_bytes, AT(memory), 0, INT64_C(1) << 60, false) },
	{ "limits", "object of counts, or list of names", "",
	  "Named limits, each with the number of tokens that the job holds "
	  "while it runs; a list means one of each. At most 8.",
	  RULE(jobspec_read_limits, NO, 0, JOBSPEC_LIMITS_MAX, false) },
	{ "retries", "whole number", "0",
	  "How often a payload that failed is tried again. At most 100.",
	  RULE(jobspec_read_i32, AT(retries), 0, 100, false) },
	{ "retry_delay", "seconds or duration", "10 s",
	  "How long to wait before the first retry; doubled for each "
	  "further one.",
	  RULE(jobspec_read_seconds, AT(retry_delay_s), 0, 1000000, false) },
	{ "not_before", "date and time, or seconds since 1970", "",
	  "The job waits until then. As in \"2026-11-22T07:00:00+01:00\".",
	  RULE(jobspec_read_time, AT(not_before_ms), 0, 0, false) },
	{ "on_disconnect", "text", "continue",
	  "What a pilot does with the payload when it has lost the server: "
	  "continue, or stop, in time for the payload to be gone when the "
	  "lease has run out and the job may run elsewhere.",
	  RULE(jobspec_read_disconnect, AT(stop_on_disconnect), 0, 0, false) },
	{ "replicas", "whole number", "1",
	  "How many jobs to make of this one; SORTIE_INDEX counts them from "
	  "0. At most 10,000,000.",
	  RULE(jobspec_read_i64, AT(replicas), 1, JOBSPEC_REPLICAS_MAX, true) },
	{ "tags", "object of text, or list of names", "",
	  "Names with values that jobs can be searched by; a list gives "
	  "each the value \"true\". At most 100.",
	  RULE(jobspec_read_tags, NO, 0, 100, false) },
	{ "metadata", "any JSON", "",
	  "Kept with the job and given to the payload. At most 64 KiB.",
	  RULE(jobspec_read_any, NO, 0, 64 * KIB, false) },
};

const size_t jobspec_n_keys = sizeof(jobspec_keys) / sizeof(jobspec_keys[0]);
