#include "setup/ask.h"

#include <string.h>

#include "base/text.h"

static const struct setup_about abouts[SETUP_CLIENTS] = {
#define CLIENT(id, word_, title_, form_, servers_, user_, project_, hook_, user_hook_, project_hook_)                  \
	[SETUP_##id] = { .word = word_,                                                                                \
			 .title = title_,                                                                              \
			 .servers = servers_,                                                                          \
			 .user = user_,                                                                                \
			 .project = project_,                                                                          \
			 .user_hook = user_hook_,                                                                      \
			 .project_hook = project_hook_,                                                                \
			 .form = form_,                                                                                \
			 .hook = hook_ },
#include "setup/clients.def"
#undef CLIENT
};

static const char *const note_texts[NOTE_COUNT] = {
#define NOTE(id, text) [NOTE_##id] = text,
#include "setup/notes.def"
#undef NOTE
};

const struct setup_about *setup_about(enum setup_client c)
{
	return &abouts[c];
}

enum setup_client setup_client_of(const char *word)
{
	for (enum setup_client c = 0; c < SETUP_CLIENTS; c++)
		if (strcmp(abouts[c].word, word) == 0)
			return c;
	return SETUP_CLIENTS;
}

static const struct setup_field_about fields[SETUP_FIELDS] = {
#define FIELD(id, name_, kind_) [FIELD_##id] = { .name = name_, .kind = FIELD_##kind_ },
#include "setup/fields.def"
#undef FIELD
};

const struct setup_field_about *setup_field_about(enum setup_field f)
{
	return &fields[f];
}

bool setup_is_session(const char *text, size_t n)
{
	if (n == 0 || n >= SETUP_SESSION_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] == 0 ||
		    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", text[i]) == NULL)
			return false;
	return true;
}

const char *setup_note_text(enum setup_note_id id)
{
	return note_texts[id];
}

/* ---- what is asked ---- */

static void put_words(struct buf *out, const struct setup_words *w)
{
	buf_put_u32(out, w->n);
	for (uint32_t i = 0; i < w->n; i++)
		buf_put_str(out, w->word[i]);
}

void setup_ask_put(struct buf *out, const struct setup_ask *a)
{
	buf_put_u8(out, (uint8_t)a->op);
	buf_put_u8(out, (uint8_t)a->client);
	buf_put_u32(out, a->what);
	buf_put_str(out, a->policy != NULL ? a->policy : "");
	buf_put_str(out, a->hook != NULL ? a->hook : "");
	buf_put_str(out, a->program != NULL ? a->program : SETUP_PROGRAM);
	put_words(out, &a->mcp);
	put_words(out, &a->guard);
	buf_put_bytes(out, a->text, a->text_len);
	buf_put_bytes(out, a->before, a->before_len);
}

struct shelf { /* where texts come to lie */
	char *at;
	size_t left;
};

static const char *take_text(struct rbuf *in, struct shelf *s)
{
	char *at = s->at;
	size_t n;

	if (s->left < SETUP_WORD_MAX) {
		in->failed = true;
		return "";
	}
	at[0] = 0;
	rbuf_str(in, at, SETUP_WORD_MAX);
	n = strlen(at) + 1;
	s->at += n;
	s->left -= n;
	return at;
}

static void take_words(struct rbuf *in, struct shelf *s, struct setup_words *ret)
{
	ret->n = rbuf_u32(in);
	if (ret->n > SETUP_WORDS_MAX) {
		ret->n = 0;
		in->failed = true;
	}
	for (uint32_t i = 0; i < ret->n; i++)
		ret->word[i] = take_text(in, s);
}

static const uint8_t *take_bytes(struct rbuf *in, uint32_t most, uint32_t *ret_len)
{
	*ret_len = rbuf_u32(in);
	if (*ret_len > most)
		in->failed = true;
	return rbuf_bytes(in, in->failed ? 0 : *ret_len);
}

bool setup_ask_take(struct rbuf *in, struct setup_ask *ret, char *room, size_t room_size)
{
	struct shelf s = { room, room_size };
	const uint8_t op = rbuf_u8(in), client = rbuf_u8(in);

	*ret = (struct setup_ask){ .op = (enum setup_op)op, .client = (enum setup_client)client };
	ret->what = rbuf_u32(in);
	ret->policy = take_text(in, &s);
	ret->hook = take_text(in, &s);
	ret->program = take_text(in, &s);
	take_words(in, &s, &ret->mcp);
	take_words(in, &s, &ret->guard);
	ret->text = take_bytes(in, SETUP_TEXT_MAX, &ret->text_len);
	ret->before = take_bytes(in, SETUP_TEXT_MAX, &ret->before_len);
	return rbuf_done(in) && op <= SETUP_CALL && client < SETUP_CLIENTS;
}

/* ---- what is told ---- */

void setup_told_put(struct buf *out, const struct setup_told *t)
{
	buf_put_u32(out, (uint32_t)t->error.code);
	buf_put_text(out, t->error.msg, sizeof t->error.msg);
	buf_put_text(out, t->error.why, sizeof t->error.why);
	buf_put_text(out, t->error.hint, sizeof t->error.hint);
	buf_put_u32(out, t->n_notes);
	for (uint32_t i = 0; i < t->n_notes; i++) {
		buf_put_u8(out, t->notes[i].id);
		buf_put_u32(out, t->notes[i].line);
		buf_put_text(out, t->notes[i].name, sizeof t->notes[i].name);
	}
	buf_put_u32(out, t->changes);
	buf_put_bytes(out, t->text, t->text_len);
	buf_put_u8(out, t->is_shell);
	buf_put_text(out, t->session, sizeof t->session);
	for (enum setup_field f = 0; f < SETUP_FIELDS; f++) {
		buf_put_u8(out, t->field[f].is_there);
		buf_put_u64(out, t->field[f].count);
		buf_put_bytes(out, t->field[f].text, t->field[f].len);
	}
}

bool setup_told_take(struct rbuf *in, struct setup_told *ret)
{
	uint32_t code;

	memset(ret, 0, sizeof *ret);
	code = rbuf_u32(in);
	rbuf_text(in, ret->error.msg, sizeof ret->error.msg);
	rbuf_text(in, ret->error.why, sizeof ret->error.why);
	rbuf_text(in, ret->error.hint, sizeof ret->error.hint);
	ret->n_notes = rbuf_u32(in);
	if (ret->n_notes > SETUP_NOTES_MAX) {
		ret->n_notes = 0;
		in->failed = true;
	}
	for (uint32_t i = 0; i < ret->n_notes; i++) {
		ret->notes[i].id = rbuf_u8(in);
		ret->notes[i].line = rbuf_u32(in);
		rbuf_text(in, ret->notes[i].name, sizeof ret->notes[i].name);
		if (ret->notes[i].id >= NOTE_COUNT)
			in->failed = true;
	}
	ret->changes = rbuf_u32(in);
	ret->text = take_bytes(in, SETUP_TEXT_MAX, &ret->text_len);
	ret->is_shell = rbuf_bool(in);
	rbuf_text(in, ret->session, sizeof ret->session);
	for (enum setup_field f = 0; f < SETUP_FIELDS; f++) {
		ret->field[f].is_there = rbuf_bool(in);
		ret->field[f].count = rbuf_u64(in);
		ret->field[f].text = take_bytes(in, SETUP_HOOK_MAX, &ret->field[f].len);
	}
	ret->error.code = code == AMBIT_MALFORMED || code == AMBIT_LIMIT || code == AMBIT_MEMORY ||
					  code == AMBIT_CONFLICT || code == AMBIT_USAGE
				  ? (enum ambit_code)code
			  : code == 0 ? AMBIT_OK
				      : AMBIT_INTERNAL;
	return rbuf_done(in) && (ret->session[0] == 0 || setup_is_session(ret->session, strlen(ret->session))) &&
	       (ret->text_len == 0 || ret->changes != 0 || ret->is_shell);
}
