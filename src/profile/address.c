#include "profile/address.h"

#include <string.h>

/* Last labels of names that stand without a scheme: all countries', and the general ones that are common. */
static const char DOMAINS[] =
	" com org net edu gov mil int info biz name pro app dev cloud online site website shop store tech xyz top club blog "
	"live news link page pages space today world work works agency digital email group host life media network one "
	"services software solutions studio support systems team tools zone test example invalid local onion bank "
	"ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf "
	"cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg "
	"gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn "
	"kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na "
	"nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh "
	"si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc "
	"ve vg vi vn vu wf ws ye yt za zm zw ";

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
	return small(c) >= 'a' && small(c) <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_letter(c) || is_digit(c);
}

/* What names of hosts, of persons in mail addresses and of files consist of: an atom is a run of it. */
static bool is_atom(char c)
{
	return is_alnum(c) || (c != 0 && strchr("._%+-", c) != NULL);
}

/* What parts words; a byte that is not ASCII does, too. */
static bool is_gap(char c)
{
	return c <= ' ' || c == 0x7f || strchr("<>\"'()[]{},;|`*^\\", c) != NULL;
}

static bool is_path(char c)
{
	return is_atom(c) || (c != 0 && strchr("/~@:", c) != NULL);
}

static bool is_loose(char c) /* does not end an address */
{
	return c != 0 && strchr(".,:;!?_-~=&#$%+/", c) != NULL;
}

static struct span trim(struct span s)
{
	while (s.len > 0 && !is_alnum(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && !is_alnum(s.at[s.len - 1]))
		s.len--;
	return s;
}

static bool is_known_domain(struct span label)
{
	char word[16] = " ";

	if (label.len < 2 || label.len > sizeof word - 3)
		return false;
	for (size_t i = 0; i < label.len; i++)
		word[i + 1] = small(label.at[i]);
	word[label.len + 1] = ' ';
	return strstr(DOMAINS, word) != NULL;
}

static bool has_prefix(struct span s, const char *small_prefix)
{
	const size_t n = strlen(small_prefix);

	if (s.len < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (small(s.at[i]) != small_prefix[i])
			return false;
	return true;
}

static bool is_ipv4(struct span s)
{
	unsigned value = 0, digits = 0, dots = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '.' && digits > 0) {
			dots++;
			value = digits = 0;
		} else if (is_digit(s.at[i]) && digits < 3) {
			value = value * 10 + (unsigned)(s.at[i] - '0');
			digits++;
		} else {
			return false;
		}
		if (value > 255)
			return false;
	}
	return dots == 3 && digits > 0;
}

/* Labels with dots between, two at least; *ret_last is the last one, which has letters. */
static bool is_dotted(struct span s, struct span *ret_last)
{
	size_t from = 0, labels = 0;

	for (size_t i = 0; i <= s.len; i++) {
		if (i < s.len && s.at[i] != '.') {
			if (!is_alnum(s.at[i]) && s.at[i] != '-')
				return false;
			continue;
		}
		if (i == from || i - from > 63)
			return false;
		*ret_last = span_bytes(s.at + from, i - from);
		labels++;
		from = i + 1;
	}
	return labels > 1 && ret_last->len > 1 && is_letter(ret_last->at[0]);
}

/* sure: something else says that it is one. */
static bool is_host(struct span s, bool sure)
{
	struct span last = { .at = NULL };

	if (is_ipv4(s))
		return true;
	return s.len <= 253 && is_dotted(s, &last) &&
	       (sure || is_known_domain(last) || has_prefix(last, "xn--") || has_prefix(s, "www."));
}

/* IBANs, and what is like them: addresses of purses, keys. */
static bool is_account(struct span s)
{
	size_t digits = 0, letters = 0;

	if (s.len < 12 || s.len > 128)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_alnum(s.at[i]))
			return false;
		digits += is_digit(s.at[i]);
		letters += is_letter(s.at[i]);
	}
	if (is_letter(s.at[0]) && is_letter(s.at[1]) && is_digit(s.at[2]) && is_digit(s.at[3]) && s.len <= 34)
		return digits >= 6;
	return s.len >= 20 && digits >= 4 && letters > 0;
}

void address_begin(struct address_search *s, const char *text, size_t n)
{
	*s = (struct address_search){ .text = text, .n = n };
}

static char at(const struct address_search *s, size_t i)
{
	return i < s->n ? s->text[i] : 0;
}

static size_t run(const struct address_search *s, size_t i, bool (*is)(char c))
{
	while (i < s->n && is(s->text[i]))
		i++;
	return i;
}

static size_t word_end(const struct address_search *s, size_t i)
{
	while (i < s->n && !is_gap(s->text[i]))
		i++;
	return i;
}

static bool found(struct address *ret, enum address_kind kind, struct span where)
{
	*ret = (struct address){ .kind = kind, .at = where };
	return true;
}

static struct span between(const struct address_search *s, size_t from, size_t to)
{
	return span_bytes(s->text + from, to - from);
}

/* The atom from..to has "://" behind it. */
static bool take_scheme(struct address_search *s, size_t from, size_t to, struct address *ret)
{
	size_t begin = to;

	while (begin > from && (is_alnum(s->text[begin - 1]) || s->text[begin - 1] == '+'))
		begin--;
	s->word = word_end(s, to);
	return s->word > to + 3 && found(ret, ADDRESS_URL, between(s, begin, s->word));
}

/* It has an '@' behind it. */
static bool take_mail(struct address_search *s, size_t from, size_t to, struct address *ret)
{
	const size_t end = run(s, to + 1, is_atom);
	const struct span domain = trim(between(s, to + 1, end));
	struct span last;

	while (from < to && !is_alnum(s->text[from]))
		from++;
	s->word = to + 1;
	if (from == to || domain.len == 0 || !is_dotted(domain, &last))
		return false;
	s->word = end;
	return found(ret, ADDRESS_MAIL,
		     span_bytes(s->text + from, (size_t)(domain.at + domain.len - (s->text + from))));
}

static bool take_host(struct address_search *s, struct span name, size_t to, struct address *ret)
{
	const char next = at(s, to);
	const bool goes_on = next != 0 && (strchr("/?#", next) != NULL || (next == ':' && is_digit(at(s, to + 1))));

	if (!is_host(name, false))
		return false;
	s->word = goes_on ? word_end(s, to) : to;
	return found(ret, ADDRESS_URL, span_bytes(name.at, goes_on ? (size_t)(s->text + s->word - name.at) : name.len));
}

/* From a '/', "~/" or an atom with a '/' behind it. Absolute ones have two parts, others a file's ending. */
static bool take_path(struct address_search *s, size_t from, struct address *ret)
{
	const size_t end = run(s, from, is_path);
	struct span p = between(s, from, end);
	size_t slashes = 0, last = 0;
	bool dot = false;

	s->no_path = end;
	if (has_prefix(p, "//"))
		return false; /* a host follows */
	while (p.len > 0 && is_loose(p.at[p.len - 1]))
		p.len--;
	for (size_t i = 0; i < p.len; i++) {
		slashes += p.at[i] == '/';
		last = p.at[i] == '/' ? i : last;
	}
	for (size_t i = last + 2; i + 1 < p.len; i++)
		dot = dot || (p.at[i] == '.' && is_letter(p.at[i + 1]));
	if (slashes == 0 || (p.at[0] == '/' ? slashes < 2 && !dot : p.at[0] != '~' && !has_prefix(p, "../") && !dot))
		return false;
	s->word = end;
	return found(ret, ADDRESS_PATH, p);
}

/* An atom that begins here. */
static bool take_atom(struct address_search *s, struct address *ret)
{
	const size_t from = s->word, to = run(s, from, is_atom);
	const struct span name = trim(between(s, from, to));

	if (s->n - to >= 3 && memcmp(s->text + to, "://", 3) == 0)
		return take_scheme(s, from, to, ret);
	if (at(s, to) == '@')
		return take_mail(s, from, to, ret);
	if (name.len > 0 && take_host(s, name, to, ret))
		return true;
	s->word = to;
	if (at(s, to) == '/' && from >= s->no_path && take_path(s, from, ret))
		return true;
	return is_account(name) && found(ret, ADDRESS_NUMBER, name);
}

static bool next_word(struct address_search *s, struct address *ret)
{
	while (s->word < s->n) {
		const char c = s->text[s->word], next = at(s, s->word + 1);

		if (is_atom(c)) {
			if (take_atom(s, ret))
				return true;
		} else if ((c == '/' || (c == '~' && next == '/')) && s->word >= s->no_path &&
			   take_path(s, s->word, ret)) {
			return true;
		} else {
			s->word += c == '\\' && next != 0 && strchr("nrt", next) != NULL ? 2 : 1;
		}
	}
	return false;
}

#define NUMBER_DIGITS_MIN 9
#define NUMBER_DIGITS_MAX 19
#define IBAN_MIN 15
#define IBAN_MAX 34

/* A day, as 2024-05-19: no number. */
static bool is_day(const struct address_search *s, size_t from, size_t to)
{
	return to - from == 4 && (at(s, to) == '-' || at(s, to) == '/') && is_digit(at(s, to + 1)) &&
	       (s->text[from] == '1' || s->text[from] == '2');
}

/* Where the next group begins, if it is one of the same number; else `to`. */
static size_t next_group(const struct address_search *s, size_t to)
{
	size_t i = to;

	while (i < to + 2 && at(s, i) != 0 && strchr(" -.()", at(s, i)) != NULL)
		i++;
	return i > to && is_digit(at(s, i)) ? i : to;
}

/* Groups of digits: a telephone's, a card's. */
static bool take_groups(struct address_search *s, size_t from, struct address *ret)
{
	size_t digits = 0, groups = 0, to = from;

	for (size_t i = from;;) {
		const size_t end = run(s, i, is_digit);

		if (is_day(s, i, end) || (groups > 0 && end - i < 2) || digits + (end - i) > NUMBER_DIGITS_MAX) {
			s->number = groups == 0 || is_day(s, i, end) ? end : i;
			break;
		}
		digits += end - i;
		groups++;
		to = s->number = end;
		i = next_group(s, end);
		if (i == end)
			break;
	}
	return digits >= NUMBER_DIGITS_MIN && groups <= 6 && !is_letter(at(s, to)) &&
	       found(ret, ADDRESS_NUMBER, between(s, from, to));
}

static bool is_capital(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z');
}

/* DE89 3704 0044 0532 0130 00, from the D. */
static bool take_iban(struct address_search *s, size_t from, struct address *ret)
{
	size_t to = from, signs = 0, groups = 0;

	for (size_t i = from; i < s->n && groups < 9;) {
		const size_t end = run(s, i, is_capital);

		if (end == i || end - i > 4 || is_alnum(at(s, end)))
			break;
		signs += end - i;
		groups++;
		to = end;
		if (end - i < 4 || at(s, end) != ' ')
			break;
		i = end + 1;
	}
	if (groups < 4 || signs < IBAN_MIN || signs > IBAN_MAX)
		return false;
	s->number = to;
	return found(ret, ADDRESS_NUMBER, between(s, from, to));
}

static bool next_number(struct address_search *s, struct address *ret)
{
	while (s->number < s->n) {
		const size_t i = s->number;
		const bool inside = i > 0 && is_atom(s->text[i - 1]) && s->text[i - 1] != '+';

		s->number++;
		if (inside)
			continue;
		if (is_digit(s->text[i]) && take_groups(s, i, ret))
			return true;
		if (is_letter(s->text[i]) && is_letter(at(s, i + 1)) && is_digit(at(s, i + 2)) &&
		    is_digit(at(s, i + 3)) && take_iban(s, i, ret))
			return true;
	}
	return false;
}

bool address_next(struct address_search *s, struct address *ret)
{
	return next_word(s, ret) || next_number(s, ret);
}

enum address_kind address_whole(const char *text, size_t n)
{
	struct address_search s;
	struct address a;

	address_begin(&s, text, n);
	return address_next(&s, &a) && a.at.at == text && a.at.len == n ? a.kind : ADDRESS_NONE;
}

static struct span shown(const struct address *a)
{
	struct span s = a->at;

	if (a->kind == ADDRESS_URL) {
		for (size_t i = 0; i + 3 <= s.len && (is_alnum(s.at[i]) || strchr("+:/", s.at[i]) != NULL); i++)
			if (memcmp(s.at + i, "://", 3) == 0) {
				s = span_bytes(s.at + i + 3, s.len - i - 3);
				break;
			}
		if (has_prefix(s, "www."))
			s = span_bytes(s.at + 4, s.len - 4);
	}
	if (a->kind == ADDRESS_PATH && has_prefix(s, "./"))
		s = span_bytes(s.at + 2, s.len - 2);
	while (s.len > 1 && is_loose(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Where the port of an address stands if it goes without saying; else no length. */
static struct span plain_port(struct span s)
{
	for (size_t i = 0; i < s.len && strchr("/?#", s.at[i]) == NULL; i++)
		for (size_t p = 0; s.at[i] == ':' && p < 2; p++) {
			const char *port = p == 0 ? ":80" : ":443";
			const size_t n = strlen(port);

			if (s.len - i >= n && memcmp(s.at + i, port, n) == 0 &&
			    (s.len == i + n || !is_digit(s.at[i + n])))
				return span_bytes(s.at + i, n);
		}
	return span_bytes(s.at, 0);
}

size_t address_write(const struct address *a, char *ret, size_t size)
{
	const struct span s = shown(a), port = a->kind == ADDRESS_URL ? plain_port(s) : span_bytes(s.at, 0);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at + i >= port.at && s.at + i < port.at + port.len)
			continue;
		if (a->kind == ADDRESS_NUMBER && !is_alnum(s.at[i]))
			continue;
		if (n < size)
			ret[n] = small(s.at[i]);
		n++;
	}
	return n;
}

struct span address_place(enum address_kind kind, struct span form)
{
	size_t from = 0, to = form.len;

	switch (kind) {
	case ADDRESS_MAIL:
		for (size_t i = 0; i < form.len; i++)
			from = form.at[i] == '@' ? i + 1 : from;
		break;
	case ADDRESS_URL:
		for (to = 0; to < form.len && strchr("/?#", form.at[to]) == NULL; to++)
			from = form.at[to] == '@' ? to + 1 : from;
		break;
	case ADDRESS_PATH:
		for (size_t i = to = 0; i < form.len; i++)
			to = form.at[i] == '/' ? i : to;
		break;
	case ADDRESS_NONE:
	case ADDRESS_NUMBER: to = 0; break;
	}
	return span_bytes(form.at + from, to - from);
}
