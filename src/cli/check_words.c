#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "cli/check.h"

#define HINT "see: ambit secret --help"
#define UNRESERVED "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

int check_take_host(struct check *c, const char *word, struct err *e)
{
	char place[ENDPOINT_TEXT_MAX];

	(void)snprintf(place, sizeof place, "%s:443", word);
	if ((endpoint_take(word, &c->at, NULL) < 0 && endpoint_take(place, &c->at, NULL) < 0) ||
	    (c->at.kind != ENDPOINT_NAME && (c->at.kind != ENDPOINT_RANGE || endpoint_is_wide(&c->at))))
		return err_set(e, AMBIT_USAGE, HINT, "this takes one host, and not '%s'", word);
	return 0;
}

/* ---- where ---- */

/* One that stands in a request and in a grant as it is written. */
static int take_path(struct check *c, const char *path, struct err *e)
{
	char normal[HTTP_PATTERN_MAX];
	const char *wrong = http_path_take(path, strlen(path), normal, sizeof normal);

	if (wrong == NULL && text_copy(c->path, sizeof c->path, path))
		return 0;
	return err_set(e, AMBIT_USAGE, "write it as in a browser, without a query", "the path '%s' %s", path,
		       wrong != NULL ? wrong : "is too long");
}

int check_take_endpoint(struct check *c, const char *word, struct err *e)
{
	static const char scheme[] = "https://";
	char host[ENDPOINT_TEXT_MAX];
	const char *path;
	int r;

	if (strncmp(word, scheme, sizeof scheme - 1) != 0)
		return err_set(e, AMBIT_USAGE, "write https://HOST/PATH: a secret is sent under TLS only",
			       "'%s' is no address of an endpoint", word);
	word += sizeof scheme - 1;
	path = strchr(word, '/');
	if (path == NULL || (size_t)(path - word) >= sizeof host)
		return err_set(e, AMBIT_USAGE,
			       "write https://HOST/PATH, such as https://id.example.com/oauth2/introspect",
			       "the endpoint of '%s' is not named", word);
	(void)snprintf(host, sizeof host, "%.*s", (int)(path - word), word);
	c->introspects = true;
	r = check_take_host(c, host, e);
	return r < 0 ? r : take_path(c, path, e);
}

/* ---- who asks ---- */

static int take_secret(struct check *c, const char *name, struct err *e)
{
	const int r = secret_name_check(name, e);

	if (r == 0)
		(void)text_copy(c->asking_secret, sizeof c->asking_secret, name); /* it is one */
	return r;
}

static int once(const struct check *c, struct err *e)
{
	return c->client[0] == 0 && c->asking_secret[0] == 0
		       ? 0
		       : err_set(e, AMBIT_USAGE, "name one of them", "--client and --bearer: one can ask");
}

/* As a form has it: ambit-http would refuse another, and it would look like an answer. */
static bool is_encoded(const char *id)
{
	for (; *id != 0; id++) {
		if (strchr(UNRESERVED, *id) != NULL)
			continue;
		if (*id != '%' || hex_digit(id[1]) < 0 || hex_digit(id[2]) < 0)
			return false;
		id += 2;
	}
	return true;
}

/* As a grant has the user of Basic. */
static bool is_user(const char *id)
{
	static struct terms t;
	char value[2 * TERMS_NAME_MAX];

	(void)snprintf(value, sizeof value, "x as basic:%s", id); /* fits */
	return terms_set(&t, TERM_SECRET, value, NULL) == 0 && t.n_secrets == 1 && strcmp(t.secrets[0].where, id) == 0;
}

int check_take_client(struct check *c, const char *word, struct err *e)
{
	const size_t n = strcspn(word, ":");
	const int r = once(c, e);

	if (r < 0)
		return r;
	if (n == 0 || n >= sizeof c->client)
		return err_set(e, AMBIT_USAGE, "write ID, or ID:SECRET, of which SECRET is the name of one of yours",
			       "--client: '%s' begins with no id", word);
	(void)snprintf(c->client, sizeof c->client, "%.*s", (int)n, word);
	if (word[n] == ':' ? !is_user(c->client) : !is_encoded(c->client))
		return err_set(e, AMBIT_USAGE, "write what is no letter, digit, -, ., _ or ~ as %XX",
			       "--client: '%s' cannot be sent as it is", c->client);
	return word[n] == ':' ? take_secret(c, word + n + 1, e) : 0;
}

int check_take_bearer(struct check *c, const char *word, struct err *e)
{
	const int r = once(c, e);

	return r < 0 ? r : take_secret(c, word, e);
}
