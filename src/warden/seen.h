/* seen - what the kernel's programs leave of a call: the layout of their table, their records, and their counts.
 *
 * Holds:  the same for the programs (ebpf/seen.bpf.c), for the role that loads them, and for the reader (ring.h). The kernel writes all of it but what stands behind a record, which a workload chose.
 * Called: by all three; nothing but layout. */
#ifndef WARDEN_SEEN_H
#define WARDEN_SEEN_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define SEEN_CALLS_MAX 512 /* numbers of calls; the highest one that is seen is 452 */
#define SEEN_ROWS_MAX 2    /* of one call: a renaming has two */
#define SEEN_NO 9          /* CALL_NO of calls.h */
#define SEEN_PATH_MAX 4096 /* with its NUL; a longer one fails with ENAMETOOLONG */
#define SEEN_NAME_MAX 256  /* of one component, likewise */
#define SEEN_DEPTH_MAX 64  /* directories above a relative path, mounts counted too */
#define SEEN_START_MAX 4096
#define SEEN_ADDRESS_MAX 110
#define SEEN_RING_BYTES (1u << 20) /* of one cell; a record is 40 to 120 bytes, mostly. A power of two */
#define SEEN_WAKE_BYTES (SEEN_RING_BYTES / 4)

/* Of the table that the programs have, by the number of the call. */
struct seen_row {
	__u8 dir, path, flags; /* positions of arguments, or SEEN_NO */
	__u8 is_address;       /* a sockaddr, whose length is behind it */
	__u16 call;            /* its place in `calls` (calls.h) */
	__u16 zero;
};
struct seen_call {
	__u32 n;
	struct seen_row row[SEEN_ROWS_MAX];
};

enum seen_state {
	SEEN_UNREAD = 1,  /* what it names could not be read, neither before nor after the call */
	SEEN_NOWHERE = 2, /* relative to what is no directory, or is not beneath the root */
	SEEN_DELETED = 4, /* the directory that it starts from has no name any more */
	SEEN_BEHIND = 8,  /* the path is "/dev/fd/N", and behind that what was given */
	SEEN_LATE = 16,   /* it was read at the end of the call, which may have taken long */
};

/* What comes first behind it is the path or address, `length` bytes without a NUL; behind it, of a relative path, the names of the directory that it starts from, the last one first, each with a NUL. */
struct seen_record {
	__u64 flags;  /* the argument */
	__u32 thread; /* as the cell numbers it */
	__u16 call;   /* as seen_row */
	__u16 state;  /* bits of seen_state */
	__u16 length; /* of the path or address */
	__u16 above;  /* bytes of the names of directories */
	__u32 zero;
};

#define SEEN_CELLS_MAX 256 /* that are watched at once, by one person; each has a ring */

/* Of one cell, by its pid namespace. */
struct seen_cell {
	__u64 put;  /* records that are in its ring, or were */
	__u64 lost; /* that found no room there */
	__u32 ring; /* which */
	__u32 zero;
};

#endif
