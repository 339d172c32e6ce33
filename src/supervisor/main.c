/* The supervisor: holds the grants of one event and decides. Takes the request from the library, makes the cell, watches
 * it, bounds it, ends it, and tells how it went. It parses nothing but our own messages. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cell/property.h"
#include "core/endpoint.h"
#include "core/outcome.h"
#include "supervisor/bounds.h"
#include "supervisor/classify.h"
#include "supervisor/control.h"
#include "supervisor/delegate.h"
#include "supervisor/ebpf.h"
#include "supervisor/endpoints.h"
#include "supervisor/freeze.h"
#include "supervisor/identity.h"
#include "supervisor/judge.h"
#include "supervisor/logbook.h"
#include "supervisor/madefrom.h"
#include "supervisor/mounted.h"
#include "supervisor/network.h"
#include "supervisor/opened.h"
#include "supervisor/plan.h"
#include "supervisor/sibling.h"
#include "supervisor/spawn.h"
#include "supervisor/staging.h"
#include "supervisor/told.h"
#include "supervisor/tracing.h"
#include "warden/arena.h"
#include "warden/template.h"
#include "wire/wire.h"

#define LIBRARY_FD 3
#define END_PATIENCE_MS 100
#define DELEGATES_PATIENCE_MS 10000 /* of the library, which ends sub-agents; without it they end by themselves */
/* For a role of our own, whose memory and files are bounded by rlimits that it sets itself before it hears anybody: those that wait for a client are many,
 * and are to cost nothing. */
#define OWN_PERIOD_NS 500000000
#define OWN_POLLED 7 /* library, warden, timer, signals, the host's mounts, what is to stand still, what is opened */

struct supervisor {
	int lib;                 /* owned: the library; when it goes, the cell goes, unless it stays: -1 then */
	int cell;                /* owned: the warden */
	int pidfd;               /* owned: the warden's process */
	int tick;                /* owned: timer: deadline and sampling */
	int proc_fd, scratch_fd; /* owned: the cell's /proc, and its scratch file system */
	int mounts_fd;           /* owned: the cell's mount namespace (hold_mounts); -1 */
	int terminal_fd;         /* owned until handed to the library */
	int stdio_fd[3];
	int program_fd;
	int code_fd[2];                  /* of code: what becomes CELL_CODE_FD and CELL_RESULT_FD */
	int template_fd, template_pidfd; /* owned: of which its interpreter may be a copy; -1 */
	pid_t pid;
	pid_t companion; /* the command line, if it is that which asks; else 0 */
	enum wire_state state;
	struct identity identity;
	struct bounds bounds;
	struct event_request request;
	struct cell_spec spec;
	struct staging staging;
	struct network network;
	struct judge judge;
	struct control control;
	struct freeze freeze;
	struct delegates delegates;
	struct sibling_trees given; /* of a sub-agent */
	struct mounted mounted;     /* while the cell waits */
	struct opened opened;
	struct ebpf ebpf;
	struct logbook logbook;
	int unlogged; /* what the ledger did not take while it ran: its code, and why */
	struct err unlogged_why;
	struct rbuf program; /* encoded, as the library sent it */
	struct rbuf asked;   /* the same of what is recorded in its place */
	void *request_bytes; /* mapped */
	size_t request_size;
	void *arena;                      /* mapped, shared with the warden */
	uint64_t started_ns, deadline_ns; /* CLOCK_MONOTONIC; 0: none */
	uint64_t pinged_ns;
	struct event_outcome outcome;
	struct template_end
		copy; /* how the program ended; if that was a copy, what it used: process 1 did not wait for it */
	bool ended;
	bool waits;                      /* for what it is to run */
	bool is_template;                /* for ever: copies of what it started are made for others */
	bool stands;                     /* the cell, for that */
	bool warm;                       /* likewise, and the interpreter of code was started in it */
	struct rbuf started;             /* then: that, in the request of that time, which stays mapped */
	uint8_t made_from[SHA256_BYTES]; /* what the paths of one that waits led to */
	bool broken;                     /* what waited went: another is made when it is known for what */
	mechanism_set achieved;
	bool stays;        /* when the library goes */
	bool reached;      /* by its owner, while it runs */
	bool told_stopped; /* the library, which has said nothing since */
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	uint8_t description[CELL_SPEC_ENCODED_MAX + CELL_PROGRAM_MAX]; /* of the cell, before it is sealed */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* That it is frozen goes with the event; whoever froze its session, or everything, keeps that. */
static void forget_frozen(const struct supervisor *s)
{
	char place[GRANT_OBJECT_MAX];

	if ((s->freeze.times > 0 || s->freeze.is_wanted) && frozen_place(s->request.store, place))
		(void)frozen_remove(place, s->request.event, NULL); /* it says nothing of an event that is over */
}

_Noreturn static void refuse(struct supervisor *s, const struct err *e)
{
	auto_buf b = { .max = 0 };

	logbook_refuse(&s->logbook, e);
	buf_init(&b, 2048);
	wire_put_error(&b, e);
	(void)wire_send(s->lib, WIRE_EVENT_FAILED, &b, NULL, 0); /* if the library is gone, nobody asks */
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL); /* our own child, not yet reaped: the number is its */
		(void)waitpid(s->pid, NULL, 0);
	}
	fd_close(&s->mounts_fd);
	staging_drop(&s->staging);
	network_finish(&s->network);
	forget_frozen(s);
	(void)bounds_finish(&s->bounds, NULL); /* what is left, a later event sweeps */
	_exit(1);
}

static int map_request(struct supervisor *s, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > REQUEST_BYTES_MAX)
		return err_set(e, AMBIT_PROTOCOL, NULL, "request: of no possible size");
	if ((fcntl(fd, F_GET_SEALS) & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
		return err_set(e, AMBIT_PROTOCOL, NULL, "request: not sealed");
	s->request_size = (size_t)st.st_size;
	s->request_bytes = mmap(NULL, s->request_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (s->request_bytes == MAP_FAILED)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot read the request");
	return 0;
}

/* Who made the library's end of the connection, by the kernel's word; 0: not of this pid namespace. */
static pid_t peer_pid(int sock)
{
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof peer;

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? 0 : peer.pid;
}

/* EVENT_START's and EVENT_GO's: the request's memory file, and what travels with it. */
static int take_descriptors(struct supervisor *s, struct wire_message *m, int *ret_ledger_fd, struct err *e)
{
	const uint32_t present = rbuf_u32(&m->body), asks = rbuf_u32(&m->body);
	size_t next = 1;

	for (unsigned i = 0; i < 3; i++)
		if ((present & 1u << i) != 0 && next < m->n_fds)
			s->stdio_fd[i] = steal_fd(&m->fds[next++]);
	if ((present & EVENT_HAS_PROGRAM) != 0 && next < m->n_fds)
		s->program_fd = steal_fd(&m->fds[next++]);
	if ((present & EVENT_HAS_LEDGER) != 0 && next < m->n_fds)
		*ret_ledger_fd = steal_fd(&m->fds[next++]);
	if ((present & EVENT_HAS_NETWORK) != 0 && next + 1 < m->n_fds) {
		s->network.relay = steal_fd(&m->fds[next++]);
		s->network.dialer = steal_fd(&m->fds[next++]);
	}
	for (unsigned i = 0; i < 2 && (present & EVENT_HAS_CODE) != 0 && next < m->n_fds; i++)
		s->code_fd[i] = steal_fd(&m->fds[next++]);
	if ((present & EVENT_HAS_TEMPLATE) != 0 && next + 1 < m->n_fds) {
		s->template_fd = steal_fd(&m->fds[next++]);
		s->template_pidfd = steal_fd(&m->fds[next++]);
	}
	if (next != m->n_fds)
		return err_set(e, AMBIT_PROTOCOL, NULL, "request: descriptors do not match");
	s->stays = (asks & EVENT_STAYS) != 0;
	s->reached = (asks & EVENT_REACHED) != 0;
	s->waits = (asks & EVENT_WAITS) != 0;
	s->is_template = s->waits && (asks & EVENT_TEMPLATE) != 0;
	if ((asks & EVENT_COMMAND_LINE) != 0)
		s->companion = peer_pid(s->lib);
	return 0;
}

/* Leaves the cursor at the program. */
static int read_request(struct supervisor *s, struct event_request *ret, struct err *e)
{
	uint32_t n;
	int r;

	rbuf_init(&s->program, s->request_bytes, s->request_size);
	r = request_decode(&s->program, ret, e);
	if (r < 0)
		return r;
	s->asked = s->program;
	if (ret->kind == KIND_RUN)
		return 0;
	n = rbuf_u32(&s->program);
	rbuf_init(&s->asked, rbuf_bytes(&s->program, n), n);
	return s->program.failed ? err_set(e, AMBIT_PROTOCOL, NULL, "request: what is recorded of the code is missing")
				 : 0;
}

static int take_request(struct supervisor *s, struct wire_message *m, struct err *e)
{
	auto_fd int ledger_fd = -1;
	int r = take_descriptors(s, m, &ledger_fd, e);

	r = r < 0 ? r : map_request(s, m->fds[0], e);
	if (r < 0)
		return r;
	r = read_request(s, &s->request, e);
	if (r < 0)
		return r;
	s->warm = s->waits && s->request.kind != KIND_RUN;
	s->started = s->program;
	logbook_init(&s->logbook, steal_fd(&ledger_fd), &s->request);
	return s->waits ? 0 : logbook_ask(&s->logbook, s->asked, e);
}

/* A sealed file that both sides map: what was checked stays what it was. */
static int memory_file(const char *name, const void *bytes, size_t n, int *ret_fd, struct err *e)
{
	auto_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && bytes == NULL)
		r = ftruncate(fd, (off_t)n) < 0 ? -errno : 0;
	else if (r == 0)
		r = fd_write_all(fd, bytes, n);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | (bytes != NULL ? F_SEAL_WRITE : 0)) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot make the memory file %s", name);
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int describe(struct supervisor *s, int *ret_fd, struct err *e)
{
	struct buf b;

	buf_init_in(&b, s->description, sizeof s->description);
	spec_encode(&s->spec, &b);
	buf_put(&b, s->program.data + s->program.at, rbuf_left(&s->program));
	if (b.failed)
		return err_set(e, AMBIT_LIMIT, NULL, "the description of the cell does not fit");
	return memory_file("ambit-cell", b.data, b.len, ret_fd, e);
}

static int make_arena(struct supervisor *s, int *ret_fd, struct err *e)
{
	auto_fd int fd = -1;
	const int r = memory_file("ambit-effects", NULL, ARENA_BYTES, &fd, e);

	if (r < 0)
		return r;
	s->arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s->arena == MAP_FAILED)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make room for effects");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Behind the other descriptors of a message to the warden; so the next. Returns how many there are then. */
static size_t put_stdio(const struct supervisor *s, int *fds, size_t n, uint32_t *present)
{
	for (unsigned i = 0; i < 3; i++)
		if (s->stdio_fd[i] >= 0) {
			*present |= 1u << i;
			fds[n++] = s->stdio_fd[i];
		}
	return n;
}

static size_t put_code(const struct supervisor *s, int *fds, size_t n, uint32_t *present)
{
	if (s->code_fd[0] < 0)
		return n;
	*present |= CELL_HAS_CODE;
	fds[n] = s->code_fd[0];
	fds[n + 1] = s->code_fd[1];
	return n + 2;
}

/* The cell has them, or nobody. */
static void close_streams(struct supervisor *s)
{
	for (size_t i = 0; i < 3; i++)
		fd_close(&s->stdio_fd[i]);
	for (size_t i = 0; i < 2; i++)
		fd_close(&s->code_fd[i]);
}

static int send_build(struct supervisor *s, struct err *e)
{
	auto_fd int spec_fd = -1, arena_fd = -1;
	int fds[FD_PASS_MAX];
	size_t n = 2;
	uint32_t present = 0;
	uint8_t body[8];
	struct buf b;
	int r = describe(s, &spec_fd, e);

	r = r < 0 ? r : make_arena(s, &arena_fd, e);
	if (r < 0)
		return r;
	fds[0] = spec_fd;
	fds[1] = arena_fd;
	n = put_stdio(s, fds, n, &present);
	if (s->program_fd >= 0) {
		present |= CELL_HAS_PROGRAM;
		fds[n++] = s->program_fd;
	}
	if (s->waits && !s->warm)
		present |= CELL_PROGRAM_LATER;
	n = put_code(s, fds, n, &present);
	if ((s->spec.flags & CELL_COPIED) != 0) {
		present |= CELL_HAS_TEMPLATE;
		fds[n++] = s->template_fd;
	}
	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, present);
	buf_put_u32(&b, 0);
	if (request_shares_trees(&s->request))
		r = identity_send_given(&s->given, &s->request.grants, &s->spec, s->cell, e);
	else
		r = identity_send_trees(&s->identity, &s->spec, s->cell, e);
	if (r < 0)
		return r;
	r = wire_send(s->cell, WIRE_CELL_BUILD, &b, fds, n);
	(void)fd_set_nonblock(s->cell, true); /* a warden that does not read must not hold the supervisor up */
	close_streams(s);
	fd_close(&s->program_fd);
	fd_close(&s->template_fd);
	fd_close(&s->template_pidfd);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the warden ended while it was told what to build") : 0;
}

/* The warden lies beside the supervisor. */
static int open_warden(int *ret_fd, struct err *e)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof "ambit-warden");
	char *slash;

	path[n < 0 ? 0 : n] = 0;
	slash = strrchr(path, '/');
	if (slash != NULL)
		memcpy(slash + 1, "ambit-warden", sizeof "ambit-warden"); /* room was left for it */
	*ret_fd = open(path, O_PATH | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, "the installation is incomplete: reinstall Ambit",
				     "cannot open %s", path)
			   : 0;
}

/* A template is the caller's own, and would have its copies counted where it is itself: so none for another id, and none where a cgroup counts. */
static bool can_be_copied(const struct supervisor *s)
{
	const mechanism_set counted = MECHANISM_BIT(MECHANISM_CGROUP_MEMORY) | MECHANISM_BIT(MECHANISM_CGROUP_TASKS);

	return s->template_fd >= 0 && s->template_pidfd >= 0 && s->identity.outside_uid == geteuid() &&
	       bounds_clone_fd(&s->bounds) < 0 && (bounds_mechanisms(&s->bounds) & counted) == 0;
}

static int make_cell(struct supervisor *s, struct err *e)
{
	struct spawn spawn = { .inside_uid = s->identity.inside_uid,
			       .inside_gid = s->identity.inside_gid,
			       .outside_uid = s->identity.outside_uid,
			       .outside_gid = s->identity.outside_gid,
			       .beneath_pidfd = can_be_copied(s) ? s->template_pidfd : -1,
			       .has_more = s->is_template };
	auto_fd int exe = -1;
	bool inside = false;
	int pair[2], r;

	r = open_warden(&exe, e);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for the warden");
	s->cell = pair[0];
	spawn.warden_exe_fd = exe;
	spawn.sock = pair[1];
	spawn.cgroup_fd = bounds_clone_fd(&s->bounds);
	bounds_enter(&s->bounds);
	r = spawn_warden(&spawn, &s->pid, &s->pidfd, &inside, e);
	if (r < 0 &&
	    spawn.beneath_pidfd >= 0) { /* the template went, or this host does not let it: that costs time alone */
		spawn.beneath_pidfd = -1;
		r = spawn_warden(&spawn, &s->pid, &s->pidfd, &inside, e);
	}
	if (bounds_leave(&s->bounds, r < 0 ? NULL : e) < 0 && r == 0)
		r = -AMBIT_SYSTEM;
	if (r == 0 && inside)
		bounds_cloned(&s->bounds);
	if (r == 0)
		bounds_place(&s->bounds, s->pid); /* in what it was not born in */
	/* not before: the child writes its id maps while it shares our memory, and a process that cannot be dumped does not
	 * own its files in /proc */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)close(pair[1]);
	if ((bounds_mechanisms(&s->bounds) & MECHANISM_BIT(MECHANISM_CGROUP_MEMORY)) != 0)
		s->spec.flags |= CELL_MEMORY_EXACT;
	if (spawn.beneath_pidfd >= 0)
		s->spec.flags |= CELL_COPIED;
	return r < 0 ? r : send_build(s, e);
}

/* What the wall must hold and does not: the event is refused, unless the operator gave the property up by name. */
static int check_wall(const struct supervisor *s, mechanism_set achieved, struct err *e)
{
	for (unsigned p = 0; p < PROPERTY_COUNT; p++) {
		enum mechanism missing;

		if ((s->request.without & 1u << p) != 0 || property_held_by((enum property)p, achieved) != 0)
			continue;
		if (p == PROPERTY_SOCKETS && spec_has_sockets(&s->spec))
			return told_sockets(&s->spec, e);
		missing = property_missing((enum property)p, achieved);
		return err_set(e, AMBIT_HOST, mechanism_hint(missing), "this host cannot hold '%s' (%s): %s",
			       property_word((enum property)p), property_text((enum property)p),
			       mechanism_missing(missing));
	}
	return 0;
}

/* Of a template they hold by its copies, each of which is under the rules of its own cell. */
static const mechanism_set landlock_mechanisms = MECHANISM_BIT(MECHANISM_LANDLOCK) |
						 MECHANISM_BIT(MECHANISM_LANDLOCK_SCOPE) |
						 MECHANISM_BIT(MECHANISM_LANDLOCK_UNIX) |
						 MECHANISM_BIT(MECHANISM_LANDLOCK_LAYER);

static mechanism_set own_mechanisms(const struct supervisor *s)
{
	return MECHANISM_BIT(MECHANISM_LIFELINE) | MECHANISM_BIT(MECHANISM_DEADLINE) |
	       MECHANISM_BIT(MECHANISM_FILE_SIZE) | MECHANISM_BIT(MECHANISM_RLIMIT_TASKS) |
	       MECHANISM_BIT(MECHANISM_SECCOMP) | bounds_mechanisms(&s->bounds) |
	       (s->identity.outside_uid != 0 ? MECHANISM_BIT(MECHANISM_OTHER_UID) : 0);
}

static void tell_listening(struct supervisor *s)
{
	uint8_t body[8 * LINK_LISTENS_MAX];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	network_put_ports(&s->network, &b);
	if (b.len > 0)
		(void)wire_send(s->lib, WIRE_EVENT_LISTENING, &b, NULL, 0); /* its end shows by itself */
}

static void tell_started(struct supervisor *s, mechanism_set achieved)
{
	uint8_t body[16];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u64(&b, achieved);
	buf_put_u64(&b, (s->spec.flags & CELL_COPIED) != 0);
	(void)wire_send(s->lib, WIRE_EVENT_STARTED, &b, &s->terminal_fd,
			s->terminal_fd >= 0 ? 1 : 0); /* its end shows by itself */
	fd_close(&s->terminal_fd);
}

/* Its owner can reach it by now: who froze before this looks has left a word, and who freezes later finds it. */
static int check_frozen(const struct supervisor *s, struct err *e)
{
	char place[GRANT_OBJECT_MAX];

	if (s->freeze.is_wanted)
		return err_set(e, AMBIT_FROZEN, "run it again when it is thawed",
			       "the event was frozen before it began");
	if (!s->reached || !frozen_place(s->request.store, place))
		return 0;
	return frozen_refuse(place, s->request.session, s->request.parent, e);
}

/* What nobody in the cell is to touch, before anything that was asked for runs there. */
static int send_decoys(struct supervisor *s)
{
	const struct event_request *q = &s->request;
	auto_buf b = { .max = WIRE_BODY_MAX };

	if (q->n_decoys == 0)
		return 0;
	if (q->staged != 0)
		opened_watch(&s->opened, q, s->proc_fd);
	buf_put_u32(&b, q->canary >= POLICY_CANARY_KILL);
	buf_put_u32(&b, q->n_decoys);
	for (uint32_t i = 0; i < q->n_decoys; i++) {
		buf_put_u64(&b, q->decoy_sizes[i]);
		buf_put_str(&b, q->decoys[i]);
	}
	return b.failed ? -ENOMEM : wire_send(s->cell, WIRE_CELL_DECOYS, &b, NULL, 0);
}

/* Before its program starts, and after all else that could hinder it. */
static int have_watched(struct supervisor *s, struct err *e)
{
	auto_fd int ring_fd = -1;
	int r;

	if ((s->spec.flags & CELL_UNASKED) == 0)
		return 0;
	if (s->ebpf.watches) /* since its interpreter started, which may be long ago */
		return ebpf_is_there(&s->ebpf) ? 0
					       : err_set(e, AMBIT_GONE, "try again: another is started",
							 "what observes by eBPF ended while the cell waited");
	if (s->ebpf.sock < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "request: nobody is there to observe by eBPF");
	r = ebpf_watch(&s->ebpf, s->proc_fd, &ring_fd, e);
	if (r < 0)
		return r;
	r = wire_send(s->cell, WIRE_CELL_RING, NULL, &ring_fd, 1);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the warden ended before it was told where to read") : 0;
}

static int run(struct supervisor *s, struct err *e)
{
	int r = check_frozen(s, e);

	r = r < 0 ? r : have_watched(s, e);

	r = r < 0 ? r : logbook_start(&s->logbook, s->achieved, e);
	if (r < 0)
		return r;
	r = send_decoys(s);
	if (r < 0)
		return err_sys(e, AMBIT_GONE, -r, NULL, "the warden was not told of the canaries");
	r = s->warm ? 0 : wire_send(s->cell, WIRE_CELL_GO, NULL, NULL, 0);
	if (r < 0)
		return err_sys(e, AMBIT_GONE, -r, NULL, "the warden ended before the program was started");
	tell_listening(s);
	tell_started(s, s->achieved);
	s->state = WIRE_RUNNING;
	s->delegates.lib = s->lib;
	s->delegates.proc_fd = s->proc_fd;
	s->delegates.mounts_fd = s->mounts_fd;
	s->delegates.uid = s->identity.outside_uid;
	s->delegates.q = &s->request;
	s->delegates.spec = &s->spec;
	s->delegates.withdrawn = s->control.withdrawn;
	return 0;
}

/* The kernel takes a mount namespace down with the last process in it, and that process has not ended before: up to a millisecond, in which it waits for all processors. A cell
 * whose processes are gone is dead without that. So it is held until everything is told; where it cannot be, it takes as long. */
static void hold_mounts(struct supervisor *s)
{
	s->mounts_fd = openat(s->proc_fd, "1/ns/mnt", O_RDONLY | O_CLOEXEC);
}

static int on_built(struct supervisor *s, struct wire_message *m, struct err *e)
{
	const mechanism_set achieved = rbuf_u64(&m->body);
	int r;

	s->proc_fd = steal_fd(&m->fds[0]); /* two or three: the table says so */
	s->scratch_fd = steal_fd(&m->fds[1]);
	if (m->n_fds > 2)
		s->terminal_fd = steal_fd(&m->fds[2]);
	if (s->terminal_fd >= 0)
		pty_apply(&s->request.terminal, s->terminal_fd);
	r = bounds_watch(&s->bounds,
			 &(struct bounds_watch_ask){ .proc_fd = s->proc_fd,
						     .scratch_fd = s->scratch_fd,
						     .stage_fd = s->staging.stage.part_fd,
						     .n_stages = s->staging.store != NULL ? s->spec.n_stages : 0,
						     .jit = (s->spec.flags & CELL_JIT) != 0 },
			 e);
	if (r < 0)
		return r;
	hold_mounts(s);
	s->achieved = achieved | own_mechanisms(s);
	r = check_wall(s, s->achieved | (s->is_template ? landlock_mechanisms : 0), e);
	if (r < 0)
		return r;
	if (!s->waits)
		return run(s, e);
	s->stands = true;
	if (s->warm) { /* its interpreter starts now */
		r = have_watched(s, e);
		if (r < 0)
			return r;
	}
	if (!s->is_template) /* of which there may be copies in events that run: it has what the host unmounts for as long as it is used */
		mounted_look(&s->mounted, s->proc_fd);
	r = s->warm ? wire_send(s->cell, WIRE_CELL_GO, NULL, NULL, 0) : 0;
	r = r < 0 ? r : wire_send(s->lib, WIRE_EVENT_READY, NULL, &s->pidfd, s->is_template ? 1 : 0);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "who asked for the cell went") : 0;
}

/* As the library sent it: behind the two counts (program_encode). */
static const char *program_path(const struct supervisor *s, char *room, size_t size)
{
	struct rbuf r = s->program;

	(void)rbuf_u32(&r);
	(void)rbuf_u32(&r);
	rbuf_str(&r, room, size);
	return r.failed ? "the program" : room;
}

static int on_failed(struct supervisor *s, struct wire_message *m, struct err *e)
{
	char room[GRANT_OBJECT_MAX];
	const uint32_t step = rbuf_u32(&m->body), sys_errno = rbuf_u32(&m->body), index = rbuf_u32(&m->body);

	return told_failure(&s->spec, program_path(s, room, sizeof room), step, (int)sys_errno, index, e);
}

static void on_ended(struct supervisor *s, struct wire_message *m)
{
	template_end_decode(&m->body, &s->copy);
	bounds_add_written(&s->bounds, s->copy.written_bytes);
	s->outcome.status = (int)(s->copy.status & 0xffff);
	s->outcome.cause = CAUSE_EXITED;
	s->ended = true;
}

/* Once until the library says something: a library that does not listen (it was stopped itself) must not hold us up. */
static void tell_stopped(struct supervisor *s)
{
	if (!s->told_stopped)
		(void)wire_send(s->lib, WIRE_EVENT_STOPPED, NULL, NULL,
				0); /* a library that is gone is seen elsewhere */
	s->told_stopped = true;
}

/* The warden is asked first, by the end of its connection: it kills the rest of the cell, and then goes. Killed itself, its listener
 * would close while the others still run, and what they were asking would be answered with ENOSYS. One that does not hear is
 * process 1 all the same: everything in the cell goes with it. */
static void end_cell(struct supervisor *s, enum event_cause cause)
{
	struct pollfd warden = { .fd = s->pidfd, .events = POLLIN };

	if (s->ended)
		return;
	s->ended = true;
	s->outcome.cause = cause;
	if (cause != CAUSE_LOST && shutdown(s->cell, SHUT_WR) == 0)
		(void)poll(&warden, 1, END_PATIENCE_MS); /* interrupted or not, it is killed next */
	(void)kill(s->pid, SIGKILL);
}

/* What waited is gone, or not what it was: whoever comes for it gets another. */
static void lose_waiting(struct supervisor *s)
{
	s->broken = true;
	mounted_finish(&s->mounted);
	fd_close(&s->mounts_fd); /* or what is mounted there stays so */
	fd_close(&s->cell);
	(void)kill(s->pid, SIGKILL);
	s->ended = s->is_template; /* for which nobody comes */
}

/* Nobody's event has them yet, so they would be busy for nothing. */
static void on_mounts(struct supervisor *s)
{
	if (s->mounted.fd >= 0 && !mounted_are_there(&s->mounted))
		lose_waiting(s);
}

/* ---- standing still ---- */

static void tell_frozen(struct supervisor *s)
{
	uint8_t body[12];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, s->freeze.is_true);
	buf_put_u64(&b, freeze_total_ms(&s->freeze, now_ns()));
	(void)wire_send(s->lib, WIRE_EVENT_FROZEN, &b, NULL, 0); /* if nobody listens, nobody asks */
}

static void say_held(struct supervisor *s, enum reach_held_result result)
{
	control_held(
		&s->control,
		&(struct reach_held){ .result = result, .threads = s->freeze.threads, .running = s->freeze.running });
}

static void look_whether_frozen(struct supervisor *s)
{
	uint64_t times;

	(void)!read(s->freeze.timer_fd, &times, sizeof times);
	if (!freeze_look(&s->freeze, s->cell, s->proc_fd, now_ns()))
		return;
	say_held(s, s->freeze.is_true ? REACH_HELD : REACH_LATE);
	if (!s->freeze.is_true || s->freeze.is_told)
		return;
	s->freeze.is_told = true;
	tell_frozen(s);
	if (s->unlogged == 0)
		s->unlogged = logbook_freeze(&s->logbook, &s->freeze.why, s->freeze.threads, &s->unlogged_why);
}

static void on_held(struct supervisor *s)
{
	s->freeze.is_asked = false;
	if (s->freeze.is_wanted)
		look_whether_frozen(s);
}

static void freeze(struct supervisor *s, uid_t by, const char *reason)
{
	const bool again = s->freeze.is_wanted;

	if (!again) {
		s->freeze.why = (struct frozen){ .since_ms = clock_unix_ms(), .by = by };
		(void)text_copy(s->freeze.why.reason, sizeof s->freeze.why.reason, reason); /* same size */
	}
	if (s->state != WIRE_RUNNING) { /* and so nothing will (check_frozen) */
		s->freeze.is_wanted = true;
		say_held(s, REACH_HELD);
	} else if (!again) {
		network_still(&s->network, true);
		freeze_begin(&s->freeze, s->cell, now_ns());
		network_stands(&s->network); /* while the warden is at work */
	} else if (s->freeze.is_true || s->freeze.is_late) {
		say_held(s, s->freeze.is_true ? REACH_HELD : REACH_LATE);
	}
}

/* What it is given of time, it is given while it runs. */
static void thaw(struct supervisor *s, uid_t by)
{
	uint64_t stood_ns;

	if (!s->freeze.is_wanted) {
		say_held(s, REACH_NOT_HELD);
		return;
	}
	if (s->state == WIRE_RUNNING)
		network_still(&s->network, false);
	stood_ns = s->state == WIRE_RUNNING ? freeze_end(&s->freeze, s->cell, now_ns()) : 0;
	s->freeze.is_wanted = false;
	if (s->deadline_ns != 0)
		s->deadline_ns += stood_ns;
	if (s->state == WIRE_RUNNING)
		tell_frozen(s);
	if (s->state == WIRE_RUNNING && s->unlogged == 0)
		s->unlogged = logbook_thaw(&s->logbook, by, stood_ns / 1000000, &s->unlogged_why);
	say_held(s, REACH_LET_GO);
}

/* What has ended is answered when nothing of it is left. */
static void on_order(void *user, enum control_order order, uid_t by, const char *reason)
{
	struct supervisor *s = user;

	if (s->ended)
		return;
	switch (order) {
	case CONTROL_FREEZE: freeze(s, by, reason); break;
	case CONTROL_THAW: thaw(s, by); break;
	case CONTROL_KILL: end_cell(s, CAUSE_KILLED); break;
	}
}

/* The warden's word, which can end no cell but its own, or the kernel's. */
static void on_touched(struct supervisor *s, uint64_t which)
{
	const uint32_t n = s->request.n_decoys;

	s->outcome.canaries |= which & (n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX);
	if (s->outcome.canaries != 0 && s->request.canary >= POLICY_CANARY_KILL)
		end_cell(s, CAUSE_CANARY);
}

/* What listens in the cell is heard by those outside for whom it was made. */
static int on_endpoints(struct supervisor *s, struct wire_message *m, struct err *e)
{
	const uint32_t first = rbuf_u32(&m->body);
	int r = 0;

	for (size_t k = 0; k < m->n_fds && r == 0; k++) {
		enum cell_listening how;
		uint32_t i;

		if (first < CELL_SOCKETS_MAX && spec_listener(&s->spec, first + (uint32_t)k, &i, &how) &&
		    how == CELL_LISTENS_PATH && endpoints_is_delegate(&s->spec, i))
			delegates_listen(&s->delegates, &m->fds[k]);
		else
			r = network_listen(&s->network, &s->spec, first + (uint32_t)k, &m->fds[k], 1, e);
	}
	return r;
}

static void on_cell(struct supervisor *s)
{
	struct err e;
	auto_message m = { .n_fds = 0 };
	int r = wire_receive(s->cell, WIRE_WARDEN, s->state, s->room, sizeof s->room, &m);

	if (s->waits && s->stands) {
		lose_waiting(s); /* whatever it says: nothing was to be said */
		return;
	}
	if (r <= 0) {
		err_set(&e, AMBIT_GONE, "see the kernel's log", "the warden ended before the cell was built");
		if (s->state == WIRE_BUILDING)
			refuse(s, &e);
		end_cell(s, CAUSE_LOST);
		return;
	}
	r = 0;
	if (m.number == WIRE_CELL_BUILT)
		r = on_built(s, &m, &e);
	else if (m.number == WIRE_CELL_ENDPOINTS)
		r = on_endpoints(s, &m, &e);
	else if (m.number == WIRE_CELL_POOL)
		r = network_pool(&s->network, m.fds, m.n_fds, &e);
	else if (m.number == WIRE_CELL_FAILED)
		r = on_failed(s, &m, &e);
	else if (m.number == WIRE_CELL_STOPPED)
		tell_stopped(s);
	else if (m.number == WIRE_CELL_ENDED)
		on_ended(s, &m);
	else if (m.number == WIRE_CELL_HELD)
		on_held(s);
	else if (m.number == WIRE_CELL_TOUCHED)
		on_touched(s, rbuf_u64(&m.body));
	if (r < 0)
		refuse(s, &e);
}

static void on_tick(struct supervisor *s)
{
	uint64_t times;

	(void)!read(s->tick, &times, sizeof times);
	if (now_ns() - s->pinged_ns >= WIRE_PING_MS * UINT64_C(1000000)) {
		s->pinged_ns = now_ns();
		(void)wire_send(s->cell, WIRE_CELL_PING, NULL, NULL,
				0); /* one that is gone or stuck is seen elsewhere */
	}
	if (s->freeze.is_wanted) /* it takes nothing, and its time does not run */
		return;
	if (s->deadline_ns != 0 && now_ns() >= s->deadline_ns) {
		s->outcome.limit = LIMIT_WALL;
		end_cell(s, CAUSE_LIMIT);
	} else if (s->state == WIRE_RUNNING && bounds_tick(&s->bounds, now_ns(), &s->outcome.limit) == 1) {
		end_cell(s, CAUSE_LIMIT);
	} else if (s->warm && s->stands && !s->broken && bounds_tick(&s->bounds, now_ns(), &s->outcome.limit) == 1) {
		lose_waiting(s);
	}
}

static int start_timer(struct supervisor *s, struct err *e)
{
	const uint64_t wall_ms = s->waits ? 0 : s->request.limits.value[LIMIT_WALL];
	const bool is_own = s->request.own != 0 && s->request.parent[0] == 0;
	const struct timespec period = { .tv_nsec = is_own || s->waits ? OWN_PERIOD_NS : BOUNDS_PERIOD_NS };
	const struct itimerspec when = { .it_value = period, .it_interval = period };

	if (s->tick < 0)
		s->tick = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->started_ns = now_ns();
	if (s->tick < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set a timer");
	if (wall_ms > UINT64_MAX / 1000000 - s->started_ns / 1000000)
		return err_set(e, AMBIT_LIMIT, NULL, "limit wall is out of range");
	if (wall_ms != 0)
		s->deadline_ns = s->started_ns + wall_ms * 1000000;
	return timerfd_settime(s->tick, 0, &when, NULL) < 0
		       ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set a timer")
		       : 0;
}

/* A stopped warden would hold the cell up for ever, and nothing but somebody outside can have stopped it. */
static bool warden_is_stopped(const struct supervisor *s)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PIDFD, (id_t)s->pidfd, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

static void on_signal(struct supervisor *s, int signal_fd)
{
	struct signalfd_siginfo seen;

	(void)!read(signal_fd, &seen, sizeof seen);
	delegates_reap(&s->delegates);
	if (warden_is_stopped(s) && s->waits)
		lose_waiting(s);
	else if (warden_is_stopped(s))
		end_cell(s, CAUSE_LOST);
}

/* What the authority closes (judge.h). A port of the host's cannot be: with it goes the cell. */
static int withdraw_for_judge(void *user, uint32_t grant)
{
	struct supervisor *s = user;

	if (!s->judge.grants[grant].asks) { /* else it goes on by a person's yes */
		s->control.n_withdrawn += !s->control.withdrawn[grant];
		s->control.withdrawn[grant] = true;
	}
	if (s->request.grants.grants[grant].verb == VERB_CONNECT)
		return network_ask(&s->network, &s->spec, &s->request.grants, grant, 0, true);
	end_cell(s, CAUSE_KILLED);
	return 0;
}

static void on_judge_answered(void *user)
{
	judge_withdrawn(&((struct supervisor *)user)->judge);
}

/* Once for each grant, so that a library that does not read has room for all of them. */
static void on_withdrawn(void *user, uint32_t grant, uid_t by, uint32_t connections)
{
	struct supervisor *s = user;
	uint8_t body[12];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, grant);
	buf_put_u64(&b, clock_unix_ms());
	(void)wire_send(s->lib, WIRE_EVENT_WITHDRAWN, &b, NULL, 0); /* if nobody listens, nobody asks */
	delegates_withdraw(&s->delegates, grant);
	if (s->unlogged == 0)
		s->unlogged = logbook_revoke(&s->logbook, grant, by, connections, &s->unlogged_why);
}

#define SHELL_SIGNAL 128 /* a shell's exit status when a signal ended what it ran */

struct telling {
	struct supervisor *s;
	struct classifier classifier;
	uint8_t room[WIRE_BODY_MAX];
	struct buf batch; /* in room */
	struct effect effect;
	struct tracing tracing;
	struct tracing_counts traced;
	struct buf trace; /* owned: its form, "" if there is none */
	size_t told;
	bool counted; /* the dialer has told what was connected */
	int unlogged; /* what the ledger did not take: why, and how that ended */
	struct err why;
};

static void flush_effects(struct telling *t)
{
	if (t->batch.len > 0)
		(void)wire_send(t->s->lib, WIRE_EVENT_EFFECTS, &t->batch, NULL, 0); /* if nobody listens, nobody asks */
	buf_reset(&t->batch);
}

/* The names that it does not know are told by themselves. */
static bool asks_own_names(const struct telling *t, const struct effect *f)
{
	return f->kind == EFFECT_CONNECT && strcmp(f->object, "inet " CELL_RESPONDER ":53") == 0 &&
	       spec_has_responder(&t->s->spec);
}

/* Of the body of the end, but for the trace and the last effects. */
#define ENDED_FRAME (OUTCOME_BYTES + 16 + 24)

/* False: it is no effect. */
static bool judge_effect(struct telling *t, enum effect_source source, uint8_t kind, uint32_t count, const char *object,
			 size_t length)
{
	struct effect *f = &t->effect;

	if (effect_word(kind) == NULL || length >= sizeof f->object || memchr(object, 0, length) != NULL) {
		t->s->outcome.effects_dropped++;
		return false;
	}
	f->kind = kind;
	f->count = count;
	f->source = (uint8_t)source;
	memcpy(f->object, object, length);
	f->object[length] = 0;
	classify_effect(&t->classifier, f);
	return true;
}

static void tell_judged(struct telling *t)
{
	const struct effect *f = &t->effect;

	if (f->verdict == EFFECT_ABSENT)
		return;
	if ((f->base == EFFECT_BASE && f->kind != EFFECT_EXEC) || asks_own_names(t, f)) {
		t->s->outcome.base_effects += f->count;
		return;
	}
	if (t->counted && f->source == EFFECT_REQUESTED && f->kind == EFFECT_CONNECT && f->verdict == EFFECT_ALLOWED &&
	    f->grant != GRANT_NONE) /* the dialer tells of it, and knows */
		return;
	if (t->told++ >= EFFECTS_MAX) {
		t->s->outcome.effects_dropped++;
		return;
	}
	if (t->batch.len + strlen(f->object) + 64 + METER_BYTES > WIRE_BODY_MAX - ENDED_FRAME)
		flush_effects(t);
	effect_encode(&t->batch, f);
	if (t->unlogged == 0)
		t->unlogged = logbook_effect(&t->s->logbook, f, t->classifier.facts, t->classifier.socket, &t->why);
}

static void tell(struct telling *t, enum effect_source source, uint8_t kind, uint32_t count, const char *object,
		 size_t length)
{
	if (judge_effect(t, source, kind, count, object, length))
		tell_judged(t);
}

/* An entry of the arena: each has a symbol, told or not. */
static void tell_effect(void *user, uint8_t kind, uint32_t count, const char *object, size_t length)
{
	struct telling *t = user;
	const bool judged = judge_effect(t, EFFECT_REQUESTED, kind, count, object, length);

	tracing_add(&t->tracing, judged ? &t->effect : NULL);
	if (judged)
		tell_judged(t);
}

static void tell_meter(struct telling *t, const struct meter *m, const char *object, int length)
{
	t->effect.meter = *m;
	if (meter_asked(m) > 0 && length > 0 && length < GRANT_OBJECT_MAX)
		tell(t, EFFECT_PROVED, EFFECT_CONNECT, meter_asked(m), object, (size_t)length);
	t->effect.meter = (struct meter){ .opened = 0 };
}

static void tell_endpoint(struct supervisor *s, struct telling *t, uint32_t i, const struct link_used *used)
{
	char object[GRANT_OBJECT_MAX], room[ENDPOINT_TEXT_MAX];
	const struct cell_endpoint *p = &s->spec.endpoints[i];
	const bool is_socket = spec_endpoint_is_socket(p);
	const uint32_t by = judge_closed(&s->judge, p->grant);
	struct meter meter = used->meter;
	const int n = snprintf(object, sizeof object, "%s %s", is_socket ? "unix" : "inet",
			       is_socket ? spec_text(&s->spec, p->name)
					 : network_connection(&s->request.grants, p->grant, room));

	if (by != 0) {
		meter.stopped |= by;
		meter.refused += used->withdrawn;
	}
	tell_meter(t, &meter, object, n);
	t->classifier.withdrawn = true;
	if (used->withdrawn > 0 && by == 0 && n > 0 && (size_t)n < sizeof object)
		tell(t, EFFECT_PROVED, EFFECT_CONNECT, used->withdrawn, object, (size_t)n);
	t->classifier.withdrawn = false;
}

/* One of the hosts to which an endpoint led, by its name or address. */
static void tell_host(struct supervisor *s, struct telling *t, const struct link_host *h)
{
	struct endpoint p;
	char text[ENDPOINT_TEXT_MAX], object[GRANT_OBJECT_MAX];

	network_host(&s->spec, h->endpoint, &h->name, &h->address, &p);
	endpoint_put(&p, text);
	tell_meter(t, &h->meter, object, snprintf(object, sizeof object, "inet %s", text));
}

/* What was connected, refused and failed, by the dialer's count. Without its word, what the program asked for is told, and that more may have
 * been. */
static void tell_connections(struct supervisor *s, struct telling *t)
{
	static struct link_report report;

	t->counted = network_used(&s->network, &report);
	s->outcome.effects_dropped += !t->counted && s->network.n > 0;
	for (uint32_t i = 0; t->counted && i < s->network.n; i++)
		tell_endpoint(s, t, i, &report.used[i]);
	for (uint32_t i = 0; t->counted && i < report.n_hosts; i++)
		tell_host(s, t, &report.hosts[i]);
}

static void tell_refused_one(struct supervisor *s, struct telling *t, uint32_t endpoint, enum link_reason reason,
			     const struct link_refused *of)
{
	static const enum fact facts[LINK_REASONS] = {
		[LINK_OTHER_NAME] = FACT_OTHER_NAME, [LINK_MALFORMED] = FACT_BAD_HELLO, [LINK_HIDDEN] = FACT_HIDDEN_NAME
	};
	char room[ENDPOINT_TEXT_MAX];
	const char *granted = network_connection(&s->request.grants, s->spec.endpoints[endpoint].grant, room);
	const bool named = reason == LINK_OTHER_NAME && of->name.text[0] != 0;
	char object[GRANT_OBJECT_MAX];
	const int n = snprintf(object, sizeof object, "inet %s%s%s", granted, named ? " as " : "",
			       named ? of->name.text : "");

	t->classifier.told = FACT_BIT(facts[reason]);
	if (of->times[reason] > 0 && n > 0 && (size_t)n < sizeof object)
		tell(t, EFFECT_REQUESTED, EFFECT_CONNECT, of->times[reason], object, (size_t)n);
	t->classifier.told = 0;
}

/* What the relay ended for a hello, by its word. Of other names it has one for each endpoint: a program can ask for any number. */
static void tell_refused(struct supervisor *s, struct telling *t)
{
	static struct network_told told;
	char object[GRANT_OBJECT_MAX];

	if (!network_told(&s->network, &told))
		return;
	t->classifier.given = told.given;
	t->classifier.n_given = told.n_given;
	for (uint32_t i = 0; i < told.n_unknown; i++)
		tell(t, EFFECT_REQUESTED, EFFECT_CONNECT, 1, object,
		     (size_t)snprintf(object, sizeof object, "name %s", told.unknown[i].text)); /* it fits */
	for (uint32_t i = 0; i < s->network.n; i++)
		for (enum link_reason reason = 0; reason < LINK_REASONS; reason++)
			tell_refused_one(s, t, i, reason, &told.refused[i]);
}

static void tell_request(struct supervisor *s, struct telling *t, uint32_t endpoint, const struct http_row *r)
{
	struct endpoint p;
	char text[ENDPOINT_TEXT_MAX], object[GRANT_OBJECT_MAX];
	int n;

	network_host(&s->spec, endpoint, &r->name, &r->address, &p);
	endpoint_put(&p, text);
	n = snprintf(object, sizeof object, "inet %s %s %s %u", text, r->method, r->path, r->status);
	t->classifier.told = r->refused != 0 ? FACT_BIT(FACT_REFUSED) : 0;
	if (n > 0 && (size_t)n < sizeof object)
		tell(t, EFFECT_REQUESTED, EFFECT_REQUEST, r->count, object, (size_t)n);
	t->classifier.told = 0;
}

/* What was asked for of hosts whose grants have terms, by the word of who judged it. */
static void tell_requests(struct supervisor *s, struct telling *t)
{
	static struct http_used used;

	for (uint32_t k = 0; k < s->network.http.n; k++) {
		if (!http_used(&s->network.http, k, &used)) {
			s->outcome.effects_dropped++;
			continue;
		}
		s->outcome.effects_dropped += used.more;
		for (uint32_t i = 0; i < used.n; i++)
			tell_request(s, t, s->network.http.role[k].endpoint, &used.rows[i]);
	}
}

/* What the kernel saw and the warden did not note: there was no room in the ring, or no time. Who could say it may have ended, and then it is one at least. */
static uint64_t count_lost(struct supervisor *s)
{
	const uint64_t taken = ((const struct arena_head *)s->arena)->taken;
	uint64_t put, lost;

	if (!s->ebpf.watches)
		return 0;
	if (!ebpf_count(&s->ebpf, &put, &lost))
		return 1;
	return lost + (put > taken ? put - taken : 0);
}

/* All but the last batch are told; that travels with the end, which saves the library from waking up twice. */
static void tell_effects(struct supervisor *s, struct telling *t)
{
	struct arena_head head = { .seen = 0 };

	t->s = s;
	classify_init(&t->classifier, &s->spec, &s->request.grants);
	t->classifier.staging = &s->staging;
	t->classifier.store = s->request.store;
	tell_connections(s, t); /* first: what the program asks for leaves them no room, if it likes */
	tell_refused(s, t);
	tell_requests(s, t);
	t->tracing.place = (struct symbol_place){ .home = s->request.home, .grants = &s->request.grants };
	if (s->spec.observe != CELL_OBSERVE_OFF) {
		const uint64_t lost = count_lost(s);

		arena_read(s->arena, tell_effect, t, &head);
		head.seen += lost;
		head.dropped += lost;
		tracing_end(&t->tracing, s->arena, s->spec.observe, head.seen, &t->trace, &t->traced);
	}
	s->outcome.effects_seen = head.seen;
	s->outcome.effects_dropped += head.dropped;
	classify_finish(&t->classifier);
}

static bool library_is_gone(const struct supervisor *s)
{
	struct pollfd p = { .fd = s->lib, .events = 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

/* It ran, and the ledger does not say how it ended: what it staged is not committed. */
static void tell_unlogged(struct supervisor *s, struct err *why)
{
	struct buf b;

	(void)err_context(why, -(int)why->code, "the event ended, but not in the ledger%s",
			  s->outcome.workspace == WORKSPACE_STAGED ? ", and its changes are kept" : "");
	buf_init_in(&b, s->room, 2048);
	wire_put_error(&b, why);
	(void)wire_send(s->lib, WIRE_EVENT_FAILED, &b, NULL, 0); /* if nobody listens, nobody asks */
}

/* Pieces of a trace that is too long to travel with the end. */
static void flush_trace(struct telling *t)
{
	for (size_t at = 0, n; at < t->trace.len; at += n) {
		struct buf b = { .data = t->trace.data + at, .lent = true };

		n = t->trace.len - at < WIRE_BODY_MAX ? t->trace.len - at : WIRE_BODY_MAX;
		b.len = b.cap = b.max = n;
		(void)wire_send(t->s->lib, WIRE_EVENT_TRACE, &b, NULL, 0); /* if nobody listens, nobody asks */
	}
	buf_reset(&t->trace);
}

static void put_trace(struct telling *t, struct buf *b)
{
	buf_put_u32(b, t->traced.threads);
	buf_put_u64(b, t->traced.calls);
	buf_put_u64(b, t->traced.dropped);
	buf_put_bytes(b, t->trace.data, t->trace.len);
}

static void tell_ended(struct supervisor *s)
{
	static struct telling t;
	bool is_staged;
	struct buf b;

	buf_init_in(&t.batch, t.room, sizeof t.room);
	buf_init(&t.trace, TRACE_BYTES_MAX);
	t.unlogged = s->unlogged;
	t.why = s->unlogged_why;
	s->outcome.labels = judge_labels(&s->judge); /* before it is told what was closed by them */
	if (s->spec.observe != CELL_OBSERVE_OFF || s->network.n > 0)
		tell_effects(s, &t);
	judge_end(&s->judge);
	staging_close(&s->staging, &s->outcome); /* effects were held against what lies in the stage */
	is_staged = s->outcome.workspace == WORKSPACE_STAGED;
	if (is_staged) /* its overlay does not stand any more when somebody else settles what lies in it */
		fd_close(&s->mounts_fd);
	/* what lies in a stage may be committed next, over another connection: not before this is in the ledger */
	if (t.unlogged == 0)
		t.unlogged = logbook_stop(&s->logbook, &s->outcome, &s->request, is_staged, &t.why);
	staging_end(&s->staging, is_staged && (library_is_gone(s) || t.unlogged != 0), &s->outcome);
	if (t.unlogged != 0) {
		tell_unlogged(s, &t.why);
		return;
	}
	if (ENDED_FRAME + t.trace.len + t.batch.len > WIRE_BODY_MAX)
		flush_trace(&t);
	buf_init_in(&b, s->room, WIRE_BODY_MAX); /* nothing is received any more */
	outcome_encode(&s->outcome, &b);
	buf_put_u64(&b, s->outcome.labels);
	buf_put_u64(&b, s->outcome.canaries);
	put_trace(&t, &b);
	buf_put(&b, t.batch.data, t.batch.len);
	(void)wire_send(s->lib, WIRE_EVENT_ENDED, &b, NULL, 0); /* if nobody listens, nobody asks */
}

/* The part of the limit on disk that is each file's: the program gets a signal, or an error if it ignores that. A shell says the signal
 * by its status; of a program that failed after all that it may write was written, the limit is taken to be the reason. */
static bool met_file_size(const struct supervisor *s)
{
	const int status = s->outcome.status;
	const uint64_t most = s->request.limits.value[LIMIT_DISK];

	if (most == 0)
		return false;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGXFSZ;
	return WEXITSTATUS(status) == SHELL_SIGNAL + SIGXFSZ ||
	       (WEXITSTATUS(status) != 0 && s->outcome.usage.written_bytes >= most);
}

static void add_time(struct timeval *t, uint64_t us)
{
	us += (uint64_t)t->tv_usec;
	t->tv_sec += (time_t)(us / 1000000);
	t->tv_usec = (suseconds_t)(us % 1000000);
}

static void add_copy(const struct template_end *copy, struct rusage *used)
{
	add_time(&used->ru_utime, copy->user_us);
	add_time(&used->ru_stime, copy->system_us);
	if (copy->memory_bytes / 1024 > (uint64_t)used->ru_maxrss)
		used->ru_maxrss = (long)(copy->memory_bytes / 1024);
}

/* Its roles are asked for what was used, and end. */
static void finish_freeze(struct supervisor *s)
{
	if (s->freeze.times == 0)
		return;
	if (s->freeze.is_wanted)
		network_still(&s->network, false);
	tell_frozen(s);
	freeze_finish(&s->freeze);
	forget_frozen(s);
}

/* Before anybody looks at what was changed: they work in the same trees. */
static void end_delegates(struct supervisor *s)
{
	const uint64_t until = now_ns() + DELEGATES_PATIENCE_MS * UINT64_C(1000000);

	while (!delegates_end(&s->delegates) && now_ns() < until) {
		struct pollfd p = { .fd = s->lib, .events = POLLIN };
		auto_message m = { .n_fds = 0 };

		if (poll(&p, 1, END_PATIENCE_MS) == 0)
			continue;
		if (wire_receive(s->lib, WIRE_LIBRARY, WIRE_RUNNING, s->room, sizeof s->room, &m) <= 0)
			return;
		if (m.number == WIRE_EVENT_DELEGATED)
			delegates_ended(&s->delegates, &m.body);
	}
}

/* Waits until the kernel has taken the cell down, then tells everything that is known about it. */
static void finish(struct supervisor *s)
{
	/* who may not make a cgroup here has left none and may remove none */
	const bool sweeps = (bounds_mechanisms(&s->bounds) &
			     (MECHANISM_BIT(MECHANISM_CGROUP_MEMORY) | MECHANISM_BIT(MECHANISM_CGROUP_TASKS))) != 0;
	enum limit passed; /* too late to matter */
	siginfo_t info;
	struct rusage used;

	/* a process 1 that has ended and is not yet waited for still shows what all of them wrote */
	(void)waitid(P_PIDFD, (id_t)s->pidfd, &info, WEXITED | WNOWAIT);
	(void)bounds_tick_last(&s->bounds, &passed);
	(void)wait4(s->pid, NULL, 0, &used); /* of process 1, so of all that it has waited for */
	add_copy(&s->copy, &used);
	bounds_usage(&s->bounds, &used, &s->outcome.usage);
	/* the kernel kills one process, or with version 2 the whole cell, of which the warden's end is seen first */
	if ((s->outcome.cause == CAUSE_LOST || (s->outcome.cause == CAUSE_EXITED && WIFSIGNALED(s->outcome.status))) &&
	    (bounds_enforced(&s->bounds) & 1u << LIMIT_MEMORY) != 0) {
		s->outcome.cause = CAUSE_LIMIT;
		s->outcome.limit = LIMIT_MEMORY;
	}
	if (s->outcome.cause == CAUSE_EXITED && met_file_size(s)) {
		s->outcome.cause = CAUSE_LIMIT;
		s->outcome.limit = LIMIT_DISK;
	}
	(void)bounds_finish(&s->bounds, NULL); /* what is left, a later event sweeps */
	s->outcome.usage.wall_ms = (now_ns() - s->started_ns) / 1000000 - freeze_total_ms(&s->freeze, now_ns());
	finish_freeze(s);
	end_delegates(s);
	control_finish(&s->control);
	tell_ended(s);
	if (sweeps)
		(void)bounds_sweep(); /* of supervisors that were killed: a part of tidying up, not of this event */
}

static int signals_as_data(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)sigemptyset(&all);
	(void)sigaddset(&all, SIGCHLD);
	return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int bound(struct supervisor *s, struct err *e)
{
	const struct bounds_ask ask = {
		.limits = &s->request.limits, .event_id = s->request.event, .root = "", .companion = s->companion
	};
	const int r = bounds_prepare(&ask, &s->bounds, e);

	return r < 0 ? r : start_timer(s, e);
}

static int listen_to_owner(struct supervisor *s, struct err *e)
{
	struct control *c = &s->control;

	c->begun_ms = clock_unix_ms();
	c->q = &s->request;
	c->spec = &s->spec;
	c->network = &s->network;
	c->tell = on_withdrawn;
	c->answered = on_judge_answered;
	c->order = on_order;
	c->freeze = &s->freeze;
	c->user = s;
	return s->reached && !s->waits ? control_open(c, s->request.event, e) : 0;
}

/* ---- a cell that waits for its program ---- */

static bool paths_are_same(const struct supervisor *s)
{
	uint8_t now[SHA256_BYTES];

	madefrom_look(&s->spec, now);
	return memcmp(now, s->made_from, sizeof now) == 0;
}

static int begin_to_wait(struct supervisor *s, struct err *e)
{
	if (!s->waits)
		return 0;
	if (s->request.kind !=
	    KIND_NODE) /* which keeps where it was started; no name is looked up there before its code comes */
		s->spec.flags |= CELL_LATE;
	madefrom_look(&s->spec, s->made_from);
	return staging_wait(&s->request, &s->staging, e);
}

/* What never ran leaves nothing. */
static void take_down(struct supervisor *s)
{
	(void)kill(s->pid, SIGKILL); /* our own child, not yet reaped */
	(void)waitpid(s->pid, NULL, 0);
	fd_close(&s->mounts_fd);
	staging_drop(&s->staging);
	network_finish(&s->network);
	(void)bounds_finish(&s->bounds, NULL); /* what is left, a later event sweeps */
}

/* What the interpreter that is gone wrote is no event's. Of a pipe the other end is opened by its name; who reads it reads nothing before the program starts. */
static void drain_streams(const struct wire_message *m)
{
	char room[4096], path[40];

	for (size_t i = 1; i < m->n_fds; i++) {
		struct stat st;
		auto_fd int fd = -1;

		if (fstat(m->fds[i], &st) < 0 || !S_ISFIFO(st.st_mode) || (fcntl(m->fds[i], F_GETFL) & 3) != O_WRONLY)
			continue;
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", m->fds[i]); /* fits */
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		while (fd >= 0 && read(fd, room, sizeof room) > 0)
			;
	}
}

/* The cell that waited is not what is asked for: another is made, by another life of this process, to which the message is handed. */
_Noreturn static void begin_again(struct supervisor *s, const struct wire_message *m)
{
	char head[2][16], number[FD_PASS_MAX][16], observer[16];
	char *argv[FD_PASS_MAX + 5] = { (char[]){ "ambit-supervisor" }, head[0], head[1] };
	struct rbuf body = m->body;
	struct err e;

	take_down(s);
	s->pid = 0;
	if (s->warm)
		drain_streams(m);
	for (unsigned i = 0; i < 2; i++)
		(void)snprintf(head[i], sizeof head[i], "%u", rbuf_u32(&body));
	for (size_t i = 0; i < m->n_fds; i++) {
		(void)snprintf(number[i], sizeof number[i], "%d", m->fds[i]);
		(void)fd_set_cloexec(m->fds[i], false);
		argv[3 + i] = number[i];
	}
	if (s->ebpf.sock >= 0) { /* and who observes, which hears of another cell then */
		(void)snprintf(observer, sizeof observer, "e%d", s->ebpf.sock);
		(void)fd_set_cloexec(s->ebpf.sock, false);
		argv[3 + m->n_fds] = observer;
	}
	(void)fd_set_cloexec(LIBRARY_FD, false);
	(void)execv("/proc/self/exe", argv);
	(void)err_sys(&e, AMBIT_SYSTEM, errno, NULL, "cannot make another cell");
	refuse(s, &e);
}

static int take_handed(struct supervisor *s, struct wire_message *m, int argc, char **argv, uint8_t room[8],
		       struct err *e)
{
	struct buf b;
	uint32_t v;

	buf_init_in(&b, room, 8);
	m->n_fds = 0;
	if (argv[argc - 1][0] == 'e' && parse_u32(argv[argc - 1] + 1, 0, INT32_MAX, &v)) {
		s->ebpf.sock = (int)v;
		(void)fd_set_cloexec(s->ebpf.sock, true);
		argc--;
	}
	for (int i = 1; i < argc; i++) {
		if (argc > FD_PASS_MAX + 3 || !parse_u32(argv[i], 0, UINT32_MAX, &v))
			return err_set(e, AMBIT_PROTOCOL, NULL, "started with what nobody passes");
		if (i <= 2)
			buf_put_u32(&b, v);
		else
			m->fds[m->n_fds++] = (int)v;
		if (i > 2)
			(void)fd_set_cloexec((int)v, true);
	}
	rbuf_init(&m->body, room, 8);
	return 0;
}

/* Whether the interpreter that waits is what would be started now; a cell without one takes any program. */
static bool is_started_for(const struct supervisor *s, const struct event_request *q)
{
	const struct rbuf *was = &s->started, *is = &s->program;

	if (!s->warm)
		return true;
	return q->kind == s->request.kind && rbuf_left(was) == rbuf_left(is) &&
	       memcmp(was->data + was->at, is->data + is->at, rbuf_left(is)) == 0;
}

static void take_names(struct supervisor *s, const struct event_request *q)
{
	memcpy(s->request.session, q->session, sizeof q->session);
	memcpy(s->request.command, q->command, sizeof q->command);
	memcpy(s->request.grant_ids, q->grant_ids, sizeof q->grant_ids[0] * q->grants.count);
	memcpy(s->request.stream, q->stream, sizeof q->stream);
	s->request.labels = q->labels;
	s->request.labels_most = q->labels_most;
	s->request.n = q->n;
	s->request.kind = q->kind;
	s->request.canary = q->canary;
	s->request.n_decoys = q->n_decoys;
	memcpy(s->request.decoy_sizes, q->decoy_sizes, sizeof q->decoy_sizes[0] * q->n_decoys);
	memcpy(s->request.decoys, q->decoys, sizeof q->decoys[0] * q->n_decoys);
}

static int send_program(struct supervisor *s, struct err *e)
{
	auto_fd int program_fd = -1;
	int fds[6], r = memory_file("ambit-program", s->program.data + s->program.at, rbuf_left(&s->program),
				    &program_fd, e);
	size_t n = 1;
	uint32_t present = 0;
	uint8_t body[4];
	struct buf b;

	if (r < 0)
		return r;
	fds[0] = program_fd;
	n = put_stdio(s, fds, n, &present);
	n = put_code(s, fds, n, &present);
	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, present);
	r = wire_send(s->cell, WIRE_CELL_PROGRAM, &b, fds, n);
	close_streams(s);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the warden ended while it was told what to run") : 0;
}

static bool warden_is_gone(const struct supervisor *s)
{
	struct pollfd p = { .fd = s->pidfd, .events = POLLIN };

	return s->broken || poll(&p, 1, 0) != 0;
}

/* Since the last look at what is polled. */
static bool mounts_went(struct supervisor *s)
{
	struct pollfd p = { .fd = s->mounted.fd, .events = POLLPRI };

	return poll(&p, 1, 0) != 0 && !mounted_are_there(&s->mounted);
}

/* Is the cell what would be made now? Nobody commits from the first step on, and what changes behind it changes while the event runs: its T0 is before all that is looked at. Else it
 * does not come back. */
static int look_back(struct supervisor *s, const struct event_request *q, struct wire_message *m, struct err *e)
{
	bool stale = false;
	int r;

	if (warden_is_gone(s) || mounts_went(s) || !request_same_cell(&s->request, q) || !is_started_for(s, q))
		begin_again(s, m);
	mounted_finish(&s->mounted);
	take_names(s, q);
	r = staging_begin(&s->request, &s->staging, e);
	if (r < 0)
		return r;
	if (!paths_are_same(s))
		begin_again(s, m);
	r = staging_resume(&s->request, &s->staging, &stale, e);
	if (stale)
		begin_again(s, m);
	bounds_again(&s->bounds);
	return r;
}

static int go(struct supervisor *s, struct wire_message *m, struct err *e)
{
	static struct event_request q;
	auto_fd int ledger_fd = -1;
	struct err refused;
	int r = map_request(s, m->fds[0], e), looked;

	r = r < 0 ? r : read_request(s, &q, e);
	if (r < 0)
		return r;
	looked = look_back(s, &q, m, &refused);
	r = take_descriptors(s, m, &ledger_fd, e);
	if (r < 0)
		return r;
	logbook_init(&s->logbook, steal_fd(&ledger_fd), &s->request);
	r = logbook_ask(&s->logbook, s->asked, e);
	if (r == 0 && looked < 0) { /* what is refused was asked for, too */
		*e = refused;
		return looked;
	}
	r = r < 0 ? r : listen_to_owner(s, e);
	r = r < 0 ? r : start_timer(s, e);
	if (r == 0 && s->warm)
		close_streams(s); /* it has them */
	else
		r = r < 0 ? r : send_program(s, e);
	return r < 0 ? r : run(s, e);
}

static void on_go(struct supervisor *s, struct wire_message *m)
{
	struct err e;

	if (!s->waits || !s->stands)
		end_cell(s, CAUSE_LOST); /* nobody who keeps to the protocol says so */
	else if (go(s, m, &e) < 0)
		refuse(s, &e);
}

/* The roles of the agent come before the request, with which as many descriptors travel as can. */
static void take_agent(struct supervisor *s, struct wire_message *m)
{
	s->network.agent.role = steal_fd(&m->fds[0]);
	s->network.agent.signer = steal_fd(&m->fds[1]);
	wire_message_finish(m);
}

/* So do those that judge requests. */
static bool take_http(struct supervisor *s, struct wire_message *m)
{
	bool ok = true;

	for (size_t i = 0; i < m->n_fds && ok; i++)
		ok = http_roles_add(&s->network.http, &m->fds[i]);
	wire_message_finish(m);
	return ok;
}

/* And those of a sub-agent. */
static bool take_trees(struct supervisor *s, struct wire_message *m)
{
	s->given.uid = rbuf_u32(&m->body);
	s->given.n = 0;
	for (size_t i = 0; i < m->n_fds && i < SIBLING_TREES_MAX; i++) {
		s->given.grant[s->given.n] = rbuf_u32(&m->body);
		s->given.fd[s->given.n++] = steal_fd(&m->fds[i]);
	}
	wire_message_finish(m);
	return rbuf_done(&m->body);
}

static int prepare(struct supervisor *s, struct wire_message *m, struct err *e)
{
	int r = take_request(s, m, e);

	r = r < 0 ? r : identity_choose(&s->identity, e);
	if (r == 0 && request_shares_trees(&s->request))
		r = identity_share(&s->identity, &s->given, e);
	r = r < 0 ? r : plan_cell(&s->request, s->identity.inside_uid, s->identity.inside_gid, &s->spec, e);
	if (r == 0 && request_shares_trees(&s->request))
		identity_mark_given(&s->given, &s->request.grants, &s->spec);
	if (r == 0 && s->is_template)
		r = plan_template(&s->request, &s->spec, e);
	r = r < 0 ? r : listen_to_owner(s, e);
	s->judge.q = &s->request;
	s->judge.network = &s->network;
	s->judge.program = &s->asked;
	s->judge.withdraw = withdraw_for_judge;
	s->judge.user = s;
	s->network.judge = &judge_of_connections;
	s->network.judge_user = &s->judge;
	r = r < 0 ? r : network_begin(&s->network, &s->request, &s->spec, e);
	r = r < 0 ? r : staging_make(&s->request, &s->spec, &s->staging, e);
	r = r < 0 ? r : begin_to_wait(s, e);
	r = r < 0 ? r : bound(s, e);
	s->state = WIRE_BUILDING;
	return r < 0 ? r : make_cell(s, e);
}

static int start(struct supervisor *s, int argc, char **argv, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[8];
	int r;

	if (argc > 1) {
		r = take_handed(s, &m, argc, argv, room, e);
		return r < 0 ? r : prepare(s, &m, e);
	}
	r = wire_receive(s->lib, WIRE_LIBRARY, WIRE_NEW, s->room, sizeof s->room, &m);
	if (r == 1 && m.number == WIRE_EVENT_SSH) {
		take_agent(s, &m);
		r = wire_receive(s->lib, WIRE_LIBRARY, WIRE_NEW, s->room, sizeof s->room, &m);
	}
	if (r == 1 && m.number == WIRE_EVENT_TREES && take_trees(s, &m))
		r = wire_receive(s->lib, WIRE_LIBRARY, WIRE_NEW, s->room, sizeof s->room, &m);
	while (r == 1 && m.number == WIRE_EVENT_HTTP && take_http(s, &m))
		r = wire_receive(s->lib, WIRE_LIBRARY, WIRE_NEW, s->room, sizeof s->room, &m);
	if (r == 1 && m.number == WIRE_EVENT_AUTHORITY) {
		r = judge_take(&s->judge, &m, e);
		wire_message_finish(&m);
		if (r < 0)
			return r;
		r = wire_receive(s->lib, WIRE_LIBRARY, WIRE_NEW, s->room, sizeof s->room, &m);
	}
	if (r == 1 && m.number == WIRE_EVENT_EBPF) {
		s->ebpf.sock = steal_fd(&m.fds[0]);
		wire_message_finish(&m);
		r = wire_receive(s->lib, WIRE_LIBRARY, WIRE_NEW, s->room, sizeof s->room, &m);
	}
	if (r <= 0 || m.number != WIRE_EVENT_START)
		return err_set(e, AMBIT_PROTOCOL, NULL, "no request came");
	return prepare(s, &m, e);
}

/* It is given its source when the ledger has that it was asked for: else it ends, as any event that cannot be recorded. */
static void on_step(struct supervisor *s, struct rbuf *in)
{
	const uint64_t step = rbuf_u64(in), size = rbuf_u64(in);
	const uint8_t *sha256 = rbuf_bytes(in, SHA256_BYTES);
	uint8_t body[8];
	struct buf b;

	if (s->request.kernel == 0) {
		end_cell(s, CAUSE_KILLED);
		return;
	}
	if (s->unlogged == 0)
		s->unlogged = logbook_step(&s->logbook, step, size, sha256, &s->unlogged_why);
	if (s->unlogged != 0) {
		end_cell(s, CAUSE_KILLED);
		return;
	}
	buf_init_in(&b, body, sizeof body);
	buf_put_u64(&b, step);
	(void)wire_send(s->lib, WIRE_EVENT_STEP_TOLD, &b, NULL, 0); /* if nobody listens, nobody asks */
}

/* Nobody learns by a sub-agent what is a decoy, and goes on. */
static void on_delegated(struct supervisor *s, struct rbuf *body)
{
	struct rbuf in = *body;
	struct sibling_end end;

	if (sibling_take_end(&in, &end) && end.cause == CAUSE_CANARY)
		end_cell(s, CAUSE_CANARY);
	delegates_ended(&s->delegates, body);
}

static void on_library(struct supervisor *s)
{
	auto_message m = { .n_fds = 0 };
	uint8_t body[4];
	struct buf b;
	const int r = wire_receive(s->lib, WIRE_LIBRARY, s->state, s->room, sizeof s->room, &m);

	if (r == 0 && s->stays && s->state == WIRE_RUNNING) {
		fd_close(&s->lib);
		return;
	}
	if (r <= 0 || m.number == WIRE_EVENT_KILL) {
		end_cell(s, CAUSE_KILLED);
		return;
	}
	if (m.number == WIRE_EVENT_GO) {
		on_go(s, &m);
		return;
	}
	if (m.number == WIRE_EVENT_DELEGATED) {
		on_delegated(s, &m.body);
		return;
	}
	if (m.number == WIRE_EVENT_STEP) {
		on_step(s, &m.body);
		return;
	}
	s->told_stopped = false;
	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, rbuf_u32(&m.body));
	(void)wire_send(s->cell, WIRE_CELL_SIGNAL, &b, NULL, 0); /* a warden that is gone is seen elsewhere */
}

static bool hears_delegates(const struct supervisor *s)
{
	return !s->ended && s->state == WIRE_RUNNING && !s->freeze.is_wanted;
}

static void watch(struct supervisor *s, int signal_fd)
{
	while (!s->ended) {
		struct pollfd p[OWN_POLLED + JUDGE_POLLED + CONTROL_POLLED + DELEGATES_POLLED] = {
			{ .fd = s->lib, .events = POLLIN },         { .fd = s->cell, .events = POLLIN },
			{ .fd = s->tick, .events = POLLIN },        { .fd = signal_fd, .events = POLLIN },
			{ .fd = s->mounted.fd, .events = POLLPRI }, { .fd = s->freeze.timer_fd, .events = POLLIN },
			{ .fd = s->opened.fd, .events = POLLIN },
		};

		judge_watch(&s->judge, p + OWN_POLLED);
		control_watch(&s->control, p + OWN_POLLED + JUDGE_POLLED);
		delegates_watch(&s->delegates, hears_delegates(s), p + OWN_POLLED + JUDGE_POLLED + CONTROL_POLLED);
		if (poll(p, sizeof p / sizeof p[0], -1) < 0 && errno != EINTR)
			end_cell(s, CAUSE_LOST);
		if (p[1].revents != 0)
			on_cell(s);
		if (p[2].revents != 0)
			on_tick(s);
		if (p[4].revents != 0)
			on_mounts(s); /* who comes at the same time gets another cell */
		if (p[0].revents != 0)
			on_library(s);
		if (p[3].revents != 0)
			on_signal(s, signal_fd);
		if (p[5].revents != 0 && !s->ended)
			look_whether_frozen(s);
		if (p[6].revents != 0 && !s->ended)
			on_touched(s, opened_read(&s->opened));
		judge_serve(&s->judge, p + OWN_POLLED);
		control_serve(&s->control, p + OWN_POLLED + JUDGE_POLLED);
		if (hears_delegates(s))
			delegates_serve(&s->delegates, p + OWN_POLLED + JUDGE_POLLED + CONTROL_POLLED);
	}
}

int main(int argc, char **argv)
{
	static struct supervisor s; /* half a megabyte of grants and description: not for a stack */
	struct err e;
	int signal_fd;

	/* field by field: clearing half a megabyte that is clear would cost its page faults */
	s.lib = LIBRARY_FD;
	s.cell = s.pidfd = s.tick = s.proc_fd = s.scratch_fd = s.mounts_fd = s.terminal_fd = s.program_fd = -1;
	s.logbook.talk.sock = -1;
	s.stdio_fd[0] = s.stdio_fd[1] = s.stdio_fd[2] = s.code_fd[0] = s.code_fd[1] = -1;
	s.template_fd = s.template_pidfd = -1;
	s.state = WIRE_NEW;
	staging_init(&s.staging);
	network_init(&s.network);
	judge_init(&s.judge);
	control_init(&s.control);
	freeze_init(&s.freeze);
	delegates_init(&s.delegates);
	mounted_init(&s.mounted);
	opened_init(&s.opened);
	ebpf_init(&s.ebpf);
	(void)fd_set_cloexec(LIBRARY_FD, true);
	(void)fd_reserve_standard(); /* a host without /dev/null is refused for other reasons */
	signal_fd = signals_as_data();
	if (start(&s, argc, argv, &e) < 0)
		refuse(&s, &e);
	watch(&s, signal_fd);
	if (s.waits)
		take_down(&s);
	else
		finish(&s);
	return 0;
}
