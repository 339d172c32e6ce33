#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cell/probe.h"
#include "cell/property.h"
#include "lib/event.h"
#include "supervisor/cgroup.h"

static const char help_text[] =
	"ambit doctor\n"
	"\n"
	"Tries what this host can enforce, each line by doing it, then makes a cell and says what holds each property of its\n"
	"wall. Nothing is concluded from version numbers.\n"
	"\n"
	"Options:\n"
	"  --help  this text\n"
	"\n"
	"Exit status: 0 every property is held; 1 one or more are not; 125 the findings could not be made.\n";

static void line(const char *mark, const char *name, const char *text)
{
	(void)printf("  %-4s %-24s %s\n", mark, name, text);
}

static void show_probe(const struct probe *p)
{
	struct finding found;
	char text[256];

	if (p->need == PROBE_ROOT && geteuid() != 0)
		return;
	probe_run(p, &found);
	if (found.result == 0) {
		(void)snprintf(text, sizeof text, "%s%s%s", p->text, found.detail[0] != 0 ? ": " : "", found.detail);
		line("yes", p->name, text);
		return;
	}
	(void)snprintf(text, sizeof text, "%s: %s", p->text, strerror(-found.result));
	line(p->need == PROBE_BETTER ? "-" : "NO", p->name, text);
	(void)printf("       %-24s -> %s\n", "", p->advice);
}

/* Exact limits need a control group; without one they are sampled. */
static void show_cgroups(void)
{
	static const char *const names[CGROUP_SLOTS] = { "cgroup memory", "cgroup tasks" };
	const struct cgroup_ask ask = { .root = "", .event_id = "doctor", .value = { 64u << 20, 64 } };
	struct cgroup found;
	struct err e;

	cgroup_create(&ask, &found);
	for (int i = 0; i < CGROUP_SLOTS; i++) {
		if (cgroup_has(&found, (enum cgroup_slot)i)) {
			line("yes", names[i], "exact limits");
			continue;
		}
		line("-", names[i], found.why[i]);
		(void)printf("       %-24s -> %s\n", "", "limits are sampled; for exact ones: systemd-run --user --scope -p Delegate=yes ambit run ...");
	}
	if (cgroup_finish(&found, 1000, &e) < 0)
		(void)fprintf(stderr, "ambit: %s\n", e.msg);
}

/* Settings of the host that a cell does not depend on and its owner may want to know. */
static void show_host(void)
{
	static const struct {
		const char *path, *bad, *text;
	} notes[] = {
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		  "AppArmor lets only programs with a profile make user namespaces: the package installs one" },
		{ "/proc/sys/dev/tty/legacy_tiocsti", "1", "any program may type into its terminal (dev.tty.legacy_tiocsti=0 stops it); cells cannot" },
		{ "/proc/sys/kernel/unprivileged_bpf_disabled", "0", "any program may load BPF (kernel.unprivileged_bpf_disabled=2 stops it); cells cannot" },
	};

	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		char value[8] = "";
		const int fd = open(notes[i].path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (read(fd, value, sizeof value - 1) > 0 && value[0] == notes[i].bad[0])
			line("note", strrchr(notes[i].path, '/') + 1, notes[i].text);
		(void)close(fd);
	}
}

static int show_wall(const struct event_result *r)
{
	int missing = 0;

	for (unsigned p = 0; p < PROPERTY_COUNT; p++) {
		const mechanism_set held = property_held_by((enum property)p, r->achieved);
		char how[256];

		property_describe(held, how, sizeof how);
		line(held != 0 ? "yes" : "NO", property_word((enum property)p), held != 0 ? how : property_text((enum property)p));
		missing += held == 0;
	}
	return missing;
}

static int make_cell(void)
{
	char *argv[] = { (char[]){ "/bin/true" }, NULL };
	const struct ambit_event_options o = { .size = sizeof o, .argv = argv, .workspace = "/", .observe = "off",
					       .stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_NULL, AMBIT_STREAM_NULL } };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = NULL;
	struct ambit_event *ev = NULL;
	int status = EXIT_REFUSED;

	if (ambit_policy_new(&p, &e) < 0 || ambit_event_start(p, &o, &ev, &e) < 0 || ambit_event_wait(ev, &e) < 0) {
		(void)cli_error(&e);
	} else if (event_result(ev)->cause == CAUSE_REFUSED) {
		line("NO", "a cell", event_result(ev)->error.msg);
		(void)printf("       %-24s -> %s\n", "", event_result(ev)->error.hint);
		status = 1;
	} else {
		status = show_wall(event_result(ev)) > 0 ? 1 : 0;
	}
	ambit_event_free(ev);
	ambit_policy_free(p);
	return status;
}

int cli_doctor(int argc, char **argv)
{
	const struct probe *probes;
	const size_t n = probe_list(&probes);
	int status;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	if (argc != 1)
		return cli_usage("ambit doctor --help", "doctor takes no '%s'", argv[1]);
	(void)printf("What this host can do (- is missing, and something else stands in):\n");
	for (size_t i = 0; i < n; i++) {
		(void)fflush(stdout); /* a probe forks */
		show_probe(&probes[i]);
	}
	show_cgroups();
	show_host();
	(void)printf("\nA cell on this host, and what holds each property of its wall:\n");
	(void)fflush(stdout);
	status = make_cell();
	(void)printf("\n%s\n", status == 0 ? "Every property is held." :
					 status == 1 ? "Events are refused until the above is mended, or the property is given up with --without." :
						       "The findings could not be made.");
	return status;
}
