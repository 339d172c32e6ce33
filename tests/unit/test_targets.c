/* What a connection is meant for, and which names have addresses: rows, and the table at its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/targets.h"

static struct targets targets;

static struct host_name name_of(const char *text)
{
	struct host_name name;

	assert_true(host_take(text, strlen(text), &name));
	return name;
}

static void add(uint32_t index, const char *text)
{
	struct link_listener l = { .index = index };

	assert_int_equal(endpoint_take(text, &l.what, NULL), 0);
	if (l.what.kind == ENDPOINT_NAME)
		l.what.range = (struct address_range){ .base = { ADDRESS_IPV4, { 198, 18, 0, (uint8_t)(index + 1) } },
						       .prefix = 32 };
	targets_add(&targets, &l);
}

/* Nothing else is granted: neither a port nor a host is by chance. */
static void begin(void)
{
	static const char *const granted[] = { "exact.x.test:443", "*.x.test:443",        "*:80",
					       "10.0.0.0/8:443",   "10.1.0.0/16:443",     "10.1.2.3:443",
					       "0.0.0.0/0:8080",   "127.0.0.0/8:8081",    "exact.x.test:8443",
					       "*.x.test:80",      "[2001:db8::/32]:443", "*.other.org:8443" };

	memset(&targets, 0, sizeof targets);
	for (uint32_t i = 0; i < sizeof granted / sizeof granted[0]; i++)
		add(i, granted[i]);
}

#define NONE UINT32_MAX

static void an_address_means_one_endpoint(void **state)
{
	static const struct {
		const char *at; /* or the name that was asked for */
		uint16_t port;
		uint32_t endpoint;
		const char *name;
	} rows[] = {
		{ "198.18.0.1", 443, 0, "exact.x.test" },
		{ "198.18.0.1", 8443, 8, "exact.x.test" },
		{ "198.18.0.1", 80, 9, "exact.x.test" },
		{ "198.18.0.1", 8080, NONE, NULL },
		{ "a.x.test", 443, 1, "a.x.test" },
		{ "a.x.test", 80, 9, "a.x.test" },
		{ "a.x.test", 8443, NONE, NULL },
		{ "a.x.test", 8080, NONE, NULL },
		{ "a.b.x.test", 443, NONE, NULL },
		{ "a.b.x.test", 80, 2, "a.b.x.test" },
		{ "a.other.org", 8443, 11, "a.other.org" },
		{ "a.other.org", 443, NONE, NULL },
		{ "198.19.255.255", 80, NONE, NULL },
		{ "198.19.0.0", 443, NONE, NULL },
		{ "10.1.2.3", 443, 5, NULL },
		{ "10.1.2.4", 443, 4, NULL },
		{ "10.2.2.4", 443, 3, NULL },
		{ "11.0.0.1", 443, NONE, NULL },
		{ "10.1.2.3", 80, NONE, NULL },
		{ "93.184.216.34", 80, 2, NULL },
		{ "2606:2800::1", 80, 2, NULL },
		{ "169.254.169.254", 80, NONE, NULL },
		{ "127.0.0.1", 80, NONE, NULL },
		{ "::1", 80, NONE, NULL },
		{ "127.0.0.1", 8080, NONE, NULL },
		{ "169.254.169.254", 8080, 6, NULL },
		{ "127.0.0.1", 8081, 7, NULL },
		{ "2001:db8::1", 443, 10, NULL },
		{ "2001:db9::1", 443, NONE, NULL },
		{ "10.1.2.3", 444, NONE, NULL },
	};

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct target to = { .endpoint = NONE };
		struct dns_host host;
		bool meant;

		if (!address_take(rows[i].at, strlen(rows[i].at), &host.ipv4)) {
			const struct host_name name = name_of(rows[i].at);

			assert_true(targets_find(&targets, &name, &host));
		}
		meant = targets_meant(&targets, rows[i].port, &host.ipv4, &to);
		if (meant != (rows[i].endpoint != NONE) || to.endpoint != rows[i].endpoint)
			fail_msg("%s:%u: endpoint %u", rows[i].at, rows[i].port, to.endpoint);
		if (!meant)
			continue;
		assert_int_equal(to.name != NULL, rows[i].name != NULL);
		if (to.name != NULL)
			assert_string_equal(to.name->text, rows[i].name);
		assert_int_equal(to.address.family == 0, to.name != NULL);
	}
}

static void names_that_lead_nowhere_are_remembered(void **state)
{
	struct dns_host host;
	char text[16];

	(void)state;
	memset(&targets, 0, sizeof targets);
	add(0, "*.x.test:443");
	for (unsigned i = 0; i < 2 * (LINK_UNKNOWN_MAX + 1);
	     i++) { /* each twice, and one more than there is room for */
		struct host_name name;

		(void)snprintf(text, sizeof text, "n%u.org", i / 2);
		name = name_of(text);
		assert_false(targets_find(&targets, &name, &host));
	}
	assert_int_equal(targets.n_unknown, LINK_UNKNOWN_MAX);
	assert_string_equal(targets.unknown[1].text, "n1.org");
	assert_int_equal(targets.n_names, 0);
}

static void the_cell_is_itself(void **state)
{
	static const char *const own[] = { "localhost", "a.localhost" };
	struct dns_host host;

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		const struct host_name name = name_of(own[i]);

		assert_true(targets_find(&targets, &name, &host));
		assert_int_equal(address_kind(&host.ipv4), ADDRESS_LOOPBACK);
		assert_int_equal(address_kind(&host.ipv6), ADDRESS_LOOPBACK);
	}
	assert_int_equal(targets.n_names + targets.n_unknown, 0);
}

static struct address give(unsigned i)
{
	struct host_name name;
	struct dns_host host;
	char text[24];

	(void)snprintf(text, sizeof text, "n%u.x.test", i);
	name = name_of(text);
	assert_true(targets_find(&targets, &name, &host));
	assert_int_equal(host.ipv6.family, 0);
	return host.ipv4;
}

/* Each has its own, keeps it, and leads back; the next one is not there, and those that are still are. */
static void a_name_keeps_its_address(void **state)
{
	const struct host_name late = name_of("late.x.test");
	struct dns_host host;

	(void)state;
	memset(&targets, 0, sizeof targets);
	add(0, "*.x.test:443");
	for (unsigned i = 0; i < TARGET_NAMES_MAX; i++) {
		const struct address at = give(i);
		struct target to;

		assert_int_equal(link_index_of(&at), i);
		assert_true(targets_meant(&targets, 443, &at, &to));
		assert_ptr_equal(to.name, &targets.names[i]);
	}
	assert_false(targets_find(&targets, &late, &host));
	for (unsigned i = 0; i < TARGET_NAMES_MAX; i += 1000) {
		const struct address at = give(i);

		assert_int_equal(link_index_of(&at), i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_means_one_endpoint),
		cmocka_unit_test(names_that_lead_nowhere_are_remembered),
		cmocka_unit_test(the_cell_is_itself),
		cmocka_unit_test(a_name_keeps_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
