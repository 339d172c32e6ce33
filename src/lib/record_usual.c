#include "lib/record_usual.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "lib/record.h"
#include "policy/policy.h"

#define SHOWN_MAX (2 * REASON_MAX)

static const char *const promised_words[PROMISES] = { "log", "ask" };

/* ---- the record ---- */

static void put_number(struct json *j, const char *key, double value)
{
	char text[32];
	const int n = snprintf(text, sizeof text, "%.6g", value);

	json_put_made(json_put_key(j, key), text, (size_t)n);
}

/* Agent, tool, program and shape, with tabs between. */
static void put_key(struct json *j, const char *key)
{
	static const char *const names[] = { "agent", "tool", "program", "shape" };

	json_put_object(j);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const size_t n = strcspn(key, "\t");

		json_put_key(j, names[i]);
		if (n > 0)
			json_put_bytes(j, key, n);
		else
			json_put_null(j);
		key += n + (key[n] != 0);
	}
	json_put_object_end(j);
}

static void put_layers(struct json *j, const struct unusual *f)
{
	json_put_object(json_put_key(j, "layers"));
	for (size_t i = 0; i < LAYERS; i++) {
		json_put_object(json_put_key(j, layer_word((enum layer)i)));
		put_number(j, "score", f->scores[i]);
		put_number(j, "p", f->ps[i]);
		json_put_object_end(j);
	}
	json_put_object_end(j);
}

static void put_promises(struct json *j, const struct usual_found *u)
{
	json_put_object(json_put_key(j, "flagged"));
	for (size_t i = 0; i < PROMISES; i++)
		json_put_bool(json_put_key(j, promised_words[i]), u->f.flagged[i]);
	json_put_object_end(j);
	json_put_object(json_put_key(j, "ratio"));
	for (size_t i = 0; i < PROMISES; i++)
		put_number(j, promised_words[i], u->ratio[i]);
	json_put_object_end(j);
}

static void put_nearest(struct json *j, const struct likeness *l)
{
	if (l->event[0] == 0) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	json_put_word(json_put_key(j, "event"), l->event);
	put_number(j, "part", l->part);
	json_put_name(json_put_key(j, "text"), l->text);
	json_put_object_end(j);
}

static void put_reasons(struct json *j, const struct unusual *f)
{
	json_put_array(json_put_key(j, "reasons"));
	for (size_t i = 0; i < f->n_reasons; i++) {
		json_put_object(j);
		json_put_word(json_put_key(j, "layer"), layer_word(f->reasons[i].layer));
		put_number(j, "surprise", f->reasons[i].surprise);
		json_put_name(json_put_key(j, "text"), f->reasons[i].text);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

void record_usual_put(struct json *j, const struct result_usual *u)
{
	if (u->profile <= PROFILE_OFF) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	json_put_word(json_put_key(j, "profile"), policy_profile_word(u->profile));
	json_put_bool(json_put_key(j, "held"), u->holds);
	json_put_key(j, "frozen");
	if (u->froze)
		json_put_bool(j, u->unfrozen.code == AMBIT_OK);
	else
		json_put_null(j);
	json_put_bool(json_put_key(j, "ended"), u->kills);
	json_put_count(json_put_key(j, "throttled_ms"), u->pause_ms);
	json_put_key(j, "error");
	if (u->error.code == AMBIT_OK)
		json_put_null(j);
	else
		record_put_error(j, &u->error);
	if (u->error.code == AMBIT_OK) {
		put_key(json_put_key(j, "key"), u->found.key);
		json_put_count(json_put_key(j, "events"), u->found.f.events);
		json_put_bool(json_put_key(j, "young"), u->found.f.young);
		put_number(j, "p", u->found.f.p);
		put_number(j, "least", u->found.f.least);
		put_layers(j, &u->found.f);
		put_promises(j, &u->found);
		json_put_bool(json_put_key(j, "asks"), u->found.asks);
		json_put_count(json_put_key(j, "others"), u->found.others);
		json_put_word(json_put_key(j, "not_taught"), u->found.not_taught[0] != 0 ? u->found.not_taught : NULL);
		put_reasons(j, &u->found.f);
		put_nearest(json_put_key(j, "nearest"), &u->found.nearest);
	}
	json_put_object_end(j);
}

/* ---- in words ---- */

static void say_known(const struct usual_found *u, struct buf *out)
{
	char shown[SHOWN_MAX];

	if (u->level == USUAL_LEVEL_SEED)
		buf_printf(out,
			   "its profiles are young, and it is held against a seed, of other machines and other work");
	else if (u->f.young)
		buf_printf(out, "its profile is young, and knows %u event%s", u->f.events, text_plural(u->f.events));
	else if (u->f.p <= u->f.least)
		buf_printf(out, "none of %u usual events that it is held against was like that", u->f.events);
	else
		buf_printf(out, "at most %.2g in 1000 usual events are as unusual", 1000 * u->f.p);
	for (size_t i = 1; i < u->f.n_reasons; i++)
		buf_printf(out, "; %s",
			   text_escape(shown, sizeof shown, u->f.reasons[i].text, strlen(u->f.reasons[i].text)));
	buf_printf(out, "\n");
}

void usual_say_nearest(const struct likeness *l, const char *lead, struct buf *out)
{
	char shown[SHOWN_MAX], when[TIMESTAMP_LEN + 1];

	if (l->event[0] == 0)
		return;
	(void)timestamp_write(id_ms(l->event), when);
	buf_printf(out, "%s%s of %.10s: %s\n", lead, l->event, when,
		   text_escape(shown, sizeof shown, l->text, strlen(l->text)));
}

void summary_usual(const struct event_result *r, struct buf *out)
{
	const struct result_usual *u = &r->usual;
	char shown[SHOWN_MAX], line[ERR_LINE_MAX];
	const char *hint = u->error.hint[0] != 0 ? u->error.hint : "`ambit profile show` lists what is there";

	if (u->profile <= PROFILE_OFF)
		return;
	if (u->error.code != AMBIT_OK) { /* by the word of a role that reads what is hostile */
		err_line(&u->error, line);
		buf_printf(out, "ambit: %s\n", text_show(shown, sizeof shown, line, strlen(line)));
		buf_printf(out, "  hint: %s\n", text_show(shown, sizeof shown, hint, strlen(hint)));
		return;
	}
	if (u->unfrozen.code != AMBIT_OK) {
		err_line(&u->unfrozen, line);
		buf_printf(out, "ambit: %s\n  hint: `ambit freeze %s` says it again\n",
			   text_show(shown, sizeof shown, line, strlen(line)), r->session);
	}
	if (u->pause_ms > 0)
		buf_printf(
			out,
			"ambit: throttled: it did much, so what its agent begins next begins %u s apart\n  hint: an hour in which nothing did much ends that, or `ambit profile release %s`\n",
			u->pause_ms / 1000, r->event);
	if (u->kills)
		buf_printf(
			out,
			"ambit: its session is ended: this is its second event that was not like what is usual\n  hint: `ambit thaw %s` lets it begin events again\n",
			r->session);
	if (u->found.f.n_reasons == 0 || !(u->found.asks || u->found.f.flagged[PROMISED_LOG]))
		return;
	buf_printf(out, "ambit: unusual: %s\n  why: ",
		   text_escape(shown, sizeof shown, u->found.f.reasons[0].text, strlen(u->found.f.reasons[0].text)));
	say_known(&u->found, out);
	usual_say_nearest(&u->found.nearest, "  nearest: ", out);
	if (u->found.held && r->workspace != WORKSPACE_KEPT)
		buf_printf(
			out,
			"  hint: `ambit profile release %s` if that was right, and it is learned; `profile: log` in the policy only tells\n",
			r->event);
	else if (u->profile < PROFILE_ASK)
		buf_printf(
			out,
			"  hint: it is only told: `profile: ask` in the policy holds such changes until you have seen them\n");
}

int usual_held(const struct result_usual *u, struct err *e)
{
	const struct unusual *f = &u->found.f;
	const char *why = u->error.code != AMBIT_OK ? u->error.msg : f->n_reasons > 0 ? f->reasons[0].text : "";
	char shown[SHOWN_MAX];

	return err_set(e, AMBIT_CONFLICT, "a person looks at it by `ambit diff`, and commits or discards it",
		       "its changes are held, since it is not like what is usual: %s",
		       text_escape(shown, sizeof shown, why, strlen(why)));
}
