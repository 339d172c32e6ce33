#include "ask/link.h"

#include <string.h>

#include "base/text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

bool ask_scope_is_good(const char *scope)
{
	return scope[0] != 0 && scope[strspn(scope, LETTERS "!#$%&()*+-./:;=?@[]^_`{|}~")] == 0;
}

bool ask_claim_is_good(const char *text)
{
	const size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if ((uint8_t)text[i] < 0x20 || (uint8_t)text[i] > 0x7e)
			return false;
	return n > 0 && text[0] != ' ' && text[n - 1] != ' ';
}

/* "": it is not known. */
static bool expires_is_good(const char *text)
{
	return text[strspn(text, LETTERS ":+-. ")] == 0;
}

/* False: it does not fit, or has a NUL. */
static bool copy(char *ret, size_t size, const char *text, size_t n)
{
	if (n >= size || memchr(text, 0, n) != NULL)
		return false;
	memcpy(ret, text, n);
	ret[n] = 0;
	return true;
}

void ask_add_scope(struct ask_answer *a, const char *scope, size_t n)
{
	char word[ASK_SCOPE_MAX];

	if (a->n_scopes < ASK_SCOPES_MAX && copy(word, sizeof word, scope, n) && ask_scope_is_good(word))
		(void)text_copy(a->scopes[a->n_scopes++], ASK_SCOPE_MAX, word); /* of the same size */
	else
		a->left_out++;
}

void ask_set_expires(struct ask_answer *a, const char *text, size_t n)
{
	if (!copy(a->expires, sizeof a->expires, text, n) || !expires_is_good(a->expires))
		a->expires[0] = 0;
}

/* "" if it cannot be one. */
static bool set_claim(char ret[ASK_CLAIM_MAX], const char *text, size_t n)
{
	if (copy(ret, ASK_CLAIM_MAX, text, n) && ask_claim_is_good(ret))
		return true;
	ret[0] = 0;
	return false;
}

void ask_set_claim(struct ask_answer *a, enum ask_claim which, const char *text, size_t n)
{
	(void)set_claim(a->claims[which], text, n); /* or it was not told */
}

void ask_add_audience(struct ask_answer *a, const char *text, size_t n)
{
	if (a->n_audiences < ASK_AUDIENCES_MAX && set_claim(a->audiences[a->n_audiences], text, n))
		a->n_audiences++;
}

const char *ask_claim_word(enum ask_claim which, bool is_text)
{
	static const char *const words[][2] = {
#define ASK_CLAIM_WORD(name, word, text) [ASK_CLAIM_##name] = { word, text },
		ASK_CLAIMS(ASK_CLAIM_WORD)
#undef ASK_CLAIM_WORD
	};

	return words[which][is_text];
}

void ask_answer_put(struct buf *out, const struct ask_answer *a)
{
	buf_put_u8(out, a->outcome);
	buf_put_u8(out, a->state);
	buf_put_u16(out, a->status);
	buf_put_u8(out, a->told_scopes);
	buf_put_u32(out, a->left_out);
	buf_put_str(out, a->expires);
	buf_put_u32(out, a->n_scopes);
	for (uint32_t i = 0; i < a->n_scopes; i++)
		buf_put_str(out, a->scopes[i]);
	for (unsigned i = 0; i < ASK_CLAIM_COUNT; i++)
		buf_put_str(out, a->claims[i]);
	buf_put_u32(out, a->n_audiences);
	for (uint32_t i = 0; i < a->n_audiences; i++)
		buf_put_str(out, a->audiences[i]);
}

static bool take_scopes(struct rbuf *in, struct ask_answer *a)
{
	a->n_scopes = rbuf_u32(in);
	if (a->n_scopes > ASK_SCOPES_MAX)
		return false;
	for (uint32_t i = 0; i < a->n_scopes; i++) {
		rbuf_str(in, a->scopes[i], ASK_SCOPE_MAX);
		if (!ask_scope_is_good(a->scopes[i]))
			return false;
	}
	return true;
}

static bool take_claims(struct rbuf *in, struct ask_answer *a)
{
	for (unsigned i = 0; i < ASK_CLAIM_COUNT; i++) {
		rbuf_str(in, a->claims[i], ASK_CLAIM_MAX);
		if (a->claims[i][0] != 0 && !ask_claim_is_good(a->claims[i]))
			return false;
	}
	a->n_audiences = rbuf_u32(in);
	if (a->n_audiences > ASK_AUDIENCES_MAX)
		return false;
	for (uint32_t i = 0; i < a->n_audiences; i++) {
		rbuf_str(in, a->audiences[i], ASK_CLAIM_MAX);
		if (!ask_claim_is_good(a->audiences[i]))
			return false;
	}
	return true;
}

bool ask_answer_take(const void *bytes, size_t n, struct ask_answer *ret)
{
	struct ask_answer a = { .outcome = 0 };
	struct rbuf in;

	rbuf_init(&in, bytes, n);
	a.outcome = rbuf_u8(&in);
	a.state = rbuf_u8(&in);
	a.status = rbuf_u16(&in);
	a.told_scopes = rbuf_u8(&in);
	a.left_out = rbuf_u32(&in);
	rbuf_str(&in, a.expires, sizeof a.expires);
	if (!take_scopes(&in, &a) || !take_claims(&in, &a) || !rbuf_done(&in) || a.outcome >= ASK_OUTCOME_COUNT ||
	    a.state >= ASK_STATE_COUNT || a.told_scopes > 1 || a.status > 999 || !expires_is_good(a.expires))
		return false;
	*ret = a;
	return true;
}

const char *ask_outcome_text(const struct ask_answer *a)
{
	static const char *const texts[] = {
#define ASK_TEXT(name, text) [ASK_##name] = (text),
		ASK_OUTCOMES(ASK_TEXT)
#undef ASK_TEXT
	};

	return texts[a->outcome]; /* in range: it was decoded */
}
