#include "cell/property.h"

#include <stdio.h>
#include <string.h>

#define SETS_MAX 3 /* of one property */

#define B(name) MECHANISM_BIT(MECHANISM_##name)

/* The sets that suffice for each property, best first. What is in a set has to be in it: left out, the property would not
 * hold. What is a second wall behind the first stands in a set of its own, before the one without it.
 *
 * 1. FILES: the tree of mounts holds nothing but what was granted; Landlock says it once more, by right.
 * 2. PROCESSES: a pid namespace alone leaves the host's /proc.
 * 3. IPC: abstract sockets belong to the network namespace.
 *    SOCKETS: a named socket is reached through its file, in whatever tree that lies and however the tree is mounted: the
 *    kernel asks for write permission on the file and does not look at the mount. What a cell has of its own is made in
 *    it. Only Landlock's newest right tells the two apart; before, a cell that sees a directory of the host has no
 *    named sockets at all.
 * 4. NETWORK: vsock, which reaches the hypervisor, is in no namespace; only the filter refuses it.
 * 5. WRITTEN: a memfd is on no mount that could be noexec.
 * 6. CODE: MDWE sees one mapping at a time. Code is also written through a second mapping of the same file (noexec, no
 *    memfd, no executable segment: the last is the filter's), through /proc/PID/mem, which writes into read-only pages
 *    (so /proc is read-only), and through ptrace (filter).
 * 7. PRIVILEGE: a new user namespace would bring capabilities back (filter).
 * 8. WARDEN: a deeper Landlock layer may not trace upwards; without Landlock the warden is not dumpable, and the
 *    workload has neither the capability nor the calls to read it. No signal of its own namespace reaches process 1
 *    that it does not handle, and it handles none.
 * 9. MEMORY, TASKS: a cgroup is exact for memory, a sampler is late by its period; RLIMIT_NPROC is exact in a user
 *    namespace of the cell's own. */
static const struct property_set table[PROPERTY_COUNT][SETS_MAX] = {
	[PROPERTY_FILES] = { { B(USER_NS) | B(MOUNT_NS) | B(LANDLOCK), 5, 13 }, { B(USER_NS) | B(MOUNT_NS), 5, 12 } },
	[PROPERTY_PROCESSES] = { { B(PID_NS) | B(PROC), 5, 12 } },
	[PROPERTY_IPC] = { { B(IPC_NS) | B(NET_NS) | B(LANDLOCK_SCOPE), 6, 12 }, { B(IPC_NS) | B(NET_NS), 5, 12 } },
	[PROPERTY_SOCKETS] = { { B(LANDLOCK_UNIX), 7, 1 },
			       { B(NO_NAMED_SOCKETS) | B(SECCOMP), 5, 12 },
			       { B(BASE_ONLY), 5, 12 } },
	[PROPERTY_NETWORK] = { { B(NET_NS) | B(SECCOMP), 5, 12 } },
	[PROPERTY_WRITTEN] = { { B(NOEXEC) | B(NO_MEMFD) | B(LANDLOCK), 5, 13 }, { B(NOEXEC) | B(NO_MEMFD), 5, 12 } },
	[PROPERTY_CODE] = { { B(MDWE) | B(NOEXEC) | B(NO_MEMFD) | B(PROC) | B(SECCOMP), 6, 3 },
			    { B(WX_FILTER) | B(NOEXEC) | B(NO_MEMFD) | B(PROC) | B(SECCOMP), 5, 12 },
			    { B(GRANTED), 5, 12 } },
	[PROPERTY_PRIVILEGE] = { { B(USER_NS) | B(OTHER_UID) | B(NO_NEW_PRIVS) | B(NO_CAPS) | B(SECCOMP), 5, 12 },
				 { B(USER_NS) | B(NO_NEW_PRIVS) | B(NO_CAPS) | B(SECCOMP), 5, 12 } },
	[PROPERTY_KERNEL] = { { B(SECCOMP), 5, 12 } },
	[PROPERTY_KEYS] = { { B(SESSION_KEYRING) | B(SECCOMP), 5, 12 } },
	[PROPERTY_WARDEN] = { { B(PID_NS) | B(LANDLOCK_LAYER) | B(LANDLOCK_SCOPE), 6, 12 },
			      { B(PID_NS) | B(LANDLOCK_LAYER), 5, 13 },
			      { B(PID_NS) | B(NO_CAPS) | B(SECCOMP), 5, 12 } },
	[PROPERTY_LIFETIME] = { { B(PID_NS) | B(LIFELINE), 5, 12 } },
	[PROPERTY_MEMORY] = { { B(CGROUP_MEMORY), 5, 12 }, { B(SAMPLER), 5, 12 } },
	[PROPERTY_TASKS] = { { B(CGROUP_TASKS), 5, 12 }, { B(USER_NS) | B(RLIMIT_TASKS), 5, 14 } },
	[PROPERTY_DISK] = { { B(FILE_SIZE) | B(SAMPLER), 5, 12 } },
	[PROPERTY_TIME] = { { B(DEADLINE), 5, 12 } },
};

static const struct {
	const char *word, *text;
} properties[PROPERTY_COUNT] = {
#define PROPERTY(name, word, text) { word, text },
#include "cell/properties.def"
#undef PROPERTY
};

static const struct {
	const char *word, *missing, *hint;
} mechanisms[MECHANISM_COUNT] = {
#define MECHANISM_TEXTS(name, word, missing, hint) { word, missing, hint },
	MECHANISMS(MECHANISM_TEXTS)
#undef MECHANISM_TEXTS
};

_Static_assert(MECHANISM_COUNT <= 64, "mechanism_set has 64 bits");

size_t property_sets(enum property p, const struct property_set **ret)
{
	size_t n = 0;

	while (n < SETS_MAX && table[p][n].mechanisms != 0)
		n++;
	*ret = table[p];
	return n;
}

const char *property_word(enum property p)
{
	return properties[p].word;
}

const char *property_text(enum property p)
{
	return properties[p].text;
}

bool property_find(const char *word, enum property *ret)
{
	for (unsigned p = 0; p < PROPERTY_COUNT; p++)
		if (strcmp(properties[p].word, word) == 0) {
			*ret = (enum property)p;
			return true;
		}
	return false;
}

const char *mechanism_word(enum mechanism m)
{
	return mechanisms[m].word;
}

const char *mechanism_missing(enum mechanism m)
{
	return mechanisms[m].missing;
}

const char *mechanism_hint(enum mechanism m)
{
	return mechanisms[m].hint;
}

mechanism_set property_held_by(enum property p, mechanism_set achieved)
{
	const struct property_set *sets;
	const size_t n = property_sets(p, &sets);

	for (size_t i = 0; i < n; i++)
		if ((sets[i].mechanisms & ~achieved) == 0)
			return sets[i].mechanisms;
	return 0;
}

static mechanism_set nearest_gap(enum property p, mechanism_set achieved)
{
	const struct property_set *sets;
	const size_t n = property_sets(p, &sets);
	mechanism_set nearest = sets[0].mechanisms & ~achieved;

	for (size_t i = 1; i < n; i++) {
		const mechanism_set gap = sets[i].mechanisms & ~achieved;

		if ((gap & B(GRANTED)) == 0 && __builtin_popcountll(gap) < __builtin_popcountll(nearest))
			nearest = gap;
	}
	return nearest;
}

enum mechanism property_missing(enum property p, mechanism_set achieved)
{
	const mechanism_set gap = nearest_gap(p, achieved);
	unsigned m = 0;

	while (m < MECHANISM_COUNT - 1 && (gap & MECHANISM_BIT(m)) == 0)
		m++;
	return (enum mechanism)m;
}

void property_describe(mechanism_set set, char *ret, size_t size)
{
	size_t at = 0;

	(void)snprintf(ret, size, "nothing");
	for (unsigned m = 0; m < MECHANISM_COUNT; m++) {
		int n;

		if ((set & MECHANISM_BIT(m)) == 0)
			continue;
		n = snprintf(ret + at, size - at, "%s%s", at > 0 ? " + " : "", mechanisms[m].word);
		if (n < 0 || (size_t)n >= size - at)
			return; /* cut */
		at += (size_t)n;
	}
}
