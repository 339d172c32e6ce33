/* What servers and browsers say of a login. The input is a byte for the step, a byte for the status (times two), and the text: of PROBE a field WWW-Authenticate, of CALLBACK the first line of a request, of others a body; from
 * step 7 on an ask, an answer, terms, tokens or a value, as one process tells another.
 *
 * Promised: what is understood is in bounds and of printable ASCII, tokens are words; an answer comes of what has what it needs; what was taken is written, and taken once more, the same. */
#include <string.h>

#include "fuzz.h"
#include "login/read.h"

static void check_printable(const char *text, size_t size)
{
	promise(memchr(text, 0, size) != NULL);
	for (; *text != 0; text++)
		promise(*text >= 0x20 && *text <= 0x7e);
}

static void check(const struct login_answer *a)
{
	static struct login_answer again;
	auto_buf out = { .max = LOGIN_ANSWER_MAX };

	for (size_t i = 0; i < LOGIN_FIELDS; i++)
		check_printable(a->text[i], sizeof a->text[i]);
	login_answer_put(&out, a);
	promise(!out.failed && login_answer_take(out.data, out.len, &again));
	promise(a->outcome == again.outcome && a->flags == again.flags && a->status == again.status);
	for (size_t i = 0; i < LOGIN_FIELDS; i++)
		promise(strcmp(a->text[i], again.text[i]) == 0);
}

static void check_tokens(const struct login_tokens *t)
{
	static struct login_tokens again;
	auto_buf out = { .max = LOGIN_TOKENS_MAX };

	promise(login_is_word(t->access) && (t->refresh[0] == 0 || login_is_word(t->refresh)));
	login_tokens_put(&out, t);
	promise(!out.failed && login_tokens_take((const char *)out.data, out.len, &again));
	promise(again.expires == t->expires && strcmp(again.access, t->access) == 0 &&
		(strcmp(again.refresh, t->refresh) == 0 || strcmp(t->refresh, "-") == 0));
}

static void hear(enum login_step step, uint16_t status, const char *text, size_t n)
{
	static struct login_answer a;
	static struct login_tokens t;
	static char line[LOGIN_VALUE_MAX];

	memset(&a, 0, sizeof a);
	memset(&t, 0, sizeof t);
	a.status = status;
	if (step == LOGIN_PROBE) {
		read_challenge(&a, &(struct http_text){ text, n });
	} else if (step == LOGIN_CALLBACK) {
		memset(line, 0, sizeof line);
		memcpy(line, text, n < sizeof line ? n : sizeof line - 1);
		read_callback(&a, line, "/callback");
		promise(a.outcome != LOGIN_ANSWERED || a.text[LOGIN_STATE][0] != 0);
	} else {
		read_body(&a, step, text, n, &t);
		promise(a.outcome != LOGIN_ANSWERED || (status >= 200 && status <= 299));
		promise(a.outcome != LOGIN_ANSWERED || step != LOGIN_REGISTER || login_is_word(a.text[LOGIN_CLIENT]));
	}
	if (step == LOGIN_TOKEN && a.outcome == LOGIN_ANSWERED)
		check_tokens(&t);
	check(&a);
}

static void take_words(const char *text, size_t n)
{
	static struct login_terms terms, again;
	static struct login_tokens tokens, more;
	auto_buf out = { .max = LOGIN_TEXT_MAX + LOGIN_TOKENS_MAX };

	if (login_tokens_take(text, n, &tokens))
		check_tokens(&tokens);
	if (!login_value_take(text, n, &terms, &tokens))
		return;
	check_tokens(&tokens);
	login_value_put(&out, &terms, &tokens);
	promise(!out.failed && login_value_take((const char *)out.data, out.len, &again, &more));
	promise(strcmp(terms.token_url, again.token_url) == 0 && strcmp(terms.client, again.client) == 0 &&
		strcmp(terms.resource, again.resource) == 0 && strcmp(terms.client_secret, again.client_secret) == 0);
}

static void take_messages(const uint8_t *bytes, size_t n)
{
	static struct login_answer a;
	static struct login_ask ask, again;
	auto_buf out = { .max = LOGIN_ASK_MAX };

	if (login_answer_take(bytes, n, &a))
		for (size_t i = 0; i < LOGIN_FIELDS; i++)
			check_printable(a.text[i], sizeof a.text[i]);
	if (!login_ask_take(bytes, n, &ask))
		return;
	login_ask_put(&out, &ask);
	promise(!out.failed && out.len == n && login_ask_take(out.data, out.len, &again) && again.n == ask.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] >= LOGIN_PROBE && data[0] < LOGIN_STEPS)
		hear((enum login_step)data[0], (uint16_t)(data[1] * 2), (const char *)data + 2, size - 2);
	else if (data[0] == LOGIN_STEPS)
		take_words((const char *)data + 2, size - 2);
	else
		take_messages(data + 2, size - 2);
	return 0;
}
