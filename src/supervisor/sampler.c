#include "supervisor/sampler.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "supervisor/proctext.h"

#define PROC_ROOT_INODE 1 /* of every procfs, fs/proc/root.c */
#define TEXT_MAX 8192 /* status is below 2 KiB; its group list can make it longer and stands behind nothing we read */
#define NAME_MAX_HERE 48 /* "PID/smaps_rollup" and "PID/fd" */
#define MEMFDS_MAX 4096  /* told apart at once; the rest counts twice if it is shared */
#define MEMFD_EVERY 4    /* samples between two walks over the descriptors */

struct memfd_seen {
	dev_t dev;
	ino_t ino;
};

struct sampler {
	int proc_fd;     /* owned */
	int scratch_fd;  /* owned, -1 if none */
	int first_io_fd; /* owned: what process 1 wrote, and all that it waited for; -1 if not asked for */
	bool memfd;
	unsigned what;
	uint64_t ticks_per_second;

	uint64_t ticks_before, ticks_lost; /* of the last sample; of processes that went without a trace */
	uint64_t written_before, written_lost, written_beside;
	uint64_t written_last; /* what was lost in the last sample that lost any */
	uint64_t cancelled_before, cancelled_lost;

	unsigned samples;
	uint64_t memfd_bytes;
	size_t n_memfds;

	/* From here on room, written before it is read and never cleared: most events end before it is needed, and
	 * clearing costs the page faults. */
	struct memfd_seen memfds[MEMFDS_MAX];

	char text[TEXT_MAX];
	char entries[32768] __attribute__((aligned(8)));
	char fd_entries[8192] __attribute__((aligned(8)));
};

/* What all processes use together, while they are read. */
struct sum {
	struct sample sample;
	uint64_t anon_kb, shmem_kb;         /* each process by itself */
	uint64_t pss_anon_kb, pss_shmem_kb; /* shared pages divided among those who share */
	uint64_t ticks, written, cancelled;
};

/* The text of one small file beneath dir_fd. False: the process is gone, or the file may not be read (*ret_errno). */
static bool read_text(struct sampler *s, const char *pid, const char *file, int *ret_errno)
{
	char name[NAME_MAX_HERE];
	auto_fd int fd = -1;
	ssize_t n;

	(void)snprintf(name, sizeof name, "%s/%s", pid, file); /* pid has at most 10 digits */
	fd = openat(s->proc_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	n = fd < 0 ? -errno : fd_read_all(fd, s->text, sizeof s->text - 1);
	if (n <= 0) {
		*ret_errno = n < 0 ? (int)-n : ESRCH; /* nothing at all: it went while being read */
		return false;
	}
	s->text[n] = 0;
	return true;
}

/* Who may open the file is decided by its owner, and from the moment that a process ends that is root; who may read what is
 * open, by the power over the process, which stays. So the figures of process 1 can be had after its end. */
static bool read_first_io(struct sampler *s)
{
	const ssize_t n = pread(s->first_io_fd, s->text, sizeof s->text - 1, 0);

	if (n <= 0)
		return false;
	s->text[n] = 0;
	return true;
}

static uint64_t field_or_zero(const char *text, const char *key)
{
	uint64_t v;

	return proctext_field(text, key, &v) ? v : 0; /* a zombie has no memory and the kernel leaves those lines out */
}

static void add_status(struct sampler *s, const char *pid, struct sum *sum)
{
	uint64_t threads = 0;
	int err;

	if (!read_text(s, pid, "status", &err))
		return;
	threads = field_or_zero(s->text, "Threads");
	sum->sample.tasks += threads != 0 ? threads : 1; /* a zombie has none and still takes a place */
	sum->anon_kb += field_or_zero(s->text, "RssAnon") + field_or_zero(s->text, "VmSwap") +
			field_or_zero(s->text, "VmPTE");
	sum->shmem_kb += field_or_zero(s->text, "RssShmem");
}

static void add_cpu(struct sampler *s, const char *pid, struct sum *sum)
{
	struct proctext_stat stat;
	int err;

	if (read_text(s, pid, "stat", &err) && proctext_stat(s->text, &stat))
		sum->ticks += stat.cpu_ticks;
}

static void add_written(struct sampler *s, const char *pid, struct sum *sum)
{
	struct proctext_stat stat;
	int err = ESRCH;

	if (!(strcmp(pid, "1") == 0 ? read_first_io(s) : read_text(s, pid, "io", &err))) {
		/* one that has lost its memory at its end shows its figures to root alone, but soon they are another's */
		if (err == EACCES && read_text(s, pid, "stat", &err) && proctext_stat(s->text, &stat) && !stat.ending)
			sum->sample.hidden++;
		return;
	}
	sum->written += field_or_zero(s->text, "write_bytes");
	sum->cancelled += field_or_zero(s->text, "cancelled_write_bytes");
}

/* Where the shares cannot be read (a process that runs a program which it may not read itself), what it has counts
 * whole: a limit may be met too early, never too late. Page tables are in no share. */
static void add_shares(struct sampler *s, const char *pid, struct sum *sum)
{
	uint64_t anon = 0, shmem = 0;
	int err;
	const bool shares = read_text(s, pid, "smaps_rollup", &err) && proctext_field(s->text, "Pss_Anon", &anon) &&
			    proctext_field(s->text, "Pss_Shmem", &shmem);

	if (shares)
		anon += field_or_zero(s->text, "SwapPss");
	if (!read_text(s, pid, "status", &err))
		return;
	if (!shares) {
		anon = field_or_zero(s->text, "RssAnon") + field_or_zero(s->text, "VmSwap");
		shmem = field_or_zero(s->text, "RssShmem");
	}
	sum->pss_anon_kb += anon + field_or_zero(s->text, "VmPTE");
	sum->pss_shmem_kb += shmem;
}

/* True the first time that this file is met. */
static bool memfd_is_new(struct sampler *s, const struct stat *st)
{
	for (size_t i = 0; i < s->n_memfds; i++)
		if (s->memfds[i].ino == st->st_ino && s->memfds[i].dev == st->st_dev)
			return false;
	if (s->n_memfds < MEMFDS_MAX)
		s->memfds[s->n_memfds++] = (struct memfd_seen){ st->st_dev, st->st_ino };
	return true;
}

static void add_memfd(struct sampler *s, int dir_fd, const char *name)
{
	static const char prefix[] = "/memfd:";
	char target[sizeof prefix];
	auto_fd int fd = -1;
	struct statfs fs;
	struct stat st;

	if (readlinkat(dir_fd, name, target, sizeof target) < (ssize_t)sizeof prefix - 1 ||
	    memcmp(target, prefix, sizeof prefix - 1) != 0)
		return;
	fd = openat(dir_fd, name, O_PATH | O_CLOEXEC);
	/* a path on disk can look the same */
	if (fd < 0 || fstatfs(fd, &fs) < 0 || (fs.f_type != TMPFS_MAGIC && fs.f_type != HUGETLBFS_MAGIC))
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && memfd_is_new(s, &st))
		s->memfd_bytes += (uint64_t)st.st_blocks * 512;
}

/* Calls `each` for the entries of a directory whose names are numbers, at most max. False: there were more. */
struct walk {
	struct sampler *s;
	struct sum *sum;
	int dir_fd;
	void (*each)(struct walk *w, const char *name);
};

static bool walk_numbers(struct walk *w, char *room, size_t room_size, uint32_t max, uint32_t *ret_count)
{
	uint32_t count = 0;
	long n;

	if (lseek(w->dir_fd, 0, SEEK_SET) < 0)
		return true;
	while ((n = syscall(SYS_getdents64, w->dir_fd, room, room_size)) > 0)
		for (long at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(room + at);
			uint32_t number;

			at += entry->d_reclen;
			if (!parse_u32(entry->d_name, 0, UINT32_MAX, &number))
				continue;
			if (count == max) {
				*ret_count = count;
				return false;
			}
			count++;
			w->each(w, entry->d_name);
		}
	*ret_count = count;
	return true;
}

static void each_memfd(struct walk *w, const char *name)
{
	add_memfd(w->s, w->dir_fd, name);
}

static void add_memfds(struct sampler *s, const char *pid)
{
	char name[NAME_MAX_HERE];
	auto_fd int fd = -1;
	struct walk walk = { .s = s, .each = each_memfd };
	uint32_t count;

	(void)snprintf(name, sizeof name, "%s/fd", pid); /* pid has at most 10 digits */
	fd = openat(s->proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	walk.dir_fd = fd;
	(void)walk_numbers(&walk, s->fd_entries, sizeof s->fd_entries, UINT32_MAX, &count); /* bounded by FILES */
}

static void each_process(struct walk *w, const char *pid)
{
	struct sampler *s = w->s;

	if ((s->what & (SAMPLE_MEMORY | SAMPLE_TASKS)) != 0)
		add_status(s, pid, w->sum);
	if ((s->what & SAMPLE_CPU) != 0)
		add_cpu(s, pid, w->sum);
	if ((s->what & SAMPLE_WRITTEN) != 0)
		add_written(s, pid, w->sum);
	if (s->memfd && (s->what & SAMPLE_MEMORY) != 0 && s->samples % MEMFD_EVERY == 0)
		add_memfds(s, pid);
}

static void each_share(struct walk *w, const char *pid)
{
	add_shares(w->s, pid, w->sum);
}

static uint64_t scratch_bytes(const struct sampler *s)
{
	struct statfs fs;

	if (s->scratch_fd < 0 || fstatfs(s->scratch_fd, &fs) < 0)
		return 0;
	return (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Pages of a file on the scratch that is also mapped are in both figures and cannot be told from other shared memory:
 * the doubt counts for the cell. Twice the limit is then the most, since the scratch has a size of its own. */
static uint64_t confirmed_memory(struct sampler *s, struct sum *sum, uint64_t files)
{
	struct walk walk = { .s = s, .sum = sum, .dir_fd = s->proc_fd, .each = each_share };
	uint32_t count;

	(void)walk_numbers(&walk, s->entries, sizeof s->entries, SAMPLER_PROCESSES_MAX,
			   &count); /* as the walk before */
	return sum->pss_anon_kb * 1024 + max_u64(sum->pss_shmem_kb * 1024, files);
}

static uint64_t memory_of(struct sampler *s, struct sum *sum, uint64_t limit)
{
	const uint64_t files = scratch_bytes(s) + s->memfd_bytes;
	const uint64_t rough = (sum->anon_kb + sum->shmem_kb) * 1024 + files;

	return limit != 0 && rough > limit ? confirmed_memory(s, sum, files) : rough;
}

/* Figures of a process that ended move to the one that waited for it, so the sum only grows; where it shrank, they were
 * dropped. Gives the total ever seen. */
static uint64_t add_lost(uint64_t now, uint64_t *before, uint64_t *lost)
{
	if (now < *before)
		*lost += *before - now;
	*before = now;
	return now + *lost;
}

/* A sample between that process's end and this word has taken what it wrote for lost. */
void sampler_add_written(struct sampler *s, uint64_t bytes)
{
	const uint64_t twice = s->written_last < bytes ? s->written_last : bytes;

	s->written_beside += bytes;
	s->written_lost -= twice;
	s->written_last = 0;
}

void sampler_read(struct sampler *s, uint64_t memory_limit, struct sample *ret)
{
	struct sum sum = { 0 };
	struct walk walk = { .s = s, .sum = &sum, .dir_fd = s->proc_fd, .each = each_process };
	uint64_t written, cancelled, lost;

	if (s->samples % MEMFD_EVERY == 0) {
		s->memfd_bytes = 0;
		s->n_memfds = 0;
	}
	sum.sample.cut = !walk_numbers(&walk, s->entries, sizeof s->entries, SAMPLER_PROCESSES_MAX,
				       &sum.sample.processes);
	if ((s->what & SAMPLE_MEMORY) != 0)
		sum.sample.memory_bytes = memory_of(s, &sum, memory_limit);
	sum.sample.cpu_ms = add_lost(sum.ticks, &s->ticks_before, &s->ticks_lost) * 1000 / s->ticks_per_second;
	lost = s->written_lost;
	written = add_lost(sum.written + s->written_beside, &s->written_before, &s->written_lost);
	if (s->written_lost > lost)
		s->written_last = s->written_lost - lost;
	cancelled = add_lost(sum.cancelled, &s->cancelled_before, &s->cancelled_lost);
	sum.sample.written_bytes = written > cancelled ? written - cancelled : 0;
	s->samples++;
	*ret = sum.sample;
}

static int check_root(int fd, struct err *e)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC || fstat(fd, &st) < 0 || st.st_ino != PROC_ROOT_INODE)
		return err_set(e, AMBIT_PROTOCOL, NULL, "what should be the cell's /proc is something else");
	return 0;
}

static int prove(struct sampler *s, struct err *e)
{
	const struct {
		unsigned what;
		const char *file;
	} rows[] = {
		{ SAMPLE_MEMORY | SAMPLE_TASKS, "status" },
		{ SAMPLE_CPU, "stat" },
		{ SAMPLE_WRITTEN, "io" },
	};
	auto_fd int rollup = -1;
	int err;

	/* Whether smaps_rollup may be read is asked when it is opened; reading it walks through every page. */
	if ((s->what & SAMPLE_MEMORY) != 0) {
		rollup = openat(s->proc_fd, "1/smaps_rollup", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (rollup < 0)
			return err_sys(e, AMBIT_HOST, errno, ERR_DOCTOR,
				       "cannot read /proc/1/smaps_rollup of the cell");
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((s->what & rows[i].what) != 0 && !read_text(s, "1", rows[i].file, &err))
			return err_sys(e, AMBIT_HOST, err, ERR_DOCTOR, "cannot read /proc/1/%s of the cell",
				       rows[i].file);
	return 0;
}

int sampler_create(const struct sampler_ask *ask, struct sampler **ret, struct err *e)
{
	struct sampler *s = malloc(sizeof *s);
	int r;

	if (s == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to watch the cell");
	memset(s, 0, offsetof(struct sampler, memfds));
	s->scratch_fd = s->first_io_fd = -1;
	s->memfd = ask->memfd;
	s->what = ask->what;
	s->ticks_per_second = (uint64_t)sysconf(_SC_CLK_TCK);
	/* Opened anew: a descriptor that came from another process shares its position with the copy kept there. */
	s->proc_fd = openat(ask->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = s->proc_fd < 0 ? err_sys(e, AMBIT_HOST, errno, ERR_DOCTOR, "cannot open the cell's /proc")
			   : check_root(s->proc_fd, e);
	if (r == 0 && ask->scratch_fd >= 0) {
		s->scratch_fd = fcntl(ask->scratch_fd, F_DUPFD_CLOEXEC, 3);
		if (s->scratch_fd < 0)
			r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot keep the cell's scratch");
	}
	if (r == 0)
		r = prove(s, e);
	if (r == 0 && (s->what & SAMPLE_WRITTEN) != 0) {
		s->first_io_fd = openat(s->proc_fd, "1/io", O_RDONLY | O_CLOEXEC);
		if (s->first_io_fd < 0)
			r = err_sys(e, AMBIT_HOST, errno, ERR_DOCTOR, "cannot open /proc/1/io of the cell");
	}
	if (r < 0) {
		sampler_destroy(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sampler_destroy(struct sampler *s)
{
	if (s == NULL)
		return;
	fd_close(&s->proc_fd);
	fd_close(&s->scratch_fd);
	fd_close(&s->first_io_fd);
	free(s);
}
