#include "core/outcome.h"

#define SHELL_SIGNAL 128 /* a shell's exit status when a signal ended what it ran */

void outcome_encode(const struct event_outcome *o, struct buf *out)
{
	const struct event_usage *u = &o->usage;
	const uint64_t numbers[] = { u->wall_ms,           u->cpu_user_ms,     u->cpu_system_ms,
				     u->memory_peak_bytes, u->tasks_peak,      u->written_bytes,
				     o->effects_seen,      o->effects_dropped, o->base_effects };

	buf_put_u32(out, (uint32_t)o->cause);
	buf_put_u32(out, (uint32_t)o->limit);
	buf_put_u32(out, (uint32_t)o->status);
	buf_put_u32(out, (uint32_t)u->memory_exact | (uint32_t)u->tasks_exact << 1 | (uint32_t)u->disk_exact << 2);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		buf_put_u64(out, numbers[i]);
	buf_put_u64(out, (uint64_t)o->workspace);
}

void outcome_decode(struct rbuf *in, struct event_outcome *ret)
{
	const uint32_t cause = rbuf_u32(in), limit = rbuf_u32(in), status = rbuf_u32(in), exact = rbuf_u32(in);
	struct event_usage *u = &ret->usage;
	uint64_t workspace;
	uint64_t *const numbers[] = { &u->wall_ms,           &u->cpu_user_ms,       &u->cpu_system_ms,
				      &u->memory_peak_bytes, &u->tasks_peak,        &u->written_bytes,
				      &ret->effects_seen,    &ret->effects_dropped, &ret->base_effects };

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		*numbers[i] = rbuf_u64(in);
	workspace = rbuf_u64(in);
	if (workspace > WORKSPACE_DISCARDED || cause < CAUSE_EXITED || cause > CAUSE_LAST || limit >= LIMIT_COUNT ||
	    exact > 7 || status > 0xffff) {
		in->failed = true;
		return;
	}
	ret->cause = (enum event_cause)cause; /* in range: just checked, as is the rest */
	ret->limit = (enum limit)limit;
	ret->status = (int)status;
	ret->workspace = (enum event_workspace)workspace;
	u->memory_exact = exact & 1;
	u->tasks_exact = exact >> 1 & 1;
	u->disk_exact = exact >> 2 & 1;
}

const char *cause_word(enum event_cause cause)
{
	switch (cause) {
	case CAUSE_EXITED: return "exited";
	case CAUSE_LIMIT: return "limit";
	case CAUSE_KILLED: return "killed";
	case CAUSE_LOST: return "lost";
	case CAUSE_REFUSED: return "refused";
	case CAUSE_CANARY: return "canary";
	}
	return NULL;
}

const char *workspace_word(enum event_workspace w)
{
	const char *const words[] = {
		[WORKSPACE_NONE] = "none",           [WORKSPACE_DIRECT] = "direct", [WORKSPACE_UNTOUCHED] = "untouched",
		[WORKSPACE_STAGED] = "staged",       [WORKSPACE_KEPT] = "kept",     [WORKSPACE_COMMITTED] = "committed",
		[WORKSPACE_DISCARDED] = "discarded",
	};

	return (size_t)w < sizeof words / sizeof words[0] ? words[w] : NULL;
}

int outcome_signal(int signal_number, int exit_status)
{
	return signal_number == 0 && exit_status > SHELL_SIGNAL && exit_status <= SHELL_SIGNAL + 64
		       ? exit_status - SHELL_SIGNAL
		       : signal_number;
}

int outcome_crash(int signal_number, int exit_status)
{
	static const int crashes[] = { 4 /* ILL */, 5 /* TRAP */, 6 /* ABRT */, 7 /* BUS */, 11 /* SEGV */ };

	signal_number = outcome_signal(signal_number, exit_status);
	for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
		if (signal_number == crashes[i])
			return signal_number;
	return 0;
}
