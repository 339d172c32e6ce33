#include "audit/session.h"

#include <stdlib.h>
#include <string.h>

#include "audit/body.h"
#include "audit/walk.h"
#include "ledger/entry.h"

struct search {
	const char *word;
	struct buf *ids;
};

static int look_at(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct search *s = arg;
	char session[ID_TEXT_MAX];
	struct entry entry;

	(void)index, (void)is_signed;
	if (entry_take(bytes, n, &entry, NULL) < 0 || entry.type != ENTRY_REQUEST || entry.event[0] == 0 ||
	    !body_find_word(entry.body, "session", session, sizeof session) ||
	    strncmp(session, s->word, strlen(s->word)) != 0)
		return 0;
	buf_put(s->ids, entry.event, ID_TEXT_MAX);
	return s->ids->failed;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

static size_t count_of(const struct session_events *s)
{
	return s->ids.len / ID_TEXT_MAX;
}

int session_find(const struct snapshot *s, const char *word, struct session_events *ret, struct err *e)
{
	struct search search = { .word = word, .ids = &ret->ids };
	struct walk_result ignored; /* what cannot be read is told by whoever reads it then */

	buf_init(&ret->ids, (size_t)SESSION_EVENTS_MAX * ID_TEXT_MAX);
	if (walk_log(s, look_at, &search, &ignored) != 0)
		return err_set(e, AMBIT_LIMIT, "give more of its id", "more than %u events, or no memory for them",
			       SESSION_EVENTS_MAX);
	if (count_of(ret) == 0 && !id_is('s', word, strlen(word)))
		return err_set(e, AMBIT_NOT_FOUND, "the record of an event names its session",
			       "no session in the log begins with %s", word);
	if (count_of(ret) > 0)
		qsort(ret->ids.data, count_of(ret), ID_TEXT_MAX, by_id);
	return 0;
}

void session_finish(struct session_events *s)
{
	buf_finish(&s->ids);
}

bool session_has(const struct session_events *s, const char *event)
{
	return count_of(s) > 0 && bsearch(event, s->ids.data, count_of(s), ID_TEXT_MAX, by_id) != NULL;
}
