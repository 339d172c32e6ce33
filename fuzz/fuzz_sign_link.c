/* Any bytes, after a letter that says which, as what is said of keys (who says it may have been taken over): what is taken is in bounds, and written
 * again is the same. */
#include <string.h>

#include "fuzz.h"
#include "sign/link.h"

static bool grant(struct rbuf *in, struct buf *out)
{
	static struct sign_grant g;
	const bool taken = sign_take_grant(in, &g);

	promise(!taken || (g.index < SIGN_GRANTS_MAX && g.user[0] != 0 && g.host[0] != 0));
	if (taken)
		sign_put_grant(out, &g);
	return taken;
}

static bool key(struct rbuf *in, struct buf *out)
{
	static struct sign_key k;
	const bool taken = sign_take_key(in, &k);

	promise(!taken || (k.grant < SIGN_GRANTS_MAX && k.n <= SIGN_BLOB_MAX &&
			   algorithm_of_key(span_bytes(k.blob, k.n)) != ALGORITHM_NONE));
	if (taken)
		sign_put_key(out, &k);
	return taken;
}

static bool ask(struct rbuf *in, struct buf *out)
{
	static struct sign_ask a;
	const bool taken = sign_take_ask(in, &a);

	promise(!taken || (a.grant < SIGN_GRANTS_MAX && a.host < SIGN_HOSTS_MAX && a.key < SIGN_KEYS_MAX));
	promise(!taken || (a.algorithm != ALGORITHM_NONE && a.algorithm < ALGORITHM_COUNT && a.method < SIGN_METHODS));
	promise(!taken || (a.proof_algorithm < ALGORITHM_COUNT && sign_is_session(a.session_n) &&
			   a.session_n <= SIGN_SESSION_MAX && a.proof_n > 0 && a.proof_n <= SIGN_PROOF_MAX));
	if (taken)
		sign_put_ask(out, &a);
	return taken;
}

static bool done(struct rbuf *in, struct buf *out)
{
	static struct sign_done d;
	const bool taken = sign_take_done(in, &d);

	promise(!taken || d.n <= SIGN_SIGNATURE_MAX);
	if (taken)
		sign_put_done(out, &d);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[4096];
	struct rbuf in;
	struct buf out;
	bool taken;

	if (size == 0)
		return 0;
	rbuf_init(&in, data + 1, size - 1);
	buf_init_in(&out, room, sizeof room);
	switch (data[0]) {
	case 'g': taken = grant(&in, &out); break;
	case 'k': taken = key(&in, &out); break;
	case 'a': taken = ask(&in, &out); break;
	case 'd': taken = done(&in, &out); break;
	default: return 0;
	}
	promise(!taken || (!out.failed && out.len == size - 1 && memcmp(out.data, data + 1, size - 1) == 0));
	return 0;
}
