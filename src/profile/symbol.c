#include "profile/symbol.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/address.h"
#include "core/endpoint.h"
#include "judge/protected.h"
#include "stage/hidden.h"

#define PART_MAX 20 /* bytes of a component that are told */

/* ---- texts that are bounded ---- */

static void put(char *out, const char *text)
{
	const size_t at = strlen(out), n = strnlen(text, SYMBOL_MAX - 1 - at);

	memcpy(out + at, text, n);
	out[at + n] = 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters, digits and what names of systems are made of; all else is told as one `_`. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
	       (c != 0 && strchr("._-+@~", c) != NULL);
}

/* A component of a path: numbers in it are `#`. */
static void put_part(char *out, const char *part, size_t n)
{
	char told[PART_MAX + 1];
	size_t at = 0;

	for (size_t i = 0; i < n && at < PART_MAX; i++) {
		const char c = is_digit(part[i]) ? '#' : is_plain(part[i]) ? part[i] : '_';

		if (at == 0 || c != told[at - 1] || (c != '#' && c != '_'))
			told[at++] = c;
	}
	told[at] = 0;
	put(out, told);
}

static bool same(const char *part, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(part, word, n) == 0;
}

/* ---- the parts of a path ---- */

/* The next component behind `at`; n is 0 at the end. */
static const char *next_part(const char *at, size_t *ret_n)
{
	at += strspn(at, "/");
	*ret_n = strcspn(at, "/");
	return at;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* ---- classes of files ---- */

struct class_row {
	const char *word, *told;
	size_t n;
	bool whole; /* the name, and not its ending */
};

static const struct class_row class_rows[] = {
#define ENDING(e, c) { .word = (e), .told = (c), .n = sizeof(e) - 1 },
#define NAMED(e, c) { .word = (e), .told = (c), .n = sizeof(e) - 1, .whole = true },
#include "profile/endings.def"
#undef NAMED
#undef ENDING
};

static const char *class_by(const char *word, size_t n, bool whole)
{
	for (size_t i = 0; i < sizeof class_rows / sizeof class_rows[0]; i++)
		if (class_rows[i].n == n && class_rows[i].whole == whole &&
		    strncasecmp(class_rows[i].word, word, n) == 0)
			return class_rows[i].told;
	return NULL;
}

/* Libraries have their version behind the ending: libz.so.1.3. */
static bool is_library(const char *name)
{
	const char *so = strstr(name, ".so.");

	return so != NULL && is_digit(so[4]);
}

/* ".py"; nothing for a name without an ending. */
static void put_class(char *out, const char *path)
{
	const char *name = last_part(path), *dot = strrchr(name, '.');
	const char *told = class_by(name, strlen(name), true);

	if (told == NULL && is_library(name))
		told = "object";
	if (told == NULL && (dot == NULL || dot == name || dot[1] == 0))
		return;
	told = told != NULL ? told : class_by(dot + 1, strlen(dot + 1), false);
	put(out, ".");
	put(out, told != NULL ? told : "other");
}

/* ---- what a name says of a file ---- */

#define SECRET ".secret" /* it likely holds one: a cell hides it by that name */
#define OBEYED ".obeyed" /* other programs execute or obey it, and it is changed */

/* The tree is the first n bytes of path. By the tables that decide what a cell sees and what is held, or shown as "executes later"; what is judged by its content counts as obeyed. */
static const char *trait_of(const char *path, size_t n, const struct effect *f)
{
	char tree[CHANGE_PATH_MAX];
	struct name_case c = { .tree = tree,
			       .path = path + n + strspn(path + n, "/"),
			       .type = f->kind == EFFECT_MKDIR ? CHANGE_DIRECTORY : CHANGE_FILE,
			       .deleted = f->kind == EFFECT_DELETE };
	struct name_verdict verdict;

	if (hidden_path(path + n) != NULL)
		return SECRET;
	if (effect_right(f->kind) != RIGHT_WRITE || c.path[0] == 0 || n >= sizeof tree)
		return "";
	memcpy(tree, path, n);
	tree[n] = 0;
	protected_match(&c, &verdict);
	return verdict.held != HELD_NOT || verdict.later != 0 ? OBEYED : "";
}

/* ---- what lies beneath a directory of a person's ---- */

/* Directories that programs make in a tree, wherever in it; those whose names begin with a dot need no row. */
static const char *const inner[] = { "node_modules", "__pycache__", "site-packages", "vendor", NULL };
/* Directories of a home in which each program has its own: two components are told. */
static const char *const two[] = { ".config", ".local", ".cache", NULL };
/* In .git: what runs by itself, who is asked for what, and the rest. */
static const char *const git[] = { "hooks", "config", "objects", "refs", NULL };

static bool is_in(const char *part, size_t n, const char *const *list)
{
	for (; *list != NULL; list++)
		if (same(part, n, *list))
			return true;
	return false;
}

/* A name that begins with a dot, up to the next: what follows says whose or of which time it is (.coverage.host.4711, .env.local). */
static void put_dotted(char *out, const char *part, size_t n)
{
	size_t end = 1;

	while (end < n && part[end] != '.')
		end++;
	put_part(out, part, end);
}

/* The first component that programs name, "/.git" or "/node_modules"; false: there is none. */
static bool put_inner(char *out, const char *rest)
{
	size_t n, more;

	for (const char *at = next_part(rest, &n); n > 0; at = next_part(at + n, &n)) {
		if (at[0] != '.' && !is_in(at, n, inner))
			continue;
		put(out, "/");
		if (at[0] == '.')
			put_dotted(out, at, n);
		else
			put_part(out, at, n);
		rest = next_part(at + n, &more);
		if (same(at, n, ".git") && is_in(rest, more, git)) {
			put(out, "/");
			put_part(out, rest, more);
		}
		return true;
	}
	return false;
}

/* Of the directory itself its own name says nothing. */
static void put_tree(char *out, const char *word, const char *trait, const char *rest)
{
	put(out, word);
	put(out, trait);
	if (rest[0] != 0 && !put_inner(out, rest))
		put_class(out, rest);
}

/* "~/.ssh", "~/.config/git"; of other names only that they are in a home. */
static void put_home(char *out, const char *trait, const char *rest)
{
	size_t n, more;
	const char *at = next_part(rest, &n), *second = next_part(at + n, &more);

	if (at[0] != '.') {
		put_tree(out, "home", trait, rest);
		return;
	}
	put(out, "~/");
	put_dotted(out, at, n);
	if (is_in(at, n, two) && more > 0) {
		put(out, "/");
		put_part(out, second, more);
	}
	put(out, trait);
}

/* Of another's home, whose name says who it is. */
static void put_others_home(char *out, const char *rest)
{
	size_t n;
	const char *at = next_part(rest, &n);

	put(out, "/home");
	if (at[0] == '.') {
		put(out, "/");
		put_dotted(out, at, n);
	}
}

/* ---- the system ---- */

struct top_row {
	const char *name, *told;
	unsigned parts;
};

static const struct top_row top_rows[] = {
#define TOP(n, components, t) { .name = (n), .parts = (components), .told = (t) },
#include "profile/tops.def"
#undef TOP
};

static const struct top_row *find_top(const char *part, size_t n)
{
	for (size_t i = 0; i < sizeof top_rows / sizeof top_rows[0]; i++)
		if (same(part, n, top_rows[i].name))
			return &top_rows[i];
	return NULL;
}

/* A thread by its number is as good as `self`: both are whoever is meant. */
static void put_system(char *out, const struct top_row *top, const char *rest)
{
	size_t n;
	const char *at = next_part(rest, &n);

	put(out, "/");
	put(out, top->told);
	for (unsigned i = 1; i < top->parts && n > 0; i++, at = next_part(at + n, &n)) {
		put(out, "/");
		if (same(top->told, 3, "usr") &&
		    (same(at, n, "lib32") || same(at, n, "lib64") || same(at, n, "libx32")))
			put(out, "lib");
		else
			put_part(out, at, n);
	}
}

/* Places that a cell has of its own. False: it is none. */
static bool put_own(char *out, const char *path)
{
	static const struct {
		const char *where, *told;
	} places[] = { { "/tmp", "tmp" }, { "/var/tmp", "tmp" }, { "/dev/shm", "shm" } };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		const char *rest = path + strlen(places[i].where);
		const char *hidden;

		if (!path_is_beneath(path, places[i].where))
			continue;
		put(out, places[i].told);
		hidden = strstr(rest, "/.");
		if (hidden != NULL)
			put(out, "/."); /* names there are made up */
		else
			put_class(out, path);
		return true;
	}
	return false;
}

/* ---- paths ---- */

/* The grant of the nearest directory that it lies in; GRANT_NONE. */
static uint32_t granted_by(const struct grant_set *set, const char *path)
{
	uint32_t found = GRANT_NONE;

	for (uint32_t i = 0; i < set->count; i++) {
		const char *object = grant_object(set, i);

		if (set->grants[i].rights == 0 || object[0] != '/' || !path_is_beneath(path, object))
			continue;
		if (found == GRANT_NONE || set->grants[i].object_len > set->grants[found].object_len)
			found = i;
	}
	return found;
}

static bool is_home(const struct symbol_place *place, const char *path)
{
	return place->home != NULL && place->home[0] == '/' && place->home[1] != 0 &&
	       path_is_beneath(path, place->home);
}

static bool is_dot_of_home(const struct symbol_place *place, const char *path)
{
	return is_home(place, path) && strncmp(path + strlen(place->home), "/.", 2) == 0;
}

/* What lies in a tree that is granted. A tree of work says that it is one wherever it lies; else names in a home that begin with a dot say more, and
 * so do those of the system. False: it lies in none. */
static bool put_granted(const struct symbol_place *place, char *out, const char *path, const struct top_row *top,
			const struct effect *f)
{
	const uint32_t by = granted_by(place->grants, path);
	const struct grant *g = &place->grants->grants[by != GRANT_NONE ? by : 0];
	const char *object = by != GRANT_NONE ? grant_object(place->grants, by) : "/";
	size_t n = g->object_len;

	if (object[1] == 0)
		return false;
	if (is_dot_of_home(place, path) && (g->verb != VERB_WORK || path_is_beneath(place->home, object)))
		return false;
	if (top != NULL && (g->rights & RIGHT_WRITE) == 0)
		return false;
	if (g->verb != VERB_WORK && strlen(path) == n) /* most likely a file */
		n = (size_t)(strrchr(path, '/') - path);
	put_tree(out, (g->rights & RIGHT_WRITE) != 0 ? "work" : "given", trait_of(path, n, f), path + n);
	return true;
}

static void put_path(const struct symbol_place *place, char *out, const char *path, const struct effect *f)
{
	size_t n, user;
	const char *first = next_part(path, &n), *second = next_part(first + n, &user);
	const struct top_row *top = find_top(first, n);

	if (put_granted(place, out, path, top, f))
		return;
	if (is_home(place, path))
		put_home(out, trait_of(path, strlen(place->home), f), path + strlen(place->home));
	else if (put_own(out, path))
		return;
	else if (same(first, n, "home") || same(first, n, "root"))
		put_others_home(out, n > 0 && first[0] == 'h' ? second + user : first + n);
	else if (top != NULL)
		put_system(out, top, first + n);
	else if (n == 0)
		put(out, "/");
	else
		put_tree(out, "other", "", path);
}

/* ---- programs ---- */

/* python3.11 is python, x86_64-linux-gnu-gcc-12 is gcc: versions and machines come and go. */
static void put_program(char *out, const char *name)
{
	static const char triplet[] = "-linux-gnu-";
	const char *after = strstr(name, triplet);
	size_t n;

	name = after != NULL && after[sizeof triplet - 1] != 0 ? after + sizeof triplet - 1 : name;
	n = strlen(name);
	while (n > 1 && (is_digit(name[n - 1]) || name[n - 1] == '.' || name[n - 1] == '-'))
		n--;
	put_part(out, name, n);
}

/* What the cell may have written itself, or may replace: nobody else has seen it. */
static bool is_new(const struct symbol_place *place, const struct effect *f)
{
	const uint32_t by = granted_by(place->grants, f->object);
	char own[SYMBOL_MAX] = "";

	if (f->verdict == EFFECT_DENIED_WRITTEN)
		return true;
	if (by != GRANT_NONE)
		return (place->grants->grants[by].rights & RIGHT_WRITE) != 0;
	return is_home(place, f->object) || put_own(own, f->object);
}

static void put_exec(const struct symbol_place *place, char *out, const struct effect *f)
{
	size_t n;
	const char *first = next_part(f->object, &n);

	if (is_new(place, f))
		put(out, "new");
	else if (find_top(first, n) != NULL)
		put_program(out, last_part(f->object));
	else
		put_path(place, out, f->object, f);
}

/* ---- connections ---- */

struct port_row {
	const char *told;
	uint16_t port;
};

static const struct port_row port_rows[] = {
	{ "web", 80 },     { "web", 443 },     { "web", 8080 },    { "web", 8443 },  { "dns", 53 },
	{ "dns", 853 },    { "ssh", 22 },      { "mail", 25 },     { "mail", 465 },  { "mail", 587 },
	{ "mail", 993 },   { "git", 9418 },    { "data", 3306 },   { "data", 5432 }, { "data", 6379 },
	{ "data", 1433 },  { "data", 27017 },  { "files", 21 },    { "files", 445 }, { "files", 2049 },
	{ "shell", 23 },   { "docker", 2375 }, { "docker", 2376 }, { "chat", 6667 }, { "proxy", 1080 },
	{ "proxy", 3128 }, { "proxy", 9050 },
};

static const char *port_class(uint16_t port)
{
	for (size_t i = 0; i < sizeof port_rows / sizeof port_rows[0]; i++)
		if (port_rows[i].port == port)
			return port_rows[i].told;
	return port < 1024 ? "low" : "high";
}

/* Addresses that are of no use (documentation, benchmarks) are told as any other: a program does not know. */
static const char *address_class(const struct endpoint *p)
{
	if (p->kind != ENDPOINT_RANGE)
		return "name";
	switch (address_kind(&p->range.base)) {
	case ADDRESS_UNSPECIFIED:
	case ADDRESS_LOOPBACK: return "local";
	case ADDRESS_METADATA: return "metadata";
	case ADDRESS_LINK_LOCAL:
	case ADDRESS_PRIVATE: return "private";
	case ADDRESS_MULTICAST: return "all";
	case ADDRESS_PUBLIC:
	case ADDRESS_RESERVED:
	case ADDRESS_KINDS: break;
	}
	return "net";
}

/* The port of a server of the cell's own is any. */
static void put_inet(char *out, const struct effect *f, const char *address)
{
	struct endpoint p;
	const char *told;

	if (endpoint_take(address, &p, NULL) < 0) {
		put(out, "name");
		return;
	}
	told = f->verdict == EFFECT_ALLOWED && f->grant != GRANT_NONE ? "granted" : address_class(&p);
	put(out, told);
	if (strcmp(told, "local") == 0)
		return;
	put(out, ".");
	put(out, port_class(p.port));
}

static void put_connect(const struct symbol_place *place, char *out, const struct effect *f)
{
	if (strncmp(f->object, "inet ", 5) == 0) {
		put(out, "connect:");
		put_inet(out, f, f->object + 5);
	} else if (strncmp(f->object, "unix /", 6) == 0) {
		put(out, "unix:");
		put_path(place, out, f->object + 5, f);
	} else if (strncmp(f->object, "unix", 4) == 0) {
		put(out, "unix:abstract");
	} else {
		put(out, "connect:other");
	}
}

/* ---- the whole ---- */

static void put_kind(char *out, uint8_t kind)
{
	const char *word = effect_word(kind);

	put(out, word != NULL ? word : "unknown");
	put(out, ":");
}

static void put_object(const struct symbol_place *place, char *out, const struct effect *f)
{
	if (f->kind == EFFECT_CONNECT) {
		put_connect(place, out, f);
		return;
	}
	put_kind(out, f->kind);
	if (f->kind == EFFECT_EXEC)
		put_exec(place, out, f);
	else if (effect_right(f->kind) != 0 && f->object[0] == '/')
		put_path(place, out, f->object, f);
	else
		put(out, "call");
}

void symbol_of(const struct symbol_place *place, const struct effect *f, char ret[SYMBOL_MAX])
{
	ret[0] = 0;
	put_object(place, ret, f);
	ret[SYMBOL_MAX - 2] = 0; /* the mark is never what is cut */
	if (effect_is_denied(f->verdict))
		put(ret, "!");
	else if (f->verdict == EFFECT_ABSENT)
		put(ret, "?");
}
