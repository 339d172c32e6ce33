#include "http/resume.h"

#include <string.h>

static bool is_same(const struct http_host *a, const struct http_host *b)
{
	return a->port == b->port && strcmp(a->name.text, b->name.text) == 0 &&
	       (a->name.text[0] != 0 || address_is_same(&a->address, &b->address));
}

void resume_keep(struct resume *r, const struct http_host *host, SSL_SESSION *session)
{
	SSL_SESSION_free(r->at[r->next].session);
	r->at[r->next].host = *host;
	r->at[r->next].session = session;
	r->next = (r->next + 1) % RESUME_MAX;
}

SSL_SESSION *resume_take(struct resume *r, const struct http_host *host)
{
	for (unsigned i = 1; i <= RESUME_MAX; i++) {
		const unsigned k = (r->next + RESUME_MAX - i) % RESUME_MAX;
		SSL_SESSION *session = r->at[k].session;

		if (session == NULL || !is_same(&r->at[k].host, host))
			continue;
		if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
			return SSL_SESSION_up_ref(session) == 1 ? session : NULL;
		r->at[k].session = NULL;
		return session;
	}
	return NULL;
}
