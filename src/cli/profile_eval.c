/* ambit profile eval: how well profiles that are learned from a person's own data tell attacks. Nothing of the texts is read here: ambit-profile does, in a parser's cell. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/profile.h"
#include "lib/parser.h"
#include "lib/public.h"
#include "profile/link.h"

#define HELP "ambit profile --help"
#define ROLE "ambit-profile"
#define PATIENCE_MS UINT64_C(1800000)
#define MEMORY (UINT64_C(4) << 30)

static const char *const options[] = { "train", "calibrate", "test",    "alpha", "stream",
				       "roc",   "events",    "without", "json",  "help" };

#define WITHOUT_MAX 4096 /* bytes of all */

enum text { TRAIN, CALIBRATE, TEST, TEXTS };

struct words {
	const char *files[TEXTS], *roc;
	struct order order;
	struct buf without; /* each with its NUL */
	bool alphas, json, help;
};

/* ---- words ---- */

static int take_alpha(const char *word, double *ret, struct ambit_error *e)
{
	char *end;
	double rate;

	errno = 0;
	rate = strtod(word, &end);
	if (end != word && *end == '%') {
		rate /= 100;
		end++;
	}
	if (end == word || (*end != 0 && *end != ',') || errno != 0 || !(rate > 0 && rate < 1))
		return cli_misused(e, HELP, "--alpha '%s' is no rate between 0 and 1", word);
	*ret = rate;
	return 0;
}

static int take_alphas(struct order *o, const char *list, struct ambit_error *e)
{
	int r = 0;

	o->n_alphas = 0;
	for (const char *at = list; r == 0 && at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
		if (o->n_alphas == ORDER_ALPHAS_MAX)
			return cli_misused(e, HELP, "--alpha takes %d rates at most", ORDER_ALPHAS_MAX);
		r = take_alpha(at, &o->alphas[o->n_alphas++], e);
	}
	return r;
}

static int take_word(char ***at, struct words *w, struct ambit_error *e)
{
	static const char *const names[TEXTS] = { "--train", "--calibrate", "--test" };
	const char *word = **at, *value;
	int r = 0;

	for (size_t i = 0; i < TEXTS; i++) {
		value = cli_argument(at, HELP, names[i], &r, e);
		if (value != NULL && r == 0 && w->files[i] != NULL)
			return cli_misused(e, HELP, "%s is there twice", names[i]);
		if (value != NULL) {
			w->files[i] = value;
			return r;
		}
	}
	value = cli_argument(at, HELP, "--alpha", &r, e);
	if (value != NULL) {
		w->alphas = true;
		return r < 0 ? r : take_alphas(&w->order, value, e);
	}
	value = cli_argument(at, HELP, "--without", &r, e);
	if (value != NULL) {
		buf_put(&w->without, value, strlen(value) + 1);
		return r < 0 || !w->without.failed ? r : cli_misused(e, HELP, "--without is there too often");
	}
	value = cli_argument(at, HELP, "--roc", &r, e);
	if (value != NULL) {
		w->roc = value;
		return r;
	}
	if (strcmp(word, "--stream") == 0)
		w->order.flags |= ORDER_STREAMS;
	else if (strcmp(word, "--events") == 0)
		w->order.flags |= ORDER_EVENTS;
	else if (cli_is_help(word))
		w->help = true;
	else if (word[0] == '-')
		return cli_misused_option(e, HELP, word, options, sizeof options / sizeof options[0]);
	else if ((w->order.flags & ORDER_EVENTS) != 0 && w->files[TEST] == NULL)
		w->files[TEST] = word;
	else
		return cli_misused(e, HELP, "eval takes no '%s'", word);
	return 0;
}

/* Recorded runs of tools: one file is enough, and there is nothing to draw. */
static int check_events(struct words *w, struct ambit_error *e)
{
	if (w->files[TEST] == NULL)
		return cli_misused(e, HELP, "eval --events needs --test");
	if (w->files[CALIBRATE] != NULL || w->roc != NULL || (w->order.flags & ORDER_STREAMS) != 0)
		return cli_misused(e, HELP, "eval --events takes no --calibrate, --roc or --stream");
	if (w->alphas && w->order.n_alphas > 1)
		return cli_misused(e, HELP, "--alpha takes one rate with --events");
	if (!w->alphas)
		w->order.n_alphas = 0;
	w->order.flags |= (w->json ? ORDER_JSON : 0u) | (w->files[TRAIN] != NULL ? ORDER_TAUGHT : 0u);
	return 0;
}

/* w->json is right in any case, for who tells of the mistake. */
static int read_words(char **argv, struct words *w, struct ambit_error *e)
{
	static const double usual[] = { 0.001, 0.01, 0.05, 0.1 };
	int r = 0;

	*w = (struct words){ .order.n_alphas = sizeof usual / sizeof usual[0], .without.max = WITHOUT_MAX };
	memcpy(w->order.alphas, usual, sizeof usual);
	for (; *argv != NULL; argv++)
		if (strcmp(*argv, "--json") == 0)
			w->json = true;
		else if (r == 0)
			r = take_word(&argv, w, e);
	if (r < 0 || w->help)
		return r;
	if ((w->order.flags & ORDER_EVENTS) != 0)
		return check_events(w, e);
	if (w->without.len > 0)
		return cli_misused(e, HELP, "--without is for --events");
	if (w->files[TRAIN] == NULL || w->files[TEST] == NULL)
		return cli_misused(e, HELP, "eval needs --train and --test");
	w->order.flags |= (w->json ? ORDER_JSON : 0u) | (w->roc != NULL ? ORDER_DRAWS : 0u) |
			  (w->files[CALIBRATE] != NULL ? ORDER_CALIBRATES : 0u);
	return 0;
}

/* ---- texts, behind each other in one file of memory ---- */

static int no_text(struct err *e, const char *path)
{
	return err_sys(e, errno == ENOENT ? AMBIT_NOT_FOUND : AMBIT_SYSTEM, errno, NULL, "cannot read %s", path);
}

/* What can be copied without being read is. */
static int copy(int to, int from, const char *path, uint64_t *ret, struct err *e)
{
	char room[1 << 16];
	ssize_t n;

	for (*ret = 0;;) {
		n = read(from, room, sizeof room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? no_text(e, path) : 0;
		*ret += (uint64_t)n;
		if (*ret > ORDER_TEXT_MAX)
			return err_set(e, AMBIT_LIMIT, "a part of it says as much", "%s is longer than 1 GiB", path);
		if (fd_write_all(to, room, (size_t)n) < 0)
			return err_sys(e, AMBIT_MEMORY, errno, NULL, "no memory for %s", path);
	}
}

static int add_text(int to, const char *path, uint64_t *ret, struct err *e)
{
	auto_fd int opened = -1;
	int fd = STDIN_FILENO;

	if (path == NULL)
		return 0;
	if (strcmp(path, "-") != 0) {
		opened = fd = open(path, O_RDONLY | O_CLOEXEC);
		if (opened < 0)
			return no_text(e, path);
	}
	return copy(to, fd, path, ret, e);
}

static int make_input(struct words *w, int *ret_fd, struct err *e)
{
	auto_fd int fd = memfd_create("ambit-eval", MFD_CLOEXEC);
	auto_buf head = { .max = ORDER_BYTES };
	int r = 0;

	if (fd < 0 || lseek(fd, ORDER_BYTES, SEEK_SET) < 0)
		return err_sys(e, AMBIT_MEMORY, errno, NULL, "no memory for the texts");
	if (getrandom(w->order.key, sizeof w->order.key, 0) != sizeof w->order.key)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random numbers");
	r = add_text(fd, w->files[TRAIN], &w->order.train, e);
	r = r < 0 ? r : add_text(fd, w->files[CALIBRATE], &w->order.calibrate, e);
	if (r == 0 && w->without.len > 0) {
		w->order.calibrate = w->without.len;
		if (fd_write_all(fd, w->without.data, w->without.len) < 0)
			r = err_sys(e, AMBIT_MEMORY, errno, NULL, "no memory for the texts");
	}
	r = r < 0 ? r : add_text(fd, w->files[TEST], &w->order.test, e);
	if (r < 0)
		return r;
	order_put(&head, &w->order);
	if (head.failed || pwrite(fd, head.data, head.len, 0) != ORDER_BYTES || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, AMBIT_MEMORY, errno, NULL, "no memory for the texts");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* ---- asking ---- */

static int write_drawing(const char *path, const uint8_t *bytes, size_t n, struct err *e)
{
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_sys(e, errno == EEXIST ? AMBIT_CONFLICT : AMBIT_SYSTEM, errno, "name another file",
			       "cannot write %s", path);
	if (fd_write_all(fd, bytes, n) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot write %s", path);
	return 0;
}

static int evaluate(struct words *w, struct err *e)
{
	const struct parser_ask ask = { .role = ROLE, .memory_bytes = MEMORY, .wall_ms = PATIENCE_MS };
	struct parser_ask with = ask;
	auto_buf answer = { .max = ORDER_ANSWER_MAX + 16 };
	const uint8_t *text, *drawing;
	size_t n, n_drawing;
	auto_fd int fd = -1;
	int status = 0, r = make_input(w, &fd, e);

	with.input_fd = fd;
	r = r < 0 ? r : parser_run(&with, &answer, &status, e);
	r = r < 0 ? r : answer_take(&answer, &text, &n, &drawing, &n_drawing, e);
	if (r == 0 && w->roc != NULL)
		r = write_drawing(w->roc, drawing, n_drawing, e);
	return r < 0 ? r : cli_write(text, n);
}

static int ask(char **argv, struct words *w)
{
	struct ambit_error e = { .size = sizeof e };
	struct err err;
	int r = read_words(argv, w, &e);

	if (r < 0)
		return cli_refuse(w->json, &e);
	if (w->help) {
		(void)fputs(profile_help, stdout);
		return 0;
	}
	r = evaluate(w, &err);
	return r < 0 ? (public_error(&e, r, &err), cli_refuse(w->json, &e)) : r;
}

int profile_eval(char **argv)
{
	struct words w;
	const int r = ask(argv, &w);

	buf_finish(&w.without);
	return r;
}
