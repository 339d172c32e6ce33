#include "core/authority_rows.h"

#include <string.h>

#include "base/fnv.h"

#define ROWS_MAX (1u << ROW_BITS)
#define TEXT_MAX (1u << 30)
#define ALIGNMENT 16

/* ---- memory ---- */

static size_t aligned(size_t n)
{
	return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Of a finder: a power of two, twice the rows at least. */
static uint32_t slots_for(uint32_t rows)
{
	uint32_t n = 4;

	while (n < rows * 2)
		n *= 2;
	return n;
}

static bool is_size(const struct authority_size *s)
{
#define TABLE_IN_RANGE(name, type)                                                                                     \
	if (s->name == 0 || s->name > ROWS_MAX)                                                                        \
		return false;
	AUTHORITY_TABLES(TABLE_IN_RANGE)
#undef TABLE_IN_RANGE
	return s->text > 0 && s->text <= TEXT_MAX;
}

static size_t actions_bytes(const struct authority_size *s)
{
	return ((size_t)s->badges + s->grants) * sizeof(struct authority_action); /* a step tells each once */
}

size_t authority_bytes(const struct authority_size *s)
{
	size_t n = aligned(sizeof(struct authority));

	if (!is_size(s))
		return 0;
#define TABLE_BYTES(name, type) n += aligned(s->name * sizeof(type));
	AUTHORITY_TABLES(TABLE_BYTES)
#undef TABLE_BYTES
	n += aligned(slots_for(s->badges) * sizeof(uint32_t)) + aligned(slots_for(s->grants) * sizeof(uint32_t)) +
	     aligned(slots_for(s->keys) * sizeof(uint32_t));
	return n + 2 * aligned(s->text) + aligned(actions_bytes(s));
}

static void *carve(char **at, size_t n)
{
	char *p = *at;

	*at += aligned(n);
	return p;
}

static struct finder finder_in(char **at, uint32_t rows)
{
	const uint32_t n = slots_for(rows);

	return (struct finder){ .slots = carve(at, n * sizeof(uint32_t)), .mask = n - 1 };
}

struct authority *authority_init(void *room, const struct authority_size *size)
{
	const size_t bytes = authority_bytes(size);
	struct authority *a = room;
	char *at = room;

	if (bytes == 0)
		return NULL;
	(void)carve(&at, sizeof *a);
	a->size = *size;
	a->next_grant_ms = a->next_ask_ms = UINT64_MAX;
#define TABLE_CARVE(name, type) a->name = carve(&at, size->name * sizeof(type));
	AUTHORITY_TABLES(TABLE_CARVE)
#undef TABLE_CARVE
	a->badge_ids = finder_in(&at, size->badges);
	a->grant_ids = finder_in(&at, size->grants);
	a->key_names = finder_in(&at, size->keys);
	a->text = carve(&at, size->text);
	a->spare = carve(&at, size->text);
	a->actions = carve(&at, actions_bytes(size));
	return a;
}

static void finder_empty(struct finder *f)
{
	memset(f->slots, 0, ((size_t)f->mask + 1) * sizeof *f->slots);
}

/* Memory that nobody used stays untouched. */
void authority_empty(struct authority *a)
{
	if (a->badges_end > 0)
		finder_empty(&a->badge_ids);
	if (a->grants_end > 0)
		finder_empty(&a->grant_ids);
	if (a->keys_end > 0)
		finder_empty(&a->key_names);
#define TABLE_EMPTY(name, type)                                                                                        \
	memset(a->name, 0, a->name##_end * sizeof(type));                                                              \
	a->name##_free = a->name##_used = a->name##_end = 0;
	AUTHORITY_TABLES(TABLE_EMPTY)
#undef TABLE_EMPTY
	a->text_end = a->text_live = a->n_actions = 0;
	a->ticks_ms = 0;
	a->next_grant_ms = a->next_ask_ms = UINT64_MAX;
	a->frozen = false;
}

const struct authority_size *authority_size(const struct authority *a)
{
	return &a->size;
}

bool is_zeroes(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

void act(struct authority *a, enum authority_act what, authority_ref ref)
{
	a->actions[a->n_actions++] = (struct authority_action){ .act = what, .ref = ref };
}

/* ---- references ---- */

static authority_ref ref_to(const struct row *row, uint32_t i)
{
	return (row->turn + 1) << ROW_BITS | i;
}

/* 0 refers to nothing. */
static bool is_of(const struct row *row, authority_ref ref)
{
	return row->live && row->turn + 1 == ref >> ROW_BITS;
}

authority_ref badge_ref(const struct authority *a, uint32_t badge)
{
	return badge == ROW_NONE ? 0 : ref_to(&a->badges[badge].row, badge);
}

authority_ref grant_ref(const struct authority *a, uint32_t grant)
{
	return grant == ROW_NONE ? 0 : ref_to(&a->grants[grant].row, grant);
}

authority_ref ask_ref(const struct authority *a, uint32_t ask)
{
	return ask == ROW_NONE ? 0 : ref_to(&a->asks[ask].row, ask);
}

uint32_t badge_of(const struct authority *a, authority_ref ref)
{
	const uint32_t i = AUTHORITY_ROW(ref);

	return i < a->size.badges && is_of(&a->badges[i].row, ref) ? i : ROW_NONE;
}

uint32_t grant_of(const struct authority *a, authority_ref ref)
{
	const uint32_t i = AUTHORITY_ROW(ref);

	return i < a->size.grants && is_of(&a->grants[i].row, ref) ? i : ROW_NONE;
}

uint32_t ask_of(const struct authority *a, authority_ref ref)
{
	const uint32_t i = AUTHORITY_ROW(ref);

	return i < a->size.asks && is_of(&a->asks[i].row, ref) ? i : ROW_NONE;
}

/* ---- texts ---- */

static size_t text_bytes(const char *text)
{
	return text[0] != 0 ? strlen(text) + 1 : 0;
}

bool has_text_room(const struct authority *a, const char *first, const char *second)
{
	return text_bytes(first) + text_bytes(second) <= a->size.text - a->text_live;
}

const char *text_of(const struct authority *a, struct text t)
{
	return t.len > 0 ? a->text + t.at : "";
}

const char *badge_agent(const struct authority *a, uint32_t badge)
{
	return text_of(a, a->badges[badge].name);
}

const char *holding_object(const struct authority *a, uint32_t grant)
{
	return text_of(a, a->grants[grant].object);
}

static void move_text(struct authority *a, struct text *t)
{
	if (t->len == 0)
		return;
	memcpy(a->spare + a->text_end, a->text + t->at, t->len + 1);
	t->at = a->text_end;
	a->text_end += t->len + 1;
}

/* What lives goes to the other half; what a request borrowed of this one is still there meanwhile. */
static void gather_texts(struct authority *a)
{
	char *other = a->spare;

	a->text_end = 0;
	for (uint32_t i = 0; i < a->badges_end; i++)
		if (a->badges[i].row.live)
			move_text(a, &a->badges[i].name);
	for (uint32_t i = 0; i < a->grants_end; i++)
		if (a->grants[i].row.live) {
			move_text(a, &a->grants[i].object);
			move_text(a, &a->grants[i].terms);
		}
	for (uint32_t i = 0; i < a->marks_end; i++)
		if (a->marks[i].row.live)
			move_text(a, &a->marks[i].path);
	for (uint32_t i = 0; i < a->agents_end; i++)
		if (a->agents[i].row.live)
			move_text(a, &a->agents[i].name);
	a->spare = a->text;
	a->text = other;
}

/* Into a row that is not live yet, or has none. */
struct text text_keep(struct authority *a, const char *text)
{
	const uint32_t n = (uint32_t)text_bytes(text); /* there is room for it */
	struct text t = { .len = n > 0 ? n - 1 : 0 };

	if (n == 0)
		return t;
	if (n > a->size.text - a->text_end)
		gather_texts(a);
	t.at = a->text_end;
	memcpy(a->text + t.at, text, n);
	a->text_end += n;
	a->text_live += n;
	return t;
}

static void drop_text(struct authority *a, struct text *t)
{
	if (t->len > 0)
		a->text_live -= t->len + 1;
	*t = (struct text){ .at = 0 };
}

/* ---- finders ---- */

static uint32_t hash_of(const uint8_t *bytes, size_t n, uint32_t with)
{
	uint64_t h = fnv(FNV_BASIS, bytes, n);

	h = fnv(h, &with, sizeof with);
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t badge_hash(const struct authority *a, uint32_t i)
{
	return hash_of(a->badges[i].id, AUTHORITY_ID, 0);
}

static uint32_t grant_hash(const struct authority *a, uint32_t i)
{
	return hash_of(a->grants[i].id, AUTHORITY_ID, 0);
}

static uint32_t key_hash(const struct authority *a, uint32_t i)
{
	return hash_of(a->keys[i].key, AUTHORITY_DIGEST, a->keys[i].badge);
}

typedef uint32_t hash_fn(const struct authority *a, uint32_t row);

static void finder_add(struct finder *f, uint32_t hash, uint32_t row)
{
	uint32_t i = hash & f->mask;

	while (f->slots[i] != 0)
		i = (i + 1) & f->mask;
	f->slots[i] = row + 1;
}

/* What stands behind it moves up if it would not be found any more. */
static void finder_drop(const struct authority *a, struct finder *f, hash_fn *hash, uint32_t row)
{
	uint32_t hole = hash(a, row) & f->mask;

	while (f->slots[hole] != row + 1)
		hole = (hole + 1) & f->mask;
	for (uint32_t i = (hole + 1) & f->mask; f->slots[i] != 0; i = (i + 1) & f->mask) {
		const uint32_t home = hash(a, f->slots[i] - 1) & f->mask;

		if (((i - home) & f->mask) < ((i - hole) & f->mask))
			continue; /* its home is behind the hole */
		f->slots[hole] = f->slots[i];
		hole = i;
	}
	f->slots[hole] = 0;
}

uint32_t badge_with_id(const struct authority *a, const uint8_t id[AUTHORITY_ID])
{
	const struct finder *f = &a->badge_ids;

	for (uint32_t i = hash_of(id, AUTHORITY_ID, 0) & f->mask; f->slots[i] != 0; i = (i + 1) & f->mask)
		if (memcmp(a->badges[f->slots[i] - 1].id, id, AUTHORITY_ID) == 0)
			return f->slots[i] - 1;
	return ROW_NONE;
}

uint32_t grant_with_id(const struct authority *a, const uint8_t id[AUTHORITY_ID])
{
	const struct finder *f = &a->grant_ids;

	for (uint32_t i = hash_of(id, AUTHORITY_ID, 0) & f->mask; f->slots[i] != 0; i = (i + 1) & f->mask)
		if (memcmp(a->grants[f->slots[i] - 1].id, id, AUTHORITY_ID) == 0)
			return f->slots[i] - 1;
	return ROW_NONE;
}

uint32_t key_with_name(const struct authority *a, uint32_t badge, const uint8_t name[AUTHORITY_DIGEST])
{
	const struct finder *f = &a->key_names;

	for (uint32_t i = hash_of(name, AUTHORITY_DIGEST, badge) & f->mask; f->slots[i] != 0; i = (i + 1) & f->mask) {
		const struct key *k = &a->keys[f->slots[i] - 1];

		if (k->badge == badge && memcmp(k->key, name, AUTHORITY_DIGEST) == 0)
			return f->slots[i] - 1;
	}
	return ROW_NONE;
}

uint32_t agent_with_name(const struct authority *a, const char *name)
{
	for (uint32_t i = 0, seen = 0; seen < a->agents_used; i++) {
		if (!a->agents[i].row.live)
			continue;
		if (strcmp(text_of(a, a->agents[i].name), name) == 0)
			return i;
		seen++;
	}
	return ROW_NONE;
}

uint32_t mark_with_path(const struct authority *a, const char *path)
{
	for (uint32_t i = 0, seen = 0; seen < a->marks_used; i++) {
		if (!a->marks[i].row.live)
			continue;
		if (strcmp(text_of(a, a->marks[i].path), path) == 0)
			return i;
		seen++;
	}
	return ROW_NONE;
}

void badge_found(struct authority *a, uint32_t badge)
{
	finder_add(&a->badge_ids, badge_hash(a, badge), badge);
}

uint32_t object_sum(const char *object)
{
	return hash_of((const uint8_t *)object, strlen(object), 0);
}

void grant_found(struct authority *a, uint32_t grant)
{
	a->grants[grant].sum = object_sum(text_of(a, a->grants[grant].object));
	finder_add(&a->grant_ids, grant_hash(a, grant), grant);
}

void key_found(struct authority *a, uint32_t key)
{
	finder_add(&a->key_names, key_hash(a, key), key);
}

/* ---- rows ---- */

/* The lowest free one, emptied but for its turn. */
#define NEW_ROW(table)                                                                                                 \
	uint32_t i = a->table##_free;                                                                                  \
	uint64_t turn;                                                                                                 \
	while (a->table[i].row.live)                                                                                   \
		i++;                                                                                                   \
	turn = a->table[i].row.turn;                                                                                   \
	memset(&a->table[i], 0, sizeof a->table[i]);                                                                   \
	a->table[i].row = (struct row){ .turn = turn, .live = true };                                                  \
	a->table##_free = i + 1;                                                                                       \
	if (i >= a->table##_end)                                                                                       \
		a->table##_end = i + 1;                                                                                \
	a->table##_used++

#define DROP_ROW(table, i)                                                                                             \
	do {                                                                                                           \
		a->table[i].row.live = false;                                                                          \
		a->table[i].row.turn++;                                                                                \
		a->table##_used--;                                                                                     \
		if ((i) < a->table##_free)                                                                             \
			a->table##_free = (i);                                                                         \
	} while (0)

void badge_link(struct authority *a, uint32_t badge)
{
	struct badge *b = &a->badges[badge];
	struct badge *p = &a->badges[b->parent];

	b->next = p->first;
	if (b->next != ROW_NONE)
		a->badges[b->next].prev = badge;
	p->first = badge;
}

uint32_t badge_new(struct authority *a, uint32_t parent, const uint8_t id[AUTHORITY_ID], const char *name)
{
	const struct text kept = text_keep(a, name);
	NEW_ROW(badges);
	struct badge *b = &a->badges[i];

	b->parent = parent;
	b->first = b->prev = b->next = b->grants = b->keys = ROW_NONE;
	memcpy(b->id, id, AUTHORITY_ID);
	b->name = kept;
	b->agent = agent_with_name(a, name);
	rate_init(&b->asks, AUTHORITY_ASKS_PER_HOUR, AUTHORITY_HOUR_MS, a->ticks_ms);
	if (parent != ROW_NONE)
		badge_link(a, i);
	badge_found(a, i);
	return i;
}

void grant_link(struct authority *a, uint32_t grant)
{
	struct holding *g = &a->grants[grant];
	struct holding *p = g->parent == ROW_NONE ? NULL : &a->grants[g->parent];

	g->of_badge = a->badges[g->badge].grants;
	a->badges[g->badge].grants = grant;
	if (p == NULL)
		return;
	g->next = p->first;
	if (g->next != ROW_NONE)
		a->grants[g->next].prev = grant;
	p->first = grant;
}

uint32_t grant_new(struct authority *a, uint32_t badge, uint32_t parent, const uint8_t id[AUTHORITY_ID],
		   const char *object, const char *terms)
{
	const struct text kept = text_keep(a, object);
	NEW_ROW(grants);
	struct holding *g = &a->grants[i];

	g->object = kept; /* before another text may move it */
	g->terms = text_keep(a, terms);
	g->badge = badge;
	g->parent = parent;
	g->first = g->prev = g->next = ROW_NONE;
	memcpy(g->id, id, AUTHORITY_ID);
	grant_link(a, i);
	grant_found(a, i);
	return i;
}

uint32_t ask_new(struct authority *a)
{
	NEW_ROW(asks);
	return i;
}

void key_link(struct authority *a, uint32_t key)
{
	struct key *k = &a->keys[key];

	k->next = a->badges[k->badge].keys;
	a->badges[k->badge].keys = key;
}

uint32_t key_new(struct authority *a, uint32_t badge, const uint8_t name[AUTHORITY_DIGEST])
{
	NEW_ROW(keys);
	struct key *k = &a->keys[i];

	k->badge = badge;
	memcpy(k->key, name, AUTHORITY_DIGEST);
	key_link(a, i);
	key_found(a, i);
	return i;
}

uint32_t pass_new(struct authority *a)
{
	NEW_ROW(passes);
	return i;
}

uint32_t mark_new(struct authority *a, const char *path)
{
	const struct text kept = text_keep(a, path);
	NEW_ROW(marks);

	a->marks[i].path = kept;
	return i;
}

uint32_t agent_new(struct authority *a, const char *name)
{
	const struct text kept = text_keep(a, name);
	NEW_ROW(agents);

	a->agents[i].name = kept;
	for (uint32_t b = 0; b < a->badges_end; b++)
		if (a->badges[b].row.live && strcmp(badge_agent(a, b), name) == 0)
			a->badges[b].agent = i;
	return i;
}

uint32_t origin_new(struct authority *a)
{
	NEW_ROW(origins);
	return i;
}

void agent_drop(struct authority *a, uint32_t agent)
{
	for (uint32_t b = 0; b < a->badges_end; b++)
		if (a->badges[b].row.live && a->badges[b].agent == agent)
			a->badges[b].agent = ROW_NONE;
	drop_text(a, &a->agents[agent].name);
	DROP_ROW(agents, agent);
}

void ask_drop(struct authority *a, uint32_t ask)
{
	DROP_ROW(asks, ask);
}

void pass_drop(struct authority *a, uint32_t pass)
{
	DROP_ROW(passes, pass);
}

void mark_drop_origins(struct authority *a, uint32_t mark, uint64_t labels)
{
	for (uint32_t i = 0, left = a->origins_used; left > 0; i++) {
		const struct origin *o = &a->origins[i];

		if (!o->row.live)
			continue;
		left--;
		if (o->by == AUTHORITY_BY_MARK && o->which == mark && (labels >> o->label & 1) != 0)
			DROP_ROW(origins, i);
	}
}

void mark_drop(struct authority *a, uint32_t mark)
{
	mark_drop_origins(a, mark, UINT64_MAX);
	drop_text(a, &a->marks[mark].path);
	DROP_ROW(marks, mark);
}

static void give_origins(struct authority *a, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < a->origins_end; i++)
		if (a->origins[i].row.live && a->origins[i].by == AUTHORITY_BY_MARK && a->origins[i].which == from)
			a->origins[i].which = to;
}

void marks_join(struct authority *a, const char *path)
{
	uint32_t into = mark_with_path(a, path);

	for (uint32_t i = 0; i < a->marks_end; i++) {
		if (!a->marks[i].row.live || i == into || !path_is_beneath(text_of(a, a->marks[i].path), path))
			continue;
		if (into == ROW_NONE) { /* the first one is the path's from now on, which is shorter */
			into = i;
			drop_text(a, &a->marks[i].path);
			a->marks[i].path = text_keep(a, path);
			continue;
		}
		a->marks[into].labels |= a->marks[i].labels;
		give_origins(a, i, into);
		mark_drop(a, i);
	}
}

/* From the list of what is derived from the same one. */
static void grant_unlink(struct authority *a, const struct holding *g)
{
	if (g->prev != ROW_NONE)
		a->grants[g->prev].next = g->next;
	else
		a->grants[g->parent].first = g->next;
	if (g->next != ROW_NONE)
		a->grants[g->next].prev = g->prev;
}

/* What is derived from a grant of the badge is the badge's too, and goes as well: its sub-agents have gone. */
static void drop_grants(struct authority *a, uint32_t badge)
{
	for (uint32_t i = a->badges[badge].grants; i != ROW_NONE; i = a->grants[i].of_badge) {
		struct holding *g = &a->grants[i];

		if (g->parent != ROW_NONE && a->grants[g->parent].badge != badge)
			grant_unlink(a, g);
		drop_text(a, &g->object);
		drop_text(a, &g->terms);
		finder_drop(a, &a->grant_ids, grant_hash, i);
		DROP_ROW(grants, i);
	}
}

static void drop_keys(struct authority *a, uint32_t badge)
{
	for (uint32_t i = a->badges[badge].keys; i != ROW_NONE; i = a->keys[i].next) {
		finder_drop(a, &a->key_names, key_hash, i);
		DROP_ROW(keys, i);
	}
}

static void badge_unlink(struct authority *a, const struct badge *b)
{
	if (b->prev != ROW_NONE)
		a->badges[b->prev].next = b->next;
	else
		a->badges[b->parent].first = b->next;
	if (b->next != ROW_NONE)
		a->badges[b->next].prev = b->prev;
}

void badge_drop(struct authority *a, uint32_t badge)
{
	struct badge *b = &a->badges[badge];

	drop_grants(a, badge);
	drop_keys(a, badge);
	for (uint32_t i = 0; i < a->asks_end && a->asks_used > 0; i++)
		if (a->asks[i].row.live && a->asks[i].badge == badge)
			ask_drop(a, i);
	for (uint32_t i = 0; i < a->passes_end && a->passes_used > 0; i++)
		if (a->passes[i].row.live && a->passes[i].badge == badge)
			pass_drop(a, i);
	for (uint32_t i = 0; i < a->origins_end && a->origins_used > 0; i++)
		if (a->origins[i].row.live && a->origins[i].badge == badge)
			DROP_ROW(origins, i);
	if (b->parent != ROW_NONE)
		badge_unlink(a, b);
	drop_text(a, &b->name);
	finder_drop(a, &a->badge_ids, badge_hash, badge);
	DROP_ROW(badges, badge);
}

/* ---- trees ---- */

uint32_t badge_deepest(const struct authority *a, uint32_t root)
{
	while (a->badges[root].first != ROW_NONE)
		root = a->badges[root].first;
	return root;
}

uint32_t badge_after(const struct authority *a, uint32_t badge, uint32_t root)
{
	const struct badge *b = &a->badges[badge];

	if (badge == root)
		return ROW_NONE;
	return b->next != ROW_NONE ? badge_deepest(a, b->next) : b->parent;
}

uint32_t grant_deepest(const struct authority *a, uint32_t root)
{
	while (a->grants[root].first != ROW_NONE)
		root = a->grants[root].first;
	return root;
}

uint32_t grant_after(const struct authority *a, uint32_t grant, uint32_t root)
{
	const struct holding *g = &a->grants[grant];

	if (grant == root)
		return ROW_NONE;
	return g->next != ROW_NONE ? grant_deepest(a, g->next) : g->parent;
}

uint32_t badge_top(const struct authority *a, uint32_t badge)
{
	while (a->badges[badge].parent != ROW_NONE)
		badge = a->badges[badge].parent;
	return badge;
}
