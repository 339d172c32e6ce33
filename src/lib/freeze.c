#include "lib/freeze.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/fd.h"
#include "base/text.h"
#include "cell/spec.h"
#include "lib/daemon.h"
#include "lib/stage.h"
#include "lib/state.h"

#define COMMITS_MS 10000

int freeze_place(char ret[GRANT_OBJECT_MAX], struct err *e)
{
	if (access("/" CELL_MARK, F_OK) == 0)
		return err_set(e, AMBIT_UNAVAILABLE, "say it outside",
			       "this is a cell: it holds no other, and cannot hold itself");
	return state_path("frozen", ret, GRANT_OBJECT_MAX) == 0
		       ? 0
		       : err_set(e, AMBIT_HOST, "set HOME or XDG_STATE_HOME to an absolute path",
				 "there is no place to write down what is frozen");
}

/* ---- which it is ---- */

struct found {
	const char *word;
	char what[ID_TEXT_MAX];
	unsigned n; /* different ones */
};

static void consider(struct found *f, const char *id)
{
	if (strncmp(id, f->word, strlen(f->word)) != 0 || strcmp(id, f->what) == 0)
		return;
	f->n++;
	(void)text_copy(f->what, sizeof f->what, id); /* an id fits */
}

static void consider_frozen(void *user, const struct frozen *frozen)
{
	consider(user, frozen->what);
}

static void consider_sessions(struct found *f)
{
	char path[GRANT_OBJECT_MAX];
	struct dirent *entry;
	DIR *d = state_path("sessions", path, sizeof path) < 0 ? NULL : opendir(path);

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (id_is('s', entry->d_name, strlen(entry->d_name)))
			consider(f, entry->d_name);
	if (d != NULL)
		(void)closedir(d);
}

static int consider_running(struct found *f, struct err *e)
{
	struct held_events h = { .list = NULL };
	const int r = freeze_gather(FROZEN_ALL, &h, e);

	if (r == 0 && strcmp(f->word, "last") == 0 && h.n > 0) {
		f->n = 1;
		(void)text_copy(f->what, sizeof f->what, h.list[0].run.event); /* an id fits */
	}
	for (size_t i = 0; i < h.n; i++) {
		consider(f, h.list[i].run.event);
		consider(f, h.list[i].told.session);
	}
	freeze_part(&h);
	return r;
}

int freeze_find(const char *word, char ret[ID_TEXT_MAX], struct err *e)
{
	struct found f = { .word = word };
	char place[GRANT_OBJECT_MAX];
	int r = freeze_place(place, e);

	r = r < 0 ? r : frozen_list(place, consider_frozen, &f, e);
	consider_sessions(&f);
	if (r == 0 && strcmp(f.what, word) != 0) /* of a whole id there is one, and supervisors are asked in vain */
		r = consider_running(&f, e);
	if (r < 0)
		return r;
	if (f.n == 0 || strcmp(f.what, FROZEN_ALL) == 0)
		return err_set(e, AMBIT_NOT_FOUND,
			       "`ambit grant list` shows events that run, `ambit session list` sessions",
			       "no session of yours, and no event that runs, is %s", word);
	if (f.n > 1)
		return err_set(e, AMBIT_CONFLICT, "give more of it", "%s begins more than one", word);
	memcpy(ret, f.what, sizeof f.what);
	return 0;
}

/* ---- those that run ---- */

static bool is_of_one(const struct held_event *ev, const struct held_event *older, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (older[i].is_meant && strcmp(ev->told.parent, older[i].run.event) == 0)
			return true;
	return false;
}

static bool is_meant(const struct held_event *ev, const char *what, const struct stat *place)
{
	if (ev->told.dev != place->st_dev || ev->told.ino != place->st_ino)
		return false;
	return strcmp(what, FROZEN_ALL) == 0 || strcmp(what, ev->told.session) == 0 || strcmp(what, ev->run.event) == 0;
}

/* One that ended meanwhile is none. */
static bool reach(const char *event, struct held_event *ret)
{
	memset(ret, 0, sizeof *ret);
	if (running_find(event, &ret->run, NULL) < 0)
		return false;
	if (running_event(&ret->run, &ret->told, &ret->why) == 0)
		return true;
	running_finish(&ret->run);
	return false;
}

/* Sub-agents began later than who asked for them. */
static void keep_meant(struct held_events *h, const char *what, const struct stat *place)
{
	size_t kept = 0;

	for (size_t i = h->n; i-- > 0;)
		h->list[i].is_meant = is_meant(&h->list[i], what, place) ||
				      is_of_one(&h->list[i], h->list + i + 1, h->n - i - 1);
	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].is_meant)
			h->list[kept++] = h->list[i];
		else
			running_finish(&h->list[i].run);
	h->n = kept;
}

/* The latest first: sub-agents before who began them, and the one that was named last. None is begun behind us: who is asked for by one that is frozen by a
 * word looks for that word (supervisor/main.c). */
int freeze_gather(const char *what, struct held_events *ret, struct err *e)
{
	struct held_events h = { .list = NULL };
	struct running_list l = { .events = NULL };
	char place[GRANT_OBJECT_MAX];
	struct stat st = { .st_ino = 0 };
	auto_fd int fd = -1;
	int r = freeze_place(place, e);

	fd_allow_many();
	r = r < 0 ? r : running_list(&l, e);
	if (r < 0)
		return r;
	/* made, so that ours is not mistaken for another that is not there, either: where it cannot be, they are all there is to go by */
	if (directory_open_own(place, &fd) < 0 || fstat(fd, &st) < 0)
		st = (struct stat){ .st_ino = 0 };
	h.list = calloc(l.n + 1, sizeof *h.list);
	for (size_t i = 0; h.list != NULL && i < l.n; i++)
		h.n += reach(l.events[i].event, &h.list[h.n]);
	running_list_finish(&l);
	if (h.list == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the events");
	keep_meant(&h, what, &st);
	*ret = h;
	return 0;
}

void freeze_part(struct held_events *h)
{
	for (size_t i = 0; i < h->n; i++)
		running_finish(&h->list[i].run);
	free(h->list);
	*h = (struct held_events){ .list = NULL };
}

static void wait_for_all(struct held_events *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].why.code == AMBIT_OK)
			(void)running_held(&h->list[i].run, &h->list[i].held, &h->list[i].why);
}

void freeze_events(struct held_events *h, const char *reason)
{
	for (size_t i = 0; i < h->n; i++)
		(void)running_ask_freeze(&h->list[i].run, reason, &h->list[i].why); /* which says so */
	wait_for_all(h);
}

void thaw_events(struct held_events *h)
{
	for (size_t i = 0; i < h->n; i++)
		(void)running_ask_thaw(&h->list[i].run, &h->list[i].why);
	wait_for_all(h);
}

void kill_events(struct held_events *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].why.code == AMBIT_OK && h->list[i].held.result != REACH_ENDED)
			(void)running_ask_kill(&h->list[i].run, &h->list[i].why);
	for (size_t i = 0; i < h->n; i++)
		if (h->list[i].why.code == AMBIT_OK && h->list[i].held.result != REACH_ENDED)
			(void)running_held(&h->list[i].run, &h->list[i].held, &h->list[i].why);
}

/* ---- what is not a cell ---- */

int freeze_commits(struct err *e)
{
	char store[GRANT_OBJECT_MAX];
	auto_fd int fd = stage_store_path(store, sizeof store) < 0 ? -1
								   : open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int r = fd < 0 ? 0 : fd_lock(fd, COMMITS_MS); /* all commits of a person are under it (stage/turn.c) */

	if (r == 0)
		return 0;
	return err_why(e,
		       err_set(e, AMBIT_LIMIT, "wait until it has ended: `ambit stage list`; none begins any more",
			       "not everything stands still"),
		       "a commit that began before goes on");
}

/* Those that wait. */
static int cancel_in(struct daemon_link *d, const char *session, struct err *e)
{
	static struct daemon_channel c;
	struct daemon_news news = { .what = WIRE_SESSION_ROW };
	uint64_t waiting[256];
	unsigned n = 0;
	int r = daemon_open(d, session, &c, e);

	r = r < 0 ? r : daemon_events(&c, 1, DAEMON_LIVE, e);
	while (r >= 0 && news.what != WIRE_SESSION_DONE) {
		r = daemon_hear(&c, -1, &news, e);
		if (r > 0 && news.what == WIRE_SESSION_ROW && news.row.state == EVENT_TAKEN &&
		    n < sizeof waiting / sizeof waiting[0])
			waiting[n++] = news.row.n;
	}
	for (unsigned i = 0; i < n && r >= 0; i++)
		r = daemon_tell(&c, WIRE_SESSION_CANCEL, waiting[i], 0, 0, e);
	daemon_part(&c);
	return r < 0 ? r : (int)n;
}

static int cancel_everywhere(struct daemon_link *d, struct err *e)
{
	auto_free struct session_row *rows = calloc(SERVE_PAGE, sizeof *rows);
	char after[ID_TEXT_MAX] = "";
	int n = SERVE_PAGE, sum = 0, r = 0;

	if (rows == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list of sessions");
	while (n == SERVE_PAGE && r >= 0) {
		n = daemon_list(d, after, rows, e);
		for (int i = 0; i < n && r >= 0; i++) {
			r = rows[i].running > 0 ? cancel_in(d, rows[i].session, e) : 0;
			sum += r > 0 ? r : 0;
		}
		if (n > 0)
			memcpy(after, rows[n - 1].session, sizeof after);
	}
	return n < 0 ? n : r < 0 ? r : sum;
}

int freeze_cancel(const char *what, struct err *e)
{
	static struct daemon_link d;
	int r = daemon_connect(&d, false, e);

	if (r == -AMBIT_NOT_FOUND)
		return 0;
	if (r == 0)
		r = strcmp(what, FROZEN_ALL) == 0 ? cancel_everywhere(&d, e) : cancel_in(&d, what, e);
	daemon_leave(&d);
	return r;
}
