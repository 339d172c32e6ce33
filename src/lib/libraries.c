#include "lib/libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "cell/base.h"
#include "core/outcome.h"
#include "lib/event.h"

#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#elif defined(__aarch64__)
#define LOADER "/lib/ld-linux-aarch64.so.1"
#endif

#define LOADER_CACHE "/etc/ld.so.cache"
#define LOADER_PRELOAD "/etc/ld.so.preload"

#define FIRST_LINE_MAX 256 /* as the kernel reads (BINPRM_BUF_SIZE) */
#define KNOWN_MAX 8        /* programs of which it is kept what was found */

/* The name under which something is asked for, with the links of its directories resolved but not its own. */
static bool own_name(const char *name, char *ret, size_t size)
{
	char dir[PATH_MAX], real[PATH_MAX];
	const char *slash = strrchr(name, '/');

	if (slash == NULL || slash == name || (size_t)(slash - name) >= sizeof dir)
		return false;
	memcpy(dir, name, (size_t)(slash - name));
	dir[slash - name] = 0;
	return realpath(dir, real) != NULL && path_normalise(real, slash + 1, ret, size);
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A path that the loader or a script named: taken only if it is a file and lies where the system's programs are. */
static int take(const char *name, struct event_request *q, struct err *e)
{
	char real[PATH_MAX], own[GRANT_OBJECT_MAX];
	uint32_t id;

	if (name[0] != '/' || realpath(name, real) == NULL || !is_file(real) ||
	    !base_shows(CELL_BASE_SYSTEM, real, RIGHT_READ | RIGHT_RUN))
		return 0;
	if (own_name(name, own, sizeof own) && strcmp(own, real) != 0 && q->n_links < REQUEST_LINKS_MAX &&
	    base_shows(CELL_BASE_SYSTEM, own, RIGHT_READ)) {
		(void)text_copy(q->links[q->n_links].name, GRANT_OBJECT_MAX, own); /* same size */
		(void)text_copy(q->links[q->n_links++].real, GRANT_OBJECT_MAX, real);
	}
	return grant_add(&q->grants, VERB_RUN, real, 0, &id, e);
}

/* "libc.so.6", "libz.so": "so" is a part of the name of its own, and not the first. */
static bool is_library(const char *path)
{
	char real[PATH_MAX];
	const char *so = realpath(path, real) == NULL ? NULL : strstr(strrchr(real, '/'), ".so");

	return so != NULL && (so[3] == 0 || so[3] == '.');
}

/* Rule: the program may speak here as well (an auditor that it names is run before the loader tells anything), so a line can
 * bring a library of the system and nothing else.
 * "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f...)" or "\t/lib64/ld-linux-x86-64.so.2 (0x7f...)". */
static int take_line(char *line, struct event_request *q, struct err *e)
{
	char *path = strstr(line, "=> ");
	char *end;

	path = path != NULL ? path + 3 : line + strspn(line, "\t ");
	end = strstr(path, " (0x");
	if (end == NULL)
		return 0;
	*end = 0;
	return is_library(path) ? take(path, q, e) : 0;
}

static int take_lines(struct buf *text, struct event_request *q, struct err *e)
{
	char *next = (char *)(uintptr_t)buf_cstr(text); /* our own copy */
	int r = 0;

	while (next != NULL && r == 0) {
		char *line = strsep(&next, "\n");

		r = take_line(line, q, e);
	}
	return r;
}

static struct event_request *request_for(const char *program, struct err *e)
{
	struct event_request *q = calloc(1, sizeof *q);
	uint32_t id;

	if (q == NULL) {
		(void)err_set(e, AMBIT_MEMORY, NULL, "no memory to look at %s", program);
		return NULL;
	}
	q->base = CELL_BASE_SYSTEM;
	q->observe = CELL_OBSERVE_OFF;
	(void)text_copy(q->user, sizeof q->user, "user"); /* these fit */
	(void)text_copy(q->home, sizeof q->home, "/home/user");
	(void)text_copy(q->workspace, sizeof q->workspace, "/");
	limits_default_code(&q->limits);
	q->limits.value[LIMIT_OUTPUT] = 0; /* bounded by what is kept */
	grant_set_init(&q->grants);
	if (!base_shows(CELL_BASE_SYSTEM, program, RIGHT_RUN) &&
	    grant_add(&q->grants, VERB_RUN, program, 0, &id, e) < 0) {
		free(q);
		return NULL;
	}
	return q;
}

/* 1: it said all that there is; 0: what it said. */
static int ask_loader(const char *program, struct buf *ret_text, struct err *e)
{
	char *const argv[] = { (char[]){ LOADER }, (char[]){ "--list" }, (char *)(uintptr_t)program,
			       NULL }; /* only copied */
	char *const envp[] = { NULL };
	struct event_plan plan = { .path = LOADER,
				   .argv = argv,
				   .envp = envp,
				   .program_fd = -1,
				   .stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_CAPTURE, AMBIT_STREAM_NULL },
				   .stream_fd = { -1, -1, -1 } };
	struct ambit_event *ev = NULL;
	int r;

	plan.request = request_for(program, e);
	if (plan.request == NULL)
		return e != NULL ? -(int)e->code : -AMBIT_MEMORY;
	r = event_start(&plan, &ev, e);
	if (r == 0 && ambit_event_wait(ev, NULL) == 0) {
		buf_put(ret_text, event_result(ev)->out.data, event_result(ev)->out.len);
		r = event_result(ev)->cause == CAUSE_EXITED && event_result(ev)->exit_status == 0;
	}
	ambit_event_free(ev);
	return r;
}

/* The interpreter of a script, and what `env` stands for in front of it. "" if it is none. */
static void first_words(const char *program, char *ret_first, char *ret_second)
{
	char line[FIRST_LINE_MAX + 1];
	auto_fd int fd = open(program, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, line, FIRST_LINE_MAX);
	char *at, *word;

	ret_first[0] = ret_second[0] = 0;
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return;
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	at = line + 2;
	while ((word = strsep(&at, " \t")) != NULL && *word == 0)
		;
	if (word != NULL)
		(void)text_copy(ret_first, FIRST_LINE_MAX, word); /* shorter than the line */
	while (at != NULL && (word = strsep(&at, " \t")) != NULL && *word == 0)
		;
	if (at != NULL || (word != NULL && word[0] != '/'))
		(void)text_copy(ret_second, FIRST_LINE_MAX, word != NULL ? word : "");
}

/* 1: the same will be found again, while nothing changes; 0: perhaps more. */
static int find(const char *program, struct event_request *q, struct err *e);

static int grant_interpreter(const char *program, struct event_request *q, struct err *e)
{
	char first[FIRST_LINE_MAX], second[FIRST_LINE_MAX], path[2 * FIRST_LINE_MAX], real[PATH_MAX];
	int r;

	first_words(program, first, second);
	if (first[0] == 0)
		return 0;
	r = take(first, q, e);
	if (r == 0 && realpath(first, real) != NULL && base_shows(CELL_BASE_SYSTEM, real, RIGHT_RUN))
		r = find(real, q, e);
	if (r < 0 || strcmp(first, "/usr/bin/env") != 0 || second[0] == 0 || strchr(second, '/') != NULL)
		return r;
	if (!path_normalise("/usr/bin", second, path, sizeof path))
		return 0;
	r = take(path, q, e);
	if (r == 0 && realpath(path, real) != NULL && base_shows(CELL_BASE_SYSTEM, real, RIGHT_RUN))
		r = find(real, q, e);
	return r;
}

static int find(const char *program, struct event_request *q, struct err *e)
{
	auto_buf text = { .max = 0 };
	int r, whole;

	buf_init(&text, 1u << 20);
	whole = ask_loader(program, &text, e);
	r = whole < 0 ? whole : take_lines(&text, q, e);
	r = r < 0 ? r : grant_interpreter(program, q, e);
	return r < 0 ? r : whole;
}

/* ---- what was found before ---- */

/* Which file a name led to, and in which state: zeroes if to none. */
struct identity {
	uint64_t device, inode, size;
	struct timespec changed, modified;
};

/* A name, and what it was. */
struct file {
	char *path; /* owned */
	char *real; /* owned: of a link, where it led; NULL: it is granted itself */
	struct identity is;
};

struct found {
	struct file program; /* path NULL: there is nothing here */
	struct identity loader, cache, preload;
	struct file *files; /* owned */
	size_t n;
};

struct libraries {
	struct found found[KNOWN_MAX];
	unsigned next; /* that is replaced */
};

static struct identity identify(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct identity){ .device = 0 };
	return (struct identity){ .device = st.st_dev,
				  .inode = st.st_ino,
				  .size = (uint64_t)st.st_size,
				  .changed = st.st_ctim,
				  .modified = st.st_mtim };
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(struct identity a, struct identity b)
{
	return a.device == b.device && a.inode == b.inode && a.size == b.size && is_same_time(a.changed, b.changed) &&
	       is_same_time(a.modified, b.modified);
}

static bool is_as_it_was(const struct file *f)
{
	return f->is.inode != 0 && is_same(identify(f->path), f->is);
}

static bool is_current(const struct found *f)
{
	if (!is_as_it_was(&f->program) || !is_same(identify(LOADER), f->loader) ||
	    !is_same(identify(LOADER_CACHE), f->cache) || !is_same(identify(LOADER_PRELOAD), f->preload))
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (!is_as_it_was(&f->files[i]))
			return false;
	return true;
}

static void forget(struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->files[i].path);
		free(f->files[i].real);
	}
	free(f->files);
	free(f->program.path);
	*f = (struct found){ .n = 0 };
}

static bool note(struct file *f, const char *path, const char *real)
{
	*f = (struct file){ .path = strdup(path), .real = real != NULL ? strdup(real) : NULL, .is = identify(path) };
	return f->path != NULL && (real == NULL || f->real != NULL);
}

/* q: of nothing but that. Without memory it is not kept. */
static void keep(struct found *f, const char *program, const struct event_request *q)
{
	bool whole = note(&f->program, program, NULL);

	f->loader = identify(LOADER);
	f->cache = identify(LOADER_CACHE);
	f->preload = identify(LOADER_PRELOAD);
	f->files = calloc(q->grants.count + q->n_links + 1, sizeof *f->files);
	for (uint32_t i = 0; f->files != NULL && i < q->grants.count; i++)
		whole = note(&f->files[f->n++], grant_object(&q->grants, i), NULL) && whole;
	for (uint32_t i = 0; f->files != NULL && i < q->n_links; i++)
		whole = note(&f->files[f->n++], q->links[i].name, q->links[i].real) && whole;
	if (!whole || f->files == NULL)
		forget(f);
}

static int give(const struct found *f, struct event_request *q, struct err *e)
{
	uint32_t id;
	int r = 0;

	for (size_t i = 0; i < f->n && r >= 0; i++) {
		const struct file *file = &f->files[i];

		if (file->real == NULL) {
			r = grant_add(&q->grants, VERB_RUN, file->path, 0, &id, e);
		} else if (q->n_links < REQUEST_LINKS_MAX) {
			(void)text_copy(q->links[q->n_links].name, GRANT_OBJECT_MAX, file->path); /* same size */
			(void)text_copy(q->links[q->n_links++].real, GRANT_OBJECT_MAX, file->real);
		}
	}
	return r < 0 ? r : 0;
}

/* Looks before the question is asked and after: what is changed meanwhile is not kept as it was before. Nor is what may be less than there is. */
static int find_to_keep(struct libraries *known, const char *program, struct event_request *q, struct err *e)
{
	struct found *f = &known->found[known->next];
	const struct identity before = identify(program), cache = identify(LOADER_CACHE);
	auto_free struct event_request *alone = calloc(1, sizeof *alone);
	bool whole;
	int r;

	if (alone == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look at %s", program);
	grant_set_init(&alone->grants);
	r = find(program, alone, e);
	if (r < 0)
		return r;
	forget(f);
	keep(f, program, alone);
	if (f->program.path == NULL) {
		r = find(program, q, e);
		return r < 0 ? r : 0;
	}
	whole = r == 1 && is_same(before, f->program.is) && is_same(cache, f->cache);
	r = give(f, q, e);
	if (whole)
		known->next = (known->next + 1) % KNOWN_MAX;
	else
		forget(f);
	return r;
}

struct libraries *libraries_new(void)
{
	return calloc(1, sizeof(struct libraries));
}

void libraries_free(struct libraries *l)
{
	for (unsigned i = 0; l != NULL && i < KNOWN_MAX; i++)
		forget(&l->found[i]);
	free(l);
}

int libraries_grant(struct libraries *known, const char *program, struct event_request *q, struct err *e)
{
	if (known == NULL) {
		const int r = find(program, q, e);

		return r < 0 ? r : 0;
	}
	for (unsigned i = 0; i < KNOWN_MAX; i++) {
		struct found *f = &known->found[i];

		if (f->program.path == NULL || strcmp(f->program.path, program) != 0)
			continue;
		if (is_current(f))
			return give(f, q, e);
		forget(f);
	}
	return find_to_keep(known, program, q, e);
}
