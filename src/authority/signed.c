#include "authority/signed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "approve/keyring.h"
#include "authority/layout.h"
#include "authority/told.h"
#include "base/fd.h"
#include "base/own.h"

static int make_realm(struct signers *s, int dir_fd, struct err *e)
{
	if (getrandom(s->realm, sizeof s->realm, 0) != sizeof s->realm)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes for the authority's realm");
	return own_write(dir_fd, AUTHORITY_REALM, s->realm, sizeof s->realm, e);
}

int signed_open(struct signers *s, int dir_fd, struct err *e)
{
	uint8_t room[STATEMENT_REALM_BYTES + 1];
	const int n = own_read(dir_fd, s->uid, AUTHORITY_REALM, true, room, sizeof room, e);

	if (n == OWN_MISSING)
		return make_realm(s, dir_fd, e);
	if (n >= 0 && n != STATEMENT_REALM_BYTES)
		return err_set(e, AMBIT_PROTOCOL,
			       "put it back from a backup; answers that were given before count for it alone",
			       "the authority's realm is damaged");
	if (n < 0)
		return n;
	memcpy(s->realm, room, sizeof s->realm);
	return 0;
}

/* ---- whose it is ---- */

static int find_key(const struct signers *s, const char *name, uint8_t ret[APPROVE_KEY_BYTES], struct err *e)
{
	static const enum approve_kind kinds[] = { APPROVE_BY_PASSWORD, APPROVE_BY_AGENT };
	const struct keyring ring = { .dir_fd = s->keys_fd, .uid = s->uid };
	uint8_t room[KEY_FILE_MAX + 1];
	struct key_file file;
	int r = -AMBIT_NOT_FOUND;

	for (size_t i = 0; i < 2 && r == -AMBIT_NOT_FOUND && s->keys_fd >= 0; i++) {
		struct keyring_row row = { .kind = kinds[i] };

		(void)strncpy(row.name, name, sizeof row.name - 1); /* a good name is shorter */
		r = keyring_read(&ring, &row, room, &file, e);
	}
	if (r == -AMBIT_NOT_FOUND)
		return err_set(e, AMBIT_NOT_FOUND,
			       "`ambit approve --keys` lists them, `ambit approve --enroll` makes one",
			       "no approver's key is called %s", name);
	if (r == 0)
		memcpy(ret, file.head.key, APPROVE_KEY_BYTES);
	return r;
}

static int check_signature(const struct signers *s, const struct keeper_signed *q, uint8_t key[APPROVE_KEY_BYTES],
			   struct err *e)
{
	const struct span text = { .at = q->statement, .len = strlen(q->statement) };
	struct sshsig sig;
	int r = find_key(s, q->key, key, e);

	r = r < 0 ? r
		  : sshsig_take((struct span){ .at = (const char *)q->signature.bytes, .len = q->signature.n },
				SSHSIG_APPROVAL, &sig, e);
	if (r == 0 && memcmp(sig.key, key, APPROVE_KEY_BYTES) != 0)
		return err_set(e, AMBIT_DENIED, "name the key that signed it", "another key than %s signed this answer",
			       q->key);
	return r < 0 ? r : sshsig_check(&sig, SSHSIG_APPROVAL, text, e);
}

/* ---- what it says ---- */

static int check_question(const struct signers *s, const struct statement *said, const struct authority_ask_told *ask,
			  struct err *e)
{
	char id[ID_TEXT_MAX];

	authority_id_text('a', ask->id, id);
	if (memcmp(said->realm, s->realm, sizeof said->realm) != 0)
		return err_set(e, AMBIT_DENIED, "give it where it was asked", "this answer is for another authority");
	if (strcmp(said->approval, id) != 0)
		return err_set(e, AMBIT_DENIED, NULL, "this answer is to another question");
	if (memcmp(said->shown, ask->digest, sizeof said->shown) != 0)
		return err_set(e, AMBIT_DENIED, "look at it once more",
			       "this answer is about something else than what is asked");
	return 0;
}

int signed_take(const struct signers *s, const struct keeper_signed *q, const struct authority *a,
		struct authority_request *ret, uint8_t ret_key[APPROVE_KEY_BYTES], struct err *e)
{
	const struct span text = { .at = q->statement, .len = strlen(q->statement) };
	struct authority_ask_told ask;
	struct statement said;
	int r = statement_take(text, &said, e);

	if (r == 0 && (!authority_ask_at(a, AUTHORITY_ROW(q->ask), &ask) || ask.ref != q->ask))
		r = err_set(e, AMBIT_NOT_FOUND, "`ambit approve` lists what waits",
			    "this question does not wait any more");
	r = r < 0 ? r : check_question(s, &said, &ask, e);
	r = r < 0 ? r : check_signature(s, q, ret_key, e);
	if (r < 0)
		return r;
	told_answer(&said, q->ask, ret);
	return 0;
}
