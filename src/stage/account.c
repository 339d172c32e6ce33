#include "stage/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/talk.h"
#include "lib/ledger.h"
#include "lib/record_change.h"

#define CHANGES_TOLD_MAX 4096 /* as many as effects (EFFECTS_MAX); how many there were is told in any case */
#define PATH_TOLD_MAX (STAGE_PATH_MAX + CHANGE_PATH_MAX)

int account_open(struct role *role, struct err *e)
{
	struct ledger_hello hello;
	int sock, r;

	if (role->meta->ledger[0] == 0 || role->talk != NULL)
		return 0;
	r = ledger_reconnect(role->meta->ledger, &sock, &hello, e);
	if (r < 0)
		return err_context(e, r, "what becomes of %s is to be in the ledger", role->meta->event);
	role->talk = malloc(sizeof *role->talk);
	if (role->talk == NULL) {
		fd_close(&sock);
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to tell the ledger");
	}
	talk_init(role->talk, sock, role->meta->event);
	return 0;
}

void account_close(struct role *role)
{
	if (role->talk != NULL)
		talk_finish(role->talk);
	free(role->talk);
	role->talk = NULL;
}

static enum entry_type type_of(const char *what)
{
	return strcmp(what, "discard") == 0 ? ENTRY_DISCARD : ENTRY_COMMIT;
}

int account_begin(struct role *role, const char *what, uint64_t changes, struct err *e)
{
	struct json *j;
	int r = account_open(role, e);

	if (r < 0 || role->talk == NULL)
		return r;
	role->told = what;
	j = talk_body(role->talk);
	json_put_count(json_put_key(j, "changes"), changes);
	json_put_word(json_put_key(j, "state"), "begins");
	json_put_word(json_put_key(j, "what"), what);
	r = talk_put(role->talk, type_of(what), "", e);
	return r < 0 ? r : talk_settle(role->talk, true, e);
}

/* ---- the end ---- */

static void put_path(struct json *j, const char *key, const struct role *role, const struct change *c, const char *path)
{
	static char whole[PATH_TOLD_MAX];

	(void)snprintf(whole, sizeof whole, "%s%s%s", role->meta->trees[c->tree].real, path[0] != 0 ? "/" : "",
		       path); /* it fits */
	talk_put_text(json_put_key(j, key), whole);
}

/* As in the record, in the order that the ledger wants. */
static int put_change(struct role *role, const struct change *c)
{
	const bool is_file = c->type == CHANGE_FILE;
	struct json *j = talk_body(role->talk);

	json_put_count(json_put_key(j, "count"), 1);
	if (c->later != 0)
		json_put_bool(json_put_key(j, "executes_later"), true);
	if (c->from[0] != 0)
		put_path(j, "from", role, c, c->from);
	if (c->held != HELD_NOT)
		json_put_word(json_put_key(j, "held"), held_word(c->held));
	json_put_word(json_put_key(j, "kind"), change_word(c->kind));
	if (c->kind != CHANGE_DELETED)
		record_mode_put(j, "mode", c->mode_new);
	if (c->mode_old != c->mode_new && c->mode_old != 0 && c->mode_new != 0)
		record_mode_put(j, "mode_before", c->mode_old);
	put_path(j, "object", role, c, c->path);
	if (is_file && c->has_digest != 0)
		record_digest_put(j, c);
	if (is_file && c->kind != CHANGE_DELETED)
		json_put_count(json_put_key(j, "size"), c->size_new);
	if (is_file && c->kind != CHANGE_ADDED && c->kind != CHANGE_LINK)
		json_put_count(json_put_key(j, "size_before"), c->size_old);
	json_put_word(json_put_key(j, "source"), "proved");
	json_put_word(json_put_key(j, "type"), change_type_word(c->type));
	json_put_word(json_put_key(j, "verdict"), c->held == HELD_NOT ? "allowed" : "held");
	if (c->reason[0] != 0)
		talk_put_text(json_put_key(j, "why"), c->reason);
	return talk_put(role->talk, ENTRY_EFFECT, "", NULL);
}

void account_end(struct role *role, const char *how)
{
	struct json *j;
	int r = 0;

	if (role->talk == NULL || role->told == NULL)
		return;
	for (size_t i = 0; i < role->n_changes && i < CHANGES_TOLD_MAX && r == 0; i++)
		r = put_change(role, role->changes[i]);
	j = talk_body(role->talk);
	json_put_count(json_put_key(j, "changes"), role->end.changes);
	json_put_count(json_put_key(j, "held"), role->end.held);
	json_put_word(json_put_key(j, "state"), how);
	json_put_word(json_put_key(j, "what"), role->told);
	if (r == 0 && talk_put(role->talk, type_of(role->told), "", NULL) == 0)
		(void)talk_settle(role->talk, false, NULL); /* it is done: the beginning stands there without an end */
	role->told = NULL;
}

void account_recovered(struct role *role, bool is_committed)
{
	struct json *j;

	if (account_open(role, NULL) < 0 || role->talk == NULL)
		return;
	j = talk_body(role->talk);
	json_put_word(json_put_key(j, "state"), "recovered");
	json_put_word(json_put_key(j, "what"), is_committed ? "commit" : "undo");
	if (talk_put(role->talk, ENTRY_COMMIT, "", NULL) == 0)
		(void)talk_settle(role->talk, false, NULL);
}
