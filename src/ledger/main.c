/* The role ambit-ledger: alone holds the key of a ledger, and takes nothing but appends. It runs in a cell that shows it the ledger's
 * directory and nothing else; whoever needs the ledger and finds nobody there starts it (lib/ledger.c), with the socket that
 * clients connect to as its standard input. It ends when nobody needs it.
 *
 *   ambit-ledger DIRECTORY BOOT */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "ledger/layout.h"
#include "ledger/promise.h"
#include "ledger/serve.h"
#include "wire/wire.h"

#define PAGE 4096

/* In pages of its own, which are neither swapped nor dumped. */
static struct {
	_Alignas(PAGE) struct log_key key, next;
} secret;

/* The cell has no core files in any case (cell/rlimits.c), and who may look into its memory is the person, who may read the file as well. */
static int hide_memory(struct err *e)
{
	if (mlock(&secret, sizeof secret) < 0 || madvise(&secret, sizeof secret, MADV_DONTDUMP) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "raise the limit on locked memory (ulimit -l) to 64 KiB or more",
			       "cannot keep the ledger's key out of the swap");
	return 0;
}

static int open_directory(int at, const char *name, int *ret, struct err *e)
{
	*ret = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open the ledger's directory") : 0;
}

static int run(const char *directory, const char *boot, struct err *e)
{
	auto_fd int dir_fd = -1, lock_fd = -1;
	struct store store = { .boot = boot, .key = &secret.key, .next = &secret.next };
	struct serve how = { .listen_fd = 0, .boot = boot, .store = &store };
	int r = sodium_init() < 0 ? err_set(e, AMBIT_HOST, NULL, "libsodium does not work here") : 0;

	r = r < 0 ? r : hide_memory(e);
	r = r < 0 ? r : open_directory(AT_FDCWD, directory, &dir_fd, e);
	r = r < 0 ? r : own_lock(dir_fd, "the ledger", &lock_fd, e);
	r = r < 0 ? r : promise_keep(dir_fd, e);
	if (r < 0)
		return r;
	store.dir_fd = dir_fd;
	r = store_open(&store, e);
	r = r < 0 ? r : serve_run(&how, e);
	store_close(&store);
	return r;
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc != 3 || fd_set_nonblock(0, true) < 0)
		return 2;
	if (run(argv[1], argv[2], &e) == 0)
		return 0;
	wire_refuse_all(0, WIRE_LEDGER_FAILED, &e);
	return 1;
}
