#include "supervisor/ebpf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "wire/wire.h"

#define PATIENCE_MS 10000 /* it serves others, too, and waits for all processors between them */
#define ANSWER_MAX (WIRE_HEAD + 2048)

static int hear(struct ebpf *s, uint8_t room[ANSWER_MAX], struct wire_message *ret)
{
	const uint64_t until = clock_ms() + PATIENCE_MS;
	struct pollfd p = { .fd = s->sock, .events = POLLIN };
	uint64_t now;
	int n = 0;

	while (n == 0 && (now = clock_ms()) < until) {
		n = poll(&p, 1, (int)(until - now));
		if (n < 0 && errno == EINTR)
			n = 0;
	}
	return n == 1 ? wire_receive(s->sock, WIRE_WATCHER, WIRE_RUNNING, room, ANSWER_MAX, ret) : -EAGAIN;
}

bool ebpf_is_there(const struct ebpf *s)
{
	struct pollfd p = { .fd = s->sock, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

int ebpf_watch(struct ebpf *s, int proc_fd, int *ret_ring, struct err *e)
{
	auto_fd int ns_fd = openat(proc_fd, "1/ns/pid", O_RDONLY | O_CLOEXEC);
	auto_message m = { .n_fds = 0 };
	uint8_t room[ANSWER_MAX];
	int r;

	if (ns_fd < 0)
		return err_sys(e, AMBIT_HOST, errno, "--observe full does without",
			       "cannot tell the namespace of the cell");
	if (wire_send(s->sock, WIRE_EBPF_WATCH, NULL, &ns_fd, 1) < 0 || hear(s, room, &m) != 1)
		return err_set(e, AMBIT_GONE, "see the kernel's log; --observe full does without",
			       "what observes by eBPF ended, or does not answer");
	if (m.number == WIRE_EBPF_FAILED) {
		r = wire_take_error(&m.body, e);
		return err_context(e, r, "observe by eBPF");
	}
	if (m.number != WIRE_EBPF_RING)
		return err_set(e, AMBIT_PROTOCOL, NULL, "what observes by eBPF said what it may not");
	*ret_ring = steal_fd(&m.fds[0]);
	s->watches = true;
	return 0;
}

bool ebpf_count(struct ebpf *s, uint64_t *ret_put, uint64_t *ret_lost)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[ANSWER_MAX];

	if (wire_send(s->sock, WIRE_EBPF_COUNT, NULL, NULL, 0) < 0 || hear(s, room, &m) != 1 ||
	    m.number != WIRE_EBPF_COUNTED)
		return false;
	*ret_put = rbuf_u64(&m.body);
	*ret_lost = rbuf_u64(&m.body);
	return true;
}
