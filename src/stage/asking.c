#include "stage/asking.h"

#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "base/text.h"
#include "lib/authority.h"
#include "stage/asked.h"
#include "stage/chosen.h"
#include "stage/shown.h"

/* ---- names: the same things have the same ones, so that nobody has to remember them ---- */

static void name_of(const char *kind, const void *a, size_t a_n, const void *b, size_t b_n, uint8_t ret[SHA256_BYTES])
{
	struct sha256 sum;

	sha256_init(&sum);
	sha256_add(&sum, kind, strlen(kind) + 1);
	sha256_add(&sum, a, a_n);
	sha256_add(&sum, "", 1); /* no path and no name of an agent has a NUL */
	sha256_add(&sum, b, b_n);
	sha256_end(&sum, ret);
}

static void set_id(uint8_t id[AUTHORITY_ID], const uint8_t name[SHA256_BYTES])
{
	memcpy(id, name, AUTHORITY_ID);
}

/* Of the time of the event: so lists are in order. */
static void name_question(const struct stage_meta *m, const uint8_t shown[SHA256_BYTES], uint8_t id[AUTHORITY_ID],
			  char text[ID_TEXT_MAX])
{
	const uint64_t ms = id_ms(m->event);
	uint8_t name[SHA256_BYTES];

	name_of("question", m->event, strlen(m->event), shown, SHA256_BYTES, name);
	for (int i = 0; i < 6; i++)
		id[i] = (uint8_t)(ms >> (40 - 8 * i)); /* its lowest 48 bits, the first first */
	memcpy(id + 6, name, ID_RANDOM);
	id_write('a', ms, id + 6, text);
}

/* ---- the authority ---- */

static int refused(enum authority_why why, struct err *e)
{
	return err_set(e, AMBIT_DENIED, NULL, "the person's authority does not take it (%s)", authority_why_word(why));
}

/* Who acts: an agent in a workspace, whose badge lasts. */
static int take_badge(struct keeper *k, const struct stage_meta *m, authority_ref *ret, uint8_t name[SHA256_BYTES],
		      struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_OPEN, .terms = "" };
	struct keeper_answer a;
	int r;

	name_of("place", m->agent, strlen(m->agent), m->workspace, strlen(m->workspace), name);
	set_id(q.id, name);
	q.object = m->agent[0] != 0 ? m->agent : "-";
	r = keeper_step(k, &q, &a, e);
	if (r < 0)
		return r;
	*ret = a.made;
	return a.verdict == AUTHORITY_ALLOWED || a.why == WHY_TAKEN ? 0 : refused((enum authority_why)a.why, e);
}

static int take_grant(struct keeper *k, authority_ref badge, const uint8_t of[SHA256_BYTES], const char *path,
		      authority_ref *ret, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_GIVE,
				       .badge = badge,
				       .flags = AUTHORITY_ASK,
				       .verb = VERB_WRITE,
				       .object = path,
				       .terms = "" };
	uint8_t name[SHA256_BYTES];
	struct keeper_answer a;
	int r;

	name_of("grant write", of, SHA256_BYTES, path, strlen(path), name);
	set_id(q.id, name);
	r = keeper_step(k, &q, &a, e);
	if (r < 0)
		return r;
	*ret = a.made;
	return a.verdict == AUTHORITY_ALLOWED || a.why == WHY_TAKEN ? 0 : refused((enum authority_why)a.why, e);
}

static uint64_t expires_ms(const struct role *role)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + role->ask.keep_ns / 1000000; /* as long as the changes are kept */
}

static int use(struct keeper *k, struct role *role, const char *path, const struct buf *shown,
	       struct keeper_answer *ret, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_USE,
				       .flags = AUTHORITY_KEYED,
				       .verb = VERB_WRITE,
				       .minute = AUTHORITY_MINUTE_NONE,
				       .object = "",
				       .terms = "" };
	uint8_t name[SHA256_BYTES];
	struct sha256 sum;
	int r = take_badge(k, role->meta, &q.badge, name, e);

	r = r < 0 ? r : take_grant(k, q.badge, name, path, &q.grant, e);
	if (r < 0)
		return r;
	sha256_init(&sum);
	sha256_add(&sum, shown->data, shown->len);
	sha256_end(&sum, q.digest);
	name_question(role->meta, q.digest, q.id, role->end.approval);
	name_of("commit", role->meta->event, strlen(role->meta->event), q.digest, sizeof q.digest, q.key);
	q.until_ms = expires_ms(role);
	return keeper_step_shown(k, &q, shown->data, shown->len, ret, e);
}

static int put_to_person(struct role *role, uint32_t asks, struct err *e)
{
	auto_buf shown = { .max = 0 };
	struct keeper_answer a = { .step = 0 };
	struct keeper *k = NULL;
	char place[STAGE_PATH_MAX], *slash;
	int r;

	(void)text_copy(place, sizeof place, role->ask.store); /* of the same size */
	slash = strrchr(place, '/');
	if (slash != NULL) /* stages and authority lie side by side */
		*slash = 0;
	buf_init(&shown, SHOWN_BYTES_MAX);
	r = shown_put(role, asks, &shown, e);
	r = r < 0 ? r : keeper_open(place, &k, e);
	r = r < 0 ? r : use(k, role, role->meta->names[asks], &shown, &a, e);
	keeper_close(k);
	if (r < 0)
		return err_context(e, r, "a person is to be asked about %s", role->meta->event);
	role->approved = a.verdict == AUTHORITY_ALLOWED;
	role->end.asked_why = a.why;
	if (a.verdict != AUTHORITY_ASKS)
		role->end.approval[0] = 0;
	return role->approved;
}

int asking_allows(struct role *role, struct err *e)
{
	int asks = -1;

	for (size_t i = 0; i < role->n_changes; i++) {
		const struct change *c = role->changes[i];

		if (c->held == HELD_NOT || !chosen(&role->ask, role->meta, c))
			continue;
		if (c->held != HELD_ASKED)
			return 0; /* held in any case: nobody is asked for nothing */
		if (asks < 0)
			asks = asked_by(role->meta, c);
	}
	if (asks < 0)
		return 1;
	if (role->in_use) /* what is shown would be something else by the time it is committed */
		return 0;
	return put_to_person(role, (uint32_t)asks, e);
}
