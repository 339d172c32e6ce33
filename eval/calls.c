/* What the profile of tool calls is worth on recorded runs (profile/events_eval.h): what `ambit profile eval --events` does in a cell, with more to turn.
 *
 * usage: calls [--json] [--alpha A] [--bits B] [--support N] [--seed N] [--without ATTACK|SUITE/GOAL]... [--train FILE] FILE     (JSON lines; - is standard input) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/num.h"
#include "profile/events_eval.h"

#define FILE_MAX ((size_t)1 << 30)

/* Not secret: what is measured is to be the same again. */
static const uint8_t KEY[CALL_KEY_SIZE] = "calls of runs";

static int read_file(const char *path, struct buf *ret)
{
	const bool is_in = strcmp(path, "-") == 0;
	auto_fd int opened = is_in ? -1 : fd_open_to_read(path);

	buf_init(ret, FILE_MAX);
	if ((!is_in && opened < 0) || fd_read_into(is_in ? 0 : opened, ret) != 0) {
		(void)fprintf(stderr, "calls: %s cannot be read\n", path);
		return -1;
	}
	return 0;
}

static bool take_real(const char *s, double *ret)
{
	char *end;

	*ret = strtod(s, &end);
	return end != s && *end == 0 && *ret >= 0;
}

static bool take_option(struct events_eval *ev, const char *name, const char *value)
{
	uint32_t n;

	if (strcmp(name, "--alpha") == 0)
		return take_real(value, &ev->alpha) && ev->alpha < 1;
	if (strcmp(name, "--bits") == 0)
		return take_real(value, &ev->rules.bits);
	if (strcmp(name, "--support") == 0 && parse_u32(value, 1, NOVELTY_SUPPORT_MAX, &n)) {
		ev->rules.support = n;
		return true;
	}
	if (strcmp(name, "--seed") == 0)
		return parse_u32(value, 0, UINT32_MAX, &ev->seed);
	if (strcmp(name, "--without") != 0 || ev->n_without == EVAL_WITHOUT_MAX)
		return false;
	ev->without[ev->n_without++] = value;
	return true;
}

static int take_options(int argc, char **argv, struct events_eval *ev, const char **ret_train)
{
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ev->json = true;
		else if (i + 1 == argc)
			return -1;
		else if (strcmp(argv[i], "--train") == 0)
			*ret_train = argv[++i];
		else if (!take_option(ev, argv[i], argv[i + 1]))
			return -1;
		else
			i++;
	}
	return i + 1 == argc ? i : -1;
}

int main(int argc, char **argv)
{
	struct events_eval ev = { .rules = VERDICT_RULES };
	const char *train = NULL;
	const int at = take_options(argc, argv, &ev, &train);
	auto_buf test = { .data = NULL }, own = { .data = NULL }, out;
	struct err e = { .msg = "" };

	buf_init(&out, FILE_MAX);
	if (at < 0) {
		(void)fprintf(
			stderr,
			"usage: calls [--json] [--alpha A] [--bits B] [--support N] [--seed N] [--without ATTACK|SUITE/GOAL]... [--train FILE] FILE\n");
		return 2;
	}
	if (read_file(argv[at], &test) != 0 || (train != NULL && read_file(train, &own) != 0))
		return 2;
	ev.test = span_bytes(test.data, test.len);
	ev.train = train != NULL ? span_bytes(own.len > 0 ? (const void *)own.data : "", own.len) : span_bytes(NULL, 0);
	if (events_eval(&ev, KEY, &out, &e) != 0) {
		(void)fprintf(stderr, "calls: %s: %s\n  hint: %s\n", err_code_name((int)e.code), e.msg, e.hint);
		return 1;
	}
	return fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : 1;
}
