#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cell/probe.h"
#include "cell/property.h"
#include "lib/ebpf.h"
#include "lib/event.h"
#include "lib/freeze.h"
#include "lib/throttle.h"
#include "supervisor/cgroup.h"

static const char help_text[] =
	"ambit doctor [--json]\n"
	"\n"
	"Tries what this host can enforce, each line by doing it, then makes a cell and says what holds each property of its\n"
	"wall. Nothing is concluded from version numbers.\n"
	"\n"
	"Options:\n"
	"  --json  print the findings as JSON\n"
	"  --help  this text\n"
	"\n"
	"Exit status: 0 every property is held; 1 one or more are not; 125 the findings could not be made.\n";

/* What was found, line by line: printed as it comes, or kept as JSON. */
struct report {
	struct buf text; /* owned */
	struct json lines;
	bool as_json;
	const char *part;
};

#define REPORT_MAX (1u << 20)

static void keep(struct json *j, const char *part, const char *found, const char *name, const char *text,
		 const char *advice)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "part"), part);
	json_put_word(json_put_key(j, "name"), name);
	json_put_word(json_put_key(j, "found"), found);
	json_put_word(json_put_key(j, "text"), text);
	json_put_word(json_put_key(j, "advice"), advice);
	json_put_object_end(j);
}

static void add(struct report *r, const char *found, const char *name, const char *text, const char *advice)
{
	static const struct {
		const char *found, *mark;
	} marks[] = { { "yes", "yes" }, { "no", "NO" }, { "less", "-" }, { "note", "note" } };
	const char *mark = found;

	if (r->as_json) {
		keep(&r->lines, r->part, found, name, text, advice);
		return;
	}
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (strcmp(marks[i].found, found) == 0)
			mark = marks[i].mark;
	(void)printf("  %-4s %-24s %s\n", mark, name, text);
	if (advice != NULL)
		(void)printf("       %-24s -> %s\n", "", advice);
	(void)fflush(stdout); /* a probe forks */
}

static void begin(struct report *r, const char *part, const char *title)
{
	r->part = part;
	if (!r->as_json)
		(void)printf("%s\n", title);
	(void)fflush(stdout);
}

static void show_probe(struct report *r, const struct probe *p)
{
	struct finding found;
	char text[256];

	if (p->need == PROBE_ROOT && geteuid() != 0)
		return;
	probe_run(p, &found);
	if (found.result == 0)
		(void)snprintf(text, sizeof text, "%s%s%s", p->text, found.detail[0] != 0 ? ": " : "", found.detail);
	else
		(void)snprintf(text, sizeof text, "%s: %s", p->text,
			       found.detail[0] != 0 ? found.detail : strerror(-found.result));
	add(r,
	    found.result == 0         ? "yes"
	    : p->need == PROBE_BETTER ? "less"
				      : "no",
	    p->name, text, found.result == 0 ? NULL : p->advice);
}

/* Who could give an ordinary user a control group, and only of version 2: a manager of services of their own. */
static bool can_be_delegated(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char manager[512];

	return dir != NULL && (size_t)snprintf(manager, sizeof manager, "%s/systemd/private", dir) < sizeof manager &&
	       access(manager, F_OK) == 0 && access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

/* Exact limits need a control group; without one they are sampled. */
static void show_cgroups(struct report *r)
{
	static const char *const names[CGROUP_SLOTS] = { "cgroup memory", "cgroup tasks" };
	const struct cgroup_ask ask = { .root = "", .event_id = "doctor", .value = { 64u << 20, 64 } };
	struct cgroup found;
	char line[ERR_LINE_MAX];
	struct err e;

	cgroup_create(&ask, &found);
	for (int i = 0; i < CGROUP_SLOTS; i++) {
		const bool has = found.why[i][0] == 0;

		(void)snprintf(line, sizeof line, "%s%s", has ? "exact limits" : "sampled limits: ", found.why[i]);
		add(r, has ? "yes" : "less", names[i], line,
		    has || !can_be_delegated()
			    ? NULL
			    : "for exact ones: systemd-run --user --scope -p Delegate=yes ambit run ...");
	}
	if (cgroup_finish(&found, 1000, &e) < 0) {
		err_line(&e, line);
		add(r, "note", "cgroup", line, e.hint);
	}
}

/* Whether who asks may have the kernel observe: found out by doing it, all but a cell. */
static void show_ebpf(struct report *r)
{
	auto_fd int fd = -1;
	char line[ERR_LINE_MAX];
	struct err e;

	if (ebpf_connect(&fd, &e) == 0) {
		add(r, "yes", "eBPF", "calls are seen without waiting for it (--observe ebpf)", NULL);
		return;
	}
	err_line(&e, line);
	add(r, "less", "eBPF", line, e.hint[0] != 0 ? e.hint : NULL);
}

/* Settings of the host that a cell does not depend on and its owner may want to know. */
static void show_host(struct report *r)
{
	static const struct {
		const char *path, *bad, *text;
	} notes[] = {
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		  "AppArmor lets only programs with a profile make user namespaces: the package installs one" },
		{ "/proc/sys/dev/tty/legacy_tiocsti", "1",
		  "any program may type into its terminal (dev.tty.legacy_tiocsti=0 stops it); cells cannot" },
		{ "/proc/sys/kernel/unprivileged_bpf_disabled", "0",
		  "any program may load BPF (kernel.unprivileged_bpf_disabled=2 stops it); cells cannot" },
	};

	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		char value[8] = "";
		auto_fd int fd = open(notes[i].path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && read(fd, value, sizeof value - 1) > 0 && value[0] == notes[i].bad[0])
			add(r, "note", strrchr(notes[i].path, '/') + 1, notes[i].text, NULL);
	}
}

static void show_one_frozen(void *user, const struct frozen *f)
{
	char since[TIMESTAMP_LEN + 1] = "", how[64 + 4 * FROZEN_REASON_MAX], hint[64], reason[4 * FROZEN_REASON_MAX];
	struct report *r = user;

	(void)timestamp_write(f->since_ms, since);
	(void)snprintf(how, sizeof how, "frozen since %.19sZ by user %u%s%s", since, f->by,
		       f->reason[0] != 0 ? ": " : "", text_escape(reason, sizeof reason, f->reason, strlen(f->reason)));
	(void)snprintf(hint, sizeof hint, "ambit thaw %s%s", strcmp(f->what, FROZEN_ALL) == 0 ? "--" : "", f->what);
	add(r, "note", strcmp(f->what, FROZEN_ALL) == 0 ? "everything" : f->what, how, hint);
}

static void show_one_throttled(void *of, const struct throttle *t)
{
	char since[TIMESTAMP_LEN + 1] = "", how[160], hint[80];
	const bool is_known = t->event[0] != 0;

	(void)timestamp_write(t->since_ms, since);
	(void)snprintf(how, sizeof how, "throttled since %.19sZ: its events begin %u s apart", since,
		       t->pause_ms / 1000);
	(void)snprintf(hint, sizeof hint, is_known ? "ambit profile release %s" : "ambit thaw --all%s", t->event);
	add(of, "note", t->stream, how, hint);
}

static void show_frozen(struct report *r)
{
	char place[GRANT_OBJECT_MAX];
	struct err e;

	if (freeze_place(place, &e) < 0 || frozen_list(place, show_one_frozen, r, &e) < 0 ||
	    throttle_list(place, clock_unix_ms(), show_one_throttled, r, &e) < 0)
		add(r, "no", "frozen", e.msg, e.hint);
}

static int show_wall(struct report *r, const struct event_result *result)
{
	int missing = 0;

	for (unsigned p = 0; p < PROPERTY_COUNT; p++) {
		const mechanism_set held = property_held_by((enum property)p, result->achieved);
		char how[256];

		property_describe(held, how, sizeof how);
		add(r, held != 0 ? "yes" : "no", property_word((enum property)p),
		    held != 0 ? how : property_text((enum property)p),
		    held != 0 ? NULL : mechanism_hint(property_missing((enum property)p, result->achieved)));
		missing += held == 0;
	}
	return missing;
}

static int make_cell(struct report *r)
{
	char *argv[] = { (char[]){ "/bin/true" }, NULL };
	const struct ambit_event_options o = { .size = sizeof o,
					       .argv = argv,
					       .workspace = "/",
					       .observe = "off",
					       .stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_NULL, AMBIT_STREAM_NULL } };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = NULL;
	struct ambit_event *ev = NULL;
	char line[ERR_LINE_MAX];
	int status = EXIT_REFUSED;

	if (ambit_policy_new(&p, &e) < 0 || ambit_event_start(p, &o, &ev, &e) < 0 || ambit_event_wait(ev, &e) < 0) {
		(void)cli_error(&e);
	} else if (event_result(ev)->cause == CAUSE_REFUSED) {
		err_line(&event_result(ev)->error, line);
		add(r, "no", "a cell", line, event_result(ev)->error.hint);
		status = 1;
	} else {
		status = show_wall(r, event_result(ev)) > 0 ? 1 : 0;
	}
	ambit_event_free(ev);
	ambit_policy_free(p);
	return status;
}

static int look(struct report *r)
{
	const struct probe *probes;
	const size_t n = probe_list(&probes);

	begin(r, "host", "What this host can do (- is missing, and something else stands in):");
	for (size_t i = 0; i < n; i++)
		show_probe(r, &probes[i]);
	show_cgroups(r);
	show_ebpf(r);
	show_host(r);
	show_frozen(r);
	begin(r, "wall", "\nA cell on this host, and what holds each property of its wall:");
	return make_cell(r);
}

static int end(struct report *r, int status)
{
	static const char *const verdicts[] = {
		"Every property is held.",
		"Events are refused until the above is mended, or the property is given up with --without.",
	};

	if (!r->as_json) {
		(void)printf("\n%s\n", status <= 1 ? verdicts[status] : "The findings could not be made.");
		return status;
	}
	json_put_array_end(&r->lines);
	buf_put_u8(&r->text, '\n');
	if (r->text.failed || fd_write_all(STDOUT_FILENO, r->text.data, r->text.len) < 0)
		status = EXIT_REFUSED;
	return status;
}

int cli_doctor(int argc, char **argv)
{
	static const char *const options[] = { "help", "json" };
	struct report r = { .as_json = false };
	int status;

	if (argc == 2 && cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--json") == 0)
		r.as_json = true;
	else if (argc == 2 && argv[1][0] == '-')
		return cli_no_option("ambit doctor --help", argv[1], options, 2);
	else if (argc != 1)
		return cli_usage("ambit doctor --help", "doctor takes no '%s'", argv[1]);
	buf_init(&r.text, REPORT_MAX);
	json_begin(&r.lines, &r.text);
	json_put_array(&r.lines);
	status = end(&r, look(&r));
	buf_finish(&r.text);
	return status;
}
