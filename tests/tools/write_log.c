/* Writes to a log as the ledger does: write_log DIR NAME N GROUP PUBLISH [WORD...]
 *
 * N entries in groups of GROUP, each synced, a checkpoint every PUBLISH groups and one at the end. The key is made from the name, which
 * is for tests only. Says the key that others check by, what was found on opening, and each size that is durable. Words:
 *   entries   what is written are entries as the ledger has them, six of each event; else a few bytes of JSON
 *   salt=TEXT stands in each of them
 *   key=TEXT  the key is made from this and not from the name
 *   left=N    so many of the N are written after the last checkpoint, and not signed
 *   junk=I    entry I is none;  number=I  says that it is I + 1;  back=I  and all behind it are an hour earlier
 *   hostile   names that move a terminal
 *   events    what is written are the entries of whole events, sixteen of each, with decisions that can be made again
 *   mixed=K   so many of these run at once;  lie=I  entry I, an effect, has another verdict
 *   from=FILE what is written are the first N lines of it, as they are */
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

static int make_key(const char *from, const char *name, struct log_key *ret, struct err *e)
{
	uint8_t seed[crypto_sign_SEEDBYTES], public[VKEY_PUBLIC_BYTES];

	crypto_hash_sha256(seed, (const uint8_t *)from, strlen(from));
	crypto_sign_seed_keypair(public, ret->secret, seed);
	return vkey_init(&ret->public, VKEY_ED25519, span_of(name), public, e);
}

#define NONE UINT64_MAX
#define EACH 6 /* entries of an event */
#define BEGAN_MS UINT64_C(1790000000000)

struct shape {
	bool entries, hostile, events;
	const char *salt, *key; /* key NULL: of the name */
	uint64_t left, junk, number, back, mixed, lie;
	FILE *from; /* owned; NULL: made here */
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
	if (strcmp(word, "events") == 0)
		return s->events = true;
	if (strncmp(word, "from=", 5) == 0)
		return (s->from = fopen(word + 5, "re")) != NULL;
	if (strncmp(word, "key=", 4) == 0) {
		s->key = word + 4;
		return true;
	}
	if (strncmp(word, "salt=", 5) == 0) {
		s->salt = word + 5;
		return true;
	}
	return take_number(word, "left=", &s->left) || take_number(word, "junk=", &s->junk) ||
	       take_number(word, "number=", &s->number) || take_number(word, "back=", &s->back) ||
	       take_number(word, "mixed=", &s->mixed) || take_number(word, "lie=", &s->lie);
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

/* ---- whole events ---- */

#define STEPS 16 /* entries of one */

struct step {
	enum entry_type type;
	int grant; /* which of its grants the entry names; -1: none */
	const char *body;
};

#define EFFECT(base, facts, kind, object, verdict)                                                                     \
	"{\"base\":" base ",\"count\":1,\"facts\":[" facts "],\"kind\":\"" kind "\",\"object\":\"" object              \
	"\",\"source\":\"requested\",\"verdict\":\"" verdict "\"}"
#define GRANT(verb, object) "{\"object\":\"" object "\",\"optional\":false,\"verb\":\"" verb "\"}"

static const struct step steps[STEPS] = {
	{ ENTRY_GRANT, 0, GRANT("work", "/home/ann/work") },
	{ ENTRY_GRANT, 1, GRANT("read", "/srv/data") },
	{ ENTRY_REQUEST, -1,
	  "{\"argc\":2,\"argv\":[\"make\",\"-j2\"],\"base\":\"system\",\"home\":\"/home/ann\",\"limits\":{},\"observe\":\"full\","
	  "\"program\":\"/usr/bin/make\",\"staged\":true,\"without\":[],\"workdir\":\"/home/ann/work\"}" },
	{ ENTRY_START, -1, "{\"wall\":{}}" },
	{ ENTRY_EFFECT, -1, EFFECT("true", "\"base\",\"there\"", "exec", "/usr/bin/make", "allowed") },
	{ ENTRY_EFFECT, 0, EFFECT("false", "", "read", "/home/ann/work/Makefile", "allowed") },
	{ ENTRY_EFFECT, 0, EFFECT("false", "", "write", "/home/ann/work/out/main.o", "allowed") },
	{ ENTRY_EFFECT, 0, EFFECT("false", "", "exec", "/home/ann/work/out/main", "allowed") },
	{ ENTRY_EFFECT, 1, EFFECT("false", "", "read", "/srv/data/table", "allowed") },
	{ ENTRY_EFFECT, -1, EFFECT("true", "\"private\",\"base\"", "write", "/home/ann/notes", "allowed") },
	{ ENTRY_EFFECT, -1, EFFECT("false", "\"there\"", "read", "/etc/shadow", "denied") },
	{ ENTRY_EFFECT, -1, EFFECT("false", "\"above\"", "write", "/srv/new", "denied-new") },
	{ ENTRY_EFFECT, -1, EFFECT("false", "\"unseen\"", "read", "/home/ann/work/.env", "denied-hidden") },
	{ ENTRY_EFFECT, -1, EFFECT("false", "\"private\",\"there\"", "read", "/home/ann/.netrc", "denied") },
	{ ENTRY_EFFECT, -1, EFFECT("false", "", "connect", "inet 192.0.2.1:443", "denied") },
	{ ENTRY_STOP, -1, "{\"cause\":\"exited\",\"exit\":0}" },
};

/* Which step of which event the entry is, where `mixed` of them run at once. */
static const struct step *step_of(const struct shape *s, uint64_t index, uint64_t *ret_event)
{
	const uint64_t round = STEPS * s->mixed;

	*ret_event = index / round * s->mixed + index % s->mixed;
	return &steps[index % round / s->mixed];
}

static void name_one(char prefix, uint64_t event, uint64_t n, char ret[ID_TEXT_MAX])
{
	uint8_t random[ID_RANDOM] = { 0 };

	memcpy(random, &event, sizeof event);
	random[ID_RANDOM - 1] = (uint8_t)n;
	id_write(prefix, BEGAN_MS + event * 1000, random, ret);
}

static int put_step(const struct shape *s, uint64_t index, struct buf *out, struct err *e)
{
	uint64_t event;
	const struct step *step = step_of(s, index, &event);
	const bool lies = index == s->lie && step->type == ENTRY_EFFECT;
	char body[512];
	struct entry entry = { .type = step->type,
			       .seq = index,
			       .wall_ms = BEGAN_MS + index * 100,
			       .mono_us = index * 100000,
			       .boot = "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21" };
	char *verdict;

	(void)snprintf(body, sizeof body, "%s", step->body); /* it fits */
	verdict = strstr(body, "\"verdict\":");
	if (lies)
		(void)snprintf(verdict, 32, "\"verdict\":\"%s\"}",
			       strstr(verdict, "allowed") != NULL ? "denied" : "allowed");
	name_one('e', event, 0, entry.event);
	if (step->grant >= 0)
		name_one('g', event, (uint64_t)step->grant, entry.grant);
	entry.body = (struct canonical_value){ (const uint8_t *)body, strlen(body) };
	return entry_put(&entry, out, e);
}

/* ---- the log ---- */

static int put_line(const struct shape *s, struct buf *out, struct err *e)
{
	int c;

	while ((c = getc(s->from)) != EOF && c != '\n')
		buf_put_u8(out, (uint8_t)c);
	return out->failed || (c == EOF && out->len == 0)
		       ? err_set(e, AMBIT_LIMIT, NULL, "a line is missing, or too long")
		       : 0;
}

static int add_group(struct log *l, const struct shape *s, unsigned long n, struct err *e)
{
	int r = 0;

	for (unsigned long i = 0; i < n && r == 0; i++) {
		static char room[ENTRY_MAX];
		struct buf entry;

		buf_init_in(&entry, room, sizeof room);
		if (s->from != NULL)
			r = put_line(s, &entry, e);
		else if (s->events)
			r = put_step(s, log_size(l), &entry, e);
		else if (s->entries && log_size(l) != s->junk)
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
	struct shape shape = { .salt = "", .junk = NONE, .number = NONE, .back = NONE, .mixed = 1, .lie = NONE };
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
	if (dir < 0 || shape.mixed == 0 || disk_create(dir, &disk) < 0 || group == 0 || publish == 0 ||
	    shape.left > all)
		return 2;
	if (make_key(shape.key != NULL ? shape.key : argv[2], argv[2], &key, &e) < 0 ||
	    log_open(disk, &key, &l, &found, &e) < 0)
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
	if (shape.from != NULL)
		(void)fclose(shape.from);
	log_close(l);
	disk_destroy(disk);
	return 0;
}
