#include "dial/pause.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>

#define FLAGS_AT 13 /* of TCP's head, at which a filter begins */
#define RESET 4

static struct sock_filter only_resets[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, RESET, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

int pause_begin(int sock)
{
	const struct sock_fprog filter = { .len = sizeof only_resets / sizeof only_resets[0], .filter = only_resets };

	return setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0 ? -errno : 0;
}

int pause_end(int sock)
{
	const int unused = 0;

	return setsockopt(sock, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused) < 0 ? -errno : 0;
}
