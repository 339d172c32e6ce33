#include "profile/tripwire.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"

#define CALLS_MAX 1024 /* of one */
#define SYMBOLS_MAX 16 /* likewise, different ones */

static const struct tripwire {
	const char *name, *calls, *item;
	uint8_t kind; /* of item; 0: it names nothing */
	enum amount what;
	uint64_t n;
} all[] = {
#define TRIPWIRE(name, calls, kind, item, what, n) { name, calls, item, kind, AMOUNT_##what, n },
#include "profile/tripwires.def"
#undef TRIPWIRE
};
_Static_assert(sizeof all / sizeof all[0] <= TRIPWIRES_MAX, "a bit for each");

size_t tripwires(void)
{
	return sizeof all / sizeof all[0];
}

const char *tripwire_name(size_t i)
{
	return all[i].name;
}

/* Its room is in the caller's frame. */
struct calls {
	char symbols[SYMBOLS_MAX][SYMBOL_MAX];
	struct trace_step steps[CALLS_MAX];
};

static size_t number_of(struct calls *room, struct trace *t, const char *symbol, size_t n)
{
	for (size_t i = 0; i < t->n_symbols; i++)
		if (strlen(room->symbols[i]) == n && memcmp(room->symbols[i], symbol, n) == 0)
			return i;
	if (t->n_symbols == SYMBOLS_MAX || n >= SYMBOL_MAX)
		return 0; /* none of the suite is so long: unit/profile-whole */
	memcpy(room->symbols[t->n_symbols], symbol, n);
	room->symbols[t->n_symbols][n] = 0;
	return t->n_symbols++;
}

/* "read:/proc*4 exec:sh". */
static void make_calls(const char *calls, struct calls *room, struct trace *t)
{
	*t = (struct trace){ .threads = 1, .symbols = room->symbols, .steps = room->steps };
	while (*calls != 0) {
		const size_t whole = strcspn(calls, " "), n = strcspn(calls, " *");
		const size_t number = number_of(room, t, calls, n);
		uint64_t times = 1;

		for (size_t i = n + 1; i < whole; i++)
			times = (i == n + 1 ? 0 : times * 10) + (uint64_t)(calls[i] - '0');
		for (; times > 0 && t->n_steps < CALLS_MAX; times--)
			room->steps[t->n_steps++] = (struct trace_step){ .symbol = (uint16_t)number };
		calls += whole + (calls[whole] == ' ');
	}
	t->calls = t->n_steps;
}

static bool is_flagged(const struct profile *p, const struct tripwire *w, struct calls *room, bool *ret)
{
	struct deeds d = { .acted = true };
	struct unusual f;
	bool good;

	for (size_t i = 0; i < AMOUNTS; i++) /* else as most are */
		d.amounts[i] = sketch_quantile(&p->amounts.of[i], 0.5);
	d.amounts[w->what] = d.amounts[w->what] > w->n ? d.amounts[w->what] : w->n;
	good = w->kind == 0 || deeds_add(&d, w->kind, w->item, strlen(w->item));
	make_calls(w->calls, room, &d.trace);
	if (good)
		profile_score(p, NULL, &d, &f);
	*ret = good && f.flagged[PROMISED_LOG];
	d.trace = (struct trace){ .symbols = NULL }; /* in room */
	deeds_finish(&d);
	return good;
}

int tripwires_flagged(const struct profile *p, uint32_t *ret, struct err *e)
{
	struct calls room;

	*ret = 0;
	for (size_t i = 0; i < tripwires(); i++) {
		bool is = false;

		if (!is_flagged(p, &all[i], &room, &is))
			return err_set(e, AMBIT_MEMORY, NULL, "no memory for the suite of tripwires");
		*ret |= is ? UINT32_C(1) << i : 0;
	}
	return 0;
}

void tripwires_lost(uint32_t before, uint32_t after, struct buf *out)
{
	const char *lead = "";

	for (size_t i = 0; i < tripwires(); i++) {
		if ((before >> i & 1) == 0 || (after >> i & 1) != 0)
			continue;
		buf_printf(out, "%s%s", lead, all[i].name);
		lead = ", ";
	}
}
