/* What recording costs: entries appended to a log with a sync for each group, beside as many bytes that are simply written and synced;
 * the same through the ledger's process, by several connections at once; and an event that is recorded beside one that is not.
 *
 *   append AMBIT DIRECTORY [ROUNDS]      AMBIT lies beside the roles; DIRECTORY is empty, and on the disk that is to be measured */
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "contest.h"
#include "ledger/log.h"
#include "ledger/talk.h"
#include "lib/ledger.h"

#define ROUNDS 100u
#define GROUP 64u /* entries */
#define WRITERS 16u
#define MESSAGES 60u /* of each writer */

static const char body[] =
	"{\"base\":false,\"count\":1,\"kind\":\"write\",\"object\":\"/home/somebody/src/project/build/"
	"module/object.o\",\"source\":\"requested\",\"verdict\":\"allowed\"}";
static const char event[] = "e_01M8DNE24ECCTG32HASREWXH6C";

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int fail(const struct err *e)
{
	(void)fprintf(stderr, "append: %s: %s\n", e->msg, e->why);
	return -1;
}

/* ---- the log alone ---- */

static int make_entry(uint64_t seq, struct buf *out)
{
	struct entry entry = { .type = ENTRY_EFFECT,
			       .seq = seq,
			       .wall_ms = 1800000000000,
			       .mono_us = seq,
			       .boot = "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21",
			       .body = { .at = (const uint8_t *)body, .n = sizeof body - 1 } };

	memcpy(entry.event, event, sizeof event);
	buf_reset(out);
	return entry_put(&entry, out, NULL);
}

/* A group that is durable when this returns; *ret_bytes of entries. */
static int append_group(struct log *l, size_t *ret_bytes, struct err *e)
{
	uint8_t room[1024];
	struct buf entry;
	int r = 0;

	*ret_bytes = 0;
	buf_init_in(&entry, room, sizeof room);
	if (log_is_full(l))
		r = log_publish(l, e);
	for (unsigned i = 0; i < GROUP && r == 0; i++) {
		r = make_entry(log_size(l), &entry);
		r = r < 0 ? r : log_add(l, entry.data, entry.len, e);
		*ret_bytes += entry.len;
	}
	r = r < 0 ? r : log_write(l, e);
	return r < 0 ? r : log_sync(l, e);
}

static int open_log_there(const char *at, struct disk **ret_disk, struct log **ret, struct err *e)
{
	static struct log_key key;
	uint8_t seed[crypto_sign_SEEDBYTES] = { 1 }, public[VKEY_PUBLIC_BYTES];
	struct log_found found;
	int dir;

	(void)mkdir(at, 0700);
	dir = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* as long as the process lives */
	(void)crypto_sign_seed_keypair(public, key.secret, seed);
	if (dir < 0 || disk_create(dir, ret_disk) < 0 ||
	    vkey_init(&key.public, VKEY_ED25519, span_of("bench"), public, e) < 0)
		return -1;
	return log_open(*ret_disk, &key, ret, &found, e);
}

static int measure_log(const char *directory, uint32_t rounds)
{
	static const uint8_t zeroes[GROUP * 1024];
	struct series ours, plain;
	struct disk *disk = NULL;
	struct log *l = NULL;
	char path[4096];
	auto_fd int file = -1;
	struct err e;

	(void)snprintf(path, sizeof path, "%s/plain", directory);
	file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	(void)snprintf(path, sizeof path, "%s/alone", directory);
	if (file < 0 || series_init(&ours, rounds) < 0 || series_init(&plain, rounds) < 0)
		return -1;
	if (open_log_there(path, &disk, &l, &e) < 0)
		return fail(&e);
	for (uint32_t i = 0; i < rounds; i++) {
		double begun = now_us();
		size_t bytes;

		if (append_group(l, &bytes, &e) < 0)
			return fail(&e);
		series_add(&ours, now_us() - begun);
		begun = now_us();
		if (fd_write_all(file, zeroes, bytes) < 0 || fdatasync(file) < 0)
			return -1;
		series_add(&plain, now_us() - begun);
	}
	(void)printf(
		"a group of %u entries, each group on disk: %.0f us; its bytes written and synced: %.0f us; ratio %.2f\n",
		GROUP, series_median(&ours), series_median(&plain), series_ratio(&ours, &plain));
	(void)printf("figure entries appended a second %.0f target at least 20000 %s\n",
		     GROUP * 1e6 / series_median(&ours),
		     GROUP * 1e6 / series_median(&ours) >= 20000 ? "met" : "missed");
	log_close(l);
	disk_destroy(disk);
	series_finish(&ours);
	series_finish(&plain);
	return 0;
}

/* ---- through the process ---- */

struct writer {
	pthread_t thread;
	struct talk *talk;
	bool durable;
	int r;
};

static void *write_all(void *arg)
{
	struct writer *w = arg;

	for (unsigned i = 0; i < MESSAGES && w->r == 0; i++) {
		for (unsigned n = 0; n < GROUP && w->r == 0; n++) {
			struct json *j = talk_body(w->talk);

			json_put_count(json_put_key(j, "count"), 1);
			talk_put_text(json_put_key(j, "object"), "/home/somebody/src/project/build/module/object.o");
			json_put_word(json_put_key(j, "verdict"), "allowed");
			w->r = talk_put(w->talk, ENTRY_EFFECT, "", NULL);
		}
		w->r = w->r < 0 ? w->r : talk_settle(w->talk, w->durable, NULL);
	}
	return NULL;
}

static int measure_process(const char *directory, bool durable)
{
	static struct writer writers[WRITERS];
	struct ledger_hello hello;
	double begun, took;
	struct err e;
	int r = 0;

	for (unsigned i = 0; i < WRITERS; i++) {
		int sock;

		writers[i] = (struct writer){ .talk = calloc(1, sizeof *writers[i].talk), .durable = durable };
		if (writers[i].talk == NULL || ledger_connect(directory, &sock, &hello, &e) < 0)
			return fail(&e);
		talk_init(writers[i].talk, sock, event);
	}
	begun = now_us();
	for (unsigned i = 0; i < WRITERS; i++)
		(void)pthread_create(&writers[i].thread, NULL, write_all, &writers[i]);
	for (unsigned i = 0; i < WRITERS; i++) {
		(void)pthread_join(writers[i].thread, NULL);
		talk_finish(writers[i].talk);
		free(writers[i].talk);
		r = writers[i].r < 0 ? writers[i].r : r;
	}
	took = (now_us() - begun) / 1e6;
	(void)printf("figure entries a second by %u connections, %s: %.0f target at least 20000 %s\n", WRITERS,
		     durable ? "durable" : "accepted", WRITERS * MESSAGES * GROUP / took,
		     WRITERS * MESSAGES * GROUP / took >= 20000 ? "met" : "missed");
	return r;
}

/* ---- events ---- */

static int measure_events(const char *ambit, const char *directory, uint32_t rounds)
{
	static struct contestant all[2];
	struct ledger_hello hello;
	auto_fd int held = -1; /* so that the ledger stays, and is none of what a command leaves */
	char path[4096];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/events", directory);
	if (ledger_connect(path, &held, &hello, &e) < 0)
		return fail(&e);
	if (contestant_init(&all[0], "not recorded", rounds) < 0 || contestant_init(&all[1], "recorded", rounds) < 0)
		return -1;
	contestant_add_all(&all[0], (const char *[]){ ambit, "run", "--no-ledger", "--", "/bin/true", NULL });
	contestant_add_all(&all[1], (const char *[]){ ambit, "run", "--ledger", path, "--", "/bin/true", NULL });
	if (contest_run(all, 2, rounds) < 0 || all[1].wall_us.n == 0)
		return -1;
	contest_tell("/bin/true, ms", all, 2, &all[0]);
	figure_tell("added to an event by recording it", series_excess(&all[1].wall_us, &all[0].wall_us), 150, "us");
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t rounds = ROUNDS;
	char path[4096];

	if (argc < 3 || (argc > 3 && !parse_u32(argv[3], 1, 100000, &rounds)) || sodium_init() < 0) {
		(void)fprintf(stderr, "usage: append AMBIT DIRECTORY [ROUNDS]\n");
		return 2;
	}
	if (measure_log(argv[2], rounds) < 0)
		return 1;
	(void)snprintf(path, sizeof path, "%s/shared", argv[2]);
	if (measure_process(path, false) < 0 || measure_process(path, true) < 0)
		return 1;
	return measure_events(argv[1], argv[2], rounds) < 0;
}
