#include "cells/stock.h"

void stock_init(struct stock *s, uint32_t ready)
{
	*s = (struct stock){ .ready = ready < STOCK_READY_MAX ? ready : STOCK_READY_MAX };
	s->wanted = s->ready;
}

void stock_take(struct stock *s, bool warm, uint64_t now_ms)
{
	s->taken_ms = now_ms;
	if (s->rests_ms < now_ms + STOCK_RESTS_MS)
		s->rests_ms = now_ms + STOCK_RESTS_MS;
	if (!warm && s->wanted > 0 && s->wanted < STOCK_MAX)
		s->wanted++;
}

void stock_fail(struct stock *s, uint64_t now_ms)
{
	s->rests_ms = now_ms + STOCK_FAILS_MS;
}

uint32_t stock_surplus(struct stock *s, uint32_t waiting, uint64_t now_ms)
{
	if (s->wanted > s->ready && now_ms >= s->taken_ms + STOCK_FADES_MS) {
		s->wanted--;
		s->taken_ms = now_ms;
	}
	return waiting > s->wanted ? waiting - s->wanted : 0;
}

bool stock_lacks(const struct stock *s, uint32_t waiting, uint32_t cold, uint64_t now_ms)
{
	return waiting < s->wanted && cold < STOCK_COLD_MAX && now_ms >= s->rests_ms;
}

int stock_sooner(int timeout_ms, uint64_t at_ms, uint64_t now_ms)
{
	const uint64_t left = at_ms > now_ms ? at_ms - now_ms : 0;

	return timeout_ms >= 0 && (uint64_t)timeout_ms < left ? timeout_ms : left > INT32_MAX ? INT32_MAX : (int)left;
}

int stock_patience(const struct stock *s, uint32_t waiting, int timeout_ms, uint64_t now_ms)
{
	if (s->wanted > s->ready)
		timeout_ms = stock_sooner(timeout_ms, s->taken_ms + STOCK_FADES_MS, now_ms);
	/* later there is nothing that time alone changes: one that is cold begins, or ends */
	return waiting < s->wanted && s->rests_ms > now_ms ? stock_sooner(timeout_ms, s->rests_ms, now_ms) : timeout_ms;
}

bool stock_is_before(struct stock_cell a, struct stock_cell b)
{
	return a.warm != b.warm ? a.warm : a.order < b.order;
}
