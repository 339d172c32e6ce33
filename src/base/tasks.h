/* tasks - the threads of a /proc, and what each does.
 *
 * Owns:   nothing.
 * Holds:  no memory is asked for; what the kernel lists is visited once, what comes or goes meanwhile maybe.
 * Called: whoever stops processes, or makes sure that they are (supervisor, warden). */
#ifndef BASE_TASKS_H
#define BASE_TASKS_H

#include <stdbool.h>
#include <stdint.h>

/* pid and tid are those of the namespace that the /proc shows. */
typedef void tasks_each_fn(void *user, uint32_t pid, uint32_t tid);
/* proc_fd: its root, O_PATH will do. Process 1 is left out. 0, or -errno. */
int tasks_each(int proc_fd, tasks_each_fn *each, void *user);

/* The letter of /proc/N/stat; 0: it is gone. */
char tasks_state(int proc_fd, uint32_t pid, uint32_t tid);
/* The number of the system call in which it waits; -1: in none, or that cannot be read. */
int tasks_call(int proc_fd, uint32_t pid, uint32_t tid);

#endif
