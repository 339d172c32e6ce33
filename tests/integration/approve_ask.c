/* What a program of the person's has of libambit's approvals, for approve_keys.py: signs a statement, and says which key signed one.
 *
 * usage: approve_ask sign NAME [PASSWORD_FD]    statement on standard input, signature (binary) on standard output
 *        approve_ask verify SIGNATURE           statement on standard input; the name of the key */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "lib/approve.h"

struct listed {
	uint32_t n;
	struct approve_key keys[APPROVE_KEYS_MAX];
};

static int add(void *arg, const struct approve_key *key)
{
	struct listed *l = arg;

	if (key->kind != 0)
		l->keys[l->n++] = *key;
	return 0;
}

static int take_statement(struct statement *ret, struct err *e)
{
	char text[STATEMENT_MAX + 1];
	const ssize_t n = fd_read_all(STDIN_FILENO, text, sizeof text);

	return n < 0 ? -AMBIT_SYSTEM : statement_take(span_bytes(text, (size_t)n), ret, e);
}

static int sign(char **argv, struct err *e)
{
	struct approve_signature made;
	struct statement s;
	int r = take_statement(&s, e);

	r = r < 0 ? r : approve_sign(&s, argv[2], argv[3] == NULL ? -1 : atoi(argv[3]), &made, e);
	return r < 0 ? r : fd_write_all(STDOUT_FILENO, made.bytes, made.n);
}

static int verify(char **argv, struct err *e)
{
	static struct listed listed;
	struct approve_signature made;
	struct statement s;
	auto_fd int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd_read_all(fd, made.bytes, sizeof made.bytes);
	uint32_t which = 0;
	int r = take_statement(&s, e);

	made.n = n < 0 ? 0 : (uint32_t)n;
	r = r < 0 ? r : approve_keys(add, &listed, e);
	r = r < 0 ? r : approve_verify(&s, &made, listed.keys, listed.n, &which, e);
	if (r == 0)
		(void)printf("%s\n", listed.keys[which].name);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = { .code = AMBIT_OK };
	int r;

	if (argc < 3)
		return 2;
	r = strcmp(argv[1], "sign") == 0 ? sign(argv, &e) : verify(argv, &e);
	if (r < 0)
		(void)fprintf(stderr, "%s: %s; %s\n", err_code_name((int)e.code), e.msg, e.why);
	return r < 0;
}
