#include "profile/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "profile/order.h"

const struct verdict_rules VERDICT_RULES = { .support = 1, .bits = VERDICT_BITS };

/* What an attacker gains by it less often than others, by whatever shows: bits off. */
#define WIDER_BITS 3.0 /* known to this agent from other tasks */
#define NOWHERE_BITS                                                                                                   \
	3.0             /* the model made it up: an attacker's destination has to come out of something that was read */
#define AMOUNT_BITS 2.0 /* numbers, times and switches are no destinations */
#define UNTRUSTED_BITS 1.0 /* and what came out of something untrusted has them on */
#define SUM_SHARE 0.001
#define SUM_MAX 100.0
#define ORDER_SHARE 0.5

double verdict_bits(const struct novelty *n, const struct scopes *s, const struct verdict_rules *r,
		    const struct mark *m, struct surprise *ret)
{
	const struct surprise is = novelty_surprise(n, s, r->support, m);
	double bits = is.bits;

	if (ret != NULL)
		*ret = is;
	if (!is.is_new || (m->from & ITEM_OF_PROMPT) != 0)
		return 0;
	if (is.known_wider && m->kind != ITEM_TOOL)
		bits -= WIDER_BITS;
	if ((m->from & (ITEM_OF_NOWHERE | ITEM_OF_ANSWER | ITEM_UNTRUSTED)) == ITEM_OF_NOWHERE)
		bits -= NOWHERE_BITS;
	if ((m->from & ITEM_UNTRUSTED) != 0)
		bits += UNTRUSTED_BITS;
	if (m->kind == ITEM_NUMBER || m->kind == ITEM_TIME || m->kind == ITEM_SWITCH)
		bits -= AMOUNT_BITS;
	return fmax(bits, 0);
}

void verdict_begin(struct verdict *v, const struct novelty *n, const struct scopes *s)
{
	const uint32_t runs = novelty_runs(n, s);

	*v = (struct verdict){ .runs = runs, .young = runs < NOVELTY_YOUNG };
}

/* One more item. */
static void weigh(struct verdict *v, const struct verdict_rules *r, double bits)
{
	v->bits = fmax(v->bits, bits);
	v->unusual = v->bits >= r->bits;
}

void verdict_doings(struct verdict *v, const struct novelty *n, const struct scopes *s, const struct verdict_rules *r,
		    const struct doings *d)
{
	double sum = 0;

	for (size_t i = 0; i < d->n_marks; i++) {
		const double bits = verdict_bits(n, s, r, &d->marks[i], NULL);

		weigh(v, r, bits);
		sum += bits;
	}
	v->score = v->bits + SUM_SHARE * fmin(sum, SUM_MAX) + ORDER_SHARE * order_score(n, s->hash[0], d);
}

static void say_what(char *ret, size_t size, const struct call *c, const struct item *item)
{
	switch ((enum item_kind)item->mark.kind) {
	case ITEM_TOOL_UNSURE: (void)snprintf(ret, size, "first use of %s, which may act", c->tool); return;
	case ITEM_TOOL: (void)snprintf(ret, size, "first use of %s, which acts", c->tool); return;
	case ITEM_ADDRESS:
		(void)snprintf(ret, size, "first write to %s by %s (%s)", item->value, c->tool, item->place);
		return;
	case ITEM_INSIDE:
		(void)snprintf(ret, size, "first %s inside %s of %s", item->value, item->place, c->tool);
		return;
	case ITEM_FETCH: (void)snprintf(ret, size, "first fetch of %s by %s", item->value, c->tool); return;
	case ITEM_SITE: (void)snprintf(ret, size, "first of %s for %s (%s)", item->value, c->tool, item->place); return;
	case ITEM_MORE: (void)snprintf(ret, size, "%s names more than can be looked at", c->tool); return;
	case ITEM_NAME:
	case ITEM_WORDS:
	case ITEM_TITLE:
	case ITEM_NUMBER:
	case ITEM_TIME:
	case ITEM_SWITCH:
		(void)snprintf(ret, size, "first %s \"%s\" for %s", item->place, item->value, c->tool);
		return;
	case ITEM_KINDS: break;
	}
	ret[0] = 0;
}

static void say(struct reason *ret, const struct call *c, const struct item *item, const struct surprise *is)
{
	size_t n;

	say_what(ret->text, sizeof ret->text, c, item);
	n = strlen(ret->text);
	n += (size_t)snprintf(ret->text + n, sizeof ret->text - n, "; 0 of %u earlier runs%s", is->runs,
			      is->runs < NOVELTY_YOUNG ? ", a young profile" : "");
	if (n < sizeof ret->text && is->seen > 0)
		n += (size_t)snprintf(ret->text + n, sizeof ret->text - n, "; something new there in %u of %u",
				      is->fresh, is->seen);
	if (n < sizeof ret->text && is->known_wider)
		n += (size_t)snprintf(ret->text + n, sizeof ret->text - n, "; known from other tasks");
	if (n < sizeof ret->text && (item->mark.from & ITEM_UNTRUSTED) != 0)
		(void)snprintf(ret->text + n, sizeof ret->text - n, "; it came out of something untrusted");
	else if (n < sizeof ret->text && (item->mark.from & ITEM_OF_ANSWER) != 0)
		(void)snprintf(ret->text + n, sizeof ret->text - n, "; it came out of an earlier answer");
	else if (n < sizeof ret->text && (item->mark.from & ITEM_OF_MANY) != 0)
		(void)snprintf(ret->text + n, sizeof ret->text - n, "; more was read than is remembered");
}

/* In its place among the strongest; equals stay in the order in which they came. */
static void add_reason(struct verdict *v, const struct reason *new)
{
	size_t i = v->n;

	for (size_t k = 0; k < v->n; k++)
		if (strcmp(v->reasons[k].text, new->text) == 0)
			return;
	while (i > 0 && v->reasons[i - 1].bits < new->bits)
		i--;
	if (i == VERDICT_REASONS)
		return;
	v->n += v->n < VERDICT_REASONS;
	memmove(&v->reasons[i + 1], &v->reasons[i], (v->n - 1 - i) * sizeof v->reasons[0]);
	v->reasons[i] = *new;
}

void verdict_call(struct verdict *v, const struct novelty *n, const struct scopes *s, const struct verdict_rules *r,
		  const struct call *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct surprise is;
		struct reason why = { .bits = verdict_bits(n, s, r, &c->items[i].mark, &is) };

		weigh(v, r, why.bits);
		v->score = fmax(v->score, v->bits);
		if (why.bits < r->bits)
			continue;
		say(&why, c, &c->items[i], &is);
		add_reason(v, &why);
	}
}
