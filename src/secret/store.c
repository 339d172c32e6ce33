#include "secret/store.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/own.h"
#include "base/text.h"

#define KEY "store.key"
#define KEY_MAGIC "ambit secret key 1\n"
#define KEY_FILE_BYTES (sizeof KEY_MAGIC - 1 + SEALED_KEY_BYTES)
#define SUFFIX ".sealed"
#define FILE_NAME_MAX (SECRET_NAME_MAX + sizeof SUFFIX)

int store_check(const struct store *s, struct err *e)
{
	const int r = own_check(s->dir_fd, s->uid, "the directory of your secrets", e);

	return r < 0 ? r : own_check(s->key_fd, s->uid, "the directory of your secrets' key", e);
}

int store_lock(int dir_fd, int *ret_fd, struct err *e)
{
	return own_lock(dir_fd, "the store of secrets", ret_fd, e);
}

/* ---- the key ---- */

static int bad_key(struct err *e)
{
	return err_set(e, AMBIT_MALFORMED,
		       "restore the file " KEY " from a backup; or remove all secrets and it, and set them again",
		       "the key of your secrets is damaged");
}

static int make_key(struct store *s, struct err *e)
{
	uint8_t file[KEY_FILE_BYTES] = KEY_MAGIC;
	int r;

	randombytes_buf(s->key, sizeof s->key);
	memcpy(file + sizeof KEY_MAGIC - 1, s->key, sizeof s->key);
	r = own_write(s->key_fd, KEY, file, sizeof file, e);
	sodium_memzero(file, sizeof file);
	return r;
}

static int no_key(struct store *s, bool make, struct err *e)
{
	static struct store_names names;
	const int r = store_list(s, &names, e);

	if (r < 0)
		return r;
	if (names.n > 0)
		return err_set(e, AMBIT_NOT_FOUND,
			       "restore the file " KEY " from a backup; or remove all secrets, and set them again",
			       "the key of your secrets is gone");
	return make ? make_key(s, e)
		    : err_set(e, AMBIT_NOT_FOUND, "set it first: ambit secret set NAME", "you have no secrets");
}

int store_key(struct store *s, bool make, struct err *e)
{
	uint8_t file[KEY_FILE_BYTES + 1];
	const int n = own_read(s->key_fd, s->uid, KEY, false, file, sizeof file, e);
	int r = 0;

	if (n == OWN_MISSING)
		return no_key(s, make, e);
	if (n < 0)
		return n;
	if (n != KEY_FILE_BYTES || memcmp(file, KEY_MAGIC, sizeof KEY_MAGIC - 1) != 0)
		r = bad_key(e);
	else
		memcpy(s->key, file + sizeof KEY_MAGIC - 1, sizeof s->key);
	sodium_memzero(file, sizeof file);
	return r;
}

/* ---- names ---- */

static bool name_of(const char *file, char ret[SECRET_NAME_MAX])
{
	const size_t n = strlen(file), suffix = sizeof SUFFIX - 1;

	if (n <= suffix || n - suffix >= SECRET_NAME_MAX || strcmp(file + n - suffix, SUFFIX) != 0)
		return false;
	memcpy(ret, file, n - suffix);
	ret[n - suffix] = 0;
	return secret_name_is_good(ret);
}

static void file_of(const char *name, char ret[FILE_NAME_MAX])
{
	(void)snprintf(ret, FILE_NAME_MAX, "%s" SUFFIX, name); /* fits */
}

static int add_name(void *arg, const char *file)
{
	struct store_names *names = arg;
	char name[SECRET_NAME_MAX];
	uint32_t at = names->n;

	if (!name_of(file, name))
		return 0;
	if (names->n == STORE_SECRETS_MAX)
		return -E2BIG;
	for (; at > 0 && strcmp(names->list[at - 1], name) > 0; at--)
		memcpy(names->list[at], names->list[at - 1], SECRET_NAME_MAX);
	names->n++;
	(void)text_copy(names->list[at], SECRET_NAME_MAX, name); /* of the same size */
	return 0;
}

int store_list(const struct store *s, struct store_names *ret, struct err *e)
{
	int r;

	ret->n = 0;
	r = own_each(s->dir_fd, add_name, ret);
	if (r == -E2BIG)
		return err_set(e, AMBIT_LIMIT, "remove some", "there are more than %d secrets", STORE_SECRETS_MAX);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot list your secrets") : 0;
}

static int not_found(const struct store *s, const char *name, struct err *e)
{
	static struct store_names names;
	static struct nearest nearest;
	char hint[2 * SECRET_NAME_MAX + 64] = "`ambit secret list` names them";

	if (store_list(s, &names, NULL) == 0) {
		nearest_begin(&nearest, name);
		for (uint32_t i = 0; i < names.n; i++)
			nearest_try(&nearest, names.list[i]);
		if (names.n == 0)
			(void)snprintf(hint, sizeof hint, "set it: ambit secret set %s", name); /* fits */
		else if (nearest_found(&nearest) != NULL)
			(void)snprintf(hint, sizeof hint, "did you mean '%.*s'?", SECRET_NAME_MAX,
				       nearest_found(&nearest));
	}
	return err_set(e, AMBIT_NOT_FOUND, hint, "there is no secret '%s'", name);
}

/* ---- secrets ---- */

int store_read(struct store *s, const char *name, struct err *e)
{
	static uint8_t bytes[SEALED_FILE_MAX + 1];
	char file[FILE_NAME_MAX];
	int r;

	file_of(name, file);
	r = own_read(s->dir_fd, s->uid, file, false, bytes, sizeof bytes, e);
	if (r == OWN_MISSING)
		return not_found(s, name, e);
	r = r < 0 ? r : sealed_take(bytes, (size_t)r, s->key, &s->head, &s->value, e);
	if (r == 0 && strcmp(s->head.name, name) != 0) {
		sodium_memzero(&s->value, sizeof s->value);
		r = err_set(e, AMBIT_MALFORMED, "give the file its name back",
			    "it is the secret '%s', under another name", s->head.name);
	}
	return r < 0 ? err_context(e, r, "secret '%s'", name) : 0;
}

static bool has_name(const struct store_names *names, const char *name)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i], name) == 0)
			return true;
	return false;
}

int store_write(struct store *s, struct err *e)
{
	static uint8_t room[SEALED_FILE_MAX];
	static struct store_names names;
	char file[FILE_NAME_MAX];
	struct buf out;
	int r = store_list(s, &names, e);

	if (r < 0)
		return r;
	if (names.n == STORE_SECRETS_MAX && !has_name(&names, s->head.name))
		return err_set(e, AMBIT_LIMIT, "remove one that is not needed", "there are %d secrets already",
			       STORE_SECRETS_MAX);
	file_of(s->head.name, file);
	buf_init_in(&out, room, sizeof room);
	sealed_put(&out, &s->head, &s->value, s->key);
	return out.failed ? err_set(e, AMBIT_INTERNAL, NULL, "the secret does not fit into a file")
			  : own_write(s->dir_fd, file, out.data, out.len, e);
}

int store_remove(struct store *s, const char *name, struct err *e)
{
	char file[FILE_NAME_MAX];
	int r;

	file_of(name, file);
	r = own_remove(s->dir_fd, file, e);
	return r == OWN_MISSING ? not_found(s, name, e) : r;
}
