#include "cli/question_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/cli.h"
#include "core/flow.h"
#include "core/grant.h"
#include "core/terms.h"
#include "policy/policy.h"

#define ASKED_BY "asked for by a grant of"

/* What the head of the question says: verb, object, and what follows that in the grant. */
struct line {
	char verb[16];
	struct span object, asked, rest; /* asked: in place of the object */
};

static int cannot(struct err *e)
{
	return err_set(e, AMBIT_UNAVAILABLE, "--show shows what it asks for: write the grant that suits you",
		       "this cannot be written as one line of a policy");
}

static struct span after(struct span s, size_t n)
{
	return (struct span){ .at = s.at + n, .len = s.len - n };
}

/* Names with other characters than can be shown stand there as escapes, which a policy has not. */
static bool is_plain(struct span s)
{
	return s.len > 0 && memchr(s.at, '\\', s.len) == NULL;
}

static bool begins(struct span s, struct span with)
{
	return with.len <= s.len && memcmp(s.at, with.at, with.len) == 0;
}

static bool read_head(const struct question *q, struct line *ret)
{
	const struct span grant = question_line(q, ASKED_BY), to = question_line(q, "to");
	const char *blank;

	if (question_is_commit(q)) {
		(void)snprintf(ret->verb, sizeof ret->verb, "%s", verb_word(VERB_WRITE)); /* fits */
		ret->object = ret->asked = grant;
		ret->rest = after(grant, grant.len);
		return is_plain(grant);
	}
	if (span_equal(question_line(q, "what"), span_of("connect")) ||
	    span_equal(question_line(q, "what"), span_of("tool"))) {
		(void)snprintf(ret->verb, sizeof ret->verb, "%.*s", (int)question_line(q, "what").len,
			       question_line(q, "what").at); /* likewise */
		blank = memchr(grant.at, ' ', grant.len);
		ret->object = (struct span){ .at = grant.at,
					     .len = blank != NULL ? (size_t)(blank - grant.at) : grant.len };
		ret->asked = to;
		ret->rest = after(grant, ret->object.len);
		return is_plain(grant) && is_plain(to);
	}
	blank = memchr(to.at, ' ', to.len);
	if (blank == NULL || (size_t)(blank - to.at) >= sizeof ret->verb)
		return false;
	(void)snprintf(ret->verb, sizeof ret->verb, "%.*s", (int)(blank - to.at), to.at); /* just measured */
	ret->object = ret->asked = after(to, (size_t)(blank - to.at) + 1);
	if (!begins(grant, ret->object) || !is_plain(grant))
		return false;
	ret->rest = after(grant, ret->object.len);
	return true;
}

/* As a flag has it: in quotes, of which one inside is doubled. */
static void put_flag(struct buf *out, const struct line *l)
{
	buf_put_u8(out, '\'');
	for (size_t i = 0; i < l->asked.len; i++) {
		if (l->asked.at[i] == '\'')
			buf_put_u8(out, '\'');
		buf_put_u8(out, (uint8_t)l->asked.at[i]);
	}
	buf_put_u8(out, '\'');
	buf_put(out, l->rest.at, l->rest.len);
}

static void put_grant(struct json *j, const struct policy *p)
{
	const struct policy_line *l = &p->lines[0];
	struct qualifiers q = l->qualifiers;
	struct flow f = { .ask = false };

	q.ask = 0;
	(void)flow_take(policy_flow(p, l), &f); /* it was taken from the flag */
	if (f.ask) {                            /* where labels close it: by none it is closed then */
		f.ask = false;
		f.n_unless = 0;
		f.none = true;
	}
	json_put_object(j);
	json_put_name(json_put_key(j, verb_word((enum grant_verb)l->verb)), l->object);
	qualifiers_put_members(j, &q, policy_terms(p, l), &f);
	json_put_object_end(j);
}

int question_line_print(const struct question *q, bool json, struct err *e)
{
	auto_free struct policy *p = calloc(1, sizeof *p);
	auto_buf flag = { .max = 1u << 16 }, out = { .max = 1u << 17 };
	struct line l;
	struct json j;
	int r;

	if (p == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a policy");
	if (!read_head(q, &l))
		return cannot(e);
	put_flag(&flag, &l);
	r = buf_cstr(&flag) == NULL ? -AMBIT_MEMORY : policy_add_flag(p, l.verb, buf_cstr(&flag), NULL);
	if (r < 0 || p->n_lines != 1)
		return cannot(e);
	json_begin(&j, &out);
	if (json) {
		json_put_object(&j);
		json_put_key(&j, "grant");
	} else {
		buf_printf(&out,
			   "# In your policy, in place of the line that asks%s: it is not asked any more then.\n- ",
			   question_is_commit(q) ? " (if that says `work`, so does this)" : "");
	}
	put_grant(&j, p);
	if (json)
		json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return out.failed ? EXIT_REFUSED : cli_write(out.data, out.len);
}
