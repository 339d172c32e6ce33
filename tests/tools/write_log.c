/* Writes to a log as the ledger does: write_log DIR NAME N GROUP PUBLISH
 *
 * N entries in groups of GROUP, each synced, a checkpoint every PUBLISH groups and one at the end. The key is made from the name, which
 * is for tests only. Says the key that others check by, what was found on opening, and each size that is durable. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ledger/log.h"

static int fail(const struct err *e)
{
	(void)fprintf(stderr, "write_log: %s: %s\n", e->msg, e->why);
	return 1;
}

static int make_key(const char *name, struct log_key *ret, struct err *e)
{
	uint8_t seed[crypto_sign_SEEDBYTES], public[VKEY_PUBLIC_BYTES];

	crypto_hash_sha256(seed, (const uint8_t *)name, strlen(name));
	crypto_sign_seed_keypair(public, ret->secret, seed);
	return vkey_init(&ret->public, VKEY_ED25519, span_of(name), public, e);
}

static int add_group(struct log *l, unsigned long n, struct err *e)
{
	int r = 0;

	for (unsigned long i = 0; i < n && r == 0; i++) {
		char entry[64];
		const int len = snprintf(entry, sizeof entry, "{\"pid\":%d,\"seq\":%llu}", (int)getpid(),
					 (unsigned long long)log_size(l));

		r = log_add(l, entry, (size_t)len, e);
	}
	r = r < 0 ? r : log_write(l, e);
	return r < 0 ? r : log_sync(l, e);
}

int main(int argc, char **argv)
{
	struct log_found found;
	auto_buf text = { .max = 0 };
	struct disk *disk = NULL;
	struct log_key key;
	struct log *l = NULL;
	unsigned long left, group, publish;
	auto_fd int dir = -1;
	struct err e;

	if (argc != 6)
		return 2;
	left = strtoul(argv[3], NULL, 10);
	group = strtoul(argv[4], NULL, 10);
	publish = strtoul(argv[5], NULL, 10);
	(void)mkdir(argv[1], 0700); /* it may be there */
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || disk_create(dir, &disk) < 0 || group == 0 || publish == 0)
		return 2;
	if (make_key(argv[2], &key, &e) < 0 || log_open(disk, &key, &l, &found, &e) < 0)
		return fail(&e);
	buf_init(&text, VKEY_TEXT_MAX + 1);
	vkey_put(&text, &key.public);
	(void)printf("%s\nfound %llu %llu %llu\n", buf_cstr(&text), (unsigned long long)found.signed_size,
		     (unsigned long long)found.replayed, (unsigned long long)found.torn_bytes);
	(void)fflush(stdout);
	for (unsigned long n = 1; left > 0; n++) {
		const unsigned long now = left < group ? left : group;

		if (add_group(l, now, &e) < 0)
			return fail(&e);
		(void)printf("durable %llu\n", (unsigned long long)log_size(l));
		(void)fflush(stdout);
		left -= now;
		if ((n % publish == 0 || log_is_full(l)) && log_publish(l, &e) < 0)
			return fail(&e);
	}
	if (log_publish(l, &e) < 0)
		return fail(&e);
	log_close(l);
	disk_destroy(disk);
	return 0;
}
