/* Definitions of tools: a name that was approved stands for the text that was. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "guard/guard.h"

bool guard_pinned(struct guard *g, const struct guard_pin *p)
{
	if (g->n_known == GUARD_KNOWN_MAX)
		return false;
	g->known[g->n_known++] = (struct known){ .pin = *p, .pinned = true };
	return true;
}

static bool is_of(const struct granted *grant, const char *tool)
{
	return strcmp(grant->name, TOOL_ANY) == 0 || strcmp(grant->name, tool) == 0;
}

static bool is_granted(const struct guard *g, const char *tool)
{
	for (size_t i = 0; i < g->n_granted; i++)
		if (is_of(&g->granted[i], tool))
			return true;
	return false;
}

static struct known *known_of(struct guard *g, const char *name)
{
	for (size_t i = 0; i < g->n_known; i++)
		if (strcmp(g->known[i].pin.name, name) == 0)
			return &g->known[i];
	return NULL;
}

/* ---- what nobody is shown ---- */

/* What a terminal obeys, and what stands in a text without being seen: marks of direction, joiners, fillers, tags. */
static bool is_hidden(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x34f ||
	       c == 0x61c || c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 || (c >= 0x180b && c <= 0x180f) ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0x3164 || c == 0xfeff || c == 0xffa0 || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0x1d173 && c <= 0x1d17a) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* Which of its forms the character before has. One says no more than that; a row of them can say anything. */
static bool is_variation(uint32_t c)
{
	return c >= 0xfe00 && c <= 0xfe0f;
}

static bool is_clean_text(const char *text, size_t n)
{
	bool may_vary = false;

	for (size_t at = 0; at < n;) {
		uint32_t c;
		const size_t length = text_decode(text + at, n - at, &c);

		if (length == 0 || is_hidden(c) || (is_variation(c) && !may_vary))
			return false;
		may_vary = (c >= 0x80 && !is_variation(c)) || (c >= '0' && c <= '9') || c == '#' || c == '*';
		at += length;
	}
	return true;
}

static bool is_clean(const json_t *v)
{
	const char *key;
	json_t *one;
	size_t i;

	if (json_is_string(v))
		return is_clean_text(json_string_value(v), json_string_length(v));
	json_object_foreach((json_t *)(uintptr_t)v, key, one)
	{
		if (!is_clean_text(key, strlen(key)) || !is_clean(one))
			return false;
	}
	json_array_foreach((json_t *)(uintptr_t)v, i, one)
	{
		if (!is_clean(one))
			return false;
	}
	return true;
}

static bool is_name(const char *name)
{
	const size_t n = name == NULL ? 0 : strlen(name);

	return n > 0 && n < GUARD_NAME_MAX && name[0] != '.' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}

/* ---- one definition ---- */

/* The owner is told, with the text that is to be shown: it is not shown by us. */
static void tell(struct guard *g, enum guard_odd odd, const struct known *k, const char *text)
{
	const size_t n = strlen(text);
	struct guard_tool t = { .odd = odd,
				.bytes = (uint32_t)(n < GUARD_DEFINITION_MAX ? n : GUARD_DEFINITION_MAX),
				.pin = k->pin };
	struct buf whole = { .data = (uint8_t *)(uintptr_t)text, .len = t.bytes }; /* only read */
	uint8_t room[sizeof t + 16];
	struct buf body;
	struct err e;

	memcpy(t.pin.sha256, k->now, sizeof t.pin.sha256);
	buf_init_in(&body, room, sizeof room);
	guard_tool_put(&body, &t);
	(void)port_send_parts(&g->owner, WIRE_GUARD_PART, &whole, WIRE_GUARD_TOOL, &body,
			      &e); /* else it is told the next time */
}

static struct known *add(struct guard *g, const char *name)
{
	struct guard_pin pin = { .name = "" };

	(void)text_copy(pin.name, sizeof pin.name, name); /* measured */
	if (!guard_pinned(g, &pin))
		return NULL;
	g->known[g->n_known - 1].pinned = false;
	return &g->known[g->n_known - 1];
}

static size_t pins(const struct guard *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_known; i++)
		n += g->known[i].pinned;
	return n;
}

/* A word of the server's makes a tool more of a risk, and none makes it less than one of which nothing is said. */
static bool is_risky(const json_t *annotations)
{
	return !json_is_true(json_object_get(annotations, "readOnlyHint")) ||
	       json_is_true(json_object_get(annotations, "destructiveHint"));
}

/* What of it stands in the digest: all that it says of itself, whatever order that has. */
static bool look_at(struct guard *g, const json_t *tool)
{
	const char *name = json_string_value(json_object_get(tool, "name"));
	auto_free char *text = json_dumps(tool, JSON_COMPACT | JSON_SORT_KEYS);
	uint8_t digest[SHA256_BYTES];
	struct known *k;
	struct sha256 s;

	if (text == NULL || !is_name(name) || strlen(text) > GUARD_DEFINITION_MAX)
		return false;
	sha256_init(&s);
	sha256_add(&s, text, strlen(text));
	sha256_end(&s, digest);
	k = known_of(g, name);
	k = k != NULL ? k : add(g, name);
	if (k == NULL || (g->is_first && !k->pinned && pins(g) == GUARD_PINS_MAX))
		return false;
	if (k->seen && memcmp(k->now, digest, sizeof digest) == 0)
		return !k->bad;
	memcpy(k->now, digest, sizeof digest);
	k->seen = true;
	k->bad = !is_clean(tool);
	k->risky = is_risky(json_object_get(tool, "annotations"));
	if (k->bad) {
		tell(g, GUARD_ODD_BAD, k, text);
	} else if (!k->pinned && g->is_first) {
		k->pinned = true;
		memcpy(k->pin.sha256, digest, sizeof digest);
		tell(g, GUARD_ODD_NEW, k, text);
	} else if (!k->pinned || memcmp(k->pin.sha256, digest, sizeof digest) != 0) {
		k->bad = true; /* what changed, or is new, waits for a person */
		tell(g, k->pinned ? GUARD_ODD_CHANGED : g->was_first ? GUARD_ODD_ADDED : GUARD_ODD_NEW, k, text);
	}
	return !k->bad;
}

void pins_forget(struct guard *g)
{
	g->listed = false;
	g->stale = true;
	for (size_t i = 0; i < g->n_known; i++)
		g->known[i].seen = false;
}

/* Those beyond have no room among what is known, and are held against nothing. */
static bool is_twice(const json_t *tools, size_t n, size_t i)
{
	const char *name = json_string_value(json_object_get(json_array_get(tools, i), "name"));

	for (size_t at = 0; at < n && name != NULL; at++) {
		const char *other = json_string_value(json_object_get(json_array_get(tools, at), "name"));

		if (at != i && other != NULL && strcmp(name, other) == 0)
			return true;
	}
	return false;
}

/* Whatever somebody may take for the list, and is none. */
static bool drop_others(json_t *result)
{
	const char *name;
	json_t *v;
	void *next;
	bool any = false;

	json_object_foreach_safe(result, next, name, v)
	{
		if (strcasecmp(name, "tools") != 0 || (strcmp(name, "tools") == 0 && json_is_array(v)))
			continue;
		(void)json_object_del(result, name);
		any = true;
	}
	return any;
}

/* A name in a policy may be misspelt: said once, when the server has listed all it has. */
static void tell_absent(struct guard *g)
{
	for (size_t i = 0; i < g->n_granted; i++) {
		struct known none = { .seen = false };

		if (!is_name(g->granted[i].name) || known_of(g, g->granted[i].name) != NULL)
			continue;
		memcpy(none.pin.name, g->granted[i].name, sizeof none.pin.name);
		tell(g, GUARD_ODD_ABSENT, &none, "");
	}
}

static bool narrows_nothing(const struct granted *grant, uint32_t condition)
{
	return (grant->may_have >> condition & 1) == 0 &&
	       described_is_needed(&grant->where, &grant->where.conditions[condition]);
}

/* So may one of an argument, which would narrow nothing: said before any call by that grant is asked for. */
static bool tell_lacks(struct guard *g, struct granted *grant)
{
	for (uint32_t i = 0; i < grant->where.n_conditions; i++) {
		const struct guard_lacks l = { .grant = (uint32_t)(grant - g->granted), .condition = i };
		uint8_t room[sizeof l];
		struct buf body;
		struct err e;

		if (!narrows_nothing(grant, i))
			continue;
		buf_init_in(&body, room, sizeof room);
		guard_lacks_put(&body, &l);
		if (port_send(&g->owner, WIRE_GUARD_LACKS, &body, &e) < 0)
			return false;
	}
	grant->told = true;
	return true;
}

bool guard_granted(struct guard *g, const struct guard_grant_of *of)
{
	struct granted *to = &g->granted[g->n_granted];

	if (g->n_granted == GUARD_GRANTS_MAX || (of->terms[0] != 0 && where_take(of->terms, &to->where, NULL) < 0))
		return false;
	memcpy(to->name, of->name, sizeof to->name);
	for (uint16_t k = 0; k < to->where.n_conditions; k++)
		if (client_may_have(to->name, to->where.text + to->where.conditions[k].path))
			to->may_have |= UINT32_C(1) << k;
	g->n_granted++;
	return !tool_is_method(to->name) || tell_lacks(g, to);
}

/* Nobody may call by a grant that is wider than it was written: then the server is as if it were gone. */
static void must_tell(struct guard *g, struct granted *grant)
{
	if (!tell_lacks(g, grant))
		g->server.said_all = true;
}

/* Of a grant of one tool all is known when that was seen, and may be used; of one of them all, when they were: also one that waits for a person says what there is. */
static void look_at_arguments(struct guard *g, const json_t *tool, bool is_used)
{
	const char *name = json_string_value(json_object_get(tool, "name"));

	for (size_t i = 0; i < g->n_granted && name != NULL; i++) {
		struct granted *grant = &g->granted[i];
		const bool is_all = strcmp(grant->name, TOOL_ANY) == 0;

		if (grant->told || !is_of(grant, name) || (!is_all && !is_used))
			continue;
		grant->seen = true;
		for (uint32_t k = 0; k < grant->where.n_conditions; k++)
			if (narrows_nothing(grant, k) &&
			    described_may_have(tool, grant->where.text + grant->where.conditions[k].path, &g->parts))
				grant->may_have |= UINT32_C(1) << k;
		if (!is_all)
			must_tell(g, grant);
	}
}

void pins_end(struct guard *g, bool has_some)
{
	for (size_t i = 0; i < g->n_granted; i++) {
		struct granted *grant = &g->granted[i];

		if (!grant->told && strcmp(grant->name, TOOL_ANY) == 0 && (grant->seen || !has_some))
			must_tell(g, grant);
	}
}

/* Whether a grant of it has a condition that narrows nothing by what was seen so far, and that was not told. */
static bool is_open(const struct guard *g, const char *tool)
{
	for (size_t i = 0; i < g->n_granted; i++) {
		const struct granted *grant = &g->granted[i];

		for (uint32_t k = 0; !grant->told && k < grant->where.n_conditions && is_of(grant, tool); k++)
			if (narrows_nothing(grant, k))
				return true;
	}
	return false;
}

void pins_look(struct guard *g, json_t *result, bool *ret_changed)
{
	const bool others = drop_others(result);
	json_t *tools = json_object_get(result, "tools");
	const size_t n = json_array_size(tools) < GUARD_KNOWN_MAX ? json_array_size(tools) : GUARD_KNOWN_MAX;
	bool out[GUARD_KNOWN_MAX], ends;

	*ret_changed = others || n < json_array_size(tools);
	ends = !g->whole && result != NULL && json_object_get(result, "nextCursor") == NULL;
	g->whole = g->whole || ends;
	while (n < json_array_size(tools))
		(void)json_array_remove(tools, json_array_size(tools) - 1);
	for (size_t i = 0; i < n; i++) {
		const json_t *tool = json_array_get(tools, i);

		out[i] = is_twice(tools, n, i) || !look_at(g, tool) ||
			 !is_granted(g, json_string_value(json_object_get(tool, "name")));
		look_at_arguments(g, tool, !out[i]);
		*ret_changed = *ret_changed || out[i];
	}
	for (size_t i = n; i-- > 0;)
		if (out[i])
			(void)json_array_remove(tools, i);
	if (ends) {
		tell_absent(g);
		pins_end(g, true);
	}
}

int pins_check(const struct guard *g, const char *tool, struct err *e)
{
	const struct known *k = known_of((struct guard *)(uintptr_t)g, tool);

	if (k == NULL || !k->seen || (!k->bad && is_open(g, tool)))
		return err_set(e, AMBIT_NOT_FOUND, "tools/list has those that there are",
			       "the tool '%.64s' was not found: its server does not list it", tool);
	if (k->bad)
		return err_set(e, AMBIT_DENIED, "`ambit guard --pins` shows what changed, and takes the person's word",
			       "the definition of '%.64s' is not the one that was approved", tool);
	return 0;
}

int pins_check_all(const struct guard *g, struct err *e)
{
	return !is_open(g, "") ? 0
			       : err_set(e, AMBIT_NOT_FOUND, "call it again",
					 "it is not known what is granted of all that the server has");
}

bool pins_are_risky(const struct guard *g, const char *tool)
{
	const struct known *k = known_of((struct guard *)(uintptr_t)g, tool);

	return k == NULL || k->risky;
}
