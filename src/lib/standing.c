#include "lib/standing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "authority/layout.h"
#include "base/clock.h"
#include "base/text.h"

void standing_name(const char *kind, const void *a, size_t a_n, const void *b, size_t b_n, uint8_t ret[SHA256_BYTES])
{
	struct sha256 sum;

	sha256_init(&sum);
	sha256_add(&sum, kind, strlen(kind) + 1);
	sha256_add(&sum, a, a_n);
	sha256_add(&sum, "", 1);
	sha256_add(&sum, b, b_n);
	sha256_end(&sum, ret);
}

void standing_stream(const char *session, const char *agent, const char *workspace, char ret[ID_TEXT_MAX])
{
	uint8_t name[SHA256_BYTES];

	if (session != NULL)
		standing_name("session", session, strlen(session), "", 0, name);
	else
		standing_name("place", agent, strlen(agent), workspace, strlen(workspace), name);
	authority_id_text('b', name, ret);
}

void standing_stream_below(const char *above, const char *agent, char ret[ID_TEXT_MAX])
{
	uint8_t name[SHA256_BYTES];

	standing_name("below", above, strlen(above), agent, strlen(agent), name);
	authority_id_text('b', name, ret);
}

int standing_place(const char *store, char ret[STANDING_PATH_MAX], struct err *e)
{
	if (store[0] == 0 || !text_copy(ret, STANDING_PATH_MAX, store))
		return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME", "there is no place for a person's authority");
	*strrchr(ret, '/') = 0; /* it is absolute */
	return 0;
}

bool standing_is_labelled(const char *store)
{
	char place[STANDING_PATH_MAX], dir[STANDING_PATH_MAX + sizeof AUTHORITY_DIRECTORY];

	return standing_place(store, place, NULL) == 0 &&
	       snprintf(dir, sizeof dir, "%s/" AUTHORITY_DIRECTORY, place) > 0 && keeper_is_labelled(dir);
}

int standing_open(const char *store, const char *ledger, struct keeper **ret, struct err *e)
{
	char place[STANDING_PATH_MAX];
	const int r = standing_place(store, place, e);

	return r < 0 ? r : keeper_open(place, ledger, ret, e);
}

int standing_refused(const struct keeper_answer *a, struct err *e)
{
	const char *hint =
		a->why == WHY_FROZEN ? "`ambit thaw` lets it go on"
		: a->why == WHY_FULL
			? "`ambit labels` lists what fills it: --forget ends a stream, --unmark takes labels off a path"
		: a->why == WHY_NOT_HELD ? "its stream was forgotten, or ended, meanwhile: begin it again"
					 : NULL;

	return err_set(e, AMBIT_DENIED, hint, "the person's authority says no (%s)",
		       authority_why_word((enum authority_why)a->why));
}

/* It would be the same grant again. */
static int was_revoked(const struct authority_request *q, struct err *e)
{
	const size_t n = q->verb == VERB_ENV ? strcspn(q->object, "=") : strlen(q->object); /* without a value */
	char hint[ERR_HINT_MAX], id[ID_TEXT_MAX], object[ERR_MSG_MAX / 2];

	authority_id_text('g', q->id, id);
	(void)snprintf(hint, sizeof hint, "`ambit grant restore %s` takes that back", id);
	return err_set(e, AMBIT_DENIED, hint, "the grant '%s %s' was revoked", verb_word((enum grant_verb)q->verb),
		       text_escape(object, sizeof object, q->object, n));
}

/* What was made (1), or was there (0). */
static int make(struct keeper *k, const struct authority_request *q, authority_ref *ret, struct err *e)
{
	struct keeper_answer a;
	const int r = keeper_step(k, q, &a, e);

	if (r < 0)
		return r;
	*ret = a.made;
	if (a.verdict == AUTHORITY_ALLOWED)
		return 1;
	if (a.why == WHY_TAKEN)
		return 0;
	if (a.why == WHY_REVOKED && a.made == 0)
		return err_set(e, AMBIT_DENIED, "`ambit grant list --standing` tells what there is",
			       "what the sub-agent's '%s' is derived from was revoked",
			       verb_word(q->op == AUTHORITY_OPEN ? VERB_DELEGATE : (enum grant_verb)q->verb));
	return a.why == WHY_REVOKED ? was_revoked(q, e) : standing_refused(&a, e);
}

/* Whoever is called so from now on. */
static int take(struct keeper *k, const char *stream, struct authority_request *q, struct standing *ret, struct err *e)
{
	int r;

	memset(ret->stream, 0, sizeof ret->stream);
	if (!id_is('b', stream, strlen(stream)) || !text_copy(ret->stream, sizeof ret->stream, stream))
		return err_set(e, AMBIT_PROTOCOL, NULL, "'%s' is no stream of events", stream);
	id_read(stream, q->id);
	r = make(k, q, &ret->badge, e);
	ret->is_new = r > 0;
	ret->above = q->badge;
	return r < 0 ? r : 0;
}

int standing_take(struct keeper *k, const char *stream, const char *agent, const struct qualifiers *budget,
		  struct standing *ret, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_OPEN, .object = agent[0] != 0 ? agent : "-", .terms = "" };

	if (budget != NULL)
		q.bounds.q = *budget;
	return take(k, stream, &q, ret, e);
}

int standing_take_below(struct keeper *k, const struct standing *above, authority_ref delegate, const char *stream,
			const char *agent, const char *event, struct standing *ret, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_OPEN,
				       .badge = above->badge,
				       .grant = delegate,
				       .minute = AUTHORITY_MINUTE_NONE,
				       .object = agent,
				       .terms = "" };

	id_read(event, q.event);
	return take(k, stream, &q, ret, e);
}

struct bounded {
	const char *agent;
	const struct qualifiers *budget;
	bool is_so;
};

static int look_at_agent(void *of, const struct keeper_row *row)
{
	struct bounded *b = of;

	b->is_so = b->is_so ||
		   (strcmp(row->agent.name, b->agent) == 0 && qualifiers_are_same(&row->agent.bounds.q, b->budget));
	return 0;
}

int standing_bound(struct keeper *k, const char *agent, const struct qualifiers *budget, struct err *e)
{
	const struct authority_request q = { .op = AUTHORITY_AGENT, .bounds.q = *budget, .object = agent, .terms = "" };
	struct bounded b = { .agent = agent, .budget = budget };
	authority_ref none;
	int r = keeper_list(k, KEEPER_AGENTS, look_at_agent, &b, e);

	r = r < 0 || b.is_so ? r
			     : make(k, &q, &none, e); /* what is so already is not written down again for each event */
	return r < 0 ? r : 0;
}

static void add_number(struct sha256 *sum, uint64_t n)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(n >> 8 * i);
	sha256_add(sum, bytes, sizeof bytes);
}

int standing_grant(struct keeper *k, const struct standing *s, const struct standing_grant *g, authority_ref *ret,
		   struct err *e)
{
	struct authority_request q = { .op = g->from != 0 ? AUTHORITY_DERIVE : AUTHORITY_GIVE,
				       .badge = g->from != 0 ? s->above : s->badge,
				       .to = g->from != 0 ? s->badge : 0,
				       .grant = g->from,
				       .depth = g->depth,
				       .flags = g->flags,
				       .verb = (uint8_t)g->verb, /* below VERB_COUNT */
				       .labels = g->labels,
				       .n_unless = g->n_unless,
				       .bounds = g->bounds,
				       .object = g->object,
				       .terms = g->terms };
	uint8_t name[SHA256_BYTES], room[512];
	struct sha256 sum;
	struct buf bounds;
	int r;

	sha256_init(&sum);
	sha256_add(&sum, "grant", sizeof "grant");
	sha256_add(&sum, s->stream, sizeof s->stream);
	sha256_add(&sum, verb_word(g->verb), strlen(verb_word(g->verb)) + 1);
	sha256_add(&sum, g->object, strlen(g->object) + 1);
	sha256_add(&sum, g->terms, strlen(g->terms) + 1);
	add_number(&sum, g->flags);
	buf_init_in(&bounds, room, sizeof room);
	authority_put_bounds(&bounds, &g->bounds);
	sha256_add(&sum, bounds.data, bounds.len);
	add_number(&sum, g->labels);
	for (uint8_t i = 0; i < g->n_unless; i++) {
		q.unless[i] = g->unless[i];
		add_number(&sum, g->unless[i]);
	}
	if (g->from != 0 || g->depth != 0) {
		add_number(&sum, g->from);
		add_number(&sum, g->depth);
	}
	sha256_end(&sum, name);
	memcpy(q.id, name, AUTHORITY_ID);
	r = make(k, &q, ret, e);
	return r < 0 ? r : 0;
}

int standing_late(struct err *e)
{
	return err_why(e,
		       err_set(e, AMBIT_DENIED, "`ambit ps` lists what runs, `ambit kill EVENT` ends it",
			       "another event does not say that its connections are closed"),
		       "labels close what it has open, and its supervisor has not answered for seconds");
}

void standing_end(const char *store, const char *ledger, const char *session)
{
	struct authority_request q = { .op = AUTHORITY_END, .object = "", .terms = "" };
	char place[STANDING_PATH_MAX], stream[ID_TEXT_MAX];
	struct keeper_answer a;
	struct keeper *k = NULL;
	struct standing s = { .badge = 0 };

	standing_stream(session, "", "", stream);
	if (standing_place(store, place, NULL) < 0 || !keeper_was_asked(place) ||
	    keeper_open(place, ledger, &k, NULL) < 0)
		return;
	if (standing_take(k, stream, "", NULL, &s, NULL) == 0) {
		q.badge = s.badge;
		(void)keeper_step(k, &q, &a, NULL);
	}
	keeper_close(k);
}

int standing_name_question(uint8_t ret[AUTHORITY_ID], struct err *e)
{
	id_put_time(ret, clock_unix_ms());
	return getrandom(ret + ID_TIME, ID_RANDOM, 0) == ID_RANDOM
		       ? 0
		       : err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes for a question");
}

void standing_digest(const struct buf *shown, uint8_t ret[AUTHORITY_DIGEST])
{
	struct sha256 sum;

	sha256_init(&sum);
	sha256_add(&sum, shown->data, shown->len);
	sha256_end(&sum, ret);
}

struct asked {
	authority_ref ref;
	char *id; /* borrowed: of ID_TEXT_MAX */
};

static int take_id(void *of, const struct keeper_row *row)
{
	const struct asked *asked = of;

	if (row->ask.ref == asked->ref)
		authority_id_text('a', row->ask.id, asked->id);
	return 0;
}

void standing_question(struct keeper *k, authority_ref ask, char ret[ID_TEXT_MAX])
{
	ret[0] = 0;
	(void)keeper_list(k, KEEPER_ASKS, take_id, &(struct asked){ .ref = ask, .id = ret }, NULL);
}

struct latest {
	authority_ref badge;
	uint8_t id[AUTHORITY_ID];
};

static int look(void *of, const struct keeper_row *row)
{
	struct latest *l = of;

	if (row->ask.badge == l->badge && row->ask.state == ASK_WAITS && memcmp(row->ask.id, l->id, sizeof l->id) > 0)
		memcpy(l->id, row->ask.id, sizeof l->id);
	return 0;
}

void standing_waits(const char *store, authority_ref badge, char ret[ID_TEXT_MAX])
{
	static const uint8_t none[AUTHORITY_ID];
	struct latest l = { .badge = badge };
	struct keeper *k = NULL;

	ret[0] = 0;
	if (standing_open(store, "", &k, NULL) == 0 && keeper_list(k, KEEPER_ASKS, look, &l, NULL) >= 0 &&
	    memcmp(l.id, none, sizeof none) != 0)
		authority_id_text('a', l.id, ret);
	keeper_close(k);
}
