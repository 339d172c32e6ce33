/* The role ambit-ledger: alone holds the key of a ledger, and takes nothing but appends. It runs in a cell that shows it the ledger's
 * directory and nothing else; whoever needs the ledger and finds nobody there starts it (lib/ledger.c), with the socket that
 * clients connect to as its standard input. It ends when nobody needs it.
 *
 *   ambit-ledger DIRECTORY BOOT */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ledger/key.h"
#include "ledger/layout.h"
#include "ledger/promise.h"
#include "ledger/serve.h"

#define LOCK_PATIENCE_MS 10000 /* for one that ends, and publishes what it has */

#define PAGE 4096

/* In pages of its own, which are neither swapped nor dumped. */
static struct {
	_Alignas(PAGE) struct log_key key;
} secret;

/* The cell has no core files in any case (cell/rlimits.c), and who may look into its memory is the person, who may read the file as well. */
static int hide_memory(struct err *e)
{
	if (mlock(&secret, sizeof secret) < 0 || madvise(&secret, sizeof secret, MADV_DONTDUMP) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "raise the limit on locked memory (ulimit -l) to 64 KiB or more",
			       "cannot keep the ledger's key out of the swap");
	return 0;
}

/* Held until the process ends. The one before may be about to. */
static int lock(int dir_fd, int *ret_fd, struct err *e)
{
	auto_fd int fd = openat(dir_fd, LEDGER_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "see who may write there", "cannot open the ledger's lock");
	r = fd_lock(fd, LOCK_PATIENCE_MS);
	if (r < 0)
		return err_sys(e, r == -EWOULDBLOCK ? AMBIT_CONFLICT : AMBIT_SYSTEM, -r,
			       "is the directory shared with another machine?", "cannot lock the ledger");
	*ret_fd = steal_fd(&fd);
	return 0;
}

static bool is_there(struct disk *d, const char *name)
{
	unsigned mode;

	return disk_mode(d, name, &mode) != -ENOENT;
}

/* Beside the log, for those who have no better word of it. */
static int put_public(struct disk *log_dir, struct err *e)
{
	uint8_t room[VKEY_TEXT_MAX + 1];
	struct buf text;
	int r;

	buf_init_in(&text, room, sizeof room);
	vkey_put(&text, &secret.key.public);
	buf_put_u8(&text, '\n');
	r = disk_replace(log_dir, LEDGER_PUBLIC, text.data, text.len);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "make room, or see who may write there",
			       "cannot write the ledger's public key")
		     : 0;
}

/* The public half first: where the key is, it was there. */
static int begin_ledger(struct disk *dir, struct disk *log_dir, struct err *e)
{
	int r = key_make(&secret.key, e);

	r = r < 0 ? r : put_public(log_dir, e);
	return r < 0 ? r : key_write(dir, &secret.key, e);
}

/* A log without its key, or a key without its log, is one that somebody lost, or took away: not one to go on with, nor to begin anew
 * under a key that has signed other things of the same sizes. Between the two there is what a death left, or somebody who knows the key
 * put there: it has signed nothing, and is made anew. */
static int get_key(struct disk *dir, struct disk *log_dir, struct err *e)
{
	const bool has_log = is_there(log_dir, LEDGER_CHECKPOINT) || is_there(log_dir, LEDGER_JOURNAL) ||
			     is_there(log_dir, "tile");
	const bool has_public = is_there(log_dir, LEDGER_PUBLIC);
	bool missing;
	int r = key_read(dir, &secret.key, &missing, e);

	if (r == 0 && missing && has_log)
		return err_set(e, AMBIT_DENIED, "restore it from a backup, or begin another ledger with --ledger",
			       "the ledger's key is gone, and its log is there");
	if (r == 0 && !missing && !has_log && !has_public)
		return err_set(e, AMBIT_DENIED, "restore it from a backup, or begin another ledger with --ledger",
			       "the ledger's log is gone, and its key is there");
	if (r == 0 && !has_log)
		return begin_ledger(dir, log_dir, e);
	return r < 0 || has_public ? r : put_public(log_dir, e);
}

static int open_directory(int at, const char *name, int *ret, struct err *e)
{
	*ret = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open the ledger's directory") : 0;
}

static int run(const char *directory, const char *boot, struct err *e)
{
	auto_fd int dir_fd = -1, log_fd = -1, lock_fd = -1;
	struct disk *dir = NULL, *log_dir = NULL;
	struct serve how = { .listen_fd = 0, .boot = boot, .key = &secret.key.public };
	struct log_found found;
	struct log *log = NULL;
	int r = sodium_init() < 0 ? err_set(e, AMBIT_HOST, NULL, "libsodium does not work here") : 0;

	r = r < 0 ? r : hide_memory(e);
	r = r < 0 ? r : open_directory(AT_FDCWD, directory, &dir_fd, e);
	r = r < 0 ? r : lock(dir_fd, &lock_fd, e);
	if (r == 0 && mkdirat(dir_fd, LEDGER_LOG, 0700) < 0 && errno != EEXIST)
		r = err_sys(e, errno == ENOSPC || errno == EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, errno,
			    "make room, or see who may write there", "cannot make the ledger's log");
	r = r < 0 ? r : open_directory(dir_fd, LEDGER_LOG, &log_fd, e);
	if (r == 0 && (disk_create(dir_fd, &dir) < 0 || disk_create(log_fd, &log_dir) < 0))
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory for the ledger");
	r = r < 0 ? r : promise_keep(dir_fd, e);
	r = r < 0 ? r : get_key(dir, log_dir, e);
	r = r < 0 ? r : log_open(log_dir, &secret.key, &log, &found, e);
	how.dir_fd = dir_fd;
	r = r < 0 ? r : serve_run(&how, log, &found, e);
	log_close(log);
	disk_destroy(log_dir);
	disk_destroy(dir);
	return r;
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc != 3 || fd_set_nonblock(0, true) < 0)
		return 2;
	if (run(argv[1], argv[2], &e) == 0)
		return 0;
	serve_refusal(0, &e);
	return 1;
}
