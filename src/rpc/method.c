#include "rpc/method.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/nearest.h"
#include "base/num.h"
#include "core/id.h"

static const struct method_row rows[] = {
#define NEEDED true
#define MAY false
#define METHOD(name_, word, to_, text_) { .kind = ROW_METHOD, .name = (word), .text = (text_), .to = TO_##to_ },
#define PARAM(name_, type_, need, most_, text_)                                                                        \
	{ .kind = ROW_PARAM,                                                                                           \
	  .name = (name_),                                                                                             \
	  .text = (text_),                                                                                             \
	  .type = PARAM_##type_,                                                                                       \
	  .needed = (need),                                                                                            \
	  .most = (most_) },
#define RESULT(name_, type_, text_) { .kind = ROW_RESULT, .name = (name_), .text = (text_), .is = (type_) },
#define NOTE(name_, word, text_) { .kind = ROW_NOTE, .name = (word), .text = (text_) },
#define FIELD(name_, type_, text_) { .kind = ROW_FIELD, .name = (name_), .text = (text_), .is = (type_) },
#include "rpc/methods.def"
};

#define ROWS (sizeof rows / sizeof rows[0])

const struct method_row *method_rows(size_t *ret_n)
{
	*ret_n = ROWS;
	return rows;
}

/* The nth of its kind. */
static const struct method_row *row_of(enum row_kind kind, size_t n)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].kind == kind && n-- == 0)
			return &rows[i];
	abort(); /* there are as many as the enumeration has */
}

const struct method_row *method_row(enum method m)
{
	return row_of(ROW_METHOD, (size_t)m);
}

const char *note_word(enum note n)
{
	return row_of(ROW_NOTE, (size_t)n)->name;
}

int method_find(const char *word, enum method *ret, struct err *e)
{
	const char *words[METHOD_COUNT];
	char hint[NEAREST_HINT_MAX];

	for (size_t i = 0; i < METHOD_COUNT; i++) {
		words[i] = method_row((enum method)i)->name;
		if (strcmp(words[i], word) != 0)
			continue;
		*ret = (enum method)i;
		return 0;
	}
	return err_set(
		e, AMBIT_UNKNOWN,
		nearest_hint(hint, "", word_nearest(word, words, METHOD_COUNT), "doc/PROTOCOL.md has the methods"),
		"no method '%.64s'", word);
}

/* ---- types ---- */

static const char *const bases[] = { "system", "minimal", NULL };
static const char *const observes[] = { "full", "effects", "off", "ebpf", "auto", NULL };
static const char *const changes[] = { "stage", "discard", "direct", NULL };
static const char *const conflicts[] = { "fail", "theirs", "ours", NULL };
static const char *const streams[] = { "stdout", "stderr", "record", "result", NULL };
static const char *const languages[] = { "python", "node", "shell", NULL };

static const struct {
	const char *text;
	const char *const *words;
} types[PARAM_TYPE_COUNT] = {
	[PARAM_TEXT] = { "text", NULL },
	[PARAM_NAME] = { "text or {b64}", NULL },
	[PARAM_COUNT] = { "count", NULL },
	[PARAM_BOOL] = { "bool", NULL },
	[PARAM_SESSION_ID] = { "session id", NULL },
	[PARAM_NAMES] = { "list of texts or {b64}", NULL },
	[PARAM_TEXTS] = { "list of texts", NULL },
	[PARAM_NAME_MAP] = { "object of texts or {b64}", NULL },
	[PARAM_TEXT_MAP] = { "object of texts", NULL },
	[PARAM_DURATION] = { "duration, as \"30s\"", NULL },
	[PARAM_SIZE] = { "size, as \"2G\"", NULL },
	[PARAM_POLICY] = { "text or object", NULL },
	[PARAM_SIGNAL] = { "signal, as \"TERM\" or 15", NULL },
	[PARAM_REQUEST_ID] = { "text or whole number", NULL },
	[PARAM_WORD_BASE] = { "word", bases },
	[PARAM_WORD_OBSERVE] = { "word", observes },
	[PARAM_WORD_CHANGES] = { "word", changes },
	[PARAM_WORD_CONFLICT] = { "word", conflicts },
	[PARAM_WORD_STREAM] = { "word", streams },
	[PARAM_WORD_LANGUAGE] = { "word", languages },
};

const char *param_type_text(enum param_type t)
{
	return types[t].text;
}

int signal_number(const json_t *v)
{
	static const struct {
		const char *word;
		int number;
	} names[] = {
		{ "HUP", SIGHUP },   { "INT", SIGINT },     { "QUIT", SIGQUIT }, { "KILL", SIGKILL },
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },   { "TERM", SIGTERM }, { "CONT", SIGCONT },
		{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP },   { "ALRM", SIGALRM }, { "PIPE", SIGPIPE },
		{ "ABRT", SIGABRT }, { "WINCH", SIGWINCH },
	};

	if (json_is_integer(v))
		return json_integer_value(v) > 0 && json_integer_value(v) <= 64 ? (int)json_integer_value(v) : 0;
	for (size_t i = 0; json_is_string(v) && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].word, json_string_value(v)) == 0)
			return names[i].number;
	return 0;
}

/* The text of {"b64"}, which has that member and no other; NULL: it is another object. */
static const json_t *b64_of(const json_t *v)
{
	const json_t *text = json_object_size(v) == 1 ? json_object_get(v, "b64") : NULL;

	return json_is_string(text) ? text : NULL;
}

size_t name_room(const json_t *v)
{
	return json_is_string(v) ? 0 : json_string_length(b64_of(v)) + 1;
}

const char *name_bytes(const json_t *v, void *room, size_t *ret_n)
{
	const json_t *text = b64_of(v);
	struct buf out;

	*ret_n = json_string_length(v);
	if (json_is_string(v))
		return json_string_value(v);
	buf_init_in(&out, room, name_room(v));
	(void)base64_take(&out, json_string_value(text), json_string_length(text)); /* checked before */
	*ret_n = out.len;
	return room;
}

/* ---- checks of values ---- */

struct check {
	struct mistake *m;
	const struct method_row *row;
	char at[PLACE_MAX];
};

static int wrong(const struct check *c, int rc)
{
	memcpy(c->m->place, c->at, sizeof c->at);
	return rc;
}

#define refuse(c, code, hint, ...) wrong((c), err_set(&(c)->m->err, (code), (hint), __VA_ARGS__))

static int not_of_type(const struct check *c)
{
	return refuse(c, AMBIT_USAGE, "doc/PROTOCOL.md has the types", "'%s' is not a %s", c->row->name,
		      param_type_text(c->row->type));
}

static int too_much(const struct check *c, uint64_t most, const char *of_what)
{
	return refuse(c, AMBIT_LIMIT, NULL, "'%s': more than %llu%s", c->row->name, (unsigned long long)most, of_what);
}

static int check_text(const struct check *c, const json_t *v, uint64_t most)
{
	if (!json_is_string(v))
		return not_of_type(c);
	return json_string_length(v) > most ? too_much(c, most, " bytes") : 0;
}

static int check_b64(const struct check *c, const json_t *v, uint64_t most, bool nul_is_fine)
{
	const json_t *text = b64_of(v);
	auto_buf bytes = { .max = 0 };

	if (text == NULL)
		return not_of_type(c);
	if (json_string_length(text) / 4 * 3 > most + 2)
		return too_much(c, most, " bytes");
	buf_init(&bytes, json_string_length(text) + 1);
	if (!base64_take(&bytes, json_string_value(text), json_string_length(text)))
		return refuse(c, AMBIT_USAGE, "RFC 4648, section 4, with padding", "'%s' is not base64", c->row->name);
	if (bytes.len > most)
		return too_much(c, most, " bytes");
	if (!nul_is_fine && bytes.len > 0 && memchr(bytes.data, 0, bytes.len) != NULL)
		return refuse(c, AMBIT_USAGE, NULL, "'%s' has a NUL in it", c->row->name);
	return 0;
}

static int check_name(const struct check *c, const json_t *v, uint64_t most, bool nul_is_fine)
{
	return json_is_string(v) ? check_text(c, v, most) : check_b64(c, v, most, nul_is_fine);
}

#define TEXT_MOST (1u << 20) /* one argument, or value */

static int check_list(struct check *c, const json_t *v)
{
	const size_t length = strlen(c->at);
	json_t *one;
	size_t i;
	int r = 0;

	if (!json_is_array(v))
		return not_of_type(c);
	if (json_array_size(v) > c->row->most)
		return too_much(c, c->row->most, " in a list");
	json_array_foreach((json_t *)(uintptr_t)v, i, one)
	{
		(void)snprintf(c->at + length, sizeof c->at - length, "/%zu", i);
		r = c->row->type == PARAM_NAMES ? check_name(c, one, TEXT_MOST, false) : check_text(c, one, TEXT_MOST);
		if (r < 0)
			return r;
	}
	c->at[length] = 0;
	return 0;
}

static int check_map(struct check *c, const json_t *v)
{
	const size_t length = strlen(c->at);
	const char *key;
	json_t *one;
	int r = 0;

	if (!json_is_object(v))
		return not_of_type(c);
	if (json_object_size(v) > c->row->most)
		return too_much(c, c->row->most, " members");
	json_object_foreach((json_t *)(uintptr_t)v, key, one)
	{
		(void)snprintf(c->at + length, sizeof c->at - length, "/%.80s", key);
		if (key[0] == 0 || strchr(key, '=') != NULL)
			return refuse(c, AMBIT_USAGE, "leave the `=` out", "'%s': not a name", c->row->name);
		r = c->row->type == PARAM_NAME_MAP ? check_name(c, one, TEXT_MOST, false) : check_text(c, one, 64);
		if (r < 0)
			return r;
	}
	c->at[length] = 0;
	return 0;
}

static int check_word(const struct check *c, const json_t *v)
{
	const char *const *words = types[c->row->type].words;
	char all[96] = "one of:";

	for (size_t i = 0; words[i] != NULL; i++) {
		if (json_is_string(v) && strcmp(json_string_value(v), words[i]) == 0)
			return 0;
		(void)snprintf(all + strlen(all), sizeof all - strlen(all), " %s", words[i]); /* fits */
	}
	return refuse(c, AMBIT_USAGE, all, "'%s' is no word that is known here", c->row->name);
}

static int check_count(const struct check *c, const json_t *v)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return not_of_type(c);
	return (uint64_t)json_integer_value(v) > c->row->most ? too_much(c, c->row->most, "") : 0;
}

static int check_measure(const struct check *c, const json_t *v)
{
	uint64_t value;

	if (json_is_string(v) && json_string_length(v) <= c->row->most &&
	    (c->row->type == PARAM_DURATION ? parse_duration(json_string_value(v), &value)
					    : parse_bytes(json_string_value(v), &value)))
		return 0;
	return not_of_type(c);
}

static int check_value(struct check *c, const json_t *v)
{
	switch (c->row->type) {
	case PARAM_TEXT: return check_text(c, v, c->row->most);
	case PARAM_NAME: return check_name(c, v, c->row->most, strcmp(c->row->name, "data") == 0);
	case PARAM_COUNT: return check_count(c, v);
	case PARAM_BOOL: return json_is_boolean(v) ? 0 : not_of_type(c);
	case PARAM_SESSION_ID:
		return json_is_string(v) && id_is('s', json_string_value(v), json_string_length(v)) ? 0
												    : not_of_type(c);
	case PARAM_NAMES:
	case PARAM_TEXTS: return check_list(c, v);
	case PARAM_NAME_MAP:
	case PARAM_TEXT_MAP: return check_map(c, v);
	case PARAM_DURATION:
	case PARAM_SIZE: return check_measure(c, v);
	case PARAM_POLICY: return json_is_object(v) ? 0 : check_text(c, v, c->row->most);
	case PARAM_SIGNAL: return signal_number(v) > 0 ? 0 : not_of_type(c);
	case PARAM_REQUEST_ID: return json_is_string(v) || json_is_integer(v) ? 0 : not_of_type(c);
	case PARAM_WORD_BASE:
	case PARAM_WORD_OBSERVE:
	case PARAM_WORD_CHANGES:
	case PARAM_WORD_CONFLICT:
	case PARAM_WORD_STREAM:
	case PARAM_WORD_LANGUAGE: return check_word(c, v);
	case PARAM_TYPE_COUNT: break;
	}
	abort();
}

/* ---- all of a method's ---- */

static int unknown_param(const struct method_row *method, const char *key, struct mistake *m)
{
	const char *words[32];
	char hint[NEAREST_HINT_MAX];
	size_t n = 0;

	for (const struct method_row *p = method + 1; p < rows + ROWS && p->kind == ROW_PARAM && n < 32; p++)
		words[n++] = p->name;
	(void)snprintf(m->place, sizeof m->place, "/params/%.80s", key);
	return err_set(&m->err, AMBIT_USAGE,
		       nearest_hint(hint, "", word_nearest(key, words, n),
				    n == 0 ? "it takes none" : "doc/PROTOCOL.md has them"),
		       "%s takes no parameter '%.64s'", method->name, key);
}

static bool takes(const struct method_row *method, const char *key)
{
	for (const struct method_row *p = method + 1; p < rows + ROWS && p->kind == ROW_PARAM; p++)
		if (strcmp(p->name, key) == 0)
			return true;
	return false;
}

int method_check(enum method which, const json_t *params, struct mistake *m)
{
	const struct method_row *method = method_row(which);
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)params, key, v)
	{
		if (!takes(method, key))
			return unknown_param(method, key, m);
	}
	for (const struct method_row *p = method + 1; p < rows + ROWS && p->kind == ROW_PARAM; p++) {
		struct check c = { .m = m, .row = p };
		const json_t *given = json_object_get(params, p->name);
		int r = 0;

		(void)snprintf(c.at, sizeof c.at, "/params/%s", p->name); /* fits */
		if (given != NULL)
			r = check_value(&c, given);
		else if (p->needed)
			r = refuse(&c, AMBIT_USAGE, p->text[0] != 0 ? p->text : NULL, "%s: '%s' is missing",
				   method->name, p->name);
		if (r < 0)
			return r;
	}
	return 0;
}
