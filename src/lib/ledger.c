#include "lib/ledger.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "ledger/hello.h"
#include "ledger/layout.h"
#include "lib/service.h"
#include "lib/state.h"

static int hear_hello(int sock, void *told, struct err *e);

static const struct service ledger = {
	.name = "ledger",
	.role = "ambit-ledger",
	.socket = LEDGER_SOCKET,
	.starting = LEDGER_STARTING,
	.memory_bytes = UINT64_C(256) << 20,
	.side = WIRE_LEDGER,
	.failed = WIRE_LEDGER_FAILED,
	.hear = hear_hello,
	.hint_another = "choose a directory of your own with --ledger",
	.hint_private = "chmod 700 it, or name a directory of your own with --ledger; --no-ledger records nothing",
	.hint_elsewhere = "name a directory of your own with --ledger; --no-ledger records nothing",
	.hint_overlay = "name a directory on ext4, xfs, btrfs or tmpfs (in a container, a volume) with --ledger or "
			"AMBIT_LEDGER; --no-ledger records nothing",
};

/* 1: it is there, and speaks; 0: it went, as one does that was about to end. */
static int hear_hello(int sock, void *told, struct err *e)
{
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	struct ledger_hello *ret = told;
	auto_message m = { .n_fds = 0 };
	int n = service_receive(&ledger, sock, WIRE_NEW, room, sizeof room, &m, e);
	uint8_t what;

	if (n <= 0)
		return n;
	what = rbuf_u8(&m.body);
	ret->is_named = what == HELLO_NAMED;
	ret->is_new = what == HELLO_NEW || ret->is_named;
	if (rbuf_left(&m.body) >= sizeof ret->key)
		return err_set(e, AMBIT_PROTOCOL, NULL, "the ledger said what it may not");
	n = (int)rbuf_left(&m.body);
	memcpy(ret->key, rbuf_bytes(&m.body, (size_t)n), (size_t)n);
	ret->key[n] = 0;
	return m.body.failed ? err_set(e, AMBIT_PROTOCOL, NULL, "the ledger said what it may not") : 1;
}

int ledger_default(char *ret, size_t size, struct err *e)
{
	const char *named = getenv("AMBIT_LEDGER");

	if (named != NULL && strcmp(named, LEDGER_NONE) == 0)
		return 0;
	if (named != NULL && named[0] != 0)
		return named[0] == '/' && text_copy(ret, size, named)
			       ? 1
			       : err_set(e, AMBIT_MALFORMED, "name a directory by its whole path, or " LEDGER_NONE,
					 "AMBIT_LEDGER is '%s'", named);
	return state_path("ledger", ret, size) == 0
		       ? 1
		       : err_set(e, AMBIT_HOST, "name a directory with --ledger", "there is no place for a ledger");
}

int ledger_open(const char *dir, int *ret_dir_fd, char *ret_path, size_t size, struct err *e)
{
	return dir[0] != 0 ? service_open(&ledger, dir, ret_dir_fd, ret_path, size, e)
			   : err_set(e, AMBIT_USAGE, "name a directory", "an empty path for the ledger");
}

int ledger_call(int dir_fd, int *ret_fd, struct err *e)
{
	return service_call(&ledger, dir_fd, ret_fd, e);
}

int ledger_join(int dir_fd, const char *path, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	return service_join(&ledger, dir_fd, path, ret_fd, ret, e);
}

int ledger_connect(const char *dir, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	char path[PATH_MAX];
	auto_fd int dir_fd = -1;
	const int r = ledger_open(dir, &dir_fd, path, sizeof path, e);

	*ret_fd = -1;
	return r < 0 ? r : ledger_join(dir_fd, path, ret_fd, ret, e);
}

int ledger_reconnect(const char *dir, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/" LEDGER_KEY, dir) >= (int)sizeof path || access(path, F_OK) < 0)
		return err_set(e, AMBIT_NOT_FOUND,
			       "restore it from a backup; or `ambit discard --force` goes without it",
			       "there is no ledger in %s any more", dir);
	return ledger_connect(dir, ret_fd, ret, e);
}
