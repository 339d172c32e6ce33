/* What a stage holds: found by the engine, judged by name and content. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/changes.h"
#include "stage/judging.h"
#include "stage/role.h"
#include "stage/unseen.h"

#define DIGEST_SIZE_MAX                                                                                                \
	(1 << 30) /* bytes; a file that is larger, be it all holes, is told without: it would take minutes */
#define HOLES_MAX                                                                                                      \
	(UINT64_C(1) << 30) /* bytes that take time and no room, of all files of a stage; the rest is told without */
#define CHANGES_MAX 65536   /* listed; the rest is counted */

static uint64_t holes; /* looked through so far, in the stage at hand */

static bool digest(void *user, int fd, uint8_t ret[CHANGE_DIGEST_BYTES])
{
	static uint8_t piece[256u << 10];
	crypto_hash_sha256_state state;
	struct stat st;
	uint64_t hole;
	off_t at = 0;
	ssize_t n;

	(void)user;
	if (fstat(fd, &st) < 0 || st.st_size > DIGEST_SIZE_MAX)
		return false;
	hole = st.st_size > st.st_blocks * 512 ? (uint64_t)(st.st_size - st.st_blocks * 512) : 0;
	if (hole > HOLES_MAX - holes)
		return false;
	holes += hole;
	crypto_hash_sha256_init(&state);
	while ((n = pread(fd, piece, sizeof piece, at)) > 0) {
		crypto_hash_sha256_update(&state, piece, (unsigned long long)n);
		at += n;
	}
	crypto_hash_sha256_final(&state, ret);
	return n == 0;
}

struct list {
	struct change **changes; /* owned, each too */
	size_t n, lost;
};

static void keep_change(void *user, const struct change *c)
{
	struct list *l = user;

	if (changes_add(&l->changes, &l->n, c) < 0)
		l->lost++;
}

static bool is_to_be_judged(const struct plan *p, const struct plan_entry *x)
{
	return x->kind != 0 &&
	       (x->judged == HELD_JUDGED || (x->pair != PLAN_NONE && p->entries[x->pair].judged == HELD_JUDGED));
}

/* Also of what is in conflict: a way out of that is none past the judge. */
static int list_to_judge(const struct plan *p, struct list *ret)
{
	for (size_t i = 0; i < p->n; i++) {
		struct change c = { .kind = 0 };

		if (!is_to_be_judged(p, &p->entries[i]))
			continue;
		plan_change(p, &p->entries[i], &c);
		c.held = HELD_JUDGED;
		if (changes_add(&ret->changes, &ret->n, &c) < 0)
			return -AMBIT_MEMORY;
	}
	return 0;
}

/* What a name alone could not say, its content may: what turns out harmless is not held. */
static int judge(struct role *role, struct err *e)
{
	struct walk_calls calls = role->calls;
	struct list asked = { .n = 0 };
	int r = list_to_judge(&role->plan, &asked);

	calls.digest = NULL;
	if (r < 0)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	else
		r = judging_contents(role->judging, asked.changes, asked.n, e);
	changes_free(asked.changes, asked.n);
	if (r == 0 && judging_knows_more(role->judging) && walk_judge(&calls, &role->plan) < 0)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	return r;
}

static void list_changes(struct role *role)
{
	struct list all = { .n = 0 };

	walk_list(&role->trees, &role->calls, &role->plan, CHANGES_MAX, keep_change, &all, &role->counts);
	role->changes = all.changes;
	role->n_changes = all.n;
	role->counts.dropped += all.lost;
}

/* What a person is shown names contents by their digests. */
static bool is_asking(const struct stage_meta *m)
{
	for (uint32_t i = 0; i < m->n_names; i++)
		if (m->asks[i] != STAGE_ASKS_NOT)
			return true;
	return m->labels != 0 && m->n_declassify > 0;
}

int find_changes(struct role *role, struct err *e)
{
	int r = trees_open(&role->stage, role->meta, &role->trees, e);

	if (r < 0)
		return r;
	role->has_trees = true;
	holes = 0;
	for (uint32_t i = 0; i < role->meta->n_trees && r == 0; i++)
		r = unseen_read(role->stage.dir_fd, i, &role->unseen[i], e);
	if (r < 0)
		return err_context(e, r, "%s", role->meta->event);
	r = r < 0 ? r : judging_create(role, &role->trees, &role->judging, e);
	role->calls = (struct walk_calls){
		.user = role->judging,
		.count = judging_count,
		.judge_name = judging_name,
		.is_hidden = judging_is_hidden,
		.is_named = judging_is_named,
		.digest = (role->ask.flags & STAGE_FLAG_DIGESTS) != 0 || is_asking(role->meta) ? digest : NULL,
	};
	r = r < 0 ? r : walk_plan(&role->stage, role->meta, &role->trees, &role->calls, &role->plan, e);
	r = r < 0 ? r : judge(role, e);
	if (r == 0)
		list_changes(role);
	return r;
}

void forget_changes(struct role *role)
{
	changes_free(role->changes, role->n_changes);
	plan_finish(&role->plan);
	role->changes = NULL;
	role->n_changes = 0;
	judging_destroy(role->judging);
	role->judging = NULL;
	for (uint32_t i = 0; i < role->meta->n_trees; i++)
		mask_finish(&role->unseen[i]);
	if (role->has_trees)
		trees_finish(&role->trees);
	role->has_trees = false;
}
