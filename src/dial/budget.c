#include "dial/budget.h"

bool budget_begin(struct budget *b, const struct qualifiers *most, uint64_t now_ms)
{
	if (b->taken)
		return qualifiers_are_same(&b->most, most);
	*b = (struct budget){ .taken = true, .most = *most };
	rate_init(&b->rate, most->rate, most->period_s * 1000, now_ms);
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
	if (!rate_take(&b->rate, now_ms))
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
