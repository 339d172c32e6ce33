/* check - the parts of `ambit secret check`.
 *
 * Owns:   struct check: what was asked for, who is asked, what he said, and what is to be told of it.
 * Holds:  the value is never here: the request is granted as any is, and ambit-http attaches the secret. What the role wrote is foreign.
 * Called: secret_check.c, from where each part is called in this order. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "ask/issuer.h"
#include "ask/link.h"
#include "ask/scopes.h"
#include "core/endpoint.h"
#include "core/terms.h"
#include "lib/policy_handle.h"
#include "secret/link.h"

#define CHECK_WARNINGS_MAX (ASK_SCOPES_MAX + 4)

struct check {
	const char *name;            /* NULL: not named */
	struct ambit_policy *policy; /* owned: whose grants are held against it */
	bool compares, json, help;
	bool has_issuer, has_host, introspects; /* named: a kind, its host, an endpoint */
	bool is_there;                          /* the secret */
	enum issuer issuer, scopes_of;          /* who is asked, and whose scopes they are */
	char path[HTTP_PATTERN_MAX];            /* that is asked for */
	char client[TERMS_NAME_MAX];            /* of an introspection, who asks; "": not named */
	char asking_secret[TERMS_NAME_MAX]; /* and with which secret: his, or as bearer without him; "": with none */
	struct endpoint at;
	char host[HOST_NAME_MAX_LEN + 1]; /* of it, without brackets */
	char url[HOST_NAME_MAX_LEN + HTTP_PATTERN_MAX + 64];
	struct secret_hosts bound;
	struct ask_answer answer;
	uint32_t n_warnings;
	struct warning {
		const char *code, *scope; /* scope: borrowed of the answer; NULL: it is of none */
		char text[256];
	} warnings[CHECK_WARNINGS_MAX];
};

/* check_words.c: what names who is asked, and who asks: HOST[:PORT]; https://HOST[:PORT]/PATH; ID[:SECRET]; SECRET. -USAGE. */
int check_take_host(struct check *c, const char *word, struct err *e);
int check_take_endpoint(struct check *c, const char *word, struct err *e);
int check_take_client(struct check *c, const char *word, struct err *e);
int check_take_bearer(struct check *c, const char *word, struct err *e);

/* check_whom.c: fills in who is asked, and where. */
int check_find_whom(struct check *c, struct err *e);
/* Terms of a grant in the policy that use the secret; false: of another. */
bool check_uses_it(const struct check *c, const struct policy_line *line, struct terms *ret);

/* check_ask.c: makes the one request, in a cell. */
int check_ask(struct check *c, struct ambit_error *e);
/* That there was an answer, and one that says something. */
int check_has_answer(const struct check *c, struct err *e);

/* check_judge.c: holds what was said against the grants. */
void check_judge(struct check *c);
/* Of all grants that use it; UNUSED where none does. */
enum scope_use check_use_of(const struct check *c, const char *scope);

/* check_tell.c: gives the exit status. */
int check_tell(const struct check *c);

#endif
