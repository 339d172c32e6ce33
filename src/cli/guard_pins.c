#include "cli/guard_pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/state.h"

#define DEFINITION_MAX (512u << 10)
#define LINE_DEPTH 4u   /* of a property of an argument, in a definition */
#define PLACE_DEPTH 64u /* of what differs: as deep as a message may be */
#define PLACES_MAX 1024 /* guards of one server at one time */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

bool guard_server_is_name(const char *name)
{
	const size_t n = strlen(name);

	return n > 0 && n <= 64 && name[0] != '.' && strspn(name, LETTERS) == n;
}

bool guard_tool_is_name(const char *name)
{
	const size_t n = strlen(name);

	return n > 0 && n < GUARD_NAME_MAX && name[0] != '.' && strspn(name, LETTERS) == n;
}

/* ---- the directories ---- */

static int open_below(const char *server, const char *what, int *ret_fd, struct err *e)
{
	char name[128], path[4096];

	(void)snprintf(name, sizeof name, "guard/%s/%s", server, what); /* fits */
	if (state_path(name, path, sizeof path) < 0)
		return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME",
			       "there is no place for what was approved of servers");
	for (char *slash = strstr(path, "/guard"); slash != NULL; slash = strchr(slash + 1, '/')) {
		int fd;

		*slash = 0;
		if (state_open(path, &fd, e) < 0)
			return -(int)e->code;
		fd_close(&fd);
		*slash = '/';
	}
	return state_open(path, ret_fd, e);
}

int guard_pins_open(struct guard_pins *p, const char *server, struct err *e)
{
	int r;

	*p = GUARD_PINS_NONE;
	p->server = server;
	r = open_below(server, "pinned", &p->pinned_fd, e);
	r = r < 0 ? r : open_below(server, "waits", &p->waits_fd, e);
	r = r < 0 ? r : open_below(server, "alike", &p->alike_fd, e);
	r = r < 0 ? r : open_below(server, "liked", &p->liked_fd, e);
	return r < 0 ? r : open_below(server, "shown", &p->shown_fd, e);
}

void guard_pins_close(struct guard_pins *p)
{
	fd_close(&p->pinned_fd);
	fd_close(&p->waits_fd);
	fd_close(&p->shown_fd);
	fd_close(&p->alike_fd);
	fd_close(&p->liked_fd);
	fd_close(&p->place_fd);
}

int guard_pins_place(struct guard_pins *p, unsigned *ret, struct err *e)
{
	auto_fd int dir = -1;
	const int r = open_below(p->server, "places", &dir, e);
	char name[16];

	if (r < 0)
		return r;
	for (unsigned n = 0; n < PLACES_MAX; n++) {
		auto_fd int fd = -1;

		(void)snprintf(name, sizeof name, "%u", n);
		fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot take a place among the guards of '%s'",
				       p->server);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		p->place_fd = steal_fd(&fd);
		*ret = n;
		return 0;
	}
	return err_set(e, AMBIT_LIMIT, "end some of them", "%d guards of '%s' are there", PLACES_MAX, p->server);
}

/* ---- files ---- */

/* -NOT_FOUND: it is not there. */
static int read_file(int dir_fd, const char *name, struct buf *out, struct err *e)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	uint8_t *room;

	if (fd < 0)
		return err_sys(e, errno == ENOENT ? AMBIT_NOT_FOUND : AMBIT_SYSTEM, errno, NULL,
			       "cannot read what was approved of '%.64s'", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)DEFINITION_MAX)
		return err_set(e, AMBIT_MALFORMED, "remove it", "what was approved of '%.64s' is no file of ours",
			       name);
	room = buf_room(out, (size_t)st.st_size + 1);
	if (room == NULL || pread(fd, room, (size_t)st.st_size, 0) != st.st_size)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot read what was approved of '%.64s'", name);
	out->len = (size_t)st.st_size;
	return 0;
}

/* Whole, or not at all. Several guards of one server may write at once: one after the other, since they all do by the same name. */
static int write_file(int dir_fd, const char *name, const void *bytes, size_t n, struct err *e)
{
	auto_fd int fd = -1;
	int r = 0;

	while (flock(dir_fd, LOCK_EX) < 0 && errno == EINTR)
		;
	fd = openat(dir_fd, ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || fsync(fd) < 0 || renameat(dir_fd, ".new", dir_fd, name) < 0)
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot write down the definition of '%.64s'", name);
	(void)flock(dir_fd, LOCK_UN); /* it was locked */
	return r;
}

/* Each name of a directory, in any order; stops at the first below 0. */
typedef int each_fn(void *of, int dir_fd, const char *name, struct err *e);
static int each(int dir_fd, each_fn *fn, void *of, struct err *e)
{
	const int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *d;
	int r = 0;

	if (dir == NULL)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot list what was approved");
	while (r == 0 && (d = readdir(dir)) != NULL)
		if (guard_tool_is_name(d->d_name))
			r = fn(of, dir_fd, d->d_name, e);
	(void)closedir(dir);
	return r;
}

struct making {
	struct buf out;
	uint32_t n;
};

static int put_pin(void *of, int dir_fd, const char *name, struct err *e)
{
	struct making *m = of;
	auto_buf text = { .max = DEFINITION_MAX + 1 };
	struct guard_pin pin = { .name = "" };
	struct sha256 s;
	const int r = read_file(dir_fd, name, &text, e);

	if (r < 0)
		return r;
	if (++m->n > GUARD_PINS_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d tools of one server were approved", GUARD_PINS_MAX);
	(void)text_copy(pin.name, sizeof pin.name, name); /* measured */
	sha256_init(&s);
	sha256_add(&s, text.data, text.len);
	sha256_end(&s, pin.sha256);
	guard_pin_put(&m->out, &pin);
	return 0;
}

int guard_pins_file(struct guard_pins *p, int *ret_fd, uint32_t *ret_n, struct err *e)
{
	struct making m = { .n = 0 };
	int r;

	buf_init(&m.out, GUARD_PINS_MAX * GUARD_PIN_BYTES);
	r = each(p->pinned_fd, put_pin, &m, e);
	*ret_n = m.n;
	p->is_first = m.n == 0;
	*ret_fd = memfd_create("pins", MFD_CLOEXEC);
	if (r == 0 && (*ret_fd < 0 || (m.out.len > 0 && write(*ret_fd, m.out.data, m.out.len) != (ssize_t)m.out.len)))
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot say what was approved");
	buf_finish(&m.out);
	return r;
}

static int count_one(void *of, int dir_fd, const char *name, struct err *e)
{
	(void)dir_fd;
	(void)name;
	(void)e;
	++*(unsigned *)of;
	return 0;
}

static bool is_there(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int guard_pins_take(const struct guard_pins *p, const struct guard_tool *t, const void *text, struct err *e)
{
	const char *name = t->pin.name;
	const bool pins = p->is_first && t->odd == GUARD_ODD_NEW && !is_there(p->pinned_fd, name);
	const int dir_fd = pins ? p->pinned_fd : p->waits_fd;
	unsigned n = 0;
	const int r = each(dir_fd, count_one, &n, e);

	if (r < 0)
		return r;
	if (n >= GUARD_PINS_MAX && !is_there(dir_fd, name))
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d definitions of one server, and so not kept: '%.64s'",
			       GUARD_PINS_MAX, name);
	return write_file(dir_fd, name, text, t->bytes, e);
}

/* ---- names that look alike ---- */

/* Each line is a server, a slash and a tool. */
static bool has_line(const struct buf *text, const struct buf *line)
{
	for (size_t at = 0; line->len > 0 && at + line->len <= text->len;) {
		const uint8_t *end = memchr(text->data + at, '\n', text->len - at);

		if (memcmp(text->data + at, line->data, line->len) == 0)
			return true;
		if (end == NULL)
			return false;
		at = (size_t)(end - text->data) + 1;
	}
	return false;
}

int guard_pins_alike(const struct guard_pins *p, const char *tool, const char *other, const char *other_tool,
		     struct err *e)
{
	char line[2 * GUARD_NAME_MAX];

	(void)snprintf(line, sizeof line, "%s/%s\n", other, other_tool); /* fits */
	return write_file(p->alike_fd, tool, line, strlen(line), e);
}

struct telling {
	guard_liked_fn *fn;
	void *of;
};

static int tell_liked(void *of, int dir_fd, const char *name, struct err *e)
{
	struct telling *t = of;
	auto_buf text = { .max = DEFINITION_MAX + 1 };
	char *line, *rest;
	int r = read_file(dir_fd, name, &text, e);

	if (r < 0 || text.len == 0)
		return r;
	buf_put_u8(&text, 0);
	for (line = strtok_r((char *)text.data, "\n", &rest); line != NULL && r == 0;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *slash = strchr(line, '/');

		if (slash == NULL)
			continue;
		*slash = 0;
		if (guard_server_is_name(line) && guard_tool_is_name(slash + 1))
			r = t->fn(t->of, name, line, slash + 1);
	}
	return r;
}

int guard_pins_liked(const struct guard_pins *p, guard_liked_fn *fn, void *of, struct err *e)
{
	struct telling t = { .fn = fn, .of = of };

	return each(p->liked_fd, tell_liked, &t, e);
}

static int show_alike(void *of, int dir_fd, const char *name, struct err *e)
{
	auto_buf text = { .max = DEFINITION_MAX + 1 };
	const struct guard_pins *p = of;
	char mark[GUARD_NAME_MAX + 1];
	const int r = read_file(dir_fd, name, &text, e);

	if (r < 0)
		return r;
	(void)printf("%s: looks like another server's\n  + %.*s", name, (int)text.len, (const char *)text.data);
	(void)snprintf(mark, sizeof mark, "%s~", name); /* no tool is called so */
	return write_file(p->shown_fd, mark, text.data, text.len, e);
}

static int like(const struct guard_pins *p, int dir_fd, const char *name, struct err *e)
{
	auto_buf is = { .max = DEFINITION_MAX + 1 }, seen = { .max = DEFINITION_MAX + 1 },
		 all = { .max = DEFINITION_MAX };
	char mark[GUARD_NAME_MAX + 1];
	int r = read_file(dir_fd, name, &is, e);

	if (r < 0)
		return r;
	(void)snprintf(mark, sizeof mark, "%s~", name);
	r = read_file(p->shown_fd, mark, &seen, e);
	if ((r < 0 && r != -AMBIT_NOT_FOUND) || (r == 0 && buf_cstr(&seen) == NULL))
		return -(int)e->code;
	if (r < 0 || !buf_is_same(&is, &seen))
		return err_set(e, AMBIT_DENIED, "`ambit guard --pins SERVER` shows it",
			       "what '%.64s' looks like was not shown", name);
	r = read_file(p->liked_fd, name, &all, e);
	if (r < 0 && r != -AMBIT_NOT_FOUND)
		return r;
	if (!has_line(&all, &seen))
		buf_put(&all, seen.data, seen.len);
	r = all.failed ? err_set(e, AMBIT_LIMIT, NULL, "'%.64s' looks like too many others", name)
		       : write_file(p->liked_fd, name, all.data, all.len, e);
	if (r < 0)
		return r;
	(void)unlinkat(dir_fd, name, 0);
	(void)unlinkat(p->shown_fd, mark, 0);
	(void)printf("approved: %s, beside %s", name, (const char *)seen.data);
	return 0;
}

/* ---- for a person ---- */

/* The next byte of a text of JSON that stands between its texts, before `to`; *at: behind it. False: there is none. */
static bool next_between(const struct buf *text, size_t to, size_t *at, uint8_t *ret)
{
	bool in_text = false;

	while (*at < to) {
		*ret = text->data[(*at)++];
		if (!in_text && *ret != '"')
			return true;
		*at += in_text && *ret == '\\';
		in_text = in_text != (*ret == '"');
	}
	return false;
}

/* A text of JSON, in lines: of each object that does not lie deep a line for each member, so that what differs shows. */
struct lines {
	const struct buf *text;
	size_t n;
	struct buf ends; /* owned: of each line, a uint32_t */
};

static void lines_init(struct lines *l, const struct buf *text)
{
	unsigned depth = 0;
	size_t at = 0;
	uint8_t c;

	*l = (struct lines){ .text = text };
	buf_init(&l->ends, (text->len + 1) * sizeof(uint32_t));
	while (next_between(text, text->len, &at, &c)) {
		depth += c == '{' || c == '[';
		depth -= (c == '}' || c == ']') && depth > 0;
		if (c == ',' && depth <= LINE_DEPTH) {
			buf_put_u32(&l->ends, (uint32_t)at);
			l->n++;
		}
	}
	buf_put_u32(&l->ends, (uint32_t)text->len);
	l->n++;
}

static const uint8_t *line(const struct lines *l, size_t i, size_t *ret_n)
{
	struct rbuf in;
	size_t from = 0;

	rbuf_init(&in, l->ends.data, l->ends.len);
	if (i > 0) {
		(void)rbuf_bytes(&in, (i - 1) * sizeof(uint32_t));
		from = rbuf_u32(&in);
	}
	*ret_n = rbuf_u32(&in) - from;
	return l->text->data + from;
}

static bool is_same_line(const struct lines *a, size_t i, const struct lines *b, size_t k)
{
	size_t n, m;
	const uint8_t *x = line(a, i, &n), *y = line(b, k, &m);

	return n == m && memcmp(x, y, n) == 0;
}

static void show_text(const uint8_t *at, size_t n)
{
	char piece[TEXT_PIECE];
	size_t length;

	for (size_t k = 0; k < n;) {
		k += text_show_one(at + k, n - k, piece, &length);
		(void)fputs(piece, stdout);
	}
}

static void show_lines(const char *mark, const struct lines *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t n;
		const uint8_t *at = line(l, i, &n);

		(void)fputs(mark, stdout);
		show_text(at, n);
		(void)fputc('\n', stdout);
	}
}

/* What the text behind so many bytes stands in: the same words elsewhere mean something else. */
static void show_place(const struct buf *text, size_t to)
{
	struct {
		size_t from, n;
	} opened[PLACE_DEPTH];
	size_t depth = 0, from = 0, at = 0;
	uint8_t c;

	while (next_between(text, to, &at, &c)) {
		if ((c == '{' || c == '[') && ++depth <= PLACE_DEPTH) {
			opened[depth - 1].from = from;
			opened[depth - 1].n = at - from;
		}
		depth -= (c == '}' || c == ']') && depth > 0;
		if (strchr(",{[", c) != NULL)
			from = at;
	}
	if (depth < 2) /* the definition itself */
		return;
	(void)fputs("  in ", stdout);
	for (size_t i = 0; i < depth && i < PLACE_DEPTH; i++)
		show_text(text->data + opened[i].from, opened[i].n);
	(void)fputc('\n', stdout);
}

/* Without the lines that both begin with, and those that both end with: what was moved shows as gone there, and new here. */
static void show_change(const struct lines *was, const struct lines *is)
{
	size_t head = 0, tail = 0, n;

	while (head < was->n && head < is->n && is_same_line(was, head, is, head))
		head++;
	while (tail < was->n - head && tail < is->n - head &&
	       is_same_line(was, was->n - 1 - tail, is, is->n - 1 - tail))
		tail++;
	(void)printf("  its first %zu and its last %zu of %zu lines as before\n", head, tail, is->n);
	if (head > 0) {
		const uint8_t *last = line(is, head - 1, &n);

		show_place(is->text, (size_t)(last + n - is->text->data));
	}
	show_lines("  - ", was, head, was->n - tail);
	show_lines("  + ", is, head, is->n - tail);
}

static int show_waiting(void *of, int dir_fd, const char *name, struct err *e)
{
	const struct guard_pins *p = of;
	auto_buf is = { .max = DEFINITION_MAX + 1 }, was = { .max = DEFINITION_MAX + 1 };
	struct lines new, old;
	int r = read_file(dir_fd, name, &is, e);

	if (r < 0)
		return r;
	r = read_file(p->pinned_fd, name, &was, e);
	if (r < 0 && r != -AMBIT_NOT_FOUND)
		return r;
	(void)printf("%s: %s\n", name, r == 0 ? "changed" : "new, or not fit to be shown to an agent");
	lines_init(&new, &is);
	lines_init(&old, &was);
	if (new.ends.failed || old.ends.failed)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory for the definition of '%.64s'", name);
	else if (r == 0)
		show_change(&old, &new);
	else
		show_lines("  + ", &new, 0, new.n);
	buf_finish(&new.ends);
	buf_finish(&old.ends);
	return r == -AMBIT_MEMORY ? r : write_file(p->shown_fd, name, is.data, is.len, e);
}

static int show_approved(void *of, int dir_fd, const char *name, struct err *e)
{
	auto_buf text = { .max = DEFINITION_MAX + 1 };
	struct lines l;
	const int r = read_file(dir_fd, name, &text, e);

	(void)of;
	if (r < 0)
		return r;
	lines_init(&l, &text);
	(void)printf("%s: approved\n", name);
	if (!l.ends.failed)
		show_lines("    ", &l, 0, l.n);
	buf_finish(&l.ends);
	return 0;
}

/* Nothing that waits is said, too: it is another thing than a server that nobody has. */
static int say_none(const struct guard_pins *p, const char *server, struct err *e)
{
	unsigned waits = 0, pinned = 0;
	int r = each(p->waits_fd, count_one, &waits, e);

	r = r < 0 ? r : each(p->alike_fd, count_one, &waits, e);
	r = r < 0 ? r : each(p->pinned_fd, count_one, &pinned, e);
	if (r < 0 || waits > 0)
		return r;
	if (pinned == 0)
		(void)printf("%s: no tool of a server of that name was seen yet\n", server);
	else
		(void)printf("%s: %u tool%s approved, and none waits\n", server, pinned, pinned == 1 ? " is" : "s are");
	return 0;
}

int guard_pins_show(const struct guard_pins *p, const char *server, bool all, struct err *e)
{
	void *of = (void *)(uintptr_t)p; /* only read */
	int r = all ? each(p->pinned_fd, show_approved, of, e) : 0;

	r = r < 0 ? r : say_none(p, server, e);
	r = r < 0 ? r : each(p->waits_fd, show_waiting, of, e);
	return r < 0 ? r : each(p->alike_fd, show_alike, of, e);
}

struct approving {
	const struct guard_pins *p;
	const char *tool;
	unsigned n;
};

static int approve_one(void *of, int dir_fd, const char *name, struct err *e)
{
	struct approving *a = of;
	auto_buf is = { .max = DEFINITION_MAX + 1 }, seen = { .max = DEFINITION_MAX + 1 };
	unsigned n = 0;
	int r;

	if (a->tool != NULL && strcmp(a->tool, name) != 0)
		return 0;
	a->n++;
	r = read_file(dir_fd, name, &is, e);
	if (r < 0)
		return r;
	r = read_file(a->p->shown_fd, name, &seen, e);
	if (r < 0 && r != -AMBIT_NOT_FOUND)
		return r;
	if (r < 0 || seen.len != is.len || is.len == 0 || memcmp(seen.data, is.data, is.len) != 0)
		return err_set(e, AMBIT_DENIED, "`ambit guard --pins SERVER` shows it",
			       "the definition of '%.64s' that waits is not one that was shown", name);
	r = each(a->p->pinned_fd, count_one, &n, e);
	if (r == 0 && n >= GUARD_PINS_MAX && !is_there(a->p->pinned_fd, name))
		r = err_set(e, AMBIT_LIMIT, "approve those that you use by their names",
			    "'%.64s' is not approved: %d tools of the server are, and no more can be", name,
			    GUARD_PINS_MAX);
	r = r < 0 ? r : write_file(a->p->pinned_fd, name, seen.data, seen.len, e);
	if (r < 0)
		return r;
	(void)unlinkat(dir_fd, name, 0); /* what came in between will come again */
	(void)unlinkat(a->p->shown_fd, name, 0);
	(void)printf("approved: %s\n", name);
	return 0;
}

static int like_one(void *of, int dir_fd, const char *name, struct err *e)
{
	struct approving *a = of;

	if (a->tool != NULL && strcmp(a->tool, name) != 0)
		return 0;
	a->n++;
	return like(a->p, dir_fd, name, e);
}

int guard_pins_approve(const struct guard_pins *p, const char *tool, struct err *e)
{
	struct approving a = { .p = p, .tool = tool };
	int r = each(p->waits_fd, approve_one, &a, e);

	r = r < 0 ? r : each(p->alike_fd, like_one, &a, e);
	if (r == 0 && a.n == 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit guard --pins SERVER` lists what does",
			       "nothing%s%.64s waits for approval", tool != NULL ? " of " : "",
			       tool != NULL ? tool : "");
	return r;
}
