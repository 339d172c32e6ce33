#include "rpc/make_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ambit/ambit.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/limits.h"
#include "policy/words.h"
#include "rpc/method.h"

void make_list_free(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* "name=" in front, if there is one. */
static char *copy(const char *name, const json_t *v)
{
	const size_t room_n = name_room(v), before = name != NULL ? strlen(name) + 1 : 0;
	auto_free char *room = malloc(room_n + 1);
	const char *bytes;
	char *all;
	size_t n;

	if (room == NULL)
		return NULL;
	bytes = name_bytes(v, room, &n);
	all = malloc(before + n + 1);
	if (all == NULL)
		return NULL;
	if (name != NULL) {
		memcpy(all, name, before - 1);
		all[before - 1] = '=';
	}
	memcpy(all + before, bytes, n);
	all[before + n] = 0;
	return all;
}

static char **done(char **list, bool whole)
{
	if (whole)
		return list;
	make_list_free(list);
	return NULL;
}

char **make_list(const json_t *names)
{
	char **list = calloc(json_array_size(names) + 1, sizeof *list);
	bool whole = list != NULL;

	for (size_t i = 0; whole && i < json_array_size(names); i++) {
		list[i] = copy(NULL, json_array_get(names, i));
		whole = list[i] != NULL;
	}
	return done(list, whole);
}

char **make_code(const char *language, const json_t *source)
{
	char **list = calloc(3, sizeof *list);

	if (list == NULL)
		return NULL;
	list[0] = strdup(language);
	list[1] = source == NULL ? strdup("") : copy(NULL, source);
	return done(list, list[0] != NULL && list[1] != NULL);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **make_environment(const json_t *map)
{
	char **list = calloc(json_object_size(map) + 1, sizeof *list);
	bool whole = true;
	const char *key;
	json_t *value;
	size_t n = 0;

	if (list == NULL)
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)map, key, value)
	{
		list[n] = copy(key, value);
		whole = list[n] != NULL;
		if (!whole)
			break;
		n++;
	}
	if (whole)
		qsort(list, n, sizeof *list, compare);
	return done(list, whole);
}

bool make_text(const json_t *params, const char *key, char *room, size_t size)
{
	const char *text = json_string_value(json_object_get(params, key));

	return text_copy(room, size, text == NULL ? "" : text);
}

static int check_limits(const json_t *map, struct mistake *m)
{
	struct limits probe = { .value = { 0 } };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)map, key, value)
	{
		const int r = limit_parse(&probe, key, json_string_value(value), &m->err);

		if (r == 0)
			continue;
		(void)snprintf(m->place, sizeof m->place, "/params/limits/%.80s", key);
		return r;
	}
	return 0;
}

int make_limits(const json_t *map, char *room, size_t size, struct mistake *m)
{
	const int r = check_limits(map, m);
	size_t n = 0;

	room[0] = 0;
	for (enum limit l = 0; r == 0 && l < LIMIT_COUNT; l++) {
		const char *text = json_string_value(json_object_get(map, limit_word(l)));

		if (text != NULL && n < size)
			n += (size_t)snprintf(room + n, size - n, "%s%s=%s", n > 0 ? "," : "", limit_word(l), text);
	}
	return r < 0 || n < size ? r : err_set(&m->err, AMBIT_LIMIT, NULL, "limits: longer than they may be");
}

uint32_t make_changes(const json_t *params)
{
	static const struct {
		const char *word;
		uint32_t bit;
	} ways[] = {
		{ "stage", AMBIT_CHANGES_STAGE },
		{ "discard", AMBIT_CHANGES_DISCARD },
		{ "direct", AMBIT_CHANGES_DIRECT },
	};
	const char *word = json_string_value(json_object_get(params, "changes"));
	uint32_t all = json_is_true(json_object_get(params, "strict")) ? AMBIT_CHANGES_STRICT : 0;

	for (size_t i = 0; word != NULL && i < sizeof ways / sizeof ways[0]; i++)
		all |= strcmp(ways[i].word, word) == 0 ? ways[i].bit : 0;
	return all;
}
