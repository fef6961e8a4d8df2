/* The part of `sortie doctor` that looks at this machine. */
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "clients/doctor.h"
#include "clients/settings.h"
#include "lib/pilot_program.h"
#include "lib/units.h"

#define DISK_LOW (INT64_C(1) << 30)
#define FILES_LOW 1024

/* The libraries that are loaded now, by the names of their files: what the
 * linker found may differ from what was there at the build. */
static int add_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	static const char *const names[] = {
		"libcurl",   "libevent", "libjson-c",
		"libconfig", "libssl",   "libcrypto",
	};
	const char *slash = strrchr(info->dlpi_name, '/');
	struct buf *b = arg;
	char *real;

	(void)size;
	if (slash == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(slash + 1, names[i], strlen(names[i])) == 0) {
			real = realpath(info->dlpi_name, NULL);
			slash = real ? strrchr(real, '/') : slash;
			buf_addf(b, "%s%s", b->len ? ", " : "", slash + 1);
			free(real);
			break;
		}
	return 0;
}

static void libraries(struct doctor *d)
{
	struct buf b = BUF_INIT;

	dl_iterate_phdr(add_library, &b);
	doctor_tell(d, DOCTOR_OK, "libraries", "%s",
		    b.len ? buf_str(&b) : "linked into the program");
	buf_fini(&b);
}

static void config(struct doctor *d)
{
	char *dir = settings_user_dir(d->c->arena, "config");
	char *path = dir ? arena_printf(d->c->arena, "%s/config", dir) : NULL;
	struct stat st;

	if (path == NULL || stat(path, &st) != 0)
		doctor_tell(d, DOCTOR_OK, "config",
			    "no file %s: options and "
			    "environment only",
			    path ? path : "");
	else if ((st.st_mode & 077) != 0)
		doctor_tell(d, DOCTOR_WARN, "config",
			    "%s may be read by "
			    "others: chmod 600 it if a token is inside",
			    path);
	else
		doctor_tell(d, DOCTOR_OK, "config", "%s", path);
}

static void disk(struct doctor *d, const char *what, const char *path)
{
	struct statvfs v;
	struct buf b = BUF_INIT;
	int64_t left;

	if (statvfs(path, &v) != 0)
		return;
	left = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	units_format_bytes(&b, left);
	if (left < DISK_LOW)
		doctor_tell(d, DOCTOR_WARN, what,
			    "only %s are free on %s: "
			    "make room, pilots keep working directories and "
			    "output there",
			    buf_str(&b), path);
	else
		doctor_tell(d, DOCTOR_OK, what, "%s free on %s", buf_str(&b),
			    path);
	buf_fini(&b);
}

/* The path of this process's cgroup below /sys/fs/cgroup, version 2. */
static bool own_cgroup(char *out, size_t cap)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX];
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3) == 0) {
			snprintf(out, cap, "/sys/fs/cgroup%s",
				 strcmp(line + 3, "/") == 0 ? "" : line + 3);
			found = true;
		}
	}
	fclose(f);
	return found;
}

static void cgroups(struct doctor *d)
{
	char path[PATH_MAX + 32];

	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 &&
	    own_cgroup(path, sizeof(path))) {
		if (access(path, W_OK) == 0)
			doctor_tell(d, DOCTOR_OK, "cgroups",
				    "version 2, %s "
				    "may be written: pilots can limit memory",
				    path);
		else
			doctor_tell(d, DOCTOR_WARN, "cgroups",
				    "version 2, "
				    "but %s may not be written: run pilots as "
				    "a service with Delegate=yes, or memory "
				    "limits are not kept",
				    path);
		return;
	}
	if (access("/sys/fs/cgroup/memory", W_OK) == 0)
		doctor_tell(d, DOCTOR_OK, "cgroups", "version 1 with memory");
	else
		doctor_tell(d, DOCTOR_WARN, "cgroups",
			    "none that pilots here "
			    "could use: memory limits are not kept");
}

static void files(struct doctor *d)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return;
	if (l.rlim_max < FILES_LOW)
		doctor_tell(d, DOCTOR_WARN, "files",
			    "at most %llu open files "
			    "a process: raise it with `ulimit -n`",
			    (unsigned long long)l.rlim_max);
}

static void pilot(struct doctor *d)
{
	const char *path = pilot_program_find(d->c->arena);

	if (path != NULL)
		doctor_tell(d, DOCTOR_OK, "pilot", "%s", path);
	else
		doctor_tell(d, DOCTOR_WARN, "pilot",
			    "sortie-pilot is neither "
			    "beside this program nor in PATH: `sortie pilot "
			    "start` needs it");
}

void doctor_machine(struct doctor *d)
{
	const char *tmp = getenv("TMPDIR");
	char *state = settings_user_dir(d->c->arena, "state");

	libraries(d);
	config(d);
	cgroups(d);
	files(d);
	pilot(d);
	disk(d, "disk", tmp && tmp[0] == '/' ? tmp : "/tmp");
	if (state != NULL && access(state, F_OK) == 0)
		disk(d, "disk", state);
}
