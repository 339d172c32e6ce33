/* ambit profile score, train: events of the ledger, or records, against the profiles there are. Records are read by ambit-explain, in a parser's cell; what that makes of one is the keeper's to read. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/profile.h"
#include "cli/recorded.h"
#include "lib/public.h"
#include "lib/record_usual.h"
#include "lib/usual.h"
#include "policy/policy.h"

#define HELP "ambit profile --help"
#define DEEDS_MAX (4u << 20)
#define NOBODY "e_00000000000000000000000000" /* the keeper has no use for an id where nothing is held */

struct asked {
	bool teaches, json, help;
	const char *ledger;
	size_t taught, refused, failed;
};

static int take_option(struct asked *a, char **argv, size_t *i, struct ambit_error *e)
{
	static const char *const options[] = { "json", "ledger", "help" };

	if (strcmp(argv[*i], "--json") == 0)
		a->json = true;
	else if (cli_is_help(argv[*i]))
		a->help = true;
	else if (strncmp(argv[*i], "--ledger=", 9) == 0)
		a->ledger = argv[*i] + 9;
	else if (strcmp(argv[*i], "--ledger") == 0 && argv[*i + 1] != NULL)
		a->ledger = argv[++*i];
	else
		return cli_misused_option(e, HELP, argv[*i], options, sizeof options / sizeof options[0]);
	return 0;
}

/* Options are taken out. The number of words; -1: one is wrong. */
static int take_words(struct asked *a, char **argv, struct ambit_error *e)
{
	int n = 0;

	for (size_t i = 0; argv[i] != NULL; i++)
		if (argv[i][0] != '-' || argv[i][1] == 0)
			argv[n++] = argv[i];
		else if (take_option(a, argv, &i, e) < 0)
			return -1;
	argv[n] = NULL;
	return n;
}

static void say(const char *word, const struct usual_found *f)
{
	const struct unusual *u = &f->f;
	char shown[2 * REASON_MAX];

	(void)printf("%s: %s (%u events known, p %.3g)\n", word,
		     f->asks                    ? "a person would be asked"
		     : u->flagged[PROMISED_LOG] ? "flagged at 1 in 100"
		     : u->young                 ? "its profile is young"
						: "usual",
		     u->events, u->p);
	for (size_t i = 0; i < u->n_reasons; i++)
		(void)printf("  %s\n",
			     text_escape(shown, sizeof shown, u->reasons[i].text, strlen(u->reasons[i].text)));
}

static void say_json(const char *word, const struct usual_found *f)
{
	const struct result_usual usual = { .profile = PROFILE_LOG, .judged = true, .found = *f };
	auto_buf out = { .max = 1u << 16 };
	struct json j;

	json_begin(&j, &out);
	json_put_object(&j);
	json_put_name(json_put_key(&j, "event"), word);
	record_usual_put(json_put_key(&j, "usual"), &usual);
	json_put_object_end(&j);
	if (!out.failed)
		(void)printf("%.*s\n", (int)out.len, (const char *)out.data);
}

/* One that teaches nothing is told, and the others go on. */
static int one(struct asked *a, struct usual_keeper *k, const char *word, struct err *e)
{
	static const struct usual_ask ask[] = { { .use = USUAL_LOOK, .event = NOBODY },
						{ .use = USUAL_TEACH, .event = NOBODY } };
	auto_buf deeds = { .max = DEEDS_MAX };
	struct usual_found found;
	char shown[2 * sizeof found.not_taught];
	int r = recorded_read(word, a->ledger, a->teaches ? EXPLAIN_LESSON : EXPLAIN_DEEDS, &deeds, e);

	r = r < 0 ? r : usual_score_past(k, &ask[a->teaches], &deeds, &found, e);
	if (r < 0)
		return r;
	if (!a->teaches)
		(a->json ? say_json : say)(word, &found);
	else if (found.not_taught[0] != 0)
		(void)fprintf(stderr, "ambit: %s teaches nothing: %s\n", word,
			      text_show(shown, sizeof shown, found.not_taught, strlen(found.not_taught)));
	a->refused += found.not_taught[0] != 0;
	a->taught += found.not_taught[0] == 0;
	return 0;
}

static int refuse_one(struct asked *a, const char *word, const struct err *e)
{
	struct err told = *e;

	a->failed++;
	(void)err_context(&told, -(int)e->code, "%.64s", word);
	return found_refuse(false, &told);
}

/* Of a list, a line each: the ids of events. */
static int all_of_input(struct asked *a, struct usual_keeper *k)
{
	char line[256];
	int status = 0;
	struct err e;

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = 0;
		if (line[0] != 0 && one(a, k, line, &e) < 0)
			status = refuse_one(a, line, &e);
	}
	return status;
}

int profile_past(const char *name, char **argv)
{
	struct asked a = { .teaches = strcmp(name, "train") == 0 };
	struct ambit_error told = { .size = sizeof told };
	const int n = take_words(&a, argv, &told);
	struct usual_keeper *k = NULL;
	int status = 0;
	struct err e;

	if (n >= 0 && a.help) {
		(void)fputs(profile_help, stdout);
		return 0;
	}
	if (n == 0)
		(void)cli_misused(&told, HELP, "%s what? events of the ledger, or - for a list of them", name);
	if (n <= 0)
		return cli_refuse(a.json, &told);
	if (usual_open(NULL, &k, &e) < 0)
		return found_refuse(a.json, &e);
	for (int i = 0; i < n; i++) {
		if (strcmp(argv[i], "-") == 0)
			status = all_of_input(&a, k) != 0 ? 125 : status;
		else if (one(&a, k, argv[i], &e) < 0)
			status = refuse_one(&a, argv[i], &e);
	}
	usual_close(k);
	if (a.teaches)
		(void)printf("learned: %zu; taught nothing: %zu; not read: %zu\n", a.taught, a.refused, a.failed);
	return status;
}
