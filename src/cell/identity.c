/* Who the processes of a cell are: no capabilities, none to be had, no keyring but an empty one. */
#include "cell/build.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/kernel.h"

/* A session keyring of the cell's own. Refusing keyctl alone would leave the inherited one in use by the kernel itself
 * (request_key on behalf of file systems). A kernel without keyrings has nothing to leave behind. */
int identity_keyring(struct cell_made *made, struct cell_failure *f)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 && errno != ENOSYS)
		return build_failed(f, STEP_KEYRING, errno);
	made->achieved |= MECHANISM_BIT(MECHANISM_SESSION_KEYRING);
	return 0;
}

static int set_caps(uint64_t effective_and_permitted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const uint32_t low = (uint32_t)(effective_and_permitted & UINT32_MAX);
	const struct __user_cap_data_struct data[2] = { { .effective = low, .permitted = low } };

	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

/* Dropping the bounding set ends at the first number that the kernel does not know. */
static int empty_bounding_set(void)
{
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -errno;
	return 0;
}

#define SECUREBITS                                                                                                     \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |               \
	 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_KEEP_CAPS_LOCKED)

static int no_way_back(void)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
		return -errno;
	return empty_bounding_set();
}

/* What the workload's branches taught the processor is no use against others, where the processor can keep it apart for a
 * task. Store bypass is left as the host has it: it can only be read around
 * within one address space, the program's own, and its control makes programs slower by a sixth (doc/ARCHITECTURE.md). */
static void restrict_speculation(void)
{
	const int can = prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, 0, 0, 0);

	if (can > 0 && ((unsigned)can & PR_SPEC_PRCTL) != 0)
		(void)prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_FORCE_DISABLE, 0, 0);
}

int identity_drop_workload(struct cell_failure *f)
{
	const int r = set_caps(0);

	if (r < 0)
		return build_failed(f, STEP_CAPS, -r);
	restrict_speculation();
	(void)prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0); /* off is the default; a kernel before 6.4 has no such thing */
	return 0;
}

/* The warden keeps one capability, in the cell's user namespace only: to read the arguments of a workload that has made
 * itself non-dumpable. It does so after the workload's process exists, which has dropped everything on its own side. */
int identity_drop_warden(struct cell_failure *f)
{
	const int r = set_caps(UINT64_C(1) << CAP_SYS_PTRACE);

	return r < 0 ? build_failed(f, STEP_CAPS, -r) : 0;
}

int identity_prepare(struct cell_made *made, struct cell_failure *f)
{
	const int r = no_way_back();

	if (r < 0)
		return build_failed(f, STEP_CAPS, -r);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return build_failed(f, STEP_CAPS, errno);
	made->achieved |= MECHANISM_BIT(MECHANISM_NO_NEW_PRIVS) | MECHANISM_BIT(MECHANISM_NO_CAPS);
	return 0;
}
