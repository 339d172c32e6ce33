#include "dial/budget.h"

#define MS_PER_S 1000u

static uint64_t period_ms(const struct budget *b)
{
	return (uint64_t)b->most.period_s * MS_PER_S;
}

/* Below 2^53: a rate is at most 2^30, a period 3.6 million ms. */
static uint64_t full(const struct budget *b)
{
	return b->most.rate * period_ms(b);
}

bool budget_begin(struct budget *b, const struct qualifiers *most, uint64_t now_ms)
{
	if (b->taken)
		return qualifiers_are_same(&b->most, most);
	*b = (struct budget){ .taken = true, .most = *most, .filled_ms = now_ms };
	b->level = full(b);
	return true;
}

/* In a whole period an empty bucket is filled. */
static void fill(struct budget *b, uint64_t now_ms)
{
	const uint64_t passed = now_ms - b->filled_ms, most = period_ms(b);

	b->level += (passed < most ? passed : most) * b->most.rate;
	b->level = b->level < full(b) ? b->level : full(b);
	b->filled_ms = now_ms;
}

static bool take_rate(struct budget *b, uint64_t now_ms)
{
	if (b->most.rate == 0)
		return true;
	fill(b, now_ms);
	if (b->level < period_ms(b))
		return false;
	b->level -= period_ms(b);
	return true;
}

static bool has_uses(const struct budget *b)
{
	return b->most.uses == 0 || (uint64_t)b->opened + b->under_way < b->most.uses;
}

bool budget_tell_time(struct budget *b, uint64_t now_s)
{
	if (!budget_will_end(b) || now_s < b->most.until_s)
		return false;
	b->ended = true;
	return true;
}

bool budget_will_end(const struct budget *b)
{
	return b->most.until_s != 0 && !b->ended;
}

/* Time first, since nothing helps against it; the rate last: what is refused for another reason takes nothing of it. */
bool budget_take(struct budget *b, uint64_t now_ms, enum qualifier *ret_which)
{
	*ret_which = QUALIFIER_UNTIL;
	if (b->ended)
		return false;
	*ret_which = QUALIFIER_USES;
	if (!has_uses(b))
		return false;
	*ret_which = QUALIFIER_BYTES;
	if (!budget_has_bytes(b))
		return false;
	*ret_which = QUALIFIER_RATE;
	if (!take_rate(b, now_ms))
		return false;
	b->under_way++;
	return true;
}

void budget_settle(struct budget *b, bool opened)
{
	b->under_way--;
	b->opened += opened;
}

bool budget_is_over(const struct budget *b)
{
	return b->most.bytes != 0 && b->bytes > b->most.bytes;
}

bool budget_has_bytes(const struct budget *b)
{
	return b->most.bytes == 0 || b->bytes < b->most.bytes;
}
