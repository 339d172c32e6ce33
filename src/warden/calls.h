/* calls - which system calls are seen, and what each of them is.
 *
 * Owns:   the table of them: where their arguments name what they act on, and what kind of effect that is; and how what they name is written.
 * Holds:  one call is the same effect, whoever saw it: the eye (eye.h), or the kernel's programs (ring.h). Which calls a filter tells the eye of is in cell/syscalls.def; a test compares the two.
 * Called: warden; the role ambit-ebpf, for the kernel; pure. */
#ifndef WARDEN_CALLS_H
#define WARDEN_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/effect.h"
#include "warden/arena.h"

/* How the arguments of a system call name what it acts on: NAMED(call, directory, path, flags or mode, how) gives the
 * positions of the directory descriptor, of the path and of the flags (CALL_NO: there is none) and what kind of effect it is. */
#define CALL_NO 9

/* AS_MOVE: what a renaming takes away, told as deleted. AS_LINKED: what gets a second name; told is the new one. */
enum how {
	BY_FLAGS,
	AS_READ,
	AS_WRITE,
	AS_EXEC,
	AS_DELETE,
	AS_MOVE,
	AS_RENAME,
	AS_MKDIR,
	AS_LINK,
	AS_LINKED,
	AS_MODE,
	AS_CONNECT
};

struct call {
	int nr;
	uint8_t dir, path, flags;
	enum how how;
};

extern const struct call calls[];
extern const size_t calls_n;

uint8_t call_kind(const struct call *call, uint64_t flags);

/* Behind the first `start` bytes of object, which name the directory that it starts from. How many it is then; -1: too many, or that is no directory. */
ssize_t call_put_path(char object[EFFECT_OBJECT_MAX], ssize_t start, const char *given, size_t n);
/* "inet 192.0.2.1:443" and the like, of a sockaddr. The kind of socket is not known here without another look; the family is. 0: a connection is dissolved; -1: too short. */
ssize_t call_put_address(const void *address, size_t n, char *room, size_t size);
#define CALL_ADDRESS_MAX 110 /* of a Unix socket; more is not read */

/* What is in object, n bytes, unless n is -1: it could not be read. */
void call_note(struct arena *a, uint32_t thread, const struct call *call, uint64_t flags,
	       char object[EFFECT_OBJECT_MAX], ssize_t n);

#endif
