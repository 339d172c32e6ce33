#include "http/credential.h"

#include <string.h>
#include <strings.h>

#include "http/head.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- names ---- */

static bool is_listed(const char *const *names, size_t n_names, const char *name, size_t n)
{
	for (size_t i = 0; i < n_names; i++)
		if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0)
			return true;
	return false;
}

#define FIELD(name)
#define PARAMETER(name)
#define FORM(beginning, kind, least, what)
#define KEY(line)

static bool is_listed_field(const char *const *names, size_t n_names, const char *name, size_t n)
{
	const struct http_text text = { .at = name, .n = n };

	for (size_t i = 0; i < n_names; i++)
		if (http_name_means(&text, names[i]))
			return true;
	return false;
}

bool credential_is_field(const char *name, size_t n)
{
	static const char *const names[] = {
#undef FIELD
#define FIELD(name) name,
#include "http/credential.def"
#undef FIELD
#define FIELD(name)
	};

	return is_listed_field(names, COUNT_OF(names), name, n);
}

bool credential_is_parameter(const char *name, size_t n)
{
	static const char *const names[] = {
#undef PARAMETER
#define PARAMETER(name) name,
#include "http/credential.def"
#undef PARAMETER
#define PARAMETER(name)
	};

	return is_listed(names, COUNT_OF(names), name, n);
}

/* ---- forms ---- */

enum kind {
	UPPER,  /* A-Z 0-9 */
	LOWER,  /* a-z 0-9 */
	HEX,    /* 0-9 a-f A-F */
	ALNUM,  /* A-Z a-z 0-9 */
	WORD,   /* and _ */
	DASHED, /* and - */
	DOTTED, /* and . and = */
	BASE64, /* A-Z a-z 0-9 + / = _ - */
	LINES,  /* of a private key, and of what it says of itself before it */
};

struct form {
	const char *beginning, *what;
	uint8_t n, least; /* characters of the beginning, and behind it */
	enum kind kind;
};

#define KEY_GAP 8    /* an end of a line: \r\n, "\r\n" with backslashes, %0D%0A */
#define KEY_LEAST 24 /* behind it */
#define DIFFERENT 5  /* characters; "xxxx" and "0000" stand for a token in a text about one */
#define CONTEXT 6    /* before a token: starts_word */

#undef FORM
#undef KEY
#define FORM(beginning, kind, least, what) { beginning, what, sizeof(beginning) - 1, least, kind },
#define KEY(line) { line, "a private key", sizeof(line) - 1, KEY_LEAST, LINES },
static const struct form forms[] = {
#include "http/credential.def"
};
#undef FORM
#undef KEY
#define FITS(n) _Static_assert((n)-1 + CONTEXT <= CREDENTIAL_TAIL, "the tail has all of a token but its last byte");
#define FORM(beginning, kind, least, what) FITS(sizeof(beginning) - 1 + (least))
#define KEY(line) FITS(sizeof(line) - 1 + KEY_GAP + KEY_LEAST)
#include "http/credential.def"

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(uint8_t c)
{
	return is_alnum(c) || c == '_';
}

static bool is_base64url(uint8_t c)
{
	return is_word(c) || c == '-';
}

static bool is_of(enum kind kind, uint8_t c)
{
	switch (kind) {
	case UPPER: return is_digit(c) || (c >= 'A' && c <= 'Z');
	case LOWER: return is_digit(c) || (c >= 'a' && c <= 'z');
	case HEX: return is_hex(c);
	case ALNUM: return is_alnum(c);
	case WORD: return is_word(c);
	case DASHED: return is_base64url(c);
	case DOTTED: return is_base64url(c) || c == '.' || c == '=';
	case BASE64: return is_base64url(c) || c == '+' || c == '/' || c == '=';
	case LINES: return is_alnum(c) || (c != 0 && strchr("+/=-:, ", c) != NULL);
	}
	return false;
}

/* n bytes of a kind, and not nearly all the same. */
static bool is_filled(enum kind kind, const uint8_t *at, size_t n)
{
	uint64_t seen[2] = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		if (!is_of(kind, at[i])) /* so it is below 128 */
			return false;
		seen[at[i] >> 6] |= UINT64_C(1) << (at[i] & 63);
	}
	return __builtin_popcountll(seen[0]) + __builtin_popcountll(seen[1]) >= DIFFERENT;
}

static size_t gap_of(const uint8_t *at, size_t n)
{
	size_t gap = 0;

	while (gap < n && gap < KEY_GAP && at[gap] != 0 && strchr("\r\n \\rn%0AaDd", at[gap]) != NULL)
		gap++;
	return gap;
}

static bool is_form(const struct form *f, const uint8_t *at, size_t n)
{
	size_t gap = 0;

	if (n < (size_t)f->n + f->least || memcmp(at, f->beginning, f->n) != 0)
		return false;
	if (f->kind == LINES) {
		gap = gap_of(at + f->n, n - f->n);
		if (gap == 0 || n - f->n - gap < f->least || !is_alnum(at[f->n + gap]))
			return false;
	}
	return is_filled(f->kind, at + f->n + gap, f->least);
}

/* Whether what begins here does not go on from before. Before it may be, with a digit or a letter at its end, a character as others write it:
 *   1. \n and kin, as in JSON and programs;
 *   2. %22, as in a query or a form;
 *   3. \u0022, as in JSON. */
static bool starts_word(const uint8_t *all, size_t at)
{
	const uint8_t *b = all + at;

	if (at == 0 || !is_word(b[-1]))
		return true;
	if (at >= 2 && b[-2] == '\\')
		return strchr("bfnrt", b[-1]) != NULL;
	if (at >= 3 && b[-3] == '%')
		return is_hex(b[-2]) && is_hex(b[-1]);
	return at >= 6 && b[-6] == '\\' && b[-5] == 'u' && is_hex(b[-4]) && is_hex(b[-3]) && is_hex(b[-2]) &&
	       is_hex(b[-1]);
}

/* The forms by their first bytes, and by the first two: of most bytes no more is looked at. */
struct index {
	uint64_t pairs[256];           /* by the second byte: a bit for each first one, which shares it with others */
	uint8_t first[256];            /* the number of a form and one, or 0 */
	uint8_t next[COUNT_OF(forms)]; /* likewise */
};
_Static_assert(COUNT_OF(forms) < UINT8_MAX, "a form's number and one is a byte");

static void index_make(struct index *x)
{
	memset(x->pairs, 0, sizeof x->pairs);
	memset(x->first, 0, sizeof x->first);
	for (size_t i = COUNT_OF(forms); i > 0;
	     i--) { /* from the last one, so that each list has the order of the table */
		const char *beginning = forms[i - 1].beginning;
		uint8_t *first = &x->first[(uint8_t)beginning[0]];

		x->pairs[(uint8_t)beginning[1]] |= UINT64_C(1) << (beginning[0] & 63);
		x->next[i - 1] = *first;
		*first = (uint8_t)i;
	}
}

static const char *find_form(const struct index *x, const uint8_t *all, size_t from, size_t n)
{
	for (size_t at = from; at + 1 < n; at++) {
		if ((x->pairs[all[at + 1]] >> (all[at] & 63) & 1) == 0 || (is_word(all[at]) && !starts_word(all, at)))
			continue;
		for (uint8_t i = x->first[all[at]]; i > 0; i = x->next[i - 1])
			if (is_form(&forms[i - 1], all + at, n - at))
				return forms[i - 1].what;
	}
	return NULL;
}

/* ---- JSON Web Tokens: parts of any length ---- */

#define JSON "eyJ" /* `{"` in base64 */
#define JSON_PART_LEAST 17
#define SIGNATURE_LEAST 20

/* Whether JSON begins at bytes[at - 2], where at is a J; what came before is in the tail. */
static bool starts_json(const struct credential_scan *s, const uint8_t *bytes, size_t at)
{
	uint8_t near[CONTEXT + sizeof JSON - 1];
	size_t n = 0;

	while (n < sizeof near && n <= at + s->n) {
		near[sizeof near - 1 - n] = n <= at ? bytes[at - n] : s->tail[s->n - (n - at)];
		n++;
	}
	return n >= 3 && memcmp(near + sizeof near - 3, JSON, 3) == 0 && starts_word(near + sizeof near - n, n - 3);
}

/* One byte within a part; true: with it, a token is whole. */
static bool part_goes_on(struct credential_scan *s, uint8_t c)
{
	if (is_base64url(c)) {
		if (s->part_n < 3)
			s->is_json &= c == (uint8_t)JSON[s->part_n];
		s->part_n += s->part_n < UINT32_MAX;
		return s->json_parts == 2 && s->part_n == SIGNATURE_LEAST;
	}
	if (c == '.' && s->is_json && s->part_n >= JSON_PART_LEAST) {
		s->json_parts = s->json_parts == 0 ? 1 : 2;
		s->part_n = 0;
		return false;
	}
	s->in_part = false;
	return false;
}

static bool find_token(struct credential_scan *s, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n; at++) {
		if (!s->in_part) {
			const uint8_t *j = memchr(bytes + at, JSON[2], n - at);

			if (j == NULL)
				return false;
			at = (size_t)(j - bytes);
			s->in_part = s->is_json = starts_json(s, bytes, at);
			s->json_parts = 0;
			s->part_n = 3;
		} else if (part_goes_on(s, bytes[at])) {
			return true;
		}
	}
	return false;
}

/* ---- pieces ---- */

void credential_scan_init(struct credential_scan *s)
{
	*s = (struct credential_scan){ .n = 0 };
}

/* The tail, and the beginning of what is new: tokens that begin in the tail end there, and those that begin later have their context. */
static const char *find_across(const struct credential_scan *s, const struct index *x, const uint8_t *bytes, size_t n)
{
	const size_t more = n < CREDENTIAL_TAIL + CONTEXT ? n : CREDENTIAL_TAIL + CONTEXT;
	uint8_t both[2 * CREDENTIAL_TAIL + CONTEXT];
	const char *what;

	memcpy(both, s->tail, s->n);
	memcpy(both + s->n, bytes, more);
	what = find_form(x, both, s->cut ? CONTEXT : 0, s->n + more);
	explicit_bzero(both, sizeof both);
	return what;
}

static void keep_tail(struct credential_scan *s, const uint8_t *bytes, size_t n)
{
	const size_t new = n < CREDENTIAL_TAIL ? n : CREDENTIAL_TAIL;
	const size_t old = s->n < CREDENTIAL_TAIL - new ? s->n : CREDENTIAL_TAIL - new;

	s->cut = s->cut || old < s->n || new < n;
	memmove(s->tail, s->tail + (s->n - old), old);
	memcpy(s->tail + old, bytes + (n - new), new);
	s->n = (uint32_t)(old + new);
}

const char *credential_scan_run(struct credential_scan *s, const uint8_t *bytes, size_t n)
{
	const char *what;
	struct index x;

	if (n == 0)
		return NULL;
	index_make(&x);
	what = find_across(s, &x, bytes, n);
	if (what == NULL && n > CREDENTIAL_TAIL + CONTEXT)
		what = find_form(&x, bytes, CONTEXT, n);
	if (what == NULL && find_token(s, bytes, n))
		what = "a JSON Web Token";
	keep_tail(s, bytes, n);
	return what;
}

const char *credential_find(const uint8_t *bytes, size_t n)
{
	struct credential_scan s;
	const char *what;

	credential_scan_init(&s);
	what = credential_scan_run(&s, bytes, n);
	explicit_bzero(&s, sizeof s);
	return what;
}
