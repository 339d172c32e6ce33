/* property - what the wall must hold, and what holds it.
 *
 * Owns:   the table of properties and of the sets of mechanisms that suffice for each.
 * Holds:  a property is held if every mechanism of one of its sets was achieved; nothing else counts. The mechanisms
 *         achieved are a bit set, filled in as the wall is built.
 * Called: warden (sets bits), supervisor (decides), lib (the record), doctor; pure. */
#ifndef CELL_PROPERTY_H
#define CELL_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum property {
#define PROPERTY(name, word, text) PROPERTY_##name,
#include "cell/properties.def"
#undef PROPERTY
	PROPERTY_COUNT
};

/* MECHANISM(name, word, what is missing, what to do about it) */
/* clang-format off */
#define MECHANISMS(M)                                                                                                  \
	M(USER_NS, "user namespace", "user namespaces for ordinary users are off",                                     \
	  "sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0; on Ubuntu install the "         \
	  "AppArmor profile of the package")                                                                           \
	M(MOUNT_NS, "mount namespace", "a mount namespace cannot be made", "see `ambit doctor`")                       \
	M(PID_NS, "pid namespace", "a pid namespace cannot be made", "see `ambit doctor`")                             \
	M(PROC, "private /proc", "a fresh /proc cannot be mounted (a container that masks /proc?)",                    \
	  "run the container with an unmasked /proc (docker: --security-opt systempaths=unconfined)")                  \
	M(NET_NS, "network namespace", "a network namespace cannot be made", "see `ambit doctor`")                     \
	M(IPC_NS, "ipc namespace", "an ipc namespace cannot be made", "see `ambit doctor`")                            \
	M(LANDLOCK, "Landlock files", "Landlock is not in this kernel (5.13) or not enabled",                          \
	  "boot with lsm=landlock,... ")                                                                               \
	M(LANDLOCK_SCOPE, "Landlock scopes", "Landlock has no scopes before Linux 6.12", "a newer kernel")              \
	M(LANDLOCK_UNIX, "Landlock sockets", "Landlock knows no sockets before Linux 7.1", "a newer kernel")           \
	M(BASE_ONLY, "no directory granted", "a directory is granted", "")                                             \
	M(NO_NAMED_SOCKETS, "no named sockets", "sockets cannot be filtered", "a kernel with CONFIG_SECCOMP_FILTER")   \
	M(LANDLOCK_LAYER, "Landlock layer", "a second Landlock layer cannot be added", "see `ambit doctor`")           \
	M(SECCOMP, "seccomp", "system calls cannot be filtered", "a kernel with CONFIG_SECCOMP_FILTER")                \
	M(NO_NEW_PRIVS, "no_new_privs", "no_new_privs cannot be set", "a kernel from 3.5")                             \
	M(NO_CAPS, "no capabilities", "capabilities cannot be dropped", "see `ambit doctor`")                          \
	M(OTHER_UID, "other uid", "root's cells need an unprivileged id and idmapped mounts (5.12)",                   \
	  "run as an ordinary user")                                                                                   \
	M(NOEXEC, "noexec mounts", "a mount cannot be made noexec", "see `ambit doctor`")                              \
	M(NO_MEMFD, "no executable memfd", "memfd_create cannot be restricted", "see `ambit doctor`")                  \
	M(MDWE, "MDWE", "PR_SET_MDWE is not in this kernel (6.3)", "a newer kernel")                                   \
	M(WX_FILTER, "W^X filter", "seccomp cannot refuse writable and executable memory", "see `ambit doctor`")       \
	M(SESSION_KEYRING, "own keyring", "a session keyring cannot be joined", "see `ambit doctor`")                  \
	M(LIFELINE, "lifeline", "the cell's end cannot be tied to Ambit's", "see `ambit doctor`")                      \
	M(CGROUP_MEMORY, "cgroup memory", "no memory cgroup to put the cell in", "systemd-run --user, or Delegate=yes") \
	M(CGROUP_TASKS, "cgroup pids", "no pids cgroup to put the cell in", "systemd-run --user, or Delegate=yes")      \
	M(RLIMIT_TASKS, "task limit", "RLIMIT_NPROC does not bind here", "a kernel from 5.14")                          \
	M(SAMPLER, "sampler", "the cell's processes cannot be sampled", "see `ambit doctor`")                          \
	M(FILE_SIZE, "file size limit", "RLIMIT_FSIZE cannot be set", "see `ambit doctor`")                            \
	M(DEADLINE, "deadline", "no timer for the deadline", "see `ambit doctor`")                                     \
	M(SPECULATION, "speculation controls", "the processor offers no control for each task", "")                    \
	M(GRANTED, "granted", "", "")                                                                                  \
	M(GIVEN_UP, "given up", "", "")
/* clang-format on */

enum mechanism {
#define MECHANISM_ENUM(name, word, missing, hint) MECHANISM_##name,
	MECHANISMS(MECHANISM_ENUM)
#undef MECHANISM_ENUM
		MECHANISM_COUNT
};

typedef uint64_t mechanism_set; /* bit i: enum mechanism i */
#define MECHANISM_BIT(m) (UINT64_C(1) << (m))

/* One set that suffices, and the Linux that has all of it. */
struct property_set {
	mechanism_set mechanisms;
	unsigned major, minor;
};

/* The sets of p, best first; how many there are. */
size_t property_sets(enum property p, const struct property_set **ret);

const char *property_word(enum property p);
const char *property_text(enum property p);
bool property_find(const char *word, enum property *ret);
const char *mechanism_word(enum mechanism m);
const char *mechanism_missing(enum mechanism m);
const char *mechanism_hint(enum mechanism m);

/* The set that holds p among what was achieved: 0 if none does. The first of the table that is complete wins. */
mechanism_set property_held_by(enum property p, mechanism_set achieved);
/* For a property that is not held: the first mechanism that is missing from the set that is nearest to complete. A grant
 * is never what is missing. */
enum mechanism property_missing(enum property p, mechanism_set achieved);
/* The set as text, "mount namespace + Landlock files", or "nothing"; cut at size. */
void property_describe(mechanism_set set, char *ret, size_t size);

#endif
