#include "lib/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "lib/event.h"
#include "lib/halter.h"
#include "lib/revoke.h"
#include "lib/state.h"

#define LIST "list"
#define WHAT "the directory of your canaries"

static bool is_nowhere(int sys_errno)
{
	return sys_errno == ENOENT || sys_errno == ENOTDIR;
}

/* ---- a file ---- */

int canary_measure(struct canary *c)
{
	auto_fd int fd = open(c->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t bytes[CANARY_SIZE_MAX + 1];
	struct sha256 sum;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > CANARY_SIZE_MAX)
		return -EFBIG;
	n = fd_read_all(fd, bytes, sizeof bytes);
	if (n < 0 || n != st.st_size)
		return n < 0 ? (int)n : -EAGAIN;
	sha256_init(&sum);
	sha256_add(&sum, bytes, (size_t)n);
	sha256_end(&sum, c->sha256);
	c->device = st.st_dev;
	c->inode = st.st_ino;
	c->size = (uint64_t)st.st_size;
	return 0;
}

enum canary_state canary_look(const struct canary *c)
{
	struct canary now = *c;
	struct stat st;

	if (lstat(c->path, &st) < 0)
		return is_nowhere(errno) ? CANARY_GONE : CANARY_REPLACED;
	if (S_ISREG(st.st_mode) && st.st_dev == c->device && st.st_ino == c->inode && (uint64_t)st.st_size == c->size)
		return CANARY_THERE;
	return canary_measure(&now) == 0 && memcmp(now.sha256, c->sha256, SHA256_BYTES) == 0 ? CANARY_THERE
											     : CANARY_REPLACED;
}

/* ---- the list ---- */

bool canaries_place(const char *store, char ret[STANDING_PATH_MAX])
{
	const char *last = strrchr(store, '/');

	return store[0] == '/' && snprintf(ret, STANDING_PATH_MAX, "%.*s/" CANARIES_DIRECTORY, (int)(last - store),
					   store) < STANDING_PATH_MAX;
}

static int place_of(const char *store, char ret[STANDING_PATH_MAX], struct err *e)
{
	if (store == NULL ? state_path(CANARIES_DIRECTORY, ret, STANDING_PATH_MAX) == 0 : canaries_place(store, ret))
		return 0;
	return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME", "there is no place for canaries");
}

static int load_from(int dir_fd, struct canaries *ret, struct err *e)
{
	auto_free char *text = malloc(CANARIES_TEXT_MAX + 1);
	int r = text == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory for canaries")
			     : own_check(dir_fd, geteuid(), WHAT, e);

	ret->n = 0;
	r = r < 0 ? r : own_read(dir_fd, geteuid(), LIST, true, text, CANARIES_TEXT_MAX + 1, e);
	if (r == OWN_MISSING)
		return 0;
	if (r > CANARIES_TEXT_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "the list of canaries is longer than %d bytes", CANARIES_TEXT_MAX);
	return r < 0 ? r : canaries_read(text, (size_t)r, ret, e);
}

int canaries_load(const char *store, struct canaries *ret, struct err *e)
{
	char place[STANDING_PATH_MAX];
	auto_fd int dir_fd = -1;
	const int r = place_of(store, place, e);

	ret->n = 0;
	if (r < 0)
		return r;
	dir_fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return is_nowhere(errno) ? 0
					 : err_sys(e, AMBIT_SYSTEM, errno, "see who may look there",
						   "cannot tell which canaries there are: %s", place);
	return load_from(dir_fd, ret, e);
}

int canaries_change(int (*change)(void *of, struct canaries *c, struct err *e), void *of, struct err *e)
{
	auto_free struct canaries *c = calloc(1, sizeof *c);
	auto_buf text = { .max = CANARIES_TEXT_MAX };
	char place[STANDING_PATH_MAX];
	auto_fd int dir_fd = -1, lock_fd = -1;
	int r;

	if (c == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for canaries");
	r = place_of(NULL, place, e);
	r = r < 0 ? r : state_open(place, &dir_fd, e);
	r = r < 0 ? r : own_lock(dir_fd, WHAT, &lock_fd, e);
	r = r < 0 ? r : load_from(dir_fd, c, e);
	r = r < 0 ? r : change(of, c, e);
	if (r < 0)
		return r;
	canaries_write(c, &text);
	if (text.failed)
		return err_set(e, AMBIT_LIMIT, NULL, "no room for the list of canaries");
	return own_write(dir_fd, LIST, text.data, text.len, e);
}

/* ---- an event ---- */

int canaries_watch(struct event_request *q, uint8_t way, struct err *e)
{
	auto_free struct canaries *c = NULL;
	char place[STANDING_PATH_MAX];
	int r;

	q->n_decoys = 0;
	q->canary = way != POLICY_CANARY_UNSAID ? way : POLICY_CANARY_KILL;
	if (!canaries_place(q->store, place) || (access(place, F_OK) < 0 && is_nowhere(errno)))
		return 0;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for canaries");
	r = canaries_load(q->store, c, e);
	for (uint32_t i = 0; r == 0 && i < c->n; i++) {
		if (canary_look(&c->list[i]) == CANARY_REPLACED)
			continue;
		q->decoy_sizes[q->n_decoys] = c->list[i].size;
		memcpy(q->decoys[q->n_decoys++], c->list[i].path, CANARY_PATH_MAX); /* of the same size */
	}
	return r;
}

void canaries_touched(struct ambit_event *ev, uint64_t touched)
{
	struct event_result *r = &ev->result;

	r->canaries = touched == 0 ? NULL : calloc(CANARIES_MAX, sizeof *r->canaries);
	for (uint32_t i = 0; r->canaries != NULL && i < ev->request->n_decoys; i++)
		if ((touched >> i & 1) != 0 && (r->canaries[r->n_canaries] = strdup(ev->request->decoys[i])) != NULL)
			r->n_canaries++;
	if (r->cause ==
	    CAUSE_CANARY) /* and not which: what asked for the event may hear this, and that only a person's record */
		(void)err_set(&r->error, AMBIT_DENIED, "`ambit explain` and its id say to a person which",
			      "it touched a canary, and was ended");
}

void canaries_freeze(const char *session)
{
	struct link_halt q = { .deed = HALT_FREEZE, .reason = "an event touched a canary" };
	struct err e;

	if (session[0] != 0 && text_copy(q.what, sizeof q.what, session))
		(void)halter_do(&q, &e); /* `ambit ps` says what became of it */
}

void canaries_settle(struct ambit_event *ev)
{
	if (ev->result.cause != CAUSE_CANARY)
		return;
	if (ev->request->canary == POLICY_CANARY_FREEZE)
		canaries_freeze(ev->result.session);
	revoke_stream(ev->request, &ev->result);
}
