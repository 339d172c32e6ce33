#include "approve/agent.h"

#include <string.h>

#include "base/text.h"
#include "sign/algorithm.h"

void agent_init(struct agent *a, int fd, int sock)
{
	a->talk = (struct talk){ .agent = fd, .supervisor = sock };
	buf_init(&a->talk.answer, TALK_ANSWER_MAX);
}

void agent_finish(struct agent *a)
{
	buf_finish(&a->talk.answer);
}

/* ---- which ---- */

struct wanted {
	const char *which;
	uint8_t *key;
	uint32_t n, n_others; /* found; of a kind that is not taken here */
};

static void look(void *arg, struct span blob, struct span comment)
{
	struct wanted *w = arg;
	char fingerprint[SSHSIG_FINGERPRINT_MAX];
	uint8_t key[SSHSIG_KEY_BYTES];

	if (!sshsig_take_key(blob, key)) {
		w->n_others += span_equal(comment, span_of(w->which));
		return;
	}
	sshsig_fingerprint(key, fingerprint);
	if (!span_equal(comment, span_of(w->which)) && strcmp(fingerprint, w->which) != 0)
		return;
	w->n++;
	memcpy(w->key, key, sizeof key);
}

int agent_find(struct agent *a, const char *which, uint8_t ret_key[SSHSIG_KEY_BYTES], struct err *e)
{
	struct wanted w = { .which = which, .key = ret_key };
	char shown[256];
	int r = talk_each(&a->talk, look, &w, e);

	if (r < 0 || w.n == 1)
		return r;
	(void)text_escape(shown, sizeof shown, which, strlen(which));
	if (w.n > 1)
		return err_set(e, AMBIT_CONFLICT, "name it by its fingerprint: ssh-add -l",
			       "your ssh agent has more than one key that is called '%s'", shown);
	if (w.n_others > 0)
		return err_set(e, AMBIT_NOT_FOUND, "make one: ssh-keygen -t ed25519",
			       "the key '%s' of your ssh agent is none of Ed25519", shown);
	return err_set(e, AMBIT_NOT_FOUND, "`ssh-add -l` names its keys of Ed25519, by fingerprint and comment",
		       "your ssh agent has no key '%s'", shown);
}

/* ---- signing ---- */

int agent_sign(struct agent *a, const uint8_t key[SSHSIG_KEY_BYTES], const char *name_space, struct span message,
	       struct sshsig *ret, struct err *e)
{
	uint8_t blob_room[SSHSIG_KEY_BLOB_BYTES], data_room[SSHSIG_SIGNED_MAX], room[512];
	struct buf blob, data, ask;
	struct sign_done done;
	int r;

	buf_init_in(&blob, blob_room, sizeof blob_room);
	buf_init_in(&data, data_room, sizeof data_room);
	buf_init_in(&ask, room, sizeof room);
	sshsig_put_key(&blob, key);
	sshsig_put_signed(&data, name_space, message);
	request_put_ask(&ask, span_bytes(blob.data, blob.len), span_bytes(data.data, data.len),
			algorithm_flags(ALGORITHM_ED25519));
	ask.failed = ask.failed || data.failed;
	r = talk_sign_message(&a->talk, &ask, &done);
	if (r < 0)
		return err_set(e, AMBIT_GONE, NULL, "your ssh agent went away");
	if (r == 0)
		return err_set(e, AMBIT_DENIED, "`ssh-add -l` says whether it still has the key; it may ask you, too",
			       "your ssh agent does not sign");
	memcpy(ret->key, key, sizeof ret->key);
	if (!sshsig_take_raw(span_bytes(done.signature, done.n), ret->raw) ||
	    sshsig_check(ret, name_space, message, NULL) < 0)
		return err_set(e, AMBIT_DENIED, NULL, "what your ssh agent signed is not what it was asked");
	return 0;
}
