#include "ebpf/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "ebpf/object.h"
#include "warden/calls.h"

static const char *const names[PROGRAMS] = { "entered", "left", "executed" };

/* What a failure means: the verifier's words are for us, and no user's. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

static int cannot(int r, struct err *e)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return err_why(e,
			       err_set(e, AMBIT_HOST,
				       "a kernel with CONFIG_DEBUG_INFO_BTF; --observe full does without",
				       "this host cannot observe by eBPF"),
			       "its kernel does not tell its types (/sys/kernel/btf/vmlinux)");
	if (r == -EPERM || r == -EACCES)
		return err_sys(
			e, AMBIT_HOST, -r,
			"as root, where the kernel is not locked down beyond `integrity`; --observe full does without",
			"this host does not let you load programs of eBPF");
	return err_sys(
		e, AMBIT_HOST, -r,
		"a kernel of 5.17 or later with CONFIG_BPF_SYSCALL and CONFIG_FTRACE_SYSCALLS; --observe full does without",
		"this host cannot observe by eBPF");
}

/* Which calls are seen, from the one table of them. */
static int put_calls(int table_fd)
{
	static struct seen_call rows[SEEN_CALLS_MAX];

	for (size_t i = 0; i < calls_n; i++) {
		const struct call *c = &calls[i];
		struct seen_call *row = &rows[c->nr < SEEN_CALLS_MAX ? c->nr : 0];

		if (c->how == AS_LINKED) /* for decoys, which are the eye's */
			continue;
		if (c->nr >= SEEN_CALLS_MAX || row->n == SEEN_ROWS_MAX)
			return -EINVAL;
		row->row[row->n++] = (struct seen_row){ .dir = c->dir,
							.path = c->path,
							.flags = c->how == AS_CONNECT ? SEEN_NO : c->flags,
							.is_address = c->how == AS_CONNECT,
							.call = (__u16)i };
	}
	for (uint32_t nr = 0; nr < SEEN_CALLS_MAX; nr++)
		if (rows[nr].n > 0 && bpf_map_update_elem(table_fd, &nr, &rows[nr], BPF_ANY) < 0)
			return -errno;
	return 0;
}

/* As the kernel numbers it, and not as stat(2) does. */
static uint64_t kernel_device(uint64_t device)
{
	return (uint64_t)major(device) << 20 | minor(device);
}

static int load(struct programs *p, uint64_t device)
{
	LIBBPF_OPTS(bpf_object_open_opts, how, .object_name = "ambit");
	struct bpf_object *o = bpf_object__open_mem(ebpf_object, ebpf_object_size, &how); /* kept for ever */
	struct bpf_map *constants;
	uint64_t *device_there;
	size_t size;
	int r;

	if (o == NULL)
		return -errno;
	constants = bpf_object__find_map_by_name(o, ".rodata");
	device_there = constants != NULL ? (uint64_t *)(uintptr_t)bpf_map__initial_value(constants, &size) : NULL;
	if (device_there == NULL || size < sizeof *device_there)
		return -EINVAL;
	*device_there = kernel_device(device); /* the one constant there is */
	r = bpf_object__load(o);
	if (r < 0)
		return r;
	for (size_t i = 0; i < PROGRAMS; i++)
		p->program_fd[i] = bpf_program__fd(bpf_object__find_program_by_name(o, names[i]));
	p->cells_fd = bpf_object__find_map_fd_by_name(o, "cells");
	p->rings_fd = bpf_object__find_map_fd_by_name(o, "rings");
	return put_calls(bpf_object__find_map_fd_by_name(o, "table"));
}

static void detach(struct programs *p)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		fd_close(&p->link_fd[i]);
}

/* BPF_RAW_TRACEPOINT_OPEN of a program that knows its tracepoint; the library would try other ways first, which the filter of this role does not know. */
static int attach(struct programs *p)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		union bpf_attr ask;

		memset(&ask, 0, sizeof ask);
		ask.raw_tracepoint.prog_fd = (__u32)p->program_fd[i];
		p->link_fd[i] = (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &ask, sizeof ask);
		if (p->link_fd[i] < 0) {
			const int r = -errno;

			p->link_fd[i] = -1;
			detach(p);
			return r;
		}
	}
	return 0;
}

static int make_ring(struct programs *p, uint32_t place)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ambit_ring", 0, 0, SEEN_RING_BYTES, NULL);
	int r = 0;

	if (fd >= 0 && bpf_map_update_elem(p->rings_fd, &place, &fd, BPF_ANY) < 0)
		r = -errno;
	if (fd < 0 || r < 0) {
		r = fd < 0 ? -errno : r;
		fd_close(&fd);
		return r;
	}
	p->ring_fd[place] = fd;
	return 0;
}

bool programs_prepare(struct programs *p)
{
	uint32_t ready = 0, place = SEEN_CELLS_MAX;

	for (uint32_t i = 0; i < SEEN_CELLS_MAX; i++) {
		ready += !p->used[i] && p->ring_fd[i] >= 0;
		if (!p->used[i] && p->ring_fd[i] < 0 && place == SEEN_CELLS_MAX)
			place = i;
	}
	/* what fails is tried again when one is needed, and told then */
	return ready < RINGS_READY && place < SEEN_CELLS_MAX && make_ring(p, place) == 0;
}

int programs_load(struct programs *p, uint64_t device, struct err *e)
{
	int r;

	for (size_t i = 0; i < PROGRAMS; i++)
		p->link_fd[i] = -1;
	for (size_t i = 0; i < SEEN_CELLS_MAX; i++)
		p->ring_fd[i] = -1;
	(void)libbpf_set_print(say_nothing);
	r = load(p, device);
	if (r == 0) {
		r = attach(p); /* what cannot be is told now */
		detach(p);
	}
	return r < 0 ? cannot(r, e) : 0;
}

/* One that is ready, or else any. */
static uint32_t free_place(const struct programs *p)
{
	uint32_t found = SEEN_CELLS_MAX;

	for (uint32_t i = 0; i < SEEN_CELLS_MAX; i++) {
		if (p->used[i])
			continue;
		if (p->ring_fd[i] >= 0)
			return i;
		found = found == SEEN_CELLS_MAX ? i : found;
	}
	return found;
}

int programs_watch(struct programs *p, uint32_t ns, uint32_t *ret_place, int *ret_ring, struct err *e)
{
	const uint32_t place = free_place(p);
	struct seen_cell cell = { .ring = place };
	int r = 0;

	if (place == SEEN_CELLS_MAX)
		return err_set(e, AMBIT_LIMIT, "try again when others have ended",
			       "%d cells are watched by eBPF already", SEEN_CELLS_MAX);
	if (p->ring_fd[place] < 0)
		r = make_ring(p, place);
	if (r == 0 && bpf_map_update_elem(p->cells_fd, &ns, &cell, BPF_NOEXIST) < 0)
		r = -errno;
	if (r == 0 && p->watched == 0) {
		r = attach(p);
		if (r < 0)
			(void)bpf_map_delete_elem(p->cells_fd, &ns); /* it is there */
	}
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, "--observe full does without", "cannot watch the cell by eBPF");
	p->used[place] = true;
	p->watched++;
	*ret_place = place;
	*ret_ring = p->ring_fd[place];
	return 0;
}

void programs_count(const struct programs *p, uint32_t ns, uint64_t *ret_put, uint64_t *ret_lost)
{
	struct seen_cell cell = { .put = 0 };

	(void)bpf_map_lookup_elem(p->cells_fd, &ns, &cell); /* it is there */
	*ret_put = cell.put;
	*ret_lost = cell.lost;
}

void programs_leave(struct programs *p, uint32_t ns, uint32_t place)
{
	if (--p->watched == 0)
		detach(p);
	(void)bpf_map_delete_elem(p->cells_fd, &ns); /* it is there */
	fd_close(&p->ring_fd[place]);                /* never used again: who read it may still have it */
	p->used[place] = false;
}
