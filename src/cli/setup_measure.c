#include "cli/setup_measure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/cli.h"

#define ROUNDS 7
#define WORDS_MAX (SETUP_WORDS_MAX + 64)

struct argv {
	const char *word[WORDS_MAX];
	size_t n;
};

enum way { BARE, SANDBOX, HOOK, CELL, WAYS };

struct measured {
	struct argv way[WAYS];
	bool starts[WAYS];
	double ms[WAYS][ROUNDS];
	int call_fd;        /* owned: what the client would say to its hook */
	char own[PATH_MAX]; /* we, also where no PATH says it, and in a sandbox */
};

static void add(struct argv *a, const char *word)
{
	if (a->n + 1 < WORDS_MAX)
		a->word[a->n++] = word;
}

static void add_all(struct argv *a, const struct argv *more)
{
	for (size_t i = 0; i < more->n; i++)
		add(a, more->word[i]);
}

/* ---- the ways ---- */

static void add_sandbox(struct argv *a, enum setup_client c, const char *here)
{
	const char *const bubblewrap[] = { "bwrap",
					   "--new-session",
					   "--die-with-parent",
					   "--unshare-net",
					   "--unshare-pid",
					   "--ro-bind",
					   "/",
					   "/",
					   "--dev",
					   "/dev",
					   "--proc",
					   "/proc",
					   "--bind",
					   here,
					   here,
					   "--" };
	const char *const codex[] = { "codex", "sandbox", "--" };

	for (size_t i = 0; c == SETUP_CLAUDE_CODE && i < sizeof bubblewrap / sizeof bubblewrap[0]; i++)
		add(a, bubblewrap[i]);
	for (size_t i = 0; c == SETUP_CODEX && i < sizeof codex / sizeof codex[0]; i++)
		add(a, codex[i]);
}

static void add_words(struct argv *a, const struct setup_words *run, bool usual)
{
	for (uint32_t i = 0; i < run->n; i++)
		add(a, run->word[i]);
	if (usual && run->n == 0) {
		add(a, "--preset");
		add(a, "agent");
	}
}

static void find_ways(struct measured *m, enum setup_client c, const struct setup_words *run, const char *here)
{
	add_sandbox(&m->way[SANDBOX], c, here);
	add(&m->way[HOOK], m->own);
	add(&m->way[HOOK], "setup");
	add(&m->way[HOOK], "hook");
	add(&m->way[HOOK], setup_about(c)->word);
	if (run->n > 0)
		add(&m->way[HOOK], "--");
	add_words(&m->way[HOOK], run, false);
	add(&m->way[CELL], m->own);
	add(&m->way[CELL], "run");
	add_words(&m->way[CELL], run, true);
	add(&m->way[CELL], "--quiet");
	add(&m->way[CELL], "--");
}

static int make_call(int *ret_fd, enum setup_client c, struct err *e)
{
	auto_fd int fd = memfd_create("ambit-call", MFD_CLOEXEC);
	char text[128];
	const int n = snprintf(text, sizeof text, "{\"tool_name\":\"%s\",\"tool_input\":{\"command\":\"true\"}}",
			       setup_about(c)->hook == HOOK_CURSOR ? "Shell" : "Bash");
	const int r = fd < 0 ? -errno : fd_write_all(fd, text, (size_t)n);

	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot measure");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* ---- running one ---- */

static int run(const struct argv *a, int input)
{
	const char *word[WORDS_MAX];
	posix_spawn_file_actions_t actions;
	int status = 0, r;
	pid_t pid;

	memcpy(word, a->word, sizeof word);
	word[a->n] = NULL;
	(void)posix_spawn_file_actions_init(&actions);
	if (input >= 0 && lseek(input, 0, SEEK_SET) == 0)
		(void)posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	else
		(void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&pid, a->word[0], &actions, NULL, (char *const *)(uintptr_t)word, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECANCELED;
}

static int run_in(const struct argv *around, const struct argv *more, int input)
{
	struct argv all = { .n = 0 };

	add_all(&all, around);
	add_all(&all, more);
	return run(&all, input);
}

static int run_way(const struct measured *m, enum way w)
{
	static const struct argv shell = { { "bash", "-c", "true" }, 3 }, none = { .n = 0 };

	return run_in(&m->way[w], w == HOOK ? &none : &shell, w == HOOK ? m->call_fd : -1);
}

static void time_way(struct measured *m, enum way w, int round)
{
	struct timespec began, ended;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	m->starts[w] = run_way(m, w) == 0 && m->starts[w];
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	m->ms[w][round] = 1e3 * (double)(ended.tv_sec - began.tv_sec) + 1e-6 * (double)(ended.tv_nsec - began.tv_nsec);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(struct measured *m, enum way w)
{
	qsort(m->ms[w], ROUNDS, sizeof m->ms[w][0], by_size);
	return m->ms[w][ROUNDS / 2];
}

/* ---- what stands around a command ---- */

/* Each is a line that is another outside: a command there compares, and its exit status has a bit for each. What cannot be read is not told. */
#define STATUS(name) "\"$(sed -n 's/^" name ":[[:space:]]*//p' /proc/self/status)\""
#define SPACE(name) "\"$(readlink /proc/self/ns/" name ")\""
static const char look[] =
	"s=0 b=1; for v in " SPACE("mnt") " " SPACE("pid") " " SPACE("net") " " SPACE("ipc") " " SPACE("user") " " STATUS(
		"NoNewPrivs") " " STATUS("Seccomp_filters") "; do"
							    " [ -z \"$v\" ] || [ \"$v\" = \"$1\" ] || s=$((s+b)); b=$((b*2)); shift; done; exit $s";
static const char *const layers[] = { "files", "processes", "network", "IPC", "users", "no new privileges", "seccomp" };
#define LAYERS (sizeof layers / sizeof layers[0])

static void read_line(const char *path, const char *key, char ret[64])
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[8192] = "", *at;
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	ret[0] = 0;
	text[n > 0 ? n : 0] = 0;
	at = strstr(text, key);
	if (at != NULL)
		(void)sscanf(at + strlen(key), "%63s", ret);
}

static void show_layers(const struct measured *m, enum way w, const char *more)
{
	static const char *const spaces[] = { "mnt", "pid", "net", "ipc", "user" };
	struct argv a = { { "bash", "-c", look, "bash" }, 4 };
	char outside[LAYERS][64], path[64];
	int bits;

	for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
		ssize_t n;

		(void)snprintf(path, sizeof path, "/proc/self/ns/%s", spaces[i]); /* fits */
		n = readlink(path, outside[i], sizeof outside[i] - 1);
		outside[i][n > 0 ? n : 0] = 0;
	}
	read_line("/proc/self/status", "\nNoNewPrivs:", outside[5]);
	read_line("/proc/self/status", "\nSeccomp_filters:", outside[6]);
	for (size_t i = 0; i < LAYERS; i++)
		add(&a, outside[i]);
	bits = run_in(&m->way[w], &a, -1);
	(void)printf("%s", bits > 0 ? ": " : bits == 0 ? ": nothing" : "");
	for (size_t i = 0, n = 0; bits > 0 && i < LAYERS; i++)
		if ((bits & (1 << i)) != 0)
			(void)printf("%s%s", n++ > 0 ? ", " : "", layers[i]);
	(void)printf("%s\n", more);
}

static void show_sandbox(struct measured *m, enum setup_client c)
{
	const char *program = m->way[SANDBOX].word[0];

	if (m->way[SANDBOX].n == 0) {
		(void)printf("  in its own sandbox           not tried: nothing but %s starts it\n",
			     setup_about(c)->title);
		return;
	}
	if (!m->starts[SANDBOX]) {
		(void)printf("  in its own sandbox           it does not start here (%s)\n", program);
		return;
	}
	(void)printf("  in its own sandbox %7.1f ms", median(m, SANDBOX));
	show_layers(m, SANDBOX, c == SETUP_CLAUDE_CODE ? "; by bubblewrap alone, without its proxy and filter" : "");
}

/* As the hook's command would be run there. */
static void show_cell_in_sandbox(const struct measured *m)
{
	static const struct argv nothing = { { "true" }, 1 };
	struct argv all = { .n = 0 };

	if (!m->starts[SANDBOX] || m->way[SANDBOX].n == 0)
		return;
	add_all(&all, &m->way[SANDBOX]);
	add_all(&all, &m->way[CELL]);
	(void)printf("  a cell inside that one       %s\n",
		     run_in(&all, &nothing, -1) == 0 ? "starts: both stand, one in the other"
						     : "does not start: with the hook, turn it off (--sandbox off)");
}

int setup_measure(enum setup_client c, const struct setup_words *words, struct err *e)
{
	static struct measured m;
	char here[PATH_MAX];
	int r;

	m = (struct measured){ .call_fd = -1 };
	if (getcwd(here, sizeof here) == NULL || readlink("/proc/self/exe", m.own, sizeof m.own - 1) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot find out where this is");
	r = make_call(&m.call_fd, c, e);
	if (r < 0)
		return r;
	find_ways(&m, c, words, here);
	if (cli_flush() != 0)
		return err_set(e, AMBIT_SYSTEM, NULL, "nobody reads what is measured");
	for (enum way w = 0; w < WAYS; w++)
		m.starts[w] = w != SANDBOX || m.way[w].n > 0;
	for (int round = -1; round < ROUNDS; round++) /* once for nothing: files come into memory */
		for (enum way w = 0; w < WAYS; w++)
			if (m.starts[w])
				time_way(&m, w, round < 0 ? 0 : round);
	(void)printf("measured: `true` by a shell, the median of %d in turns, and what is not as outside\n", ROUNDS);
	(void)printf("  as it is           %7.1f ms", median(&m, BARE));
	show_layers(&m, BARE, "");
	show_sandbox(&m, c);
	show_cell_in_sandbox(&m);
	if (m.starts[HOOK] && m.starts[CELL]) {
		(void)printf("  with the hook      %7.1f ms, %.1f of it the hook", median(&m, HOOK) + median(&m, CELL),
			     median(&m, HOOK));
		show_layers(&m, CELL, "; Landlock, limits, and a record of each");
	} else {
		(void)printf(
			"  with the hook                it does not start here: `ambit doctor`, `ambit run %s -- true`\n",
			words->n == 0 ? "--preset agent" : "...");
	}
	fd_close(&m.call_fd);
	return 0;
}
