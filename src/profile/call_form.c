#include "profile/call_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/num.h"
#include "base/span.h"
#include "base/text.h"

#define DOMAIN_SCOPE 64
#define HEX_MAX 16

static const char *const KINDS[ITEM_KINDS] = {
	[ITEM_TOOL] = "tool",       [ITEM_TOOL_UNSURE] = "tool-unsure",
	[ITEM_ADDRESS] = "address", [ITEM_INSIDE] = "inside",
	[ITEM_FETCH] = "fetch",     [ITEM_SITE] = "site",
	[ITEM_NAME] = "name",       [ITEM_WORDS] = "words",
	[ITEM_TITLE] = "title",     [ITEM_NUMBER] = "number",
	[ITEM_TIME] = "time",       [ITEM_SWITCH] = "switch",
	[ITEM_MORE] = "more",
};

const char *item_kind_word(unsigned kind)
{
	return kind < ITEM_KINDS ? KINDS[kind] : NULL;
}

/* ---- what there is ---- */

int call_profile_init(struct call_profile *p, const char *server, const uint8_t key[CALL_KEY_SIZE], struct err *e)
{
	memset(p, 0, sizeof *p);
	if (!text_copy(p->server, sizeof p->server, server))
		return err_set(e, AMBIT_LIMIT, NULL, "the name of a server that is too long");
	memcpy(p->key, key, sizeof p->key);
	return novelty_create(key, NOVELTY_ROWS, &p->novelty, e);
}

void call_profile_finish(struct call_profile *p)
{
	novelty_destroy(p->novelty);
	p->novelty = NULL;
}

struct scopes call_profile_scopes(const struct call_profile *p, const char *agent)
{
	const uint64_t server = call_hash(p->key, DOMAIN_SCOPE, 0, 0, p->server, strlen(p->server));

	return (struct scopes){ .n = 2,
				.hash = { call_hash(p->key, DOMAIN_SCOPE, server, 1, agent, strlen(agent)), server } };
}

void call_profile_note_agent(struct call_profile *p, const char *agent)
{
	for (size_t i = 0; i < p->n_agents; i++)
		if (strcmp(p->agents[i], agent) == 0)
			return;
	if (p->n_agents < CALL_AGENTS_MAX && text_copy(p->agents[p->n_agents], CALL_AGENT_MAX, agent))
		p->n_agents++;
}

static void note_text(char *ret, size_t size, const char *text)
{
	(void)text_escape(ret, size, text, strlen(text)); /* no tab is left in it */
}

void call_profile_note(struct call_profile *p, const char *tool, const struct item *item, uint32_t when)
{
	struct call_known *k = &p->known[p->next];

	for (size_t i = 0; i < p->n_known; i++)
		if (p->known[i].item == item->mark.item)
			return;
	*k = (struct call_known){ .item = item->mark.item, .when = when, .kind = item->mark.kind };
	note_text(k->tool, sizeof k->tool, tool);
	note_text(k->place, sizeof k->place, item->place);
	note_text(k->value, sizeof k->value, item->value);
	p->n_known += p->n_known < CALL_KNOWN_MAX;
	p->next = (p->next + 1) % CALL_KNOWN_MAX;
}

/* ---- writing ---- */

static int by_tag(const void *a, const void *b)
{
	const struct novelty_row *x = a, *y = b;

	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

static void write_rows(const struct novelty *n, struct buf *out)
{
	auto_free struct novelty_row *rows = calloc(NOVELTY_ROWS, sizeof *rows);
	size_t count = 0;

	if (rows == NULL) {
		out->failed = true;
		return;
	}
	for (uint32_t at = 0; novelty_next(n, &at, &rows[count]);)
		count++; /* three quarters at most are there */
	qsort(rows, count, sizeof *rows, by_tag);
	for (size_t i = 0; i < count; i++) {
		const struct novelty_row *r = &rows[i];

		buf_printf(out, "count %" PRIx64 " %u %u %u %u", r->tag, r->n, r->fresh, r->first, r->last);
		for (size_t k = 0; k < NOVELTY_SUPPORT_MAX; k++)
			buf_printf(out, " %u", r->principals[k]);
		buf_printf(out, "\n");
	}
}

static uint32_t runs_of(const struct call_profile *p)
{
	const struct scopes s = call_profile_scopes(p, ""), server = { .n = 1, .hash = { s.hash[1] } };

	return novelty_runs(p->novelty, &server);
}

void call_form_write(const struct call_profile *p, struct buf *out)
{
	buf_printf(out, CALL_FORM_HEAD "\nserver %s\nkey ", p->server);
	buf_put_hex(out, p->key, sizeof p->key);
	buf_printf(out, "\nruns %u\n", runs_of(p));
	for (size_t i = 0; i < p->n_agents; i++)
		buf_printf(out, "agent %s\n", p->agents[i]);
	for (size_t i = 0; i < p->n_known; i++) {
		const struct call_known *k =
			&p->known[p->n_known < CALL_KNOWN_MAX ? i : (p->next + i) % CALL_KNOWN_MAX];

		buf_printf(out, "known %" PRIx64 " %u %s\t%s\t%s\t%s\n", k->item, k->when, KINDS[k->kind], k->tool,
			   k->place, k->value);
	}
	write_rows(p->novelty, out);
	buf_printf(out, "end\n");
}

/* ---- reading ---- */

struct reader {
	struct call_profile *p;
	struct err *e;
	struct lines lines;
	struct span line; /* what is left of it */
};

static bool next(struct reader *r)
{
	return lines_next(&r->lines, &r->line);
}

/* Up to a blank, or the end of the line. */
static struct span word(struct reader *r)
{
	struct span ret = r->line;

	if (!span_until(&r->line, ' ', &ret))
		r->line = span_bytes(ret.at + ret.len, 0);
	return ret;
}

static bool take_hex(struct reader *r, uint64_t *ret)
{
	const struct span s = word(r);

	*ret = 0;
	for (size_t i = 0; i < s.len; i++) {
		const int digit = hex_digit(s.at[i]);

		if (digit < 0)
			return false;
		*ret = *ret << 4 | (uint64_t)digit;
	}
	return s.len > 0 && s.len <= HEX_MAX;
}

static bool take_u32(struct reader *r, uint32_t *ret)
{
	uint64_t v;
	const bool good = span_decimal(word(r), UINT32_MAX, &v);

	*ret = good ? (uint32_t)v : 0;
	return good;
}

static bool take_text(struct span s, char *ret, size_t size)
{
	if (s.len >= size || !text_is_plain(s.at, s.len) || memchr(s.at, '\t', s.len) != NULL)
		return false;
	memcpy(ret, s.at, s.len);
	ret[s.len] = 0;
	return true;
}

static bool take_known(struct reader *r)
{
	struct call_profile *p = r->p;
	struct call_known *k = &p->known[p->n_known];
	struct span kind, tool, place;

	if (p->n_known == CALL_KNOWN_MAX || !take_hex(r, &k->item) || !take_u32(r, &k->when) ||
	    !span_until(&r->line, '\t', &kind) || !span_until(&r->line, '\t', &tool) ||
	    !span_until(&r->line, '\t', &place) || !take_text(tool, k->tool, sizeof k->tool) ||
	    !take_text(place, k->place, sizeof k->place) || !take_text(r->line, k->value, sizeof k->value))
		return false;
	for (k->kind = 0; k->kind < ITEM_KINDS; k->kind++)
		if (span_equal(kind, span_of(KINDS[k->kind])))
			break;
	p->n_known += k->kind < ITEM_KINDS;
	p->next = p->n_known % CALL_KNOWN_MAX;
	return k->kind < ITEM_KINDS;
}

static bool take_count(struct reader *r)
{
	struct novelty_row row;
	bool good = take_hex(r, &row.tag) && take_u32(r, &row.n) && take_u32(r, &row.fresh) &&
		    take_u32(r, &row.first) && take_u32(r, &row.last);

	for (size_t i = 0; i < NOVELTY_SUPPORT_MAX; i++)
		good = good && take_u32(r, &row.principals[i]);
	return good && r->line.len == 0 && novelty_add(r->p->novelty, &row) == 0;
}

static bool take_agent(struct reader *r)
{
	struct call_profile *p = r->p;

	if (p->n_agents == CALL_AGENTS_MAX || memchr(r->line.at, ' ', r->line.len) != NULL ||
	    !take_text(r->line, p->agents[p->n_agents], CALL_AGENT_MAX))
		return false;
	p->n_agents++;
	return true;
}

static int bad(struct reader *r, const char *what)
{
	return err_set(r->e, AMBIT_MALFORMED, "a profile of calls is what `ambit profile export` writes",
		       "line %zu: %s", r->lines.number, what);
}

static int read_head(struct reader *r, char server[CALL_SERVER_MAX], uint8_t key[CALL_KEY_SIZE], uint32_t *ret_runs)
{
	uint64_t half[2];

	if (!next(r) || !span_equal(r->line, span_of(CALL_FORM_HEAD)))
		return bad(r, "it does not begin with \"" CALL_FORM_HEAD "\"");
	if (!next(r) || !span_skip(&r->line, "server ") || !take_text(r->line, server, CALL_SERVER_MAX))
		return bad(r, "no server");
	if (!next(r) || !span_skip(&r->line, "key ") || r->line.len != (size_t)2 * CALL_KEY_SIZE)
		return bad(r, "no key");
	for (size_t i = 0; i < CALL_KEY_SIZE; i++) {
		half[0] = (uint64_t)hex_digit(r->line.at[2 * i]);
		half[1] = (uint64_t)hex_digit(r->line.at[2 * i + 1]);
		if (half[0] > 15 || half[1] > 15)
			return bad(r, "a key that is none");
		key[i] = (uint8_t)(half[0] << 4 | half[1]);
	}
	if (!next(r) || !span_skip(&r->line, "runs ") || !take_u32(r, ret_runs))
		return bad(r, "no runs");
	return 0;
}

bool call_form_head(const char *text, size_t n, char ret_server[CALL_SERVER_MAX], uint32_t *ret_runs)
{
	struct reader r = { .lines = { .left = span_bytes(text, n) } };
	uint8_t key[CALL_KEY_SIZE];

	return read_head(&r, ret_server, key, ret_runs) == 0;
}

static int read_lines(struct reader *r)
{
	static const struct {
		const char *word;
		bool (*take)(struct reader *r);
	} kinds[] = { { "agent ", take_agent }, { "known ", take_known }, { "count ", take_count } };

	while (next(r)) {
		bool good = false;

		if (span_equal(r->line, span_of("end")))
			return 0;
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
			if (span_skip(&r->line, kinds[i].word)) {
				good = kinds[i].take(r);
				break;
			}
		if (!good)
			return bad(r, "it is not what stands there in a profile of calls");
	}
	return bad(r, "it has no end");
}

/* What was read has one form: an order, numbers without zeroes before them, and nothing behind the end. */
static int check_form(const struct call_profile *p, const char *text, size_t n, struct err *e)
{
	auto_buf again = { .max = CALL_FORM_BYTES_MAX };
	size_t line = 1;

	call_form_write(p, &again);
	if (again.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile of calls");
	if (again.len == n && memcmp(again.data, text, n) == 0)
		return 0;
	for (size_t i = 0; i < n && i < again.len && again.data[i] == (uint8_t)text[i]; i++)
		line += text[i] == '\n';
	return err_set(e, AMBIT_MALFORMED, "a profile of calls is what `ambit profile export` writes",
		       "line %zu: it is not written as a profile of calls has it", line);
}

int call_form_read(const char *text, size_t n, struct call_profile *ret, struct err *e)
{
	struct reader r = { .p = ret, .e = e, .lines = { .left = span_bytes(text, n) } };
	char server[CALL_SERVER_MAX];
	uint8_t key[CALL_KEY_SIZE];
	uint32_t runs; /* the counters say it, too */
	int rc;

	ret->novelty = NULL;
	if (n > CALL_FORM_BYTES_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "a profile of calls of more than %u bytes", CALL_FORM_BYTES_MAX);
	rc = read_head(&r, server, key, &runs);
	rc = rc < 0 ? rc : call_profile_init(ret, server, key, e);
	rc = rc < 0 ? rc : read_lines(&r);
	rc = rc < 0 ? rc : check_form(ret, text, n, e);
	if (rc < 0)
		call_profile_finish(ret);
	return rc;
}

bool call_form_is(const char *text, size_t n)
{
	return n >= strlen(CALL_FORM_HEAD) && memcmp(text, CALL_FORM_HEAD, strlen(CALL_FORM_HEAD)) == 0;
}

/* ---- for a person ---- */

static uint32_t runs_by(const struct call_profile *p, const char *agent)
{
	const struct scopes s = call_profile_scopes(p, agent);

	return novelty_runs(p->novelty, &s);
}

static void put_known(struct json *j, const struct call_known *k)
{
	json_put_object(j);
	json_put_name(json_put_key(j, "tool"), k->tool);
	json_put_word(json_put_key(j, "kind"), KINDS[k->kind]);
	json_put_name(json_put_key(j, "place"), k->place[0] != 0 ? k->place : NULL);
	json_put_name(json_put_key(j, "value"), k->value[0] != 0 ? k->value : NULL);
	json_put_object_end(j);
}

void call_form_json(const struct call_profile *p, struct buf *out)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_name(json_put_key(&j, "server"), p->server);
	json_put_array(json_put_key(&j, "agents"));
	for (size_t i = 0; i < p->n_agents; i++) {
		json_put_object(&j);
		json_put_name(json_put_key(&j, "agent"), p->agents[i][0] != 0 ? p->agents[i] : NULL);
		json_put_count(json_put_key(&j, "runs"), runs_by(p, p->agents[i]));
		json_put_object_end(&j);
	}
	json_put_array_end(&j);
	json_put_array(json_put_key(&j, "learned"));
	for (size_t i = 0; i < p->n_known; i++)
		put_known(&j, &p->known[i]);
	json_put_array_end(&j);
	json_put_object_end(&j);
	buf_put_u8(out, '\n');
}

void call_form_show(const struct call_profile *p, struct buf *out)
{
	buf_printf(out, "calls of the server %s\n\n", p->server);
	for (size_t i = 0; i < p->n_agents; i++) {
		const uint32_t runs = runs_by(p, p->agents[i]);

		buf_printf(out, "%s: %u run%s%s\n", p->agents[i][0] != 0 ? p->agents[i] : "no agent", runs,
			   text_plural(runs), runs < NOVELTY_YOUNG ? ", which is young" : "");
	}
	buf_printf(out, "\n%s\n",
		   p->n_known == 0                ? "nothing was learned yet"
		   : p->n_known == CALL_KNOWN_MAX ? "learned last, and there is more:"
						  : "learned:");
	for (size_t i = 0; i < p->n_known; i++) {
		const struct call_known *k = &p->known[i];

		if (k->kind <= ITEM_TOOL_UNSURE)
			buf_printf(out, "  %s\n", k->tool);
		else
			buf_printf(out, "  %s %s: %s\n", k->tool, k->place, k->value);
	}
	if (novelty_is_full(p->novelty))
		buf_printf(out, "\nit is full: nothing more is learned\n");
}
