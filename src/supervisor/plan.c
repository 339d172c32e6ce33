#include "supervisor/plan.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell/base.h"
#include "core/canary.h"
#include "supervisor/endpoints.h"
#include "supervisor/frozen.h"
#include "supervisor/staging.h"
#include "usual/layout.h"

#define SCRATCH_MAX (UINT64_C(4) << 30) /* /tmp, home and /dev/shm together, if no limit says less */

uint32_t plan_rights(const struct grant_set *set, const char *path, uint32_t *ret_grant)
{
	uint32_t rights = 0;
	size_t narrowest = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		const char *object = grant_object(set, i);

		if (set->grants[i].rights == 0 || object[0] != '/' || !path_is_beneath(path, object))
			continue;
		rights |= set->grants[i].rights;
		if (set->grants[i].object_len >= narrowest) {
			narrowest = set->grants[i].object_len;
			*ret_grant = i;
		}
	}
	return rights;
}

/* The rights that path has anyway, because something above it is mounted with them. */
static uint32_t rights_above(const struct grant_set *set, const char *path)
{
	char above[GRANT_OBJECT_MAX];
	char *slash;
	uint32_t grant;

	(void)snprintf(above, sizeof above, "%s", path); /* objects are shorter than GRANT_OBJECT_MAX */
	slash = strrchr(above, '/');
	if (slash == NULL || slash == above)
		return strcmp(path, "/") == 0 ? 0 : plan_rights(set, "/", &grant);
	*slash = 0;
	return plan_rights(set, above, &grant);
}

bool plan_is_written_by_name(const struct grant_set *set, const char *path)
{
	for (uint32_t i = 0; i < set->count; i++)
		if ((set->grants[i].rights & RIGHT_WRITE) != 0 && strcmp(grant_object(set, i), path) == 0)
			return true;
	return false;
}

/* A program in a tree that may be written but not run: it could be overwritten and executed, which only `work` and a
 * `write` of its name mean. */
static uint32_t not_both(const struct grant_set *set, uint32_t i, uint32_t rights)
{
	const char *object = grant_object(set, i);

	if (set->grants[i].verb != VERB_RUN || (rights & RIGHT_WRITE) == 0 ||
	    (rights_above(set, object) & RIGHT_RUN) != 0 || plan_is_written_by_name(set, object))
		return rights;
	return rights & ~(uint32_t)RIGHT_WRITE;
}

static int add_grants(const struct grant_set *set, struct cell_spec *spec, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < set->count && r == 0; i++) {
		const char *object = grant_object(set, i);
		const uint32_t flags = (set->grants[i].flags & GRANT_OPTIONAL) != 0 ? CELL_PATH_OPTIONAL : 0;
		uint32_t grant = i, rights;

		if (set->grants[i].rights == 0 || object[0] != '/')
			continue;
		rights = not_both(set, i, plan_rights(set, object, &grant));
		if (rights != rights_above(set, object) &&
		    !base_shows((enum cell_base)spec->base, object, rights)) /* checked by spec_check */
			r = spec_add_path(spec, object, rights, flags, grant, e);
	}
	return r;
}

/* In a directory of the cell's own, which is empty when it starts. */
static bool is_free_name(const struct cell_spec *spec, const char *path)
{
	const char *const rooms[] = { spec_text(spec, spec->home), "/tmp", "/var/tmp", "/dev/shm" };

	for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
		if (path_is_beneath(path, rooms[i]) && strcmp(path, rooms[i]) != 0)
			return true;
	return false;
}

/* A grant that was asked for by the name of a link: the link is shown too, unless something else stands there. */
static int add_links(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < q->n_links && r == 0; i++) {
		uint32_t grant;

		if (plan_rights(&q->grants, q->links[i].name, &grant) == 0 &&
		    (is_free_name(spec, q->links[i].name) || !base_allows(spec, q->links[i].name, RIGHT_READ)))
			r = spec_add_link(spec, q->links[i].name, q->links[i].real, e);
	}
	return r;
}

/* A directory of Ambit's own, by the name it has and by that without links; "" is none. */
static int hide_own(const struct event_request *q, const char *path, struct cell_spec *spec, struct err *e)
{
	const uint32_t flags = CELL_PATH_HIDE | CELL_PATH_OPTIONAL;
	char real[PATH_MAX];
	uint32_t grant;
	int r = 0;

	if (path[0] != 0 && plan_rights(&q->grants, path, &grant) != 0)
		r = spec_add_path(spec, path, 0, flags, GRANT_NONE, e);
	if (r == 0 && path[0] != 0 && realpath(path, real) != NULL && plan_rights(&q->grants, real, &grant) != 0)
		r = spec_add_path(spec, real, 0, flags, GRANT_NONE, e);
	return r;
}

/* What an event is held against: who could read the key of the profiles' tables, or write a profile, would say what is usual; and who could read the list of
 * canaries would know them from secrets. */
static int hide_beside(const struct event_request *q, const char *name, struct cell_spec *spec, struct err *e)
{
	const char *last = strrchr(q->store, '/');
	char path[GRANT_OBJECT_MAX];

	if (q->store[0] != '/' ||
	    snprintf(path, sizeof path, "%.*s/%s", (int)(last - q->store), q->store, name) >= (int)sizeof path)
		return 0;
	return hide_own(q, path, spec, e);
}

/* What other events changed is nobody's to see, not even beneath a grant of the home, or of the directory beside a tree that lies on
 * another file system. */
static int hide_store(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	const uint32_t flags = CELL_PATH_HIDE | CELL_PATH_OPTIONAL;
	char frozen[GRANT_OBJECT_MAX];
	int r;

	if (q->base == CELL_BASE_NONE) /* a role of our own, which was granted nothing that has one */
		return 0;
	r = hide_own(q, q->store, spec, e);
	if (r == 0 && frozen_place(q->store, frozen)) /* nor is what holds events */
		r = hide_own(q, frozen, spec, e);
	r = r < 0 ? r : hide_beside(q, USUAL_DIRECTORY, spec, e);
	r = r < 0 ? r : hide_beside(q, CANARIES_DIRECTORY, spec, e);
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++) {
		const char *object = grant_object(&q->grants, i);
		char path[GRANT_OBJECT_MAX];

		if (q->grants.grants[i].rights != 0 && object[0] == '/' &&
		    snprintf(path, sizeof path, "%s" STORE_BESIDE, object, geteuid()) < (int)sizeof path)
			r = spec_add_path(spec, path, 0, flags, GRANT_NONE, e);
	}
	return r;
}

static int add_hides(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	int r = hide_store(q, spec, e);

	r = r < 0 ? r : hide_own(q, q->ledger, spec, e);
	r = r < 0 ? r : hide_own(q, q->secrets, spec, e);
	r = r < 0 ? r : hide_own(q, q->secrets_key, spec, e);
	r = r < 0 ? r : hide_own(q, q->approvers, spec, e);
	r = r < 0 ? r : hide_own(q, q->authority, spec, e);
	for (uint32_t i = 0; i < q->n_hides && r == 0; i++)
		r = spec_hide_path(spec, q->hides[i], e);
	return r;
}

static uint32_t jit_of(const struct grant_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->grants[i].verb == VERB_JIT)
			return CELL_JIT;
	return 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

/* Where the program starts: the workspace if the cell shows it or something in it, else its home. */
static const char *workdir_of(const struct event_request *q, const struct cell_spec *spec)
{
	const char *at = request_workdir(q);
	uint32_t grant;

	if (spec->base == CELL_BASE_NONE)
		return "/";
	if (plan_rights(&q->grants, at, &grant) != 0 ||
	    base_shows((enum cell_base)spec->base, at, RIGHT_READ)) /* checked by spec_check */
		return at;
	for (uint32_t i = 0; i < q->grants.count; i++)
		if (path_is_beneath(grant_object(&q->grants, i), at))
			return at;
	return q->home;
}

static int add_texts(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	bool full = false;

	spec->user = spec_add_text(spec, q->user, &full);
	spec->home = spec_add_text(spec, q->home, &full);
	spec->hostname = spec_add_text(spec, "cell", &full);
	spec->workdir = spec_add_text(spec, workdir_of(q, spec), &full);
	return full ? err_set(e, AMBIT_LIMIT, NULL, "the texts of the cell do not fit") : 0;
}

int plan_cell(const struct event_request *q, uint32_t inside_uid, uint32_t inside_gid, struct cell_spec *ret,
	      struct err *e)
{
	const uint64_t *limit = q->limits.value;
	int r;

	spec_init(ret);
	ret->base = q->base;
	ret->observe = q->observe;
	ret->flags = q->flags | jit_of(&q->grants) | (q->source == CELL_SOURCE_EBPF ? CELL_UNASKED : 0);
	ret->without = q->without;
	ret->umask = q->umask;
	ret->uid = inside_uid;
	ret->gid = inside_gid;
	ret->limits = q->limits;
	ret->scratch_bytes = smaller(smaller(SCRATCH_MAX, limit[LIMIT_DISK]), limit[LIMIT_MEMORY]);
	r = add_texts(q, ret, e);
	r = r < 0 ? r : base_add(ret, e);
	r = r < 0 ? r : add_grants(&q->grants, ret, e);
	r = r < 0 ? r : staging_plan(q, ret, e);
	r = r < 0 ? r : endpoints_plan(&q->grants, ret, e);
	r = r < 0 ? r : add_links(q, ret, e);
	r = r < 0 ? r : add_hides(q, ret, e);
	if (r < 0)
		return r;
	spec_sort(ret);
	return spec_check(ret, e);
}

int plan_template(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	bool full = false;

	spec->workdir = spec_add_text(spec, q->workspace, &full);
	spec->flags |= CELL_TEMPLATE;
	spec->observe = CELL_OBSERVE_OFF;
	spec->flags &= ~(uint32_t)CELL_UNASKED;
	spec->limits = (struct limits){ .value = { 0 } };
	return full ? err_set(e, AMBIT_LIMIT, NULL, "the texts of the cell do not fit") : 0;
}
