/* proctext - what the kernel writes in /proc and in cgroups, as numbers.
 *
 * Owns:   nothing.
 * Holds:  the text is the kernel's, but names in it are chosen by whoever runs: a process may be called
 *         `x) R 1 1` and a directory `a b\040c`. A result is written only if the whole of what was asked for is there.
 * Called: supervisor; pure. Texts end with a NUL. */
#ifndef SUPERVISOR_PROCTEXT_H
#define SUPERVISOR_PROCTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCTEXT_PATH_MAX 4096

/* Of /proc/N/stat. */
struct proctext_stat {
	char state;           /* 'Z' for one that has ended and was not waited for */
	bool ending;          /* that, or on its way there: it runs nothing any more, and its memory is gone */
	uint64_t cpu_ticks;   /* of the process and of its children that it waited for */
	uint64_t start_ticks; /* since boot: with the pid it names a process for good */
};
bool proctext_stat(const char *text, struct proctext_stat *ret);

/* The number behind a key at the start of a line: "RssAnon:\t  12 kB", "write_bytes: 12", "oom_kill 12". */
bool proctext_field(const char *text, const char *key, uint64_t *ret);

/* Whether a list of words separated by blanks or commas holds the word: cgroup.controllers, mount options. */
bool proctext_has_word(const char *list, size_t len, const char *word);

/* One line of mountinfo. */
struct proctext_mount {
	char point[PROCTEXT_PATH_MAX]; /* as the process sees it whose file it is */
	char type[32];
	char upper
		[PROCTEXT_PATH_MAX]; /* of an overlay: where it is written, as who mounted it named that; "" if it does not say */
	bool read_only;
};
bool proctext_mount(const char *line, struct proctext_mount *ret);

/* The caller's own cgroup as a path of this mount namespace. `cgroup` is /proc/self/cgroup, `mountinfo` the file of that
 * name. Controller "" means version 2. False: there is no such hierarchy, it is not mounted, the own cgroup lies outside
 * what is mounted or was removed, or the path is too long. */
bool proctext_own_cgroup(const char *cgroup, const char *mountinfo, const char *controller,
			 char ret_path[PROCTEXT_PATH_MAX]);

#endif
