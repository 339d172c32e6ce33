#include "http/vault.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "http/locked.h"
#include "wire/wire.h"

#define ROOM (WIRE_HEAD + MASK_SECRET_MAX) /* of the message, */
#define PAGES_SIZE                                                                                                     \
	(ROOM + TERMS_NAME_MAX + MASK_SECRET_MAX +                                                                     \
	 VAULT_PLACED_MAX) /* of what Basic encodes, and of what goes into the place */

_Static_assert(MASK_SECRETS_MAX >= TERMS_SECRETS_MAX, "all of a grant's secrets are covered");

static uint8_t *joined(const struct vault *v)
{
	return v->pages + ROOM;
}

static uint8_t *placed(const struct vault *v)
{
	return joined(v) + TERMS_NAME_MAX + MASK_SECRET_MAX;
}

void vaults_init(struct vault vaults[TERMS_SECRETS_MAX])
{
	const int r = locked_init();

	for (size_t i = 0; i < TERMS_SECRETS_MAX; i++)
		vaults[i] = (struct vault){ .sys_errno = -r };
}

const char *vault_placed(const struct vault *v)
{
	return (const char *)placed(v);
}

/* ---- into its place ---- */

static bool is_printable(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			return false;
	return n > 0;
}

static void put_basic(struct vault *v, struct buf *out, const uint8_t *bytes, const char *user)
{
	struct buf pair;

	buf_init_in(&pair, joined(v), TERMS_NAME_MAX + MASK_SECRET_MAX);
	buf_put(&pair, user, strlen(user));
	buf_put_u8(&pair, ':');
	buf_put(&pair, bytes, v->n);
	base64_put(out, pair.data, pair.len);
}

static bool put_in_place(struct vault *v, const struct terms_secret *place)
{
	const uint8_t *bytes = v->pages + WIRE_HEAD;
	struct buf out;

	buf_init_in(&out, placed(v), VAULT_PLACED_MAX);
	if (place->place == TERMS_BASIC)
		put_basic(v, &out, bytes, place->where);
	else if (place->place == TERMS_PARAMETER || place->place == TERMS_FORM)
		mask_put_percent(&out, bytes, v->n, "0123456789ABCDEF");
	else
		buf_put(&out, bytes, v->n);
	v->n_placed = out.len;
	return !out.failed;
}

int vault_take(struct vault *v, int from, const struct terms_secret *place, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	int r;

	if (v->sys_errno == 0)
		v->pages = locked_memory.grow(NULL, PAGES_SIZE);
	if (v->pages == NULL)
		return err_sys(e, AMBIT_LIMIT, v->sys_errno != 0 ? v->sys_errno : ENOMEM,
			       "raise the limit of locked memory: ulimit -l 8192",
			       "no memory that is never written to a disk, for the secret %s", place->name);
	r = wire_receive(from, WIRE_SECRET, WIRE_NEW, v->pages, ROOM, &m);
	if (r <= 0 || m.number != WIRE_HTTP_SECRET)
		return err_set(e, AMBIT_GONE, NULL, "the secret %s did not come", place->name);
	v->n = rbuf_left(&m.body);
	if (!is_printable(v->pages + WIRE_HEAD, v->n) || !put_in_place(v, place))
		return err_set(e, AMBIT_MALFORMED, "set it again: ambit secret set NAME",
			       "the secret %s has a character that no field can have", place->name);
	return 0;
}

static struct mask_secret to_mask(const struct vault *v, const struct terms_secret *place)
{
	return (struct mask_secret){ .at = v->pages + WIRE_HEAD,
				     .n = v->n,
				     .user = place->place == TERMS_BASIC ? place->where : NULL };
}

struct mask_set *vault_renew(struct vault *v, int from, const struct terms_secret *place, struct err *e)
{
	struct vault now = { .sys_errno = v->sys_errno };
	struct mask_set *masks = NULL;

	if (vault_take(&now, from, place, e) == 0 && now.n >= MASK_TEXT_LEAST)
		masks = mask_set_of((struct mask_secret[]){ to_mask(&now, place), to_mask(v, place) }, 2,
				    &locked_memory);
	locked_memory.give(masks != NULL ? v->pages : now.pages);
	if (masks != NULL)
		*v = now;
	return masks;
}

struct mask_set *vault_masks(const struct vault *vaults, const struct terms *t)
{
	struct mask_secret list[TERMS_SECRETS_MAX];

	for (uint32_t i = 0; i < t->n_secrets; i++)
		list[i] = to_mask(&vaults[i], &t->secrets[i]);
	return mask_set_of(list, t->n_secrets, &locked_memory);
}
