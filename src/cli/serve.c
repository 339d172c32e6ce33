/* ambit serve: the daemon, in the foreground; asking the one that is there how it is, and ending it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "lib/helper.h"

#define HELP "ambit serve --help"
#define STOP_MS 40000 /* it waits half a minute for what runs */

static const char help_text[] =
	"ambit serve [--idle TIME]\n"
	"ambit serve --status | --metrics | --reload | --stop\n"
	"\n"
	"The daemon that keeps sessions: yours alone, without root. The first command that needs it starts it, and that one ends when\n"
	"nobody has used it for ten minutes; one that is started so stays, and is what a service manager is to run.\n"
	"While it is there, an `ambit run` that is repeated finds its cell made, if that changes nothing but time.\n"
	"\n"
	"  --idle TIME   end when nobody has used it for so long (30s, 10m)\n"
	"  --status      how the one that is there is\n"
	"  --metrics     the same for a monitoring system, in the format OpenMetrics\n"
	"  --reload      after Ambit was installed anew: it becomes that, and neither what runs nor who is connected notices\n"
	"  --stop        end it: nobody is let in any more, what runs has half a minute to end, and is interrupted then\n"
	"  --json        with --status: as JSON\n"
	"  --help        this text\n"
	"\n"
	"Programs speak to it by libambit, or JSON-RPC at $XDG_RUNTIME_DIR/ambit/rpc.sock.\n";

struct words {
	bool status, metrics, reload, stop, json, help;
	uint64_t idle_ms;
};

static int read_words(struct words *w, int argc, char **argv)
{
	static const char *const names[] = { "idle", "status", "metrics", "reload", "stop", "json", "help" };

	for (int i = 1; i < argc; i++) {
		if (cli_is_help(argv[i]))
			w->help = true;
		else if (strcmp(argv[i], "--status") == 0)
			w->status = true;
		else if (strcmp(argv[i], "--metrics") == 0)
			w->metrics = true;
		else if (strcmp(argv[i], "--reload") == 0)
			w->reload = true;
		else if (strcmp(argv[i], "--stop") == 0)
			w->stop = true;
		else if (strcmp(argv[i], "--json") == 0)
			w->json = true;
		else if (strcmp(argv[i], "--idle") != 0)
			return argv[i][0] == '-' ? cli_no_option(HELP, argv[i], names, sizeof names / sizeof names[0])
						 : cli_usage(HELP, "serve takes no '%s'", argv[i]);
		else if (i + 1 == argc || !parse_duration(argv[++i], &w->idle_ms) || w->idle_ms < 1000 ||
			 w->idle_ms > 1000000000)
			return cli_usage(HELP, "--idle takes a time of a second at least (30s, 10m)");
	}
	if (w->status + w->metrics + w->reload + w->stop > 1)
		return cli_usage(HELP, "--status, --metrics, --reload and --stop are four commands");
	return w->json && !w->status ? cli_usage(HELP, "--json is for --status") : 0;
}

/* In our place, so that who started us has its number. */
static int become(const struct words *w)
{
	char seconds[24], *argv[] = { (char[]){ "ambit-serve" }, NULL, NULL, NULL };
	auto_fd int exe = -1;
	struct err e;

	if (helper_open("ambit-serve", &exe, &e) < 0)
		return found_refuse(false, &e);
	if (w->idle_ms != 0) {
		(void)snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)(w->idle_ms / 1000));
		argv[1] = (char[]){ "--idle" };
		argv[2] = seconds;
	}
	(void)syscall(SYS_execveat, exe, "", argv, environ, 0x1000 /* AT_EMPTY_PATH */);
	(void)err_sys(&e, AMBIT_SYSTEM, errno, "the installation is incomplete: reinstall Ambit",
		      "cannot start ambit-serve");
	return found_refuse(false, &e);
}

/* ---- how it is ---- */

#define ROWS(X)                                                                                                        \
	X(GAUGE, "clients_now", clients_now, "clients are connected")                                                  \
	X(GAUGE, "sessions_now", sessions_now, "sessions are in use")                                                  \
	X(GAUGE, "running_now", running_now, "events run or wait")                                                     \
	X(COUNTER, "clients", clients, "clients came")                                                                 \
	X(COUNTER, "sessions_made", sessions_made, "sessions were made")                                               \
	X(COUNTER, "events_taken", events_taken, "events were taken")                                                  \
	X(COUNTER, "events_ended", events_ended, "ended")                                                              \
	X(COUNTER, "events_failed", events_failed, "of these failed")                                                  \
	X(COUNTER, "events_interrupted", events_interrupted, "were interrupted")                                       \
	X(COUNTER, "denials", denials, "had something denied")                                                         \
	X(COUNTER, "refused", refused, "requests were refused")

/* OpenMetrics 1.0: a counter's sample has a suffix that its family has not. */
#define GAUGE "gauge", ""
#define COUNTER "counter", "_total"

static void metric(const char *type, const char *suffix, const char *name, uint64_t value, const char *text)
{
	(void)printf("# TYPE ambit_%s %s\n# HELP ambit_%s %s\nambit_%s%s %llu\n", name, type, name, text, name, suffix,
		     (unsigned long long)value);
}

static int tell_metrics(const struct serve_status *s)
{
#define METRIC(type, name, field, text) metric(type, name, s->field, text);
	ROWS(METRIC)
#undef METRIC
	(void)printf(
		"# TYPE ambit_start_time_seconds gauge\n# UNIT ambit_start_time_seconds seconds\n"
		"# HELP ambit_start_time_seconds when the daemon began\nambit_start_time_seconds %llu.%03llu\n# EOF\n",
		(unsigned long long)(s->started_ms / 1000), (unsigned long long)(s->started_ms % 1000));
	return cli_flush();
}

static int tell_json(const struct daemon_link *d, const struct serve_status *s)
{
	uint8_t room[2048];
	struct buf out;
	struct json j;

	buf_init_in(&out, room, sizeof room);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "version"), d->hello.version);
	json_put_count(json_put_key(&j, "pid"), s->pid);
	json_put_ms(json_put_key(&j, "started"), s->started_ms);
#define PUT(type, name, field, text) json_put_count(json_put_key(&j, name), s->field);
	ROWS(PUT)
#undef PUT
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return cli_write(out.data, out.len);
}

static int tell(const struct daemon_link *d, const struct serve_status *s)
{
	(void)printf("the daemon of Ambit %s, process %u\n", d->hello.version, s->pid);
#define LINE(type, name, field, text) (void)printf("%8llu  %s\n", (unsigned long long)s->field, text);
	ROWS(LINE)
#undef LINE
	return cli_flush();
}

static int ask_status(bool metrics, bool json)
{
	static struct daemon_link d;
	struct serve_status s;
	struct err e;
	int r = daemon_connect(&d, false, &e), status;

	r = r < 0 ? r : daemon_status(&d, &s, &e);
	status = r < 0 ? found_refuse(json, &e) : metrics ? tell_metrics(&s) : json ? tell_json(&d, &s) : tell(&d, &s);
	daemon_leave(&d);
	return status;
}

/* ---- having it become another ---- */

static int reload(struct err *e)
{
	static struct daemon_link d, anew;
	uint64_t times;
	int r = daemon_connect(&d, false, e);

	r = r < 0 ? r : daemon_reload(&d, &times, e);
	daemon_leave(&d);
	r = r < 0 ? r : daemon_connect(&anew, false, e);
	if (r == 0)
		(void)fprintf(stderr, "ambit: the daemon, process %u, is the one of Ambit %s now\n", anew.hello.pid,
			      anew.hello.version);
	daemon_leave(&anew);
	return r;
}

/* ---- ending it ---- */

static int await_end(int pidfd, struct err *e)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, STOP_MS);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : err_set(e, AMBIT_GONE, "kill it, if it has to be", "the daemon does not end");
}

/* Held by a descriptor of its process before it is asked who it is once more: a number can be another's by then. */
static int end_it(struct err *e)
{
	static struct daemon_link d;
	struct serve_status s = { .request = 0 };
	auto_fd int pidfd = -1;
	int r = daemon_connect(&d, false, e);

	if (r == 0) {
		pidfd = (int)syscall(SYS_pidfd_open, (pid_t)d.hello.pid, 0);
		r = pidfd < 0 ? err_sys(e, AMBIT_GONE, errno, NULL, "the daemon ended") : daemon_status(&d, &s, e);
	}
	if (r == 0 && s.running_now > 0)
		(void)fprintf(stderr, "ambit: waiting for %llu event%s, half a minute at most\n",
			      (unsigned long long)s.running_now, text_plural(s.running_now));
	if (r == 0 && syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0)
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot end the daemon");
	daemon_leave(&d);
	return r < 0 ? r : await_end(pidfd, e);
}

int cli_serve(int argc, char **argv)
{
	struct words w = { .idle_ms = 0 };
	struct err e;
	int status = read_words(&w, argc, argv);

	if (status != 0)
		return status;
	if (w.help) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	if (w.status || w.metrics)
		return ask_status(w.metrics, w.json);
	if (w.reload)
		return reload(&e) < 0 ? found_refuse(false, &e) : 0;
	if (w.stop)
		return end_it(&e) < 0 ? found_refuse(false, &e) : 0;
	return become(&w);
}
