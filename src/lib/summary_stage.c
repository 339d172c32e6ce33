#include "lib/summary_stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "core/authority.h"
#include "core/grant.h"
#include "judge/judge.h"

#define SHOWN_MAX 300 /* of a name in a line */
#define FLAG_MAX 400  /* of a flag in a line */
#define PATH_MAX_SHOWN (STAGE_PATH_MAX + CHANGE_PATH_MAX)

const char *summary_held_why(uint8_t held)
{
	switch (held) {
	case HELD_PROTECTED:
	case HELD_JUDGED: return "other programs run or obey what stands there";
	case HELD_CONFLICT: return "the real tree changed there meanwhile";
	case HELD_HIDDEN: return "something lies there that the command could not see";
	case HELD_REFUSED: return "nothing of that kind is ever committed";
	case HELD_ASKED: return "a person has to say yes to it";
	default: return "";
	}
}

/* The flag that takes it along; "" if it does not fit. */
static void write_flag(const char *path, char flag[FLAG_MAX])
{
	char line[8];

	grant_suggest(&(struct grant_request){ .verb = VERB_WRITE, .object = path }, line, sizeof line, flag, FLAG_MAX);
}

/* Whether its directory lets it pass, with all that are held there for the same reason, which says so (judging.c). At the top of a
 * tree there is none that does. */
static bool is_of_directory(const struct change *c)
{
	return c->held == HELD_PROTECTED && strstr(c->reason, "--write of ") != NULL && strchr(c->path, '/') != NULL;
}

/* Whether one directory lets both pass. */
static bool is_together(const struct change *a, const struct change *b)
{
	const size_t n = strcspn(a->path, "/");

	return is_of_directory(a) && is_of_directory(b) && a->tree == b->tree && strcmp(a->reason, b->reason) == 0 &&
	       strncmp(a->path, b->path, n + 1) == 0;
}

static bool is_in(const struct change *c, const char *path, size_t n)
{
	return strncmp(c->path, path, n) == 0 && c->path[n] == '/';
}

/* Of the directory that all those lie in with which c is together: how much of c's path it is. */
static size_t directory_length(const struct stage_answer *a, const struct change *c)
{
	size_t n = (size_t)(strrchr(c->path, '/') - c->path);

	for (size_t i = 0; i < a->n_changes; i++)
		while (is_together(a->changes[i], c) && !is_in(a->changes[i], c->path, n))
			do {
				n--;
			} while (c->path[n] != '/'); /* the first part is the same, and a slash follows it */
	return n;
}

/* What is to be named for it. */
static void path_to_grant(const struct stage_answer *a, const struct change *c, char *ret, size_t size)
{
	char path[CHANGE_PATH_MAX];

	(void)snprintf(path, sizeof path, "%.*s", (int)(is_of_directory(c) ? directory_length(a, c) : strlen(c->path)),
		       c->path); /* shorter */
	stage_answer_path(a, c, path, ret, size);
}

static void put_hint(const struct stage_answer *a, const struct change *c, struct buf *out)
{
	char path[PATH_MAX_SHOWN], flag[FLAG_MAX] = "";

	path_to_grant(a, c, path, sizeof path);
	if (is_of_directory(c)) {
		write_flag(path, flag);
		buf_printf(out, "  hint: if they are meant: `ambit commit %s %s`\n", a->end.event,
			   flag[0] != 0 ? flag : "--write DIRECTORY");
		return;
	}
	switch (c->held) {
	case HELD_PROTECTED:
	case HELD_JUDGED:
		write_flag(path, flag);
		if (c->judge == JUDGE_GIT_INDEX) {
			buf_printf(
				out,
				"  hint: run it again with what shows them; or, if git is to forget what is hidden: %s\n",
				flag[0] != 0 ? flag : "grant it by its name");
			break;
		}
		buf_printf(out, "  hint: `ambit diff %s` shows it; if you trust it as yourself: %s\n", a->end.event,
			   flag[0] != 0 ? flag : "grant it by its name");
		break;
	case HELD_CONFLICT:
		buf_printf(out,
			   "  hint: `ambit diff %s` shows both; --on-conflict ours overwrites it, theirs leaves it\n",
			   a->end.event);
		break;
	case HELD_HIDDEN:
		write_flag(path, flag);
		buf_printf(out, "  hint: if what lies there may go: `ambit commit %s %s`\n", a->end.event,
			   flag[0] != 0 ? flag : "--write NAME");
		break;
	case HELD_ASKED: break; /* one question is about all of them: put_kept */
	default: buf_printf(out, "  hint: `ambit diff %s` shows it; it can only be left out\n", a->end.event);
	}
}

struct held { /* three lines */
	const struct change *first;
	uint64_t others; /* that its directory lets pass as well */
};

static void put_held(const struct stage_answer *a, const struct held *h, struct buf *out)
{
	char path[PATH_MAX_SHOWN], shown[SHOWN_MAX], reason[2 * CHANGE_REASON_MAX];
	const struct change *c = h->first;

	stage_answer_path(a, c, c->path, path, sizeof path);
	buf_printf(out, "ambit: not committed: %s %s", change_word(c->kind),
		   text_escape(shown, sizeof shown, path, strlen(path)));
	if (h->others > 0)
		buf_printf(out, " and %" PRIu64 " more there", h->others);
	buf_printf(out, "\n  why: %s\n",
		   c->reason[0] != 0 ? text_show(reason, sizeof reason, c->reason, strlen(c->reason))
				     : summary_held_why(c->held));
	put_hint(a, c, out);
}

/* Gives how many changes the lines are about. */
static uint64_t put_all_held(const struct stage_answer *a, struct buf *out)
{
	struct held held[SUMMARY_HELD];
	size_t n = 0;
	uint64_t told = 0;

	for (size_t i = 0; i < a->n_changes; i++) {
		size_t k = 0;

		if (a->changes[i]->held == HELD_NOT)
			continue;
		while (k < n && !is_together(held[k].first, a->changes[i]))
			k++;
		if (k < n)
			held[k].others++;
		else if (n < SUMMARY_HELD)
			held[n++] = (struct held){ .first = a->changes[i] };
		else
			continue;
		told++;
	}
	for (size_t k = 0; k < n; k++)
		put_held(a, &held[k], out);
	return told;
}

/* It waits for a person, or somebody has decided already. */
static const char *asks_why(const struct stage_answer *a)
{
	switch ((enum authority_why)a->end.asked_why) {
	case WHY_REFUSED: return "the policy asks a person first, who said no";
	case WHY_FLOOD: return "the policy asks a person first, for whom too many questions wait";
	case WHY_FROZEN: return "the policy asks a person first, and everything is frozen";
	case WHY_REVOKED: return "the grant that asks a person first was revoked";
	case WHY_NONE:
	case WHY_RECORDED:
	case WHY_ALREADY:
	case WHY_NOT_HELD:
	case WHY_EXPIRED:
	case WHY_NOT_NOW:
	case WHY_BEYOND:
	case WHY_DEPTH:
	case WHY_LABELLED:
	case WHY_SPENT:
	case WHY_CONFLICT:
	case WHY_MISMATCH:
	case WHY_ANSWERED:
	case WHY_TAKEN:
	case WHY_FULL:
	case WHY_MALFORMED:
	case WHY_COUNT: break;
	}
	return "the policy asks a person first";
}

static const char *kept_why(const struct stage_answer *a)
{
	switch ((enum stage_why)a->end.why) {
	case STAGE_WHY_NONE:
	case STAGE_WHY_ASKED: return "as asked: nothing is committed before you say so";
	case STAGE_WHY_FAILED: return "the command failed";
	case STAGE_WHY_LIMIT: return "a limit ended it";
	case STAGE_WHY_KILLED: return "it was killed";
	case STAGE_WHY_LOST: return "it was lost";
	case STAGE_WHY_HELD: return "one change that is held back holds them all";
	case STAGE_WHY_BUSY: return "another event works on that tree, and did not end in time";
	case STAGE_WHY_DENIED: return "something was denied, and it is strict";
	case STAGE_WHY_UNDONE: return "they were committed, and taken back";
	case STAGE_WHY_REFUSED: return "they could not be committed";
	case STAGE_WHY_ASKS: return asks_why(a);
	case STAGE_WHY_FROZEN: return "it was frozen when it ended";
	case STAGE_WHY_UNUSUAL: return "it is not like what is usual";
	case STAGE_WHY_CANARY: return "it touched a canary";
	}
	return "";
}

/* What that means for the real tree. */
static const char *files_now(const struct stage_answer *a)
{
	switch ((enum stage_why)a->end.why) {
	case STAGE_WHY_FAILED:
	case STAGE_WHY_LIMIT:
	case STAGE_WHY_KILLED:
	case STAGE_WHY_LOST:
	case STAGE_WHY_HELD:
	case STAGE_WHY_ASKS:
	case STAGE_WHY_DENIED:
	case STAGE_WHY_FROZEN:
	case STAGE_WHY_UNUSUAL:
	case STAGE_WHY_CANARY:
		return a->end.commits > 0 ? "; of it your files have what you committed, which `ambit undo` takes back"
					  : "; your files are as they were";
	case STAGE_WHY_NONE:
	case STAGE_WHY_ASKED:
	case STAGE_WHY_BUSY:
	case STAGE_WHY_UNDONE:
	case STAGE_WHY_REFUSED: break;
	}
	return "";
}

void summary_time_left(uint64_t ns, char *ret, size_t size)
{
	/* what was given a moment ago is told as it was given */
	const uint64_t s = ns / 1000000000, minutes = (s + 1) / 60;
	const bool days = s + 60 >= 2 * 86400, hours = minutes >= 120 || minutes == 60;
	const uint64_t n = days ? (s + 3600) / 86400 : hours ? (s + 60) / 3600 : minutes;

	if (minutes == 0)
		(void)snprintf(ret, size, "less than a minute");
	else
		(void)snprintf(ret, size, "%" PRIu64 " %s%s", n,
			       days    ? "day"
			       : hours ? "hour"
				       : "minute",
			       text_plural(n));
}

static void put_for(const struct stage_answer *a, const char *before, struct buf *out)
{
	char left[32];
	struct timespec now;
	uint64_t now_ns;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (a->end.keep_until_ns <= now_ns)
		return;
	summary_time_left(a->end.keep_until_ns - now_ns, left, sizeof left);
	buf_printf(out, "%sfor %s", before, left);
}

/* What takes all that is held along; "" if nothing does, or it would be too long to be read. */
static void flags_for_all(const struct stage_answer *a, char *ret, size_t size)
{
	char path[PATH_MAX_SHOWN], flag[FLAG_MAX];
	const char *ours = "";
	const struct change *last = NULL; /* that a directory lets pass: those with it follow it */
	uint64_t held = 0;
	size_t at = 0;

	for (size_t i = 0; i < a->n_changes; i++) {
		const struct change *c = a->changes[i];

		if (c->held == HELD_NOT)
			continue;
		held++;
		flag[0] = 0;
		if (last != NULL && is_together(last, c))
			continue;
		last = is_of_directory(c) ? c : last;
		if (c->held == HELD_CONFLICT)
			ours = " --on-conflict ours";
		if (c->held == HELD_PROTECTED || c->held == HELD_JUDGED || c->held == HELD_HIDDEN) {
			path_to_grant(a, c, path, sizeof path);
			write_flag(path, flag);
		}
		if ((flag[0] == 0 && c->held != HELD_CONFLICT) || at + strlen(flag) + 32 > size) {
			ret[0] = 0;
			return;
		}
		if (flag[0] != 0)
			at += (size_t)snprintf(ret + at, size - at, " %s", flag); /* measured */
	}
	(void)snprintf(ret + at, size - at, "%s", held == a->end.held ? ours : ""); /* room was left for it */
	if (held != a->end.held)
		ret[0] = 0; /* some are not told */
}

/* What is committed without its index has its new commits all the same, which lack what the index lacks. */
static bool has_index(const struct stage_answer *a)
{
	for (size_t i = 0; i < a->n_changes; i++)
		if (a->changes[i]->held != HELD_NOT && a->changes[i]->judge == JUDGE_GIT_INDEX)
			return true;
	return false;
}

static void put_ways(const struct stage_answer *a, struct buf *out)
{
	const char *event = a->end.event;
	char flags[2 * FLAG_MAX] = "";

	buf_printf(out, "  hint: ");
	if (a->end.changes > a->end.held && !has_index(a))
		buf_printf(out, "`ambit commit %s PATH...` commits the rest; ", event);
	flags_for_all(a, flags, sizeof flags);
	if (flags[0] != 0)
		buf_printf(out, "all of it: `ambit commit %s%s`; none of it: ", event, flags);
	buf_printf(out, "`ambit discard %s`\n", event);
}

/* Which one was found while it was waited for. */
static void put_busy(const struct stage_answer *a, struct buf *out)
{
	buf_printf(out, "%s works on that tree, and did not end in time\n",
		   a->waits_for[0] != 0 ? a->waits_for : "another event");
}

void summary_waiting_text(const struct stage_answer *a, struct buf *out)
{
	char shown[2 * STAGE_ID_MAX];

	buf_printf(out, "ambit: waiting for %s, which works on the same tree\n",
		   a->waits_for[0] != 0 ? text_escape(shown, sizeof shown, a->waits_for, strlen(a->waits_for))
					: "another event");
}

static void put_kept(const struct stage_answer *a, const char *how, struct buf *out)
{
	const char *event = a->end.event[0] != 0 ? a->end.event : "last";

	buf_printf(out, "ambit: kept: %" PRIu64 " change%s", a->end.changes, text_plural(a->end.changes));
	put_for(a, ", ", out);
	buf_printf(out, "\n  why: ");
	if (how == NULL && a->end.why == STAGE_WHY_BUSY)
		put_busy(a, out);
	else
		buf_printf(out, "%s%s\n", how != NULL ? how : kept_why(a), files_now(a));
	if (a->end.why == STAGE_WHY_HELD && a->end.held > 0)
		put_ways(a, out);
	else if (a->end.why == STAGE_WHY_ASKS && a->end.approval[0] != 0)
		buf_printf(out, "  hint: `ambit approve %s` shows it, and asks you; `ambit discard %s` forgets it\n",
			   a->end.approval, event);
	else if (a->end.why == STAGE_WHY_ASKS && a->end.asked_why == WHY_REFUSED)
		buf_printf(
			out,
			"  hint: `ambit discard %s` throws it away; `ambit approve --answers` lists what you said, and "
			"--take-back forgets it\n",
			event);
	else
		buf_printf(out, "  hint: ambit diff %s, then ambit commit %s or ambit discard %s\n", event, event,
			   event);
}

/* --on-conflict theirs: as asked, and yet nobody knows of which changes it turned out to be true. */
static void put_dropped(const struct stage_answer *a, struct buf *out)
{
	const bool committed = a->end.workspace == WORKSPACE_COMMITTED;
	const uint64_t n = committed ? a->end.dropped : a->end.changes;

	buf_printf(out, "ambit: %s: %" PRIu64 " change%s", committed ? "left out" : "kept", n, text_plural(n));
	put_for(a, committed ? ", and kept " : ", ", out);
	buf_printf(
		out,
		"\n  why: the real tree changed there meanwhile, and was left as it is (--on-conflict theirs)\n"
		"  hint: `ambit diff %s` shows both; `ambit commit %s --on-conflict ours` overwrites, `ambit discard "
		"%s` forgets\n",
		a->end.event, a->end.event, a->end.event);
}

void summary_stage_ended(const struct stage_answer *a, const struct err *error, const char *how, struct buf *out)
{
	uint64_t told;

	if (a->end.dropped > 0) {
		put_dropped(a, out);
		return;
	}
	told = put_all_held(a, out);
	if (a->end.held > told && told > 0)
		buf_printf(out,
			   "ambit: not committed: %" PRIu64
			   " more for such reasons\n  hint: `ambit diff %s` shows them\n",
			   a->end.held - told, a->end.event);
	if (error != NULL && error->code != AMBIT_OK) {
		char text[2 * ERR_MSG_MAX];

		buf_printf(out, "ambit: not committed: %s\n",
			   text_show(text, sizeof text, error->msg, strlen(error->msg)));
		if (error->why[0] != 0)
			buf_printf(out, "  why: %s\n", text_show(text, sizeof text, error->why, strlen(error->why)));
		if (error->hint[0] != 0)
			buf_printf(out, "  hint: %s\n", text_show(text, sizeof text, error->hint, strlen(error->hint)));
		if (a->end.event[0] == 0)
			return;
	}
	put_kept(a, how, out);
}

void summary_stage_text(const struct stage_answer *a, const struct err *error, struct buf *out)
{
	summary_stage_ended(a, error, NULL, out);
}
