#include "audit/steps.h"

#include <stdlib.h>
#include <string.h>

#include "approve/sshsig.h"
#include "audit/body.h"
#include "authority/told.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"

#define HISTORY_MAX (8u << 20) /* bytes of requests */
#define AGAIN_MAX                                                                                                      \
	4000000 /* steps that are made to go back: a death costs as many as there were, and a log of nothing else is somebody's */
#define REALM_BYTES STATEMENT_REALM_BYTES
#define REALM_HEX ((size_t)2 * REALM_BYTES)
#define REQUEST_TEXT_MAX (48u << 10)

/* Less than the keeper has: it is memory of a role that is to stay small. */
static const struct authority_size size = {
	.badges = 4096,
	.grants = 32768,
	.asks = 1024,
	.keys = 8192,
	.passes = 1024,
	.marks = 2048,
	.agents = 256,
	.origins = 1, /* nobody asks here where labels came from */
	.text = 4u << 20,
};

struct realm {
	char name[REALM_HEX + 1]; /* ""; free */
	uint8_t bytes[REALM_BYTES];
	struct authority *a;        /* in room */
	void *room;                 /* owned */
	struct buf history;         /* requests that count: u32 length, bytes; from step 1 on */
	uint64_t last;              /* the step that was made last */
	uint64_t again;             /* steps that were made to go back */
	enum steps_answer given_up; /* STEPS_LOST, STEPS_CROWD; else STEPS_NOT */
	unsigned n_labels;
	char labels[AUTHORITY_LABELS_MAX][AUTHORITY_NAME_MAX]; /* by bit; "": not known yet */
};

struct steps {
	struct realm realms[STEPS_REALMS];
	char texts[AUTHORITY_TEXTS_MAX];
	char request[REQUEST_TEXT_MAX];
	struct keeper_signed by;
};

/* ---- the states ---- */

struct steps *steps_create(void)
{
	return calloc(1, sizeof(struct steps));
}

void steps_free(struct steps *s)
{
	for (size_t i = 0; s != NULL && i < STEPS_REALMS; i++) {
		free(s->realms[i].room);
		buf_finish(&s->realms[i].history);
	}
	free(s);
}

static bool begin(struct realm *r)
{
	free(r->room);
	r->a = NULL;
	r->room = calloc(1, authority_bytes(&size));
	if (r->room == NULL)
		return false;
	r->a = authority_init(r->room, &size);
	r->last = 0;
	return true;
}

static bool take_hex(const char *text, size_t n, uint8_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		const int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		ret[i] = (uint8_t)(high * 16 + low);
	}
	return text[2 * n] == 0;
}

/* NULL: there are too many, or no memory (*ret says which). */
static struct realm *find_realm(struct steps *s, const char *name, const uint8_t bytes[REALM_BYTES],
				enum steps_answer *ret)
{
	struct realm *r = s->realms;

	while (r < s->realms + STEPS_REALMS && r->name[0] != 0 && strcmp(r->name, name) != 0)
		r++;
	*ret = STEPS_CROWD;
	if (r == s->realms + STEPS_REALMS)
		return NULL;
	if (r->name[0] != 0)
		return r;
	*ret = STEPS_NO_MEMORY;
	if (!begin(r))
		return NULL;
	(void)text_copy(r->name, sizeof r->name, name); /* of its length */
	memcpy(r->bytes, bytes, REALM_BYTES);
	buf_init(&r->history, HISTORY_MAX);
	(void)text_copy(r->labels[0], sizeof r->labels[0], "private"); /* LABEL_PRIVATE, LABEL_UNTRUSTED */
	(void)text_copy(r->labels[1], sizeof r->labels[1], "untrusted");
	r->n_labels = 2;
	return r;
}

/* The state after step n, n below r->last: those behind it did not happen. */
static bool go_back(struct steps *s, struct realm *r, uint64_t n)
{
	struct authority_answer answer;
	struct authority_request q;
	struct rbuf in, request;
	size_t kept = 0;

	if (!begin(r))
		return false;
	rbuf_init(&in, r->history.data, r->history.len);
	while (r->last < n) {
		const uint32_t length = rbuf_u32(&in);

		rbuf_init(&request, rbuf_bytes(&in, length), length);
		(void)authority_take_request(&request, &q, s->texts); /* it was taken before */
		authority_step(r->a, &q, &answer);
		r->last++;
		kept += 4 + (size_t)length;
	}
	r->history.len = kept;
	return true;
}

/* ---- labels, of which an entry has the names ---- */

static void learn(struct realm *r, uint64_t labels, struct canonical_value names)
{
	struct canonical_value name;
	size_t at = 0;

	for (unsigned bit = 0; bit < AUTHORITY_LABELS_MAX; bit++) {
		if ((labels & UINT64_C(1) << bit) == 0)
			continue;
		if (!canonical_item(names, &at, &name))
			return;
		if (r->labels[bit][0] == 0)
			(void)canonical_string(name, r->labels[bit], sizeof r->labels[bit]);
		r->n_labels = bit >= r->n_labels ? bit + 1 : r->n_labels;
	}
}

static void learn_all(struct realm *r, const struct authority_request *q, struct canonical_value body)
{
	struct canonical_value list, item;
	size_t at = 0;

	if (canonical_find(body, "labels", &list))
		learn(r, q->labels, list);
	if (!canonical_find(body, "unless", &list))
		return;
	for (unsigned i = 0; i < q->n_unless && canonical_item(list, &at, &item); i++)
		learn(r, q->unless[i], item);
}

/* ---- a person's answer ---- */

static bool find_string(struct canonical_value body, const char *key, char *ret, size_t n)
{
	struct canonical_value v;

	return canonical_find(body, key, &v) && canonical_string(v, ret, n);
}

static bool says_this(const struct realm *r, const struct statement *said, const struct authority_request *q,
		      const char *approval)
{
	auto_buf is = { .max = 1024 }, was = { .max = 1024 };
	struct authority_request asked;

	told_answer(said, q->ask, &asked);
	asked.now_ms = q->now_ms;
	asked.passed_ms = q->passed_ms;
	authority_put_request(&is, q);
	authority_put_request(&was, &asked);
	return memcmp(said->realm, r->bytes, REALM_BYTES) == 0 && strcmp(said->approval, approval) == 0 && !is.failed &&
	       !was.failed && is.len == was.len && memcmp(is.data, was.data, is.len) == 0;
}

/* NULL: it is theirs who has the key, and says what was done. */
static const char *check_answer(struct steps *s, const struct realm *r, const struct authority_request *q,
				const char *approval, struct canonical_value body, uint8_t ret_key[APPROVE_KEY_BYTES])
{
	char text[BASE64_LEN(APPROVE_SIGNATURE_MAX) + 1], hex[2 * APPROVE_KEY_BYTES + 1];
	auto_buf signature = { .max = APPROVE_SIGNATURE_MAX };
	struct statement said;
	struct sshsig sig;
	struct span span;

	if (!find_string(body, "statement", s->by.statement, sizeof s->by.statement) ||
	    !find_string(body, "signer", s->by.key, sizeof s->by.key) ||
	    !find_string(body, "signature", text, sizeof text) || !find_string(body, "signed_with", hex, sizeof hex) ||
	    !take_hex(hex, APPROVE_KEY_BYTES, ret_key) || !base64_take(&signature, text, strlen(text)) ||
	    signature.len == 0)
		return "nobody signed the answer";
	memcpy(s->by.signature.bytes, signature.data, signature.len);
	s->by.signature.n = (uint32_t)signature.len;
	span = (struct span){ .at = s->by.statement, .len = strlen(s->by.statement) };
	if (sshsig_take((struct span){ .at = (const char *)signature.data, .len = signature.len }, SSHSIG_APPROVAL,
			&sig, NULL) < 0 ||
	    memcmp(sig.key, ret_key, APPROVE_KEY_BYTES) != 0 || sshsig_check(&sig, SSHSIG_APPROVAL, span, NULL) < 0)
		return "the key that it names did not sign the answer";
	if (statement_take(span, &said, NULL) < 0 || !says_this(r, &said, q, approval))
		return "what was signed is another answer";
	return NULL;
}

/* ---- an entry ---- */

static const char *compare(const struct entry *entry, const struct told *t)
{
	static char key[64];
	auto_buf body = { .max = ENTRY_BODY_MAX };
	struct canonical_value is, was, is_key, was_key;
	char grant[ID_TEXT_MAX];
	enum entry_type type;
	size_t is_at = 0, was_at = 0;

	told_entry(&body, t, &type, grant);
	if (body.failed)
		return "it is too long";
	if (type != entry->type)
		return "type";
	if (strcmp(grant, entry->grant) != 0)
		return "grant";
	if (body.len == entry->body.n && memcmp(body.data, entry->body.at, body.len) == 0)
		return NULL;
	while (canonical_member(entry->body, &was_at, &was_key, &was) &&
	       canonical_member((struct canonical_value){ .at = body.data, .n = body.len }, &is_at, &is_key, &is) &&
	       was_key.n == is_key.n && memcmp(was_key.at, is_key.at, is_key.n) == 0 && was.n == is.n &&
	       memcmp(was.at, is.at, is.n) == 0)
		;
	return canonical_string(was_key, key, sizeof key) ? key : "body";
}

static bool take_request(struct steps *s, struct canonical_value body, struct buf *bytes, struct authority_request *ret)
{
	struct rbuf in;

	if (!find_string(body, "request", s->request, sizeof s->request) ||
	    !base64_take(bytes, s->request, strlen(s->request)))
		return false;
	rbuf_init(&in, bytes->data, bytes->len);
	return authority_take_request(&in, ret, s->texts) && rbuf_done(&in);
}

static enum steps_answer make(struct steps *s, struct realm *r, const struct entry *entry, uint64_t step,
			      const char **ret_why)
{
	auto_buf bytes = { .max = REQUEST_TEXT_MAX };
	uint8_t key[APPROVE_KEY_BYTES];
	struct authority_request q;
	struct authority_answer answer;
	struct authority_closed closed;
	struct told_names names;
	struct told t = { .step = step, .q = &q, .answer = &answer, .names = &names, .closed = &closed };
	const char *unsigned_why = NULL;

	if (!take_request(s, entry->body, &bytes, &q)) {
		r->given_up = STEPS_LOST;
		*ret_why = "request";
		return STEPS_DIFFERS;
	}
	told_find(r->a, &q, &names);
	if (q.op == AUTHORITY_ANSWER) {
		unsigned_why = check_answer(s, r, &q, names.ask, entry->body, key);
		t.by = &s->by;
		t.key = key;
	}
	authority_step(r->a, &q, &answer);
	authority_closed(r->a, &answer, &closed);
	r->last = step;
	buf_put_bytes(&r->history, bytes.data, bytes.len);
	if (r->history.failed || (answer.why == WHY_FULL && !body_is(entry->body, "why", "full"))) {
		r->given_up = STEPS_CROWD;
		return STEPS_CROWD;
	}
	learn_all(r, &q, entry->body);
	t.a = r->a;
	t.n_labels = r->n_labels;
	t.labels = r->labels;
	t.realm = r->bytes;
	*ret_why = unsigned_why != NULL ? unsigned_why : compare(entry, &t);
	return *ret_why == NULL ? STEPS_AGREES : STEPS_DIFFERS;
}

enum steps_answer steps_take(struct steps *s, const struct entry *entry, const char **ret_why)
{
	char name[REALM_HEX + 1];
	uint8_t bytes[REALM_BYTES];
	enum steps_answer no;
	struct realm *r;
	uint64_t step;

	*ret_why = NULL;
	if (entry->event[0] != 0 || !body_find_count(entry->body, "step", &step) || step == 0 ||
	    !find_string(entry->body, "realm", name, sizeof name) || !take_hex(name, REALM_BYTES, bytes))
		return STEPS_NOT;
	r = find_realm(s, name, bytes, &no);
	if (r == NULL)
		return no;
	if (r->given_up == STEPS_NOT && step > r->last + 1)
		r->given_up = STEPS_LOST;
	if (r->given_up == STEPS_NOT && step <= r->last && (r->again += step) > AGAIN_MAX)
		r->given_up = STEPS_CROWD;
	if (r->given_up != STEPS_NOT)
		return r->given_up;
	if (step <= r->last && !go_back(s, r, step - 1))
		return STEPS_NO_MEMORY;
	return make(s, r, entry, step, ret_why);
}
