#include "cli/stage_json.h"

#include <stdio.h>

#include "base/json.h"
#include "cli/cli.h"
#include "lib/record.h"
#include "lib/record_change.h"

static const char *why_word(uint32_t why)
{
	static const char *const words[] = {
		[STAGE_WHY_ASKED] = "asked",     [STAGE_WHY_FAILED] = "failed", [STAGE_WHY_LIMIT] = "limit",
		[STAGE_WHY_KILLED] = "killed",   [STAGE_WHY_LOST] = "lost",     [STAGE_WHY_HELD] = "held",
		[STAGE_WHY_BUSY] = "busy",       [STAGE_WHY_UNDONE] = "undone", [STAGE_WHY_DENIED] = "denied",
		[STAGE_WHY_REFUSED] = "refused", [STAGE_WHY_ASKS] = "asks",     [STAGE_WHY_FROZEN] = "frozen",
		[STAGE_WHY_UNUSUAL] = "unusual", [STAGE_WHY_CANARY] = "canary",
	};

	return why < sizeof words / sizeof words[0] ? words[why] : NULL;
}

static const char *state_word(const struct stage_entry *s)
{
	static const char *const words[] = {
		[STAGE_RUNNING] = "lost", [STAGE_KEPT] = "kept", [STAGE_COMMITTED] = "committed"
	};

	if (s->damaged)
		return "damaged";
	if (s->incomplete)
		return "incomplete";
	return s->in_use ? "running" : words[s->state]; /* in range: it was decoded */
}

static void entry_put(struct json *j, const struct stage_entry *s)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "event"), s->event);
	json_put_word(json_put_key(j, "state"), state_word(s));
	json_put_count(json_put_key(j, "commits"),
		       s->commits); /* here, before foreign words: completions look for both */
	json_put_word(json_put_key(j, "why"), why_word(s->why));
	json_put_name(json_put_key(j, "tree"), s->tree);
	json_put_count(json_put_key(j, "trees"), s->n_trees);
	json_put_name(json_put_key(j, "command"), s->command);
	json_put_time(json_put_key(j, "started"), s->started_ns);
	json_put_time(json_put_key(j, "ended"), s->ended_ns);
	json_put_time(json_put_key(j, "kept_until"), s->keep_until_ns);
	json_put_count(json_put_key(j, "bytes"), s->bytes);
	json_put_object_end(j);
}

static void list_put(struct json *j, const struct stage_answer *a)
{
	json_put_array(json_put_key(j, "stages"));
	for (size_t i = 0; i < a->n_entries; i++)
		entry_put(j, &a->entries[i]);
	json_put_array_end(j);
	json_put_object(json_put_key(j, "caches"));
	json_put_count(json_put_key(j, "trees"), a->end.caches);
	json_put_count(json_put_key(j, "bytes"), a->end.cache_bytes);
	json_put_object_end(j);
}

static void end_put(struct json *j, const struct stage_answer *a, enum stage_op op)
{
	uint64_t untold = 0;
	size_t room = RECORD_EFFECTS_MAX;

	json_put_word(json_put_key(j, "event"), a->end.event[0] != 0 ? a->end.event : NULL);
	json_put_word(json_put_key(j, "workspace"), workspace_word(a->end.workspace));
	json_put_word(json_put_key(j, "why"), a->end.workspace == WORKSPACE_KEPT ? why_word(a->end.why) : NULL);
	json_put_count(json_put_key(j, "count"), a->end.changes);
	json_put_count(json_put_key(j, "held"), a->end.held);
	json_put_count(json_put_key(j, "left"), a->end.left);
	json_put_count(json_put_key(j, "executes_later"), stage_answer_later(a, NULL));
	json_put_time(json_put_key(j, "kept_until"), a->end.keep_until_ns);
	json_put_array(json_put_key(j, "changes"));
	record_changes_put(j, a, op != STAGE_OP_UNDO, &room, &untold);
	json_put_array_end(j);
	json_put_count(json_put_key(j, "untold"), untold);
}

int stage_json_write(const struct stage_answer *a, enum stage_op op)
{
	auto_buf out = { .max = 0 };
	struct json j;

	buf_init(&out, RECORD_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	if (op == STAGE_OP_LIST)
		list_put(&j, a);
	else
		end_put(&j, a, op);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	if (out.failed) {
		(void)fputs("ambit: no memory for the JSON\n", stderr);
		return EXIT_REFUSED;
	}
	return cli_write(out.data, out.len);
}
