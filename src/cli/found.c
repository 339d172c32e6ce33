#include "cli/found.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "lib/public.h"
#include "lib/summary.h"

int found_refuse(bool json, const struct err *e)
{
	struct ambit_error public = { .size = sizeof public };

	(void)public_error(&public, -(int)e->code, e);
	return cli_refuse(json, &public);
}

void found_tell(const struct event_row *row, bool quiet)
{
	const enum event_cause cause = row->outcome.cause;
	struct err e;

	if (row->message[0] == 0 || (quiet && cause != CAUSE_REFUSED && cause != CAUSE_LIMIT))
		return;
	(void)err_set(&e, (enum ambit_code)row->code, row->hint[0] != 0 ? row->hint : NULL, "%s", row->message);
	if (cause == CAUSE_LIMIT && row->code == AMBIT_LIMIT)
		(void)err_why(&e, AMBIT_LIMIT, "%s went over it", limit_text(row->outcome.limit)); /* no row has it */
	(void)found_refuse(false, &e);
}

void found_tell_labels(const struct event_row *row, bool quiet)
{
	auto_buf out = { .max = 2 * LABELS_TEXT_MAX };

	summary_labels(&row->labels, &out);
	if (!quiet && out.len > 0)
		(void)fwrite(out.data, 1, out.len, stderr); /* nobody is left to be told */
}

static int look(struct daemon_link *d, const char *word, char ret[ID_TEXT_MAX], struct err *e)
{
	auto_free struct session_row *rows = calloc(SERVE_PAGE, sizeof *rows);
	const bool last = strcmp(word, "last") == 0;
	char after[ID_TEXT_MAX] = "";
	unsigned found = 0;
	int n = SERVE_PAGE;

	while (rows != NULL && n == SERVE_PAGE) {
		n = daemon_list(d, after, rows, e);
		for (int i = 0; i < n; i++) {
			if (!last && strncmp(rows[i].session, word, strlen(word)) != 0)
				continue;
			found++;
			memcpy(ret, rows[i].session, ID_TEXT_MAX); /* the latest is the last of them */
		}
		if (n > 0)
			memcpy(after, rows[n - 1].session, sizeof after);
	}
	if (rows == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list of sessions");
	if (n < 0)
		return n;
	if (found == 0 && last)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit session new` makes one", "there is no session yet");
	if (found == 0)
		return err_set(e, AMBIT_NOT_FOUND, "ambit session list", "there is no session %s", word);
	return found > 1 && !last
		       ? err_set(e, AMBIT_CONFLICT, "name more of it", "%u sessions begin with %s", found, word)
		       : 0;
}

int found_session(struct daemon_link *d, const char *word, char ret[ID_TEXT_MAX], struct err *e)
{
	if (id_is('s', word, strlen(word))) {
		memcpy(ret, word, ID_LEN + 1);
		return 0;
	}
	if (strcmp(word, "last") != 0 && !place_is_id('s', word))
		return err_set(e, AMBIT_USAGE, "ambit session list",
			       "'%s' is no session: name an id, the beginning of one, or last", word);
	return look(d, word, ret, e);
}

int found_open(struct daemon_link *d, struct daemon_channel *c, const char *word, struct err *e)
{
	char session[ID_TEXT_MAX];
	int r;

	d->sock = c->sock = -1;
	r = daemon_connect(d, true, e);
	r = r < 0 ? r : found_session(d, word, session, e);
	return r < 0 ? r : daemon_open(d, session, c, e);
}
