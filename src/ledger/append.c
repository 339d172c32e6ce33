#include "ledger/append.h"

#include <string.h>

#include "ledger/result.h"

/* What is the ledger's own to tell. */
static bool is_of_clients(enum entry_type type)
{
	return type != ENTRY_CRASH && type != ENTRY_PRUNE && type != ENTRY_KEY;
}

/* What a person, or the clock, does between events. */
static bool is_of_authority(enum entry_type type)
{
	switch (type) {
	case ENTRY_GRANT:
	case ENTRY_DERIVE:
	case ENTRY_REVOKE:
	case ENTRY_EXPIRE:
	case ENTRY_REQUEST:
	case ENTRY_DECISION:
	case ENTRY_ASK:
	case ENTRY_APPROVE:
	case ENTRY_FREEZE:
	case ENTRY_THAW:
	case ENTRY_LABEL:
	case ENTRY_DECLASSIFY: return true;
	case ENTRY_START:
	case ENTRY_STOP:
	case ENTRY_CRASH:
	case ENTRY_POLICY:
	case ENTRY_INTENT:
	case ENTRY_EFFECT:
	case ENTRY_RESULT:
	case ENTRY_COMMIT:
	case ENTRY_DISCARD:
	case ENTRY_VERDICT:
	case ENTRY_PRUNE:
	case ENTRY_KEY:
	case ENTRY_STEP:
	case ENTRY_TYPE_COUNT: break;
	}
	return false;
}

/* Whether whoever tells this may: of its event and no other, or of none. */
static bool is_its_own(struct append_client *c, const struct entry *entry)
{
	if (entry->event[0] == 0) {
		c->is_authority = c->is_authority || c->event[0] == 0;
		return c->is_authority && is_of_authority(entry->type);
	}
	if (strcmp(c->event, entry->event) == 0)
		return true;
	if (c->is_authority || (c->event[0] != 0 && !c->is_over))
		return false;
	memcpy(c->event, entry->event, sizeof c->event);
	c->is_over = false;
	return true;
}

static int take_entry(struct append *a, struct append_client *c, const struct entry *stamp, struct rbuf *r,
		      struct err *e)
{
	struct entry entry = *stamp;
	const uint8_t type = rbuf_u8(r);
	struct payload payload;
	uint32_t n;
	int rc;

	rbuf_str(r, entry.event, sizeof entry.event);
	rbuf_str(r, entry.grant, sizeof entry.grant);
	n = rbuf_u32(r);
	entry.body = (struct canonical_value){ .at = rbuf_bytes(r, n), .n = n };
	if (r->failed || type >= ENTRY_TYPE_COUNT || !is_of_clients((enum entry_type)type))
		return err_set(e, AMBIT_PROTOCOL, NULL, "entry %u of the message is none", a->n);
	entry.type = (enum entry_type)type;
	entry.seq = stamp->seq + a->n;
	if (!is_its_own(c, &entry))
		return err_set(e, AMBIT_PROTOCOL, NULL, "entry %u of the message is not of the client's event", a->n);
	rc = entry_put(&entry, &a->made, e);
	if (rc < 0)
		return rc;
	if (payload_of(&entry, &payload) == 1)
		buf_put(&a->results, payload.digest, sizeof payload.digest); /* APPEND_RESULTS_MAX */
	if (entry.type == ENTRY_START || entry.type == ENTRY_STOP)
		c->runs = entry.type == ENTRY_START;
	c->is_over = c->is_over || (entry.type == ENTRY_RESULT && !c->runs);
	a->ends[a->n++] = (uint32_t)a->made.len; /* APPEND_MADE_MAX */
	return 0;
}

int append_take(struct append *a, struct append_client *c, const struct entry *stamp, struct rbuf *r, struct err *e)
{
	const struct append_client before = *c;
	const uint8_t wants = rbuf_u8(r);
	int rc = 0;

	buf_reset(&a->made);
	buf_reset(&a->results);
	a->n = 0;
	a->wants = (enum append_wants)wants;
	if (r->failed || wants >= APPEND_WANTS_COUNT || rbuf_left(r) == 0)
		rc = err_set(e, AMBIT_PROTOCOL, NULL, "a message without entries");
	while (rc == 0 && rbuf_left(r) > 0)
		rc = a->n < APPEND_ENTRIES_MAX
			     ? take_entry(a, c, stamp, r, e)
			     : err_set(e, AMBIT_LIMIT, NULL, "more than %d entries in a message", APPEND_ENTRIES_MAX);
	if (rc == 0 && a->results.failed)
		rc = err_set(e, AMBIT_MEMORY, NULL, "no memory for what a message names");
	if (rc < 0)
		*c = before;
	return rc;
}
