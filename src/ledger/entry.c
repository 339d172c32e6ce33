#include "ledger/entry.h"

#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"

_Static_assert(
	sizeof "{\"body\":,\"boot\":\"00000000-0000-0000-0000-000000000000\",\"event\":\"e_00000000000000000000000000\","
	       "\"grant\":\"g_00000000000000000000000000\",\"seq\":9007199254740991,\"t_mono\":9007199254740991,"
	       "\"t_wall\":\"9999-12-31T23:59:59.999Z\",\"type\":\"declassify\",\"v\":1}" -
			1 ==
		ENTRY_FRAME_MAX,
	"the longest frame");

/* ---- types ---- */

enum need { NEED_NO, NEED_MAY, NEED_MUST };

static const struct type_row {
	const char *word;
	size_t n;
	enum need event, grant;
} type_rows[] = {
#define TYPE_ROW(name, text, of_event, of_grant)                                                                       \
	[ENTRY_##name] = { .word = (text), .n = sizeof(text) - 1, .event = NEED_##of_event, .grant = NEED_##of_grant },
	ENTRY_TYPES(TYPE_ROW)
#undef TYPE_ROW
};

const char *entry_type_word(enum entry_type type)
{
	return (unsigned)type < ENTRY_TYPE_COUNT ? type_rows[type].word : NULL;
}

bool entry_type_of(const void *word, size_t n, enum entry_type *ret)
{
	for (enum entry_type t = 0; t < ENTRY_TYPE_COUNT; t++)
		if (type_rows[t].n == n && memcmp(type_rows[t].word, word, n) == 0) {
			*ret = t;
			return true;
		}
	return false;
}

/* ---- taking ---- */

/* What stands between the quotes of a string; nothing that is taken by this needs an escape. False: it is none. */
static bool within_quotes(struct canonical_value v, struct canonical_value *ret)
{
	if (v.n < 2 || v.at[0] != '"' || v.at[v.n - 1] != '"')
		return false;
	*ret = (struct canonical_value){ .at = v.at + 1, .n = v.n - 2 };
	return true;
}

static bool take_body(struct canonical_value v, struct entry *ret)
{
	ret->body = v;
	return v.at[0] == '{';
}

static bool take_boot(struct canonical_value v, struct entry *ret)
{
	static const char form[] = "00000000-0000-0000-0000-000000000000";
	struct canonical_value text;

	if (!within_quotes(v, &text) || text.n != ENTRY_BOOT_LEN)
		return false;
	for (size_t i = 0; i < ENTRY_BOOT_LEN; i++) {
		const uint8_t c = text.at[i];
		const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

		if (form[i] == '-' ? c != '-' : !is_hex)
			return false;
	}
	memcpy(ret->boot, text.at, ENTRY_BOOT_LEN);
	ret->boot[ENTRY_BOOT_LEN] = 0;
	return true;
}

static bool id_or_null(struct canonical_value v, char prefix, char ret[ID_TEXT_MAX])
{
	struct canonical_value text;

	ret[0] = 0;
	if (canonical_is(v, "null"))
		return true;
	if (!within_quotes(v, &text) || !id_is(prefix, text.at, text.n))
		return false;
	memcpy(ret, text.at, ID_LEN);
	ret[ID_LEN] = 0;
	return true;
}

static bool take_event(struct canonical_value v, struct entry *ret)
{
	return id_or_null(v, 'e', ret->event);
}

static bool take_grant(struct canonical_value v, struct entry *ret)
{
	return id_or_null(v, 'g', ret->grant);
}

static bool take_seq(struct canonical_value v, struct entry *ret)
{
	return canonical_count(v, &ret->seq);
}

static bool take_mono(struct canonical_value v, struct entry *ret)
{
	return canonical_count(v, &ret->mono_us);
}

static bool take_wall(struct canonical_value v, struct entry *ret)
{
	struct canonical_value text;

	return within_quotes(v, &text) && timestamp_read(text.at, text.n, &ret->wall_ms);
}

static bool take_type(struct canonical_value v, struct entry *ret)
{
	struct canonical_value text;

	return within_quotes(v, &text) && entry_type_of(text.at, text.n, &ret->type);
}

static bool take_version(struct canonical_value v, struct entry *ret)
{
	(void)ret;
	return canonical_is(v, "1");
}

enum field { BODY, BOOT, EVENT, GRANT, SEQ, MONO, WALL, TYPE, VERSION, FIELD_COUNT };

/* In the order of the keys. */
static const struct field_row {
	const char *lead; /* what stands before the value */
	bool (*take)(struct canonical_value v, struct entry *ret);
	const char *wrong;
} field_rows[FIELD_COUNT] = {
	[BODY] = { "{\"body\":", take_body, "the body is not an object" },
	[BOOT] = { ",\"boot\":", take_boot, "the boot is not a UUID in lower case" },
	[EVENT] = { ",\"event\":", take_event, "the event is neither null nor an id (e_ and 26 characters)" },
	[GRANT] = { ",\"grant\":", take_grant, "the grant is neither null nor an id (g_ and 26 characters)" },
	[SEQ] = { ",\"seq\":", take_seq, "seq is not a count up to 2^53 - 1" },
	[MONO] = { ",\"t_mono\":", take_mono, "t_mono is not a count up to 2^53 - 1" },
	[WALL] = { ",\"t_wall\":", take_wall, "t_wall is not a time in UTC with milliseconds" },
	[TYPE] = { ",\"type\":", take_type, "the type is not one of version 1" },
	[VERSION] = { ",\"v\":", take_version, "the version is not 1" },
};

struct taking {
	const uint8_t *bytes;
	size_t n, at;
	size_t value_at[FIELD_COUNT];
	struct entry entry;
	struct err *e;
};

static int wrong(const struct taking *t, enum ambit_code code, size_t at, const char *what)
{
	return err_set(t->e, code, NULL, "entry, byte %zu: %s", at, what);
}

static int take_lead(struct taking *t, const char *lead)
{
	const size_t n = strlen(lead), left = t->n - t->at;
	size_t same = 0;

	while (same < n && same < left && t->bytes[t->at + same] == (uint8_t)lead[same])
		same++;
	if (same < n)
		return err_set(t->e, AMBIT_MALFORMED, NULL, "entry, byte %zu: %s must stand here", t->at + (same > 0),
			       lead + (same > 0));
	t->at += n;
	return 0;
}

/* Where the value ends that begins here. Only the body can hold a comma or a bracket. */
static int find_end(const struct taking *t, enum field f, size_t *ret)
{
	struct canonical_flaw flaw;
	size_t end = t->at;
	int rc;

	if (f == BODY) {
		rc = canonical_scan(t->bytes, t->n, t->at, ENTRY_BODY_LEVELS, ret, &flaw);
		return rc < 0 ? wrong(t, (enum ambit_code) - rc, flaw.at, flaw.why) : 0;
	}
	while (end < t->n && t->bytes[end] != ',' && t->bytes[end] != '}')
		end++;
	*ret = end;
	return 0;
}

static int take_field(struct taking *t, enum field f)
{
	const struct field_row *row = &field_rows[f];
	size_t end = 0;
	int rc = take_lead(t, row->lead);

	if (rc < 0)
		return rc;
	rc = find_end(t, f, &end);
	if (rc < 0)
		return rc;
	if (!row->take((struct canonical_value){ .at = t->bytes + t->at, .n = end - t->at }, &t->entry))
		return wrong(t, AMBIT_MALFORMED, t->at, row->wrong);
	t->value_at[f] = t->at;
	t->at = end;
	return 0;
}

static int check_need(const struct taking *t, enum field f, enum need need, const char *id)
{
	if (need == NEED_MAY || (need == NEED_MUST) == (id[0] != 0))
		return 0;
	return err_set(t->e, AMBIT_MALFORMED, NULL, "entry, byte %zu: an entry of type %s %s %s", t->value_at[f],
		       entry_type_word(t->entry.type), need == NEED_MUST ? "must name its" : "has no",
		       f == EVENT ? "event" : "grant");
}

static int take_all(struct taking *t)
{
	const struct type_row *type;
	int rc = 0;

	if (t->n > ENTRY_MAX)
		return wrong(t, AMBIT_LIMIT, ENTRY_MAX, "longer than 65,535 bytes");
	for (enum field f = 0; f < FIELD_COUNT && rc == 0; f++)
		rc = take_field(t, f);
	if (rc == 0)
		rc = take_lead(t, "}");
	if (rc < 0)
		return rc;
	if (t->at < t->n)
		return wrong(t, AMBIT_MALFORMED, t->at, "something after the entry");
	type = &type_rows[t->entry.type];
	rc = check_need(t, EVENT, type->event, t->entry.event);
	return rc < 0 ? rc : check_need(t, GRANT, type->grant, t->entry.grant);
}

int entry_take(const void *bytes, size_t n, struct entry *ret, struct err *e)
{
	struct taking t = { .bytes = bytes, .n = n, .e = e };
	const int rc = take_all(&t);

	if (rc == 0)
		*ret = t.entry;
	return rc;
}

/* ---- putting ---- */

static int check_body(struct canonical_value body, struct err *e)
{
	struct canonical_flaw flaw;
	size_t end = 0;
	int rc;

	if (body.n > ENTRY_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "the body of an entry: %zu bytes, of an entry's 65,535", body.n);
	rc = canonical_scan(body.at, body.n, 0, ENTRY_BODY_LEVELS, &end, &flaw);
	if (rc == 0 && end < body.n) {
		rc = -AMBIT_MALFORMED;
		flaw = (struct canonical_flaw){ .at = end, .why = "something after the value" };
	}
	if (rc < 0)
		return err_set(e, (enum ambit_code) - rc, NULL, "the body of an entry, byte %zu: %s", flaw.at,
			       flaw.why);
	if (body.at[0] != '{')
		return err_set(e, AMBIT_MALFORMED, NULL, "the body of an entry, byte 0: not an object");
	return 0;
}

static void id_put(struct json *j, const char *key, const char *id)
{
	json_put_word(json_put_key(j, key), id[0] != 0 ? id : NULL);
}

static void compose(const struct entry *entry, struct buf *out)
{
	char wall[TIMESTAMP_LEN + 1];
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_made(json_put_key(&j, "body"), entry->body.at, entry->body.n);
	json_put_word(json_put_key(&j, "boot"), entry->boot);
	id_put(&j, "event", entry->event);
	id_put(&j, "grant", entry->grant);
	json_put_count(json_put_key(&j, "seq"), entry->seq);
	json_put_count(json_put_key(&j, "t_mono"), entry->mono_us);
	json_put_word(json_put_key(&j, "t_wall"), timestamp_write(entry->wall_ms, wall) ? wall : NULL);
	json_put_word(json_put_key(&j, "type"), entry_type_word(entry->type));
	json_put_count(json_put_key(&j, "v"), ENTRY_VERSION);
	json_put_object_end(&j);
}

int entry_put(const struct entry *entry, struct buf *out, struct err *e)
{
	const size_t before = out->len;
	struct entry same;
	int rc = check_body(entry->body, e);

	if (rc < 0)
		return rc;
	if (out->failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no room for an entry of the ledger");
	if (entry->seq > CANONICAL_COUNT_MAX || entry->mono_us > CANONICAL_COUNT_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "entry: a count beyond 2^53 - 1");
	compose(entry, out);
	if (out->failed)
		rc = err_set(e, AMBIT_MEMORY, NULL, "no room for an entry of the ledger");
	else
		rc = entry_take(out->data + before, out->len - before, &same, e); /* what it would not take is none */
	if (rc < 0) {
		out->len = before;
		out->failed = false;
	}
	return rc;
}
