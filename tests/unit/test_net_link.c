/* What supervisor, relay and dialer tell each other (whoever took the relay over may write anything): there and back, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/link.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct link_endpoint by_name = {
	.index = 3,
	.grant = 7,
	.budget = { .uses = 5, .bytes = 1u << 20, .rate = 10, .period_s = 60, .ech = 1 },
	.to = { .kind = ENDPOINT_NAME, .port = 443, .name = { .text = "open.test" } },
};

static void an_endpoint_comes_as_it_was_sent(void **state)
{
	struct link_endpoint back;
	uint8_t room[512];
	struct buf out;
	struct rbuf in;

	(void)state;
	buf_init_in(&out, room, sizeof room);
	link_put_endpoint(&out, &by_name);
	rbuf_init(&in, out.data, out.len);
	assert_true(link_take_endpoint(&in, &back));
	assert_int_equal(back.index, by_name.index);
	assert_int_equal(back.grant, by_name.grant);
	assert_int_equal(back.to.port, by_name.to.port);
	assert_true(qualifiers_are_same(&back.budget, &by_name.budget));
	assert_string_equal(back.to.name.text, by_name.to.name.text);
	for (size_t n = 0; n < out.len; n++) { /* cut short */
		rbuf_init(&in, out.data, n);
		assert_false(link_take_endpoint(&in, &back));
	}
}

/* The dialer asks nobody, and has no clock of a zone. */
static void what_the_dialer_cannot_tell_is_refused(void **state)
{
	static const struct qualifiers rows[] = { { .ask = 1 }, { .between = { 540, 1080, "UTC" } } };
	struct link_endpoint put = by_name, back;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint8_t room[512];
		struct buf out;
		struct rbuf in;

		put.budget = rows[i];
		buf_init_in(&out, room, sizeof room);
		link_put_endpoint(&out, &put);
		rbuf_init(&in, out.data, out.len);
		assert_false(link_take_endpoint(&in, &back));
	}
}

static void an_endpoint_out_of_range_is_refused(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t byte;
		bool good;
	} rows[] = {
		{ "as it was", 0, 3, true },
		{ "the last endpoint", 0, LINK_ENDPOINTS_MAX - 1, true },
		{ "one more", 0, LINK_ENDPOINTS_MAX, false },
		{ "the last grant", 4, LINK_GRANTS_MAX - 1, true },
		{ "one more", 5, LINK_GRANTS_MAX >> 8, false },
		{ "held", 8, 1, true },
		{ "held in another way", 8, 2, false },
		{ "more uses than there are", 15, 0x80, false },
		{ "more bytes than there are", 23, 0x80, false },
		{ "another period", 28, 61, false },
		{ "neither true nor false", 32, 2, false },
		{ "a time of day that does not follow", 32, 1 << 6, false },
		{ "after the year 9999", 40, 1, false },
		{ "a pattern that is a name", 41, ENDPOINT_PATTERN, false },
		{ "an address that is a name", 41, ENDPOINT_RANGE, false },
		{ "no kind", 41, 0, false },
		{ "a family that is none", 44, 5, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct link_endpoint back;
		uint8_t room[512];
		struct buf out;
		struct rbuf in;

		buf_init_in(&out, room, sizeof room);
		link_put_endpoint(&out, &by_name);
		room[rows[i].at] = rows[i].byte;
		rbuf_init(&in, out.data, out.len);
		if (link_take_endpoint(&in, &back) != rows[i].good)
			fail_msg("%s", rows[i].name);
	}
}

static void meters_come_as_they_were_sent(void **state)
{
	static const struct link_used used[] = {
		{ .meter = { .opened = 1,
			     .failed = 2,
			     .refused = 3,
			     .stopped = METER_STOPPED_ALL,
			     .sys_errno = 111,
			     .up = 1,
			     .down = UINT64_MAX },
		  .withdrawn = 4 },
		{ .meter = { .opened = UINT32_MAX, .up = UINT64_C(1) << 40 } },
	};
	static struct link_report said, back;
	uint8_t room[LINK_USED_BYTES_MAX];
	struct buf out;
	struct rbuf in;

	(void)state;
	buf_init_in(&out, room, sizeof room);
	memcpy(said.used, used, sizeof used);
	said.n_hosts = 1;
	said.hosts[0] = (struct link_host){ .endpoint = 1, .name = { "a.example" }, .meter = used[1].meter };
	link_put_report(&out, &said, COUNT_OF(used));
	rbuf_init(&in, out.data, out.len);
	assert_true(link_take_report(&in, &back, COUNT_OF(used)));
	assert_memory_equal(back.used, used, sizeof used);
	assert_int_equal(back.n_hosts, 1);
	assert_string_equal(back.hosts[0].name.text, "a.example");
	rbuf_init(&in, out.data, out.len);
	assert_false(link_take_report(&in, &back, COUNT_OF(used) + 1));
	rbuf_init(&in, out.data, out.len);
	assert_false(link_take_report(&in, &back, COUNT_OF(used) - 1));
	room[12] |= 1u << QUALIFIER_ECH; /* which stops nothing */
	rbuf_init(&in, out.data, out.len);
	assert_false(link_take_report(&in, &back, COUNT_OF(used)));
}

/* ---- grants that are held ---- */

static void a_question_comes_as_it_was_sent(void **state)
{
	static const struct link_may rows[] = {
		{ .number = 1, .endpoint = 2 },
		{ .number = UINT64_MAX, .endpoint = LINK_ENDPOINTS_MAX - 1, .name = { "a.open.test" } },
		{ .number = 5, .address = { .family = ADDRESS_IPV4, .bytes = { 10, 1, 2, 3 } } },
		{ .number = 0, .endpoint = 2 }, /* these are none */
		{ .number = 1, .endpoint = LINK_ENDPOINTS_MAX },
		{ .number = 1, .address = { .family = ADDRESS_IPV4 }, .name = { "a.open.test" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct link_may got;
		uint8_t room[512];
		struct buf out;
		struct rbuf in;

		buf_init_in(&out, room, sizeof room);
		link_put_may(&out, &rows[i]);
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(link_take_may(&in, &got), i < 3);
		if (i >= 3)
			continue;
		assert_int_equal(got.number, rows[i].number);
		assert_int_equal(got.endpoint, rows[i].endpoint);
		assert_string_equal(got.name.text, rows[i].name.text);
		assert_memory_equal(got.address.bytes, rows[i].address.bytes, sizeof got.address.bytes);
		for (size_t n = 0; n < out.len; n++) {
			rbuf_init(&in, out.data, n);
			assert_false(link_take_may(&in, &got));
		}
	}
}

static void a_word_is_yes_or_a_reason(void **state)
{
	static const struct {
		struct link_word w;
		bool good;
	} rows[] = {
		{ { 1, 0, LINK_YES }, true },         { { 1, UINT64_MAX, LINK_YES }, true },
		{ { 1, 0, METER_FROZEN }, true },     { { 1, 0, METER_WHY_COUNT - 1 }, true },
		{ { 1, 0, METER_WHY_COUNT }, false }, { { 1, 0, LINK_YES - 1 }, false },
		{ { 1, 1, METER_FROZEN }, false },    { { 0, 0, LINK_YES }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct link_word got;
		uint8_t room[32];
		struct buf out;
		struct rbuf in;

		buf_init_in(&out, room, sizeof room);
		link_put_word(&out, &rows[i].w);
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(link_take_word(&in, &got), rows[i].good);
		assert_int_equal(got.bytes, rows[i].w.bytes);
		rbuf_init(&in, out.data, out.len - 1);
		assert_false(link_take_word(&in, &got));
		rbuf_init(&in, room, out.len + 1);
		assert_false(link_take_word(&in, &got));
	}
}

static void what_came_to_nothing_has_no_bytes(void **state)
{
	static const struct {
		struct link_spent s;
		bool good;
	} rows[] = {
		{ { 1, 1, 5, 6 }, true },  { { 1, 0, 0, 0 }, true },  { { 0, 1, 5, 6 }, false },
		{ { 1, 2, 5, 6 }, false }, { { 1, 0, 1, 0 }, false }, { { 1, 0, 0, 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct link_spent got;
		uint8_t room[32];
		struct buf out;
		struct rbuf in;

		buf_init_in(&out, room, sizeof room);
		link_put_spent(&out, &rows[i].s);
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(link_take_spent(&in, &got), rows[i].good);
		assert_int_equal(got.down, rows[i].s.down);
		rbuf_init(&in, out.data, out.len - 1);
		assert_false(link_take_spent(&in, &got));
	}
}

static void each_stop_has_a_word(void **state)
{
	uint32_t bit, all = 0;
	char text[400];
	struct buf out;

	(void)state;
	for (enum meter_why i = 0; i < METER_WHY_COUNT; i++) {
		const struct meter m = { .stopped = METER_BY(i) | METER_BY(METER_FROZEN) };

		assert_true(meter_stop_is(meter_why_word(i), &bit));
		assert_int_equal(bit, METER_BY(i));
		all |= bit;
		memset(text, 0, sizeof text);
		buf_init_in(&out, text, sizeof text - 1);
		meter_put_whys(&m, &out);
		assert_int_equal(strchr(text, ';') != NULL, i != METER_FROZEN);
	}
	assert_int_equal(all, METER_BY_AUTHORITY);
	assert_true(meter_stop_is("until", &bit));
	assert_int_equal(bit, 1u << QUALIFIER_UNTIL);
	assert_false(meter_stop_is("ech", &bit));
	assert_false(meter_stop_is("ask", &bit));
	assert_false(meter_stop_is("", &bit));
	buf_init_in(&out, text, sizeof text);
	meter_put_whys(&(struct meter){ .stopped = METER_BY_BUDGET }, &out);
	assert_int_equal(out.len, 0);
}

static void sums_of_meters(void **state)
{
	struct meter sum = { .opened = 1, .stopped = 1u << QUALIFIER_USES, .sys_errno = 110, .up = 5 };
	const struct meter more = {
		.opened = 2, .failed = 3, .refused = 4, .stopped = 1u << QUALIFIER_RATE, .up = 6, .down = 7
	};

	(void)state;
	meter_add(&sum, &more);
	assert_int_equal(meter_asked(&sum), 10);
	assert_int_equal(sum.stopped, 1u << QUALIFIER_USES | 1u << QUALIFIER_RATE);
	assert_int_equal(sum.sys_errno, 110);
	assert_int_equal(sum.up, 11);
	assert_int_equal(sum.down, 7);
	sum.refused = UINT32_MAX;
	assert_int_equal(meter_asked(&sum), UINT32_MAX);
	assert_string_equal(meter_failure(&(struct meter){ .opened = 1 }), "");
	assert_string_equal(meter_failure(&(struct meter){ .failed = 1 }), "nothing had answered when it ended");
	assert_string_equal(meter_failure(&(struct meter){ .failed = 1, .sys_errno = EHOSTUNREACH }),
			    "its name has no address, or no way leads there");
	assert_string_equal(meter_failure(&(struct meter){ .sys_errno = 1 }), "its name leads to no public address");
}

/* ---- what the relay tells ---- */

static struct link_refused refused[LINK_ENDPOINTS_MAX], back[LINK_ENDPOINTS_MAX];
static uint8_t report_room[LINK_REFUSED_BYTES_MAX + 1];

static void put(struct buf *out)
{
	buf_init_in(out, report_room, sizeof report_room);
	link_put_refused(out, refused);
}

static bool take(const struct buf *from)
{
	struct rbuf in;

	rbuf_init(&in, from->data, from->len);
	return link_take_refused(&in, back);
}

static void what_was_refused_is_taken_again(void **state)
{
	struct buf out;

	(void)state;
	memset(refused, 0, sizeof refused);
	for (uint32_t i = 0; i < LINK_ENDPOINTS_MAX; i++) { /* as long as it can be */
		refused[i].times[i % LINK_REASONS] = i == 0 ? UINT32_MAX : i;
		for (size_t at = 0; at < HOST_NAME_MAX_LEN; at++)
			refused[i].name.text[at] = at % 2 != 0 ? '.' : 'a';
	}
	put(&out);
	assert_false(out.failed);
	assert_int_equal(out.len, LINK_REFUSED_BYTES_MAX);
	assert_true(take(&out));
	assert_memory_equal(refused, back, sizeof refused);
	buf_put_u8(&out, 0);
	assert_false(take(&out));
	out.len -= 2;
	assert_false(take(&out));
}

static void what_is_no_name_is_not_taken(void **state)
{
	static const char *const names[] = { "A.example", "a.example.", "*.example", "192.0.2.1",
					     "a b",       "\x1b[31m",   "a\nb" };
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		memset(refused, 0, sizeof refused);
		strcpy(refused[LINK_ENDPOINTS_MAX - 1].name.text, names[i]); /* they fit */
		put(&out);
		if (take(&out))
			fail_msg("taken: '%s'", names[i]);
	}
}

static const struct qualifiers few = { .uses = 2, .rate = 1, .period_s = 60 };

static bool take_socket(uint32_t index, const char *name, uint32_t held, bool longer, struct link_socket *ret)
{
	uint8_t room[512];
	struct rbuf in;
	struct buf out;

	buf_init_in(&out, room, sizeof room);
	buf_put_u32(&out, index);
	buf_put_u32(&out, LINK_GRANTS_MAX - 1);
	buf_put_u32(&out, held);
	qualifiers_put(&out, &few);
	buf_put_str(&out, name);
	if (longer)
		buf_put_u8(&out, 0);
	rbuf_init(&in, room, out.len);
	return link_take_socket(&in, ret);
}

static void a_socket_is_a_name_in_a_directory(void **state)
{
	char name[ENDPOINT_UNIX_MAX + 1] = { 0 };
	const char *const bad[] = { "", ".", "..", "/", "a/b", "../a", "/run/x" };
	struct link_socket p = { .index = 99 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (take_socket(0, bad[i], 0, false, &p))
			fail_msg("taken: %s", bad[i]);
	memset(name, 'x', ENDPOINT_UNIX_MAX);
	assert_false(take_socket(0, name, 0, false, &p));
	name[ENDPOINT_UNIX_MAX - 1] = 0;
	assert_false(take_socket(LINK_ENDPOINTS_MAX, name, 0, false, &p));
	assert_false(take_socket(0, name, 0, true, &p));
	assert_int_equal(p.index, 99);
	assert_true(take_socket(LINK_ENDPOINTS_MAX - 1, name, 0, false, &p));
	assert_int_equal(p.index, LINK_ENDPOINTS_MAX - 1);
	assert_string_equal(p.name, name);
	assert_true(take_socket(0, "...", 1, false, &p));
	assert_int_equal(p.held, 1);
	assert_false(take_socket(0, "...", 2, false, &p));
}

static bool gives_back(const struct link_socket *put)
{
	struct link_socket got;
	uint8_t room[192];
	struct rbuf in;
	struct buf out;

	buf_init_in(&out, room, sizeof room);
	link_put_socket(&out, put);
	rbuf_init(&in, room, out.len);
	return link_take_socket(&in, &got);
}

static void a_socket_is_taken_as_it_was_put(void **state)
{
	struct link_socket put = { .index = 5, .grant = 6, .budget = few, .name = ".s.PGSQL.5432" };
	struct link_socket got;
	uint8_t room[128];
	struct rbuf in;
	struct buf out;

	(void)state;
	buf_init_in(&out, room, sizeof room);
	link_put_socket(&out, &put);
	for (size_t n = 0; n < out.len; n++) {
		rbuf_init(&in, room, n);
		assert_false(link_take_socket(&in, &got));
	}
	rbuf_init(&in, room, out.len);
	assert_true(link_take_socket(&in, &got));
	assert_int_equal(got.index, put.index);
	assert_int_equal(got.grant, put.grant);
	assert_true(qualifiers_are_same(&got.budget, &put.budget));
	assert_string_equal(got.name, put.name);
	put.budget.between = (struct window){ 540, 1080, "UTC" }; /* the dialer has no clock of that zone */
	assert_false(gives_back(&put));
	put.budget.between = (struct window){ .from = 0 };
	put.budget.bytes = 1;
	assert_false(gives_back(&put));
	put.budget.bytes = 0;
	put.grant = LINK_GRANTS_MAX;
	assert_false(gives_back(&put));
	put.grant--;
	assert_true(gives_back(&put));
}

/* Of each kind: whether it leads somewhere that the dialer is told by its endpoint, and whether the relay may be told of it. */
static void of_which_kind_an_endpoint_is(void **state)
{
	static const struct address_range one = { { ADDRESS_IPV4, { 192, 0, 2, 1 } }, 32 };
	static const struct address_range odd = { { ADDRESS_IPV4, { 192, 0, 2, 1 } }, 24 };
	const struct {
		struct endpoint what;
		bool endpoint, listener;
	} rows[] = {
		{ { .kind = ENDPOINT_NAME, .port = 80, .name = { "open.test" }, .range = one }, true, true },
		{ { .kind = ENDPOINT_NAME, .port = 80, .name = { "open.test" } },
		  true,
		  false }, /* it has an address in the cell */
		{ { .kind = ENDPOINT_NAME, .port = 80, .range = one }, false, false },
		{ { .kind = ENDPOINT_PATTERN, .port = 80, .name = { "*.open.test" } }, true, true },
		{ { .kind = ENDPOINT_RANGE, .port = 80, .range = one }, true, true },
		{ { .kind = ENDPOINT_RANGE, .port = 0, .range = one }, false, false },
		{ { .kind = ENDPOINT_RANGE, .port = 80, .range = odd }, false, false },
		{ { .kind = ENDPOINT_ANY, .port = 80 }, true, true },
		{ { .kind = ENDPOINT_UNIX }, false, true }, /* and nobody says where that is: link_socket */
		{ { .kind = ENDPOINT_UNIX, .path = "/run/x" }, false, true },
		{ { .kind = ENDPOINT_UNIX, .port = 80 }, false, false },
		{ { .kind = ENDPOINT_UNIX, .name = { "open.test" } }, false, false },
		{ { .kind = ENDPOINT_UNIX, .range = one }, false, false },
		{ { .kind = ENDPOINT_UNIX, .range = { .prefix = 32 } }, false, false },
		{ { .kind = ENDPOINT_SSH, .port = 22, .name = { "open.test" } }, false, false },
		{ { .kind = ENDPOINT_SSH }, false, false },
		{ { .kind = 0, .port = 80 }, false, false },
		{ { .kind = 77, .port = 80 }, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct link_endpoint to = { .index = 1, .grant = 2, .to = rows[i].what };
		const struct link_listener told = { .index = 1, .flags = LINK_ECH, .what = rows[i].what };
		struct link_endpoint got_endpoint;
		struct link_listener got = { .what.path = "/as/it/was" };
		uint8_t room[2][512];
		struct buf out;
		struct rbuf in;

		buf_init_in(&out, room[0], sizeof room[0]);
		link_put_endpoint(&out, &to);
		rbuf_init(&in, room[0], out.len);
		if (link_take_endpoint(&in, &got_endpoint) != rows[i].endpoint)
			fail_msg("row %zu, as an endpoint", i);
		buf_init_in(&out, room[1], sizeof room[1]);
		link_put_listener(&out, &told);
		rbuf_init(&in, room[1], out.len);
		if (link_take_listener(&in, &got) != rows[i].listener)
			fail_msg("row %zu, as what listens", i);
		if (rows[i].listener && (got.what.kind != rows[i].what.kind || got.what.path[0] != 0))
			fail_msg("row %zu, as it comes", i);
	}
}

static bool take_listen(uint32_t index, uint16_t port, uint16_t rest, bool longer)
{
	struct link_listen got = { .index = 99 };
	uint8_t room[16];
	struct rbuf in;
	struct buf out;
	bool ok;

	buf_init_in(&out, room, sizeof room);
	buf_put_u32(&out, index);
	buf_put_u16(&out, port);
	buf_put_u16(&out, rest);
	if (longer)
		buf_put_u8(&out, 0);
	rbuf_init(&in, room, out.len);
	ok = link_take_listen(&in, &got);
	return ok && got.index == index && got.port == port;
}

static void a_port_leads_to_one_of_the_cell(void **state)
{
	(void)state;
	assert_true(take_listen(0, 1, 0, false));
	assert_true(take_listen(LINK_ENDPOINTS_MAX - 1, 65535, 0, false));
	assert_false(take_listen(LINK_ENDPOINTS_MAX, 80, 0, false));
	assert_false(take_listen(0, 0, 0, false));
	assert_false(take_listen(0, 80, 1, false));
	assert_false(take_listen(0, 80, 0, true));
}

/* An arrival has a number of its own range, a dial never, and either may come to an end. */
static void numbers_of_connections_are_of_their_range(void **state)
{
	static const uint32_t numbers[] = {
		0, LINK_CONNECTIONS_MAX - 1, LINK_CONNECTIONS_MAX, LINK_NUMBERS_MAX - 1, LINK_NUMBERS_MAX, UINT32_MAX
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		const struct link_ask ask = { .connection = numbers[i] };
		const struct link_close over = { .connection = numbers[i] };
		struct link_ask got_ask;
		struct link_close got_over;
		uint8_t room[3][512];
		struct rbuf in;
		struct buf out;
		uint32_t got;

		buf_init_in(&out, room[0], sizeof room[0]);
		link_put_arrival(&out, numbers[i]);
		rbuf_init(&in, room[0], out.len);
		assert_int_equal(link_take_arrival(&in, &got),
				 numbers[i] >= LINK_CONNECTIONS_MAX && numbers[i] < LINK_NUMBERS_MAX);
		buf_init_in(&out, room[1], sizeof room[1]);
		link_put_ask(&out, &ask);
		rbuf_init(&in, room[1], out.len);
		assert_int_equal(link_take_ask(&in, &got_ask), numbers[i] < LINK_CONNECTIONS_MAX);
		buf_init_in(&out, room[2], sizeof room[2]);
		link_put_close(&out, &over);
		rbuf_init(&in, room[2], out.len);
		assert_int_equal(link_take_close(&in, &got_over), numbers[i] < LINK_NUMBERS_MAX);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_comes_as_it_was_sent),
		cmocka_unit_test(what_the_dialer_cannot_tell_is_refused),
		cmocka_unit_test(an_endpoint_out_of_range_is_refused),
		cmocka_unit_test(meters_come_as_they_were_sent),
		cmocka_unit_test(sums_of_meters),
		cmocka_unit_test(a_question_comes_as_it_was_sent),
		cmocka_unit_test(a_word_is_yes_or_a_reason),
		cmocka_unit_test(what_came_to_nothing_has_no_bytes),
		cmocka_unit_test(each_stop_has_a_word),
		cmocka_unit_test(what_was_refused_is_taken_again),
		cmocka_unit_test(what_is_no_name_is_not_taken),
		cmocka_unit_test(a_socket_is_a_name_in_a_directory),
		cmocka_unit_test(a_socket_is_taken_as_it_was_put),
		cmocka_unit_test(of_which_kind_an_endpoint_is),
		cmocka_unit_test(a_port_leads_to_one_of_the_cell),
		cmocka_unit_test(numbers_of_connections_are_of_their_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
