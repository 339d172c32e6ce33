#include "core/denial.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/endpoint.h"

struct denial_row {
	const char *word, *why, *otherwise;
};

static const struct denial_row denial_rows[DENIAL_COUNT] = {
#define DENIAL_ROW(name, w, y, o) [DENIAL_##name] = { .word = (w), .why = (y), .otherwise = (o) },
	DENIALS(DENIAL_ROW)
#undef DENIAL_ROW
};

const char *denial_word(enum denial_reason r)
{
	return r < DENIAL_COUNT ? denial_rows[r].word : "?";
}

const char *denial_why(enum denial_reason r)
{
	return r < DENIAL_COUNT ? denial_rows[r].why : "";
}

const char *denial_otherwise(enum denial_reason r)
{
	return r < DENIAL_COUNT ? denial_rows[r].otherwise : "";
}

/* The kernel asks for the right on the directory, not on what lies in it. */
static bool needs_directory(const struct effect *f)
{
	/* shown again, or held no more, it can also be removed from its directory */
	if (f->verdict == EFFECT_DENIED_HIDDEN || f->verdict == EFFECT_DENIED_HELD)
		return false;
	switch ((enum effect_kind)f->kind) {
	case EFFECT_DELETE:
	case EFFECT_RENAME:
	case EFFECT_MKDIR:
	case EFFECT_LINK: return true;
	case EFFECT_WRITE:
	case EFFECT_MODE: return f->verdict == EFFECT_DENIED_NEW;
	case EFFECT_READ:
	case EFFECT_EXEC:
	case EFFECT_CONNECT:
	case EFFECT_REQUEST:
	case EFFECT_OPAQUE: return false;
	}
	return false;
}

static void cut_to_directory(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path ? 1 : 0] = 0;
}

static enum grant_verb verb_for(uint32_t right)
{
	if (right == RIGHT_WRITE)
		return VERB_WRITE;
	return right == RIGHT_RUN ? VERB_RUN : VERB_READ;
}

static bool may(const struct grant_set *set, enum grant_verb verb, const char *path)
{
	const struct grant_request want = { .verb = verb, .object = path };

	return grant_check(set, &want).allowed;
}

static bool is_own(const char *path)
{
	return path_is_beneath(path, "/proc") || path_is_beneath(path, "/dev") || path_is_beneath(path, "/sys");
}

/* Rules, in this order; the first that holds is the reason. */
static enum denial_reason reason_of(const struct grant_set *set, const struct denial *d, const struct effect *f)
{
	const char *path = f->object;

	if (f->verdict == EFFECT_DENIED_WRITTEN)
		return DENIAL_WRITTEN;
	if (is_own(path))
		return DENIAL_OWN;
	if (f->verdict == EFFECT_DENIED_HIDDEN)
		return DENIAL_HIDDEN;
	if (f->verdict == EFFECT_DENIED_STORE)
		return DENIAL_STORE;
	if (f->verdict == EFFECT_DENIED_HELD)
		return DENIAL_HELD;
	if (strcmp(d->object, "/") == 0)
		return DENIAL_TOP;
	if (may(set, d->verb, path) && f->kind == EFFECT_READ)
		return DENIAL_HIDDEN;
	if (may(set, d->verb, path))
		return DENIAL_PROTECTED; /* a grant covers it, and yet the wall said no */
	if (d->verb == VERB_WRITE && may(set, VERB_READ, path))
		return DENIAL_READ_ONLY;
	if (d->verb == VERB_RUN && may(set, VERB_READ, path))
		return DENIAL_NOT_RUN;
	return DENIAL_UNGRANTED;
}

/* The port of servers that are asked for names. */
static bool is_lookup(const char *address)
{
	const char *port = strrchr(address, ':');

	return port != NULL && strcmp(port, ":53") == 0;
}

/* A grant lets it be connected to: no other one changes what was said there. */
static bool hello_denial(uint8_t verdict, struct denial *ret)
{
	if (verdict == EFFECT_DENIED_OTHER_NAME)
		ret->reason = DENIAL_OTHER_NAME;
	else if (verdict == EFFECT_DENIED_BAD_HELLO)
		ret->reason = DENIAL_BAD_HELLO;
	else if (verdict == EFFECT_DENIED_HIDDEN_NAME)
		ret->reason = DENIAL_HIDDEN_NAME;
	else
		return false;
	return true;
}

/* By the name that was asked for, if that is one which can be granted. */
static void socket_denial(const char *path, struct denial *ret)
{
	struct endpoint p;

	ret->reason = DENIAL_SOCKET;
	ret->verb = VERB_CONNECT;
	(void)snprintf(ret->object, sizeof ret->object, "unix:%s", path); /* what does not fit is none */
	ret->grantable = endpoint_take(ret->object, &p, NULL) == 0;
}

static void address_denial(const struct effect *f, struct denial *ret)
{
	static const char inet[] = "inet ";
	struct endpoint p;

	if (hello_denial(f->verdict, ret))
		return;
	if (f->verdict == EFFECT_DENIED_WITHDRAWN) {
		ret->reason = DENIAL_WITHDRAWN;
		return;
	}
	if (strncmp(f->object, "name ", 5) == 0) {
		ret->reason = DENIAL_LOOKUP;
		return;
	}
	if (strncmp(f->object, "unix ", 5) == 0) {
		socket_denial(f->object + 5, ret);
		return;
	}
	ret->reason = is_lookup(f->object) ? DENIAL_LOOKUP : DENIAL_NETWORK;
	if (strncmp(f->object, inet, sizeof inet - 1) != 0 || ret->reason == DENIAL_LOOKUP ||
	    endpoint_take(f->object + sizeof inet - 1, &p, NULL) < 0)
		return;
	endpoint_put(&p, ret->object);
	ret->verb = VERB_CONNECT;
	ret->grantable = true;
}

/* What may be written is executed by a grant of the whole: one of the file alone needs it to be there when the cell is made, and
 * shows it apart, so that it cannot be replaced. */
static void widen_to_work(const struct grant_set *set, const struct effect *f, struct denial *ret)
{
	const struct grant_request want = { .verb = VERB_WRITE, .object = f->object };
	const struct grant_decision decision = grant_check(set, &want);

	if (ret->reason == DENIAL_NOT_RUN && decision.allowed) {
		ret->verb = VERB_WORK;
		(void)text_copy(ret->object, sizeof ret->object, grant_object(set, decision.grant)); /* same size */
	}
}

/* The terms of the grant that lets its host be connected to. */
static bool terms_for(const struct grant_set *set, const char *endpoint, struct terms *ret)
{
	const struct grant_request want = { .verb = VERB_CONNECT, .object = endpoint };
	const struct grant_decision d = grant_check(set, &want);

	return d.allowed && terms_take(grant_terms(set, d.grant), ret, NULL) == 0;
}

/* By the status that the refusal had. */
static void request_denial(const struct grant_set *set, const struct effect *f, struct denial *ret)
{
	struct http_told told = { .status = 0 };
	struct terms terms;

	(void)http_told_take(f->object, &told); /* a record of another's making */
	ret->reason = DENIAL_UNSOUND;
	if (told.status == 429)
		ret->reason = DENIAL_SPENT;
	else if (told.status == 502)
		ret->reason = DENIAL_HOST;
	else if (told.status == 403 || told.status == 405)
		ret->reason = DENIAL_REQUEST;
	if (told.status != 403 || !terms_for(set, told.endpoint, &terms) ||
	    !http_told_missing(&terms, &told, true, ret->rule))
		ret->rule[0] = 0;
}

void denial_of(const struct grant_set *set, const struct effect *f, struct denial *ret)
{
	const uint32_t right = effect_right(f->kind);

	*ret = (struct denial){ .reason = DENIAL_UNCLEAR };
	if (f->kind == EFFECT_REQUEST)
		request_denial(set, f, ret);
	if (f->kind == EFFECT_CONNECT)
		address_denial(f, ret);
	if (right == 0 || !path_is_normal(f->object) || !text_copy(ret->object, sizeof ret->object, f->object))
		return;
	if (needs_directory(f))
		cut_to_directory(ret->object);
	ret->verb = verb_for(right);
	ret->reason = reason_of(set, ret, f);
	ret->grantable = ret->reason != DENIAL_WRITTEN && ret->reason != DENIAL_OWN && ret->reason != DENIAL_TOP &&
			 ret->reason != DENIAL_STORE;
	ret->writes_too = ret->reason == DENIAL_HIDDEN && ret->verb == VERB_READ && may(set, VERB_WRITE, ret->object);
	widen_to_work(set, f, ret);
	if (ret->grantable && f->beyond != 0) {
		ret->grantable = false;
		ret->reason = DENIAL_BEYOND;
	}
}
