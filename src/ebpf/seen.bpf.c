/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only (the helpers that read memory are for programs under the GPL)
 *
 * What runs in the kernel: at the entry of each system call, of the threads of watched cells alone, what the call acts on goes into the ring of that cell. It decides nothing, and changes nothing that a
 * program could notice.
 *
 * Holds:  a thread is of a cell if the pid namespace it lives in is one that the role `ambit-ebpf` watches (cells make none of their own), if it is not process 1 there, which is the warden, and if it has a
 *         filter: before that it is none of the workload's. Tracepoints come behind the filter, so what that refuses is not seen, as the eye does not see it either.
 *         Memory that is not there cannot be waited for here: who names something in such a page is looked at once more at the end of the call, when the kernel itself has read it.
 *         Where there is no room in a ring the record is lost, and counted.
 *
 * Linux 5.17 (bpf_loop; storage of threads 5.11, rings 5.8, tracepoints with types 5.5), with its types (CONFIG_DEBUG_INFO_BTF) and tracepoints of system calls (CONFIG_FTRACE_SYSCALLS). The structures are declared as far as they are used; where
 * their fields are the loader finds out (CO-RE). */
#include <asm/types.h>
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "warden/seen.h"

const char kernel_license[] SEC("license") = "GPL";

#define AT_FDCWD (-100)
#define SECCOMP_MODE_FILTER 2
#define ARGS 6
#define ROOM_MASK 0x1fff /* of the names behind a path: 4096 + 4096 */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
	unsigned int inum;
};
struct pid_namespace {
	unsigned int level;
	struct ns_common ns;
};
struct nsproxy {
	struct pid_namespace *pid_ns_for_children;
};
struct qstr {
	const unsigned char *name;
};
struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};
struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct fs_struct {
	struct path root, pwd;
};
struct file {
	struct path f_path;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct seccomp {
	int mode;
};
struct task_struct {
	struct nsproxy *nsproxy;
	struct fs_struct *fs;
	struct files_struct *files;
	struct seccomp seccomp;
};
struct linux_binprm {
	const char *filename;
	const char *fdpath; /* the same, of execveat(2) by a descriptor: "/dev/fd/N", and behind that what was given */
};
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, si, dx, r10, r8, r9;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	unsigned long regs[31];
};
struct pt_regs {
	unsigned long orig_x0;
	struct user_pt_regs user_regs;
};
#endif
#pragma clang attribute pop

/* ---- what the role gives and takes ---- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEEN_CALLS_MAX);
	__type(key, __u32);
	__type(value, struct seen_call);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SEEN_CELLS_MAX);
	__type(key, __u32); /* the pid namespace */
	__type(value, struct seen_cell);
} cells SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SEEN_RING_BYTES);
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SEEN_CELLS_MAX);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

const volatile __u64 ns_device = 0; /* of the file system of namespaces, as the kernel has it */

/* ---- what is kept between the programs ---- */

/* A call whose argument was not there. */
struct later {
	__u32 nr, rows; /* bits of those that are looked at again; 0: none is kept */
	__u64 args[ARGS + 2];
};
struct {
	__uint(type,
	       BPF_MAP_TYPE_TASK_STORAGE); /* a thread's own: an execution gives it another number, it may die of one, and nobody else's takes its place */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct later);
} later SEC(".maps");
__u64 n_later; /* that were ever put there: 0 costs nobody a look */

struct room {
	struct seen_record record;
	char bytes[ROOM_MASK + 1 + SEEN_NAME_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); /* tracepoints run without preemption */
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct room);
} rooms SEC(".maps");

/* ---- the directory that a relative path starts from, as d_path() has it ---- */

struct walk {
	struct dentry *dentry, *root;
	struct mount *mount, *root_mount;
	__u32 at;    /* in the room */
	__u32 ended; /* at the root */
};

static struct mount *mount_of(struct vfsmount *m)
{
	return (struct mount *)((char *)m - bpf_core_field_offset(struct mount, mnt));
}

/* One component, or the way from a mount to where it is mounted. 1: it is over. */
static long step(__u32 i, struct walk *w)
{
	struct dentry *dentry = w->dentry, *parent;
	struct mount *mount = w->mount;
	struct room *room;
	__u32 zero = 0;
	long n;

	(void)i;
	if (dentry == w->root && mount == w->root_mount) {
		w->ended = 1;
		return 1;
	}
	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		if (above == mount)
			return 1; /* not beneath this root */
		w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		w->mount = above;
		return 0;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry || w->at >= SEEN_PATH_MAX + SEEN_START_MAX - SEEN_NAME_MAX)
		return 1;
	room = bpf_map_lookup_elem(&rooms, &zero);
	if (room == NULL)
		return 1;
	n = bpf_probe_read_kernel_str(room->bytes + (w->at & ROOM_MASK), SEEN_NAME_MAX,
				      BPF_CORE_READ(dentry, d_name.name));
	if (n <= 0)
		return 1;
	w->at += (__u32)n;
	w->dentry = parent;
	return 0;
}

/* The file that is open by that number; NULL: none is. */
static struct file *file_of(struct task_struct *task, __u32 number)
{
	struct file **files, *file = NULL;

	if (number >= BPF_CORE_READ(task, files, fdt, max_fds))
		return NULL;
	files = BPF_CORE_READ(task, files, fdt, fd);
	return bpf_probe_read_kernel(&file, sizeof file, files + number) == 0 ? file : NULL;
}

/* Puts the names behind what is at `at`; how many bytes. */
static __u32 put_start(struct task_struct *task, __u64 dir, __u32 at, struct seen_record *r)
{
	struct walk w = { .at = at };
	struct dentry *dentry = NULL;
	struct vfsmount *mnt = NULL;
	struct file *file;

	if ((int)(__u32)dir == AT_FDCWD) {
		mnt = BPF_CORE_READ(task, fs, pwd.mnt);
		dentry = BPF_CORE_READ(task, fs, pwd.dentry);
	} else if ((file = file_of(task, (__u32)dir)) != NULL) {
		mnt = BPF_CORE_READ(file, f_path.mnt);
		dentry = BPF_CORE_READ(file, f_path.dentry);
	}
	if (mnt == NULL || dentry == NULL) {
		r->state |= SEEN_NOWHERE;
		return 0;
	}
	if (BPF_CORE_READ(dentry, d_hash.pprev) == NULL && BPF_CORE_READ(dentry, d_parent) != dentry)
		r->state |= SEEN_DELETED;
	w.dentry = dentry;
	w.mount = mount_of(mnt);
	w.root = BPF_CORE_READ(task, fs, root.dentry);
	w.root_mount = mount_of(BPF_CORE_READ(task, fs, root.mnt));
	bpf_loop(SEEN_DEPTH_MAX, step, &w, 0);
	if (!w.ended) {
		r->state |= SEEN_NOWHERE;
		return 0;
	}
	return w.at - at;
}

/* ---- one call ---- */

/* Every call of the host comes here: by one load of memory most others are out, by three more all but those in namespaces of processes. */
static __always_inline int may_be_watched(const struct task_struct *task)
{
	return task->seccomp.mode == SECCOMP_MODE_FILTER && task->nsproxy->pid_ns_for_children->level > 0;
}

static void put(struct seen_cell *cell, struct room *room, __u32 n)
{
	const __u32 which = cell->ring;
	void *ring = bpf_map_lookup_elem(&rings, &which);
	__u64 wake;

	n += sizeof room->record;
	if (ring == NULL || n > sizeof *room)
		return;
	wake = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= SEEN_WAKE_BYTES ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_output(ring, room, n, wake) == 0)
		__sync_fetch_and_add(&cell->put, 1);
	else
		__sync_fetch_and_add(&cell->lost, 1);
}

struct asked {
	struct task_struct *task;
	struct seen_cell *cell;
	const char *name; /* of the kernel's, in place of what the argument leads to; NULL */
	__u32 inum;
	__u16 state; /* of what is read */
	int last;    /* it is not looked at again */
	__u64 args[ARGS + 2];
};

static long read_argument(const struct asked *a, const struct seen_row *row, struct room *room)
{
	const void *from = (const void *)a->args[row->path & 7];
	__u64 n;

	if (a->name != NULL)
		return bpf_probe_read_kernel_str(room->bytes, SEEN_PATH_MAX + 1, a->name);
	if (!row->is_address)
		return bpf_probe_read_user_str(room->bytes, SEEN_PATH_MAX + 1, from);
	n = a->args[(row->path + 1) & 7];
	if (n > SEEN_ADDRESS_MAX)
		n = SEEN_ADDRESS_MAX;
	if (bpf_probe_read_user(room->bytes, n, from) < 0)
		return -1;
	return (long)n + 1; /* as with a NUL */
}

/* Whether it has to be looked at again. */
static int note(const struct asked *a, const struct seen_row *row)
{
	struct bpf_pidns_info ids;
	struct seen_record *r;
	struct room *room;
	__u32 zero = 0, length = 0, above = 0;
	long n;

	if (bpf_get_ns_current_pid_tgid(ns_device, a->inum, &ids, sizeof ids) != 0 || ids.tgid == 1)
		return 0;
	room = bpf_map_lookup_elem(&rooms, &zero);
	if (room == NULL)
		return 0;
	r = &room->record;
	r->thread = ids.pid;
	r->call = row->call;
	r->state = a->state;
	r->zero = 0;
	r->flags = row->flags == SEEN_NO ? 0 : a->args[row->flags & 7];
	n = read_argument(a, row, room);
	if (n <= 0 && !a->last)
		return 1;
	if (n <= 0 || n > SEEN_PATH_MAX)
		r->state |= SEEN_UNREAD;
	else
		length = (__u32)n - 1;
	if ((r->state & SEEN_UNREAD) == 0 && !row->is_address &&
	    (room->bytes[0] != '/' || (r->state & SEEN_BEHIND) != 0))
		above = put_start(a->task, row->dir == SEEN_NO ? (__u64)AT_FDCWD : a->args[row->dir & 7], length, r);
	r->length = (__u16)length;
	r->above = (__u16)above;
	put(a->cell, room, (length + above) & (2 * ROOM_MASK + 1));
	return 0;
}

static int watched(struct asked *a)
{
	a->task = bpf_get_current_task_btf();
	a->name = NULL;
	a->inum = a->task->nsproxy->pid_ns_for_children->ns.inum;
	a->cell = bpf_map_lookup_elem(&cells, &a->inum);
	return a->cell != NULL;
}

/* 0, or there is no room. */
static long keep(const struct asked *a, __u32 nr, __u32 rows)
{
	struct later *l = bpf_task_storage_get(&later, a->task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (l == NULL)
		return -1;
	l->nr = nr;
	l->rows = rows;
	for (int i = 0; i < ARGS; i++)
		l->args[i] = a->args[i];
	__sync_fetch_and_add(&n_later, 1);
	return 0;
}

static __always_inline void note_last(struct asked *a, const struct seen_call *call, __u32 rows)
{
	a->last = 1;
	for (__u32 i = 0; i < SEEN_ROWS_MAX; i++)
		if ((rows & 1u << i) != 0)
			(void)note(a, &call->row[i]);
}

/* By itself, so that the room for its arguments is made for nobody else. */
static __noinline int see(struct pt_regs *regs, __u32 nr, const struct seen_call *call)
{
	struct asked a = { .last = 0 };
	__u32 again = 0;

	if (!watched(&a))
		return 0;
#if defined(__TARGET_ARCH_x86)
	a.args[0] = regs->di;
	a.args[1] = regs->si;
	a.args[2] = regs->dx;
	a.args[3] = regs->r10;
	a.args[4] = regs->r8;
	a.args[5] = regs->r9;
#elif defined(__TARGET_ARCH_arm64)
	a.args[0] = regs->orig_x0;
	for (int i = 1; i < ARGS; i++)
		a.args[i] = regs->user_regs.regs[i];
#endif
	for (__u32 i = 0; i < SEEN_ROWS_MAX; i++)
		if (i < call->n && note(&a, &call->row[i]))
			again |= 1u << i;
	if (again != 0 && keep(&a, nr, again) != 0)
		note_last(&a, call, again);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(entered, struct pt_regs *regs, long id)
{
	const __u32 nr = (__u32)id;
	const struct seen_call *call;

	if (!may_be_watched(bpf_get_current_task_btf()))
		return 0;
	call = bpf_map_lookup_elem(&table, &nr);
	return call == NULL || call->n == 0 ? 0 : see(regs, nr, call);
}

static __noinline void look_again(const char *name, __u16 state)
{
	struct later *l = bpf_task_storage_get(&later, bpf_get_current_task_btf(), 0, 0);
	struct asked a = { .last = 1 };
	const struct seen_call *call;
	__u32 rows;

	if (l == NULL || l->rows == 0)
		return;
	rows = l->rows;
	call = bpf_map_lookup_elem(&table, &l->nr);
	for (int i = 0; i < ARGS; i++)
		a.args[i] = l->args[i];
	l->rows = 0;
	if (call == NULL || !watched(&a))
		return;
	a.name = name;
	a.state = state;
	note_last(&a, call, rows);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(left, struct pt_regs *regs, long ret)
{
	(void)regs;
	(void)ret;
	if (n_later != 0 && may_be_watched(bpf_get_current_task_btf()))
		look_again(NULL, SEEN_LATE);
	return 0;
}

/* After an execution that succeeded the memory of before is gone, and what the kernel read is left. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(executed, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	(void)task;
	(void)old_pid;
	if (n_later != 0 && may_be_watched(bpf_get_current_task_btf()))
		look_again(bprm->filename, bprm->fdpath != NULL ? SEEN_BEHIND : 0);
	return 0;
}
