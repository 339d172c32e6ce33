#include "cli/rotate.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "ledger/layout.h"
#include "ledger/talk.h"
#include "lib/ledger.h"
#include "lib/public.h"

#define AGAIN_MS 300 /* nobody tells when an event ends that is another's */

static int ask_once(const char *dir, struct ledger_hello *before, struct talk_rotated *ret, struct err *e)
{
	auto_free struct talk *t = malloc(sizeof *t);
	int sock, r;

	if (t == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to ask the ledger");
	r = ledger_reconnect(dir, &sock, before, e);
	if (r < 0)
		return r;
	talk_init(t, sock, "");
	r = talk_rotate(t, ret, e);
	talk_finish(t);
	return r;
}

static int ask(const char *dir, bool wait, struct ledger_hello *before, struct talk_rotated *ret, struct err *e)
{
	const bool shown = isatty(STDERR_FILENO) == 1;
	bool waited = false;
	int r;

	while ((r = ask_once(dir, before, ret, e)) == -AMBIT_CONFLICT && wait) {
		char why[2 * ERR_MSG_MAX];

		if (shown || !waited)
			(void)fprintf(stderr, "%swaiting: %s%s", shown ? "\r\033[K" : "ambit: ",
				      text_escape(why, sizeof why, e->msg, strlen(e->msg)), shown ? "" : "\n");
		waited = true;
		(void)poll(NULL, 0, AGAIN_MS);
	}
	if (waited && shown)
		(void)fputs("\r\033[K", stderr);
	return r;
}

static int say(const struct place *place, const struct ledger_hello *before, const struct talk_rotated *r)
{
	char dir[2 * GRANT_OBJECT_MAX], old[2 * LEDGER_KEY_MAX], new[2 * LEDGER_KEY_MAX];

	(void)printf(
		"the log was closed with %" PRIu64 " entr%s and is %s/" LEDGER_PAST "/%u now, signed by\n  %s\n"
		"it named the key of the one that goes on:\n  %s\n"
		"  keep this line elsewhere; whoever has the line before is led to it: `ambit ledger verify --key`\n",
		r->entries, r->entries == 1 ? "y" : "ies", text_escape(dir, sizeof dir, place->dir, strlen(place->dir)),
		r->number, text_escape(old, sizeof old, before->key, strlen(before->key)),
		text_escape(new, sizeof new, r->key, strlen(r->key)));
	return cli_flush();
}

static int say_json(const struct place *place, const struct ledger_hello *before, const struct talk_rotated *r)
{
	auto_buf out = { .max = 8 * GRANT_OBJECT_MAX };
	char past[GRANT_OBJECT_MAX + sizeof "/" LEDGER_PAST "/" + 10];
	struct json j;

	(void)snprintf(past, sizeof past, "%s/" LEDGER_PAST "/%u", place->dir, r->number);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_name(json_put_key(&j, "closed"), past);
	json_put_count(json_put_key(&j, "entries"), r->entries);
	json_put_name(json_put_key(&j, "key_before"), before->key);
	json_put_name(json_put_key(&j, "key"), r->key);
	json_put_object_end(&j);
	buf_printf(&out, "\n");
	return cli_write(out.data, out.len);
}

int rotate(const struct place *place, bool wait, bool json)
{
	struct ambit_error told = { .size = sizeof told };
	struct ledger_hello before;
	struct talk_rotated rotated = { .number = 0 };
	struct err e;
	const int r = ask(place->dir, wait, &before, &rotated, &e);

	if (public_error(&told, r, &e) < 0)
		return cli_refuse(json, &told);
	return json ? say_json(place, &before, &rotated) : say(place, &before, &rotated);
}
