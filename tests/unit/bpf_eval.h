/* bpf_eval - runs a classic BPF program of seccomp as the kernel would.
 *
 * Owns:   nothing.
 * Holds:  accepts only the instructions that our programs use; anything else, a jump out of the program, a missing
 *         return or an odd load is `broken`, never a guess.
 * Called: unit tests of the filters. */
#ifndef TESTS_UNIT_BPF_EVAL_H
#define TESTS_UNIT_BPF_EVAL_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_result {
	bool broken;
	bool constant;  /* looked at the number and the architecture only: the kernel caches such an ALLOW */
	uint32_t value; /* SECCOMP_RET_*, with its data */
	size_t steps;
};

struct bpf_result bpf_eval(const struct sock_filter *program, size_t len, const struct seccomp_data *data);

#endif
