#include "rpc/make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "rpc/make_values.h"
#include "rpc/method.h"
#include "session/link.h"

#define ROWS 24
#define COLUMNS 80

static int wrong_param(struct mistake *m, const char *param, int r)
{
	(void)snprintf(m->place, sizeof m->place, "/params/%s", param); /* fits */
	return r;
}

static int no_memory(struct mistake *m)
{
	return err_set(&m->err, AMBIT_MEMORY, NULL, "no memory for the request");
}

static int does_not_fit(struct mistake *m, const char *param)
{
	return wrong_param(m, param, err_set(&m->err, AMBIT_LIMIT, NULL, "'%s' is longer than it may be", param));
}

static uint64_t count_of(const json_t *params, const char *key, uint64_t otherwise)
{
	const json_t *v = json_object_get(params, key);

	return v == NULL ? otherwise : (uint64_t)json_integer_value(v);
}

/* Checked before. */
static uint64_t duration_of(const json_t *params, const char *key)
{
	const char *text = json_string_value(json_object_get(params, key));
	uint64_t ms = 0;

	if (text != NULL)
		(void)parse_duration(text, &ms);
	return ms;
}

static uint64_t size_of(const json_t *params, const char *key)
{
	const char *text = json_string_value(json_object_get(params, key));
	uint64_t bytes = 0;

	if (text != NULL)
		(void)parse_bytes(text, &bytes);
	return bytes;
}

/* "memory,disk". */
static int take_without(const json_t *list, struct description *d, struct mistake *m)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		n += (size_t)snprintf(d->without + n, sizeof d->without - n, "%s%s", i > 0 ? "," : "",
				      json_string_value(json_array_get(list, i)));
		if (n >= sizeof d->without)
			return does_not_fit(m, "without");
	}
	return 0;
}

static int take_workspace(const json_t *v, struct description *d, struct mistake *m)
{
	auto_free char *room = malloc(name_room(v) + 1);
	const char *bytes;
	size_t n;

	if (room == NULL)
		return no_memory(m);
	bytes = name_bytes(v, room, &n);
	if (n >= sizeof d->workspace)
		return does_not_fit(m, "workspace");
	if (n == 0 || bytes[0] != '/')
		return wrong_param(
			m, "workspace",
			err_set(&m->err, AMBIT_USAGE, "name it from `/` on", "the workspace is not absolute"));
	memcpy(d->workspace, bytes, n);
	d->workspace[n] = 0;
	return 0;
}

static int fill_description(const json_t *params, struct description *d, struct mistake *m)
{
	int r = take_workspace(json_object_get(params, "workspace"), d, m);

	r = r < 0 ? r : take_without(json_object_get(params, "without"), d, m);
	if (r == 0 && !make_text(params, "key", d->key, sizeof d->key))
		r = does_not_fit(m, "key");
	(void)make_text(params, "base", d->base, sizeof d->base); /* a word that was checked */
	(void)make_text(params, "observe", d->observe, sizeof d->observe);
	d->changes = make_changes(params);
	d->events_max = count_of(params, "max_events", 0);
	d->wall_ms_max = duration_of(params, "max_wall");
	d->cpu_ms_max = duration_of(params, "max_cpu");
	d->keep_ms = duration_of(params, "keep_time");
	d->keep_bytes = size_of(params, "keep_bytes");
	if (r == 0) {
		d->env = make_environment(json_object_get(params, "env"));
		r = d->env == NULL ? no_memory(m) : 0;
	}
	return r;
}

static int too_long(struct mistake *m)
{
	return err_set(&m->err, AMBIT_LIMIT, "arguments, environment and policy count together",
		       "the request is longer than it may be");
}

int make_description(const json_t *params, struct buf *out, struct mistake *m)
{
	struct policy_text texts[POLICY_SOURCES_MAX] = { { .size = 0 } };
	auto_free struct policy *p = calloc(1, sizeof *p);
	auto_buf carried = { .max = DESCRIPTION_BYTES_MAX };
	struct description d = { .env = NULL };
	int r = p == NULL ? no_memory(m) : make_policy(params, p, texts, m);

	r = r < 0 ? r : fill_description(params, &d, m);
	if (r == 0) {
		policy_carry(p, texts, &carried);
		d.policy = carried.data;
		d.policy_bytes = (uint32_t)carried.len; /* at most carried.max */
		description_put(out, &d);
		r = carried.failed || out->failed ? too_long(m) : 0;
	}
	description_finish(&d);
	return r;
}

/* ---- runs ---- */

static int fill_kernel(const json_t *params, struct run *run, struct mistake *m)
{
	const char *name = json_string_value(json_object_get(params, "name"));

	run->flags = EVENT_KERNEL | EVENT_BACKGROUND;
	run->idle_ms = duration_of(params, "idle");
	if (!kernel_name_is(name != NULL ? name : ""))
		return wrong_param(
			m, "name",
			err_set(&m->err, AMBIT_USAGE, "letters, digits, '.', '_' and '-'", "no name of a kernel"));
	if (strcmp(json_string_value(json_object_get(params, "language")), "shell") != 0)
		return 0;
	return wrong_param(m, "language",
			   err_set(&m->err, AMBIT_UNAVAILABLE, "python or node; or event.code, where files carry over",
				   "there are no kernels of a shell"));
}

static int no_label(struct mistake *m, size_t at)
{
	(void)snprintf(m->place, sizeof m->place, "/params/labels/%zu", at); /* fits */
	return err_set(&m->err, AMBIT_MALFORMED,
		       "small letters, digits, `.`, `_` and `-`, at most 31; none and labelled are no labels",
		       "this is not the name of a label");
}

static int take_given(const json_t *list, struct labels *ret, struct mistake *m)
{
	struct labels all = { .text = "" };

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!flow_is_name(name))
			return no_label(m, i);
		labels_add(&all, name);
	}
	return labels_take_given(all.text, ret, &m->err); /* no more than a list of them may have */
}

static int fill_run(const json_t *params, struct run *run, struct mistake *m)
{
	const bool terminal = json_is_true(json_object_get(params, "terminal"));
	const char *code = json_string_value(json_object_get(params, "language")); /* of event.code alone */
	const bool is_kernel = code != NULL &&
			       json_object_get(params, "source") == NULL; /* which event.code must have */
	int r = make_limits(json_object_get(params, "limits"), run->limits, sizeof run->limits, m);

	if (is_kernel)
		r = r < 0 ? r : fill_kernel(params, run, m);
	r = r < 0 ? r : take_given(json_object_get(params, "labels"), &run->labels, m);
	if (r == 0 && !make_text(params, "key", run->key, sizeof run->key))
		r = does_not_fit(m, "key");
	(void)make_text(params, "on_conflict", run->on_conflict, sizeof run->on_conflict);
	run->flags |= (json_is_true(json_object_get(params, "background")) ? EVENT_BACKGROUND : 0) |
		      (json_is_true(json_object_get(params, "input")) ? EVENT_INPUT : 0) |
		      (terminal ? EVENT_TERMINAL : 0);
	run->changes = make_changes(params);
	run->rows = terminal ? (uint32_t)count_of(params, "rows", ROWS) : 0;
	run->columns = terminal ? (uint32_t)count_of(params, "columns", COLUMNS) : 0;
	run->argv = code == NULL ? make_list(json_object_get(params, "argv"))
				 : make_code(code, json_object_get(params, is_kernel ? "name" : "source"));
	if (code != NULL)
		run->flags |= (uint32_t)kind_of_word(code) << EVENT_KIND_SHIFT |
			      (json_is_true(json_object_get(params, "show")) ? EVENT_SHOWS : 0);
	run->env = make_environment(json_object_get(params, "env"));
	if (run->argv == NULL || run->env == NULL)
		return r < 0 ? r : no_memory(m);
	if (r == 0 && (run->argv[0] == NULL || run->argv[0][0] == 0))
		r = wrong_param(m, "argv", err_set(&m->err, AMBIT_USAGE, NULL, "no program is named"));
	return r;
}

int make_run(const json_t *params, struct buf *out, struct mistake *m)
{
	struct run run = { .flags = 0 };
	int r = fill_run(params, &run, m);

	if (r == 0) {
		run_put(out, &run);
		r = out->failed ? too_long(m) : 0;
	}
	make_list_free(run.argv);
	make_list_free(run.env);
	return r;
}
