/* ambit profile: what is usual. */
#include "cli/profile.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define HELP "ambit profile --help"

const char profile_help[] =
	"ambit profile show [PROFILE [--html FILE]]\n"
	"ambit profile show --seeds\n"
	"ambit profile diff | export | promote | reset PROFILE\n"
	"ambit profile import FILE\n"
	"ambit profile release | refuse EVENT\n"
	"ambit profile score | train EVENT... [--ledger DIR]\n"
	"ambit profile eval --train FILE [--calibrate FILE] --test FILE [OPTIONS]\n"
	"ambit profile eval --events [--train FILE] [--test] FILE [OPTIONS]\n"
	"\n"
	"A profile is what is usual for an agent and a program. Events begin to be held against theirs by `profile: log` (throttle, ask, hold, kill) in a\n"
	"policy, or --profile of ambit run.\n"
	"\n"
	"  show     all of them; or what is usual in one, and how its promises were kept. --shadow: what was learned, and does not score yet\n"
	"  diff     what was learned, and does not score yet\n"
	"  export   one as text, which can be read, signed and imported elsewhere\n"
	"  import   such a text in place of what there is; - is standard input\n"
	"  promote  what was learned scores from now on; that happens by itself, too, while promises are kept\n"
	"  reset    forget it\n"
	"  release  what an event did that was held was right: it is learned. `ambit commit` of its changes says so, too\n"
	"  refuse   it was not: nothing is learned. `ambit discard` says so, too\n"
	"\n"
	"  score    how an event of the ledger, or a record in a file, compares with what is usual now; nothing is learned or counted\n"
	"  train    events of the ledger, in their order, are learned as if they ended now, but for those that were held, killed or lost;\n"
	"           - is a list of them on standard input\n"
	"\n"
	"PROFILE is the beginning of its id, or a program whose profile is everybody's.\n"
	"\n"
	"eval learns from the traces in one file, calibrates its promises with a second, and tells of a third how well attacks are told from\n"
	"what is usual, and whether the promised false-alarm rates are kept. Nothing of it touches the profiles in use.\n"
	"\n"
	"One trace a line: symbols with blanks between, of whatever kind; | ends a thread. Before them may stand a label, a tab, a key, and a tab.\n"
	"A label is usual if it is empty, -, 0, benign, good, normal or usual; any other is the name of an attack. Each key has a profile of its own.\n"
	"- as FILE is standard input.\n"
	"\n"
	"  --train FILE      what to learn; attacks in it are passed over, and counted\n"
	"  --calibrate FILE  what to set thresholds by; without it each fourth trace of --train is, and is not learned\n"
	"  --test FILE       what to try it on; its labels are counted, and no threshold comes from it\n"
	"  --alpha RATE,...  false-alarm rates to promise, as 0.01 or 1% (default: 0.1%,1%,5%,10%)\n"
	"  --stream          --test is in order of time: what was tested and is no attack, or was not flagged, is calibrated with from then on,\n"
	"                    so that promises hold where what is usual drifts\n"
	"  --roc FILE        write the curve of attacks against false alarms there, as SVG; an existing file is not overwritten\n"
	"  --events          the files are recorded runs, JSON lines: how many attacks a profile of an agent's tool calls would have stopped, and\n"
	"                    how many good runs; without --train each model family is judged by what the others did (doc/PROFILE-CALLS.md).\n"
	"                    With it --alpha is one rate: accept so much that at most that part of usual runs is stopped\n"
	"  --without NAME    with --events: an attack, or suite/goal, that is not counted, since no call can reach it; * is any run of characters\n"
	"  --shadow          of show and export: what learns, and not what scores\n"
	"  --seeds           of show: the profiles that have the word while one's own are young\n"
	"  --html FILE       of show: one page with drawings, which fetches nothing and runs nothing; - is standard output\n"
	"  --json            as JSON\n"
	"  --help            this text\n";

static const char *const verbs[] = { "show",    "diff",   "export", "import", "promote", "reset",
				     "release", "refuse", "score",  "train",  "eval" };

#define VERBS (sizeof verbs / sizeof verbs[0])

int cli_profile(int argc, char **argv)
{
	if (argc < 2)
		return cli_usage(HELP, "profile what?");
	if (cli_is_help(argv[1])) {
		(void)fputs(profile_help, stdout);
		return 0;
	}
	if (strcmp(argv[1], "score") == 0 || strcmp(argv[1], "train") == 0)
		return profile_past(argv[1], argv + 2);
	if (strcmp(argv[1], "eval") == 0)
		return profile_eval(argv + 2);
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(verbs[i], argv[1]) == 0)
			return profile_kept(argv[1], argv + 2);
	return cli_no_word(HELP, argv[1], verbs, VERBS, "profile knows no '%s'", argv[1]);
}
