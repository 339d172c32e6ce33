#include "bpf_eval.h"

#include <string.h>

static bool load(const struct seccomp_data *data, uint32_t offset, uint32_t *ret)
{
	if (offset % 4 != 0 || offset > sizeof *data - 4)
		return false;
	memcpy(ret, (const uint8_t *)data + offset, sizeof *ret);
	return true;
}

/* How far a conditional jump goes, or false if the instruction is none. */
static bool branch(const struct sock_filter *i, uint32_t a, size_t *ret_skip)
{
	bool taken;

	switch (i->code) {
	case BPF_JMP | BPF_JEQ | BPF_K: taken = a == i->k; break;
	case BPF_JMP | BPF_JGE | BPF_K: taken = a >= i->k; break;
	case BPF_JMP | BPF_JGT | BPF_K: taken = a > i->k; break;
	case BPF_JMP | BPF_JSET | BPF_K: taken = (a & i->k) != 0; break;
	case BPF_JMP | BPF_JA: *ret_skip = i->k; return true;
	default: return false;
	}
	*ret_skip = taken ? i->jt : i->jf;
	return true;
}

struct bpf_result bpf_eval(const struct sock_filter *program, size_t len, const struct seccomp_data *data)
{
	struct bpf_result r = { .broken = false, .constant = true };
	uint32_t a = 0;
	size_t skip;

	for (size_t at = 0; at < len; at++) {
		const struct sock_filter *i = &program[at];

		r.steps++;
		if (i->code == (BPF_RET | BPF_K)) {
			r.value = i->k;
			return r;
		}
		if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (!load(data, i->k, &a))
				break;
			if (i->k != offsetof(struct seccomp_data, nr) && i->k != offsetof(struct seccomp_data, arch))
				r.constant = false;
		} else if (i->code == (BPF_ALU | BPF_AND | BPF_K)) {
			a &= i->k;
		} else if (branch(i, a, &skip)) {
			if (skip >= len - at - 1)
				break;
			at += skip;
		} else {
			break;
		}
	}
	r.broken = true;
	return r;
}
