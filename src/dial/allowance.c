#include "dial/allowance.h"

static bool is_used_up(const struct allowance *a, uint64_t passed)
{
	return a->most != 0 && passed >= a->most;
}

static bool wants_more(const struct allowance *a, uint64_t passed)
{
	return is_used_up(a, passed) || (!a->asked && a->most - passed <= a->piece / 2);
}

unsigned allowance_look(struct allowance *a, uint64_t passed, uint64_t now_ms)
{
	unsigned acts = 0;

	if (a->most == 0)
		return 0;
	if (a->asks && now_ms >= a->due_ms && allowance_refuse(a, passed))
		return ALLOWANCE_END;
	if (is_used_up(a, passed) && !a->paused) {
		a->paused = true;
		acts |= ALLOWANCE_PAUSE;
	}
	if (!a->asks && wants_more(a, passed)) {
		a->asks = a->asked = true;
		a->due_ms = now_ms + (a->runs_on ? UNPAUSED_MS : HELD_PATIENCE_MS);
		acts |= ALLOWANCE_ASK;
	}
	return acts;
}

void allowance_unpaused(struct allowance *a, uint64_t now_ms)
{
	a->runs_on = true;
	if (a->asks && a->due_ms > now_ms + UNPAUSED_MS)
		a->due_ms = now_ms + UNPAUSED_MS;
}

bool allowance_add(struct allowance *a, uint64_t bytes, uint64_t passed)
{
	const bool was_paused = a->paused;

	a->asks = a->asked = false;
	a->piece = bytes;
	a->most = bytes == 0 ? 0 : bytes > UINT64_MAX - a->most ? UINT64_MAX : a->most + bytes;
	a->paused = was_paused &&
		    is_used_up(a, passed); /* what passed before it was paused may be more than the piece */
	return was_paused && !a->paused;
}

bool allowance_refuse(struct allowance *a, uint64_t passed)
{
	a->asks = false;
	return is_used_up(a, passed);
}
