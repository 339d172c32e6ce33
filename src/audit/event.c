#include "audit/event.h"

#include <errno.h>
#include <string.h>

#include "audit/walk.h"
#include "ledger/entry.h"

struct search {
	const char *word;
	char found[ID_TEXT_MAX], other[ID_TEXT_MAX]; /* empty: none yet */
};

/* What is no entry is of no event; `show` and `verify` say so. */
static bool event_of(const uint8_t *bytes, size_t n, char ret[ID_TEXT_MAX])
{
	struct entry entry;
	struct err e;

	if (entry_take(bytes, n, &entry, &e) < 0)
		return false;
	memcpy(ret, entry.event, ID_TEXT_MAX);
	return ret[0] != 0;
}

static int look_for_last(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct search *s = arg;

	(void)index, (void)is_signed;
	return event_of(bytes, n, s->found) ? 1 : 0;
}

static int look_for_beginning(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct search *s = arg;
	char event[ID_TEXT_MAX];

	(void)index, (void)is_signed;
	if (!event_of(bytes, n, event) || strncmp(event, s->word, strlen(s->word)) != 0 || strcmp(event, s->found) == 0)
		return 0;
	memcpy(s->found[0] == 0 ? s->found : s->other, event, sizeof event);
	return s->other[0] != 0;
}

int event_find(const struct snapshot *s, const char *word, char ret[ID_TEXT_MAX], struct err *e)
{
	return event_find_behind(s, word, NULL, ret, e);
}

static int look_behind(const struct snapshot *s, const struct event_known *known, struct search *search)
{
	struct walk_result ignored = { .unread = 0 }; /* what cannot be read is told by whoever reads it then */
	int r;

	if (known != NULL) {
		memcpy(search->found, known->ids[0], sizeof search->found);
		memcpy(search->other, known->ids[1], sizeof search->other);
	}
	if (search->other[0] != 0)
		return 0;
	r = walk_from(s, known != NULL ? known->from : 0, look_for_beginning, search, &ignored);
	return r != 0 ? r : walk_unsigned(s, look_for_beginning, search, &ignored);
}

int event_find_behind(const struct snapshot *s, const char *word, const struct event_known *known,
		      char ret[ID_TEXT_MAX], struct err *e)
{
	const bool last = strcmp(word, "last") == 0;
	struct search search = { .word = word };
	struct walk_result ignored;
	int r;

	if (id_is('e', word, strlen(word))) {
		memcpy(ret, word, strlen(word) + 1);
		return 0;
	}
	r = last ? walk_back(s, look_for_last, &search, &ignored) : look_behind(s, known, &search);
	if (r < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look for %s", word);
	if (search.found[0] == 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit ledger show` lists what there is",
			       last ? "there is no event in the log" : "no event in the log begins with %s", word);
	if (search.other[0] != 0)
		return err_set(e, AMBIT_CONFLICT, "give more of it", "%s begins more than one event: %s, %s", word,
			       search.found, search.other);
	memcpy(ret, search.found, sizeof search.found);
	return 0;
}
