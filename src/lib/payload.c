#include "lib/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/fd.h"
#include "ledger/layout.h"

#define LOCK_PATIENCE_MS 15000 /* for who looks for what was left behind */

static const char full_hint[] = "make room, or see who may write there";

static int cannot_write(struct err *e, int error)
{
	return err_sys(e, error == ENOSPC || error == EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, error, full_hint,
		       "cannot write beside the ledger's log");
}

static int open_directory(int ledger_fd)
{
	return openat(ledger_fd, LEDGER_PAYLOAD, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int payload_directory(int ledger_fd, bool make, int *ret_fd, struct err *e)
{
	auto_fd int fd = -1;

	fd = open_directory(ledger_fd);
	if (fd < 0 && errno == ENOENT && make) {
		if (mkdirat(ledger_fd, LEDGER_PAYLOAD, 0700) < 0 && errno != EEXIST)
			return cannot_write(e, errno);
		fd = open_directory(ledger_fd);
	}
	if (fd < 0 && errno == ENOENT)
		return err_set(e, AMBIT_NOT_FOUND, NULL, "the ledger has no '" LEDGER_PAYLOAD "' beside its log");
	if (fd < 0 && errno != ELOOP && errno != ENOTDIR)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL,
			       "cannot open '" LEDGER_PAYLOAD "' beside the ledger's log");
	if (fd < 0 || !directory_is_own(fd))
		return err_why(e,
			       err_set(e, AMBIT_HOST, "see who put it there, and move it away",
				       "'" LEDGER_PAYLOAD "' beside the ledger's log is not to be used"),
			       fd < 0 ? "it is no directory" : "it is another's, or others can look into it");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Not synced here, where somebody waits for the event: the ledger does that before the entry that names it is durable (ledger/beside.h). */
static int put_file(int dir_fd, const char *name, const uint8_t salt[PAYLOAD_SALT], const void *bytes, size_t n)
{
	auto_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, salt, PAYLOAD_SALT);
	r = r < 0 ? r : fd_write_all(fd, bytes, n);
	if (r < 0)
		(void)unlinkat(dir_fd, name, 0); /* else it is left behind, as by a death */
	return r;
}

int payload_write(int ledger_fd, const void *bytes, size_t n, int *ret_dir_fd, struct payload *ret, struct err *e)
{
	uint8_t salt[PAYLOAD_SALT];
	char name[PAYLOAD_NAME_MAX];
	struct payload made = { .size = n };
	auto_fd int dir_fd = -1;
	struct sha256 s;
	int r;

	if (n > PAYLOAD_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "more than is kept beside the ledger's log");
	if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot get random numbers");
	sha256_init(&s);
	sha256_add(&s, salt, sizeof salt);
	sha256_add(&s, bytes, n);
	sha256_end(&s, made.digest);
	payload_name(made.digest, name);
	r = payload_directory(ledger_fd, true, &dir_fd, e);
	if (r < 0)
		return r;
	r = fd_lock_shared(dir_fd, LOCK_PATIENCE_MS);
	if (r < 0)
		return err_sys(e, AMBIT_GONE, -r, "see which process has locked it (lslocks)",
			       "cannot lock '" LEDGER_PAYLOAD "' beside the ledger's log");
	r = put_file(dir_fd, name, salt, bytes, n);
	if (r < 0)
		return cannot_write(e, -r);
	*ret_dir_fd = steal_fd(&dir_fd);
	*ret = made;
	return 0;
}
