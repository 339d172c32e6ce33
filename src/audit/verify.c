#include "audit/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/align.h"
#include "audit/behind.h"
#include "audit/signed.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "ledger/entry.h"
#include "ledger/head.h"
#include "ledger/layout.h"
#include "ledger/tile.h"

/* The tile of a level that was looked at last. */
struct cached {
	bool any, good; /* good: it leads to the root, or was put right so that it does */
	bool there;     /* row has something */
	uint64_t index;
	struct hash row[TILE_WIDTH];
};

struct verify {
	struct snapshot *s;    /* borrowed */
	struct report *report; /* borrowed */
	struct verify_watch watch;
	bool edge_is_good; /* it leads to the root of the checkpoint */
	struct cached tile[TILE_LEVELS];
	struct buf room;  /* owned: of a bundle */
	bool row_is_good; /* what the entries of the bundle are compared with leads to the root */
	uint64_t bundle;  /* its index */
	struct hash leaf[ALIGN_MAX];
	uint64_t previous_ms; /* t_wall of the entry before */
	uint64_t backwards;   /* how often it went back, and where first */
	uint64_t backwards_at;
};

static void path_of(char ret[TILE_PATH_MAX], const struct verify *v, unsigned level, uint64_t index)
{
	const unsigned width = tile_width(v->s->size, level == TILE_ENTRIES ? 0 : level, index);

	tile_path(ret, level, index, width);
}

/* ---- what is above ---- */

static void load(struct verify *v, unsigned level, uint64_t index);

/* What the hash of a full tile must be, as far as what lies above it is good. */
static bool expected(struct verify *v, unsigned level, uint64_t index, struct hash *ret)
{
	const unsigned up = level + 1;
	const uint64_t above = index / TILE_WIDTH;

	if (up == TILE_LEVELS)
		return false;
	if (above == tile_at_edge(v->s->size, up)) {
		*ret = v->s->edge.row[up][index % TILE_WIDTH];
		return v->edge_is_good;
	}
	load(v, up, above);
	*ret = v->tile[up].row[index % TILE_WIDTH];
	return v->tile[up].good;
}

/* ---- putting a tile right ---- */

static bool leaves_of(struct verify *v, uint64_t index, size_t n, struct hash *ret)
{
	struct rbuf r;
	const uint8_t *entry;
	size_t len, i = 0;

	if (snapshot_bundle(v->s, index, &v->room, &r) < 0)
		return false;
	for (; i < n && (entry = bundle_next(&r, &len)) != NULL; i++)
		merkle_leaf(entry, len, &ret[i]);
	return i == n && rbuf_done(&r);
}

/* The first n hashes of a tile, made of what is beneath it. False: something of that is not there. */
static bool remake(struct verify *v, unsigned level, uint64_t index, size_t n, struct hash *ret)
{
	struct hash child[TILE_WIDTH];

	if (level == 0)
		return leaves_of(v, index, n, ret);
	for (size_t i = 0; i < n; i++) {
		if (source_tile(&v->s->source, level - 1, index * TILE_WIDTH + i, TILE_WIDTH, child) < 0)
			return false;
		merkle_row(child, TILE_WIDTH, &ret[i]);
	}
	return true;
}

/* Which of n hashes differ: "hash 5 is", "hashes 5, 7 are". */
static void which_differ(const struct hash *a, const struct hash *b, size_t n, char *ret, size_t size)
{
	struct buf text;
	size_t found = 0;

	buf_init_in(&text, ret, size);
	for (size_t i = 0; i < n; i++)
		if (!hash_is(&a[i], &b[i]) && ++found <= 4)
			buf_printf(&text, "%s%zu", found > 1 ? ", " : "", i);
	if (found > 4)
		buf_printf(&text, " and %zu more", found - 4);
	if (buf_cstr(&text) == NULL)
		ret[0] = 0;
}

static void tell_changed(struct verify *v, unsigned level, uint64_t index, const struct hash *is,
			 const struct hash *should_be, size_t n)
{
	char path[TILE_PATH_MAX], which[100];

	path_of(path, v, level, index);
	which_differ(is, should_be, n, which, sizeof which);
	report_fault(v->report, path, "it was changed: hash %s, and not what is beneath it, which leads to the root",
		     which);
}

/* ---- the edge ---- */

static bool leads_to_root(const struct verify *v, const struct edge *edge)
{
	struct hash root;

	edge_root(edge, &root);
	return hash_is(&root, &v->s->root);
}

static void tell_unread_edge(struct verify *v)
{
	char path[TILE_PATH_MAX];

	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		if (v->s->tile_error[level] == 0)
			continue;
		path_of(path, v, level, tile_at_edge(v->s->size, level));
		report_fault(v->report, path, "%s", source_why(v->s->tile_error[level]));
	}
}

static bool any_unread(const struct verify *v)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (v->s->tile_error[level] < 0)
			return true;
	return false;
}

/* One tile of the edge at a time, and then all: who changed one file changed one of them. */
static bool mend_edge(struct verify *v, struct edge *whole)
{
	struct edge *const edge = &v->s->edge;
	bool made[TILE_LEVELS] = { false };

	*whole = *edge;
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		const unsigned n = edge_width(edge, level);
		struct hash kept[TILE_WIDTH];

		if (n == 0 || !remake(v, level, tile_at_edge(v->s->size, level), n, whole->row[level]))
			continue;
		made[level] = true;
		memcpy(kept, edge->row[level], n * sizeof *kept);
		memcpy(edge->row[level], whole->row[level], n * sizeof *kept);
		if (leads_to_root(v, edge)) {
			if (v->s->tile_error[level] == 0)
				tell_changed(v, level, tile_at_edge(v->s->size, level), kept, edge->row[level], n);
			return true;
		}
		memcpy(edge->row[level], kept, n * sizeof *kept);
	}
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (!made[level] && v->s->tile_error[level] < 0)
			return false;
	if (!leads_to_root(v, whole))
		return false;
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		const unsigned n = edge_width(edge, level);

		if (v->s->tile_error[level] == 0 && n > 0 &&
		    memcmp(edge->row[level], whole->row[level], n * sizeof(struct hash)) != 0)
			tell_changed(v, level, tile_at_edge(v->s->size, level), edge->row[level], whole->row[level], n);
	}
	*edge = *whole;
	return true;
}

static int check_edge(struct verify *v, struct err *e)
{
	struct edge *whole;

	v->edge_is_good = !any_unread(v) && leads_to_root(v, &v->s->edge);
	if (v->edge_is_good)
		return 0;
	tell_unread_edge(v);
	whole = calloc(1, sizeof *whole);
	if (whole == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the log");
	v->edge_is_good = mend_edge(v, whole);
	if (!v->edge_is_good)
		report_fault(
			v->report, LEDGER_CHECKPOINT,
			"its root is not that of the tiles: it is of another log, or more than one file was changed");
	free(whole);
	return 0;
}

/* ---- full tiles ---- */

static void judge_tile(struct verify *v, unsigned level, uint64_t index, int read)
{
	struct cached *t = &v->tile[level];
	struct hash want, got, made[TILE_WIDTH] = { 0 };
	char path[TILE_PATH_MAX];
	const bool known = expected(v, level, index, &want);
	bool made_any;

	path_of(path, v, level, index);
	if (read == 0) {
		merkle_row(t->row, TILE_WIDTH, &got);
		t->good = known && hash_is(&got, &want);
		if (t->good)
			return;
	} else {
		report_fault(v->report, path, "%s", source_why(read));
	}
	if (!known)
		return; /* told above */
	made_any = remake(v, level, index, TILE_WIDTH, made);
	if (made_any) {
		merkle_row(made, TILE_WIDTH, &got);
		t->good = hash_is(&got, &want);
	}
	if (t->good && read == 0)
		tell_changed(v, level, index, t->row, made, TILE_WIDTH);
	else if (read == 0)
		report_fault(
			v->report, path,
			"it is not what the tile above it says, and neither is what is beneath it: both were changed");
	else if (made_any && !t->good)
		report_fault(v->report, path, "what is beneath it is not what the tile above it says");
	if (t->good) {
		memcpy(t->row, made, sizeof made);
		t->there = true;
	}
}

static void load(struct verify *v, unsigned level, uint64_t index)
{
	struct cached *t = &v->tile[level];
	int r;

	if (t->any && t->index == index)
		return;
	t->any = true;
	t->good = false;
	t->index = index;
	r = source_tile(&v->s->source, level, index, TILE_WIDTH, t->row);
	t->there = r == 0;
	judge_tile(v, level, index, r);
}

/* ---- entries ---- */

static void note_time(struct verify *v, const struct entry *entry)
{
	if (v->report->first_ms == 0)
		v->report->first_ms = entry->wall_ms;
	v->report->last_ms = entry->wall_ms;
	if (entry->wall_ms < v->previous_ms && v->backwards++ == 0)
		v->backwards_at = entry->seq;
	v->previous_ms = entry->wall_ms;
}

/* What is signed is what the ledger wrote, and may still be wrong if something else than the ledger had its key. */
static void check_entry(struct verify *v, uint64_t index, const char *path, const uint8_t *bytes, size_t n)
{
	struct entry entry;
	struct err e;

	if (entry_take(bytes, n, &entry, &e) < 0)
		report_entry(v->report, index, path, "it is signed, and is no entry: %s", e.msg);
	else if (entry.seq != index)
		report_entry(v->report, index, path, "it is signed, and says that it is entry %" PRIu64, entry.seq);
	else {
		const bool is_signed = v->row_is_good && v->s->signature.code == AMBIT_OK;

		v->report->entries += is_signed ? 1 : 0;
		note_time(v, &entry);
		if (is_signed && v->watch.entry != NULL)
			v->watch.entry(v->watch.arg, &entry, &v->leaf[index % TILE_WIDTH]);
	}
}

static void tell_step(void *arg, enum align_step step, uint64_t index, uint64_t other)
{
	struct verify *v = arg;
	char path[TILE_PATH_MAX];

	path_of(path, v, TILE_ENTRIES, v->bundle);
	switch (step) {
	case ALIGN_CHANGED: report_entry(v->report, index, path, "it is not what was signed"); break;
	case ALIGN_MISSING:
		if (other == index)
			report_entry(v->report, index, path, "it is missing");
		else
			report_entry(v->report, index, path, "it is missing, and so are those up to %" PRIu64, other);
		break;
	case ALIGN_MOVED: report_entry(v->report, index, path, "entry %" PRIu64 " stands in its place", other); break;
	case ALIGN_AGAIN:
		report_entry(v->report, index, path, "before it stands entry %" PRIu64 " once more", other);
		break;
	case ALIGN_ADDED: report_entry(v->report, index, path, "before it stands one that nobody signed"); break;
	}
}

static void tell_strange_bundle(struct verify *v, const char *path, uint64_t index, size_t n)
{
	report_entry(v->report, index * TILE_WIDTH, path,
		     "none of its entries (%" PRIu64 " to %" PRIu64 ") is what was signed", index * TILE_WIDTH,
		     index * TILE_WIDTH + n - 1);
}

/* The hashes of the entries that the file has, until one is cut. */
static size_t read_leaves(struct verify *v, struct rbuf r)
{
	const uint8_t *entry;
	size_t len, n = 0;

	while (n < ALIGN_MAX && (entry = bundle_next(&r, &len)) != NULL)
		merkle_leaf(entry, len, &v->leaf[n++]);
	return n;
}

/* Each entry that is in its place. */
static bool check_in_place(struct verify *v, const char *path, const struct hash *row, size_t n, size_t n_leaves,
			   struct rbuf r)
{
	bool all = n_leaves == n;

	for (size_t i = 0; i < n && i < n_leaves; i++) {
		size_t len;
		const uint8_t *entry = bundle_next(&r, &len); /* it was there before */

		if (hash_is(&v->leaf[i], &row[i]))
			check_entry(v, v->bundle * TILE_WIDTH + i, path, entry, len);
		else
			all = false;
	}
	return all && rbuf_done(&r);
}

static void check_bundle(struct verify *v, uint64_t index)
{
	const bool at_edge = index == tile_at_edge(v->s->size, 0);
	const size_t n = tile_width(v->s->size, 0, index);
	const struct hash *row = at_edge ? v->s->edge.row[0] : v->tile[0].row;
	char path[TILE_PATH_MAX];
	struct rbuf r;
	size_t n_leaves;
	int rc;

	v->bundle = index;
	path_of(path, v, TILE_ENTRIES, index);
	if (!at_edge)
		load(v, 0, index);
	rc = snapshot_bundle(v->s, index, &v->room, &r);
	if (rc < 0) {
		report_entry(v->report, index * TILE_WIDTH, path, "%s: entries %" PRIu64 " to %" PRIu64, source_why(rc),
			     index * TILE_WIDTH, index * TILE_WIDTH + n - 1);
		return;
	}
	if (at_edge ? v->s->tile_error[0] < 0 && !v->edge_is_good : !v->tile[0].there)
		return; /* there is nothing to compare with, which was told */
	v->row_is_good = at_edge ? v->edge_is_good : v->tile[0].good;
	n_leaves = read_leaves(v, r);
	if (check_in_place(v, path, row, n, n_leaves, r))
		return;
	rc = align(row, n, v->leaf, n_leaves, index * TILE_WIDTH, tell_step, v);
	if (rc < 0 && n == 1)
		tell_step(v, ALIGN_CHANGED, index * TILE_WIDTH, 0);
	else if (rc < 0)
		tell_strange_bundle(v, path, index, n);
	else if (rc == 0)
		report_fault(v->report, path, "there is something behind entry %" PRIu64, index * TILE_WIDTH + n - 1);
}

static void check_all(struct verify *v)
{
	const uint64_t bundles = v->s->size / TILE_WIDTH + (v->s->size % TILE_WIDTH != 0 ? 1 : 0);

	for (uint64_t i = 0; i < bundles && !v->report->given_up; i++) {
		check_bundle(v, i);
		if (v->watch.progress != NULL && i % 64 == 0)
			v->watch.progress(v->watch.arg, i * TILE_WIDTH, v->s->size);
	}
	if (v->backwards > 0)
		report_remark(v->report, NULL, "the clock was set back %" PRIu64 " time%s, first before entry %" PRIu64,
			      v->backwards, text_plural(v->backwards), v->backwards_at);
}

int verify_log(struct snapshot *s, struct span saved, const struct verify_watch *watch, struct report *ret,
	       struct err *e)
{
	struct verify *v = calloc(1, sizeof *v);
	int r;

	if (v == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the log");
	*ret = (struct report){ .n_faults = 0 };
	v->s = s;
	v->report = ret;
	if (watch != NULL)
		v->watch = *watch;
	buf_init(&v->room, SOURCE_BUNDLE_MAX);
	signed_check(s, ret);
	r = s->any_checkpoint ? check_edge(v, e) : 0;
	if (r == 0) {
		check_all(v);
		if (ret->n_faults == 0 &&
		    ret->entries != s->size) /* so that nothing above makes it right by leaving something out */
			report_fault(ret, NULL, "only %" PRIu64 " of its entries were looked at", ret->entries);
		signed_check_growth(s, saved, ret);
		behind_check(s, ret);
	}
	buf_finish(&v->room);
	free(v);
	return r;
}
