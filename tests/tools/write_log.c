/* Writes to a log as the ledger does: write_log DIR NAME N GROUP PUBLISH [WORD...]
 *
 * N entries in groups of GROUP, each synced, a checkpoint every PUBLISH groups and one at the end. The key is made from the name, which
 * is for tests only. Says the key that others check by, what was found on opening, and each size that is durable. Words:
 *   entries   what is written are entries as the ledger has them, six of each event; else a few bytes of JSON
 *   salt=TEXT stands in each of them
 *   left=N    so many of the N are written after the last checkpoint, and not signed
 *   junk=I    entry I is none;  number=I  says that it is I + 1;  back=I  and all behind it are an hour earlier
 *   hostile   names that move a terminal */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ledger/entry.h"
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

#define NONE UINT64_MAX
#define EACH 6 /* entries of an event */
#define BEGAN_MS UINT64_C(1790000000000)

struct shape {
	bool entries, hostile;
	const char *salt;
	uint64_t left, junk, number, back;
};

static bool take_number(const char *word, const char *name, uint64_t *ret)
{
	const size_t n = strlen(name);

	if (strncmp(word, name, n) != 0)
		return false;
	*ret = strtoull(word + n, NULL, 10);
	return true;
}

static bool take_word(struct shape *s, const char *word)
{
	if (strcmp(word, "entries") == 0)
		return s->entries = true;
	if (strcmp(word, "hostile") == 0)
		return s->hostile = true;
	if (strncmp(word, "salt=", 5) == 0) {
		s->salt = word + 5;
		return true;
	}
	return take_number(word, "left=", &s->left) || take_number(word, "junk=", &s->junk) ||
	       take_number(word, "number=", &s->number) || take_number(word, "back=", &s->back);
}

static size_t put_plain(uint64_t index, char *ret, size_t size)
{
	return (size_t)snprintf(ret, size, "{\"pid\":%d,\"seq\":%llu}", (int)getpid(), (unsigned long long)index);
}

static void put_body(const struct shape *s, uint64_t index, char *ret, size_t size)
{
	/* around the number, and around the salt */
	static const char *const parts[EACH + 1][3] = {
		{ "{\"argv\":[\"make\",\"-j2\"],\"n\":", ",\"salt\":\"", "\"}" },
		{ "{\"n\":", ",\"salt\":\"", "\",\"verdict\":\"allowed\"}" },
		{ "{\"n\":", ",\"object\":\"/srv/x\",\"salt\":\"", "\",\"verb\":\"read\",\"verdict\":\"allowed\"}" },
		{ "{\"n\":", ",\"object\":\"/etc/shadow\",\"salt\":\"",
		  "\",\"verb\":\"read\",\"verdict\":\"denied\"}" },
		{ "{\"exit\":0,\"n\":", ",\"record\":\"sha256:9f86d081884c7d659a2feaa0c55ad015\",\"salt\":\"", "\"}" },
		{ "{\"changes\":3,\"n\":", ",\"salt\":\"", "\"}" },
		{ "{\"n\":", ",\"object\":\"\\u001b]0;owned\\u0007\xc2\x9b\x32J\xe2\x80\xae\",\"salt\":\"", "\"}" },
	};
	const char *const *part = parts[s->hostile ? EACH : index % EACH];

	(void)snprintf(ret, size, "%s%llu%s%s%s", part[0], (unsigned long long)index, part[1], s->salt, part[2]);
}

static int put_entry(const struct shape *s, uint64_t index, struct buf *out, struct err *e)
{
	static const enum entry_type types[EACH] = { ENTRY_REQUEST, ENTRY_DECISION, ENTRY_EFFECT,
						     ENTRY_EFFECT,  ENTRY_RESULT,   ENTRY_COMMIT };
	const uint64_t event = index / EACH, ms = BEGAN_MS + index * 1000;
	uint8_t random[ID_RANDOM] = { 0 };
	char body[512];
	struct entry entry = { .type = types[index % EACH],
			       .seq = index == s->number ? index + 1 : index,
			       .wall_ms = s->back <= index ? ms - 3600000 : ms,
			       .mono_us = index * 1000,
			       .boot = "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21" };

	memcpy(random, &event, sizeof event);
	id_write('e', BEGAN_MS + event * EACH * 1000, random, entry.event);
	put_body(s, index, body, sizeof body);
	entry.body = (struct canonical_value){ (const uint8_t *)body, strlen(body) };
	return entry_put(&entry, out, e);
}

static int add_group(struct log *l, const struct shape *s, unsigned long n, struct err *e)
{
	int r = 0;

	for (unsigned long i = 0; i < n && r == 0; i++) {
		char room[2048];
		struct buf entry;

		buf_init_in(&entry, room, sizeof room);
		if (s->entries && log_size(l) != s->junk)
			r = put_entry(s, log_size(l), &entry, e);
		else
			entry.len = put_plain(log_size(l), room, sizeof room);
		r = r < 0 ? r : log_add(l, entry.data, entry.len, e);
	}
	r = r < 0 ? r : log_write(l, e);
	return r < 0 ? r : log_sync(l, e);
}

/* publish: after so many groups, 0: never. */
static int write_entries(struct log *l, const struct shape *s, unsigned long left, unsigned long group,
			 unsigned long publish, struct err *e)
{
	int r = 0;

	for (unsigned long n = 1; left > 0 && r == 0; n++) {
		const unsigned long now = left < group ? left : group;

		r = add_group(l, s, now, e);
		if (r < 0)
			return r;
		(void)printf("durable %llu\n", (unsigned long long)log_size(l));
		(void)fflush(stdout);
		left -= now;
		if (publish > 0 && (n % publish == 0 || log_is_full(l)))
			r = log_publish(l, e);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct shape shape = { .salt = "", .junk = NONE, .number = NONE, .back = NONE };
	struct log_found found;
	auto_buf text = { .max = 0 };
	struct disk *disk = NULL;
	struct log_key key;
	struct log *l = NULL;
	unsigned long all, group, publish;
	auto_fd int dir = -1;
	struct err e;
	int r;

	if (argc < 6)
		return 2;
	for (int i = 6; i < argc; i++)
		if (!take_word(&shape, argv[i]))
			return 2;
	all = strtoul(argv[3], NULL, 10);
	group = strtoul(argv[4], NULL, 10);
	publish = strtoul(argv[5], NULL, 10);
	(void)mkdir(argv[1], 0700); /* it may be there */
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || disk_create(dir, &disk) < 0 || group == 0 || publish == 0 || shape.left > all)
		return 2;
	if (make_key(argv[2], &key, &e) < 0 || log_open(disk, &key, &l, &found, &e) < 0)
		return fail(&e);
	buf_init(&text, VKEY_TEXT_MAX + 1);
	vkey_put(&text, &key.public);
	(void)printf("%s\nfound %llu %llu %llu\n", buf_cstr(&text), (unsigned long long)found.signed_size,
		     (unsigned long long)found.replayed, (unsigned long long)found.torn_bytes);
	(void)fflush(stdout);
	r = write_entries(l, &shape, all - (unsigned long)shape.left, group, publish, &e);
	r = r < 0 ? r : log_publish(l, &e);
	r = r < 0 ? r : write_entries(l, &shape, (unsigned long)shape.left, group, 0, &e);
	if (r < 0)
		return fail(&e);
	log_close(l);
	disk_destroy(disk);
	return 0;
}
