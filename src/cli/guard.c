/* ambit guard: a gate around somebody's server of the Model Context Protocol. The server runs in a cell; what passes between it and its client is read by the role ambit-guard, in another; what a call may do is
 * asked of the person's authority here, where nothing of either is read. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/guard_canary.h"
#include "cli/guard_gate.h"
#include "cli/reader.h"
#include "cli/sockets.h"
#include "core/tool.h"
#include "explain/ask.h"
#include "lib/canary.h"
#include "lib/event.h"
#include "lib/launch.h"
#include "lib/policy_handle.h"
#include "lib/public.h"
#include "lib/revoke.h"
#include "lib/role.h"
#include "lib/summary.h"
#include "wire/wire.h"

#define GUARD_FILES 64
#define GUARD_MEMORY (UINT64_C(192) << 20)
#define TEXT_MAX (512u << 10) /* of one definition, in parts */
#define END_MS 2000           /* a server has so long when its client has gone */

static const char help_text[] =
	"ambit guard [GRANTS] -- COMMAND...\n"
	"ambit guard [GRANTS] --url URL [--secret NAME]\n"
	"ambit guard --pins SERVER [--all] [--approve [TOOL]]\n"
	"\n"
	"Runs a server of the Model Context Protocol in a cell, and stands between it and its client, on standard input and\n"
	"output: what may be called, and with what arguments, is granted by lines `tool`.\n"
	"\n"
	"  --tool OBJECT       SERVER/TOOL, SERVER/* for all its tools, with conditions: \"fs/read where='{\\\"path\\\": \\\"./docs/**\\\"}' uses=50\"\n"
	"  --url URL           the server is reached by HTTP, at https://HOST/PATH, and nothing else is; --secret NAME: with this\n"
	"                      secret of yours as its token (see `ambit secret --help`)\n"
	"  --secret NAME       with --url: what is attached to each request, outside of its cell\n"
	"  --name SERVER       what the server is called in grants (default: from its command or URL: server-filesystem is filesystem)\n"
	"  --read PATH         grants the server itself reading beneath it; other verbs of grants likewise (see `ambit run --help`)\n"
	"  --write PATH        it may read and write beneath it\n"
	"  --work PATH         it may read, write and execute beneath it\n"
	"  --policy FILE       grants of tools, and under `guard` those of servers (see man ambit.yaml)\n"
	"  --preset NAME       grants and limits that come with Ambit\n"
	"  --limit NAME=VALUE  bounds what the server may use\n"
	"  --workspace DIR     what `.` means, and where it starts\n"
	"  --agent NAME        who asks, as policies and the ledger call it\n"
	"  --base BASE         what is there without a grant\n"
	"  --observe LEVEL     what the eye reports\n"
	"  --canary WAY        what becomes of what touches a canary: tell, kill, freeze\n"
	"  --profile WAY       what becomes of calls that are not like what is usual: off, log (it is told), throttle (likewise),\n"
	"                      ask (a person first), hold (the server), kill (it, at the second one)\n"
	"  --without PROPERTY  go on without it\n"
	"  --stage             what it changed is kept for your review when it has ended\n"
	"  --discard           likewise, and thrown away if it failed\n"
	"  --per-call          each call has a server and a cell of its own, and what it changed is taken over when it has answered:\n"
	"                      all of it, or nothing\n"
	"  --socket PATH       listens there, in place of standard input and output: 16 clients at once, of your own user,\n"
	"                      each with a server of its own\n"
	"  --learn FILE        all may be called, and the server sees what you can read but for places of keys: writes the policy that\n"
	"                      would have sufficed when the client has gone\n" WEB_HELP
	"  --pins SERVER       shows definitions of its tools that are not those that were approved\n"
	"  --all               with --pins: those that were approved, too\n"
	"  --approve           with --pins: approves them, as they were shown last, or the one that is named\n"
	"  --help              this text\n"
	"\n"
	"  A client's configuration: {\"command\": \"ambit\", \"args\": [\"guard\", \"--policy\", \"fs.yaml\", \"--\", \"npx\", \"-y\", \"SERVER\", \".\"]}\n";

/* ---- what the server is called ---- */

/* "npx -y @modelcontextprotocol/server-filesystem@1.2 ." is filesystem: the first word that runs nothing else, without what all servers have in their names. */
static bool name_of(char *const *argv, char ret[GUARD_NAME_MAX])
{
	static const char *const runners[] = { "npx",     "uvx",  "uv",   "run", "node", "python",
					       "python3", "bunx", "deno", "env", "sh",   "bash" };
	static const char *const begins[] = { "mcp-server-", "server-", "mcp-" }, *const ends[] = {
		"-mcp-server", "-server", "-mcp", ".js", ".mjs", ".py"
	};

	for (size_t i = 0; argv[i] != NULL; i++) {
		const char *word = strrchr(argv[i], '/') != NULL ? strrchr(argv[i], '/') + 1 : argv[i];
		bool is_runner = argv[i][0] == '-';

		for (size_t k = 0; k < sizeof runners / sizeof runners[0]; k++)
			is_runner = is_runner || strcmp(runners[k], word) == 0;
		if (is_runner)
			continue;
		for (size_t k = 0; k < sizeof begins / sizeof begins[0]; k++)
			if (strncmp(word, begins[k], strlen(begins[k])) == 0 && word[strlen(begins[k])] != 0) {
				word += strlen(begins[k]);
				break;
			}
		if (!text_copy(ret, GUARD_NAME_MAX, word))
			return false;
		ret[strcspn(ret, "@")] = 0;
		for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
			const size_t n = strlen(ret), m = strlen(ends[k]);

			if (n > m && strcmp(ret + n - m, ends[k]) == 0)
				ret[n - m] = 0;
		}
		return guard_server_is_name(ret);
	}
	return false;
}

/* ---- what is at hand ---- */

int gate_launch(struct gate *g, struct ambit_event **ret, int *ret_to, int *ret_from, struct ambit_error *e)
{
	struct ambit_event_options o = g->o->event;
	int in[2], out[2], r;

	if (pipe2(in, O_CLOEXEC) < 0)
		return cli_misused(e, "ambit guard --help", "no pipes for the server");
	if (pipe2(out, O_CLOEXEC) < 0) {
		fd_close(&in[0]);
		fd_close(&in[1]);
		return cli_misused(e, "ambit guard --help", "no pipes for the server");
	}
	if (geteuid() == 0) { /* its cell has another id, and programs open them by name (/dev/stdout) */
		(void)fchmod(in[0], 0666);
		(void)fchmod(out[0], 0666);
	}
	o.stream_fd[0] = in[0];
	o.stream_fd[1] = out[1];
	o.stream_fd[2] = STDERR_FILENO;
	o.terminal = 0;
	o.argv = g->argv;
	if (g->o->per_call)
		o.changes |= AMBIT_CHANGES_BESIDE | AMBIT_CHANGES_STAGE |
			     AMBIT_CHANGES_DISCARD; /* until it has answered */
	else if ((o.changes & (AMBIT_CHANGES_STAGE | AMBIT_CHANGES_DISCARD)) == 0)
		o.changes |= AMBIT_CHANGES_DIRECT; /* its client sees at once what it wrote */
	if (g->remote != NULL)
		guard_url_fill(g->remote, &o);
	r = launch_server(g->remote != NULL ? g->remote->policy : g->o->policy, &o,
			  g->learn != NULL && g->remote == NULL ? g->hides.list : NULL, ret, e);
	fd_close(&in[0]);
	fd_close(&out[1]);
	*ret_to = in[1];
	*ret_from = out[0];
	return r;
}

static int start_role(struct gate *g, struct err *e)
{
	static const struct role_bounds bounds = { .files = GUARD_FILES, .memory_bytes = GUARD_MEMORY };
	struct guard_begin b = { .n_pins = 0 };
	const struct policy_answers *answers = &g->o->policy->policy.answers;
	auto_buf names = { .max = GUARD_GRANTS_MAX * GUARD_GRANT_BYTES + GUARD_SECRETS_MAX * GUARD_SECRET_BYTES +
				  GUARD_CANARIES_MAX * GUARD_CANARY_BYTES };
	auto_fd int pins = -1;
	uint8_t room[96];
	struct buf body;
	int r = guard_pins_file(&g->pins, &pins, &b.n_pins, e);

	b.n_granted = guard_use_names(&g->use, &names);
	b.n_secrets = answers->n_secrets;
	b.tells_risk = guard_use_minds_risk(&g->use);
	b.answer_bytes = answers->bytes;
	for (uint32_t i = 0; i < answers->n_secrets; i++)
		guard_secret_put(&names, answers->secrets[i]);
	r = r < 0 ? r : guard_canary_words(&g->canaries, &names, &b.n_canaries, e);
	if (r == 0 && (names.failed || write(pins, names.data, names.len) != (ssize_t)names.len))
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot say what is granted");
	r = r < 0 ? r : role_start_in_cell("ambit-guard", &bounds, &g->role, &g->sock, e);
	if (r < 0)
		return r;
	b.is_first = g->pins.is_first;
	b.wants_items = guard_usual_is_on(&g->usual);
	memcpy(b.items_key, g->usual.begun.key, sizeof b.items_key);
	if (getrandom(b.key, sizeof b.key, 0) != (ssize_t)sizeof b.key)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes");
	buf_init_in(&body, room, sizeof room);
	guard_begin_put(&body, &b);
	r = wire_send(g->sock, WIRE_GUARD_BEGIN, &body,
		      (int[]){ g->client[0], g->client[1], g->to_server, g->from_server, pins }, 5);
	fd_close(&g->to_server);
	fd_close(&g->from_server);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot begin the gate") : 0;
}

/* ---- the role's messages ---- */

/* And what its stream was given over time goes. */
static void end_at_once(struct gate *g)
{
	static struct event_result revoked; /* of which two fields are filled */

	if (g->fresh != NULL)
		fresh_end(g->fresh);
	(void)ambit_event_kill(g->ev, NULL); /* ended meanwhile is as well */
	revoke_stream(g->ev->request, &revoked);
}

static void tell_ended(const struct gate *g)
{
	(void)fprintf(
		stderr,
		"ambit: %s is ended: a second call was not like what is usual, and nobody has said yes to the one before\n"
		"  hint: `ambit doctor` says what is frozen; thawed, it can be begun again\n",
		g->server);
}

/* By the word of a role that reads what is hostile: it can end no server but its own. */
static void on_canary(struct gate *g, uint32_t canary, const char *name)
{
	const uint8_t way = g->o->policy->policy.canary;

	guard_canary_tell(g->canaries, canary, g->server, name);
	if (way == POLICY_CANARY_TELL)
		return;
	end_at_once(g);
	if (way == POLICY_CANARY_FREEZE)
		canaries_freeze(event_result(g->ev)->session);
}

static int on_touched(struct gate *g, struct rbuf *body)
{
	uint32_t canary;

	if (!guard_touched_take(body, &canary))
		return -EPROTO;
	on_canary(g, canary, NULL);
	return 0;
}

static int on_ask(struct gate *g, struct rbuf *body)
{
	static struct guard_word w;
	auto_buf out = { .max = 4096 };
	struct guard_ask ask;
	struct err e;
	int r;

	if (!guard_ask_take(body, &ask))
		return -EPROTO;
	memset(&w, 0, sizeof w);
	r = gate_judge(g, &ask, &w, &e);
	if (r == 0 && g->learn != NULL && w.verdict == GUARD_YES &&
	    !guard_learn_ask(g->learn, ask.number, ask.name, &ask.arguments))
		r = err_set(&e, AMBIT_MEMORY, NULL, "no memory to learn from calls");
	if (r < 0) {
		w.verdict = GUARD_NO;
		w.why = e;
	}
	w.number = ask.number;
	guard_word_put(&out, &w);
	r = wire_send(g->sock, WIRE_GUARD_WORD, &out, NULL, 0);
	if (ask.canary != 0)
		on_canary(g, ask.canary - 1, ask.name);
	if (g->is_over_it) {
		end_at_once(g);
		tell_ended(g);
	}
	return r == -EPIPE ? 0 : r; /* it ends */
}

static int on_over(struct gate *g, struct rbuf *body)
{
	struct guard_over over;

	if (!guard_over_take(body, &over))
		return -EPROTO;
	guard_use_over(&g->use, &over);
	guard_log_over(&g->log, &over);
	if (g->learn != NULL && !guard_learn_over(g->learn, over.number, over.end == GUARD_DONE))
		return -ENOMEM;
	return 0;
}

static int on_tool(struct gate *g, struct rbuf *body)
{
	struct guard_tool t;
	struct err e;

	if (!guard_tool_take(body, &t) || !guard_tool_is_name(t.pin.name) || t.bytes != g->text.len)
		return -EPROTO;
	if (t.odd == GUARD_ODD_ABSENT) {
		(void)fprintf(
			stderr,
			"ambit: %s lists no tool %s, which is granted\n  hint: is it called otherwise there? the client's list has what is granted and there\n",
			g->server, t.pin.name);
		buf_reset(&g->text);
		return 0;
	}
	if (t.odd != GUARD_ODD_NEW || !g->pins.is_first)
		(void)fprintf(
			stderr,
			"ambit: the tool %s of %s is %s, and is not used\n  hint: `ambit guard --pins %s` shows it, with --approve it is used from the next start on\n",
			t.pin.name, g->server,
			t.odd == GUARD_ODD_BAD                               ? "described by what nobody sees"
			: t.odd == GUARD_ODD_NEW || t.odd == GUARD_ODD_ADDED ? "new"
									     : "another than before",
			g->server);
	if (guard_pins_take(&g->pins, &t, g->text.data, &e) < 0)
		(void)found_refuse(false, &e);
	buf_reset(&g->text);
	return 0;
}

static int on_lacks(struct gate *g, struct rbuf *body)
{
	const struct guard_grant *by;
	char path[TERMS_TEXT_MAX];
	struct guard_lacks l;

	if (!guard_lacks_take(body, &l) || !guard_use_lacks(&g->use, &l, &by, path))
		return -EPROTO;
	(void)fprintf(
		stderr,
		"ambit: the grant of %s has a condition on the argument '%s', which is none there: it is not used, since it would narrow nothing\n  hint: correct its name in the policy, or leave the condition out; `ambit guard --pins %s --all` shows what each tool takes\n",
		by->object, path, g->server);
	return 0;
}

static int on_part(struct gate *g, struct rbuf *body)
{
	const size_t n = rbuf_left(body);

	buf_put(&g->text, rbuf_bytes(body, n), n);
	return g->text.failed ? -EPROTO : 0;
}

/* 1: the role is gone. */
static int hear_role(struct gate *g)
{
	static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(g->sock, WIRE_GUARD, WIRE_RUNNING, room, sizeof room, &m);

	if (r == 0 || r == -ECONNRESET)
		return 1;
	if (r < 0)
		return r == -EAGAIN ? 0 : r;
	switch ((int)m.number) {
	case WIRE_GUARD_ASK: return on_ask(g, &m.body);
	case WIRE_GUARD_TOOL: return on_tool(g, &m.body);
	case WIRE_GUARD_PART: return on_part(g, &m.body);
	case WIRE_GUARD_LACKS: return on_lacks(g, &m.body);
	case WIRE_GUARD_OVER: return on_over(g, &m.body);
	case WIRE_GUARD_TOUCHED: return on_touched(g, &m.body);
	default: return -EPROTO;
	}
}

/* ---- until both are over ---- */

int gate_hear(struct gate *g, struct err *e)
{
	const int r = hear_role(g);

	g->role_is_over = r != 0;
	return r < 0 ? err_sys(e, AMBIT_PROTOCOL, -r, NULL, "the gate said what it may not") : 0;
}

/* The first of many is not the one that is waited for, and nothing of it stays. */
static void end_server(struct gate *g)
{
	if (g->ends_ms == 0)
		g->ends_ms = clock_ms() + (g->fresh != NULL ? 0 : END_MS);
	if (clock_ms() >= g->ends_ms)
		(void)ambit_event_kill(g->ev, NULL);
}

/* A server ends when its client does, which it sees by its input; who does not is ended. */
int gate_look(struct gate *g)
{
	const bool ended = ambit_event_step(g->ev, NULL) != 0;
	bool fresh_is_over = true;
	int wait_ms = g->remote != NULL ? guard_url_patience(g->remote) : -1;
	struct err e;

	if (g->fresh != NULL && g->role_is_over)
		fresh_end(g->fresh);
	if (g->fresh != NULL && fresh_step(g->fresh, &wait_ms, &fresh_is_over, &e) < 0) {
		(void)found_refuse(false, &e);
		fresh_end(g->fresh);
	}
	g->is_over = ended && g->role_is_over && fresh_is_over;
	if (!g->role_is_over || g->is_over)
		return wait_ms;
	if (!ended)
		end_server(g);
	return 100;
}

static int serve(struct gate *g, int *signal_fd, struct err *e)
{
	for (;;) {
		struct pollfd p[] = { { .fd = g->role_is_over ? -1 : g->sock, .events = POLLIN },
				      { .fd = *signal_fd, .events = POLLIN },
				      { .fd = ambit_event_fd(g->ev), .events = POLLIN },
				      { .fd = g->remote != NULL ? guard_url_fd(g->remote) : fresh_fd(g->fresh),
					.events = POLLIN } };
		const int wait_ms = gate_look(g);

		if (g->is_over)
			return 0;
		if (poll(p, 4, wait_ms) < 0)
			continue;
		if (g->remote != NULL)
			guard_url_step(g->remote, g->ev);
		if (p[1].revents !=
		    0) { /* told to end: the role ends with us, and what it had said until then counts */
			fd_close(signal_fd);
			(void)shutdown(g->sock, SHUT_WR);
		} else if (p[0].revents != 0) {
			const int r = gate_hear(g, e);

			if (r < 0)
				return r;
		}
	}
}

/* What was denied to the server, how it ended, what is kept: its client writes that down, or shows it. */
static void tell_server(const struct gate *g)
{
	const struct event_result *r = event_result(g->ev);
	const bool recorded = ambit_event_ledger(g->ev) != NULL && r->unrecorded.code == AMBIT_OK;

	summary_write(stderr, r, recorded ? r->event : NULL, false);
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

void gate_init(struct gate *g, const struct run_options *o, char *const *argv, int in, int out)
{
	*g = (struct gate){ .o = o,
			    .argv = argv,
			    .client = { in, out },
			    .to_server = -1,
			    .from_server = -1,
			    .sock = -1,
			    .log = { .sock = -1 },
			    .policy = { .fd = -1 },
			    .pins = GUARD_PINS_NONE };
	buf_init(&g->text, TEXT_MAX);
}

int gate_finish(struct gate *g)
{
	struct err e;
	int r;

	fd_close(&g->sock);
	if (g->role != NULL)
		ambit_event_free(g->role);
	if (g->ev != NULL)
		ambit_event_free(g->ev);
	r = guard_log_close(&g->log, &e);
	guard_use_close(&g->use);
	guard_usual_close(&g->usual);
	guard_pins_close(&g->pins);
	guard_learn_free(g->learn);
	fresh_free(g->fresh);
	hides_finish(&g->hides);
	buf_finish(&g->text);
	free(g->canaries);
	fd_close(&g->to_server);
	fd_close(&g->from_server);
	return r < 0 ? found_refuse(false, &e) : 0;
}

/* ---- a policy that would have sufficed ---- */

/* All may be called, and asked of the client; the server sees what a command sees that `ambit learn` runs. */
static int learn_begin(struct gate *g, struct ambit_error *told)
{
	static const char *const asked[] = { TOOL_ANY,
#define CLIENT_METHOD(name) name,
					     TOOL_METHODS_OF_CLIENT(CLIENT_METHOD)
#undef CLIENT_METHOD
	};
	char object[TOOL_OBJECT_MAX];
	struct err e;
	int r;

	g->policy.path = g->o->learn;
	g->learn = guard_learn_new();
	if (g->learn == NULL)
		return public_error(told, err_set(&e, AMBIT_MEMORY, NULL, "no memory to learn from calls"), &e);
	r = hides_find(&g->hides, &e);
	r = r < 0 ? r : policy_file_open(&g->policy, &e);
	if (r < 0)
		return public_error(told, r, &e);
	r = ambit_policy_grant(g->o->policy, "work", ".", told);
	for (size_t i = 0; i < sizeof asked / sizeof asked[0] && r == 0; i++) {
		(void)snprintf(object, sizeof object, "%s/%s", g->server, asked[i]); /* both are bounded */
		r = ambit_policy_grant(g->o->policy, "tool", object, told);
	}
	return r;
}

static bool learn_end(struct gate *g, struct ambit_error *told)
{
	auto_buf text = { .max = 2 * READER_TEXT_MAX };
	struct err e;

	if (g->o->url != NULL)
		buf_printf(&text, "version: 1\n"); /* its process can be granted nothing */
	else if (learning_read(g->ev, EXPLAIN_SERVER, &text, told) < 0)
		return false;
	guard_learn_write(g->learn, g->server, &text);
	return public_error(told, policy_file_write(&g->policy, &text, &e), &e) == 0;
}

int gate_begin(struct gate *g, struct ambit_error *told)
{
	const char *at = g->o->event.workspace != NULL ? g->o->event.workspace : ".";
	unsigned place = 0;
	struct err e;
	int r;

	if (realpath(at, g->workspace) == NULL)
		return public_error(told, err_sys(&e, AMBIT_NOT_FOUND, errno, NULL, "there is no workspace '%s'", at),
				    &e);
	r = g->o->policy->policy.profile >= PROFILE_HOLD ? public_error(told, gate_check_mark(g, &e), &e) : 0;
	r = r < 0 || g->o->learn == NULL ? r : learn_begin(g, told);
	r = r < 0 ? r : gate_launch(g, &g->ev, &g->to_server, &g->from_server, told);
	if (r < 0)
		return r;
	r = guard_log_open(&g->log, g->ev->ledger_dir_fd, g->ev->request->ledger, g->workspace, &e);
	r = r < 0 ? r : guard_pins_open(&g->pins, g->server, &e);
	r = r < 0 ? r : guard_pins_place(&g->pins, &place, &e);
	r = r < 0 ? r
		  : guard_use_open(&g->use, &g->o->policy->policy, g->server, g->o->policy->policy.agent, g->workspace,
				   place, ambit_event_id(g->ev), &e);
	r = r < 0 ? r
		  : guard_usual_open(&g->usual, g->o->policy->policy.profile, g->server, g->o->policy->policy.agent,
				     ambit_event_id(g->ev), &e);
	if (r == 0 && g->o->per_call)
		r = fresh_begin(g, &g->to_server, &g->from_server, &g->fresh, &e);
	r = r < 0 ? r : start_role(g, &e);
	return r < 0 ? public_error(told, r, &e) : 0;
}

/* A grant that means nothing here is likely meant: its server's name is misspelt, or --name is another. */
static void tell_others(const struct gate *g)
{
	const char *object = "";
	const uint32_t n = guard_use_others(&g->use, &object);

	if (n > 0)
		(void)fprintf(
			stderr,
			"ambit: %u grant%s of another server than %s, as '%s', and mean%s nothing here\n  hint: --name NAME says what this one is called\n",
			n, n == 1 ? " is" : "s are", g->server, object, n == 1 ? "s" : "");
}

static int one(const struct run_options *o, int *signal_fd)
{
	static struct gate g; /* grants of a quarter of a megabyte */
	static struct guard_url remote = { .pidfd = -1 };
	struct ambit_error told = { .size = sizeof told };
	bool learned = false;
	int status = 0, recorded;
	struct err e;

	gate_init(&g, o, o->event.argv, STDIN_FILENO, STDOUT_FILENO);
	if (o->name != NULL ? !guard_server_is_name(o->name) || !text_copy(g.server, sizeof g.server, o->name)
			    : !(o->url != NULL ? guard_url_name(o->url, g.server, sizeof g.server)
					       : name_of(o->event.argv, g.server)))
		(void)cli_misused(&told, "ambit guard --help",
				  "what is the server called? --name takes letters, digits, `.`, `_` and `-`");
	if (o->url != NULL)
		g.remote = &remote;
	if (told.code != 0 || (g.remote != NULL && guard_url_open(g.remote, o, &told) < 0) || gate_begin(&g, &told) < 0)
		status = cli_error(&told);
	else if (tell_others(&g), serve(&g, signal_fd, &e) < 0)
		status = found_refuse(false, &e);
	else if (g.learn != NULL && !(learned = learn_end(&g, &told)))
		status = cli_error(&told);
	else if (g.learn == NULL)
		tell_server(&g);
	policy_file_close(&g.policy, learned);
	recorded = gate_finish(&g);
	guard_url_close(&remote);
	return status != 0 ? status : recorded;
}

static int check(const struct run_options *o)
{
	const bool is_many = o->policy->policy.n_servers > 0;

	if (is_many && (o->event.argv[0] != NULL || o->name != NULL || o->learn != NULL))
		return cli_usage(
			"ambit guard --help",
			"the policy names the servers: neither a command nor --name or --learn is taken beside it");
	if (o->url != NULL && (is_many || o->per_call))
		return cli_usage(
			"ambit guard --help",
			"--url names the one server, which stays: without --per-call, and `servers` in a policy");
	if (!is_many && o->event.argv[0] == NULL && o->url == NULL)
		return cli_usage("ambit guard --help", "no command: name it after --, or `servers` in a policy");
	if (o->per_call && o->learn != NULL)
		return cli_usage("ambit guard --help", "--learn is of a server that stays: without --per-call");
	if ((o->socket != NULL || o->web.where != NULL) && o->learn != NULL)
		return cli_usage(
			"ambit guard --help",
			"--learn is of one client, on standard input and output: learn from it, and then --socket or --http");
	return 0;
}

static int run(const struct run_options *o)
{
	int status = check(o), signal_fd;
	struct err e;

	if (status != 0)
		return status;
	if (o->socket != NULL || o->web.where != NULL) {
		const int r = o->socket != NULL ? sockets_serve(o->socket, &e)
						: web_serve(&o->web, GUARD_DEPTH_MAX, GUARD_VALUES_MAX, &e);

		if (r <= 0)
			return r < 0 ? found_refuse(false, &e) : 0;
	}
	signal_fd = catch_signals();
	status = o->policy->policy.n_servers > 0 ? guard_many(o, &signal_fd) : one(o, &signal_fd);
	fd_close(&signal_fd);
	return status;
}

/* ---- what waits for approval ---- */

static int pins(const struct run_options *o)
{
	struct guard_pins p;
	struct err e;
	int r;

	if (!guard_server_is_name(o->pins))
		return cli_usage("ambit guard --help", "'%s' is no name of a server", o->pins);
	r = guard_pins_open(&p, o->pins, &e);
	if (r == 0)
		r = o->approve ? guard_pins_approve(&p, o->event.argv[0], &e)
			       : guard_pins_show(&p, o->pins, o->all, &e);
	guard_pins_close(&p);
	return r < 0 ? found_refuse(false, &e) : cli_flush();
}

int cli_guard(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct run_options o;
	int status;

	if (options_read(&o, COMMAND_GUARD, argc, argv, &e) < 0)
		status = cli_refuse(false, &e);
	else if (o.help)
		status = fputs(help_text, stdout) < 0;
	else
		status = o.pins != NULL ? pins(&o) : run(&o);
	options_finish(&o);
	return status;
}
