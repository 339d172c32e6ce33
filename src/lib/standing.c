#include "lib/standing.h"

#include <string.h>

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

int standing_open(const char *store, const char *ledger, struct keeper **ret, struct err *e)
{
	char place[STANDING_PATH_MAX], *slash;

	if (store[0] == 0 || !text_copy(place, sizeof place, store))
		return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME", "there is no place for a person's authority");
	slash = strrchr(place, '/'); /* it is absolute */
	*slash = 0;
	return keeper_open(place, ledger, ret, e);
}

/* What was made, or was there. */
static int make(struct keeper *k, const struct authority_request *q, authority_ref *ret, struct err *e)
{
	struct keeper_answer a;
	const int r = keeper_step(k, q, &a, e);

	if (r < 0)
		return r;
	*ret = a.made;
	return a.verdict == AUTHORITY_ALLOWED || a.why == WHY_TAKEN
		       ? 0
		       : err_set(e, AMBIT_DENIED, NULL, "the person's authority does not take it (%s)",
				 authority_why_word((enum authority_why)a.why));
}

int standing_take(struct keeper *k, const char *agent, const char *workspace, struct standing *ret, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_OPEN, .object = agent[0] != 0 ? agent : "-", .terms = "" };

	standing_name("place", agent, strlen(agent), workspace, strlen(workspace), ret->name);
	memcpy(q.id, ret->name, AUTHORITY_ID);
	return make(k, &q, &ret->badge, e);
}

int standing_grant(struct keeper *k, const struct standing *s, enum grant_verb verb, const char *object,
		   const char *terms, authority_ref *ret, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_GIVE,
				       .badge = s->badge,
				       .flags = AUTHORITY_ASK,
				       .verb = (uint8_t)verb, /* below VERB_COUNT */
				       .object = object,
				       .terms = terms };
	uint8_t of[SHA256_BYTES], name[SHA256_BYTES];

	standing_name(verb_word(verb), s->name, sizeof s->name, terms, strlen(terms), of);
	standing_name("grant", of, sizeof of, object, strlen(object), name);
	memcpy(q.id, name, AUTHORITY_ID);
	return make(k, &q, ret, e);
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
