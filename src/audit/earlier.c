#include "audit/earlier.h"

#include <stdio.h>

#include "audit/chain.h"
#include "ledger/layout.h"

static int find_in(const char *dir, const struct audit_ask *ask, earlier_fn *find, struct buf *out, struct err *e)
{
	struct snapshot *s = NULL;
	int r = snapshot_take(dir, ask->key, SNAPSHOT_KEY, &s, e);

	r = r < 0 ? r : find(s, ask, out, e);
	snapshot_free(s);
	return r;
}

/* The logs are numbered without a gap. */
static unsigned count(const struct audit_ask *ask)
{
	unsigned n = 0;

	for (; n < LEDGER_PAST_MAX && ask->past[0] != 0; n++) {
		char path[GRANT_OBJECT_MAX + 16];
		struct source source;

		(void)snprintf(path, sizeof path, "%s/%u/" LEDGER_LOG, ask->past, n + 1); /* it fits */
		if (source_open(path, &source, NULL) < 0)
			break;
		source_close(&source);
	}
	return n;
}

void earlier_witness(struct audit_ask *ask, unsigned n)
{
	struct source source;

	ask->cosigned[0] = 0;
	if (snprintf(ask->cosigned, sizeof ask->cosigned, "%s/%u/" LEDGER_WITNESS, ask->past, n) >=
		    (int)sizeof ask->cosigned ||
	    source_open(ask->cosigned, &source, NULL) < 0)
		ask->cosigned[0] = 0;
	else
		source_close(&source);
}

/* The key that was given may be that of one of them. */
static bool may_be_earlier(int r, const struct audit_ask *ask)
{
	return r == -AMBIT_NOT_FOUND || (r == -AMBIT_MALFORMED && ask->key[0] != 0);
}

int earlier_find(const struct audit_ask *ask, earlier_fn *find, struct buf *out, struct err *e)
{
	struct audit_ask there = *ask;
	int r = find_in(ask->dir, ask, find, out, e), again = r;

	if ((ask->flags & AUDIT_BY_SEQ) != 0) /* a number is one of the present log */
		return r;
	for (unsigned n = count(ask); n > 0 && may_be_earlier(again, ask); n--) {
		char path[GRANT_OBJECT_MAX + 16];
		struct err told = { .code = AMBIT_OK };

		(void)snprintf(path, sizeof path, "%s/%u/" LEDGER_LOG, ask->past, n); /* it fits */
		earlier_witness(&there, n);
		again = find_in(path, &there, find, out, &told);
		if (!may_be_earlier(again, ask)) /* else it stays told why the first has it not */
			*e = told;
	}
	return may_be_earlier(again, ask) ? r : again;
}
