/* What an automatic decision costs, of a session that has 1,000 grants and 10 labels: found by name and charged in the core alone; the same through the keeper's process, where it is
 * written before it is answered; and one that waits for the disk.
 *
 *   authority DIRECTORY [ROUNDS]      this program lies beside the roles; DIRECTORY is empty, and on the disk that is to be measured */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/num.h"
#include "lib/authority.h"

#define ROUNDS 2000u
#define GRANTS 1000u
#define LABELS UINT64_C(0x3ff)

static const struct authority_size size = { .badges = 16384,
					    .grants = 262144,
					    .asks = 1024,
					    .keys = 65536,
					    .passes = 1024,
					    .marks = 16384,
					    .agents = 256,
					    .origins = 4096,
					    .text = 32u << 20 };

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void tell(const char *what, double *us, unsigned n)
{
	qsort(us, n, sizeof *us, by_size);
	printf("%s: median %.1f us, p99 %.1f us\n", what, us[n / 2], us[n - n / 100 - 1]);
}

static void name_of(unsigned i, char ret[32])
{
	(void)snprintf(ret, 32, "tool-number-%u", i);
}

/* One step, by whichever way. */
struct way {
	struct authority *a; /* NULL: by the keeper */
	struct keeper *k;
	uint64_t now_ms;
};

static int step(struct way *w, struct authority_request *q, authority_ref *ret_made)
{
	struct authority_answer answer;
	struct keeper_answer told = { .verdict = AUTHORITY_DENIED };
	struct err e;

	if (w->a == NULL) {
		if (keeper_step(w->k, q, &told, &e) < 0) {
			(void)fprintf(stderr, "authority: %s: %s\n", e.msg, e.why);
			return -1;
		}
		*ret_made = told.made;
		return told.verdict == AUTHORITY_ALLOWED ? 0 : -1;
	}
	q->now_ms = ++w->now_ms;
	q->passed_ms = 1;
	q->minute = AUTHORITY_MINUTE_NONE;
	authority_step(w->a, q, &answer);
	*ret_made = answer.made;
	return answer.verdict == AUTHORITY_ALLOWED ? 0 : -1;
}

static authority_ref find(struct way *w, authority_ref badge, const char *name)
{
	authority_ref grant = 0;

	if (w->a != NULL)
		return authority_find(w->a, badge, VERB_TOOL, name);
	return keeper_grant(w->k, badge, VERB_TOOL, name, &grant, NULL) < 0 ? 0 : grant;
}

static int prepare(struct way *w, authority_ref *ret_badge)
{
	struct authority_request open = {
		.op = AUTHORITY_OPEN, .object = "agent", .terms = "", .id = { 1 }, .labels = LABELS
	};
	authority_ref ignored;
	char name[32];

	if (step(w, &open, ret_badge) < 0)
		return -1;
	for (unsigned i = 0; i < GRANTS; i++) {
		struct authority_request give = { .op = AUTHORITY_GIVE,
						  .object = name,
						  .terms = "",
						  .badge = *ret_badge,
						  .verb = VERB_TOOL,
						  .labels = 1,
						  .id = { 2 } };

		name_of(i, name);
		memcpy(give.id + 1, &i, sizeof i);
		give.bounds.q.uses = 1u << 30;
		if (step(w, &give, &ignored) < 0)
			return -1;
	}
	return 0;
}

/* How the grant is found. */
enum looks { IS_KNOWN, BY_NAME, BY_ARGUMENTS /* in the core */ };

static int measure(struct way *w, authority_ref badge, enum looks looks, bool keyed, const char *what, unsigned rounds)
{
	double *us = calloc(rounds, sizeof *us);
	authority_ref grant = 0, ignored;
	int r = us == NULL ? -1 : 0;

	for (unsigned i = 0; i < rounds && r == 0; i++) {
		struct authority_request use = { .op = AUTHORITY_USE,
						 .object = "",
						 .terms = "",
						 .badge = badge,
						 .verb = VERB_TOOL,
						 .flags = keyed ? AUTHORITY_KEYED : 0 };
		const double begun = now_us();
		char name[32];

		name_of(i * 7 % GRANTS, name);
		if (looks == BY_ARGUMENTS) {
			use.object = name;
			grant = authority_find_use(w->a, &use);
		} else if (looks == BY_NAME || grant == 0) {
			grant = find(w, badge, name);
		}
		memcpy(use.key, &i, sizeof i);
		use.grant = grant;
		r = grant == 0 ? -1 : step(w, &use, &ignored);
		us[i] = now_us() - begun;
	}
	if (r == 0)
		tell(what, us, rounds);
	free(us);
	return r;
}

int main(int argc, char **argv)
{
	uint32_t rounds = ROUNDS;
	struct way core = { .now_ms = 1000 }, role = { .a = NULL };
	authority_ref badge;
	struct err e;
	void *room;
	int r;

	if (argc < 2 || argc > 3 || (argc == 3 && !parse_u32(argv[2], 10, 65536, &rounds))) {
		(void)fprintf(stderr, "usage: authority DIRECTORY [ROUNDS]\n");
		return 2;
	}
	room = mmap(NULL, authority_bytes(&size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (room == MAP_FAILED || setenv("XDG_STATE_HOME", argv[1], 1) < 0)
		return 1;
	core.a = authority_init(room, &size);
	r = prepare(&core, &badge);
	r = r < 0 ? r : measure(&core, badge, BY_NAME, false, "in the core, found and charged", rounds);
	r = r < 0 ? r : measure(&core, badge, BY_ARGUMENTS, false, "the same, by its arguments", rounds);
	r = r < 0 ? r : measure(&core, badge, IS_KNOWN, false, "in the core, charged", rounds);
	if (r == 0 && keeper_open(NULL, "", &role.k, &e) < 0) {
		(void)fprintf(stderr, "authority: %s: %s\n", e.msg, e.why);
		return 1;
	}
	r = r < 0 ? r : prepare(&role, &badge);
	r = r < 0 ? r : measure(&role, badge, IS_KNOWN, false, "through the keeper, charged and written", rounds);
	r = r < 0 ? r : measure(&role, badge, BY_NAME, false, "the same, found by name (two messages)", rounds);
	r = r < 0 ? r : measure(&role, badge, IS_KNOWN, true, "with a key: on disk", rounds / 10);
	keeper_close(role.k);
	return r < 0 ? 1 : 0;
}
