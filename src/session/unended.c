#include "session/unended.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/text.h"
#include "lib/stage.h"
#include "lib/standing.h"

#define COMMIT_WAIT_MS 15000
#define LOOK_MS 50

static bool has_stage(const char *event)
{
	char path[STAGE_PATH_MAX + ID_TEXT_MAX + 1], store[STAGE_PATH_MAX];
	struct stat st;

	return stage_store_path(store, sizeof store) == 0 &&
	       snprintf(path, sizeof path, "%s/%s", store, event) < (int)sizeof path && lstat(path, &st) == 0;
}

/* As a list has it: a commit that was broken off is finished first. false: it cannot be told. */
static bool look(const char *event, bool *ret_in_use, bool *ret_committed)
{
	struct stage_talk *t = NULL;
	struct stage_ask ask;
	struct err e;
	bool found = false;

	if (stage_ask_init(&ask, STAGE_OP_LIST, &e) < 0)
		return false;
	(void)text_copy(ask.event, sizeof ask.event, event); /* an id */
	if (stage_talk_start(&ask, -1, &t, &e) < 0)
		return false;
	if (stage_talk_wait(t, NULL) > 0 && stage_talk_answer(t)->n_entries == 1) {
		const struct stage_entry *entry = &stage_talk_answer(t)->entries[0];

		found = !entry->damaged;
		*ret_in_use = entry->in_use;
		*ret_committed = entry->state == STAGE_COMMITTED;
	}
	stage_talk_free(t);
	return found;
}

static bool is_committed(const char *event)
{
	const uint64_t until = clock_ms() + COMMIT_WAIT_MS;
	bool in_use = true, committed = false;

	while (has_stage(event) && look(event, &in_use, &committed) && in_use && clock_ms() < until)
		(void)poll(NULL, 0, LOOK_MS);
	return committed && !in_use;
}

/* Who knew with which labels it ended is gone. */
static bool may_be_labelled(void)
{
	char store[STAGE_PATH_MAX];

	return stage_store_path(store, sizeof store) < 0 || standing_is_labelled(store);
}

void unended_tell(struct event_row *row)
{
	row->state = EVENT_INTERRUPTED;
	if (may_be_labelled())
		labels_set_unknown(&row->labels);
	if (!is_committed(row->event))
		return;
	row->state = EVENT_OVER;
	row->exit_status = 0;
	row->outcome = (struct event_outcome){ .cause = CAUSE_EXITED,
					       .workspace = WORKSPACE_COMMITTED,
					       .usage = { .wall_ms = row->ended_ms - row->begun_ms } };
	row->code = AMBIT_GONE;
	(void)snprintf(
		row->message, sizeof row->message, "%s",
		"the session's process was killed while the changes were committed: they are, and the record is lost");
	(void)text_copy(row->hint, sizeof row->hint, "ambit ledger show");
}
