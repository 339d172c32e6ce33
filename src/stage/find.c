/* What a stage holds: found by the engine, judged by name and content. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/judging.h"
#include "stage/role.h"
#include "stage/unseen.h"

#define DIGEST_SIZE_MAX                                                                                                \
	(1 << 30)         /* bytes; a file that is larger, be it all holes, is told without: it would take minutes */
#define CHANGES_MAX 65536 /* listed; the rest is counted */

static bool digest(void *user, int fd, uint8_t ret[CHANGE_DIGEST_BYTES])
{
	static uint8_t piece[256u << 10];
	crypto_hash_sha256_state state;
	struct stat st;
	off_t at = 0;
	ssize_t n;

	(void)user;
	if (fstat(fd, &st) < 0 || st.st_size > DIGEST_SIZE_MAX)
		return false;
	crypto_hash_sha256_init(&state);
	while ((n = pread(fd, piece, sizeof piece, at)) > 0) {
		crypto_hash_sha256_update(&state, piece, (unsigned long long)n);
		at += n;
	}
	crypto_hash_sha256_final(&state, ret);
	return n == 0;
}

static void keep_change(void *user, const struct change *c)
{
	struct role *role = user;
	struct change *copy = malloc(sizeof *copy);
	struct change **grown = role->changes;

	if ((role->n_changes & (role->n_changes - 1)) == 0) /* grows at powers of two */
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
		grown = realloc(role->changes, (role->n_changes == 0 ? 1 : 2 * role->n_changes) * sizeof *grown);
	if (grown != NULL)
		role->changes = grown;
	if (grown == NULL || copy == NULL) {
		free(copy);
		role->counts.dropped++;
		return;
	}
	*copy = *c;
	role->changes[role->n_changes++] = copy;
}

/* What a name alone could not say, its content may: what turns out harmless is not held. And a link may have been found after a
 * change to what it leads to. */
static int judge(struct role *role, struct err *e)
{
	const int r = judging_contents(role->judging, role->changes, role->n_changes, e);

	for (size_t i = 0; i < role->n_changes && r == 0; i++) {
		struct verdict v = { .held = HELD_NOT };
		struct change *c = role->changes[i];

		if (c->held != HELD_JUDGED && c->held != HELD_NOT)
			continue;
		judging_name(role->judging, c, &v);
		if (v.held != HELD_NOT && c->held == HELD_NOT)
			role->counts.held++;
		else if (v.held == HELD_NOT && c->held != HELD_NOT && role->counts.held > 0)
			role->counts.held--;
		c->held = v.held;
		c->later = v.later;
		memcpy(c->reason, v.reason, sizeof c->reason);
	}
	return r;
}

int find_changes(struct role *role, struct err *e)
{
	uint64_t lost;
	int r = trees_open(&role->stage, role->meta, &role->trees, e);

	if (r < 0)
		return r;
	role->has_trees = true;
	for (uint32_t i = 0; i < role->meta->n_trees && r == 0; i++)
		r = unseen_read(role->stage.dir_fd, i, &role->unseen[i], e);
	r = r < 0 ? r : judging_create(role, &role->trees, &role->judging, e);
	role->calls = (struct walk_calls){
		.user = role->judging,
		.judge_name = judging_name,
		.is_hidden = judging_is_hidden,
		.digest = (role->ask.flags & STAGE_FLAG_DIGESTS) != 0 ? digest : NULL,
	};
	role->counts.dropped = 0;
	r = r < 0 ? r
		  : stage_walk(&role->stage, role->meta, &role->calls, CHANGES_MAX, keep_change, role, &role->counts,
			       e);
	lost = role->counts.dropped;
	r = r < 0 ? r : judge(role, e);
	role->counts.dropped = lost;
	return r;
}

void forget_changes(struct role *role)
{
	for (size_t i = 0; i < role->n_changes; i++)
		free(role->changes[i]);
	free(role->changes);
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
