#include "lib/deeds.h"

#include <stdio.h>
#include <string.h>

#include "base/fnv.h"
#include "base/text.h"
#include "cell/spec.h"
#include "core/kind.h"
#include "core/labels.h"

#define UNTRUSTED "untrusted"

/* ---- names ---- */

/* The rest of the path behind that directory; NULL: it is not in it. */
static const char *beneath(const char *dir, const char *path)
{
	const size_t n = strlen(dir);

	if (n == 0 || strncmp(path, dir, n) != 0)
		return NULL;
	return path[n] == 0 ? path + n : path[n] == '/' ? path + n + 1 : NULL;
}

/* In the longest tree that may be written. */
static const char *in_tree(const struct event_result *r, const char *path)
{
	const char *found = NULL;

	for (uint32_t i = 0; i < r->grants->count; i++) {
		const char *rest = (r->grants->grants[i].rights & RIGHT_WRITE) != 0
					   ? beneath(grant_object(r->grants, i), path)
					   : NULL;

		if (rest != NULL && (found == NULL || rest > found))
			found = rest;
	}
	return found;
}

/* So many names of it. */
static size_t first_names(const char *path, size_t names)
{
	size_t n = 0;

	while (path[n] != 0 && (path[n] != '/' || --names > 0))
		n++;
	return n;
}

/* "./src/a" of what lies in a tree, "~/.ssh" in the home, else "/etc/ssl/certs"; the directory of a name, or the name itself. */
static void place_of(const struct event_result *r, const char *path, bool itself, char *ret, size_t size)
{
	const char *tree = in_tree(r, path);
	const char *home = tree == NULL && r->home != NULL ? beneath(r->home, path) : NULL;
	const char *rest = tree != NULL ? tree : home != NULL ? home : path + (path[0] == '/');
	const char *before = tree != NULL ? "./" : home != NULL ? "~/" : "/";
	const char *last = strrchr(rest, '/');
	size_t n = itself ? strlen(rest) : last != NULL ? (size_t)(last - rest) : 0;
	const size_t most = itself ? n : first_names(rest, tree != NULL ? 2 : home != NULL ? 2 : 3);

	if (itself && tree != NULL && last != NULL) { /* of a program in a tree its name */
		rest = last + 1;
		n = strlen(rest);
	} else if (n > most) {
		n = most;
	}
	(void)snprintf(ret, size, "%s%.*s", before, (int)(n < size ? n : size), rest);
}

static bool add_place(const struct event_result *r, struct deeds *d, uint8_t kind, const char *path, bool itself)
{
	char place[2 * DEED_TEXT_MAX];

	place_of(r, path, itself, place, sizeof place);
	return deeds_add(d, kind, place, strlen(place));
}

/* "inet host.example:443", and behind it who is meant, or the request with its status. */
static bool add_address(struct deeds *d, uint8_t kind, const char *object, bool denied)
{
	const char *from = strncmp(object, "inet ", 5) == 0 ? object + 5 : object;
	const char *last = kind == DEED_REQUEST ? strrchr(from, ' ') : NULL;
	char text[2 * DEED_TEXT_MAX];

	(void)snprintf(text, sizeof text, "%.*s%s", last != NULL ? (int)(last - from) : DEED_TEXT_MAX, from,
		       denied ? " (denied)" : "");
	return deeds_add(d, kind, text, strlen(text));
}

/* ---- effects ---- */

static bool count_connect(const struct effect *f, struct deeds *d)
{
	if (effect_has_meter(f)) {
		d->amounts[AMOUNT_CONNECTIONS] += f->meter.opened;
		d->amounts[AMOUNT_UP_BYTES] += f->meter.up;
		d->amounts[AMOUNT_DOWN_BYTES] += f->meter.down;
	}
	d->acted = d->acted || !effect_is_denied(f->verdict);
	d->amounts[AMOUNT_DESTINATIONS]++;
	return add_address(d, DEED_DESTINATION, f->object, effect_is_denied(f->verdict));
}

static bool count_change(const struct event_result *r, const struct effect *f, struct deeds *d, enum amount what)
{
	d->amounts[what] += f->count;
	if (effect_is_denied(f->verdict))
		return true;
	d->acted = true;
	return add_place(r, d, DEED_DIRECTORY, f->object, false);
}

static bool count_effect(const struct event_result *r, const struct effect *f, struct deeds *d)
{
	d->amounts[AMOUNT_DENIED] += effect_is_denied(f->verdict) ? f->count : 0;
	d->amounts[AMOUNT_ABSENT] += f->verdict == EFFECT_ABSENT ? f->count : 0;
	switch ((enum effect_kind)f->kind) {
	case EFFECT_READ: d->amounts[AMOUNT_READS]++; return true;
	case EFFECT_WRITE: return count_change(r, f, d, AMOUNT_WRITES);
	case EFFECT_DELETE: return count_change(r, f, d, AMOUNT_DELETES);
	case EFFECT_RENAME:
	case EFFECT_MKDIR:
	case EFFECT_LINK: return count_change(r, f, d, AMOUNT_NAMES);
	case EFFECT_MODE: return count_change(r, f, d, AMOUNT_MODES);
	case EFFECT_EXEC:
		d->amounts[AMOUNT_PROGRAMS] += f->count;
		return f->verdict == EFFECT_ABSENT || add_place(r, d, DEED_PROGRAM, f->object, true);
	case EFFECT_CONNECT: return count_connect(f, d);
	case EFFECT_REQUEST:
		d->amounts[AMOUNT_REQUESTS] += f->count;
		return add_address(d, DEED_REQUEST, f->object, effect_is_denied(f->verdict));
	case EFFECT_OPAQUE: d->acted = true; break; /* likewise */
	}
	return true;
}

/* What a person may be asked about comes first: changes and requests without end leave it its room. What the record had no room for may have been such. */
static bool count_effects(const struct event_result *r, struct deeds *d)
{
	bool good = r->effects_dropped == 0 || deeds_add(d, DEED_PROGRAM, DEED_MORE, strlen(DEED_MORE));

	for (unsigned others = 0; others < 2; others++)
		for (size_t i = 0; i < r->n_effects && good; i++) {
			const uint8_t kind = r->effects[i].kind;

			if ((kind != EFFECT_EXEC && kind != EFFECT_CONNECT) == others)
				good = count_effect(r, &r->effects[i], d);
		}
	return good;
}

static bool count_labels(const struct event_result *r, struct deeds *d)
{
	const char *at = r->labels.text;
	char name[FLOW_LABEL_MAX];
	bool good = true;

	if (labels_are_unknown(&r->labels)) {
		d->untrusted = true; /* who cannot say is not believed */
		return true;
	}
	while (good && labels_next(&at, name)) {
		good = deeds_add(d, DEED_LABEL, name, strlen(name));
		d->untrusted = d->untrusted || strcmp(name, UNTRUSTED) == 0;
	}
	return good;
}

/* ---- whose it is ---- */

/* What is granted, and not where: so that the same policy in another tree is the same. The order does not count. */
static uint64_t shape_of(const struct event_result *r)
{
	uint64_t sum = fnv(fnv(FNV_BASIS, &r->base, sizeof r->base), &r->observe, sizeof r->observe);

	for (uint32_t i = 0; i < r->grants->count; i++) {
		const struct grant *g = &r->grants->grants[i];
		uint64_t hash = fnv(fnv(FNV_BASIS, &g->verb, sizeof g->verb), &g->rights, sizeof g->rights);

		if (g->rights == 0) { /* a host, a tool, a variable: no path */
			const char *object = grant_object(r->grants, i);

			hash = fnv(hash, object, strlen(object));
		}
		sum += hash;
	}
	return sum;
}

/* Where the host's own programs lie: what an agent makes lies elsewhere. */
static bool is_hosts(const char *path)
{
	static const char *const directories[] = { "/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/" };

	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
		const size_t n = strlen(directories[i]);

		if (strncmp(path, directories[i], n) == 0 && strchr(path + n, '/') == NULL)
			return true;
	}
	return false;
}

/* As it was asked for (a link has many names), and before that where it lies, if that is no place of the host's: another file of that name is another program. */
static void name_program(const struct event_result *r, char ret[DEEDS_NAME_MAX])
{
	const char *program = r->argv != NULL && r->argv[0] != NULL ? r->argv[0] : "";
	const char *name = strrchr(program, '/') != NULL ? strrchr(program, '/') + 1 : program;
	char place[2 * DEED_TEXT_MAX] = "", whole[3 * DEED_TEXT_MAX];

	for (size_t i = 0; i < r->n_effects; i++)
		if (r->effects[i].kind == EFFECT_EXEC && r->effects[i].verdict == EFFECT_ALLOWED) { /* the first */
			if (!is_hosts(r->effects[i].object))
				place_of(r, r->effects[i].object, false, place, sizeof place);
			break;
		}
	(void)snprintf(whole, sizeof whole, "%s%s%.*s", place, place[0] != 0 && strcmp(place, "./") != 0 ? "/" : "",
		       DEED_TEXT_MAX, name);
	(void)text_escape(ret, DEEDS_NAME_MAX, whole, strlen(whole));
}

static void count_usage(const struct event_result *r, struct deeds *d)
{
	d->amounts[AMOUNT_CALLS] = r->trace.calls;
	d->amounts[AMOUNT_LEFT_OUT] = r->trace.dropped + r->effects_dropped;
	d->amounts[AMOUNT_WALL_MS] = r->usage.wall_ms;
	d->amounts[AMOUNT_CPU_MS] = r->usage.cpu_user_ms + r->usage.cpu_system_ms;
	d->amounts[AMOUNT_MEMORY_BYTES] = r->usage.memory_peak_bytes;
	d->amounts[AMOUNT_TASKS] = r->usage.tasks_peak;
	d->amounts[AMOUNT_THREADS] = r->trace.threads;
	d->amounts[AMOUNT_WRITTEN_BYTES] = r->usage.written_bytes;
	d->amounts[AMOUNT_OUTPUT_BYTES] = r->out_total + r->err_total;
}

int deeds_of(const struct event_result *r, struct deeds *ret)
{
	bool good;

	memset(ret, 0, sizeof *ret);
	(void)text_escape(ret->agent, sizeof ret->agent, r->agent, strlen(r->agent));
	(void)text_copy(ret->tool, sizeof ret->tool, kind_word(r->kind));
	(void)text_copy(ret->principal, sizeof ret->principal, r->session[0] != 0 ? r->session : r->event);
	if (r->kind == KIND_RUN)
		name_program(r, ret->program);
	ret->shape = shape_of(r);
	ret->place = r->workdir != NULL ? fnv(FNV_BASIS, r->workdir, strlen(r->workdir)) | 1 : 0;
	ret->form = &r->trace.form;
	count_usage(r, ret);
	ret->acted = r->observe == CELL_OBSERVE_OFF || r->effects_dropped > 0; /* nobody can say that it did not */
	good = count_labels(r, ret) && count_effects(r, ret);
	for (size_t i = 0; i < ret->n_items; i++)
		ret->amounts[AMOUNT_DIRECTORIES] += ret->items[i].kind == DEED_DIRECTORY;
	if (good)
		return 0;
	deeds_finish(ret);
	return -AMBIT_MEMORY;
}
