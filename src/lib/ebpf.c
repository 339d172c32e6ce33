#include "lib/ebpf.h"

#include <limits.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "lib/helper.h"
#include "lib/service.h"
#include "lib/state.h"

#define DIRECTORY "ebpf" /* beneath the place of lib/state.h; it holds a socket and a lock */

static int hear_hello(int sock, void *told, struct err *e);

static const struct service service = {
	.name = "eBPF observer",
	.role = "ambit-ebpf",
	.socket = "socket",
	.starting = "starting",
	.takes_descriptors = true, /* namespaces */
	.on_host = true,
	.side = WIRE_WATCHER,
	.failed = WIRE_EBPF_FAILED,
	.hear = hear_hello,
	.hint_another = "set XDG_RUNTIME_DIR to a directory of your own",
	.hint_private = "chmod 700 it, or set XDG_RUNTIME_DIR to a directory of your own",
	.hint_elsewhere = "set XDG_RUNTIME_DIR to a directory of your own",
	.hint_overlay = "",
};

static int hear_hello(int sock, void *told, struct err *e)
{
	uint8_t room[WIRE_HEAD + 2048];
	auto_message m = { .n_fds = 0 };

	(void)told;
	return service_receive(&service, sock, WIRE_NEW, room, sizeof room, &m, e);
}

/* It is an option of the build. */
static int is_built(struct err *e)
{
	auto_fd int exe = -1;
	const int r = helper_open(service.role, &exe, e);

	return r != -AMBIT_SYSTEM
		       ? r
		       : err_set(e, AMBIT_HOST,
				 "build it where clang and libbpf-dev are (meson setup -Debpf=enabled); --observe full does without",
				 "this build of Ambit has no eBPF");
}

int ebpf_connect(int *ret_fd, struct err *e)
{
	char dir[PATH_MAX], path[PATH_MAX];
	auto_fd int dir_fd = -1, sock = -1;
	int r = is_built(e);

	if (r == 0 && runtime_path(DIRECTORY, dir, sizeof dir) < 0)
		r = err_set(e, AMBIT_HOST, "set XDG_RUNTIME_DIR",
			    "there is no place for the socket of the eBPF observer");
	r = r < 0 ? r : service_open(&service, dir, &dir_fd, path, sizeof path, e);
	r = r < 0 ? r : service_join(&service, dir_fd, path, &sock, NULL, e);
	if (r == 0)
		*ret_fd = steal_fd(&sock);
	return r;
}
