/* filter - the seccomp filters, as data.
 *
 * Owns:   one program for each shape of process, made by gen_filter while building, from syscalls.def and
 *         arguments.def, so that starting a cell costs no compilation and links no library.
 * Holds:  default ENOSYS; known-dangerous calls EPERM; 32-bit and x32 calls ENOSYS; arguments compared in the width
 *         the kernel uses. Nothing kills: programs see an error number.
 * Called: warden and the small roles; pure data. */
#ifndef CELL_FILTER_H
#define CELL_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

enum filter_shape {
	FILTER_WORKLOAD_OFF,     /* nothing notified; memfd_create ENOSYS */
	FILTER_WORKLOAD_EFFECTS, /* execve and execveat notified; memfd_create ENOSYS */
	FILTER_WORKLOAD_FULL,    /* also opens, changes of names, connect; memfd_create ENOSYS */
	FILTER_WORKLOAD_OFF_JIT, /* the three again for cells with jit: memfd_create with MFD_NOEXEC_SEAL, shmat with
					SHM_EXEC */
	FILTER_WORKLOAD_EFFECTS_JIT,
	FILTER_WORKLOAD_FULL_JIT,
	FILTER_WX, /* stacked on top where the kernel has no MDWE: mmap and mprotect with PROT_EXEC and
					PROT_WRITE, and any mprotect or pkey_mprotect to PROT_EXEC, EPERM */
	FILTER_SOCKETS, /* stacked on top where a named socket of the host could be seen: socket(AF_UNIX), and socketpair but for
					streams, EACCES */
	FILTER_WARDEN, /* what the warden does after the workload runs: no exec, no socket, no open for writing */
	FILTER_ROLE,   /* the small roles: read, write, poll, memory, exit */
	FILTER_READER, /* a role that reads the files it was granted: the same, opening for reading, listing */
	FILTER_KEEPER, /* one that keeps files for those who connect to it: the same, opening for writing, names of files and directories made,
			replaced and removed, syncs, accepting, messages */
	FILTER_RELAY, /* one that passes bytes between sockets: accepting, messages, epoll, splice */
	FILTER_SPEAKER, /* one that speaks for somebody who has a connection: receiving messages with descriptors, reading files that came so */
	FILTER_DIALER,   /* one that makes connections of TCP, and hands them on */
	FILTER_RESOLVER, /* one that asks name servers, by the C library: opening for reading, sockets of the internet */
	FILTER_TEMPLATE, /* an interpreter of which copies are made, and which runs no code itself: what a workload may, and what a copy needs to become one in its cell */
	FILTER_WATCHER, /* one that has the kernel watch cells: accepting, messages, maps of bpf(2) and what is attached, which namespace a descriptor is */
	FILTER_COUNT
};

/* The program of a shape; NULL is never returned. */
const struct sock_filter *filter_program(enum filter_shape shape, size_t *ret_len);

#endif
