#include "audit/under.h"

#include <string.h>

#include "base/text.h"
#include "cell/base.h"
#include "stage/hidden.h"

/* ---- the grants ---- */

/* As the grant says, but for the object. */
static bool add(struct under *u, const struct grant_set *from, uint32_t grant, const char *object, uint16_t line)
{
	const struct grant *g = &from->grants[grant];
	const uint32_t before = u->grants.count;
	uint32_t id;

	if (grant_add_qualified(&u->grants, (enum grant_verb)g->verb, object, g->flags, &g->qualifiers,
				grant_terms(from, grant), grant_flow(from, grant), &id, NULL) < 0)
		return false;
	if (u->grants.count > before)
		u->line[id] = line;
	return true;
}

static bool add_fixed(struct under *u, const struct grant_set *set)
{
	bool fits = true;

	for (uint32_t i = 0; i < set->count && fits; i++)
		fits = add(u, set, i, grant_object(set, i), (uint16_t)i);
	return fits;
}

static bool add_within(struct under *u, const struct grant_set *set, const char *workdir)
{
	bool fits = true;

	for (uint32_t i = 0; i < set->count && fits; i++) {
		const char *object = grant_object(set, i);
		char path[GRANT_OBJECT_MAX];

		fits = path_normalise(workdir, object[1] == 0 ? "." : object + 1, path, sizeof path) &&
		       add(u, set, i, path, (uint16_t)(GRANTS_MAX + i));
	}
	return fits;
}

/* What an event has whatever its policy says: its program, and with the minimal base the libraries of that. */
static bool add_given(struct under *u, const struct past *p)
{
	const char *program = p->real[0] != 0 ? p->real : p->program;
	bool fits = true;

	for (uint32_t i = 0; i < p->grants.count && fits; i++) {
		const char *object = grant_object(&p->grants, i);

		if (p->grants.grants[i].verb == VERB_RUN && object[0] == '/' &&
		    (strcmp(object, program) == 0 ||
		     (p->base == CELL_BASE_MINIMAL && base_shows(CELL_BASE_SYSTEM, object, RIGHT_READ | RIGHT_RUN))))
			fits = add(u, &p->grants, i, object, UNDER_NO_LINE);
	}
	return fits;
}

/* Of the paths only those on which it hangs whether /var/tmp is the cell's own. */
static void describe(struct under *u, const struct past *p)
{
	bool full = false;

	spec_init(&u->spec);
	u->spec.base = p->base;
	u->spec.home = spec_add_text(&u->spec, p->home, &full); /* there is room for one path */
	for (uint32_t i = 0; i < u->grants.count; i++) {
		const char *object = grant_object(&u->grants, i);

		if (u->grants.grants[i].rights != 0 && path_is_beneath(object, "/var/tmp")) {
			(void)spec_add_path(&u->spec, object, u->grants.grants[i].rights, 0, i, NULL);
			return;
		}
	}
}

const char *under_begin(struct under *u, const struct past *p, const struct policy_asked *policy)
{
	memset(&u->made, 0, sizeof u->made);
	grant_set_init(&u->grants);
	if (p->base == CELL_BASE_HOST)
		return "it was shown the whole host (ambit learn)";
	if (!add_fixed(u, &policy->fixed) || !add_within(u, &policy->within, p->workdir) || !add_given(u, p))
		return "the grants of the policy do not fit its workspace";
	describe(u, p);
	return NULL;
}

/* ---- what it would have written for itself ---- */

/* The path, or a directory in which it lies. */
static bool is_made(const struct under *u, const char *path)
{
	for (size_t n = 1; u->made.n > 0 && path[n - 1] != 0; n++)
		if ((path[n] == '/' || path[n] == 0) && seen_has(&u->made, path, n))
			return true;
	return false;
}

/* ---- facts, as far as they hold under other grants ---- */

struct looking {
	struct under *u;
	const struct past *p;
	const struct past_effect *f;
	const struct decision *was;
	const char *path;
	uint32_t tried, assumed; /* facts that nobody looked at, and which of them are to hold */
	uint32_t open;           /* those of them that were asked for */
};

static bool names(const struct grant_set *set, const char *path, uint32_t right)
{
	for (uint32_t i = 0; i < set->count; i++)
		if ((set->grants[i].rights & right) == right && strcmp(grant_object(set, i), path) == 0)
			return true;
	return false;
}

/* The new grants name it, and the old ones did not: then it is shown, or held no more. */
static bool is_newly_named(const struct looking *l, uint32_t right)
{
	return names(&l->u->grants, l->path, right) && !names(&l->p->grants, l->path, right);
}

/* Whether a part of path beneath `above` has the name of a secret. */
static bool has_hidden_part(const char *path, const char *above)
{
	char name[256], parent[256]; /* the kernel has no longer ones */
	const char *at = path + (above[1] == 0 ? 0 : strlen(above));

	(void)text_copy(parent, sizeof parent, strrchr(above, '/') + 1);
	while (*at == '/') {
		const size_t n = strcspn(++at, "/");

		if (n >= sizeof name)
			return false;
		memcpy(name, at, n);
		name[n] = 0;
		if (hidden_match(parent, name) != NULL)
			return true;
		(void)text_copy(parent, sizeof parent, name); /* same size */
		at += n;
	}
	return false;
}

/* A tree that is granted now, and was not: what in it has the name of a secret is not shown. */
static bool is_newly_unseen(const struct looking *l)
{
	const char *nearest = NULL;

	if (decide_is_granted_place(&l->p->grants, l->path))
		return false;
	for (uint32_t i = 0; i < l->u->grants.count; i++) {
		const char *object = grant_object(&l->u->grants, i);

		if (l->u->grants.grants[i].rights != 0 && object[0] == '/' && path_is_beneath(l->path, object) &&
		    (nearest == NULL || strlen(object) > strlen(nearest)))
			nearest = object;
	}
	return nearest != NULL && has_hidden_part(l->path, nearest);
}

static bool leads_to_grant(const struct grant_set *set, const char *path)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->grants[i].rights != 0 && path_is_beneath(grant_object(set, i), path))
			return true;
	return false;
}

static bool recorded(const struct looking *l, enum fact f)
{
	return (l->was->facts & FACT_BIT(f)) != 0;
}

/* What was looked at, or is tried both ways. */
static bool as_looked_at(struct looking *l, enum fact f)
{
	if ((l->was->used & FACT_BIT(f)) != 0)
		return recorded(l, f);
	l->open |= FACT_BIT(f) & ~l->tried;
	return (l->assumed & FACT_BIT(f)) != 0;
}

/* In a staged tree nothing is held; what is, was not looked at where it was denied before that. */
static bool is_protected(struct looking *l, enum fact f)
{
	if (is_newly_named(l, RIGHT_WRITE))
		return false;
	return (l->was->used & FACT_BIT(FACT_PROTECTED)) == 0 && l->p->staged ? false : as_looked_at(l, f);
}

static bool exists(struct looking *l)
{
	if (path_is_beneath(l->p->home, l->path) || leads_to_grant(&l->u->grants, l->path))
		return true;
	if (recorded(l, FACT_EXISTS) && !leads_to_grant(&l->p->grants, l->path) &&
	    !decide_is_granted_place(&l->p->grants, l->path))
		return true;
	return (base_allows(&l->u->spec, l->path, RIGHT_READ) || decide_is_granted_place(&l->u->grants, l->path)) &&
	       as_looked_at(l, FACT_THERE);
}

static bool look(void *arg, enum fact f)
{
	struct looking *l = arg;
	const uint32_t right = effect_right(l->f->kind);

	switch (f) {
	case FACT_HIDDEN: return recorded(l, f) && (recorded(l, FACT_STORE) || !is_newly_named(l, 0));
	case FACT_UNSEEN: return recorded(l, f) ? !is_newly_named(l, 0) : is_newly_unseen(l);
	case FACT_PROTECTED:
	case FACT_HELD: return is_protected(l, f);
	case FACT_PRIVATE: return base_is_private(&l->u->spec, l->path);
	case FACT_BASE: return base_allows(&l->u->spec, l->path, right);
	case FACT_SYSTEM: return base_shows((enum cell_base)l->p->base, l->path, right); /* one of them */
	case FACT_MADE: return recorded(l, f) || is_made(l->u, l->path);
	case FACT_EXISTS: return exists(l);
	case FACT_THERE:
	case FACT_ABOVE: return as_looked_at(l, f);
	case FACT_USR:
	case FACT_STORE:
	case FACT_WRITTEN: /* else it is not allowed for another reason */
	case FACT_STAGED:
	case FACT_OTHER_NAME:
	case FACT_BAD_HELLO:
	case FACT_HIDDEN_NAME:
	case FACT_WITHDRAWN:
	case FACT_REFUSED:
	case FACT_BEYOND:
	case FACT_COUNT: break;
	}
	return recorded(l, f);
}

/* Whatever is beside it, what is written to a place of the cell's own goes with the cell. And what it had by a grant is not what is
 * there: what it did not make there it does not find. */
static struct decision decide_under(struct looking *l, const struct decide_ask *ask)
{
	const uint32_t right = effect_right(ask->kind);
	struct decision d = decide(ask, look, l);

	if (right == 0 || d.verdict != EFFECT_ALLOWED || d.base == EFFECT_BASE_NOT ||
	    decide_is_granted_place(&l->u->grants, l->path) || !look(l, FACT_PRIVATE))
		return d;
	if (right == RIGHT_WRITE)
		d.base = EFFECT_BASE_GONE;
	else if (l->was->grant != GRANT_NONE && !look(l, FACT_MADE))
		d = (struct decision){ .verdict = EFFECT_ABSENT, .grant = GRANT_NONE };
	return d;
}

/* ---- the answer ---- */

enum outcome { OUTCOME_NOT, OUTCOME_DONE, OUTCOME_GONE };

static enum outcome outcome_of(const struct decision *d)
{
	if (d->verdict != EFFECT_ALLOWED)
		return OUTCOME_NOT;
	return d->base == EFFECT_BASE_GONE ? OUTCOME_GONE : OUTCOME_DONE;
}

static enum fact lowest(uint32_t facts)
{
	return (enum fact)__builtin_ctz(facts);
}

/* Whether all ways lead to the same; else *ret_open is what it hangs on. */
static bool is_sure(struct looking *l, const struct decide_ask *ask, enum outcome want, enum fact *ret_open)
{
	struct decision d;
	enum fact open;

	l->open = 0;
	d = decide_under(l, ask);
	if (l->open == 0)
		return outcome_of(&d) == want;
	open = lowest(l->open);
	for (uint32_t holds = 0; holds < 2; holds++) {
		struct looking one = *l;

		one.tried |= FACT_BIT(open);
		one.assumed |= holds != 0 ? FACT_BIT(open) : 0;
		if (!is_sure(&one, ask, want, ret_open)) {
			*ret_open = open;
			return false;
		}
	}
	return true;
}

static enum under_answer compare(enum outcome was, enum outcome is)
{
	static const enum under_answer answers[3][3] = {
		/*                now not,       done,          gone */
		[OUTCOME_NOT] = { UNDER_SAME, UNDER_ALLOWED, UNDER_ALLOWED },
		[OUTCOME_DONE] = { UNDER_DENIED, UNDER_SAME, UNDER_LOST },
		[OUTCOME_GONE] = { UNDER_DENIED, UNDER_KEPT, UNDER_SAME },
	};

	return answers[was][is];
}

static void say_why(struct under *u, const struct past_effect *f, struct under_told *ret)
{
	struct effect e = { .kind = f->kind,
			    .verdict = ret->decision.verdict == EFFECT_ABSENT ? EFFECT_DENIED : ret->decision.verdict,
			    .beyond = (f->facts & FACT_BIT(FACT_BEYOND)) != 0 };

	(void)text_copy(e.object, sizeof e.object, f->object); /* same size */
	denial_of(&u->grants, &e, &ret->denial);
}

void under_decide(struct under *u, const struct past *p, const struct past_effect *f, const struct decision *was,
		  struct under_told *ret)
{
	const struct decide_ask ask = past_ask(p, &u->grants, f);
	struct looking l = { .u = u, .p = p, .f = f, .was = was, .path = ask.socket != NULL ? ask.socket : f->object };
	enum outcome is;

	ret->decision = decide_under(&l, &ask);
	is = outcome_of(&ret->decision);
	ret->answer = is_sure(&l, &ask, is, &ret->unknown) ? compare(outcome_of(was), is) : UNDER_UNKNOWN;
	if (ret->answer == UNDER_DENIED)
		say_why(u, f, ret);
	if (effect_right(f->kind) == RIGHT_WRITE && ret->decision.verdict == EFFECT_ALLOWED &&
	    ret->decision.base != EFFECT_BASE_NOT)
		seen_add(&u->made, f->object, strlen(f->object));
}
