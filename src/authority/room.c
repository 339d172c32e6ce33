#include "authority/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"

/* Marks of one directory: at it, or with nothing between. */
struct group {
	uint32_t mark, len; /* the directory: so much of that one's path; 0: a free place */
	uint32_t n;
};

struct room {
	uint64_t turn;
	uint32_t n_badges;
	uint32_t n_groups;    /* a power of two */
	uint64_t *used;       /* owned, by row of badges: in which turn; 0: not by this process */
	bool *holds;          /* owned, likewise: for room_idle */
	struct group *groups; /* owned, found by their paths: for room_join */
};

struct room *room_create(const struct authority_size *size)
{
	struct room *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->n_badges = size->badges;
	for (r->n_groups = 4; r->n_groups < size->marks * 4; r->n_groups *= 2) /* two of each mark, half full */
		;
	r->used = calloc(r->n_badges, sizeof *r->used);
	r->holds = calloc(r->n_badges, sizeof *r->holds);
	r->groups = calloc(r->n_groups, sizeof *r->groups);
	if (r->used != NULL && r->holds != NULL && r->groups != NULL)
		return r;
	room_destroy(r);
	return NULL;
}

void room_destroy(struct room *r)
{
	if (r == NULL)
		return;
	free(r->used);
	free(r->holds);
	free(r->groups);
	free(r);
}

/* ---- badges ---- */

void room_used(struct room *r, authority_ref badge)
{
	if (badge != 0 && AUTHORITY_ROW(badge) < r->n_badges)
		r->used[AUTHORITY_ROW(badge)] = ++r->turn;
}

static bool is_bounded(const struct authority_bounds *b)
{
	return b->q.uses != 0 || b->q.bytes != 0 || b->q.rate != 0 || b->rows != 0;
}

static void note_holds(struct room *r, authority_ref badge)
{
	if (badge != 0)
		r->holds[AUTHORITY_ROW(badge)] = true;
}

/* What a badge that ends would take with it. What a sub-agent is labelled with and used, who asked for it has and is charged as well. */
static void look_through(struct room *r, const struct authority *a)
{
	struct authority_size ends;
	struct authority_badge_told b;
	struct authority_grant_told g;
	struct authority_ask_told k;

	authority_used(a, &ends);
	memset(r->holds, 0, r->n_badges * sizeof *r->holds);
	for (uint32_t i = 0; i < ends.badges; i++) {
		if (!authority_badge_at(a, i, &b))
			continue;
		note_holds(r, b.parent);
		if ((b.parent == 0 && b.labels != 0) || b.frozen || is_bounded(&b.bounds))
			note_holds(r, b.ref);
	}
	for (uint32_t i = 0; i < ends.grants; i++)
		if (authority_grant_at(a, i, &g) && (g.revoked || (g.parent == 0 && is_bounded(&g.bounds))))
			note_holds(r, g.badge);
	for (uint32_t i = 0; i < ends.asks; i++)
		if (authority_ask_at(a, i, &k))
			note_holds(r, k.badge);
}

/* Among the n that were used before it, or behind them; gives how many there are. */
static uint32_t insert(const struct room *r, authority_ref badge, authority_ref ret[ROOM_IDLE_MAX], uint32_t n)
{
	const uint64_t used = r->used[AUTHORITY_ROW(badge)];
	uint32_t at = n;

	while (at > 0 && r->used[AUTHORITY_ROW(ret[at - 1])] > used)
		at--;
	if (at == ROOM_IDLE_MAX)
		return n;
	n = n < ROOM_IDLE_MAX ? n + 1 : n;
	memmove(ret + at + 1, ret + at, (n - at - 1) * sizeof *ret);
	ret[at] = badge;
	return n;
}

uint32_t room_idle(struct room *r, const struct authority *a, bool (*is_in_use)(void *of, authority_ref badge),
		   void *of, authority_ref ret[ROOM_IDLE_MAX])
{
	struct authority_badge_told b;
	uint32_t n = 0;

	look_through(r, a);
	for (uint32_t i = 0; i < r->n_badges; i++)
		if (!r->holds[i] && authority_badge_at(a, i, &b) && !is_in_use(of, b.ref))
			n = insert(r, b.ref, ret, n);
	return n;
}

/* ---- marks ---- */

static uint32_t directory_of(const char *path)
{
	return (uint32_t)(strrchr(path, '/') - path); /* GRANT_OBJECT_MAX; 0: of "/" */
}

static struct group *group_at(struct room *r, const struct authority *a, const char *path, uint32_t len)
{
	uint64_t h = fnv(FNV_BASIS, path, len);
	struct authority_mark_told m;

	for (h ^= h >> 32;; h++) {
		struct group *g = &r->groups[h & (r->n_groups - 1)];

		if (g->n == 0 || (g->len == len && authority_mark_at(a, g->mark, &m) && memcmp(m.path, path, len) == 0))
			return g;
	}
}

static void count(struct room *r, const struct authority *a, uint32_t mark, const char *path, uint32_t len)
{
	struct group *g = group_at(r, a, path, len);

	g->mark = mark;
	g->len = len;
	g->n++;
}

static unsigned depth_of(const char *path, uint32_t len)
{
	unsigned depth = 0;

	for (uint32_t i = 0; i < len; i++)
		depth += path[i] == '/';
	return depth;
}

bool room_join(struct room *r, const struct authority *a, char ret[GRANT_OBJECT_MAX])
{
	struct authority_size ends;
	struct authority_mark_told m;
	unsigned deepest = 0;
	uint32_t most = 0;

	authority_used(a, &ends);
	memset(r->groups, 0, r->n_groups * sizeof *r->groups);
	for (uint32_t i = 0; i < ends.marks; i++)
		if (authority_mark_at(a, i, &m)) {
			count(r, a, i, m.path, (uint32_t)strlen(m.path));
			count(r, a, i, m.path, directory_of(m.path));
		}
	for (uint32_t i = 0; i < r->n_groups; i++) {
		const struct group *g = &r->groups[i];
		unsigned depth;

		if (g->n < 2 || g->len == 0 || !authority_mark_at(a, g->mark, &m))
			continue;
		depth = depth_of(m.path, g->len);
		if (depth < deepest || (depth == deepest && g->n <= most))
			continue;
		deepest = depth;
		most = g->n;
		memcpy(ret, m.path, g->len); /* shorter than the path of a mark */
		ret[g->len] = 0;
	}
	return most > 0;
}
