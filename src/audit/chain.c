#include "audit/chain.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "ledger/head.h"
#include "ledger/layout.h"

#define NAME_MAX_SHOWN (sizeof LEDGER_PAST "/9999/" LEDGER_LOG)
#define FILE_SHOWN (NAME_MAX_SHOWN + sizeof((struct finding *)NULL)->file)

struct chaining {
	const struct audit_ask *ask;
	verify_progress_fn *progress;
	struct chain *c;
	struct report *report; /* what is said of all of them */
	struct report *one;    /* owned: of one that was closed */
	bool saved_is_taken;   /* the saved checkpoint is of one that was closed */
	struct err *e;
};

static void name_of(char ret[NAME_MAX_SHOWN], const struct chain *c, unsigned number)
{
	if (number > c->n)
		(void)snprintf(ret, NAME_MAX_SHOWN, "%s", LEDGER_LOG);
	else
		(void)snprintf(ret, NAME_MAX_SHOWN, LEDGER_PAST "/%u/" LEDGER_LOG, number % (LEDGER_PAST_MAX + 1));
}

/* ---- one log ---- */

struct ends {
	struct chain_log *log;
	struct report *report;
	const char *name;
	uint64_t size;
};

static void take_end(void *arg, const struct entry *entry, const struct hash *leaf)
{
	struct ends *ends = arg;
	struct link link;
	const int r = link_of(entry, &link);

	(void)leaf;
	if (r == 0)
		return;
	if (r == 1 && link.kind == LINK_PREVIOUS && entry->seq == 0) {
		ends->log->has_previous = true;
		ends->log->previous = link;
	} else if (r == 1 && link.kind == LINK_NEXT && entry->seq + 1 == ends->size) {
		ends->log->has_next = true;
		ends->log->next = link;
	} else if (r == 1 && link.kind == LINK_NEXT) {
		report_entry(ends->report, entry->seq, ends->name, "the log was closed with it, and goes on behind it");
	} else {
		report_entry(ends->report, entry->seq, ends->name, "it is signed, and leads to no other log");
	}
}

static int verify_ends(struct chaining *v, struct snapshot *s, unsigned number, struct span saved,
		       struct report *report)
{
	struct chain_log *log = &v->c->logs[number];
	char name[NAME_MAX_SHOWN];
	struct ends ends = { .log = log, .report = v->report, .name = name, .size = s->size };
	const struct verify_watch watch = { .progress = v->progress, .entry = take_end, .arg = &ends };
	struct report *links = calloc(1, sizeof *links);
	int r;

	if (links == NULL)
		return err_set(v->e, AMBIT_MEMORY, NULL, "no memory to verify the log");
	name_of(name, v->c, number);
	ends.report = links; /* verify_log begins with an empty one */
	r = verify_log(s, saved, &watch, report, v->e);
	log->key = s->key;
	log->size = s->size;
	log->root = s->root;
	for (size_t i = 0; r == 0 && i < links->n_faults; i++)
		report_entry(report, links->faults[i].entry, number > v->c->n ? NULL : LEDGER_LOG, "%s",
			     links->faults[i].why);
	log->good = r == 0 && report->n_faults == 0;
	free(links);
	return r;
}

static bool is_told(const struct report *all, const struct finding *f, bool is_fault)
{
	const struct finding *of = is_fault ? all->faults : all->remarks;
	const size_t n = is_fault ? all->n_faults : all->n_remarks;

	for (size_t i = 0; i < n; i++)
		if (of[i].has_entry == f->has_entry && of[i].entry == f->entry && strcmp(of[i].file, f->file) == 0 &&
		    strcmp(of[i].why, f->why) == 0)
			return true;
	return false;
}

/* What lies beside the log has the directory of both before it. */
static void put_in_its_log(struct finding *f, const struct chain *c, unsigned number)
{
	static const char beside[] = LEDGER_WITNESS "/";
	char name[NAME_MAX_SHOWN], file[FILE_SHOWN];
	const bool is_whole = f->file[0] == 0 || strcmp(f->file, LEDGER_LOG) == 0;
	const bool is_beside = strncmp(f->file, beside, strlen(beside)) == 0;

	if (number > c->n)
		return;
	name_of(name, c, number);
	if (is_beside)
		name[strlen(name) - strlen("/" LEDGER_LOG)] = 0;
	(void)snprintf(file, sizeof file, "%s%s%s", name, is_whole ? "" : "/", is_whole ? "" : f->file);
	(void)snprintf(f->file, sizeof f->file, "%.*s", (int)sizeof f->file - 1, file); /* it is only shown */
}

void chain_tell(const struct chain *c, unsigned number, const struct report *one, struct report *all)
{
	for (size_t i = 0; i < one->n_faults + one->n_remarks; i++) {
		const bool is_fault = i < one->n_faults;
		struct finding f = is_fault ? one->faults[i] : one->remarks[i - one->n_faults];

		put_in_its_log(&f, c, number);
		if (!is_told(all, &f, is_fault))
			report_copy(all, &f, is_fault);
	}
	all->given_up |= one->given_up;
}

/* What was found in one of them, among all. */
static void tell_findings(const struct chaining *v, unsigned number)
{
	char name[NAME_MAX_SHOWN];

	name_of(name, v->c, number);
	chain_tell(v->c, number, v->one, v->report);
	if (v->one->has_saved)
		report_remark(v->report, name, "it begins with the %" PRIu64 " entries of the saved checkpoint",
			      v->one->saved_size);
	if (v->one->unsigned_entries > 0)
		report_fault(v->report, name, "behind what was signed it has %" PRIu64 " entries, though it was closed",
			     v->one->unsigned_entries);
}

static int take_past(const struct audit_ask *ask, unsigned number, const char *key, struct snapshot **ret,
		     struct err *e)
{
	char path[GRANT_OBJECT_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/%u/" LEDGER_LOG, ask->past, number); /* it fits */
	return snapshot_take(path, key, SNAPSHOT_KEY | SNAPSHOT_LIST, ret, e);
}

static bool is_of_key(const struct vkey *key, struct span checkpoint)
{
	struct hash root;
	uint64_t size;

	return checkpoint.len > 0 && head_take(key, checkpoint.at, checkpoint.len, &size, &root, NULL) == 0;
}

/* One that was closed. What is wrong with it is told; -code: it could not be looked at. */
static int verify_past(struct chaining *v, unsigned number, const char *key)
{
	struct snapshot *s = NULL;
	struct span saved = span_of("");
	char name[NAME_MAX_SHOWN];
	int r = take_past(v->ask, number, key, &s, v->e);

	if (r == -AMBIT_NOT_FOUND) {
		name_of(name, v->c, number);
		report_fault(v->report, name, "it is missing");
		return 0;
	}
	if (r < 0)
		return r;
	if (is_of_key(&s->key, v->ask->given)) {
		saved = v->ask->given;
		v->saved_is_taken = true;
	}
	r = verify_ends(v, s, number, saved, v->one);
	if (r == 0)
		tell_findings(v, number);
	snapshot_free(s);
	return r;
}

/* ---- links ---- */

/* Both ends, of two that were verified. */
static bool check_link(struct chaining *v, unsigned number)
{
	const struct chain_log *old = &v->c->logs[number], *new = &v->c->logs[number + 1];
	const struct link *back = &new->previous;
	const size_t before = v->report->n_faults;
	char name[NAME_MAX_SHOWN], next[NAME_MAX_SHOWN];

	name_of(name, v->c, number);
	name_of(next, v->c, number + 1);
	if (!old->has_next)
		report_fault(v->report, name, "its last entry names no key, so nothing leads from it to %s", next);
	else if (!link_is_key(&old->next.key, &new->key))
		report_entry(v->report, old->size - 1, name, "it names another key than that of %s", next);
	if (!new->has_previous)
		report_fault(v->report, next, "its first entry names no log before it, and there is %s", name);
	else if (!link_is_key(&back->key, &old->key))
		report_entry(v->report, 0, next, "it names another key than that of %s", name);
	else if (back->size != old->size)
		report_entry(v->report, 0, next, "it says that %s has %" PRIu64 " entries, and that has %" PRIu64, name,
			     back->size, old->size);
	else if (!hash_is(&back->root, &old->root))
		report_entry(v->report, 0, next, "it names another root than that of %s", name);
	return v->report->n_faults == before;
}

static int text_of(const struct vkey *key, char ret[VKEY_TEXT_MAX + 1])
{
	struct buf text;

	buf_init_in(&text, (uint8_t *)ret, VKEY_TEXT_MAX);
	vkey_put(&text, key);
	ret[text.len] = 0;
	return text.failed ? -AMBIT_INTERNAL : 0;
}

/* Which of those that were closed the key that was given is of; 0: none. */
static unsigned find_anchor(struct chaining *v)
{
	for (unsigned i = v->c->n; i > 0; i--) {
		struct snapshot *s = NULL;
		bool is_it;

		if (take_past(v->ask, i, v->ask->key, &s, NULL) < 0)
			continue;
		is_it = s->signature.code == AMBIT_OK;
		snapshot_free(s);
		if (is_it)
			return i;
	}
	return 0;
}

/* From the anchor on, to the key of the present log; *ret_any: it was found. */
static int lead(struct chaining *v, char ret_key[VKEY_TEXT_MAX + 1], bool *ret_any)
{
	char key[VKEY_TEXT_MAX + 1];
	unsigned i = v->c->anchor;
	int r = 0;

	*ret_any = false;
	(void)text_copy(key, sizeof key, v->ask->key); /* the same size */
	for (; i <= v->c->n; i++) {
		const struct chain_log *log = &v->c->logs[i];

		r = verify_past(v, i, key);
		if (r < 0 || !log->good)
			return r;
		if (i > v->c->anchor && !check_link(v, i - 1))
			return 0;
		if (!log->has_next) {
			char name[NAME_MAX_SHOWN];

			name_of(name, v->c, i);
			report_fault(v->report, name, "its last entry names no key, so nothing leads on from it");
			return 0;
		}
		(void)text_of(&log->next.key, key); /* it was taken as text */
	}
	*ret_any = true;
	(void)text_copy(ret_key, VKEY_TEXT_MAX + 1, key); /* likewise */
	return 0;
}

/* To those before the one from which it was led. */
static int go_back(struct chaining *v)
{
	struct chain *c = v->c;
	unsigned i = c->anchor != 0 ? c->anchor : c->n + 1;
	char key[VKEY_TEXT_MAX + 1], name[NAME_MAX_SHOWN];
	int r = 0;

	for (; c->logs[i].good && c->logs[i].has_previous && i > 1; i--) {
		(void)text_of(&c->logs[i].previous.key, key);
		r = verify_past(v, i - 1, key);
		if (r < 0 || !c->logs[i - 1].good || !check_link(v, i - 1))
			return r;
		c->first = i - 1;
	}
	name_of(name, c, i);
	if (!c->logs[i].good)
		return 0;
	if (i > 1)
		report_fault(v->report, name, "its first entry names no log before it, and there is " LEDGER_PAST "/%u",
			     i - 1);
	else if (c->logs[i].has_previous && (v->ask->flags & AUDIT_WHOLE) != 0)
		report_entry(v->report, 0, name, "it goes on from another log, which is missing");
	else if (c->logs[i].has_previous)
		report_remark(v->report, name, "it goes on from another log, which is not here");
	return 0;
}

/* ---- which there are ---- */

static void note_name(struct chaining *v, const char *text)
{
	uint64_t number;
	char name[128];

	if (parse_u64(text, 1, LEDGER_PAST_MAX, &number) && text[0] != '0')
		v->c->n = number > v->c->n ? (unsigned)number : v->c->n;
	else if (strcmp(text, ".") != 0 && strcmp(text, "..") != 0)
		report_remark(v->report, LEDGER_PAST, "%s there is none of the ledger's",
			      text_escape(name, sizeof name, text, strlen(text)));
}

/* getdents64 as it is: readdir wants calls that the role does not have. */
static int list_past(struct chaining *v)
{
	_Alignas(struct dirent64) char room[4096];
	struct source source = { .dir_fd = -1 };
	ssize_t n = 0;
	int r = v->ask->past[0] == 0 ? 0 : source_open(v->ask->past, &source, v->e);

	while (source.dir_fd >= 0 && (n = getdents64(source.dir_fd, room, sizeof room)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const struct dirent64 *)(const void *)(room + at);

			note_name(v, d->d_name);
			at += d->d_reclen;
		}
	if (n < 0)
		r = err_sys(v->e, AMBIT_SYSTEM, errno, NULL, "cannot list the logs that were closed");
	source_close(&source);
	return r;
}

/* The present log, with the key to which the others led; its faults come before theirs. */
static int verify_present(struct chaining *v, const char *key, struct snapshot **ret_s)
{
	struct report *others = v->report, *all = calloc(1, sizeof *all);
	const unsigned number = v->c->n + 1;
	struct snapshot *s = NULL;
	int r;

	if (all == NULL)
		return err_set(v->e, AMBIT_MEMORY, NULL, "no memory to verify the log");
	r = snapshot_take(v->ask->dir, key, SNAPSHOT_KEY | SNAPSHOT_LIST, &s, v->e);
	r = r < 0 ? r : verify_ends(v, s, number, v->saved_is_taken ? span_of("") : v->ask->given, all);
	if (r == 0) {
		for (size_t i = 0; i < others->n_faults; i++)
			report_copy(all, &others->faults[i], true);
		for (size_t i = 0; i < others->n_remarks; i++)
			report_copy(all, &others->remarks[i], false);
		*others = *all;
		*ret_s = s;
	} else {
		snapshot_free(s);
	}
	free(all);
	return r;
}

static bool present_is_of(const struct audit_ask *ask)
{
	struct snapshot *s = NULL;
	const bool is = snapshot_take(ask->dir, ask->key, SNAPSHOT_KEY, &s, NULL) == 0 && s->signature.code == AMBIT_OK;

	snapshot_free(s);
	return is;
}

static int verify_all(struct chaining *v, struct snapshot **ret_s)
{
	struct chain *c = v->c;
	char key[VKEY_TEXT_MAX + 1];
	bool any = true;
	int r = 0;

	(void)text_copy(key, sizeof key, v->ask->key); /* the same size */
	if (key[0] != 0 && c->n > 0 && !present_is_of(v->ask))
		c->anchor = find_anchor(v);
	c->first = c->anchor != 0 ? c->anchor : c->n + 1;
	if (c->anchor != 0)
		r = lead(v, key, &any);
	r = r < 0 ? r : verify_present(v, key, ret_s); /* where nothing leads to it, with a key that it is not of */
	if (r < 0)
		return r;
	if (c->anchor != 0 && any && c->logs[c->n + 1].good)
		(void)check_link(v, c->n);
	if (c->logs[c->n + 1].has_next)
		report_remark(v->report, NULL, "the log was closed; %s",
			      (v->ask->flags & AUDIT_WHOLE) != 0
				      ? "the one that follows is not there yet, and the next event makes it"
				      : "its last entry names the key of the one that follows");
	r = go_back(v);
	if (r == 0 && c->first == c->n + 1 && c->n > 0 && !c->logs[c->n + 1].good)
		report_remark(v->report, LEDGER_PAST,
			      "nothing leads to the logs that were closed, so they were not looked at");
	return r;
}

int chain_verify(const struct audit_ask *ask, verify_progress_fn *progress, struct chain *ret, struct report *report,
		 struct snapshot **ret_s, struct err *e)
{
	struct chaining v = { .ask = ask, .progress = progress, .c = ret, .report = report, .e = e };
	int r;

	*ret = (struct chain){ .n = 0 };
	*ret_s = NULL;
	*report = (struct report){ .n_faults = 0 };
	r = list_past(&v);
	if (r < 0)
		return r;
	ret->logs = calloc(ret->n + 2, sizeof *ret->logs);
	v.one = calloc(1, sizeof *v.one);
	r = ret->logs == NULL || v.one == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the log")
					       : verify_all(&v, ret_s);
	free(v.one);
	return r;
}

void chain_finish(struct chain *c)
{
	free(c->logs);
	c->logs = NULL;
}

int chain_take(const struct audit_ask *ask, const struct chain *c, unsigned number, struct snapshot **ret,
	       struct err *e)
{
	char key[VKEY_TEXT_MAX + 1];

	(void)text_of(&c->logs[number].key, key);
	return take_past(ask, number, key, ret, e);
}

/* ---- saying it ---- */

void chain_text(const struct chain *c, struct buf *out)
{
	for (unsigned i = c->first; i <= c->n; i++) {
		const struct chain_log *log = &c->logs[i];
		char name[2 * VKEY_NAME_MAX], next[2 * VKEY_NAME_MAX];

		if (!log->good || !log->has_next)
			continue;
		buf_printf(out, "  " LEDGER_PAST "/%u: %" PRIu64 " entr%s of %s%s; its last one names %s\n", i,
			   log->size, log->size == 1 ? "y" : "ies",
			   text_show(name, sizeof name, log->key.name, strlen(log->key.name)),
			   i == c->anchor ? ", whose key was given" : "",
			   text_show(next, sizeof next, log->next.key.name, strlen(log->next.key.name)));
	}
}

void chain_json(const struct chain *c, struct json *j)
{
	json_put_array(json_put_key(j, "past"));
	for (unsigned i = c->first; i <= c->n; i++) {
		const struct chain_log *log = &c->logs[i];
		auto_buf root = { .max = BASE64_LEN(HASH_BYTES) + 1 };
		char key[VKEY_TEXT_MAX + 1];

		if (!log->good)
			continue;
		(void)text_of(&log->key, key);
		base64_put(&root, &log->root, sizeof log->root);
		json_put_object(j);
		json_put_count(json_put_key(j, "number"), i);
		json_put_count(json_put_key(j, "size"), log->size);
		json_put_bytes(json_put_key(j, "root"), root.data, root.len);
		json_put_name(json_put_key(j, "vkey"), key);
		json_put_bool(json_put_key(j, "given"), i == c->anchor);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}
