/* credential - what in a request is a credential, by where it stands or by what it looks like.
 *
 * Owns:   the tables (credential.def): names of fields and parameters that carry one, and the forms of tokens that providers give out.
 * Holds:  names are compared without regard to case, and those of fields as servers do that take `_`, or whatever is no letter and no digit, for `-`. A form is a beginning at the start of a word and then so many characters of a kind, not
 *         nearly all the same, so that nothing that a person writes looks like one by chance. Whatever the pieces, the same is found.
 * Called: role ambit-http; pure. */
#ifndef HTTP_CREDENTIAL_H
#define HTTP_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a field of this name is a credential: authorization, cookie, x-api-key, ... */
bool credential_is_field(const char *name, size_t n);
/* A parameter of a query or a form: access_token, api_key, ... The name is decoded: no %XX. */
bool credential_is_parameter(const char *name, size_t n);

#define CREDENTIAL_TAIL 128

/* Looks for tokens in bytes that come in any pieces. What is kept may be the beginning of one. */
struct credential_scan {
	uint8_t tail[CREDENTIAL_TAIL]; /* the end of what came */
	uint32_t n;
	bool cut;           /* more came than the tail has */
	bool in_part;       /* within a part of what may be a JSON Web Token, */
	bool is_json;       /* which began as JSON does, so far, */
	uint8_t json_parts; /* behind so many that did, at most 2 */
	uint32_t part_n;
};

void credential_scan_init(struct credential_scan *s);
/* What it is that is whole in these n bytes and those before, as "a token of GitHub", and is found first; NULL: nothing. The caller then asks no
 * more, or gets it again. */
const char *credential_scan_run(struct credential_scan *s, const uint8_t *bytes, size_t n);
/* In one text. */
const char *credential_find(const uint8_t *bytes, size_t n);

#endif
