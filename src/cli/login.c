#include "cli/login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/cli.h"
#include "cli/login_browser.h"
#include "cli/login_step.h"
#include "lib/public.h"

#define HELP "ambit secret --help"
#define UNRESERVED "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%"
#define RANDOM_MAX 48 /* 32 bytes as base64, with a NUL */

struct login {
	const char *name, *address, *scope, *client; /* as they were named; NULL */
	unsigned port;
	bool open, help;
	struct url url, issuer, token;
	struct login_terms terms;
	char issuer_text[URL_TEXT_MAX], authorize[LOGIN_FIELD_MAX], registration[LOGIN_FIELD_MAX],
		scopes[LOGIN_FIELD_MAX];
	uint8_t flags;
	struct browser browser;
	char state[RANDOM_MAX], verifier[RANDOM_MAX], challenge[RANDOM_MAX];
};

static struct login_ask ask; /* of the step at hand */
static struct login_answer said;

/* ---- steps ---- */

static int step(enum login_step which, const char *url, struct err *e)
{
	ask.step = (uint8_t)which; /* in range */
	if (!text_copy(ask.url, sizeof ask.url, url))
		return err_set(e, AMBIT_LIMIT, NULL, "an address is too long");
	memset(&said, 0, sizeof said);
	return login_step(&ask, NULL, &said, NULL, e);
}

static int get(enum login_step which, const char *url, struct err *e)
{
	ask = (struct login_ask){ .n = 0 };
	return step(which, url, e);
}

/* ---- who gives tokens for it ---- */

static void put_origin(const struct url *u, char ret[URL_TEXT_MAX])
{
	char host[ENDPOINT_TEXT_MAX];

	url_host(u, host);
	(void)snprintf(ret, URL_TEXT_MAX, "http%s://%s", u->tls ? "s" : "", host); /* fits */
}

/* A path of its host, with what is before and behind the path that it has. */
static void near(const struct url *u, const char *before, const char *behind, char ret[URL_TEXT_MAX])
{
	const size_t n = strcspn(u->target, "?");
	size_t at;

	put_origin(u, ret);
	at = strlen(ret);
	(void)snprintf(ret + at, URL_TEXT_MAX - at, "%s%.*s%s", before, n == 1 ? 0 : (int)n, u->target,
		       behind); /* or it is not found */
}

/* 1: it has some; 0: there are none. */
static int try_metadata(enum login_step which, const char *url, struct err *e)
{
	const int r = get(which, url, e);

	if (r < 0)
		return r;
	if (said.outcome == LOGIN_ANSWERED)
		return 1;
	if ((said.outcome == LOGIN_REFUSED && said.status < 500) || said.outcome == LOGIN_UNCLEAR)
		return 0; /* many hosts have a page for whatever is asked for */
	return login_step_failed(&ask, &said, e);
}

static int find_resource(struct login *l, const char *named, struct err *e)
{
	char text[URL_TEXT_MAX];
	struct url at;
	int r;

	if (named[0] != 0) {
		if (url_take(named, &at, e) < 0 || !url_is_same_origin(&at, &l->url))
			return err_set(e, AMBIT_DENIED, NULL, "the server says that another host speaks for it: %.200s",
				       named);
		r = try_metadata(LOGIN_RESOURCE, named, e);
		return r == 0 ? login_step_failed(&ask, &said, e) : r;
	}
	near(&l->url, "/.well-known/oauth-protected-resource", "", text);
	r = try_metadata(LOGIN_RESOURCE, text, e);
	if (r != 0 || strcspn(l->url.target, "?") == 1)
		return r;
	put_origin(&l->url, text);
	(void)snprintf(text + strlen(text), sizeof text - strlen(text),
		       "/.well-known/oauth-protected-resource"); /* fits */
	return try_metadata(LOGIN_RESOURCE, text, e);
}

/* For which a token is wanted: itself, or what lies above it at its own host. */
static int take_resource(struct login *l, const char *text, struct err *e)
{
	struct url at;
	char own[URL_TEXT_MAX];
	size_t n;

	url_put(&l->url, own);
	own[strcspn(own, "?")] = 0;
	if (text[0] == 0)
		text = own;
	if (url_take(text, &at, e) < 0 || !url_is_same_origin(&at, &l->url))
		return err_set(e, AMBIT_DENIED, NULL, "the server says that it is another: %.200s", text);
	n = strlen(at.path);
	n -= n > 0 && at.path[n - 1] == '/';
	if (strncmp(at.path, l->url.path, n) != 0 || (l->url.path[n] != 0 && l->url.path[n] != '/'))
		return err_set(e, AMBIT_DENIED, NULL, "the server says that it is another: %.200s", text);
	return login_is_word(text) && text_copy(l->terms.resource, sizeof l->terms.resource, text)
		       ? 0
		       : err_set(e, AMBIT_LIMIT, NULL, "the address of the server is too long");
}

static int ask_server(struct login *l, struct err *e)
{
	char named[LOGIN_FIELD_MAX], scope[LOGIN_FIELD_MAX];
	int r = get(LOGIN_PROBE, l->address, e);

	if (r < 0)
		return r;
	if (said.outcome != LOGIN_ANSWERED)
		return login_step_failed(&ask, &said, e);
	if (said.status >= 200 && said.status < 300)
		return err_set(e, AMBIT_USAGE, "ambit guard --url URL, without --secret", "%s wants no token",
			       l->address);
	if (said.status != 401)
		return err_set(e, AMBIT_PROTOCOL, "is this the address of a server of the Model Context Protocol?",
			       "%s does not say that it wants a token: HTTP %u", l->address, said.status);
	memcpy(named, said.text[LOGIN_METADATA], sizeof named);
	memcpy(scope, said.text[LOGIN_SCOPE], sizeof scope);
	r = find_resource(l, named, e);
	if (r < 0)
		return r;
	memcpy(l->scopes, scope[0] != 0 || r == 0 ? scope : said.text[LOGIN_SCOPE], sizeof l->scopes);
	if (r > 0)
		memcpy(l->issuer_text, said.text[LOGIN_ISSUER], LOGIN_FIELD_MAX);
	else
		put_origin(&l->url, l->issuer_text); /* before 2025-06-18 a server gave tokens itself */
	return take_resource(l, r > 0 ? said.text[LOGIN_RESOURCE_ID] : "", e);
}

static bool is_same_issuer(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	n -= n > 0 && a[n - 1] == '/';
	m -= m > 0 && b[m - 1] == '/';
	return n == m && memcmp(a, b, n) == 0;
}

/* Where the server, or who gives tokens, says that something is: under TLS, and at a name, which leads to no address of the person's own network; or at the server's own host. Else a server could have anything asked there. */
static int take_address(const struct login *l, const char *text, struct url *ret, struct err *e)
{
	const int r = url_take(text, ret, e);

	if (r < 0)
		return r;
	if (!ret->tls)
		return err_set(e, AMBIT_DENIED, NULL, "it says that something is at %.200s, which is without TLS",
			       text);
	if (ret->at.kind != ENDPOINT_NAME && strcmp(ret->host, l->url.host) != 0)
		return err_set(e, AMBIT_DENIED, NULL, "it says that something is at %.200s, which is no name", text);
	return 0;
}

static int find_issuer(struct login *l, struct err *e)
{
	static const struct {
		const char *before, *behind;
	} places[] = { { "/.well-known/oauth-authorization-server", "" },
		       { "/.well-known/openid-configuration", "" },
		       { "", "/.well-known/openid-configuration" } };
	const bool is_root = strcspn(l->issuer.target, "?") == 1;
	char text[URL_TEXT_MAX];

	for (size_t i = 0; i < sizeof places / sizeof places[0] - is_root; i++) {
		int r;

		near(&l->issuer, places[i].before, places[i].behind, text);
		r = try_metadata(LOGIN_SERVER, text, e);
		if (r != 0)
			return r;
	}
	return err_set(e, AMBIT_NOT_FOUND, NULL, "%s does not say how it gives tokens", l->issuer_text);
}

static int ask_issuer(struct login *l, struct err *e)
{
	struct url at;
	int r = take_address(l, l->issuer_text, &l->issuer, e);

	r = r < 0 ? r : find_issuer(l, e);
	if (r < 0)
		return err_context(e, r, "who gives tokens");
	if (!is_same_issuer(said.text[LOGIN_ISSUER], l->issuer_text))
		return err_set(e, AMBIT_DENIED, NULL, "%.200s says that it is another: %.200s", l->issuer_text,
			       said.text[LOGIN_ISSUER]);
	if ((said.flags & LOGIN_S256) == 0)
		return err_set(e, AMBIT_DENIED, "whoever runs it has to allow PKCE with S256",
			       "%.200s does not say that codes can be bound to who asks for them", l->issuer_text);
	l->flags = said.flags;
	if (take_address(l, said.text[LOGIN_AUTHORIZE], &at, e) < 0 ||
	    take_address(l, said.text[LOGIN_TOKEN_URL], &l->token, e) < 0 ||
	    (said.text[LOGIN_REGISTRATION][0] != 0 && take_address(l, said.text[LOGIN_REGISTRATION], &at, e) < 0))
		return err_context(e, -(int)e->code, "who gives tokens");
	memcpy(l->authorize, said.text[LOGIN_AUTHORIZE], sizeof l->authorize);
	memcpy(l->registration, said.text[LOGIN_REGISTRATION], sizeof l->registration);
	return login_is_word(said.text[LOGIN_TOKEN_URL]) && login_is_word(l->authorize) &&
			       text_copy(l->terms.token_url, sizeof l->terms.token_url, said.text[LOGIN_TOKEN_URL])
		       ? 0
		       : err_set(e, AMBIT_LIMIT, NULL, "an address of %.200s is too long", l->issuer_text);
}

/* ---- as whom ---- */

static int take_client(struct login *l, struct err *e)
{
	const size_t n = strcspn(l->client, ":");

	if (n == 0 || n >= sizeof l->terms.client ||
	    (l->client[n] == ':' &&
	     !text_copy(l->terms.client_secret, sizeof l->terms.client_secret, l->client + n + 1)))
		return err_set(e, AMBIT_USAGE, "write ID, or ID:SECRET, of which SECRET is the name of one of yours",
			       "--client: '%s' is no client", l->client);
	(void)snprintf(l->terms.client, sizeof l->terms.client, "%.*s", (int)n, l->client); /* fits */
	if (!login_is_word(l->terms.client))
		return err_set(e, AMBIT_USAGE, NULL, "--client: '%s' is no client", l->client);
	if (l->client[n] == 0)
		return 0;
	if (strspn(l->terms.client, UNRESERVED) != n) /* it stands in a grant */
		return err_set(e, AMBIT_USAGE, "write what is no letter, digit, -, ., _ or ~ as %XX",
			       "--client: '%s' cannot be sent as it is", l->terms.client);
	return secret_name_check(l->terms.client_secret, e);
}

static int register_client(struct login *l, struct err *e)
{
	int r;

	if (l->client != NULL)
		return take_client(l, e);
	if (l->registration[0] == 0)
		return err_set(e, AMBIT_NOT_FOUND, "register one there, and name it: --client ID",
			       "%.200s registers no clients", l->issuer_text);
	ask = (struct login_ask){ .n = 0 };
	(void)login_param(&ask, "redirect_uri", l->browser.uri); /* it fits */
	(void)login_param(&ask, "scope", l->scopes);
	r = step(LOGIN_REGISTER, l->registration, e);
	if (r == 0 && said.outcome != LOGIN_ANSWERED)
		r = login_step_failed(&ask, &said, e);
	if (r < 0)
		return err_context(e, r, "no client was registered");
	if ((said.flags & LOGIN_SECRET) != 0)
		return err_set(e, AMBIT_UNAVAILABLE, "register one there, and name it: --client ID:SECRET",
			       "%.200s gives a secret to each client that it registers", l->issuer_text);
	return text_copy(l->terms.client, sizeof l->terms.client, said.text[LOGIN_CLIENT])
		       ? 0
		       : err_set(e, AMBIT_LIMIT, NULL, "the name of the client is too long");
}

/* ---- the person ---- */

static void put_base64url(const uint8_t bytes[SHA256_BYTES], char ret[RANDOM_MAX])
{
	struct buf out;

	buf_init_in(&out, ret, RANDOM_MAX);
	base64_put(&out, bytes, SHA256_BYTES);
	(void)buf_cstr(&out); /* it fits */
	for (char *at = ret; *at != 0; at++)
		*at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? 0 : *at);
}

static int draw(struct login *l, struct err *e)
{
	uint8_t bytes[2 * SHA256_BYTES], digest[SHA256_BYTES];
	struct sha256 s;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes");
	put_base64url(bytes, l->state);
	put_base64url(bytes + SHA256_BYTES, l->verifier);
	sha256_init(&s);
	sha256_add(&s, l->verifier, strlen(l->verifier));
	sha256_end(&s, digest);
	put_base64url(digest, l->challenge);
	return 0;
}

static void put_parameter(struct buf *out, const char *name, const char *value)
{
	if (value[0] == 0)
		return;
	buf_printf(out, "%s%s=", memchr(out->data, '?', out->len) == NULL ? "?" : "&", name);
	for (; *value != 0; value++)
		if (*value != '%' && strchr(UNRESERVED, *value) != NULL)
			buf_put_u8(out, (uint8_t)*value);
		else
			buf_printf(out, "%%%02X", (uint8_t)*value);
}

static const char *address_of(const struct login *l, struct buf *out)
{
	buf_printf(out, "%s", l->authorize);
	put_parameter(out, "response_type", "code");
	put_parameter(out, "client_id", l->terms.client);
	put_parameter(out, "redirect_uri", l->browser.uri);
	put_parameter(out, "code_challenge", l->challenge);
	put_parameter(out, "code_challenge_method", "S256");
	put_parameter(out, "state", l->state);
	put_parameter(out, "scope", l->scopes);
	put_parameter(out, "resource", l->terms.resource);
	return buf_cstr(out);
}

static int ask_person(struct login *l, struct err *e)
{
	auto_buf out = { .max = 16384 };
	const char *url;
	int r = draw(l, e);

	if (r < 0)
		return r;
	url = address_of(l, &out);
	if (url == NULL)
		return err_set(e, AMBIT_LIMIT, NULL, "the address is too long");
	(void)fprintf(
		stderr,
		"Log in there, in a browser on this machine:\n\n  %s\n\ntokens are given by %s, and asked of %s; waiting for ten minutes\n%s",
		url, l->issuer_text, l->token.host,
		isatty(STDIN_FILENO) == 1
			? "(from another machine: give the address here that the browser cannot open then)\n"
			: "");
	if (l->open)
		browser_show(url);
	r = browser_wait(&l->browser, l->state, isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : -1, &said, e);
	if (r < 0)
		return r;
	if ((said.text[LOGIN_ISSUER][0] != 0 || (l->flags & LOGIN_ISS) != 0) &&
	    !is_same_issuer(said.text[LOGIN_ISSUER], l->issuer_text))
		return err_set(e, AMBIT_DENIED, "run it again; somebody mixed up whom you asked",
			       "what came back is not by %.200s", l->issuer_text);
	if (said.text[LOGIN_CODE][0] == 0)
		return err_set(e, AMBIT_DENIED, NULL, "no token was allowed: %.100s%s%.200s", said.text[LOGIN_ERROR],
			       said.text[LOGIN_ERROR_TEXT][0] != 0 ? ": " : "", said.text[LOGIN_ERROR_TEXT]);
	return 0;
}

/* ---- tokens ---- */

static int ask_tokens(struct login *l, int *ret_tokens, struct err *e)
{
	char code[LOGIN_FIELD_MAX], secrets[SECRET_NAME_MAX + LOGIN_CLIENT_MAX + 16];
	int r;

	memcpy(code, said.text[LOGIN_CODE], sizeof code);
	ask = (struct login_ask){ .step = LOGIN_TOKEN };
	if (!text_copy(ask.url, sizeof ask.url, l->terms.token_url) ||
	    !login_param(&ask, "grant_type", "authorization_code") || !login_param(&ask, "code", code) ||
	    !login_param(&ask, "redirect_uri", l->browser.uri) || !login_param(&ask, "client_id", l->terms.client) ||
	    !login_param(&ask, "code_verifier", l->verifier) || !login_param(&ask, "resource", l->terms.resource))
		return err_set(e, AMBIT_LIMIT, NULL, "what came back is too long");
	(void)snprintf(secrets, sizeof secrets, "%s as basic:%s", l->terms.client_secret, l->terms.client); /* fits */
	memset(&said, 0, sizeof said);
	r = login_step(&ask, l->terms.client_secret[0] != 0 ? secrets : NULL, &said, ret_tokens, e);
	if (r == 0 && said.outcome != LOGIN_ANSWERED)
		r = login_step_failed(&ask, &said, e);
	return r < 0 ? err_context(e, r, "no token was given") : 0;
}

static int keep(struct login *l, int tokens, struct secret_row *ret, struct err *e)
{
	static struct secret_set set;
	auto_fd int held = -1;
	struct buf terms;
	bool replaced;
	int r;

	set = (struct secret_set){ .source = SECRET_FROM_LOGIN };
	(void)text_copy(set.name, sizeof set.name, l->name); /* it is one */
	buf_init_in(&terms, set.command, sizeof set.command - 1);
	login_terms_put(&terms, &l->terms);
	r = secret_hosts_add(&set.hosts, l->url.host, e);
	r = r < 0 ? r : login_lock(l->name, &held, e);
	return r < 0 ? r : secret_set(&set, tokens, ret, &replaced, e);
}

static void tell(const struct login *l, const struct secret_row *row)
{
	char at[TIMESTAMP_LEN + 1] = "";

	(void)timestamp_write(row->expires_ms, at); /* or nothing */
	(void)printf("logged in: %s, for %s", l->name, l->url.host);
	if (row->expires_ms != 0)
		(void)printf(", until %s", at);
	(void)printf("\n  hint: ambit guard --url %s --secret %s ...\n", l->address, l->name);
}

static int run(struct login *l, struct err *e)
{
	static struct secret_row row;
	auto_fd int tokens = -1;
	int r = secret_name_check(l->name, e);
	char refresh[SECRET_NAME_MAX + sizeof LOGIN_REFRESH];

	(void)snprintf(refresh, sizeof refresh, "%s" LOGIN_REFRESH, l->name); /* fits */
	r = r < 0 ? r : secret_name_check(refresh, e);
	r = r < 0 ? r : url_take(l->address, &l->url, e);
	if (r == 0 && !l->url.tls)
		r = err_set(e, AMBIT_USAGE, NULL, "a token is sent under TLS only, and %s is without", l->address);
	r = r < 0 ? r : ask_server(l, e);
	if (r == 0 && l->scope != NULL && !text_copy(l->scopes, sizeof l->scopes, l->scope))
		r = err_set(e, AMBIT_USAGE, NULL, "--scope is too long");
	r = r < 0 ? r : ask_issuer(l, e);
	r = r < 0 ? r : browser_open(&l->browser, l->port, e);
	r = r < 0 ? r : register_client(l, e);
	r = r < 0 ? r : ask_person(l, e);
	r = r < 0 ? r : ask_tokens(l, &tokens, e);
	r = r < 0 ? r : keep(l, tokens, &row, e);
	browser_close(&l->browser);
	if (r == 0)
		tell(l, &row);
	return r;
}

/* ---- words ---- */

static int take_option(struct login *l, char ***at, struct ambit_error *e)
{
	static const char *const options[] = { "client", "help", "open", "port", "scope" };
	const char *value;
	uint32_t port;
	int r = 0;

	if ((value = cli_argument(at, HELP, "--client", &r, e)) != NULL)
		l->client = value;
	else if ((value = cli_argument(at, HELP, "--scope", &r, e)) != NULL)
		l->scope = value;
	else if ((value = cli_argument(at, HELP, "--port", &r, e)) != NULL) {
		if (r == 0 && !parse_u32(value, 1, 65535, &port))
			return cli_misused(e, HELP, "--port takes a number of 1 to 65535, and not '%s'", value);
		l->port = r == 0 ? port : 0;
	} else if (strcmp(**at, "--open") == 0)
		l->open = true;
	else
		return cli_misused_option(e, HELP, **at, options, sizeof options / sizeof options[0]);
	return r;
}

static int read_words(struct login *l, char **argv, struct ambit_error *e)
{
	int r = 0;

	for (; *argv != NULL && r == 0; argv++) {
		if (cli_is_help(*argv))
			l->help = true;
		else if ((*argv)[0] == '-')
			r = take_option(l, &argv, e);
		else if (l->name == NULL)
			l->name = *argv;
		else if (l->address == NULL)
			l->address = *argv;
		else
			r = cli_misused(e, HELP, "secret login: too many words");
	}
	if (r == 0 && !l->help && l->address == NULL)
		return cli_misused(e, HELP, "secret login: what is it to be called, and where is its server? NAME URL");
	return r;
}

int secret_login(char **argv, const char *help_text)
{
	static struct login l = { .browser = { .fd = -1 } };
	struct ambit_error told = { .size = sizeof told };
	struct err e;
	int r;

	if (read_words(&l, argv, &told) < 0)
		return cli_refuse(false, &told);
	if (l.help) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	r = run(&l, &e);
	if (r == 0)
		return cli_flush();
	(void)public_error(&told, r, &e);
	return cli_refuse(false, &told);
}
