/* What the supervisor asks its judge, and tells the dialer, which is played here. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/hostport.h"
#include "supervisor/network.h"
#include "wire/wire.h"

/* ---- the roles beside, which have nothing to do here ---- */

void agent_roles_init(struct agent_roles *a)
{
	a->endpoint = CELL_ENDPOINTS_MAX;
}

void agent_roles_finish(struct agent_roles *a)
{
	(void)a;
}

int agent_begin(struct agent_roles *a, const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	(void)a, (void)q, (void)spec, (void)e;
	return 0;
}

int agent_listen(struct agent_roles *a, int fd)
{
	(void)a, (void)fd;
	return 0;
}

void agent_withdraw(struct agent_roles *a, const struct grant_set *set, const char *connection)
{
	(void)a, (void)set, (void)connection;
}

void http_roles_init(struct http_roles *h)
{
	(void)h;
}

void http_roles_finish(struct http_roles *h)
{
	(void)h;
}

int http_begin(struct http_roles *h, const struct event_request *q, struct cell_spec *spec, int dialer, struct err *e)
{
	(void)h, (void)q, (void)spec, (void)dialer, (void)e;
	return 0;
}

int hostport_listen(uint16_t port, int ret_fds[2], uint16_t *ret_port, struct err *e)
{
	(void)port, (void)ret_fds, (void)ret_port;
	return err_set(e, AMBIT_DENIED, NULL, "not here");
}

/* ---- an event ---- */

enum { NAME, PATTERN, RANGE, SOCKET, OTHER, ENDPOINTS };
static const char *const objects[ENDPOINTS] = { "a.test:443", "*.a.test:443", "10.1.0.0/16:5432", "unix:/tmp/socket",
						"b.test:443" };

static struct world {
	struct network n;
	struct event_request q;
	struct cell_spec spec;
	int dialer, relay; /* the ends that are played */
	struct {
		unsigned may, more, used;
		uint32_t grant;
		uint64_t number, up, down;
		bool opened;
		struct endpoint to;
	} told;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
} w;

static bool holds(void *user, uint32_t grant)
{
	assert_ptr_equal(user, &w);
	return grant != OTHER;
}

static void on_may(void *user, uint32_t grant, uint64_t number, const struct endpoint *to)
{
	assert_ptr_equal(user, &w);
	w.told.may++;
	w.told.grant = grant;
	w.told.number = number;
	w.told.to = *to;
}

static void on_more(void *user, uint64_t number, uint64_t up, uint64_t down)
{
	assert_ptr_equal(user, &w);
	w.told.more++;
	w.told.number = number;
	w.told.up = up;
	w.told.down = down;
}

static void on_used(void *user, uint64_t number, bool opened, uint64_t up, uint64_t down)
{
	on_more(user, number, up, down);
	w.told.more--;
	w.told.used++;
	w.told.opened = opened;
}

static const struct network_judge judge = { holds, on_may, on_more, on_used };

static void add(uint32_t i)
{
	struct endpoint p;

	assert_int_equal(grant_add(&w.q.grants, VERB_CONNECT, objects[i], 0, NULL, NULL), 0);
	w.q.grants.grants[i].qualifiers.ask = w.n.judge != NULL && i != OTHER; /* the dialer takes none that asks */
	if (w.q.grants.grants[i].qualifiers.ask != 0)                          /* nor one that holds at a time of day */
		w.q.grants.grants[i].qualifiers.between = (struct window){ 540, 1080, "UTC" };
	assert_int_equal(endpoint_take(objects[i], &p, NULL), 0);
	if (p.kind == ENDPOINT_NAME) /* which has an address in the cell */
		p.range = (struct address_range){ .base = link_address_of(i), .prefix = 32 };
	assert_int_equal(
		spec_add_endpoint(&w.spec,
				  &(struct cell_endpoint){ .kind = p.kind, .port = p.port, .at = p.range, .grant = i },
				  p.kind == ENDPOINT_UNIX ? p.path : p.name.text, NULL),
		0);
}

static int begin(const struct network_judge *by)
{
	int one[2], other[2];

	memset(&w, 0, sizeof w);
	network_init(&w.n);
	w.n.judge = by;
	w.n.judge_user = &w;
	grant_set_init(&w.q.grants);
	spec_init(&w.spec);
	for (uint32_t i = 0; i < ENDPOINTS; i++)
		add(i);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, one), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other), 0);
	w.n.dialer = one[0];
	w.dialer = one[1];
	w.n.relay = other[0];
	w.relay = other[1];
	return network_begin(&w.n, &w.q, &w.spec, NULL);
}

static int judged(void **state)
{
	(void)state;
	return begin(&judge);
}

static int unjudged(void **state)
{
	(void)state;
	return begin(NULL);
}

static int end(void **state)
{
	(void)state;
	network_finish(&w.n);
	(void)close(w.dialer);
	(void)close(w.relay);
	return 0;
}

static void hear(int sock, enum wire_state when, enum wire_number number, struct wire_message *m)
{
	assert_int_equal(wire_receive(sock, WIRE_SUPERVISOR, when, w.room, sizeof w.room, m), 1);
	assert_string_equal(wire_name(m->number), wire_name(number));
}

/* What both roles are told at the start. */
static void are_told(uint32_t held)
{
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		auto_message to_dialer = { .n_fds = 0 }, to_relay = { .n_fds = 0 };
		struct link_endpoint p = { .held = 2 };
		struct link_socket s;
		struct link_listener l;

		hear(w.dialer, WIRE_NEW, i == SOCKET ? WIRE_DIAL_SOCKET : WIRE_DIAL_ALLOW, &to_dialer);
		if (i != SOCKET) {
			assert_true(link_take_endpoint(&to_dialer.body, &p));
		} else {
			assert_true(link_take_socket(&to_dialer.body, &s));
			p.held = s.held;
		}
		assert_int_equal(p.held, held >> i & 1);
		hear(w.relay, WIRE_NEW, WIRE_NET_ENDPOINT, &to_relay);
		assert_true(link_take_listener(&to_relay.body, &l));
		assert_int_equal(l.flags, p.held != 0 ? LINK_HELD : 0);
	}
}

static void dialer_asks(const struct link_may *may)
{
	uint8_t room[512];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_may(&b, may);
	assert_int_equal(wire_send(w.dialer, WIRE_DIAL_MAY, &b, NULL, 0), 0);
}

static void dialer_tells(enum wire_number number, const struct link_spent *s)
{
	uint8_t room[28];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_spent(&b, s);
	assert_int_equal(wire_send(w.dialer, number, &b, NULL, 0), 0);
}

/* ---- tests ---- */

static void what_is_held_is_the_judges_to_say(void **state)
{
	(void)state;
	are_told(1u << NAME | 1u << PATTERN | 1u << RANGE | 1u << SOCKET);
	assert_true(network_is_judged(&w.n));
}

static void without_a_judge_nothing_is_held(void **state)
{
	struct link_live live;

	(void)state;
	are_told(0);
	assert_false(network_is_judged(&w.n));
	dialer_asks(&(struct link_may){ .number = 1, .endpoint = NAME });
	assert_int_equal(network_hear(&w.n, &live), -AMBIT_GONE);
	assert_int_equal(w.n.dialer, -1);
	(void)end(state);
	assert_int_equal(begin(NULL), 0);
	dialer_tells(WIRE_DIAL_SPENT, &(struct link_spent){ .number = 1 });
	assert_int_equal(network_hear(&w.n, &live), -AMBIT_GONE);
}

static void the_judge_is_asked_what_is_meant(void **state)
{
	static const struct {
		struct link_may may;
		const char *to;
	} rows[] = {
		{ { .number = 5, .endpoint = NAME }, "a.test:443" },
		{ { .number = 6, .endpoint = PATTERN, .name = { "x.a.test" } }, "x.a.test:443" },
		{ { .number = UINT64_MAX,
		    .endpoint = RANGE,
		    .address = { .family = ADDRESS_IPV4, .bytes = { 10, 1, 2, 3 } } },
		  "10.1.2.3:5432" },
		{ { .number = 7, .endpoint = SOCKET }, "unix:/tmp/socket" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link_live live;
		char text[ENDPOINT_TEXT_MAX];

		dialer_asks(&rows[i].may);
		assert_int_equal(network_hear(&w.n, &live), 0);
		assert_int_equal(w.told.may, i + 1);
		assert_int_equal(w.told.grant, rows[i].may.endpoint);
		assert_true(w.told.number == rows[i].may.number);
		endpoint_put(&w.told.to, text);
		assert_string_equal(text, rows[i].to);
	}
}

static void an_answer_goes_to_the_dialer(void **state)
{
	static const struct link_word rows[] = { { 5, 0, LINK_YES },
						 { 5, 1u << 20, LINK_YES },
						 { 6, 0, METER_FROZEN } };

	(void)state;
	are_told(0xf);
	{
		auto_message m = { .n_fds = 0 };

		hear(w.dialer, WIRE_NEW, WIRE_DIAL_RELAY, &m);
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		auto_message m = { .n_fds = 0 };
		struct link_word got;

		network_may(&w.n, rows[i].number, rows[i].why, rows[i].bytes);
		hear(w.dialer, WIRE_RUNNING, WIRE_DIAL_WORD, &m);
		assert_true(link_take_word(&m.body, &got));
		assert_true(got.number == rows[i].number && got.bytes == rows[i].bytes && got.why == rows[i].why);
	}
	for (unsigned i = 0; i < 10000; i++) /* a dialer that does not listen holds nobody up */
		network_may(&w.n, i + 1, LINK_YES, 0);
	fd_close(&w.n.dialer); /* nor one that went */
	network_may(&w.n, 5, LINK_YES, 0);
}

static void the_judge_is_told_what_was_used(void **state)
{
	struct link_live live;

	(void)state;
	dialer_tells(WIRE_DIAL_MORE, &(struct link_spent){ .number = 9, .opened = 1, .up = 3, .down = 4 });
	assert_int_equal(network_hear(&w.n, &live), 0);
	assert_int_equal(w.told.more, 1);
	assert_int_equal(w.told.number, 9);
	assert_int_equal(w.told.up, 3);
	dialer_tells(WIRE_DIAL_SPENT, &(struct link_spent){ .number = 9, .opened = 1, .up = 3, .down = 5 });
	assert_int_equal(network_hear(&w.n, &live), 0);
	assert_int_equal(w.told.used, 1);
	assert_int_equal(w.told.down, 5);
	assert_true(w.told.opened);
	dialer_tells(WIRE_DIAL_SPENT, &(struct link_spent){ .number = 10 });
	assert_int_equal(network_hear(&w.n, &live), 0);
	assert_int_equal(w.told.used, 2);
	assert_false(w.told.opened);
}

/* And before the report at the end. */
static void what_ends_with_the_event_is_told(void **state)
{
	static struct link_report sent, got;
	static uint8_t room[LINK_USED_BYTES_MAX];
	struct buf b;

	(void)state;
	dialer_tells(WIRE_DIAL_SPENT, &(struct link_spent){ .number = 9, .opened = 1, .up = 3, .down = 5 });
	dialer_tells(WIRE_DIAL_SPENT, &(struct link_spent){ .number = 10 });
	sent.used[NAME].meter.refused = 4;
	buf_init_in(&b, room, sizeof room);
	link_put_report(&b, &sent, ENDPOINTS);
	assert_int_equal(wire_send(w.dialer, WIRE_DIAL_USED, &b, NULL, 0), 0);
	assert_true(network_used(&w.n, &got));
	assert_int_equal(got.used[NAME].meter.refused, 4);
	assert_int_equal(w.told.used, 2);
}

/* A dialer that says what it may not is heard no more. */
static void what_is_malformed_is_not_asked(void **state)
{
	static const struct link_may rows[] = {
		{ .number = 1, .endpoint = OTHER },
		{ .number = 1, .endpoint = ENDPOINTS },
		{ .number = 1, .endpoint = LINK_ENDPOINTS_MAX },
		{ .number = 0, .endpoint = NAME },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link_live live;

		dialer_asks(&rows[i]);
		assert_int_equal(network_hear(&w.n, &live), -AMBIT_GONE);
		assert_int_equal(w.told.may, 0);
		(void)end(state);
		assert_int_equal(begin(&judge), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_held_is_the_judges_to_say, judged, end),
		cmocka_unit_test_setup_teardown(without_a_judge_nothing_is_held, unjudged, end),
		cmocka_unit_test_setup_teardown(the_judge_is_asked_what_is_meant, judged, end),
		cmocka_unit_test_setup_teardown(an_answer_goes_to_the_dialer, judged, end),
		cmocka_unit_test_setup_teardown(the_judge_is_told_what_was_used, judged, end),
		cmocka_unit_test_setup_teardown(what_ends_with_the_event_is_told, judged, end),
		cmocka_unit_test_setup_teardown(what_is_malformed_is_not_asked, judged, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
