#include "lib/launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/directory.h"
#include "base/fd.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cell/base.h"
#include "cell/property.h"
#include "code/code.h"
#include "core/conditions.h"
#include "lib/canary.h"
#include "lib/delegate.h"
#include "lib/environment.h"
#include "lib/event.h"
#include "lib/judged.h"
#include "lib/ledger.h"
#include "lib/libraries.h"
#include "lib/network.h"
#include "lib/policy_handle.h"
#include "lib/public.h"
#include "lib/secret.h"
#include "lib/stage.h"
#include "lib/standing.h"
#include "lib/template.h"
#include "lib/throttle.h"
#include "lib/usual.h"
#include "supervisor/frozen.h"

struct launch {
	struct ambit_event_options options;  /* as given, and what a caller of an older ABI does not know cleared */
	const struct ambit_event_options *o; /* that */
	char *const *hide;                   /* learning: what stays out of sight; else NULL */
	const struct event_names *names;     /* NULL: a session of its own */
	struct ambit_event *ready;           /* owned: whose cell may be used; NULL: there is none */
	struct template *template;           /* borrowed: of which its interpreter may be a copy; NULL */
	bool is_template;                    /* which is made */
	bool waits;                          /* only the cell is made */
	bool command_line;
	bool is_server;              /* its input and output are pipes of ours, which nobody else has */
	bool is_lent;                /* with that: so is what it writes to 2 */
	struct libraries *known;     /* borrowed: what was found of programs before; NULL */
	bool asks;                   /* this is in a cell: for a sub-agent */
	struct ambit_event *caller;  /* borrowed, of one that it handed over; else NULL */
	const struct handed *handed; /* likewise */
	char *const *argv;           /* borrowed: what is executed: of code its interpreter, which is in: */
	char *code_argv[CODE_ARGV_MAX + POLICY_MODULES_MAX + 1];
	char warm[POLICY_WARM_MAX];
	bool has_modules; /* in there */
	struct event_request *q;
	struct environment env;
	char program[GRANT_OBJECT_MAX]; /* the path that is executed in the cell */
	uint64_t wait_ms;               /* it failed, and may be tried again then: its stream is throttled */
};

static uint64_t half_of_memory(void)
{
	struct sysinfo s;

	return sysinfo(&s) < 0
		       ? 0
		       : (uint64_t)s.totalram * s.mem_unit / 2 / (1u << 20) * (1u << 20); /* whole MiB, to be read */
}

static const char *user_name(void)
{
	const char *user = getenv("USER");

	if (geteuid() == 0) /* inside it is an ordinary one */
		return "ambit";
	if (user == NULL || user[0] == 0 || strlen(user) > 32 ||
	    strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") != strlen(user))
		return "user";
	return user;
}

static int set_place(struct launch *l, struct err *e)
{
	const char *home = getenv("HOME");
	char real[4096];
	struct stat st;

	if (realpath(l->o->workspace != NULL ? l->o->workspace : ".", real) == NULL)
		return err_sys(e, AMBIT_USAGE, errno, "name a directory that is there with --workspace",
			       "cannot use the workspace %s", l->o->workspace != NULL ? l->o->workspace : ".");
	if (stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, AMBIT_USAGE, "name a directory; `--read FILE` and its kin grant a file",
			       "the workspace %s is no directory", real);
	if (!text_copy(l->q->workspace, sizeof l->q->workspace, real))
		return err_set(e, AMBIT_LIMIT, NULL, "the workspace's path is too long");
	if (home == NULL || !path_normalise("/", home, l->q->home, sizeof l->q->home) || home[0] != '/' ||
	    strcmp(l->q->home, "/") == 0)
		(void)text_copy(l->q->home, sizeof l->q->home, "/home/user"); /* fits */
	(void)text_copy(l->q->user, sizeof l->q->user, user_name());          /* at most 32 */
	return 0;
}

/* "one of a, b, c"; cut is fine. */
static void add_to_hint(char *hint, size_t size, const char *word)
{
	const size_t n = strlen(hint);

	(void)snprintf(hint + n, size - n, "%s%s", n > 0 ? ", " : "one of ", word);
}

static int one_of(const char *word, const char *const *words, uint32_t first, uint32_t *ret, const char *what,
		  struct err *e)
{
	char all[ERR_HINT_MAX] = "", hint[NEAREST_HINT_MAX];
	uint32_t n = 0;

	for (; words[n] != NULL; n++) {
		if (strcmp(word, words[n]) == 0) {
			*ret = first + n;
			return 0;
		}
		add_to_hint(all, sizeof all, words[n]);
	}
	return err_set(e, AMBIT_USAGE, nearest_hint(hint, "", word_nearest(word, words, n), all),
		       "%s '%s' is not known", what, word);
}

static int no_property(const char *word, struct err *e)
{
	char all[ERR_HINT_MAX] = "", hint[NEAREST_HINT_MAX];
	const char *words[PROPERTY_COUNT];

	for (enum property p = 0; p < PROPERTY_COUNT; p++) {
		words[p] = property_word(p);
		add_to_hint(all, sizeof all, words[p]);
	}
	return err_set(e, AMBIT_USAGE, nearest_hint(hint, "", word_nearest(word, words, PROPERTY_COUNT), all),
		       "no property '%s'", word);
}

static int set_without(struct event_request *q, const char *list, struct err *e)
{
	char word[64];

	while (list != NULL && *list != 0) {
		const size_t n = strcspn(list, ",");
		enum property p;

		(void)snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), list);
		if (!property_find(word, &p))
			return no_property(word, e);
		q->without |= 1u << p;
		list += n + (list[n] == ',');
	}
	return 0;
}

/* "npm test", for a list. */
/* In the words of `ambit commit`: what stands there may be the next flag. */
static int set_conflict(const char *word, uint32_t *ret, struct err *e)
{
	static const char *const words[] = {
		[STAGE_CONFLICT_FAIL] = "fail", [STAGE_CONFLICT_THEIRS] = "theirs", [STAGE_CONFLICT_OURS] = "ours"
	};

	*ret = STAGE_CONFLICT_FAIL;
	for (uint32_t i = 0; word != NULL; i++) {
		if (i == STAGE_CONFLICT_COUNT)
			return err_set(e, AMBIT_USAGE, "ambit run --help",
				       "--on-conflict takes fail, theirs or ours, and not '%s'", word);
		*ret = i;
		if (strcmp(words[i], word) == 0)
			break;
	}
	return 0;
}

static int set_given(struct event_request *q, const char *labels, struct err *e)
{
	struct flow f = { .n_unless = 0 };
	const int r = labels == NULL || labels[0] == 0 ? 0 : flow_set_label(&f, labels, e);

	q->given = f.label;
	return r;
}

static int set_words(struct launch *l, uint32_t *ret_conflict, struct err *e)
{
	static const char *const bases[] = { "system", "minimal", NULL };
	static const char *const levels[] = { "off", "effects", "full", "ebpf", "auto", NULL };
	const struct ambit_event_options *o = l->o;
	int r = one_of(o->base != NULL ? o->base : "system", bases, CELL_BASE_SYSTEM, &l->q->base, "base", e);

	r = r < 0 ? r
		  : one_of(o->observe != NULL ? o->observe : "full", levels, CELL_OBSERVE_OFF, &l->q->observe,
			   "observe", e);
	if (r == 0 && l->q->observe > CELL_OBSERVE_FULL) { /* the same, by whom */
		l->q->source = l->q->observe - CELL_OBSERVE_FULL;
		l->q->observe = CELL_OBSERVE_FULL;
	}
	r = r < 0 ? r : set_conflict(o->on_conflict, ret_conflict, e);
	r = r < 0 ? r : set_without(l->q, o->without, e);
	return r < 0 ? r : set_given(l->q, o->labels, e);
}

static int add_one_link(struct event_request *q, const char *name, const char *real, struct err *e)
{
	if (q->n_links == REQUEST_LINKS_MAX)
		return err_set(e, AMBIT_LIMIT, "name the target instead of the link",
			       "more than %d grants that are links", REQUEST_LINKS_MAX);
	if (!text_copy(q->links[q->n_links].name, sizeof q->links[0].name, name) ||
	    !text_copy(q->links[q->n_links].real, sizeof q->links[0].real, real))
		return err_set(e, AMBIT_LIMIT, NULL, "path is too long");
	q->n_links++;
	return 0;
}

/* Beneath a directory that is a link itself (/bin) the name stands where that leads. */
static int add_link(struct event_request *q, const char *name, const char *real, struct err *e)
{
	const char *last = strrchr(name, '/');
	char directory[PATH_MAX], whole[PATH_MAX];
	const int r = add_one_link(q, name, real, e);

	if (r < 0 || last == NULL || last == name ||
	    snprintf(whole, sizeof whole, "%.*s", (int)(last - name), name) >= (int)sizeof whole ||
	    realpath(whole, directory) == NULL || strcmp(directory, whole) == 0 ||
	    snprintf(whole, sizeof whole, "%s%s", directory, last) >= (int)sizeof whole || strcmp(whole, real) == 0 ||
	    base_shows((enum cell_base)q->base, whole, RIGHT_READ)) /* set by one_of */
		return r;
	return add_one_link(q, whole, real, e);
}

static int add_asked(struct event_request *q, const char *path, struct err *e)
{
	if (q->n_asked == REQUEST_ASKED_MAX || !text_copy(q->asked[q->n_asked], sizeof q->asked[0], path))
		return err_set(e, AMBIT_LIMIT, "name the places themselves",
			       "grants that ask lead over more than %d links", REQUEST_ASKED_MAX);
	q->n_asked++;
	return 0;
}

static int set_grants(struct launch *l, const struct policy *p, struct err *e)
{
	const struct policy_place place = { .workspace = l->q->workspace, .home = l->q->home };
	auto_free struct policy_names *names = calloc(1, sizeof *names);
	int r;

	if (names == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for an event");
	grant_set_init(&l->q->grants);
	limits_default_run(&l->q->limits, half_of_memory());
	r = policy_resolve(p, &place, &l->q->grants, &l->q->limits, names, e);
	for (size_t i = 0; i < names->count && r == 0; i++)
		r = names->items[i].real == NULL ? add_asked(l->q, names->items[i].asked, e)
						 : add_link(l->q, names->items[i].asked, names->items[i].real, e);
	policy_names_finish(names);
	return r;
}

/* What the grants came from, for the ledger. */
static void set_policies(struct event_request *q, const struct ambit_policy *p)
{
	(void)text_copy(q->agent, sizeof q->agent, p->policy.agent); /* of the same size */
	for (uint32_t i = 1; i <= p->policy.n_sources; i++) {
		const uint32_t at = q->n_policies++;

		(void)text_copy(q->policies[at].name, sizeof q->policies[at].name, p->policy.sources[i]); /* likewise */
		memcpy(q->policies[at].sha256, p->texts[i].sha256, SHA256_BYTES);
		q->policies[at].size = p->texts[i].size;
	}
}

/* What is bounded together with other events. */
static int set_budgets(struct event_request *q, const struct policy *p, struct err *e)
{
	memcpy(q->budgets, p->budgets, sizeof q->budgets); /* of the same size */
	if (!qualifiers_are_none(&p->budgets[BUDGET_AGENT]) && p->agent[0] == 0)
		return err_set(e, AMBIT_USAGE, "agent: NAME in the policy, or `ambit run --agent NAME`",
			       "a budget of an agent, and nobody says which");
	return 0;
}

/* A command alone has a session of its own, which ends with it. */
static int check_session_budget(const struct launch *l, struct err *e)
{
	return l->names != NULL || l->waits || qualifiers_are_none(&l->q->budgets[BUDGET_SESSION])
		       ? 0
		       : err_set(e, AMBIT_UNAVAILABLE,
				 "`ambit session new`; or bound this event alone: uses= beside its grant",
				 "a budget of a session needs one");
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static int not_executable(const char *path, const char *name, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_why(e,
			       err_set(e, AMBIT_NOT_RUNNABLE, "name a program in it", "%s: cannot be executed", name),
			       "it is a directory");
	return err_why(
		e, err_set(e, AMBIT_NOT_RUNNABLE, "chmod +x, or name its interpreter", "%s: cannot be executed", name),
		"its mode does not let you");
}

/* Whether the cell has it without its being named, by its base or by a grant. */
static bool is_shown(const struct launch *l, const char *path)
{
	char real[PATH_MAX];
	const struct grant_request want = { .verb = VERB_RUN, .object = real };

	return realpath(path, real) != NULL && (base_shows((enum cell_base)l->q->base, real, RIGHT_RUN | RIGHT_READ) ||
						grant_check(&l->q->grants, &want).allowed);
}

/* As a shell in the cell looks a command up: what is not shown there is passed over. */
static bool find_in_path(struct launch *l, const char *name, bool shown)
{
	const char *dirs = environment_get(&l->env, "PATH");

	while (dirs != NULL && *dirs != 0) {
		const size_t n = strcspn(dirs, ":");
		char dir[GRANT_OBJECT_MAX];

		(void)snprintf(dir, sizeof dir, "%.*s", (int)(n < sizeof dir ? n : 0), dirs);
		if (dir[0] == '/' && path_normalise(dir, name, l->program, sizeof l->program) &&
		    is_program(l->program) && (!shown || is_shown(l, l->program)))
			return true;
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

/* Fit to be pasted between quotes. */
static bool is_plain(const char *value)
{
	for (; *value != 0; value++)
		if (*value < ' ' || *value > '~' || strchr("'\"\\$`!", *value) != NULL)
			return false;
	return true;
}

/* What bounds an endpoint, outside of its quotes, where the program's name should be: how to write it; else what the hint is otherwise. */
static const char *hint_of_program(const char *name, const char *otherwise, char room[ERR_HINT_MAX])
{
	const size_t n = strcspn(name, "=");
	const char *value = name + n, *quote;
	char word[32];

	if (*value == 0 || n >= sizeof word)
		return otherwise;
	(void)snprintf(word, sizeof word, "%.*s", (int)n, name);
	if (!condition_is(word))
		return otherwise;
	value++;
	quote = strpbrk(value, " ,") != NULL ? "'" : "";
	if (strlen(value) > 100 || !is_plain(value)) {
		value = "...";
		quote = "'";
	}
	(void)snprintf(room, ERR_HINT_MAX, "it belongs into the word of its endpoint: --connect \"HOST:443 %s=%s%s%s\"",
		       word, quote, value, quote); /* fits */
	return room;
}

/* In the PATH that the cell will have. What only the host has comes last: it may be executed since it was named. */
static int find_program(struct launch *l, const char *name, struct err *e)
{
	char hint[ERR_HINT_MAX];

	if (strchr(name, '/') != NULL) {
		if (!path_normalise(l->q->workspace, name, l->program, sizeof l->program))
			return err_set(e, AMBIT_LIMIT, NULL, "the program's path is too long");
		if (access(l->program, F_OK) < 0)
			return err_why(
				e,
				err_set(e, AMBIT_NO_PROGRAM,
					hint_of_program(name, "check the path, or name another --workspace", hint),
					"%s: no such program", name),
				"it is looked up from the workspace, and nothing is there");
		return is_program(l->program) ? 0 : not_executable(l->program, name, e);
	}
	if (find_in_path(l, name, true) || find_in_path(l, name, false))
		return 0;
	return err_why(e,
		       err_set(e, AMBIT_NO_PROGRAM, hint_of_program(name, "install it, or name it with its path", hint),
			       "%s: command not found", name),
		       "no directory of a cell's PATH has it, which is the system's and not yours");
}

/* The program after `--` may always be executed, and brings its runtime's traits. */
static int grant_program(struct launch *l, struct err *e)
{
	const struct program_traits *traits;
	char real[4096];
	uint32_t id;
	int r = 0;

	if (realpath(l->program, real) == NULL)
		return err_sys(e, AMBIT_NO_PROGRAM, errno, NULL, "cannot find %s", l->program);
	if (!base_shows((enum cell_base)l->q->base, real, RIGHT_RUN | RIGHT_READ)) { /* set by one_of */
		r = grant_add(&l->q->grants, VERB_RUN, real, 0, &id, e);
		if (r == 0 && strcmp(real, l->program) != 0)
			r = add_link(l->q, l->program, real, e);
	}
	traits = policy_program_traits(strrchr(real, '/') + 1);
	if (traits == NULL)
		traits = policy_program_traits(strrchr(l->program, '/') + 1);
	if (r == 0 && traits != NULL && traits->jit && !l->is_lent) /* whoever lends says so */
		r = grant_add(&l->q->grants, VERB_JIT, "", 0, &id, e);
	return r < 0 ? r : 0;
}

/* With --base minimal nothing is there by itself: each program that is granted brings its loader and libraries. */
static int grant_libraries(struct launch *l, struct err *e)
{
	const uint32_t given = l->q->grants.count;
	int r = 0;

	for (uint32_t i = 0; i < given && r == 0; i++)
		if (l->q->grants.grants[i].verb == VERB_RUN && is_program(grant_object(&l->q->grants, i)))
			r = libraries_grant(l->known, grant_object(&l->q->grants, i), l->q, e);
	return r;
}

static bool wants_terminal(const struct ambit_event_options *o)
{
	for (int i = 0; i < 3; i++)
		if (o->terminal != 0 && o->stream[i] == AMBIT_STREAM_PASS && o->stream_fd[i] >= 0 &&
		    isatty(o->stream_fd[i]))
			return true;
	return false;
}

/* Names of the host's root that a cell has its own of, or whose content is not files. */
static bool is_own_name(const char *name)
{
	static const char *const own[] = { ".", "..", "proc", "dev", "sys", "run", "tmp", "usr", "lost+found" };

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	return false;
}

static int show_name(struct launch *l, const char *name, struct err *e)
{
	char path[GRANT_OBJECT_MAX];
	struct stat st;
	uint32_t id;
	int r;

	if (is_own_name(name) || !path_normalise("/", name, path, sizeof path) || lstat(path, &st) < 0 ||
	    !S_ISDIR(st.st_mode))
		return 0;
	r = grant_add(&l->q->grants, VERB_READ, path, GRANT_OPTIONAL, &id, e);
	return r < 0 ? r : grant_add(&l->q->grants, VERB_RUN, path, GRANT_OPTIONAL, &id, e);
}

static int hide_path(struct event_request *q, const char *path, struct err *e)
{
	if (q->n_hides == REQUEST_HIDES_MAX || !text_copy(q->hides[q->n_hides], GRANT_OBJECT_MAX, path))
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d places to hide", REQUEST_HIDES_MAX);
	q->n_hides++;
	return 0;
}

/* Hidden where it lies: a link on the way to it is only another name. */
static int hide_place(struct event_request *q, const char *path, struct err *e)
{
	char real[PATH_MAX];

	return realpath(path, real) == NULL ? 0 : hide_path(q, real, e);
}

/* Everything that the caller can read is shown, a top-level directory at a time, but what is hidden. */
static int show_host(struct launch *l, struct err *e)
{
	DIR *root = opendir("/");
	struct dirent *entry;
	uint32_t id;
	int r = 0;

	if (root == NULL)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot list /");
	while (r == 0 && (entry = readdir(root)) != NULL)
		r = show_name(l, entry->d_name, e);
	(void)closedir(root);
	for (size_t i = 0; r == 0 && l->hide[i] != NULL; i++)
		r = hide_place(l->q, l->hide[i], e);
	l->q->base = CELL_BASE_HOST;
	return r < 0 ? r : grant_add(&l->q->grants, VERB_JIT, "", 0, &id, e);
}

#define UMASK_LINE "\nUmask:"

/* As the kernel says it: umask(2) tells it only by changing it, for all threads of who uses this library. */
static uint32_t told_umask(void)
{
	char text[512]; /* it is the second line */
	auto_fd int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof text - 1);
	const char *at;
	unsigned long mask;

	text[n > 0 ? n : 0] = 0;
	at = strstr(text, UMASK_LINE);
	mask = at != NULL ? strtoul(at + strlen(UMASK_LINE), NULL, 8) : 022;
	return mask <= 0777 ? (uint32_t)mask : 022;
}

/* What a cell may write is not where its own record lies, nor what is in there. */
static int check_ledger(const struct event_request *q, struct err *e)
{
	for (uint32_t i = 0; i < q->grants.count; i++)
		if (q->grants.grants[i].rights != 0 && path_is_beneath(grant_object(&q->grants, i), q->ledger))
			return err_set(e, AMBIT_USAGE, "choose another directory with --ledger",
				       "%s is granted, and lies in the ledger", grant_object(&q->grants, i));
	return 0;
}

/* Where it is recorded is called first and answers while the rest is made ready; -1s: nowhere. */
struct reach {
	int dir_fd, fd; /* owned */
};

static int call_ledger(struct launch *l, struct reach *ret, struct err *e)
{
	char own[GRANT_OBJECT_MAX];
	const char *dir = l->o->ledger;
	int r = 0;

	if (l->o->unrecorded != 0)
		return dir == NULL ? 0
				   : err_set(e, AMBIT_USAGE, "leave one of them out",
					     "a ledger, and that nothing is recorded");
	if (dir == NULL) {
		r = ledger_default(own, sizeof own, e);
		if (r <= 0)
			return r;
		dir = own;
	}
	r = ledger_open(dir, &ret->dir_fd, l->q->ledger, sizeof l->q->ledger, e);
	return r < 0 ? r : ledger_call(ret->dir_fd, &ret->fd, e);
}

static int reach_ledger(struct launch *l, struct reach *reach, struct ledger_hello *ret, struct err *e)
{
	const int r = reach->dir_fd < 0 ? 0 : check_ledger(l->q, e);

	return r < 0 || reach->dir_fd < 0 ? r : ledger_join(reach->dir_fd, l->q->ledger, &reach->fd, ret, e);
}

static void reach_finish(struct reach *r)
{
	fd_close(&r->dir_fd);
	fd_close(&r->fd);
}

/* Whether an event may write there, or with `within` somewhere beneath it. */
static bool is_written(const struct launch *l, const char *path, bool within)
{
	for (uint32_t i = 0; i < l->q->grants.count; i++) {
		const char *object = grant_object(&l->q->grants, i);

		if ((l->q->grants.grants[i].rights & RIGHT_WRITE) != 0 &&
		    (path_is_beneath(path, object) || (within && path_is_beneath(object, path))))
			return true;
	}
	return false;
}

/* The directory that an interpreter's libraries lie in: above that of the program. Of a virtual environment, whose program is a link to another's, it is where the link lies. */
static bool prefix_is_written(const struct launch *l, const char *program, bool environment)
{
	char prefix[PATH_MAX], config[PATH_MAX + sizeof "/pyvenv.cfg"];
	char *slash;

	if (!text_copy(prefix, sizeof prefix, program))
		return true;
	for (unsigned i = 0; i < 2; i++) {
		slash = strrchr(prefix, '/');
		if (slash == NULL || slash == prefix)
			return false; /* all of the host is nobody's prefix */
		*slash = 0;
	}
	(void)snprintf(config, sizeof config, "%s/pyvenv.cfg", prefix); /* fits */
	return (!environment || access(config, F_OK) == 0) && is_written(l, prefix, true);
}

static bool program_is_written(const struct launch *l, const char *program)
{
	char real[PATH_MAX];

	return is_written(l, program, false) || realpath(program, real) == NULL || is_written(l, real, false) ||
	       prefix_is_written(l, real, false) || prefix_is_written(l, program, true);
}

/* Where modules look by themselves: all of the home, or what is hidden in it. */
static bool home_is_written(const struct launch *l)
{
	const size_t n = strlen(l->q->home);

	if (is_written(l, l->q->home, false))
		return true;
	for (uint32_t i = 0; i < l->q->grants.count; i++) {
		const char *object = grant_object(&l->q->grants, i);

		if ((l->q->grants.grants[i].rights & RIGHT_WRITE) != 0 && path_is_beneath(object, l->q->home) &&
		    object[n] == '/' && object[n + 1] == '.')
			return true;
	}
	return false;
}

/* A variable that has an interpreter, or its loader, read files as it starts, or that has the path of what an event may write. */
static bool names_what_is_written(const struct launch *l, const char *entry)
{
	static const char *const names[] = { "LD_", "NODE_", "BASH_ENV=", "GCONV_PATH=", "OPENSSL_CONF=" };
	const char *value = strchr(entry, '=');
	char part[PATH_MAX];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	if (strncmp(entry, "HOME=", 5) == 0 || strncmp(entry, "PWD=", 4) == 0)
		return false;
	while (value != NULL) { /* or a list of paths, as PATH is */
		const char *next = strchr(value + 1, ':');
		const size_t n = next == NULL ? strlen(value + 1) : (size_t)(next - value - 1);

		if (value[1] == '/' && n < sizeof part) { /* no longer one is a path */
			memcpy(part, value + 1, n);
			part[n] = 0;
			if (is_written(l, part, false))
				return true;
		}
		value = next;
	}
	return false;
}

/* Whether an interpreter could read, before its code comes, what an event may have written: its own files, what variables name, and with modules also what lies in the home. */
static bool reads_what_is_written(const struct launch *l)
{
	if (program_is_written(l, l->program))
		return true;
	for (char *const *v = l->env.entries; v != NULL && *v != NULL; v++)
		if (names_what_is_written(l, *v))
			return true;
	return l->has_modules && home_is_written(l);
}

static bool waits_in_stage(enum grant_verb verb)
{
	return verb == VERB_WORK || verb == VERB_WRITE || verb == VERB_DECLASSIFY;
}

/* Only what is staged can wait for an answer. */
static int check_asked(const struct launch *l, struct err *e)
{
	for (uint32_t i = 0; i < l->q->grants.count && l->q->staged == 0; i++)
		if (l->q->grants.grants[i].qualifiers.ask != 0 &&
		    waits_in_stage((enum grant_verb)l->q->grants.grants[i].verb))
			return err_set(e, AMBIT_USAGE, "leave out --direct: its changes are staged then, and wait",
				       "'%s: %s' asks, and with --direct nothing would wait for the answer",
				       verb_word((enum grant_verb)l->q->grants.grants[i].verb),
				       grant_object(&l->q->grants, i));
	if (l->q->n_asked > 0 && l->q->staged == 0)
		return err_set(e, AMBIT_USAGE, "leave out --direct: its changes are staged then, and wait",
			       "'%s' is asked for, and with --direct nothing would wait for the answer",
			       l->q->asked[0]);
	return 0;
}

/* What a sub-agent writes is in the stage of its caller, or nowhere. */
static int check_delegate(const struct launch *l, struct err *e)
{
	return l->q->staged == 0 && delegate_is_granted(&l->q->grants)
		       ? err_set(e, AMBIT_USAGE,
				 "leave out --direct: its changes are staged then, and so are those of sub-agents",
				 "sub-agents work in what is staged, and with --direct nothing is")
		       : 0;
}

/* A person is asked about what was seen, while it can still be held. */
static int check_profile(const struct launch *l, uint8_t profile, struct err *e)
{
	const char *word = policy_profile_word(profile);

	if (profile < PROFILE_ASK || l->is_server)
		return 0;
	if (l->q->observe == CELL_OBSERVE_OFF)
		return err_set(e, AMBIT_USAGE, "leave out --observe off, or say --profile log in a policy of its own",
			       "'profile: %s' is of what an event does, and with --observe off nobody sees that", word);
	return l->q->staged == 0
		       ? err_set(e, AMBIT_USAGE, "leave out --direct: its changes are staged then, and can be held",
				 "'profile: %s' holds what is unusual, and with --direct nothing can be held", word)
		       : 0;
}

static void describe(struct launch *l)
{
	if (l->q->kernel != 0)
		kernel_describe((enum event_kind)l->q->kind, l->o->argv[1], l->q->command, sizeof l->q->command);
	else
		kind_describe((enum event_kind)l->q->kind, l->o->argv, l->q->command, sizeof l->q->command);
}

/* Before anything is done or started for it, a recovery of the trees included; of a session its process has looked (session/keep.c). Its supervisor looks again,
 * when it can be found (supervisor/main.c). */
static int check_frozen(const struct launch *l, struct err *e)
{
	char place[GRANT_OBJECT_MAX];

	return l->waits || l->names != NULL || !frozen_place(l->q->store, place) ? 0 : frozen_refuse(place, "", "", e);
}

/* Of a session its process has looked (session/keep.c), and let it wait. */
static int take_turn(struct launch *l, struct err *e)
{
	char place[GRANT_OBJECT_MAX], hint[ERR_HINT_MAX];

	if (l->waits || l->names != NULL || !frozen_place(l->q->store, place))
		return 0;
	l->wait_ms = throttle_turn(place, l->q->stream, clock_unix_ms());
	if (l->wait_ms == 0)
		return 0;
	(void)snprintf(hint, sizeof hint, "try again in %llu ms; a person ends it: `ambit profile release EVENT`",
		       (unsigned long long)l->wait_ms); /* fits */
	return err_set(e, AMBIT_LIMIT, hint, "its events begin apart, since one of them did much");
}

/* No cell lets go what is frozen: the directory that says so is hidden (supervisor/plan.c), and there, where a cell could make it or see it come. */
static int keep_frozen_out(const struct event_request *q, struct err *e)
{
	char place[GRANT_OBJECT_MAX];

	if (!frozen_place(q->store, place))
		return 0;
	for (uint32_t i = 0; i < q->grants.count; i++) {
		const char *object = grant_object(&q->grants, i);
		const uint32_t rights = q->grants.grants[i].rights;
		auto_fd int fd = -1;

		if (rights != 0 && path_is_beneath(object, place))
			return err_set(e, AMBIT_USAGE, "`ambit thaw` and `ambit doctor` say what lies there",
				       "%s is granted, and says what is frozen", object);
		if ((rights & RIGHT_WRITE) != 0 && path_is_beneath(place, object))
			(void)directory_open_own(place, &fd); /* where we cannot make it, nor can the cell */
	}
	return 0;
}

/* Who writes there says what is usual, and who reads there knows it. */
static int keep_profiles_out(const struct event_request *q, struct err *e)
{
	char place[GRANT_OBJECT_MAX];

	for (uint32_t i = 0; i < q->grants.count && usual_place(q->store, place, sizeof place); i++)
		if (q->grants.grants[i].rights != 0 && path_is_beneath(grant_object(&q->grants, i), place))
			return err_set(e, AMBIT_USAGE, "`ambit profile export` writes one to a file",
				       "%s is granted, and says what is usual", grant_object(&q->grants, i));
	return 0;
}

/* Who reads there knows them from secrets, and who writes there says what ends an event: also by making it, where there is none yet. */
static int keep_canaries_out(const struct event_request *q, struct err *e)
{
	char place[STANDING_PATH_MAX];

	for (uint32_t i = 0; i < q->grants.count && canaries_place(q->store, place); i++) {
		const char *object = grant_object(&q->grants, i);
		const uint32_t rights = q->grants.grants[i].rights;
		auto_fd int fd = -1;

		if (rights != 0 && path_is_beneath(object, place))
			return err_set(e, AMBIT_USAGE, "`ambit canary list` says which there are",
				       "%s is granted, and says which files are canaries", object);
		if ((rights & RIGHT_WRITE) != 0 && path_is_beneath(place, object))
			(void)directory_open_own(place, &fd); /* where we cannot make it, nor can the cell */
	}
	return 0;
}

/* What it was given, in place of what the policy grants; and of both limits the narrower. */
static void take_handed(struct launch *l)
{
	const struct sibling_ask *a = &l->handed->ask;

	l->q->grants = a->grants;
	memcpy(l->q->parent, event_result(l->caller)->event, sizeof l->q->parent); /* of the same size, as the next */
	memcpy(l->q->agent, a->agent, sizeof l->q->agent);
	memcpy(l->q->workdir, a->workdir, sizeof l->q->workdir);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (a->limits.value[i] != 0 &&
		    (l->q->limits.value[i] == 0 || a->limits.value[i] < l->q->limits.value[i]))
			l->q->limits.value[i] = a->limits.value[i];
}

/* A cell to which nothing is granted is told nothing: not what the person is called, nor where they live. */
static void name_nobody(struct event_request *q)
{
	(void)text_copy(q->user, sizeof q->user, "user"); /* these fit */
	(void)text_copy(q->home, sizeof q->home, "/home/user");
}

static int launch(struct launch *l, const struct ambit_policy *p, struct ambit_event **ret, struct err *e)
{
	const struct ambit_event_options *o = l->o;
	struct judged_caller caller = { .q = NULL };
	struct event_plan plan = { .argv = l->argv,
				   .asked = o->code != AMBIT_COMMAND ? o->argv : NULL,
				   .result_fd = o->result_fd > 0 ? o->result_fd : -1,
				   .shows = o->code == AMBIT_CODE_SHOWN,
				   .kernel = l->q->kernel != 0,
				   .program_fd = -1,
				   .terminal = o->terminal != 0,
				   .command_line = l->command_line,
				   .names = l->names,
				   .reached = true,
				   .waits = l->waits };
	struct ledger_hello hello = { .is_new = false };
	__attribute__((cleanup(reach_finish))) struct reach ledger = { .dir_fd = -1, .fd = -1 };
	struct stage_ask settings;
	uint32_t conflict = 0;
	bool in_cell;
	int r = set_place(l, e), recovered = 0;

	r = r < 0 ? r : set_words(l, &conflict, e);
	r = r < 0 ? r : set_budgets(l->q, &p->policy, e);
	r = r < 0 ? r : check_session_budget(l, e);
	r = r < 0 ? r
		  : stage_ask_init(&settings, STAGE_OP_SETTLE, e); /* a mistake in them is told before anything runs */
	if (stage_store_path(l->q->store, sizeof l->q->store) < 0)
		l->q->store[0] = 0; /* which matters only where something is written */
	/* in a cell there is no store, no ledger and no event: event_start says so */
	in_cell = delegate_is_cell();
	r = r < 0 || in_cell ? r : check_frozen(l, e);
	r = r < 0 || in_cell ? r : call_ledger(l, &ledger, e);
	if (r == 0 && !in_cell)
		recovered = stage_recover_first(l->q->store, NULL, NULL);
	if (!l->waits) /* else it is none, and in no list */
		describe(l);
	l->q->umask = told_umask();
	l->q->staged = (o->changes & AMBIT_CHANGES_DIRECT) == 0;
	l->q->beside = (o->changes & AMBIT_CHANGES_BESIDE) != 0 && l->q->staged != 0;
	set_policies(l->q, p);
	r = r < 0 ? r : set_grants(l, &p->policy, e);
	if (r == 0 && l->handed != NULL)
		take_handed(l);
	if (l->is_lent && p->policy.n_lines == 0)
		name_nobody(l->q);
	r = r < 0 ? r : check_asked(l, e);
	r = r < 0 ? r : check_delegate(l, e);
	r = r < 0 ? r : check_profile(l, p->policy.profile, e);
	if (r == 0 && recovered < 0) /* what the command would not see stops nobody */
		r = stage_recover_first(l->q->store, l->hide == NULL ? &l->q->grants : NULL, e);
	r = r < 0 || l->hide == NULL ? r : show_host(l, e);
	r = r < 0 ? r
		  : environment_make(l->q, o->environment, wants_terminal(o), network_wants_judges(&l->q->grants),
				     &l->env, e);
	/* of what was handed over the path is that in the cell, which the cell looks for: nothing is told of the host's */
	if (l->handed == NULL)
		r = r < 0 ? r : find_program(l, l->argv[0], e);
	else if (r == 0 && !(path_is_normal(l->handed->program.path) &&
			     text_copy(l->program, sizeof l->program, l->handed->program.path)))
		r = err_set(e, AMBIT_MALFORMED, NULL, "the path of the program is none");
	r = r < 0 || l->handed != NULL ? r : grant_program(l, e);
	r = r < 0 || l->handed != NULL || l->q->base != CELL_BASE_MINIMAL ? r : grant_libraries(l, e);
	r = r < 0 || in_cell ? r : secret_keep_out(l->q, e);
	r = r < 0 || in_cell ? r : keep_frozen_out(l->q, e);
	r = r < 0 || in_cell ? r : keep_profiles_out(l->q, e);
	r = r < 0 || in_cell ? r : keep_canaries_out(l->q, e);
	r = r < 0 || in_cell || l->waits ? r : canaries_watch(l->q, p->policy.canary, e);
	r = r < 0 || l->waits ? r : reach_ledger(l, &ledger, &hello, e);
	l->q->kept = l->names != NULL;
	standing_stream(l->names != NULL ? l->names->session : NULL, l->q->agent, l->q->workspace, l->q->stream);
	r = r < 0 || in_cell ? r : take_turn(l, e);
	plan.renews = l->is_server;
	plan.pooled = l->command_line && l->hide == NULL && !l->is_server;
	plan.pooled_code = r == 0 && plan.pooled && l->q->kind != KIND_RUN && !reads_what_is_written(l);
	if (r == 0 && l->waits && l->q->kind != KIND_RUN && reads_what_is_written(l))
		r = err_set(e, AMBIT_UNAVAILABLE, NULL, "an interpreter that events may write does not wait");
	if (r == 0 && l->waits && delegate_is_granted(&l->q->grants))
		r = err_set(e, AMBIT_UNAVAILABLE, NULL, "a cell that has sub-agents does not wait");
	if (r == 0 && l->waits && network_roles_are_needed(&l->q->grants))
		r = err_set(e, AMBIT_UNAVAILABLE, NULL, "a cell with a network does not wait");
	if (r == 0 && l->is_template)
		r = template_take_request(l->template, l->q, l->program, e);
	if (r < 0)
		return r;
	plan.recorded = ledger.fd >= 0 && !l->waits;
	plan.ledger_fd = ledger.fd;
	plan.ledger_dir_fd = ledger.dir_fd;
	for (int i = 0; i < 3; i++) {
		plan.stream[i] = l->is_server && (i < 2 || l->is_lent) ? STREAM_OURS
								       : (enum ambit_stream)o->stream[i]; /* checked */
		plan.stream_fd[i] = o->stream_fd[i];
	}
	if (l->handed != NULL) {
		caller = delegate_caller(l->caller, &l->handed->from);
		plan.caller = &caller;
	}
	plan.path = l->program;
	plan.envp = l->env.entries;
	plan.request = steal_ptr(&l->q);
	plan.ready = steal_ptr(&l->ready);
	plan.template = l->template;
	plan.is_template = l->is_template;
	plan.changes = o->changes;
	plan.conflict = conflict;
	plan.profile = p->policy.profile;
	if (l->is_server && plan.request->staged == 0 && plan.profile > PROFILE_LOG)
		plan.profile = PROFILE_LOG; /* what it wrote is there: its calls are what is asked about */
	plan.wait_ms = o->wait_ms;
	r = event_start(&plan, ret, e);
	if (r == 0)
		event_set_ledger(*ret, &hello);
	if (r == 0)
		(void)text_copy(event_agent(*ret), EVENT_AGENT_MAX,
				l->handed != NULL ? l->handed->ask.agent : p->policy.agent); /* same size */
	return r;
}

/* A runtime's trait is the cell's, or is left out. */
static void soften_traits(struct grant_set *set, const struct policy *p)
{
	for (uint32_t i = 0; i < p->n_lines; i++)
		if (p->lines[i].verb == VERB_JIT && policy_means(p, &p->lines[i]))
			return;
	for (uint32_t i = 0; i < set->count; i++)
		if (set->grants[i].verb == VERB_JIT)
			set->grants[i].flags |= GRANT_OPTIONAL;
}

/* To the session of who asks. */
static bool is_handed(const struct ambit_event_options *o)
{
	return o->changes == AMBIT_CHANGES_BESIDE;
}

static void fill_ask(const struct launch *l, const struct policy *p, struct sibling_ask *a)
{
	a->flags = (p->n_lines == 0 ? SIBLING_INHERITS : 0) | (is_handed(l->o) ? SIBLING_HANDED : 0) |
		   (wants_terminal(l->o) && !is_handed(l->o) ? SIBLING_TERMINAL : 0);
	memcpy(a->agent, p->agent, sizeof a->agent); /* same size */
	memcpy(a->workdir, l->q->workspace, sizeof a->workdir);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		a->limits.value[i] = (p->limits_given >> i & 1u) != 0 ? p->limits.value[i] : 0;
	a->grants = l->q->grants;
	soften_traits(&a->grants, p);
}

/* Everything else is its caller's. */
static int check_beside(const struct ambit_event_options *o, const struct policy *p, struct err *e)
{
	if (!delegate_is_there())
		return delegate_refused(e);
	if (o->labels != NULL)
		return err_set(e, AMBIT_UNAVAILABLE,
			       "give it to the event that asks: `ambit run --label`, outside of cells",
			       "a sub-agent is given no labels of its own");
	if ((o->changes != 0 && !is_handed(o)) || o->on_conflict != NULL || o->wait_ms != 0 || o->ledger != NULL ||
	    o->unrecorded != 0 || o->base != NULL || o->observe != NULL || o->without != NULL ||
	    o->code != AMBIT_COMMAND || o->result_fd != 0)
		return err_set(e, AMBIT_USAGE,
			       "leave the others out: what is recorded, staged and shown is as for the cell that asks",
			       "a sub-agent has a command, streams, grants, a name, limits and a workspace of its own");
	return policy_has_budgets(p)
		       ? err_set(e, AMBIT_UNAVAILABLE, "leave it out: what it uses counts for its caller, too",
				 "a sub-agent has no budget of its own")
		       : 0;
}

/* What is passed is passed as it is: who asks has it, and could give it on by itself. */
static void set_streams(const struct ambit_event_options *o, struct event_plan *plan)
{
	for (int i = 0; i < 3; i++) {
		plan->stream[i] = o->stream[i] != AMBIT_STREAM_PASS ? (enum ambit_stream)o->stream[i]
				  : o->stream_fd[i] < 0             ? AMBIT_STREAM_NULL
								    : STREAM_OURS;
		if (is_handed(o) && plan->stream[i] != AMBIT_STREAM_CAPTURE) /* of which nothing comes */
			plan->stream[i] = AMBIT_STREAM_NULL;
		plan->stream_fd[i] = o->stream_fd[i];
	}
}

/* In a cell its supervisor is asked for what would be started here. */
static int launch_beside(struct launch *l, const struct ambit_policy *p, struct ambit_event **ret, struct err *e)
{
	const struct ambit_event_options *o = l->o;
	auto_free struct sibling_ask *ask = calloc(1, sizeof *ask);
	struct event_plan plan = { .path = l->program,
				   .argv = o->argv,
				   .envp = o->environment != NULL ? o->environment : environ,
				   .result_fd = -1,
				   .program_fd = -1 };
	uint32_t conflict;
	int r = ask == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory to ask for a sub-agent")
			    : check_beside(o, &p->policy, e);

	r = r < 0 ? r : set_place(l, e);
	r = r < 0 ? r : set_words(l, &conflict, e);
	r = r < 0 ? r : set_grants(l, &p->policy, e);
	r = r < 0 ? r : environment_make(l->q, NULL, false, false, &l->env, e);
	r = r < 0 ? r : find_program(l, o->argv[0], e);
	if (r == 0 && p->policy.n_lines > 0)
		r = grant_program(l, e);
	if (r < 0)
		return r;
	fill_ask(l, &p->policy, ask);
	set_streams(o, &plan);
	plan.request = steal_ptr(&l->q);
	return event_start_beside(&plan, ask, ret, e);
}

/* Those that a policy names by their paths. One that lies where events write may still be made by them. */
static int check_interpreters(struct launch *l, const struct policy *p, struct err *e)
{
	const char *program, *modules[POLICY_MODULES_MAX];
	int r = 0;

	for (unsigned kind = 0; kind < KIND_COUNT && r == 0; kind++) {
		(void)policy_warm(p, (enum event_kind)kind, l->warm, &program, modules);
		if (program[0] == '/' && !is_written(l, program, false))
			r = find_program(l, program, e);
	}
	return r;
}

/* The command, or what runs code. */
static void choose_interpreter(struct launch *l, const struct policy *p, enum event_kind kind)
{
	char *const *usual = code_argv(kind);
	const char *program, *modules[POLICY_MODULES_MAX];
	const unsigned m = policy_warm(p, kind, l->warm, &program, modules);
	size_t n = 0;

	for (; usual[n] != NULL; n++)
		l->code_argv[n] = usual[n];
	if (program[0] != 0)
		l->code_argv[0] = (char *)(uintptr_t)program; /* only read, as the next */
	for (unsigned i = 0; i < m; i++)
		l->code_argv[n++] = (char *)(uintptr_t)modules[i];
	l->has_modules = m > 0;
	l->argv = l->code_argv;
}

/* Of a session alone: elsewhere nobody gives it steps. */
static bool is_kernel(const struct launch *l)
{
	return l->o->code == LAUNCH_KERNEL && l->names != NULL;
}

static int choose_program(struct launch *l, const struct policy *p, struct err *e)
{
	const enum event_kind kind = l->o->code != AMBIT_COMMAND ? kind_of_word(l->o->argv[0]) : KIND_RUN;

	l->argv = l->o->argv;
	if (l->o->code == AMBIT_COMMAND)
		return 0;
	if (l->o->code != AMBIT_CODE && l->o->code != AMBIT_CODE_SHOWN && !is_kernel(l))
		return err_set(e, AMBIT_USAGE, NULL, "code of no known kind");
	if (kind == KIND_COUNT || kind == KIND_RUN)
		return err_set(e, AMBIT_UNKNOWN, "python, node or shell", "'%s' is no language of code", l->o->argv[0]);
	if (l->o->argv[1] == NULL || l->o->argv[2] != NULL)
		return err_set(e, AMBIT_USAGE, NULL, "code is a language and one source text");
	l->q->kind = kind;
	l->q->kernel = is_kernel(l) ? 1 : 0;
	choose_interpreter(l, p, kind);
	return 0;
}

/* l: how; the rest of it is filled here. */
static int check_and_launch(struct launch *l, const struct ambit_policy *p, const struct ambit_event_options *given,
			    struct ambit_event **ret, struct ambit_error *ret_error)
{
	struct err e;
	int r;

	memset(&l->options, 0, sizeof l->options);
	if (given->size < offsetof(struct ambit_event_options, stream) || given->size > sizeof l->options)
		return public_error(ret_error,
				    err_set(&e, AMBIT_USAGE, "set size to sizeof(struct ambit_event_options)",
					    "options of another ABI"),
				    &e);
	memcpy(&l->options, given, given->size);
	for (int i = 0; i < 3; i++)
		if (l->options.stream[i] < AMBIT_STREAM_PASS || l->options.stream[i] > AMBIT_STREAM_CAPTURE)
			return public_error(ret_error,
					    err_set(&e, AMBIT_USAGE, NULL, "stream %d is of no known kind", i), &e);
	if (l->options.argv == NULL || l->options.argv[0] == NULL || l->options.argv[0][0] == 0)
		return public_error(ret_error,
				    err_set(&e, AMBIT_USAGE, "name the program after --", "no program to run"), &e);
	l->o = &l->options;
	l->q = calloc(1, sizeof *l->q);
	if (l->q == NULL)
		return public_error(ret_error, err_set(&e, AMBIT_MEMORY, NULL, "no memory for an event"), &e);
	r = choose_program(l, &p->policy, &e);
	r = r < 0 ? r : (l->asks ? launch_beside : launch)(l, p, ret, &e);
	environment_finish(&l->env);
	free(l->q);
	return public_error(ret_error, r, &e);
}

int ambit_event_start(const struct ambit_policy *p, const struct ambit_event_options *o, struct ambit_event **ret,
		      struct ambit_error *e)
{
	struct launch l = { .asks = delegate_is_cell() };

	return check_and_launch(&l, p, o, ret, e);
}

int launch_event(const struct ambit_policy *p, const struct ambit_event_options *o, char *const *hide,
		 struct ambit_event **ret, uint64_t *ret_wait_ms, struct ambit_error *e)
{
	struct launch l = { .hide = hide, .command_line = true };
	const int r = check_and_launch(&l, p, o, ret, e);

	*ret_wait_ms = l.wait_ms;
	return r;
}

int launch_server(const struct ambit_policy *p, const struct ambit_event_options *o, char *const *hide,
		  struct ambit_event **ret, struct ambit_error *e)
{
	struct launch l = { .hide = hide, .command_line = true, .is_server = true };

	return check_and_launch(&l, p, o, ret, e);
}

int launch_lent(const struct ambit_policy *p, const struct ambit_event_options *o, struct libraries *known,
		struct ambit_event **ret, struct ambit_error *e)
{
	struct launch l = { .command_line = true, .is_server = true, .is_lent = true, .known = known };

	return check_and_launch(&l, p, o, ret, e);
}

int launch_check(const struct ambit_policy *p, const struct ambit_event_options *o, struct err *e)
{
	auto_free struct event_request *q = calloc(1, sizeof *q);
	struct launch l = { .o = o, .q = q };
	uint32_t conflict;
	int r;

	if (q == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for an event");
	r = set_place(&l, e);
	r = r < 0 ? r : set_words(&l, &conflict, e);
	r = r < 0 ? r : set_budgets(q, &p->policy, e);
	r = r < 0 ? r : set_grants(&l, &p->policy, e);
	return r < 0 ? r : check_interpreters(&l, &p->policy, e);
}

int launch_in_session(const struct ambit_policy *p, const struct ambit_event_options *o,
		      const struct event_names *names, struct ambit_event *ready, struct template *template,
		      struct ambit_event **ret, struct ambit_error *e)
{
	struct launch l = { .names = names, .ready = ready, .template = template };
	const int r = check_and_launch(&l, p, o, ret, e);

	event_free_by(l.ready, clock_ms() + READY_LEAVE_MS); /* it was not asked for */
	return r;
}

int launch_handed(const struct ambit_policy *p, const struct ambit_event_options *o, const struct event_names *names,
		  struct ambit_event *caller, const struct handed *handed, struct ambit_event **ret,
		  struct ambit_error *e)
{
	struct launch l = { .names = names, .caller = caller, .handed = handed };

	return check_and_launch(&l, p, o, ret, e);
}

int launch_waiting(const struct ambit_policy *p, const struct ambit_event_options *o, const struct event_names *names,
		   struct template *template, struct ambit_event **ret, struct ambit_error *e)
{
	struct launch l = { .names = names, .waits = true, .template = template };

	return check_and_launch(&l, p, o, ret, e);
}

int launch_template(const struct ambit_policy *p, const struct ambit_event_options *o, struct template *t,
		    struct ambit_error *e)
{
	struct launch l = { .waits = true, .template = t, .is_template = true };

	return check_and_launch(&l, p, o, &t->ev, e);
}
