#include "approve/keyring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/own.h"
#include "base/text.h"

#define FILE_NAME_MAX (APPROVE_NAME_MAX + 8)

static const char *suffix_of(enum approve_kind kind)
{
	return kind == APPROVE_BY_PASSWORD ? ".sealed" : ".agent";
}

static void file_of(const char *name, enum approve_kind kind, char ret[FILE_NAME_MAX])
{
	(void)snprintf(ret, FILE_NAME_MAX, "%s%s", name, suffix_of(kind)); /* fits */
}

/* ---- names ---- */

static bool has_kind(const char *file, enum approve_kind kind, struct keyring_row *ret)
{
	const size_t n = strlen(file), suffix = strlen(suffix_of(kind));

	if (n <= suffix || n - suffix >= sizeof ret->name || strcmp(file + n - suffix, suffix_of(kind)) != 0)
		return false;
	*ret = (struct keyring_row){ .kind = kind };
	memcpy(ret->name, file, n - suffix);
	return approve_name_is_good(ret->name);
}

static int add_row(void *arg, const char *file)
{
	struct keyring *k = arg;
	struct keyring_row row;
	uint32_t at = k->n;

	if (!has_kind(file, APPROVE_BY_PASSWORD, &row) && !has_kind(file, APPROVE_BY_AGENT, &row))
		return 0;
	if (k->n == APPROVE_KEYS_MAX)
		return -E2BIG;
	for (; at > 0 && strcmp(k->row[at - 1].name, row.name) > 0; at--)
		k->row[at] = k->row[at - 1];
	k->row[at] = row;
	k->n++;
	return at > 0 && strcmp(k->row[at - 1].name, row.name) == 0 ? -EEXIST : 0;
}

int keyring_list(struct keyring *k, struct err *e)
{
	int r;

	k->n = 0;
	r = own_each(k->dir_fd, add_row, k);
	if (r == -E2BIG)
		return err_set(e, AMBIT_LIMIT, "remove some of the files", "there are more than %d keys",
			       APPROVE_KEYS_MAX);
	if (r == -EEXIST)
		return err_set(e, AMBIT_CONFLICT, "remove one of the files, NAME.sealed or NAME.agent",
			       "two keys have the same name");
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot list your keys") : 0;
}

static int not_found(const struct keyring *k, const char *name, struct err *e)
{
	static struct nearest nearest;
	char hint[APPROVE_NAME_MAX + 64] = "`ambit approve --keys` names them";
	char shown[4 * APPROVE_NAME_MAX];

	nearest_begin(&nearest, name);
	for (uint32_t i = 0; i < k->n; i++)
		nearest_try(&nearest, k->row[i].name);
	if (k->n == 0)
		(void)snprintf(hint, sizeof hint, "make one: ambit approve --enroll"); /* fits */
	else if (nearest_found(&nearest) != NULL)
		(void)snprintf(hint, sizeof hint, "did you mean '%.*s'?", APPROVE_NAME_MAX, nearest_found(&nearest));
	return err_set(e, AMBIT_NOT_FOUND, hint, "there is no key '%s'",
		       text_escape(shown, sizeof shown, name, strlen(name)));
}

int keyring_find(const struct keyring *k, const char *name, const struct keyring_row **ret, struct err *e)
{
	for (uint32_t i = 0; i < k->n; i++)
		if (strcmp(k->row[i].name, name) == 0) {
			*ret = &k->row[i];
			return 0;
		}
	return not_found(k, name, e);
}

/* ---- files ---- */

int keyring_read(const struct keyring *k, const struct keyring_row *row, uint8_t room[KEY_FILE_MAX + 1],
		 struct key_file *ret, struct err *e)
{
	char file[FILE_NAME_MAX];
	int r;

	file_of(row->name, row->kind, file);
	r = own_read(k->dir_fd, k->uid, file, true, room, KEY_FILE_MAX + 1, e);
	if (r == OWN_MISSING)
		return not_found(k, row->name, e);
	r = r < 0 ? r : key_take(room, (size_t)r, ret, e);
	if (r == 0 && (strcmp(ret->head.name, row->name) != 0 || ret->head.kind != row->kind))
		r = err_set(e, AMBIT_MALFORMED, "give the file its name back",
			    "it is the file %s%s, under another name", ret->head.name,
			    suffix_of((enum approve_kind)ret->head.kind));
	return r < 0 ? err_context(e, r, "key '%s'", row->name) : 0;
}

int keyring_may_add(const struct keyring *k, const char *name, struct err *e)
{
	const struct keyring_row *row;
	char hint[2 * APPROVE_NAME_MAX + 64];

	if (keyring_find(k, name, &row, NULL) == 0) {
		(void)snprintf(hint, sizeof hint, "choose another name by --name; or ambit approve --forget %s",
			       name); /* fits */
		return err_set(e, AMBIT_CONFLICT, hint, "there is a key '%s' already", name);
	}
	return k->n < APPROVE_KEYS_MAX ? 0
				       : err_set(e, AMBIT_LIMIT, "forget one that is not needed",
						 "there are %d keys already", APPROVE_KEYS_MAX);
}

int keyring_add(const struct keyring *k, const char *name, enum approve_kind kind, const struct buf *out, struct err *e)
{
	char file[FILE_NAME_MAX];

	file_of(name, kind, file);
	return own_write(k->dir_fd, file, out->data, out->len, e);
}

int keyring_remove(const struct keyring *k, const struct keyring_row *row, struct err *e)
{
	char file[FILE_NAME_MAX];
	int r;

	file_of(row->name, row->kind, file);
	r = own_remove(k->dir_fd, file, e);
	return r == OWN_MISSING ? not_found(k, row->name, e) : r;
}
