#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/beside.h"
#include "cli/kernel.h"
#include "cli/options.h"
#include "cli/remote.h"
#include "cli/session.h"
#include "lib/delegate.h"
#include "lib/event.h"
#include "lib/hook.h"
#include "lib/summary.h"

static const char help_text[] =
	"ambit run [GRANTS] [OPTIONS] -- COMMAND [ARGUMENT...]\n"
	"ambit run [GRANTS] [OPTIONS] --python [FILE]\n"
	"\n"
	"Runs COMMAND in a fresh cell with what is granted here and nothing else.\n"
	"\n"
	"Grants (each may be repeated; a PATH is ./x beneath the workspace, ~/x or /x; it ends in ? if it may be missing):\n"
	"  --read PATH         read beneath PATH\n"
	"  --write PATH        read and write beneath PATH, execute nothing\n"
	"  --work PATH         read, write and execute beneath PATH\n"
	"                      (what is written is staged, and committed if COMMAND succeeds)\n"
	"  --run PROGRAM       execute a program, or a runtime by name (node) with what it needs\n"
	"  --env NAME[=VALUE]  pass a variable, or set it\n"
	"  --connect HOST:PORT connect to it by TCP: a name, '*.NAME', an address, a range of them, or '*' for any public\n"
	"                      host; 'HOST:PORT uses=50 bytes=10M rate=10/s until=2030-01-01T00:00:00Z' bounds it;\n"
	"                      \"HOST:PORT http='GET /a/**' secret=NAME\" lets these requests pass, with a secret that no\n"
	"                      cell sees; beside it graphql='query viewer', credentials=replace (see man ambit-run)\n"
	"  --connect unix:PATH connect to a Unix socket of the host\n"
	"  --connect ssh://USER@HOST[:PORT]  be USER there by a key of your ssh agent, which stays in it\n"
	"  --listen PORT       let this machine reach a server of COMMAND at its port (or HOSTPORT:PORT; 0:PORT any)\n"
	"  --delegate NAME     let it start sub-agents of that name (*: any) by `ambit run` in its cell, beside it, with no\n"
	"                      more than it has; '* uses=10 depth=2' bounds how many there are in all, and below one another\n"
	"  --declassify LABEL  take a label off what is committed or sent ('PATH label=private' puts it on: man ambit.yaml)\n"
	"  --jit               allow memory that is written and then executed\n"
	"  --policy FILE       the grants and limits of a policy file\n"
	"  --preset NAME       a built-in policy: agent, c, claude-code, node, python, shell\n"
	"\n";
/* One literal has 4,095 bytes at most. */
static const char help_options[] =
	"Options:\n"
	"  --agent NAME        who asks, for the record; of a sub-agent the name that it gets\n"
	"  --budget WORDS      'session uses=9 bytes=9M rate=9/s' bounds all its connections, 'agent ...' all of the agent\n"
	"  --limit NAME=VALUE  wall, cpu (30s), memory, disk, output (2G), tasks, files (100); repeat, or with commas\n"
	"  --workspace DIR     what . means, and where COMMAND starts if something there is granted, else in its\n"
	"                      home (default: the current directory)\n"
	"  --base KIND         system (default) or minimal: what is visible without a grant\n"
	"  --observe LEVEL     full (default), effects or off: what the record knows; ebpf or\n"
	"                      auto: as full, seen by programs in the kernel\n"
	"  --canary WAY        what touches a canary: tell (it is told), kill (default) or freeze (its session, too)\n"
	"  --profile WAY       what is unusual: off (default), log (tell it), throttle (begin the next ones apart), ask (hold its changes),\n"
	"                      hold (freeze) or kill (at the second one)\n"
	"  --record FILE       write the record, beside the command's own output\n"
	"  --ledger DIR        record the event in the ledger there, and not in your own (see ambit ledger --help);\n"
	"                      what cannot be recorded does not run\n"
	"  --no-ledger         record it nowhere\n"
	"  --json              print only the record on standard output, the command's output inside it\n"
	"  --without PROPERTY  give up a property of the wall by name (see ambit doctor)\n"
	"  --stage             keep what it changed for review, also if it succeeds (ambit diff, commit, discard)\n"
	"  --discard           throw away what it changed if it fails (else it is kept, see ambit stage --help)\n"
	"  --on-conflict WAY   where a file changed meanwhile: fail (default), theirs (leave it), ours (overwrite it)\n"
	"  --wait TIME         for other events that work on the same tree, before the commit (default: 10s)\n"
	"  --direct            write in place: nothing is staged, and what went wrong stays\n"
	"  --strict            a denial makes the event fail (exit 125), and nothing is committed\n"
	"  --no-pty            no private terminal, even where standard input or output is one\n"
	"  --label NAME        a label of what COMMAND is given (private, untrusted, or your own): repeat, or with commas\n"
	"  --session ID        in that session (`ambit session new`), whose grants it has; what is given beside narrows:\n"
	"                      --limit, --stage, --discard, --strict, --on-conflict, --label, --record, --json, --no-pty, and\n"
	"  --key KEY           the same key again gives what became of the first, and runs nothing; no private terminal\n"
	"  --background        beside the session's other events, until it ends; prints its id\n"
	"  --kernel NAME       with code: in an interpreter of that name that keeps its variables; the first starts it,\n"
	"                      and code that exits ends it\n"
	"  --end               in place of code: that kernel ends, behind the steps that it has\n"
	"  --python [FILE]     code of Python, from FILE or standard input\n"
	"  --node [FILE]       of Node\n"
	"  --shell [FILE]      of bash\n"
	"  --warm LINE         its interpreter and modules (man ambit.yaml)\n"
	"  --result FILE       its value, exception, pictures\n"
	"  --quiet             no summary of denials\n"
	"  --help              this text\n"
	"\n"
	"Exit status: the command's own; 128+n for a signal; 123 it succeeded and its changes are not committed;\n"
	"124 wall limit; 125 Ambit refused or failed, or a limit; 126 cannot be executed; 127 not found.\n";

/* The file is opened before the event: what it is to be is the person's word, and not what the command made of the name. A new one gets its
 * name at the end, so that no cell sees it, where the file system can make files without one. */
struct record_file {
	const char *path; /* NULL: none */
	const char *name; /* in path, without its directory */
	int fd;           /* owned */
	int dir_fd;       /* owned; of what has no name yet, else -1 */
	bool made;        /* it was not there before, and has its name */
};

static int write_error(bool json, const char *what, const char *path, int sys_errno, const char *hint)
{
	struct ambit_error e = { .size = sizeof e, .code = AMBIT_SYSTEM };

	(void)snprintf(e.message, sizeof e.message, "cannot write the %s %s", what, path);
	(void)snprintf(e.why, sizeof e.why, "%s", strerror(sys_errno));
	(void)snprintf(e.hint, sizeof e.hint, "%s", hint);
	return cli_refuse(json, &e);
}

static int record_error(bool json, const char *path, int sys_errno, const char *hint)
{
	return write_error(json, "record", path, sys_errno, hint);
}

static void open_without_name(struct record_file *f)
{
	const char *slash = strrchr(f->path, '/');
	char above[PATH_MAX] = ".";
	struct stat st;

	f->name = slash != NULL ? slash + 1 : f->path;
	if (slash != NULL &&
	    snprintf(above, sizeof above, "%.*s/", (int)(slash - f->path), f->path) >= (int)sizeof above)
		return;
	if (f->name[0] == 0 || lstat(f->path, &st) == 0) /* no name for a file, or one of a link that leads nowhere */
		return;
	f->dir_fd = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->fd = f->dir_fd < 0 ? -1 : openat(f->dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (f->fd < 0)
		fd_close(&f->dir_fd);
}

static int open_record(struct record_file *f, bool json)
{
	const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;

	if (f->path == NULL)
		return 0;
	f->fd = open(f->path, flags);
	if (f->fd < 0 && errno == ENOENT) {
		open_without_name(f);
		if (f->fd < 0)
			f->fd = open(f->path, flags | O_CREAT | O_EXCL, 0600);
		f->made = f->fd >= 0 && f->dir_fd < 0;
	}
	return f->fd < 0 ? record_error(json, f->path, errno, "nothing was run; name a file that can be written") : 0;
}

/* What was there is gone: it is to be one document, or nothing. */
static int open_result(struct run_options *o, bool json)
{
	if (o->result == NULL)
		return 0;
	o->event.result_fd = open(o->result, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	return o->event.result_fd < 0 ? write_error(json, "result", o->result, errno,
						    "nothing was run; name a file that can be written")
				      : 0;
}

static void forget_record(struct record_file *f)
{
	if (f->made)
		(void)unlink(f->path); /* nothing came of it */
}

static bool give_name(const struct record_file *f)
{
	char own[32];

	(void)snprintf(own, sizeof own, "/proc/self/fd/%d", f->fd);
	return linkat(AT_FDCWD, own, f->dir_fd, f->name, AT_SYMLINK_FOLLOW) == 0;
}

static int write_record(const struct record_file *f, const char *json, size_t n)
{
	int r;

	if (f->dir_fd < 0 && !fd_is_named(f->fd, f->path))
		return record_error(false, f->path, ENOENT,
				    "the command ran and took it away; name a file where it cannot write");
	(void)!ftruncate(f->fd, 0); /* a device or a pipe has nothing to cut */
	r = fd_write_all(f->fd, json, n);
	if (r == 0 && f->dir_fd >= 0 && !give_name(f))
		return record_error(
			false, f->path, errno,
			"the command ran, and changed what stands there; name a file where it cannot write");
	if (r == 0)
		return 0;
	(void)!ftruncate(f->fd, 0); /* half a record is none */
	return record_error(false, f->path, -r,
			    r == -ENOSPC ? "the command has run; free some space, or name a file elsewhere"
					 : "the command has run; name a file that can be written");
}

#define EXPLAINED_MAX 160 /* shown whole: lib/summary.c */

/* What `ambit explain` is to be given: the file, or the event where the ledger has it; NULL: there is no record of it. */
static const char *explained(const struct run_options *o, const struct ambit_event *ev,
			     const struct event_result *result, char room[EXPLAINED_MAX])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";
	const char *dir = o->event.ledger;

	if (o->record != NULL)
		return o->record;
	if (ambit_event_ledger(ev) == NULL || result->unrecorded.code != AMBIT_OK)
		return NULL;
	if (dir == NULL)
		return result->event;
	if (dir[strspn(dir, plain)] != 0 ||
	    strlen(dir) > EXPLAINED_MAX - ID_TEXT_MAX - sizeof " --ledger ") /* it would have to be quoted, or cut */
		return NULL;
	(void)snprintf(room, EXPLAINED_MAX, "%s --ledger %s", result->event, dir); /* fits */
	return room;
}

/* What the person and the record get to know; gives the exit status. */
static int tell(const struct run_options *o, const struct record_file *file, struct ambit_event *ev)
{
	const struct event_result *result = event_result(ev);
	const int status = ambit_event_exit_status(ev);
	struct ambit_error e = { .size = sizeof e };
	char room[EXPLAINED_MAX];
	const char *json;
	int written;
	size_t n;

	session_tell_key(ev);
	summary_write(stderr, result, explained(o, ev, result, room), o->quiet);
	if (result_question(result)[0] != 0)
		hook_asked(result_question(result), result->event);
	if (o->record == NULL && !o->json)
		return status;
	if (ambit_event_record(ev, &json, &n, &e) < 0)
		return cli_refuse(o->json, &e);
	if (o->json && (written = fd_write_all(STDOUT_FILENO, json, n)) < 0)
		return record_error(false, "on standard output", -written,
				    "the command has run; --record FILE writes it to a file");
	if (o->record != NULL && write_record(file, json, n) != 0)
		return EXIT_REFUSED;
	return status;
}

int cli_run(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct record_file file = { .fd = -1, .dir_fd = -1 };
	struct ambit_event *ev = NULL;
	struct run_options o;
	int status = 0;

	if (options_read(&o, COMMAND_RUN, argc, argv, &e) < 0)
		status = cli_refuse(o.json, &e);
	else if (o.help)
		(void)printf("%s%s", help_text, help_options);
	if (status != 0 || o.help) {
		options_finish(&o);
		return status;
	}
	if (delegate_is_cell()) {
		status = beside_run(&o);
		options_finish(&o);
		return status;
	}
	if (o.session != NULL) {
		status = o.kernel != NULL ? kernel_run(&o) : remote_run(&o);
		options_finish(&o);
		return status;
	}
	if (o.key != NULL || o.background || o.kernel != NULL) {
		status = cli_usage("ambit run --help", "%s is of an event of a session: name it with --session",
				   o.key != NULL      ? "--key"
				   : o.kernel != NULL ? "--kernel"
						      : "--background");
		options_finish(&o);
		return status;
	}
	if (o.json) {
		o.event.stream[1] = o.event.stream[2] = AMBIT_STREAM_CAPTURE;
		o.event.terminal = 0;
	}
	if (o.no_pty)
		o.event.terminal = 0;
	if (o.record == NULL && !o.json)
		o.event.changes |= AMBIT_CHANGES_UNHASHED;
	file.path = o.record;
	status = open_record(&file, o.json);
	status = status != 0 ? status : open_result(&o, o.json);
	if (status == 0 && session_run(o.policy, &o.event, NULL, &ev, &e) < 0) {
		status = cli_refuse(o.json, &e);
		forget_record(&file);
	} else if (status == 0) {
		status = tell(&o, &file, ev);
	}
	fd_close(&file.fd);
	fd_close(&file.dir_fd);
	if (o.event.result_fd > 0)
		fd_close(&o.event.result_fd);
	if (ev != NULL && status == 128 + SIGINT)
		session_pass_interrupt(ev);
	ambit_event_free(ev);
	options_finish(&o);
	return status;
}
