/* What a client of the cell's agent sends, after a choice of whether it is bound: nothing that is asked of the signer is out of bounds or of another
 * user, session or key than what is known, and what is answered is whole. */
#include <string.h>

#include "fuzz.h"
#include "sign/request.h"
#include "ssh/client.h"

static struct knowledge known;
static struct client client;

static void set_key(struct sign_key *k, const char *type)
{
	struct buf b;

	buf_init_in(&b, k->blob, sizeof k->blob);
	ssh_put_string(&b, span_of(type));
	k->n = (uint32_t)b.len;
}

static void learn(void)
{
	strcpy(known.grants[0].user, "git");
	known.n_grants = known.n_hosts = known.n_keys = 1;
	set_key(&known.hosts[0], "ssh-ed25519");
	set_key(&known.keys[0], "ssh-ed25519");
}

/* All that was answered: lengths that fit, of kinds that there are. */
static void look(void)
{
	struct rbuf in;

	promise(!client.answer.failed);
	rbuf_init(&in, client.answer.data, client.answer.len);
	while (rbuf_left(&in) > 0) {
		const struct span body = ssh_string(&in);
		const uint8_t kind = body.len > 0 ? (uint8_t)body.at[0] : 0;

		promise(!in.failed && (kind == AGENT_FAILURE || kind == AGENT_SUCCESS || kind == AGENT_LIST));
	}
	buf_reset(&client.answer);
}

static void look_at(const struct sign_ask *ask)
{
	uint8_t room[SIGN_ASK_BYTES];
	struct sign_ask again;
	struct buf out;
	struct rbuf in;

	promise(client.bound && !client.ends);
	promise(ask->grant == 0 && ask->host == 0 && ask->key == 0 && ask->algorithm == ALGORITHM_ED25519);
	promise(ask->session_n == client.binding.session_n);
	buf_init_in(&out, room, sizeof room);
	sign_put_ask(&out, ask);
	rbuf_init(&in, room, out.len);
	promise(sign_take_ask(&in, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;

	learn();
	client_init(&client);
	while (!client.ends && at < size) {
		const size_t wants = client_wants(&client), n = wants < size - at ? wants : size - at;
		enum client_next next = CLIENT_READS;
		struct sign_ask ask;

		promise(wants <= sizeof client.room - client.n);
		memcpy(client.room + client.n, data + at, n);
		client.n += n;
		at += n;
		if (client_wants(&client) > 0)
			continue;
		next = client_serve(&client, &known, &ask);
		if (next == CLIENT_BROKEN)
			break;
		if (next == CLIENT_ASKS)
			look_at(&ask);
		look();
	}
	client_finish(&client);
	return 0;
}
