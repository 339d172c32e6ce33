/* head - the head of a request or an answer of HTTP/1, read strictly.
 *
 * Owns:   struct http_head: where its parts stand in bytes that are the caller's.
 * Holds:  a head that two servers could read in two ways is refused: a line that ends in LF alone or has a lone CR, a folded field, a blank before a colon, a
 *         name that is no token, a control character in a value, a version that is not 1.0 or 1.1, more than one blank in the first line, two
 *         fields Host, Content-Length or Transfer-Encoding or both of the latter, a length that is not digits alone, a coding other than `chunked`. RFC 9112, and stricter.
 * Called: role ambit-http, on what programs in the cell and servers send; pure. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX (64u << 10) /* as much as servers take, and more */
#define HTTP_FIELDS_MAX 128

struct http_text {
	const char *at; /* borrowed; not ended by a NUL */
	size_t n;
};

struct http_field {
	struct http_text name;  /* as it was sent: compare by http_text_is */
	struct http_text value; /* without blanks around it */
};

enum http_body {
	HTTP_NO_BODY,
	HTTP_LENGTH, /* so many bytes */
	HTTP_CHUNKED,
	HTTP_UNTIL_END, /* of the connection; answers only */
};

struct http_head {
	size_t length;                   /* of the head, with the empty line */
	uint8_t minor;                   /* of the version: 0 or 1 */
	struct http_text method, target; /* of a request */
	uint16_t status;                 /* of an answer: 100 to 599 */
	struct http_text reason;
	uint32_t n_fields;
	struct http_field fields[HTTP_FIELDS_MAX];
	uint8_t body; /* enum http_body: what the fields say; of an answer see http_head_answer_body */
	uint64_t body_length;
};

/* Whether a byte may stand in a name or a method (RFC 9110, 5.6.2). */
bool http_is_token(uint8_t c);
/* Capitals, `-` and `_` alone: as all that exist are written. Some servers take small letters for them, and others do not. */
bool http_is_method(const struct http_text *t);
/* Whether a text is a word of ASCII in small letters, however it is written. */
bool http_text_is(const struct http_text *t, const char *word);
/* The same of a field's name as servers take it that give fields to programs as variables (RFC 3875, 4.1.18): for some, whatever is no letter
 * and no digit is `-` there. */
bool http_name_means(const struct http_text *name, const char *word);
/* Whether two are the same, in letters of either size. */
bool http_text_is_same(const struct http_text *a, const struct http_text *b);
/* Without blanks and tabs around it. */
struct http_text http_trimmed(const char *at, size_t n);
/* The field of this name, in small letters; NULL: there is none. The first of several. */
const struct http_field *http_head_find(const struct http_head *h, const char *name);
/* Whether a field that is a list of words has this one; in all fields of the name. */
bool http_head_lists(const struct http_head *h, const char *name, const char *word);

/* Whether such a list has none but these, the last of which is followed by NULL. */
bool http_head_lists_only(const struct http_head *h, const char *name, const char *const *words);

/* The n bytes that came by now. 1: *ret is whole. 0: there is more to come; of that only the lines are looked at, so that bytes may come one by one. -1: refused, *ret_why says why, as the end of a sentence; also what
 * exceeds HTTP_HEAD_MAX or HTTP_FIELDS_MAX. */
int http_head_request(const uint8_t *bytes, size_t n, struct http_head *ret, const char **ret_why);
int http_head_answer(const uint8_t *bytes, size_t n, struct http_head *ret, const char **ret_why);
/* What follows an answer, which depends on the method of its request (RFC 9112, 6.3). */
enum http_body http_head_answer_body(const struct http_head *answer, const struct http_text *method);

#endif
