#include "stage/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "judge/judge.h"

#define BLOCK_BYTES ((size_t)1 << 18)

struct pool_block {
	struct pool_block *next;
	size_t used, room;
	char bytes[];
};

void plan_finish(struct plan *p)
{
	free(p->entries);
	while (p->pool != NULL) {
		struct pool_block *const next = p->pool->next;

		free(p->pool);
		p->pool = next;
	}
	*p = (struct plan){ .entries = NULL };
}

struct plan_entry *plan_add(struct plan *p)
{
	if (p->n >= PLAN_NONE)
		return NULL;
	if (p->n == p->room) {
		const size_t room = p->room == 0 ? 64 : p->room * 2;
		struct plan_entry *entries = reallocarray(p->entries, room, sizeof entries[0]);

		if (entries == NULL)
			return NULL;
		p->entries = entries;
		p->room = room;
	}
	p->entries[p->n] = (struct plan_entry){ .parent = PLAN_NONE, .pair = PLAN_NONE, .link = PLAN_NONE };
	return &p->entries[p->n++];
}

static char *pool_take(struct plan *p, size_t n)
{
	if (p->pool == NULL || p->pool->room - p->pool->used < n) {
		const size_t room = n > BLOCK_BYTES ? n : BLOCK_BYTES;
		struct pool_block *b = malloc(sizeof *b + room);

		if (b == NULL)
			return NULL;
		*b = (struct pool_block){ .next = p->pool, .room = room };
		p->pool = b;
	}
	p->pool->used += n;
	return p->pool->bytes + p->pool->used - n;
}

char *plan_keep(struct plan *p, const char *text)
{
	return plan_join(p, "", text);
}

char *plan_join(struct plan *p, const char *dir, const char *name)
{
	const size_t a = strlen(dir), b = strlen(name), slash = a > 0 ? 1 : 0;
	char *room = pool_take(p, a + slash + b + 1);

	if (room == NULL)
		return NULL;
	memcpy(room, dir, a); /* NOLINT(bugprone-not-null-terminated-result): the name follows, with its NUL */
	if (slash != 0)
		room[a] = '/';
	memcpy(room + a + slash, name, b + 1);
	return room;
}

/* By tree and path; the slash before every other byte, so that what is in a directory follows it. */
static int by_path(const void *left, const void *right)
{
	const struct plan_entry *const x = left, *const y = right;
	size_t i = 0;

	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	while (x->path[i] != 0 && x->path[i] == y->path[i])
		i++;
	if (x->path[i] == 0 || y->path[i] == 0)
		return (x->path[i] != 0) - (y->path[i] != 0);
	if (x->path[i] == '/' || y->path[i] == '/')
		return (y->path[i] == '/') - (x->path[i] == '/');
	return (unsigned char)x->path[i] < (unsigned char)y->path[i] ? -1 : x->path[i] != y->path[i];
}

bool plan_is_beneath(const struct plan_entry *dir, const struct plan_entry *x)
{
	const size_t n = strlen(dir->path);

	return dir->tree == x->tree &&
	       (n == 0 ? x->path[0] != 0 : strncmp(dir->path, x->path, n) == 0 && x->path[n] == '/');
}

static void find_parents(struct plan *p)
{
	uint32_t up = PLAN_NONE; /* the innermost directory around the entry */

	for (uint32_t i = 0; i < p->n; i++) {
		while (up != PLAN_NONE && !plan_is_beneath(&p->entries[up], &p->entries[i]))
			up = p->entries[up].parent;
		p->entries[i].parent = up;
		up = i;
	}
}

/* Indexes of some of the entries, to be sorted by what they are looked up by. */
struct key {
	uint64_t a, b;
	uint32_t index;
	uint16_t tree;
};

static int by_key(const void *left, const void *right)
{
	const struct key *const x = left, *const y = right;

	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	if (x->b != y->b)
		return x->b < y->b ? -1 : 1;
	return x->index < y->index ? -1 : x->index != y->index;
}

static bool same_key(const struct key *x, const struct key *y)
{
	return x->tree == y->tree && x->a == y->a && x->b == y->b;
}

typedef bool wanted_fn(const struct plan_entry *x, struct key *ret);

/* The entries that are wanted, sorted; NULL if there are none, or no memory. */
static struct key *keys_of(const struct plan *p, wanted_fn *wanted, size_t *ret_n, int *ret_error)
{
	struct key *keys = malloc((p->n + 1) * sizeof keys[0]);
	size_t n = 0;

	*ret_error = keys == NULL ? -ENOMEM : 0;
	for (uint32_t i = 0; keys != NULL && i < p->n; i++)
		if (wanted(&p->entries[i], &keys[n])) {
			keys[n].index = i;
			keys[n].tree = p->entries[i].tree;
			n++;
		}
	*ret_n = n;
	if (n > 1)
		qsort(keys, n, sizeof keys[0], by_key);
	return keys;
}

static bool has_links(const struct plan_entry *x, struct key *ret)
{
	ret->a = x->new.ino;
	ret->b = 0;
	return (x->act == ACT_IN || x->act == ACT_SWAP) && !S_ISDIR(x->new.mode) && x->new.nlink > 1;
}

/* Whether the real tree has the same names for one file already. */
static bool is_linked_already(const struct plan *p, const struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct plan_entry *x = &p->entries[keys[i].index];

		if ((x->flags & PLAN_QUIET) == 0 || x->old.ino != p->entries[keys[0].index].old.ino)
			return false;
	}
	return true;
}

static void join_links(struct plan *p, const struct key *keys, size_t n)
{
	const bool nothing = is_linked_already(p, keys, n);

	for (size_t i = 0; i < n; i++) {
		struct plan_entry *x = &p->entries[keys[i].index];

		if (nothing)
			x->act = ACT_NONE;
		else if (i > 0) {
			x->link = keys[0].index;
			x->kind = CHANGE_LINK;
		}
	}
}

static int find_links(struct plan *p)
{
	size_t n, end;
	int r;
	auto_free struct key *keys = keys_of(p, has_links, &n, &r);

	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && same_key(&keys[i], &keys[end]);)
			end++;
		join_links(p, keys + i, end - i);
	}
	return r;
}

static bool is_deleted_file(const struct plan_entry *x, struct key *ret)
{
	ret->a = (uint64_t)x->old.mtime_ns;
	ret->b = x->old.size;
	return x->kind == CHANGE_DELETED && S_ISREG(x->old.mode);
}

static uint32_t only_match(const struct key *keys, size_t n, const struct key *want)
{
	size_t low = 0, high = n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (by_key(&keys[middle], want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == n || !same_key(&keys[low], want) || (low + 1 < n && same_key(&keys[low + 1], want)))
		return PLAN_NONE;
	return keys[low].index;
}

/* A file that was copied up under a name that is now gone, to all appearances. */
static int find_renames(struct plan *p)
{
	size_t n;
	int r;
	auto_free struct key *keys = keys_of(p, is_deleted_file, &n, &r);

	for (uint32_t i = 0; n > 0 && i < p->n; i++) {
		struct plan_entry *x = &p->entries[i];
		const struct key want = { .tree = x->tree, .a = (uint64_t)x->new.mtime_ns, .b = x->new.size };
		uint32_t from;

		if (x->kind != CHANGE_ADDED || (x->flags & PLAN_ORIGIN) == 0 || !S_ISREG(x->new.mode))
			continue;
		from = only_match(keys, n, &want);
		if (from == PLAN_NONE || p->entries[from].kind == 0)
			continue;
		x->kind = CHANGE_RENAMED;
		x->pair = from;
		p->entries[from].pair = i;
		p->entries[from].kind = 0;
	}
	return r;
}

int plan_settle(struct plan *p)
{
	int r;

	if (p->n > 1)
		qsort(p->entries, p->n, sizeof p->entries[0], by_path);
	find_parents(p);
	r = find_links(p);
	return r < 0 ? r : find_renames(p);
}

void plan_hold(struct plan_entry *x, enum change_held held, const char *reason)
{
	if (x->held >= held)
		return; /* the numbers rise with what cannot be overruled */
	x->held = (uint8_t)held;
	x->reason = reason;
}

/* An index of git that lost what the event could not see. That goes before a conflict: to leave the index out is no way out of it, since what
 * git made of it is in the other files. */
static bool has_lost(const struct plan_entry *x)
{
	return x->held == HELD_CONFLICT && x->judge == JUDGE_GIT_INDEX && x->judged == HELD_PROTECTED;
}

static uint8_t own_held(const struct plan_entry *x)
{
	return x->held != HELD_NOT && !has_lost(x) ? x->held : x->judged;
}

uint8_t plan_held(const struct plan *p, const struct plan_entry *x)
{
	const uint8_t held = own_held(x);

	if (held != HELD_NOT || x->pair == PLAN_NONE || x->kind == 0)
		return held;
	return own_held(&p->entries[x->pair]);
}

static const char *reason_of(const struct plan *p, const struct plan_entry *x)
{
	const struct plan_entry *from = own_held(x) == HELD_NOT && x->pair != PLAN_NONE ? &p->entries[x->pair] : x;
	const struct plan_entry *by = own_held(from) != HELD_NOT ? from : x;
	const char *reason = by->held != HELD_NOT && !has_lost(by) ? by->reason : by->judge_reason;

	return reason != NULL ? reason : "";
}

void plan_change(const struct plan *p, const struct plan_entry *x, struct change *ret)
{
	const struct plan_entry *was = x->kind == CHANGE_RENAMED ? &p->entries[x->pair] : x;
	const char *from = x->kind == CHANGE_RENAMED ? was->path
			   : x->kind == CHANGE_LINK  ? p->entries[x->link].path
						     : "";

	ret->kind = x->kind;
	ret->type = x->type;
	ret->held = plan_held(p, x);
	ret->later = x->later;
	ret->judge = x->judge;
	ret->has_digest = 0;
	ret->tree = x->tree;
	ret->mode_old = was->old.mode & 07777;
	ret->mode_new = x->new.mode & 07777;
	ret->size_old = S_ISREG(was->old.mode) ? was->old.size : 0;
	ret->size_new = S_ISREG(x->new.mode) ? x->new.size : 0;
	ret->path = x->path;
	ret->from = from;
	ret->reason = reason_of(p, x);
}
