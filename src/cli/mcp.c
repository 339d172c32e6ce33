/* ambit mcp: a session that a client of the Model Context Protocol has, and nothing of the person's beside it. What the client says is read by the role ambit-mcp, in a cell. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/options.h"
#include "cli/sockets.h"
#include "lib/daemon.h"
#include "lib/event.h"
#include "lib/helper.h"
#include "lib/policy_handle.h"
#include "lib/public.h"
#include "lib/role.h"
#include "lib/session_describe.h"
#include "mcp/link.h"
#include "mcp/names.h"
#include "rpc/bounds.h"
#include "wire/wire.h"

#define MCP_FILES 256
#define MCP_MEMORY (UINT64_C(128) << 20)
#define ABOUT_MAX (128u << 10)
#define DEEDS_MAX 32 /* that are done at one time: the role has no more calls */

static const char help_text[] =
	"ambit mcp [GRANTS]\n"
	"\n"
	"Speaks the Model Context Protocol on standard input and output: a server with tools that run commands and code, and\n"
	"read and change files, each call in a fresh cell that has what is granted here and nothing else.\n"
	"\n"
	"  --read PATH         grants reading beneath it; other verbs of grants likewise (see `ambit run --help`)\n"
	"  --write PATH        read and write beneath it\n"
	"  --work PATH         read, write and execute beneath it\n"
	"  --policy FILE       grants and limits of a file\n"
	"  --preset NAME       grants and limits that come with Ambit\n"
	"  --tools LIST        only these: run,python,node,shell,read,write,edit,list,search,diff,commit,discard,session\n"
	"  --limit NAME=VALUE  bounds what each call may use (default: wall=30s memory=512M tasks=64 files=256 disk=1G output=1M)\n"
	"  --budget WORDS      bounds all its connections ('session uses=9 bytes=9M rate=9/s'), or all of the agent\n"
	"  --warm LINE         interpreters that wait from the beginning (see man ambit.yaml)\n"
	"  --workspace DIR     what `.` means, and where commands start\n"
	"  --agent NAME        who asks, as policies and the ledger call it\n"
	"  --base BASE         what is there without a grant\n"
	"  --observe LEVEL     what the eye reports\n"
	"  --canary WAY        what becomes of what touches a canary: tell, kill, freeze\n"
	"  --profile WAY       what becomes of what is not like what is usual: off, log, throttle, ask, hold, kill\n"
	"  --without PROPERTY  go on without it\n"
	"  --stage             what calls changed is kept for your review: there is no tool `commit`\n"
	"  --discard           what a failed one changed is thrown away\n"
	"  --direct            they write in place\n"
	"  --strict            a denial makes a call fail\n"
	"  --events N          so many calls at most\n"
	"  --total-wall TIME   all of them together run so long\n"
	"  --total-cpu TIME    likewise of processor time\n"
	"  --keep TIME         how long output and record of a call are kept (default: 7d)\n"
	"  --keep-space SIZE   how much of them, the oldest go first (default: 256M)\n"
	"  --socket PATH       listens there, in place of standard input and output: 16 clients at once, of your own user,\n"
	"                      each with a session of its own (or, with --key, one for all)\n" WEB_HELP
	"  --key KEY           the session stays when the client goes, and the same key again goes on with it\n"
	"  --help              this text\n"
	"\n"
	"  A client's configuration: {\"command\": \"ambit\", \"args\": [\"mcp\", \"--work\", \".\"]}. What it did: `ambit events last`.\n";

/* ---- what is granted ---- */

static bool has_verb(const struct policy *p, enum grant_verb verb)
{
	for (uint32_t i = 0; i < p->n_lines; i++)
		if (p->lines[i].verb == verb)
			return true;
	return false;
}

static bool is_there(const char *program)
{
	static const char *const places[] = { "/usr/local/bin", "/usr/bin", "/bin" };
	char path[64];

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", places[i], program); /* fits */
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static bool has_language(const struct run_options *o, enum event_kind kind, const char *program)
{
	const bool bare = o->event.base != NULL && strcmp(o->event.base, "minimal") == 0;

	return o->policy->policy.warm[kind][0] != 0 || (!bare && is_there(program));
}

/* What nothing is granted for is not listed. */
static uint32_t tools_of(const struct run_options *o)
{
	const struct policy *p = &o->policy->policy;
	const bool writes = has_verb(p, VERB_WORK) || has_verb(p, VERB_WRITE);
	const bool stages = writes && (o->event.changes & AMBIT_CHANGES_DIRECT) == 0;
	uint32_t tools = TOOL_BIT(TOOL_RUN) | TOOL_BIT(TOOL_READ) | TOOL_BIT(TOOL_LIST) | TOOL_BIT(TOOL_SEARCH) |
			 TOOL_BIT(TOOL_SESSION);

	if (has_language(o, KIND_PYTHON, "python3"))
		tools |= TOOL_BIT(TOOL_PYTHON);
	if (has_language(o, KIND_NODE, "node"))
		tools |= TOOL_BIT(TOOL_NODE);
	if (has_language(o, KIND_SHELL, "bash"))
		tools |= TOOL_BIT(TOOL_SHELL);
	if (writes)
		tools |= TOOL_BIT(TOOL_WRITE) | TOOL_BIT(TOOL_EDIT);
	if (stages)
		tools |= TOOL_BIT(TOOL_DIFF) | TOOL_BIT(TOOL_DISCARD);
	if (stages && (o->event.changes & AMBIT_CHANGES_STAGE) == 0)
		tools |= TOOL_BIT(TOOL_COMMIT);
	return tools;
}

/* "run,read": of those that there are. */
static int narrow_tools(const char *list, uint32_t *tools, struct err *e)
{
	uint32_t named = 0;

	for (const char *at = list; at != NULL && *at != 0;) {
		const size_t n = strcspn(at, ",");
		const enum tool t = tool_of_name(at, n);

		if (t == TOOL_COUNT)
			return err_set(e, AMBIT_USAGE, "ambit mcp --help has their names",
				       "--tools: there is no tool '%.*s'", (int)(n < 64 ? n : 64), at);
		if ((*tools & TOOL_BIT(t)) == 0)
			return err_set(e, AMBIT_USAGE, "write and edit want --work or --write; commit wants no --stage",
				       "--tools: nothing is granted for '%s'", tool_name(t));
		named |= TOOL_BIT(t);
		at += n + (at[n] == ',');
	}
	if (named != 0)
		*tools = named;
	return named != 0 ? 0 : err_set(e, AMBIT_USAGE, NULL, "--tools names none");
}

/* Those of code that an agent sends, where nobody said others. */
static int set_limits(struct policy *p, struct err *e)
{
	struct limits usual;
	char text[64], value[32];
	int r = 0;

	limits_default_code(&usual);
	for (unsigned i = 0; i < LIMIT_COUNT && r == 0; i++) {
		if ((p->limits_given & 1u << i) != 0 || usual.value[i] == 0)
			continue;
		limits_format(&usual, (enum limit)i, value, sizeof value);
		(void)snprintf(text, sizeof text, "%s=%s", limit_word((enum limit)i), value); /* fits */
		r = policy_add_limit(p, text, e);
	}
	return r;
}

/* ---- what is told of it ---- */

static void put_grants(struct json *j, const struct policy *p)
{
	json_put_array(j);
	for (uint32_t i = 0; i < p->n_lines; i++) {
		const struct policy_line *l = &p->lines[i];
		char line[GRANT_OBJECT_MAX + 2048];

		if (!policy_means(p, l))
			continue;
		(void)snprintf(line, sizeof line, "%s: %s%s%s%s%s", verb_word((enum grant_verb)l->verb), l->object,
			       policy_terms(p, l)[0] != 0 ? " " : "", policy_terms(p, l),
			       policy_flow(p, l)[0] != 0 ? " " : "", policy_flow(p, l)); /* cut: it is to be read */
		json_put_name(j, line);
	}
	json_put_array_end(j);
}

static void put_about(struct json *j, const struct run_options *o, const struct session_row *row)
{
	const unsigned changes = o->event.changes;
	char value[32];

	json_put_object(j);
	json_put_word(json_put_key(j, "session"), row->session);
	json_put_name(json_put_key(j, "agent"), row->agent[0] != 0 ? row->agent : NULL);
	json_put_name(json_put_key(j, "workspace"), row->workspace);
	put_grants(json_put_key(j, "grants"), &o->policy->policy);
	json_put_object(json_put_key(j, "limits"));
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		if (o->policy->policy.limits.value[i] == 0)
			continue;
		limits_format(&o->policy->policy.limits, (enum limit)i, value, sizeof value);
		json_put_word(json_put_key(j, limit_word((enum limit)i)), value);
	}
	json_put_object_end(j);
	json_put_word(json_put_key(j, "changes"), (changes & AMBIT_CHANGES_STAGE) != 0    ? "stage"
						  : (changes & AMBIT_CHANGES_DIRECT) != 0 ? "direct"
											  : "commit");
	json_put_object_end(j);
}

/* ---- the role ---- */

struct served {
	const struct run_options *o;
	uint32_t tools;
	struct description about; /* owned: what the session will be, once the client wants something of it */
	struct daemon_link daemon;
	struct daemon_channel channel; /* ours: which events are the session's */
	struct ambit_event *role;      /* owned */
	int sock;                      /* owned: to the role */
	bool left;                     /* the client */
	int signal_fd;                 /* owned */
	struct deed {
		int pidfd; /* owned; -1: free */
		int out;   /* owned: what it says */
		uint32_t request;
	} deeds[DEEDS_MAX];
};

static int begin_role(struct served *s, struct err *e)
{
	static const struct role_bounds bounds = { .files = MCP_FILES, .memory_bytes = MCP_MEMORY };
	struct mcp_begin b = { .tools = s->tools,
			       .flags = has_verb(&s->o->policy->policy, VERB_CONNECT) ? MCP_REACHES : 0 };
	auto_fd int files = -1;
	uint8_t room[512];
	struct buf body;
	char link[64];
	ssize_t n;
	int r = helper_open("ambit-files", &files, e);

	if (r < 0)
		return r;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", files);
	n = readlink(link, b.files, sizeof b.files - 1);
	if (n <= 0 || (size_t)n == sizeof b.files - 1)
		return err_set(e, AMBIT_HOST, "install Ambit at a shorter path",
			       "the path of ambit-files is longer than %zu bytes", sizeof b.files - 2);
	if (getrandom(b.key, sizeof b.key, 0) != (ssize_t)sizeof b.key)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes");
	r = role_start_in_cell("ambit-mcp", &bounds, &s->role, &s->sock, e);
	if (r < 0)
		return r;
	buf_init_in(&body, room, sizeof room);
	mcp_begin_put(&body, &b);
	r = wire_send(s->sock, WIRE_MCP_BEGIN, &body, (int[]){ STDIN_FILENO, STDOUT_FILENO }, 2);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot begin the server") : 0;
}

/* ---- the session ---- */

/* Two channels to it: the role's, and ours. */
static int make_session(struct served *s, struct daemon_channel *theirs, struct err *e)
{
	int r = daemon_connect(&s->daemon, true, e);

	r = r < 0 ? r : daemon_new(&s->daemon, &s->about, &s->channel, e);
	r = r < 0 || s->o->key != NULL ? r : daemon_tie(&s->channel, e); /* also by our death */
	return r < 0 ? r : daemon_open(&s->daemon, s->channel.ready.row.session, theirs, e);
}

static int tell_session(struct served *s, const struct daemon_channel *theirs)
{
	auto_buf about = { .max = ABOUT_MAX };
	struct mcp_session told = { .session = "" };
	auto_fd int file = -1;
	uint8_t room[64];
	struct buf body;
	struct json j;

	json_begin(&j, &about);
	put_about(&j, s->o, &s->channel.ready.row);
	file = memfd_create("about", MFD_CLOEXEC);
	if (about.failed || file < 0 || write(file, about.data, about.len) != (ssize_t)about.len)
		return -ENOMEM;
	(void)text_copy(told.session, sizeof told.session, s->channel.ready.row.session); /* an id */
	told.latest = s->channel.ready.next - 1;
	buf_init_in(&body, room, sizeof room);
	mcp_session_put(&body, &told);
	return wire_send(s->sock, WIRE_MCP_SESSION, &body, (int[]){ theirs->sock, file }, 2);
}

/* Why there is none is told on both sides: to the client with its answer, and to the person. */
static int on_open(struct served *s)
{
	static struct daemon_channel theirs;
	uint8_t room[2048];
	struct buf body;
	struct err e;
	int r;

	theirs.sock = -1;
	if (s->channel.sock >= 0)
		return -EPROTO; /* it has one */
	r = make_session(s, &theirs, &e);
	if (r < 0) {
		(void)found_refuse(false, &e);
		buf_init_in(&body, room, sizeof room);
		wire_put_error(&body, &e);
		r = wire_send(s->sock, WIRE_MCP_FAILED, &body, NULL, 0);
		if (s->o->key == NULL && s->channel.sock >= 0)
			(void)daemon_end(&s->channel, &e); /* made, and of no use to anybody */
		daemon_part(&s->channel);
		daemon_leave(&s->daemon);
	} else {
		r = tell_session(s, &theirs);
	}
	daemon_part(&theirs);
	return r;
}

/* ---- what is done with changes ---- */

static int deed_tell(struct served *s, struct deed *d, uint32_t status)
{
	const struct mcp_told told = { .request = d->request, .status = status };
	uint8_t room[16];
	struct buf body;
	int r;

	buf_init_in(&body, room, sizeof room);
	mcp_told_put(&body, &told);
	r = wire_send(s->sock, WIRE_MCP_TOLD, &body, &d->out, 1);
	fd_close(&d->pidfd);
	fd_close(&d->out);
	return r;
}

/* As the person's own command would, of that event: nothing that a client says is in its words. */
static int deed_start(struct deed *d, enum mcp_deed what, const char *event, bool usual)
{
	static const char *const words[] = { [MCP_DIFF] = "diff", [MCP_COMMIT] = "commit", [MCP_DISCARD] = "discard" };
	char *argv[] = { (char[]){ "ambit" },
			 (char *)(uintptr_t)words[what],
			 (char *)(uintptr_t)event,
			 what != MCP_DIFF ? (char[]){ "--untouched" } : NULL,
			 usual && what != MCP_DIFF ? (char[]){ "--usual" } : NULL,
			 NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;
	int r;

	(void)sigemptyset(&none);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, d->out, STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, d->out, STDERR_FILENO);
	r = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	if (r != 0)
		return -r;
	d->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return d->pidfd < 0 ? -errno : 0;
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		(void)0; /* then nothing is said, and the status tells */
}

/* Which event of this session it is. */
static int find_event(struct served *s, uint64_t n, char ret[ID_TEXT_MAX])
{
	auto_free struct event_row *rows = calloc(SERVE_PAGE, sizeof *rows);
	struct err e;

	if (rows == NULL || daemon_page(&s->channel, n, rows, &e) <= 0 || rows[0].n != n)
		return -ENOENT;
	memcpy(ret, rows[0].event, ID_TEXT_MAX);
	return 0;
}

/* What a client may have done, the role that speaks for it may: no commit where that is the person's. */
static bool may_do(const struct served *s, uint32_t what)
{
	return what == MCP_DIFF ||
	       (s->tools & (what == MCP_COMMIT ? TOOL_BIT(TOOL_COMMIT) : TOOL_BIT(TOOL_DISCARD))) != 0;
}

static int on_ask(struct served *s, const struct mcp_ask *ask)
{
	char event[ID_TEXT_MAX];
	struct deed *d = NULL;

	if (!may_do(s, ask->deed))
		return -EPROTO;
	for (size_t i = 0; i < DEEDS_MAX && d == NULL; i++)
		d = s->deeds[i].pidfd < 0 ? &s->deeds[i] : NULL;
	if (d == NULL)
		return -EPROTO;
	d->request = ask->request;
	d->out = memfd_create("said", MFD_CLOEXEC);
	if (d->out < 0)
		return -errno;
	if (find_event(s, ask->n, event) < 0) {
		say(d->out, "there is no such event in this session\n");
		return deed_tell(s, d, EXIT_REFUSED);
	}
	if (deed_start(d, (enum mcp_deed)ask->deed, event, s->o->policy->policy.profile >= PROFILE_ASK) < 0) {
		say(d->out, "cannot start a command\n");
		return deed_tell(s, d, EXIT_REFUSED);
	}
	return 0;
}

static int on_deed_end(struct served *s, struct deed *d)
{
	siginfo_t info = { .si_code = 0 };

	if (waitid(P_PIDFD, (id_t)d->pidfd, &info, WEXITED) < 0)
		return deed_tell(s, d, EXIT_REFUSED);
	return deed_tell(s, d, info.si_code == CLD_EXITED ? (uint32_t)info.si_status : EXIT_REFUSED);
}

/* ---- until the client goes ---- */

/* 1: the role ended. */
static int hear_role(struct served *s)
{
	auto_message m = { .n_fds = 0 };
	struct mcp_ask ask;
	uint8_t room[64];
	const int r = wire_receive(s->sock, WIRE_MCP, WIRE_RUNNING, room, sizeof room, &m);

	if (r == 0 || r == -ECONNRESET)
		return 1;
	if (r < 0)
		return r == -EAGAIN ? 0 : r;
	if (m.number == WIRE_MCP_LEFT) {
		s->left = true;
		return 0;
	}
	if (m.number == WIRE_MCP_OPEN)
		return on_open(s);
	return mcp_ask_take(&m.body, &ask) && s->channel.sock >= 0 ? on_ask(s, &ask) : -EPROTO;
}

static int serve(struct served *s, struct err *e)
{
	int r = 0;

	while (r == 0) {
		struct pollfd p[2 + DEEDS_MAX] = { { .fd = s->sock, .events = POLLIN },
						   { .fd = s->signal_fd, .events = POLLIN } };

		for (size_t i = 0; i < DEEDS_MAX; i++)
			p[2 + i] = (struct pollfd){ .fd = s->deeds[i].pidfd, .events = POLLIN };
		if (poll(p, 2 + DEEDS_MAX, -1) < 0)
			continue;
		if (p[1].revents != 0)
			return 0; /* told to end */
		for (size_t i = 0; i < DEEDS_MAX && r == 0; i++)
			if (p[2 + i].revents != 0)
				r = on_deed_end(s, &s->deeds[i]);
		if (r == 0 && p[0].revents != 0)
			r = hear_role(s);
	}
	if (r > 0 && s->left)
		return 0;
	return r > 0 ? err_set(e, AMBIT_GONE, "start it again; `ambit events last` shows what became of its calls",
			       "the server or its session ended, and not by its client")
		     : err_sys(e, AMBIT_PROTOCOL, -r, NULL, "the server said what it may not");
}

static int catch_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int describe(const struct run_options *o, struct buf *policy, struct description *about, struct err *e)
{
	const struct ambit_session_options options = { .workspace = o->event.workspace,
						       .base = o->event.base,
						       .observe = o->event.observe,
						       .without = o->event.without,
						       .changes = o->event.changes,
						       .events_max = o->events_max,
						       .wall_ms_max = o->wall_ms_max,
						       .cpu_ms_max = o->cpu_ms_max,
						       .keep_ms = o->keep_ms,
						       .keep_bytes = o->keep_bytes,
						       .key = o->key };
	const int r = set_limits(&o->policy->policy, e);

	return r < 0 ? r : session_describe(o->policy, &options, policy, about, e);
}

/* The role ends with its client; what it asked for is broken off with it. */
static void finish(struct served *s)
{
	struct err e;

	fd_close(&s->sock);
	if (s->role != NULL)
		ambit_event_free(s->role);
	if (s->o->key == NULL && s->channel.sock >= 0)
		(void)daemon_end(&s->channel, &e); /* the daemon went: as well */
	daemon_part(&s->channel);
	daemon_leave(&s->daemon);
	fd_close(&s->signal_fd);
}

static int run(const struct run_options *o)
{
	static struct served s; /* two rooms for messages */
	auto_buf policy = { .max = DESCRIPTION_BYTES_MAX };
	struct err e;
	int r, status = 0;

	s = (struct served){ .o = o, .tools = tools_of(o), .sock = -1, .signal_fd = -1 };
	s.daemon.sock = s.channel.sock = -1;
	for (size_t i = 0; i < DEEDS_MAX; i++)
		s.deeds[i].pidfd = s.deeds[i].out = -1;
	r = o->tools != NULL ? narrow_tools(o->tools, &s.tools, &e) : 0;
	r = r < 0 ? r : describe(o, &policy, &s.about, &e);
	if (r == 0 && o->socket != NULL)
		r = sockets_serve(o->socket, &e);
	else if (r == 0 && o->web.where != NULL)
		r = web_serve(&o->web, PARSE_DEPTH_MAX, PARSE_VALUES_MAX, &e);
	if (r > 0 || (o->socket == NULL && o->web.where == NULL)) { /* else it listened, and was told to end */
		s.signal_fd = catch_signals();
		r = r < 0 ? r : begin_role(&s, &e);
		r = r < 0 ? r : serve(&s, &e);
	}
	if (r < 0)
		status = found_refuse(false, &e);
	finish(&s);
	description_finish(&s.about);
	return status;
}

int cli_mcp(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct run_options o;
	int status;

	if (options_read(&o, COMMAND_MCP, argc, argv, &e) < 0)
		status = cli_refuse(false, &e);
	else if (o.help)
		status = fputs(help_text, stdout) < 0;
	else
		status = run(&o);
	options_finish(&o);
	return status;
}
