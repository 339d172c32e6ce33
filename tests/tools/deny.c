/* deny - a host that lacks something: makes chosen system calls fail with a chosen error, then executes a command.
 *
 *     deny RULE... -- COMMAND [ARGUMENT...]
 *
 * RULE is NAME=ERRNO, or with one condition NAME:ARG=VALUE=ERRNO (argument ARG, from 0, has that value in its low 32 bits)
 * or NAME:ARG&MASK=ERRNO (it has one of these bits). ARG and ERRNO are decimal or names of <errno.h> that stand below;
 * numbers may be hexadecimal.
 *
 *     deny 'clone:0&0x10000000=EPERM' -- ambit run true      no user namespaces
 *     deny landlock_create_ruleset=ENOSYS -- ambit run true  a kernel before 5.13
 *
 * Exit status: the command's; 99 if this program itself fails. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define RULES_MAX 32
#define FAILED 99

struct rule {
	int number; /* of the system call */
	enum { ALWAYS, VALUE, BITS } test;
	unsigned argument;
	unsigned value;
	unsigned error;
};

static const struct {
	const char *name;
	unsigned number;
} errors[] = {
	{ "EPERM", EPERM },   { "EAFNOSUPPORT", EAFNOSUPPORT },
	{ "ENOENT", ENOENT }, { "ENOMEM", ENOMEM },
	{ "EACCES", EACCES }, { "EINVAL", EINVAL },
	{ "EMFILE", EMFILE }, { "ENOSPC", ENOSPC },
	{ "ENOSYS", ENOSYS }, { "EOPNOTSUPP", EOPNOTSUPP },
	{ "EIO", EIO },
};

static int bad(const char *rule, const char *why)
{
	(void)fprintf(stderr, "deny: %s: %s\n", rule, why);
	return -1;
}

static int read_error(const char *text, unsigned *ret)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].name, text) == 0) {
			*ret = errors[i].number;
			return 0;
		}
	return -1;
}

static int read_number(const char *text, unsigned max, unsigned *ret)
{
	char *end;
	const unsigned long v = strtoul(text, &end, 0);

	if (end == text || *end != 0 || v > max)
		return -1;
	*ret = (unsigned)v;
	return 0;
}

/* ARG=VALUE or ARG&MASK; text is cut to pieces. */
static int read_condition(char *text, struct rule *ret)
{
	char *sign = strpbrk(text, "=&");

	if (sign == NULL)
		return -1;
	ret->test = *sign == '=' ? VALUE : BITS;
	*sign = 0;
	return read_number(text, 5, &ret->argument) < 0 ? -1 : read_number(sign + 1, UINT32_MAX, &ret->value);
}

static int read_rule(const char *text, struct rule *ret)
{
	char copy[128];
	char *error, *condition;

	*ret = (struct rule){ .test = ALWAYS };
	if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
		return bad(text, "too long");
	error = strrchr(copy, '=');
	if (error == NULL || read_error(error + 1, &ret->error) < 0)
		return bad(text, "ends in no error that is known here");
	*error = 0;
	condition = strchr(copy, ':');
	if (condition != NULL) {
		*condition = 0;
		if (read_condition(condition + 1, ret) < 0)
			return bad(text, "the condition is ARG=VALUE or ARG&MASK");
	}
	ret->number = seccomp_syscall_resolve_name(copy);
	return ret->number < 0 ? bad(text, "no such system call") : 0;
}

static struct sock_filter statement(unsigned code, unsigned k)
{
	return (struct sock_filter){ .code = (unsigned short)code, .k = k };
}

/* Goes `no` instructions further if the test fails. */
static struct sock_filter jump(unsigned test, unsigned k, unsigned no)
{
	return (struct sock_filter){ .code = (unsigned short)(BPF_JMP | BPF_K | test),
				     .jf = (unsigned char)no,
				     .k = k };
}

/* The number is loaded anew for each rule: a rule is a dozen instructions and there are few. */
static size_t compile(const struct rule *r, struct sock_filter *to)
{
	const unsigned low = (unsigned)offsetof(struct seccomp_data, args) + 8 * r->argument; /* little-endian */
	size_t n = 0;

	to[n++] = statement(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, nr));
	to[n++] = jump(BPF_JEQ, (unsigned)r->number, r->test == ALWAYS ? 1 : 3);
	if (r->test != ALWAYS) {
		to[n++] = statement(BPF_LD | BPF_W | BPF_ABS, low);
		to[n++] = jump(r->test == VALUE ? BPF_JEQ : BPF_JSET, r->value, 1);
	}
	to[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | r->error);
	return n;
}

static int load(const struct rule *rules, size_t n_rules)
{
	struct sock_filter code[RULES_MAX * 5 + 1];
	struct sock_fprog program = { .filter = code };
	size_t n = 0;

	for (size_t i = 0; i < n_rules; i++)
		n += compile(&rules[i], code + n);
	code[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("deny: seccomp");
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct rule rules[RULES_MAX];
	size_t n = 0;
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (n == RULES_MAX || read_rule(argv[i], &rules[n++]) < 0)
			return FAILED;
	if (i + 1 >= argc) {
		(void)fprintf(stderr, "usage: deny NAME[:ARG=VALUE|:ARG&MASK]=ERRNO... -- COMMAND [ARGUMENT...]\n");
		return FAILED;
	}
	if (load(rules, n) < 0)
		return FAILED;
	(void)execvp(argv[i + 1], argv + i + 1);
	perror("deny: exec");
	return FAILED;
}
