/* What the authority says (core/authority.h), for programs that are not C: a line a request on standard input, a line an answer on standard output.
 *
 *   open LABELS                                a session, in place of the one before                       ok
 *   grant TOOL LABELS UNLESS never|labelled|always WHERE    what it may use; LABELS are put on by each use, WHERE is JSON (core/where.h), the rest of the line   ok
 *   use TOOL ARGUMENTS                         ARGUMENTS: as where_put writes them, in hexadecimal digits, or `-`; their digest is approved   allowed|asks|denied WHY LABELS
 *
 * Labels are names with a comma between, or `-`. The grant is the one that authority_find_use finds. What asks is approved at once and used: the labels told are
 * those after it. An hour passes before each line, so that no question is one too many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/sha256.h"
#include "core/authority.h"

#define HOUR_MS 3600000
#define LINE_MAX_BYTES 65536 /* all arguments, and a tool */

_Static_assert(LABEL_PRIVATE == 1 && LABEL_UNTRUSTED == 2, "labels stand in the order of their bits");
_Static_assert(AUTHORITY_ASK == 1 && AUTHORITY_ASK_LABELLED == 2, "and ways to ask by their flags");

static const struct authority_size SIZE = { .badges = 1,
					    .grants = GRANTS_MAX,
					    .asks = 1,
					    .keys = 1,
					    .passes = 1,
					    .marks = 1,
					    .agents = 1,
					    .origins = 1,
					    .text = GRANTS_MAX * 1024 };

/* By their bits: two of the core's, and one of a policy's own. */
static const char *const LABELS[] = { "private", "untrusted", "members" };
static const char *const ASKS[] = { "never", "always", "labelled" }; /* by their flags */
static const char *const VERDICTS[] = { "allowed", "denied", "asks" };

struct driver {
	void *room; /* owned */
	struct authority *a;
	authority_ref badge;
	uint64_t made, now_ms;
};

static int fail(const char *what)
{
	(void)fprintf(stderr, "decide: %s\n", what);
	return -1;
}

/* The place of a word in a list, or -1. */
static int place_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return (int)i;
	return -1;
}

static int take_labels(char *text, uint64_t *ret)
{
	char *rest = NULL;

	*ret = 0;
	if (strcmp(text, "-") == 0)
		return 0;
	for (const char *word = strtok_r(text, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
		const int at = place_of(word, LABELS, sizeof LABELS / sizeof LABELS[0]);

		if (at < 0)
			return fail("there is no such label");
		*ret |= UINT64_C(1) << at;
	}
	return 0;
}

static void tell_labels(uint64_t labels)
{
	const char *between = "";

	for (size_t i = 0; i < sizeof LABELS / sizeof LABELS[0]; i++)
		if ((labels >> i & 1) != 0) {
			(void)printf("%s%s", between, LABELS[i]);
			between = ",";
		}
	(void)printf("%s\n", labels == 0 ? "-" : "");
}

/* With the time, an id that nothing had, and the session. */
static struct authority_request request(struct driver *d, enum authority_op op)
{
	struct authority_request q = {
		.op = (uint8_t)op, .now_ms = d->now_ms, .badge = d->badge, .object = "", .terms = ""
	};

	d->made++;
	memcpy(q.id, &d->made, sizeof d->made);
	return q;
}

static bool is_allowed(struct driver *d, const struct authority_request *q, struct authority_answer *ret)
{
	authority_step(d->a, q, ret);
	return ret->verdict == AUTHORITY_ALLOWED;
}

static int open_session(struct driver *d, char *labels)
{
	struct authority_request q;
	struct authority_answer answer;

	memset(d->room, 0, authority_bytes(&SIZE)); /* another session may have been there */
	d->a = authority_init(d->room, &SIZE);
	d->badge = 0;
	q = request(d, AUTHORITY_OPEN);
	q.object = "agent";
	if (take_labels(labels, &q.labels) < 0)
		return -1;
	if (!is_allowed(d, &q, &answer))
		return fail(authority_why_word((enum authority_why)answer.why));
	d->badge = answer.made;
	return puts("ok") < 0 ? -1 : 0;
}

static int give(struct driver *d, const char *tool, char *labels, char *unless, const char *asks, const char *value)
{
	struct authority_request q = request(d, AUTHORITY_GIVE);
	struct authority_answer answer;
	struct where where;
	struct err e;
	char terms[TERMS_TEXT_MAX];
	const int flags = place_of(asks, ASKS, sizeof ASKS / sizeof ASKS[0]);
	uint64_t set;

	if (flags < 0)
		return fail("how it asks is never, labelled or always");
	if (take_labels(labels, &q.labels) < 0 || take_labels(unless, &set) < 0)
		return -1;
	if (where_set(&where, value, &e) < 0)
		return fail(e.msg);
	where_format(&where, terms);
	q.verb = VERB_TOOL;
	q.object = tool;
	q.terms = terms;
	q.flags = (uint8_t)flags; /* AUTHORITY_ASK, AUTHORITY_ASK_LABELLED */
	for (uint64_t bit = 1; bit != 0 && q.n_unless < AUTHORITY_UNLESS_MAX; bit <<= 1) /* each by itself */
		if ((set & bit) != 0)
			q.unless[q.n_unless++] = bit;
	if (!is_allowed(d, &q, &answer))
		return fail("the grant was refused");
	return puts("ok") < 0 ? -1 : 0;
}

/* Says yes to what is asked, and uses it. */
static int approve(struct driver *d, const struct authority_request *use, authority_ref ask,
		   struct authority_answer *ret)
{
	struct authority_request q = request(d, AUTHORITY_ANSWER);

	q.ask = ask;
	q.flags = AUTHORITY_YES;
	q.until_ms = d->now_ms + HOUR_MS;
	memcpy(q.digest, use->digest, sizeof q.digest);
	return is_allowed(d, &q, ret) && is_allowed(d, use, ret) ? 0 : fail("what was approved is not allowed");
}

static void digest_of(const struct where_arguments *args, uint8_t ret[AUTHORITY_DIGEST])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, args->bytes, args->n);
	sha256_end(&s, ret);
}

static int take_arguments(const char *digits, uint8_t room[WHERE_BYTES_MAX], struct where_arguments *ret)
{
	*ret = (struct where_arguments){ .bytes = room };
	if (strcmp(digits, "-") == 0)
		return 0;
	for (; digits[0] != 0; digits += 2) {
		const int high = hex_digit(digits[0]), low = hex_digit(digits[1]);

		if (ret->n == WHERE_BYTES_MAX || high < 0 || low < 0)
			return fail("these are no arguments");
		room[ret->n++] = (uint8_t)(high << 4 | low);
	}
	return where_are_arguments(ret) ? 0 : fail("these are no arguments");
}

static int use(struct driver *d, const char *tool, const char *arguments)
{
	struct authority_request q = request(d, AUTHORITY_USE);
	struct authority_answer answer, after;
	uint8_t room[WHERE_BYTES_MAX];

	if (take_arguments(arguments, room, &q.arguments) < 0)
		return -1;
	q.verb = VERB_TOOL;
	q.object = tool;
	q.minute = AUTHORITY_MINUTE_NONE;
	q.passed_ms = HOUR_MS;
	q.until_ms = d->now_ms + HOUR_MS;
	digest_of(&q.arguments, q.digest);
	q.grant = authority_find_use(d->a, &q);
	authority_step(d->a, &q, &answer);
	after = answer;
	q.passed_ms = 0;
	if (answer.verdict == AUTHORITY_ASKS && approve(d, &q, answer.made, &after) < 0)
		return -1;
	(void)printf("%s %s ", VERDICTS[answer.verdict],
		     answer.why == WHY_NONE ? "-" : authority_why_word((enum authority_why)answer.why));
	tell_labels(after.labels);
	return 0;
}

static int take_line(struct driver *d, char *line)
{
	char *words[5] = { NULL }, *rest = line;

	d->now_ms += HOUR_MS;
	for (size_t i = 0; i < sizeof words / sizeof words[0] && rest != NULL; i++)
		words[i] = strsep(&rest, " ");
	if (strcmp(words[0], "open") == 0 && words[1] != NULL && words[2] == NULL)
		return open_session(d, words[1]);
	if (strcmp(words[0], "use") == 0 && words[2] != NULL && words[3] == NULL && d->a != NULL)
		return use(d, words[1], words[2]);
	if (strcmp(words[0], "grant") == 0 && rest != NULL && d->a != NULL)
		return give(d, words[1], words[2], words[3], words[4], rest);
	return fail("no such request");
}

int main(void)
{
	static char line[LINE_MAX_BYTES];
	struct driver d = { .now_ms = HOUR_MS };
	int rc = 0;

	d.room = malloc(authority_bytes(&SIZE));
	if (d.room == NULL)
		return 1;
	while (rc == 0 && fgets(line, sizeof line, stdin) != NULL) {
		char *end = strchr(line, '\n');

		if (end == NULL) {
			rc = fail("the line is too long");
			break;
		}
		*end = 0;
		rc = take_line(&d, line);
		if (fflush(stdout) != 0)
			rc = -1;
	}
	free(d.room);
	return rc == 0 ? 0 : 1;
}
