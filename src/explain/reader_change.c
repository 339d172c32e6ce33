#include "explain/reader_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "core/grant.h"
#include "stage/store.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define PATH_BYTES (STAGE_PATH_MAX + CHANGE_PATH_MAX) /* of a path in its tree, with its NUL */

bool change_is_told(const json_t *effect)
{
	const char *source = json_string_value(json_object_get(effect, "source"));
	const char *kind = json_string_value(json_object_get(effect, "kind"));

	return source != NULL && strcmp(source, "proved") == 0 && (kind == NULL || strcmp(kind, "connect") != 0);
}

static char *take_path(struct take *t, const json_t *from, const char *key)
{
	char *path = take_name(t, json_object_get(from, key), key, false, PATH_BYTES);

	if (path != NULL && !path_is_normal(path))
		take_fail(t, AMBIT_MALFORMED, key, "not an absolute, normalised path");
	return path;
}

/* "0644"; 0 if there is none. */
static uint32_t take_mode(struct take *t, const json_t *from, const char *key)
{
	const char *text = take_text(t, from, key, false);
	uint32_t mode = 0;

	for (size_t i = 0; text != NULL && i < 4; i++) {
		if (text[i] < '0' || text[i] > '7') {
			take_fail(t, AMBIT_MALFORMED, key, "not a mode of four octal digits");
			return 0;
		}
		mode = mode << 3 | (uint32_t)(text[i] - '0'); /* a digit: just checked */
	}
	if (text != NULL && text[4] != 0)
		take_fail(t, AMBIT_MALFORMED, key, "not a mode of four octal digits");
	return mode;
}

static void take_digest(struct take *t, const json_t *from, struct told_change *ret)
{
	ret->has_digest = take_hex(t, from, "sha256", ret->digest, sizeof ret->digest);
}

static bool has(const json_t *from, const char *key)
{
	return json_object_get(from, key) != NULL;
}

static void take_sizes(struct take *t, const json_t *from, struct told_change *ret)
{
	if (ret->type != CHANGE_FILE)
		return;
	if (ret->kind != CHANGE_ADDED && ret->kind != CHANGE_LINK)
		ret->size_old = take_count(t, from, "size_before", INT64_MAX);
	if (ret->kind != CHANGE_DELETED)
		ret->size_new = take_count(t, from, "size", INT64_MAX);
	if (has(from, "sha256"))
		take_digest(t, from, ret);
}

static void take_modes(struct take *t, const json_t *from, struct told_change *ret)
{
	if (has(from, "mode_before"))
		ret->mode_old = take_mode(t, from, "mode_before");
	if (ret->kind != CHANGE_DELETED)
		ret->mode_new = take_mode(t, from, "mode");
}

static void take_held(struct take *t, const json_t *from, struct told_change *ret)
{
	static const char *const verdicts[] = { "allowed", "held" };
	static const char *const words[] = {
#define HELD_WORD(name, number, word) [HELD_##name] = (word),
		HELDS(HELD_WORD)
#undef HELD_WORD
	};

	if (take_word(t, from, "verdict", verdicts, COUNT_OF(verdicts)) == 0)
		return;
	ret->held = (uint8_t)take_word(t, from, "held", words, COUNT_OF(words));
	if (ret->held == HELD_NOT)
		take_fail(t, AMBIT_MALFORMED, "held", "not a word that this version knows");
}

void change_take(struct take *t, const json_t *effect, struct told_change *ret)
{
	static const char *const kinds[] = {
#define KIND_WORD(name, number, word) [CHANGE_##name] = (word),
		CHANGES(KIND_WORD)
#undef KIND_WORD
	};
	static const char *const types[] = {
		[CHANGE_FILE] = "file", [CHANGE_DIRECTORY] = "directory", [CHANGE_SYMLINK] = "symlink",
		[CHANGE_FIFO] = "fifo", [CHANGE_SOCKET] = "socket",       [CHANGE_OTHER] = "other"
	};

	ret->kind = (uint8_t)take_word(t, effect, "kind", kinds, COUNT_OF(kinds));
	ret->type = (uint8_t)take_word(t, effect, "type", types, COUNT_OF(types));
	ret->path = take_path(t, effect, "path");
	if (ret->kind == CHANGE_RENAMED || ret->kind == CHANGE_LINK)
		ret->from = take_path(t, effect, "from");
	(void)take_count(t, effect, "count", 1);
	take_sizes(t, effect, ret);
	take_modes(t, effect, ret);
	take_held(t, effect, ret);
	ret->later = has(effect, "executes_later") && take_bool(t, effect, "executes_later");
	if (has(effect, "why"))
		ret->reason = take_name(t, json_object_get(effect, "why"), "why", false, CHANGE_REASON_MAX);
}

void told_change_finish(struct told_change *c)
{
	free(c->path);
	free(c->from);
	free(c->reason);
}
