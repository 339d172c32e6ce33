/* Servers that stand behind one gate. */
#include <string.h>

#include "base/text.h"
#include "core/alike.h"
#include "policy/policy.h"

#define SHOWN_MAX 80

/* It is the scheme of URIs (`fs+file:///x`) and stands before two underscores in names, which end it: so neither is in it. */
static bool is_name(const char *s)
{
	const size_t n = strlen(s);

	return n > 0 && n < POLICY_SERVER_NAME_MAX && s[0] >= 'a' && s[0] <= 'z' && s[n - 1] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && strstr(s, "--") == NULL;
}

int policy_add_server(struct policy *p, const char *name, struct err *e)
{
	char shown[SHOWN_MAX];

	if (!is_name(name)) {
		text_escape(shown, sizeof shown, name, strlen(name));
		return err_set(e, AMBIT_MALFORMED,
			       "small letters, digits, and single dashes between them, the first a letter, at most 32",
			       "'%s' is not the name of a server", shown);
	}
	for (uint32_t i = 0; i < p->n_servers; i++)
		if (alike_is(p->servers[i].name, name))
			return err_set(e, AMBIT_CONFLICT, "name one of them otherwise",
				       "the servers '%s' and '%s' have names that look alike", p->servers[i].name,
				       name);
	if (p->n_servers == POLICY_SERVERS_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d servers behind one gate", POLICY_SERVERS_MAX);
	p->servers[p->n_servers] = (struct policy_server){ .n_words = 0 };
	(void)text_copy(p->servers[p->n_servers++].name, POLICY_SERVER_NAME_MAX, name); /* fits: is_name */
	return 0;
}

int policy_add_word(struct policy *p, const char *word, struct err *e)
{
	struct policy_server *s = &p->servers[p->n_servers - 1];
	const size_t n = strlen(word) + 1;

	if (s->n_words == 0 && n == 1)
		return err_set(e, AMBIT_MALFORMED, "name a program", "a command that begins with nothing");
	if (s->n_words == POLICY_WORDS_MAX || n > sizeof s->words - s->n_bytes)
		return err_set(e, AMBIT_LIMIT, "put it into a script", "a command has %d words, and %d bytes, at most",
			       POLICY_WORDS_MAX, POLICY_COMMAND_MAX);
	memcpy(s->words + s->n_bytes, word, n);
	s->n_bytes += (uint32_t)n; /* below POLICY_COMMAND_MAX */
	s->n_words++;
	return 0;
}

void policy_command(const struct policy *p, uint32_t server, char *ret[POLICY_WORDS_MAX + 1])
{
	const struct policy_server *s = &p->servers[server];
	const char *at = s->words;

	for (uint32_t i = 0; i < s->n_words; i++, at += strlen(at) + 1)
		ret[i] = (char *)(uintptr_t)at; /* only read */
	ret[s->n_words] = NULL;
}

void policy_servers_encode(const struct policy *p, struct buf *out)
{
	buf_put_u8(out, p->server);
	buf_put_u32(out, p->n_servers);
	for (uint32_t i = 0; i < p->n_servers; i++) {
		char *words[POLICY_WORDS_MAX + 1];

		policy_command(p, i, words);
		buf_put_str(out, p->servers[i].name);
		buf_put_u32(out, p->servers[i].n_words);
		for (uint32_t k = 0; words[k] != NULL; k++)
			buf_put_str(out, words[k]);
	}
}

int policy_servers_decode(struct rbuf *in, struct policy *ret, struct err *e)
{
	const uint8_t server = rbuf_u8(in);
	const uint32_t n = rbuf_u32(in);

	if (in->failed || n > POLICY_SERVERS_MAX || server > n)
		return err_set(e, AMBIT_PROTOCOL, NULL, "more servers than there can be");
	for (uint32_t i = 0; i < n; i++) {
		char text[POLICY_COMMAND_MAX];
		uint32_t words;

		rbuf_str(in, text, POLICY_SERVER_NAME_MAX);
		if (in->failed || policy_add_server(ret, text, e) < 0)
			return err_set(e, AMBIT_PROTOCOL, NULL, "a server that cannot be named");
		words = rbuf_u32(in);
		if (words == 0 || words > POLICY_WORDS_MAX)
			return err_set(e, AMBIT_PROTOCOL, NULL, "a command that cannot be written");
		for (uint32_t k = 0; k < words; k++) {
			rbuf_str(in, text, sizeof text);
			if (in->failed || policy_add_word(ret, text, e) < 0)
				return err_set(e, AMBIT_PROTOCOL, NULL, "a command that cannot be written");
		}
	}
	ret->server = server;
	return 0;
}

int policy_servers_merge(struct policy *into, const struct policy *from, struct err *e)
{
	for (uint32_t i = 0; i < from->n_servers; i++) {
		const int r = policy_add_server(into, from->servers[i].name, e);

		if (r < 0)
			return r;
		into->servers[into->n_servers - 1] = from->servers[i];
	}
	return 0;
}
