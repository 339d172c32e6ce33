#include "audit/walk.h"

#include <errno.h>
#include <stdlib.h>

#include "ledger/tile.h"

/* Of a bundle as many entries as the tree has. */
static void list_entries(struct rbuf r, size_t most, struct walk_room *room)
{
	const uint8_t *entry;
	size_t len;

	while (room->count < most && (entry = bundle_next(&r, &len)) != NULL) {
		room->at[room->count] = entry;
		room->n[room->count++] = len;
	}
}

void walk_room_finish(struct walk_room *room)
{
	buf_finish(&room->bytes);
	room->holds = false;
}

static void note_unread(struct walk_result *ret, uint64_t from, uint64_t n)
{
	if (n > 0 && (ret->unread == 0 || from < ret->unread_at))
		ret->unread_at = from;
	ret->unread += n;
}

static void read_bundle(const struct snapshot *s, uint64_t index, struct walk_room *room, struct walk_result *result)
{
	const size_t width = tile_width(s->size, 0, index);
	struct rbuf r;

	room->bytes.max = SOURCE_BUNDLE_MAX;
	room->count = 0;
	room->bundle = index;
	room->holds = true;
	if (snapshot_bundle(s, index, &room->bytes, &r) == 0)
		list_entries(r, width, room);
	note_unread(result, index * TILE_WIDTH + room->count, width - room->count);
}

static uint64_t bundles(const struct snapshot *s)
{
	return s->size / TILE_WIDTH + (s->size % TILE_WIDTH != 0 ? 1 : 0);
}

/* A checkpoint that nobody signed may say any size: what is not there for long is not looked for to its end. */
#define UNREAD_MAX (UINT64_C(1) << 20)

int walk_from(const struct snapshot *s, uint64_t index, walk_fn *take, void *arg, struct walk_result *ret)
{
	__attribute__((cleanup(walk_room_finish))) struct walk_room room = { .holds = false };
	int r = 0;

	for (uint64_t i = index / TILE_WIDTH; i < bundles(s) && r == 0 && ret->unread < UNREAD_MAX; i++) {
		read_bundle(s, i, &room, ret);
		for (size_t k = i == index / TILE_WIDTH ? index % TILE_WIDTH : 0; k < room.count && r == 0; k++)
			r = take(arg, i * TILE_WIDTH + k, true, room.at[k], room.n[k]);
	}
	return r;
}

static int walk_group(const struct journal_group *g, walk_fn *take, void *arg)
{
	const uint8_t *entry;
	struct rbuf r;
	size_t len;
	int rc = 0;

	rbuf_init(&r, g->entries, g->bytes);
	for (uint64_t i = g->first; rc == 0 && (entry = bundle_next(&r, &len)) != NULL; i++)
		rc = take(arg, i, false, entry, len);
	return rc;
}

int walk_unsigned(const struct snapshot *s, walk_fn *take, void *arg, struct walk_result *ret)
{
	struct snapshot_journal *j = calloc(1, sizeof *j);
	struct journal_group g;
	int r = j == NULL ? -ENOMEM : 0;

	if (j != NULL && snapshot_journal_begin(s, j)) {
		while (r == 0 && snapshot_journal_next(j, &g))
			r = walk_group(&g, take, arg);
		ret->torn = j->torn;
	}
	free(j);
	return r;
}

int walk_numbers(const struct snapshot *s, const struct numbers *numbers, walk_fn *take, void *arg,
		 struct walk_result *ret)
{
	__attribute__((cleanup(walk_room_finish))) struct walk_room room = { .holds = false };
	int r = 0;

	*ret = (struct walk_result){ .unread = 0 };
	for (size_t i = 0; i < numbers->n && r == 0; i++) {
		const uint64_t index = numbers_at(numbers, i);
		size_t n;
		const uint8_t *bytes = walk_to(s, index, &room, &n);

		if (bytes != NULL)
			r = take(arg, index, true, bytes, n);
		else
			note_unread(ret, index, 1);
	}
	r = r != 0 ? r : walk_from(s, numbers->size, take, arg, ret);
	return r != 0 ? r : walk_unsigned(s, take, arg, ret);
}

int walk_log(const struct snapshot *s, walk_fn *take, void *arg, struct walk_result *ret)
{
	static const struct numbers none;

	return walk_numbers(s, &none, take, arg, ret);
}

/* A group cannot be found from its end, so of the journal all is listed first. */
struct listed {
	struct buf entries; /* owned; struct listed_entry each */
};

struct listed_entry {
	uint64_t index;
	const uint8_t *bytes; /* borrowed: the snapshot has them */
	size_t n;
};

static int list_one(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	const struct listed_entry one = { .index = index, .bytes = bytes, .n = n };
	struct listed *l = arg;

	(void)is_signed; /* none of them is */
	buf_put(&l->entries, &one, sizeof one);
	return l->entries.failed ? -ENOMEM : 0;
}

static int walk_journal_back(const struct snapshot *s, walk_fn *take, void *arg, struct walk_result *ret)
{
	struct listed l;
	int r;

	buf_init(&l.entries, (size_t)SNAPSHOT_JOURNAL_MAX * sizeof(struct listed_entry));
	r = walk_unsigned(s, list_one, &l, ret);
	for (size_t n = l.entries.len / sizeof(struct listed_entry); n > 0 && r == 0; n--) {
		const struct listed_entry *one = (const struct listed_entry *)(const void *)l.entries.data + (n - 1);

		r = take(arg, one->index, false, one->bytes, one->n);
	}
	buf_finish(&l.entries);
	return r;
}

int walk_back(const struct snapshot *s, walk_fn *take, void *arg, struct walk_result *ret)
{
	__attribute__((cleanup(walk_room_finish))) struct walk_room room = { .holds = false };
	int r;

	*ret = (struct walk_result){ .unread = 0 };
	r = walk_journal_back(s, take, arg, ret);
	for (uint64_t i = bundles(s); i > 0 && r == 0 && ret->unread < UNREAD_MAX; i--) {
		read_bundle(s, i - 1, &room, ret);
		for (size_t k = room.count; k > 0 && r == 0; k--)
			r = take(arg, (i - 1) * TILE_WIDTH + k - 1, true, room.at[k - 1], room.n[k - 1]);
	}
	return r;
}

const uint8_t *walk_to(const struct snapshot *s, uint64_t index, struct walk_room *room, size_t *ret_n)
{
	struct walk_result ignored = { .unread = 0 };

	if (index >= s->size)
		return NULL;
	if (!room->holds || room->bundle != index / TILE_WIDTH)
		read_bundle(s, index / TILE_WIDTH, room, &ignored);
	if (index % TILE_WIDTH >= room->count)
		return NULL;
	*ret_n = room->n[index % TILE_WIDTH];
	return room->at[index % TILE_WIDTH];
}
