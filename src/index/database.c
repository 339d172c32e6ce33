#include "index/database.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/walk.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "ledger/layout.h"

#define HEAP_MAX (96 << 20) /* bytes, of all that SQLite takes */
#define CACHE_KIB "-32768"  /* of that, pages */
#define NAMES_KEPT 64u      /* ids whose number is remembered while the index is made: events that run at once */
#define COPY_STEP (256u << 10)
#define SQL_MAX 640
#define PATH_SIZE (GRANT_OBJECT_MAX + 32)

/* The form. What is looked up most is one event, and what was denied. */
static const char *const schema[] = {
	"CREATE TABLE log(size INTEGER NOT NULL, root BLOB NOT NULL)",
	"CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
	("CREATE TABLE entry(seq INTEGER PRIMARY KEY, wall INTEGER NOT NULL, type INTEGER NOT NULL, denied INTEGER NOT NULL, "
	 "event INTEGER, granted INTEGER)"),
	"CREATE INDEX entry_event ON entry(event) WHERE event IS NOT NULL",
	"CREATE INDEX entry_granted ON entry(granted) WHERE granted IS NOT NULL",
	"CREATE INDEX entry_type ON entry(type)",
	"CREATE INDEX entry_wall ON entry(wall)",
	"CREATE INDEX entry_denied ON entry(denied) WHERE denied = 1",
};

#define STATEMENTS (sizeof schema / sizeof schema[0])
#define TABLES 3u /* of them: they are made first, and the rest when the rows are there */

struct database {
	sqlite3 *db;
	uint64_t size;
	char path[PATH_SIZE];
};

static int failed(sqlite3 *db, struct err *e, const char *what)
{
	return err_why(e, err_set(e, AMBIT_SYSTEM, NULL, "%s", what), "%s", sqlite3_errmsg(db));
}

/* ---- opening ---- */

static void set_once(void)
{
	static bool is_set;

	if (!is_set)
		(void)sqlite3_hard_heap_limit64(HEAP_MAX);
	is_set = true;
}

static bool run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* No file beside it, no map of it, nothing in it that does anything by itself. Defensive SQLite has a journal, so what is being made is not. */
static bool settle(sqlite3 *db, bool made)
{
	return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, !made, NULL) == SQLITE_OK &&
	       sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK &&
	       sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) == SQLITE_OK &&
	       sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) == SQLITE_OK &&
	       sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0) >= 0 &&
	       run(db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; "
		       "PRAGMA cache_size = " CACHE_KIB "; PRAGMA locking_mode = EXCLUSIVE");
}

/* One to read is taken as it stands, whatever lies beside it: as immutable, which only an address can say. */
static void put_address(const char *path, bool made, struct buf *out)
{
	buf_printf(out, "file:");
	for (const char *c = path; *c != 0; c++)
		buf_printf(out, *c == '/' ? "%c" : "%%%02x", (unsigned char)*c);
	buf_printf(out, made ? "?mode=rw" : "?mode=ro&immutable=1");
}

/* made: to be written, and else read. */
static sqlite3 *open_file(const char *path, bool made)
{
	const int flags = made ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	auto_buf address = { .max = 3 * PATH_SIZE + 64 };
	sqlite3 *db = NULL;

	set_once();
	put_address(path, made, &address);
	if (buf_cstr(&address) != NULL &&
	    sqlite3_open_v2((const char *)address.data, &db,
			    flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE,
			    "unix-none") == SQLITE_OK &&
	    settle(db, made))
		return db;
	(void)sqlite3_close(db);
	return NULL;
}

static sqlite3_stmt *prepared(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *q = NULL;

	return sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK ? q : NULL;
}

/* Whether it has the statements of ours, in their order, and no others. */
static bool has_schema(sqlite3 *db)
{
	sqlite3_stmt *q = prepared(db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid");
	size_t n = 0;
	bool same = q != NULL;

	while (same && sqlite3_step(q) == SQLITE_ROW) {
		const char *sql = (const char *)sqlite3_column_text(q, 0);

		same = n < STATEMENTS && sql != NULL && strcmp(sql, schema[n]) == 0;
		n++;
	}
	(void)sqlite3_finalize(q);
	return same && n == STATEMENTS;
}

static bool read_state(sqlite3 *db, uint64_t *ret_size, struct hash *ret_root)
{
	sqlite3_stmt *q = prepared(db, "SELECT size, root FROM log");
	bool good = false;

	if (q != NULL && sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int64(q, 0) > 0 &&
	    sqlite3_column_bytes(q, 1) == HASH_BYTES) {
		*ret_size = (uint64_t)sqlite3_column_int64(q, 0);
		memcpy(ret_root->bytes, sqlite3_column_blob(q, 1), HASH_BYTES);
		good = sqlite3_step(q) == SQLITE_DONE;
	}
	(void)sqlite3_finalize(q);
	return good;
}

/* The root of the first so many entries, by the hashes that there are. */
static bool root_at(const struct snapshot *s, uint64_t size, struct hash *ret)
{
	return size <= s->size && snapshot_root(s, size, ret, NULL) == 0;
}

static const char *judge(sqlite3 *db, const struct snapshot *s, uint64_t *ret_size)
{
	struct hash kept, is;

	if (!has_schema(db) || !read_state(db, ret_size, &kept))
		return "it is none of this version";
	return root_at(s, *ret_size, &is) && hash_is(&kept, &is) ? NULL
								 : "it is of another log, or of what the log was";
}

static bool path_of(const char *dir, const char *name, char ret[PATH_SIZE])
{
	return snprintf(ret, PATH_SIZE, "%s/%s", dir, name) < PATH_SIZE;
}

struct database *database_open(const char *dir, const struct snapshot *s, struct err *why)
{
	struct database *d = calloc(1, sizeof *d);
	const char *wrong = "there is none";
	struct stat st;

	if (d == NULL || !path_of(dir, LEDGER_INDEX_FILE, d->path)) {
		free(d);
		(void)err_set(why, AMBIT_MEMORY, NULL, "no memory for the index");
		return NULL;
	}
	if (lstat(d->path, &st) == 0 && S_ISREG(st.st_mode)) {
		d->db = open_file(d->path, false);
		wrong = d->db == NULL ? "it cannot be opened" : judge(d->db, s, &d->size);
	}
	if (wrong == NULL)
		return d;
	(void)err_set(why, AMBIT_NOT_FOUND, NULL, "%s", wrong);
	database_close(d);
	return NULL;
}

void database_close(struct database *d)
{
	if (d == NULL)
		return;
	(void)sqlite3_close(d->db);
	free(d);
}

uint64_t database_size(const struct database *d)
{
	return d->size;
}

/* ---- making ---- */

struct making {
	sqlite3 *db;
	sqlite3_stmt *entry, *name, *number;
	struct {
		char text[ID_TEXT_MAX];
		int64_t number;
	} kept[NAMES_KEPT];
	const struct snapshot *s;
	verify_progress_fn *progress;
	struct err *e;
};

/* The number of an id, which is put in where it is missing. 0: it failed. */
static int64_t number_of(struct making *m, const char *text)
{
	const size_t slot = (size_t)(unsigned char)text[ID_LEN - 1] % NAMES_KEPT;
	int64_t number = 0;

	if (strcmp(m->kept[slot].text, text) == 0)
		return m->kept[slot].number;
	if (sqlite3_bind_text(m->name, 1, text, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(m->name) == SQLITE_DONE &&
	    sqlite3_bind_text(m->number, 1, text, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(m->number) == SQLITE_ROW)
		number = sqlite3_column_int64(m->number, 0);
	(void)sqlite3_reset(m->name);
	(void)sqlite3_reset(m->number);
	memcpy(m->kept[slot].text, text, ID_TEXT_MAX);
	m->kept[slot].number = number;
	return number;
}

static bool bind_name(struct making *m, int column, const char *text)
{
	const int64_t number = text[0] == 0 ? 0 : number_of(m, text);

	return text[0] == 0 ? sqlite3_bind_null(m->entry, column) == SQLITE_OK
			    : number != 0 && sqlite3_bind_int64(m->entry, column, number) == SQLITE_OK;
}

static int put_one(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n)
{
	struct making *m = arg;
	struct entry entry;
	bool good;

	(void)is_signed; /* all of them are */
	if (entry_take(bytes, n, &entry, NULL) < 0 || entry.seq != index)
		return err_set(m->e, AMBIT_MALFORMED, NULL, "entry %" PRIu64 " is none", index);
	good = sqlite3_bind_int64(m->entry, 1, (int64_t)index) == SQLITE_OK &&
	       sqlite3_bind_int64(m->entry, 2, (int64_t)entry.wall_ms) == SQLITE_OK &&
	       sqlite3_bind_int(m->entry, 3, (int)entry.type) == SQLITE_OK &&
	       sqlite3_bind_int(m->entry, 4, wanted_was_denied(&entry)) == SQLITE_OK && bind_name(m, 5, entry.event) &&
	       bind_name(m, 6, entry.grant) && sqlite3_step(m->entry) == SQLITE_DONE;
	(void)sqlite3_reset(m->entry);
	if (m->progress != NULL && index % 4096 == 0)
		m->progress(NULL, index, m->s->size);
	return good ? 0 : failed(m->db, m->e, "cannot write the index");
}

static int put_all(struct making *m, uint64_t from)
{
	struct walk_result w = { .unread = 0 };
	int r;

	m->entry = prepared(m->db, "INSERT INTO entry VALUES(?, ?, ?, ?, ?, ?)");
	m->name = prepared(m->db, "INSERT INTO name(text) VALUES(?) ON CONFLICT DO NOTHING");
	m->number = prepared(m->db, "SELECT id FROM name WHERE text = ?");
	r = m->entry == NULL || m->name == NULL || m->number == NULL ? failed(m->db, m->e, "cannot write the index")
								     : walk_from(m->s, from, put_one, m, &w);
	(void)sqlite3_finalize(m->entry);
	(void)sqlite3_finalize(m->name);
	(void)sqlite3_finalize(m->number);
	return r == 0 && w.unread > 0
		       ? err_set(m->e, AMBIT_MALFORMED, NULL, "entry %" PRIu64 " cannot be read", w.unread_at)
		       : r;
}

static bool put_state(struct making *m)
{
	sqlite3_stmt *q = NULL;
	struct hash root;
	bool good = root_at(m->s, m->s->size, &root) && run(m->db, "DELETE FROM log");

	if (good)
		q = prepared(m->db, "INSERT INTO log VALUES(?, ?)");
	good = q != NULL && sqlite3_bind_int64(q, 1, (int64_t)m->s->size) == SQLITE_OK &&
	       sqlite3_bind_blob(q, 2, root.bytes, HASH_BYTES, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_step(q) == SQLITE_DONE;
	(void)sqlite3_finalize(q);
	return good;
}

static bool make_tables(sqlite3 *db, size_t from, size_t to)
{
	bool good = true;

	for (size_t i = from; i < to && good; i++)
		good = run(db, schema[i]);
	return good;
}

/* In one transaction without a journal: a file that is not whole has not its name yet. */
static int fill(struct making *m, uint64_t from)
{
	int r = run(m->db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN") &&
				make_tables(m->db, 0, from == 0 ? TABLES : 0)
			? 0
			: failed(m->db, m->e, "cannot begin the index");

	r = r < 0 ? r : put_all(m, from);
	if (r == 0 &&
	    !(make_tables(m->db, from == 0 ? TABLES : STATEMENTS, STATEMENTS) && put_state(m) && run(m->db, "COMMIT")))
		r = failed(m->db, m->e, "cannot write the index");
	return r;
}

static int copy(int from, int to)
{
	auto_free uint8_t *room = malloc(COPY_STEP);
	ssize_t n = room == NULL ? -ENOMEM : 1;
	int r = 0;

	while (n > 0 && r == 0) {
		n = fd_read_all(from, room, COPY_STEP);
		r = n > 0 ? fd_write_all(to, room, (size_t)n) : (int)n;
	}
	return r;
}

static int begin_file(const char *path, const struct database *old, struct err *e)
{
	auto_fd int fd = -1, from = -1;
	int r = 0;

	(void)unlinkat(AT_FDCWD, path, 0); /* of a death */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make the index");
	if (old != NULL) {
		from = open(old->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		r = from < 0 ? -errno : copy(from, fd);
	}
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot copy the index") : 0;
}

static int end_file(const char *path, const char *name, struct err *e)
{
	auto_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 || renameat(AT_FDCWD, path, AT_FDCWD, name) < 0
		       ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot keep the index")
		       : 0;
}

int database_make(const char *dir, const struct snapshot *s, const struct database *old, verify_progress_fn *progress,
		  struct err *e)
{
	auto_free struct making *m = calloc(1, sizeof *m);
	char new[PATH_SIZE], name[PATH_SIZE];
	int r;

	if (m == NULL || !path_of(dir, INDEX_NEW, new) || !path_of(dir, LEDGER_INDEX_FILE, name))
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the index");
	m->s = s;
	m->progress = progress;
	m->e = e;
	r = begin_file(new, old, e);
	if (r < 0)
		return r;
	m->db = open_file(new, true);
	r = m->db == NULL ? err_set(e, AMBIT_SYSTEM, NULL, "cannot open the new index")
			  : fill(m, old != NULL ? old->size : 0);
	if (sqlite3_close(m->db) != SQLITE_OK && r == 0)
		r = err_set(e, AMBIT_SYSTEM, NULL, "cannot close the new index");
	r = r < 0 ? r : end_file(new, name, e);
	if (r < 0)
		(void)unlinkat(AT_FDCWD, new, 0);
	return r;
}

/* ---- asking ---- */

static void add(char sql[SQL_MAX], bool wanted, const char *condition)
{
	const size_t n = strlen(sql);

	if (wanted)
		(void)snprintf(sql + n, SQL_MAX - n, "%s %s", strstr(sql, "WHERE") == NULL ? " WHERE" : " AND",
			       condition); /* they fit */
}

static void make_sql(const struct wanted *w, bool last, char sql[SQL_MAX])
{
	/* each character of an id is less than '~' */
	(void)snprintf(sql, SQL_MAX, "SELECT seq FROM entry");
	add(sql, w->event[0] != 0, "event IN (SELECT id FROM name WHERE text >= :event AND text < :event || '~')");
	add(sql, w->grant[0] != 0, "granted IN (SELECT id FROM name WHERE text >= :grant AND text < :grant || '~')");
	add(sql, w->denied, "denied = 1");
	add(sql, w->since_ms != 0, "wall >= :since");
	add(sql, w->until_ms != 0, "wall < :until");
	add(sql, !w->any_type, "type = :type");
	(void)snprintf(sql + strlen(sql), SQL_MAX - strlen(sql), " ORDER BY seq %s LIMIT :most", last ? "DESC" : "ASC");
}

/* What the statement does not have is not given. */
static bool give_text(sqlite3_stmt *q, const char *name, const char *text)
{
	const int at = sqlite3_bind_parameter_index(q, name);

	return at == 0 || sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC) == SQLITE_OK;
}

/* A time that is no signed number is after all others. */
static bool give_number(sqlite3_stmt *q, const char *name, uint64_t v)
{
	const int at = sqlite3_bind_parameter_index(q, name);

	return at == 0 || sqlite3_bind_int64(q, at, v > INT64_MAX ? INT64_MAX : (int64_t)v) == SQLITE_OK;
}

static bool give_all(sqlite3_stmt *q, const struct wanted *w, uint32_t most)
{
	return give_text(q, ":event", w->event) && give_text(q, ":grant", w->grant) &&
	       give_number(q, ":since", w->since_ms) && give_number(q, ":until", w->until_ms) &&
	       give_number(q, ":type", w->type) && give_number(q, ":most", most);
}

static void turn_round(uint64_t *numbers, uint32_t n)
{
	for (uint32_t i = 0; i < n / 2; i++) {
		const uint64_t one = numbers[i];

		numbers[i] = numbers[n - 1 - i];
		numbers[n - 1 - i] = one;
	}
}

int database_numbers(struct database *d, const struct wanted *w, bool last, uint32_t most, uint64_t *ret)
{
	char sql[SQL_MAX];
	sqlite3_stmt *q;
	uint32_t n = 0;
	int got = SQLITE_ERROR;

	make_sql(w, last, sql);
	q = prepared(d->db, sql);
	if (q != NULL && give_all(q, w, most))
		while ((got = sqlite3_step(q)) == SQLITE_ROW && n < most) {
			const int64_t seq = sqlite3_column_int64(q, 0);

			if (seq < 0 || (uint64_t)seq >= d->size)
				break;
			ret[n++] = (uint64_t)seq;
		}
	(void)sqlite3_finalize(q);
	if (last)
		turn_round(ret, n);
	return got == SQLITE_DONE ? (int)n : -EIO;
}
