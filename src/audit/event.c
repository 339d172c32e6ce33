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

static int look_for_one(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct search *s = arg;

	(void)index, (void)is_signed;
	if (!event_of(bytes, n, s->found) || strcmp(s->found, s->word) != 0)
		s->found[0] = 0;
	return s->found[0] != 0;
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

bool event_is_beginning(const char *word)
{
	return word[0] != 0 && strcmp(word, "last") != 0 && !id_is('e', word, strlen(word));
}

int event_find(const struct snapshot *s, const char *word, char ret[ID_TEXT_MAX], struct err *e)
{
	static const struct numbers none;

	return event_find_by(s, word, &none, ret, e);
}

int event_find_by(const struct snapshot *s, const char *word, const struct numbers *numbers, char ret[ID_TEXT_MAX],
		  struct err *e)
{
	const bool last = strcmp(word, "last") == 0;
	struct search search = { .word = word };
	struct walk_result ignored; /* what cannot be read is told by whoever reads it then */
	int r;

	if (id_is('e', word, strlen(word))) {
		memcpy(ret, word, strlen(word) + 1);
		return 0;
	}
	r = last ? walk_back(s, look_for_last, &search, &ignored)
		 : walk_numbers(s, numbers, look_for_beginning, &search, &ignored);
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

int event_is_signed(const struct snapshot *s, const char *event, struct err *e)
{
	struct search search = { .word = event };
	struct walk_result ignored = { .unread = 0 };

	if (walk_from(s, 0, look_for_one, &search, &ignored) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look for %s", event);
	return search.found[0] != 0;
}
