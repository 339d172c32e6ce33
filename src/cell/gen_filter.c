/* gen_filter ARCH [sanitized] - writes the filters of one architecture as C, on standard output. A build tool.
 *
 * Names become numbers by libseccomp, which knows both architectures. The programs are laid out here and not by
 * libseccomp, for three reasons: it cannot say "these arguments pass, all others get this error" (all others get the
 * default action); it does not join neighbouring numbers with one answer, so that its program for this table, without
 * any check of arguments, has 497 instructions and takes 107 us to install, and ours, with all of them, 350 and 79
 * (Linux 6.18; the kernel compiles a program and walks it once for each number); and numbers that it does not know
 * cannot be given for an architecture that is not the machine's.
 *
 * A program: the architecture must be ours, then a binary search over ranges of numbers whose leaves return, or jump
 * to one of the checks of arguments that stand behind the search. Up to four single numbers that answer otherwise stay
 * inside a range and are looked at one by one. x32 numbers (0x40000000 and up) are a range like any other. */
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/falloc.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <seccomp.h>

#include "cell/filter.h"

#define NUMBERS 1024        /* system calls are numbered far below */
#define X32_BIT 0x40000000u /* the kernel's __X32_SYSCALL_BIT */
#define TESTS_MAX 4         /* of one rule */
#define ODD_MAX 4           /* exceptions of one range, looked at one after the other */
#define FAR_RANGES 20       /* so many ranges may be more than the 255 instructions of a conditional jump */

static _Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("gen_filter: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

/* The checks of arguments.def. */

enum check {
#define CHECK_BEGIN(name) CHECK_##name,
#define WHEN(...)
#define OTHERWISE(action)
#include "cell/arguments.def"
#undef CHECK_BEGIN
#undef WHEN
#undef OTHERWISE
	CHECK_COUNT
};

struct test {
	uint32_t arg;  /* with UPPER_HALF: its upper 32 bits */
	uint32_t mask; /* 0 ends the list: a test of nothing would be no test */
	uint32_t value;
};

#define UPPER_HALF 8u /* there are six arguments */

enum { PASS = 0, SANE = -1, DONE = -2 }; /* an action: these, or an error number. DONE: says 0 and does nothing */

struct rule {
	enum { BEGIN, WHEN, OTHERWISE } kind;
	int action; /* BEGIN: which check */
	struct test tests[TESTS_MAX + 1];
};

static const struct rule rules[] = {
/* clang-format off */
#define IS(arg, value) { (arg), 0xffffffff, (uint32_t)(value) }
#define IS_NULL(arg) { (arg), 0xffffffff, 0 }, { (arg) | UPPER_HALF, 0xffffffff, 0 }
#define BITS(arg, mask, value) { (arg), (uint32_t)(mask), (uint32_t)(value) }
#define CHECK_BEGIN(name) { BEGIN, CHECK_##name, { { 0 } } },
#define WHEN(action, ...) { WHEN, action, { __VA_ARGS__ } },
#define OTHERWISE(action) { OTHERWISE, action, { { 0 } } },
/* clang-format on */
#include "cell/arguments.def"
#undef CHECK_BEGIN
#undef WHEN
#undef OTHERWISE
};

/* The rows of syscalls.def. */

struct answer {
	enum {
		ABSENT,
		ALLOW,
		DENY,
		SEEN,
		EXEC,
		JIT,
		ONLY_SANE,
		CHECKED,
		SEEN_CHECKED,
		NO_JIT,
		READS,
		GIVEN,
		KEEPS,
		TALKS,
		HEARS,
		SENDS,
		NETS,
		RELAYS,
		RELAYS_IF,
		RELAYS_OR,
		DIALS,
		KNOWS,
		WATCHES,
		FILES
	} kind;
	enum check check;
	enum check keeper, dialer; /* FILES, NETS: of the shapes that keep and dial */
	enum check speaker;        /* RELAYS_OR: of the one that speaks */
};

enum column { WORKLOAD, WARDEN, ROLE, STACKED_WX, STACKED_SOCKETS, COLUMNS };

struct row {
	const char *name;
	int number; /* -1: by name */
	struct answer answer[COLUMNS];
};

/* clang-format off */
#define A_ABSENT { .kind = ABSENT }
#define A_ALLOW { .kind = ALLOW }
#define A_DENY { .kind = DENY }
#define A_SEEN { .kind = SEEN }
#define A_EXEC { .kind = EXEC }
#define A_SANE { .kind = ONLY_SANE }
#define A_READS { .kind = READS }
#define A_GIVEN { .kind = GIVEN }
#define A_HEARS { .kind = HEARS }
#define A_KEEPS { .kind = KEEPS }
#define A_TALKS { .kind = TALKS }
#define A_SENDS { .kind = SENDS }
#define A_NETS(name, dials) { .kind = NETS, .check = CHECK_##name, .dialer = CHECK_##dials }
#define A_RELAYS { .kind = RELAYS }
#define A_RELAYS_IF(name) { .kind = RELAYS_IF, .check = CHECK_##name }
#define A_RELAYS_OR(name, speaks) { .kind = RELAYS_OR, .check = CHECK_##name, .speaker = CHECK_##speaks }
#define A_DIALS(name) { .kind = DIALS, .check = CHECK_##name }
#define A_KNOWS { .kind = KNOWS }
#define A_WATCHES(name) { .kind = WATCHES, .check = CHECK_##name }
#define A_FILES(reads, keeps, dials) { .kind = FILES, .check = CHECK_##reads, .keeper = CHECK_##keeps, .dialer = CHECK_##dials }
#define A_CHECK(name) { .kind = CHECKED, .check = CHECK_##name }
#define A_SEEN_IF(name) { .kind = SEEN_CHECKED, .check = CHECK_##name }
#define A_JIT(name) { .kind = JIT, .check = CHECK_##name }
#define A_NO_JIT(name) { .kind = NO_JIT, .check = CHECK_##name }
/* clang-format on */

static const struct row calls[] = {
#define NEW(number, name, workload, warden, role, why)                                                                 \
	{ #name, number, { [WORKLOAD] = A_##workload, [WARDEN] = A_##warden, [ROLE] = A_##role } },
#define CALL(name, workload, warden, role, why) NEW(-1, name, workload, warden, role, why)
#define STACKED(filter, name, check)
#define RESOLVES(name, answer, why)
#include "cell/syscalls.def"
#undef CALL
#undef NEW
#undef STACKED
#undef RESOLVES
};

static const struct row stacked_calls[] = {
#define NEW(number, name, workload, warden, role, why)
#define CALL(name, workload, warden, role, why)
#define RESOLVES(name, answer, why)
#define STACKED(filter, name, check) { #name, -1, { [STACKED_##filter] = A_CHECK(check) } },
#include "cell/syscalls.def"
#undef CALL
#undef NEW
#undef STACKED
#undef RESOLVES
};

static const struct row resolver_calls[] = {
#define NEW(number, name, workload, warden, role, why)
#define CALL(name, workload, warden, role, why)
#define STACKED(filter, name, check)
#define RESOLVES(name, answer, why) { #name, -1, { [ROLE] = A_##answer } },
#include "cell/syscalls.def"
#undef CALL
#undef NEW
#undef STACKED
#undef RESOLVES
};

static const struct shape {
	const char *name;
	enum column column;
	bool exec_notified, all_notified, jit, reads, keeps, relays, speaks, dials, resolves, forks, watches;
} shapes[FILTER_COUNT] = {
	[FILTER_WORKLOAD_OFF] = { .name = "workload_off", .column = WORKLOAD },
	[FILTER_WORKLOAD_EFFECTS] = { .name = "workload_effects", .column = WORKLOAD, .exec_notified = true },
	[FILTER_WORKLOAD_FULL] = { .name = "workload_full",
				   .column = WORKLOAD,
				   .exec_notified = true,
				   .all_notified = true },
	[FILTER_WORKLOAD_OFF_JIT] = { .name = "workload_off_jit", .column = WORKLOAD, .jit = true },
	[FILTER_WORKLOAD_EFFECTS_JIT] = { .name = "workload_effects_jit",
					  .column = WORKLOAD,
					  .exec_notified = true,
					  .jit = true },
	[FILTER_WORKLOAD_FULL_JIT] = { .name = "workload_full_jit",
				       .column = WORKLOAD,
				       .exec_notified = true,
				       .all_notified = true,
				       .jit = true },
	[FILTER_WX] = { .name = "wx", .column = STACKED_WX },
	[FILTER_SOCKETS] = { .name = "sockets", .column = STACKED_SOCKETS },
	[FILTER_WARDEN] = { .name = "warden", .column = WARDEN },
	[FILTER_ROLE] = { .name = "role", .column = ROLE },
	[FILTER_READER] = { .name = "reader", .column = ROLE, .reads = true },
	[FILTER_KEEPER] = { .name = "keeper", .column = ROLE, .reads = true, .keeps = true },
	[FILTER_RELAY] = { .name = "relay", .column = ROLE, .relays = true },
	[FILTER_SPEAKER] = { .name = "speaker", .column = ROLE, .speaks = true },
	[FILTER_DIALER] = { .name = "dialer", .column = ROLE, .dials = true },
	[FILTER_RESOLVER] = { .name = "resolver", .column = ROLE, .resolves = true },
	[FILTER_WATCHER] = { .name = "watcher", .column = ROLE, .watches = true },
	[FILTER_TEMPLATE] = { .name = "template", .column = WORKLOAD, .jit = true, .forks = true },
};

static const struct arch {
	const char *name;
	uint32_t audit, scmp;
} archs[] = {
	{ "x86_64", AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64 },
	{ "aarch64", AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64 },
};

/* What the program does with a number: a return value of seccomp, or a check, marked by an action that seccomp lacks. */
#define CHECK_MARK 0x00100000u
#define CHECK_SEEN 0x00008000u /* what the check passes is notified */
#define RET_ERRNO(number) (SECCOMP_RET_ERRNO | (uint32_t)(number))

struct maker {
	const struct arch *arch;
	const struct shape *shape;
	bool sanitized;
	uint32_t what[NUMBERS];
	bool taken[NUMBERS];
	struct range {
		uint32_t from, what;
		size_t n_odd; /* single numbers inside that answer otherwise */
		struct odd {
			uint32_t number, what;
		} odd[ODD_MAX];
	} ranges[NUMBERS + 2];
	size_t n_ranges;
	struct sock_filter code[BPF_MAXINSNS];
	size_t len;
	struct {
		size_t at;
		uint32_t check; /* with CHECK_SEEN */
	} jumps[NUMBERS];       /* leaves that wait for their check to be laid out */
	size_t n_jumps;
	bool pass_notified; /* of the check that is being laid out */
};

static bool is_stacked(const struct maker *m)
{
	return m->shape->column >= STACKED_WX;
}

static uint32_t default_of(const struct maker *m)
{
	return is_stacked(m) ? SECCOMP_RET_ALLOW : RET_ERRNO(ENOSYS);
}

static uint32_t notified_if(bool notified)
{
	return notified ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW;
}

static uint32_t allowed_if(bool allowed)
{
	return allowed ? SECCOMP_RET_ALLOW : RET_ERRNO(ENOSYS);
}

static uint32_t what_of(const struct maker *m, const struct answer *a)
{
	switch (a->kind) {
	case ABSENT: return RET_ERRNO(ENOSYS);
	case ALLOW: return SECCOMP_RET_ALLOW;
	case DENY: return RET_ERRNO(EPERM);
	case SEEN: return notified_if(m->shape->all_notified);
	case EXEC: return notified_if(m->shape->exec_notified);
	case JIT: return m->shape->jit ? CHECK_MARK | a->check : RET_ERRNO(ENOSYS);
	case ONLY_SANE: return allowed_if(m->sanitized);
	case CHECKED: return CHECK_MARK | a->check;
	case SEEN_CHECKED: return CHECK_MARK | a->check | (m->shape->all_notified ? CHECK_SEEN : 0);
	case READS: return allowed_if(m->shape->reads || m->sanitized);
	case GIVEN: return allowed_if(m->shape->reads || m->shape->speaks || m->sanitized);
	case KEEPS: return allowed_if(m->shape->keeps);
	case TALKS: return allowed_if(m->shape->keeps || m->shape->relays || m->shape->dials || m->shape->watches);
	case HEARS:
		return allowed_if(m->shape->keeps || m->shape->relays || m->shape->dials || m->shape->speaks ||
				  m->shape->watches);
	case SENDS: return allowed_if(m->shape->keeps || m->shape->dials || m->shape->watches);
	case NETS:
		if (!m->shape->relays && !m->shape->dials)
			return RET_ERRNO(ENOSYS);
		return CHECK_MARK | (m->shape->dials ? a->dialer : a->check);
	case RELAYS: return allowed_if(m->shape->relays || m->sanitized);
	case RELAYS_IF: return m->shape->relays && !m->sanitized ? CHECK_MARK | a->check : allowed_if(m->sanitized);
	case RELAYS_OR:
		if (m->sanitized || (!m->shape->relays && !m->shape->speaks))
			return allowed_if(m->sanitized);
		return CHECK_MARK | (m->shape->relays ? a->check : a->speaker);
	case DIALS: return m->shape->dials ? CHECK_MARK | a->check : RET_ERRNO(ENOSYS);
	case KNOWS: return allowed_if(m->shape->dials || m->shape->watches);
	case WATCHES: return m->shape->watches ? CHECK_MARK | a->check : RET_ERRNO(ENOSYS);
	case FILES:
		if (m->shape->dials && !m->sanitized)
			return CHECK_MARK | a->dialer;
		return m->shape->reads ? CHECK_MARK | (m->shape->keeps ? a->keeper : a->check)
				       : allowed_if(m->sanitized);
	case NO_JIT: return m->shape->jit ? SECCOMP_RET_ALLOW : CHECK_MARK | a->check;
	}
	abort();
}

/* The number of a row, or -1 if this architecture has no such call. */
static int number_of(const struct maker *m, const struct row *row)
{
	const int number = row->number >= 0 ? row->number : seccomp_syscall_resolve_name_arch(m->arch->scmp, row->name);

	if (number == __NR_SCMP_ERROR)
		die("libseccomp does not know '%s': is it spelt well, or NEW?", row->name);
	if (number >= NUMBERS)
		die("'%s' has the number %d, over the table", row->name, number);
	return number < 0 ? -1 : number;
}

/* What an interpreter of which copies are made does besides: a copy enters its cell, and puts up what is its own of the wall there. It is stacked on top of this. */
static bool is_for_copies(const char *name)
{
	static const char *const names[] = { "setns", "seccomp", "prctl", "keyctl", "prlimit64", "setrlimit" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void clear_rows(struct maker *m)
{
	for (size_t i = 0; i < NUMBERS; i++)
		m->what[i] = default_of(m);
}

/* In place of what was there. */
static void place_rows(struct maker *m, const struct row *rows, size_t n_rows)
{
	for (size_t i = 0; i < NUMBERS; i++)
		m->taken[i] = false;
	for (size_t i = 0; i < n_rows; i++) {
		const int number = number_of(m, &rows[i]);
		const struct answer *answer = &rows[i].answer[m->shape->column];

		if (number < 0 || (is_stacked(m) && answer->kind == ABSENT)) /* another one's row */
			continue;
		if (m->taken[number])
			die("'%s': number %d is there twice", rows[i].name, number);
		m->taken[number] = true;
		m->what[number] = m->shape->forks && is_for_copies(rows[i].name) ? SECCOMP_RET_ALLOW
										 : what_of(m, answer);
	}
}

static void add_range(struct maker *m, uint32_t from, uint32_t what)
{
	if (m->n_ranges == 0 || m->ranges[m->n_ranges - 1].what != what)
		m->ranges[m->n_ranges++] = (struct range){ .from = from, .what = what };
}

/* Takes a number into the last range as an exception: if its neighbours are of that range, and there is room. */
static bool add_odd(struct maker *m, uint32_t number)
{
	struct range *r = &m->ranges[m->n_ranges - 1];

	if (r->n_odd == ODD_MAX || m->what[number] == r->what || m->what[number - 1] != r->what ||
	    m->what[number + 1] != r->what)
		return false;
	r->odd[r->n_odd++] = (struct odd){ number, m->what[number] };
	return true;
}

static void join_ranges(struct maker *m)
{
	m->n_ranges = 0;
	for (uint32_t i = 0; i < NUMBERS; i++)
		if (i == 0 || i == NUMBERS - 1 || !add_odd(m, i))
			add_range(m, i, m->what[i]);
	add_range(m, NUMBERS, default_of(m));
	add_range(m, X32_BIT, RET_ERRNO(ENOSYS));
}

static size_t emit(struct maker *m, int code, uint32_t k)
{
	if (m->len == BPF_MAXINSNS)
		die("%s: over %d instructions", m->shape->name, BPF_MAXINSNS);
	m->code[m->len] = (struct sock_filter){ (uint16_t)code, 0, 0, k };
	return m->len++;
}

static size_t emit_ret(struct maker *m, uint32_t value)
{
	return emit(m, BPF_RET | BPF_K, value);
}

/* The distance from the instruction behind `at` to the next one that will be written. */
static uint32_t distance(const struct maker *m, size_t at)
{
	return (uint32_t)(m->len - at - 1);
}

static uint8_t short_distance(const struct maker *m, size_t at)
{
	const uint32_t d = distance(m, at);

	if (d > UINT8_MAX)
		die("%s: a jump over %u instructions", m->shape->name, d);
	return (uint8_t)d;
}

static void emit_leaf(struct maker *m, uint32_t what)
{
	if ((what & SECCOMP_RET_ACTION_FULL) != CHECK_MARK) {
		emit_ret(m, what);
		return;
	}
	m->jumps[m->n_jumps].check = what & SECCOMP_RET_DATA;
	m->jumps[m->n_jumps++].at = emit(m, BPF_JMP | BPF_JA, 0);
}

static void emit_range(struct maker *m, const struct range *r)
{
	for (const struct odd *o = r->odd; o < r->odd + r->n_odd; o++) {
		m->code[emit(m, BPF_JMP | BPF_JEQ | BPF_K, o->number)].jf = 1;
		emit_leaf(m, o->what);
	}
	emit_leaf(m, r->what);
}

/* The search over ranges [from, to): the accumulator holds the number. */
static void emit_search(struct maker *m, size_t from, size_t to)
{
	const size_t middle = from + (to - from) / 2;
	size_t up, far;

	if (to - from == 1) {
		emit_range(m, &m->ranges[from]);
		return;
	}
	up = emit(m, BPF_JMP | BPF_JGE | BPF_K, m->ranges[middle].from);
	if (middle - from > FAR_RANGES) {
		m->code[up].jf = 1;
		far = emit(m, BPF_JMP | BPF_JA, 0);
		emit_search(m, from, middle);
		m->code[far].k = distance(m, far);
	} else {
		emit_search(m, from, middle);
		m->code[up].jt = short_distance(m, up);
	}
	emit_search(m, middle, to);
}

static uint32_t action_of(const struct maker *m, int action)
{
	if (action == PASS)
		return notified_if(m->pass_notified);
	if (action == SANE)
		return m->sanitized ? SECCOMP_RET_ALLOW : RET_ERRNO(EPERM);
	return RET_ERRNO(action == DONE ? 0 : action);
}

/* Loads one half of an argument, masked. Little-endian on both architectures: the low half comes first. */
static void emit_load(struct maker *m, const struct test *t)
{
	emit(m, BPF_LD | BPF_W | BPF_ABS,
	     (uint32_t)offsetof(struct seccomp_data, args) + 8 * (t->arg & ~UPPER_HALF) +
		     ((t->arg & UPPER_HALF) != 0 ? 4 : 0));
	if (t->mask != 0xffffffff)
		emit(m, BPF_ALU | BPF_AND | BPF_K, t->mask);
}

static bool is_single(const struct rule *r)
{
	return r->kind == WHEN && r->tests[1].mask == 0;
}

static bool same_load(const struct rule *a, const struct rule *b)
{
	return a->tests[0].arg == b->tests[0].arg && a->tests[0].mask == b->tests[0].mask;
}

/* Rules of one test each, on the same bits of the same argument, with the same action: one return for all of them. */
static const struct rule *emit_alike(struct maker *m, const struct rule *first)
{
	const struct rule *r = first;
	const size_t begin = m->len;

	for (; is_single(r) && same_load(r, first) && r->action == first->action; r++)
		emit(m, BPF_JMP | BPF_JEQ | BPF_K, r->tests[0].value);
	for (size_t i = begin; i < m->len; i++)
		m->code[i].jt = short_distance(m, i);
	m->code[m->len - 1].jf = 1;
	emit_ret(m, action_of(m, first->action));
	return r;
}

/* A rule of several tests: each that fails jumps behind the return. */
static void emit_all_of(struct maker *m, const struct rule *r)
{
	size_t fail[TESTS_MAX];
	size_t n = 0;

	for (const struct test *t = r->tests; t->mask; t++) {
		emit_load(m, t);
		fail[n++] = emit(m, BPF_JMP | BPF_JEQ | BPF_K, t->value);
	}
	emit_ret(m, action_of(m, r->action));
	while (n--)
		m->code[fail[n]].jf = short_distance(m, fail[n]);
}

static void emit_check(struct maker *m, uint32_t check)
{
	const struct rule *r = rules, *loaded = NULL;

	m->pass_notified = (check & CHECK_SEEN) != 0;
	while (!(r->kind == BEGIN && (uint32_t)r->action == (check & ~CHECK_SEEN)))
		r++;
	for (r++; r->kind == WHEN;) {
		if (!is_single(r)) {
			emit_all_of(m, r++);
			loaded = NULL;
			continue;
		}
		if (!loaded || !same_load(r, loaded))
			emit_load(m, &r->tests[0]);
		loaded = r;
		r = emit_alike(m, r);
	}
	emit_ret(m, action_of(m, r->action));
}

/* A check once for all leaves that asked for it: they jump there. */
static void emit_asked(struct maker *m, uint32_t check)
{
	bool there = false;

	for (size_t i = 0; i < m->n_jumps; i++)
		if (m->jumps[i].check == check) {
			m->code[m->jumps[i].at].k = distance(m, m->jumps[i].at);
			there = true;
		}
	if (there)
		emit_check(m, check);
}

static void emit_checks(struct maker *m)
{
	for (uint32_t c = 0; c < CHECK_COUNT; c++) {
		emit_asked(m, c);
		emit_asked(m, c | CHECK_SEEN);
	}
}

static void make(struct maker *m)
{
	size_t arch;

	clear_rows(m);
	if (is_stacked(m))
		place_rows(m, stacked_calls, sizeof stacked_calls / sizeof stacked_calls[0]);
	else
		place_rows(m, calls, sizeof calls / sizeof calls[0]);
	if (m->shape->resolves)
		place_rows(m, resolver_calls, sizeof resolver_calls / sizeof resolver_calls[0]);
	join_ranges(m);
	m->len = 0;
	m->n_jumps = 0;
	emit(m, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	arch = emit(m, BPF_JMP | BPF_JEQ | BPF_K, m->arch->audit);
	m->code[arch].jt = 1;
	emit_ret(m, RET_ERRNO(ENOSYS));
	emit(m, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	emit_search(m, 0, m->n_ranges);
	emit_checks(m);
}

static void print_program(const struct maker *m)
{
	(void)printf("\nstatic const struct sock_filter %s[] = {\n", m->shape->name);
	for (size_t i = 0; i < m->len; i++)
		(void)printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", m->code[i].code, m->code[i].jt, m->code[i].jf,
			     m->code[i].k);
	(void)printf("};\n");
}

static void print_table(const struct arch *arch)
{
	(void)printf("\nconst struct filter_table filter_table_%s[FILTER_COUNT] = {\n", arch->name);
	for (size_t i = 0; i < FILTER_COUNT; i++)
		(void)printf("\t{ %s, sizeof %s / sizeof %s[0] },\n", shapes[i].name, shapes[i].name, shapes[i].name);
	(void)printf("};\n");
}

static const struct arch *find_arch(const char *name)
{
	for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++)
		if (strcmp(archs[i].name, name) == 0)
			return &archs[i];
	die("no architecture '%s'", name);
}

int main(int argc, char **argv)
{
	static struct maker m;

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "sanitized") != 0))
		die("usage: gen_filter ARCH [sanitized]");
	m.arch = find_arch(argv[1]);
	m.sanitized = argc == 3;
	(void)printf("/* Made by gen_filter for %s from syscalls.def and arguments.def. */\n", m.arch->name);
	(void)printf("#include \"cell/filter_table.h\"\n");
	for (size_t i = 0; i < FILTER_COUNT; i++) {
		m.shape = &shapes[i];
		make(&m);
		print_program(&m);
	}
	print_table(m.arch);
	if (fflush(stdout) != 0 || ferror(stdout))
		die("cannot write");
	return 0;
}
