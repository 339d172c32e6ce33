/* What Ambit itself keeps in memory while a cell runs: the proportional set sizes of the supervisor and of the warden, as
 * smaps_rollup has them. Pages that both share, or that many cells share, count once among them all.
 *
 *   memory COMMAND...    starts COMMAND, which runs `ambit run -- sleep` in the end, looks, and ends it
 *
 * The supervisor is nobody's child, so it becomes ours. Its own user cannot read it (it is not dumpable), so this part runs
 * as root, and COMMAND drops to the ordinary user itself. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "series.h"

#define LOOKS 500 /* times 10 ms until the cell must stand */

extern char **environ;

/* The value of a line `Key: 123 kB` or `Key:\t123` of a file of /proc; -1 if it cannot be had. */
static long proc_value(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256];
	long value = -1;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	while (f != NULL && value < 0 && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
			value = strtol(line + strlen(key) + 1, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return value;
}

static void name_of(pid_t pid, char *ret, size_t size)
{
	char path[64];
	FILE *f;

	ret[0] = 0;
	(void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	if (fgets(ret, (int)size, f) == NULL)
		ret[0] = 0;
	ret[strcspn(ret, "\n")] = 0;
	(void)fclose(f);
}

/* The child of parent whose name starts so (the kernel cuts names at 15 characters); 0 if there is none yet. */
static pid_t child_of(pid_t parent, const char *name)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	pid_t found = 0;

	while (dir != NULL && found == 0 && (entry = readdir(dir)) != NULL) {
		char comm[32];
		uint32_t pid;

		if (!parse_u32(entry->d_name, 1, INT32_MAX, &pid) || proc_value((pid_t)pid, "status", "PPid") != parent)
			continue;
		name_of((pid_t)pid, comm, sizeof comm);
		if (strncmp(comm, name, 15) == 0)
			found = (pid_t)pid;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return found;
}

static void pause_10_ms(void)
{
	const struct timespec t = { .tv_nsec = 10000000 };

	(void)nanosleep(&t, NULL);
}

/* Somebody else's processes tell us nothing: look until the program of the cell runs. */
static int await_cell(pid_t *ret_supervisor, pid_t *ret_warden)
{
	for (int i = 0; i < LOOKS; i++) {
		*ret_supervisor = child_of(getpid(), "ambit-supervisor");
		*ret_warden = *ret_supervisor != 0 ? child_of(*ret_supervisor, "ambit-warden") : 0;
		if (*ret_warden != 0 && child_of(*ret_warden, "sleep") != 0)
			return 0;
		pause_10_ms();
	}
	return -ETIMEDOUT;
}

static int tell(pid_t supervisor, pid_t warden)
{
	const long a = proc_value(supervisor, "smaps_rollup", "Pss"), b = proc_value(warden, "smaps_rollup", "Pss");
	const long dirty = proc_value(supervisor, "smaps_rollup", "Private_Dirty") +
			   proc_value(warden, "smaps_rollup", "Private_Dirty");

	if (a <= 0 || b <= 0) {
		(void)printf("memory: cannot be read here (the supervisor's is root's to read), left out\n");
		return 0;
	}
	(void)printf("kB: supervisor %ld, warden %ld; %ld of both private and written\n", a, b, dirty);
	figure_tell("memory of supervisor and warden", (double)(a + b) / 1024, 3, "MB");
	return 0;
}

int main(int argc, char **argv)
{
	pid_t ambit, supervisor, warden;
	int r;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: memory COMMAND...\n");
		return 2;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
	    posix_spawnp(&ambit, argv[1], NULL, NULL, argv + 1, environ) != 0)
		return 1;
	r = await_cell(&supervisor, &warden);
	r = r < 0 ? r : tell(supervisor, warden);
	(void)kill(ambit, SIGTERM); /* our own child, not yet reaped */
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (r < 0)
		(void)fprintf(stderr, "memory: no cell came to be\n");
	return r < 0;
}
