#include "usual/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "profile/form.h"
#include "profile/seed.h"
#include "usual/layout.h"
#include "usual/seeds_link.h"

#define SEEDS_MAX 128
#define AGENT SEED_TOOL /* in place of one */

struct seed {
	uint8_t from;
	char name[SEEDS_NAME_MAX];
	char why[ERR_LINE_MAX]; /* it is none; "": nobody has found so */
	char key[PROFILE_NAME_MAX];
	uint32_t events;
	const char *text; /* of seeds.bytes */
	size_t n;
	struct profile *p; /* owned; NULL: not read */
};

struct seeds {
	struct buf bytes;
	struct seed all[SEEDS_MAX]; /* in the order in which they count */
	size_t n;
};

/* It is owned by nobody's machine: nothing that is read of it is chosen by whom it judges. */
static const uint8_t any[PROFILE_KEY];

/* ---- what there is ---- */

static void put_bad(struct seeds *s, const struct seeds_file *f, const char *why)
{
	struct seed *one = &s->all[s->n++];

	*one = (struct seed){ .from = f->from };
	(void)text_escape(one->name, sizeof one->name, f->name, strlen(f->name));
	(void)text_escape(one->why, sizeof one->why, why, strlen(why));
}

static bool is_masked(const struct seeds *s, const struct seeds_file *f, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->all[i].n == 0 && s->all[i].why[0] == 0 &&
		    (strcmp(s->all[i].name, name) == 0 ||
		     (f->from == SEEDS_OF_AMBIT && strcmp(s->all[i].name, "all") == 0)))
			return true;
	return false;
}

/* Of what Ambit brings each has the name that its key has. */
static void name_of(const struct seeds_file *f, const char *key, char ret[SEEDS_NAME_MAX])
{
	const char *program = strrchr(key, '\t') != NULL ? strchr(key + 1, '\t') + 1 : "";

	if (f->from != SEEDS_OF_AMBIT)
		(void)text_escape(ret, SEEDS_NAME_MAX, f->name, strlen(f->name));
	else
		(void)snprintf(ret, SEEDS_NAME_MAX, "%.*s", (int)strcspn(program, "\t"), program);
}

static void put_seed(struct seeds *s, const struct seeds_file *f, const char *text, size_t n)
{
	struct form_head head;
	struct seed one = { .from = f->from, .text = text, .n = n };

	if (!form_head(text, n < FORM_HEAD_MAX ? n : FORM_HEAD_MAX, &head)) {
		put_bad(s, f, "its beginning is not that of a profile of this version");
		return;
	}
	if (!seed_is_of(head.key)) {
		put_bad(s, f, "line 2: a seed is of a kind and a program, whoever runs it");
		return;
	}
	name_of(f, head.key, one.name);
	if (is_masked(s, f, one.name))
		return;
	one.events = head.events;
	(void)text_copy(one.key, sizeof one.key, head.key);
	s->all[s->n++] = one;
}

/* A file has one profile or several, each up to its "end". */
static void put_file(struct seeds *s, const struct seeds_file *f)
{
	static const char end[] = "\nend\n";
	const char *at = (const char *)f->bytes;
	size_t left = f->n;

	if (f->why[0] != 0) {
		put_bad(s, f, f->why);
		return;
	}
	if (left == 0) { /* whoever put it there wants none of that name */
		s->all[s->n++] = (struct seed){ .from = f->from };
		(void)text_copy(s->all[s->n - 1].name, SEEDS_NAME_MAX, f->name);
		return;
	}
	while (left > 0 && s->n < SEEDS_MAX) {
		const char *over = memmem(at, left, end, sizeof end - 1);
		const size_t n = over != NULL ? (size_t)(over - at) + sizeof end - 1 : left;

		if (n > SEED_BYTES_MAX)
			put_bad(s, f, "it is longer than a seed may be");
		else
			put_seed(s, f, at, n);
		at += n;
		left -= n;
	}
}

int seeds_new(int fd, struct seeds **ret, struct err *e)
{
	struct seeds *s = calloc(1, sizeof *s);
	struct seeds_file f;
	struct rbuf in;

	if (s == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the seed profiles");
	buf_init(&s->bytes, 2 * SEEDS_ALL_MAX);
	if (fd_read_into(fd, &s->bytes) < 0)
		s->bytes.len = 0; /* there are none */
	rbuf_init(&in, s->bytes.data, s->bytes.len);
	while (rbuf_left(&in) > 0 && s->n < SEEDS_MAX && seeds_file_take(&in, &f))
		put_file(s, &f);
	*ret = s;
	return 0;
}

void seeds_free(struct seeds *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		if (s->all[i].p != NULL)
			profile_finish(s->all[i].p);
		free(s->all[i].p);
	}
	if (s != NULL)
		buf_finish(&s->bytes);
	free(s);
}

/* ---- one ---- */

/* From here on it is read, or it is known that it cannot be. NULL: it is none. *ret_memory false: there was none. */
static struct profile *read_one(struct seed *one, bool *ret_memory)
{
	auto_free struct profile *p = malloc(sizeof *p);
	struct err e;
	int r;

	*ret_memory = p != NULL;
	if (one->p != NULL || one->why[0] != 0 || p == NULL)
		return one->p;
	r = form_read(one->text, one->n, any, p, &e);
	if (r == 0 && (r = seed_check(p, &e)) < 0)
		profile_finish(p);
	*ret_memory = r != -AMBIT_MEMORY;
	if (r == 0)
		one->p = steal_ptr(&p);
	else if (r != -AMBIT_MEMORY)
		(void)text_escape(one->why, sizeof one->why, e.msg, strlen(e.msg));
	return one->p;
}

/* The first of that key that is one. NULL: none is. */
static struct seed *find(struct seeds *s, const char *key, bool *ret_memory)
{
	*ret_memory = true;
	for (size_t i = 0; i < s->n && *ret_memory; i++)
		if (strcmp(s->all[i].key, key) == 0 && read_one(&s->all[i], ret_memory) != NULL)
			return &s->all[i];
	return NULL;
}

/* One of that very key is the only one. */
static const struct profile *seed_for(struct seeds *s, const struct deeds *d, size_t nth, bool *ret_memory)
{
	const char *name = seed_of(d->tool, d->program, nth);
	char key[PROFILE_NAME_MAX];
	struct seed *one;

	profile_key(d, 1, key);
	one = find(s, key, ret_memory);
	if (one != NULL && nth > 0)
		return NULL;
	if (one == NULL && name != NULL && *ret_memory) {
		seed_key(name, key);
		one = find(s, key, ret_memory);
	}
	return one != NULL ? one->p : NULL;
}

/* A longer one names nothing that is asked for. */
static void key_shown(const char *key, char ret[PROFILE_NAME_MAX])
{
	(void)snprintf(ret, PROFILE_NAME_MAX, AGENT "%.300s", key);
}

int seeds_look(struct seeds *s, const struct deeds *d, struct usual_found *ret, struct err *e)
{
	struct seed_found first = { .above = false }, found;
	const struct profile *p, *by = NULL;
	bool memory = true, asks = true;

	for (size_t nth = 0; s != NULL && ret->f.young && !ret->asks; nth++) {
		p = seed_for(s, d, nth, &memory);
		if (!memory || (p != NULL && !seed_score(p, d, &found)))
			return err_set(e, AMBIT_MEMORY, NULL, "no memory to hold an event against a seed profile");
		if (p == NULL)
			break;
		if (!found.f.flagged[PROMISED_LOG])
			return 0; /* one knows such work */
		asks = asks && (found.above || found.connects);
		if (nth == 0) {
			by = p;
			first = found;
		}
	}
	if (by == NULL)
		return 0;
	ret->f = first.f;
	ret->asks = asks;
	ret->level = USUAL_LEVEL_SEED;
	key_shown(by->key, ret->key);
	return 0;
}

/* ---- for a person ---- */

/* "seed\tKIND\tPROGRAM\t": one of an agent that is called so has a shape, or no program. */
bool seeds_is_key(const char *key)
{
	return strncmp(key, AGENT "\t", strlen(AGENT) + 1) == 0 && seed_is_of(key + strlen(AGENT));
}

static void row_of(const struct seed *one, struct usual_row *ret)
{
	static const char *const from[] = {
		[SEEDS_OF_PERSON] = "yours", [SEEDS_OF_MACHINE] = "the machine's", [SEEDS_OF_AMBIT] = "Ambit's"
	};

	*ret = (struct usual_row){ .epoch = 0 };
	(void)snprintf(ret->id, sizeof ret->id, USUAL_SEED "%.*s", USUAL_ID_MAX - 3, one->name);
	if (one->why[0] != 0) {
		(void)snprintf(ret->key, sizeof ret->key, "?%s, %s: %.200s", one->name, from[one->from], one->why);
		return;
	}
	key_shown(one->key, ret->key);
	ret->events = ret->shadow_events = one->events;
	ret->bytes = one->n;
}

/* Those that count, and those that are none. */
static bool is_told(struct seeds *s, struct seed *one)
{
	bool memory;

	if (one->n > 0 && one->why[0] == 0)
		(void)read_one(one, &memory);
	return one->why[0] != 0 || (one->n > 0 && find(s, one->key, &memory) == one);
}

/* By their places: names of files are the people's. */
int seeds_page(struct seeds *s, const char *after, struct usual_row *rows, size_t most, size_t *ret_n,
	       char ret_last[NAME_MAX + 1])
{
	size_t at = 0;

	if (strncmp(after, USUAL_SEED, strlen(USUAL_SEED)) == 0)
		at = strtoul(after + strlen(USUAL_SEED), NULL, 10);
	for (*ret_n = 0; s != NULL && at < s->n && *ret_n < most; at++)
		if (is_told(s, &s->all[at]))
			row_of(&s->all[at], &rows[(*ret_n)++]);
	(void)snprintf(ret_last, NAME_MAX + 1, USUAL_SEED "%zu", at);
	return 0;
}

int seeds_get(struct seeds *s, const char *key, struct buf *out, struct err *e)
{
	bool memory;
	const struct seed *one = s != NULL && seeds_is_key(key) ? find(s, key + strlen(AGENT), &memory) : NULL;

	if (one == NULL)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit profile show --seeds` lists them",
			       "there is no such seed profile");
	buf_put(out, one->text, one->n);
	return out->failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile") : 0;
}
