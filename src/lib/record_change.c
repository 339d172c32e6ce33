#include "lib/record_change.h"

#include <stdio.h>
#include <string.h>

#define CHANGE_FRAME 320 /* bytes beside its texts: keys, numbers, the digest */
#define PATH_MAX_TOLD (STAGE_PATH_MAX + CHANGE_PATH_MAX)

void record_digest_put(struct json *j, const struct change *c)
{
	json_put_hex(json_put_key(j, "sha256"), c->digest, CHANGE_DIGEST_BYTES);
}

void record_mode_put(struct json *j, const char *key, uint32_t mode)
{
	char text[8];

	(void)snprintf(text, sizeof text, "%04o", mode & 07777);
	json_put_word(json_put_key(j, key), text);
}

static void sizes_put(struct json *j, const struct change *c)
{
	if (c->type != CHANGE_FILE)
		return;
	if (c->kind != CHANGE_ADDED && c->kind != CHANGE_LINK)
		json_put_count(json_put_key(j, "size_before"), c->size_old);
	if (c->kind != CHANGE_DELETED)
		json_put_count(json_put_key(j, "size"), c->size_new);
	if (c->has_digest != 0)
		record_digest_put(j, c);
}

static void modes_put(struct json *j, const struct change *c)
{
	if (c->mode_old != c->mode_new && c->mode_old != 0 && c->mode_new != 0)
		record_mode_put(j, "mode_before", c->mode_old);
	if (c->kind != CHANGE_DELETED)
		record_mode_put(j, "mode", c->mode_new);
}

static void change_put(struct json *j, const struct stage_answer *a, const struct change *c, bool looked, char *path)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "kind"), change_word(c->kind));
	stage_answer_path(a, c, c->path, path, PATH_MAX_TOLD);
	json_put_name(json_put_key(j, "path"), path);
	if (c->from[0] != 0) {
		stage_answer_path(a, c, c->from, path, PATH_MAX_TOLD);
		json_put_name(json_put_key(j, "from"), path);
	}
	json_put_word(json_put_key(j, "source"), "proved");
	json_put_count(json_put_key(j, "count"), 1);
	json_put_word(json_put_key(j, "verdict"), c->held == HELD_NOT ? "allowed" : "held");
	json_put_word(json_put_key(j, "type"), change_type_word(c->type));
	if (looked) {
		sizes_put(j, c);
		modes_put(j, c);
	}
	if (c->held != HELD_NOT)
		json_put_word(json_put_key(j, "held"), held_word(c->held));
	if (c->later != 0)
		json_put_bool(json_put_key(j, "executes_later"), true);
	if (c->reason[0] != 0)
		json_put_name(json_put_key(j, "why"), c->reason);
	json_put_object_end(j);
}

/* What it may take in the record: a name six bytes for one at most. */
static size_t size_of(const struct stage_answer *a, const struct change *c)
{
	const size_t tree = c->tree < a->n_trees ? strlen(a->trees[c->tree]) : 0;

	return CHANGE_FRAME + 6 * (2 * tree + strlen(c->path) + strlen(c->from) + strlen(c->reason));
}

void record_changes_put(struct json *j, const struct stage_answer *a, bool looked, size_t *room, uint64_t *dropped)
{
	char path[PATH_MAX_TOLD];

	*dropped += a->end.untold;
	for (size_t i = 0; i < a->n_changes; i++) {
		const size_t size = size_of(a, a->changes[i]);

		if (size > *room) {
			*dropped += a->n_changes - i;
			return;
		}
		*room -= size;
		change_put(j, a, a->changes[i], looked, path);
	}
}
