/* A packet of DNS: none, or an answer that a strict reader takes, to this question, and that is answered no more. */
#include <string.h>

#include "dns_again.h"
#include "fuzz.h"
#include "net/dns.h"

/* Names are there by their first letter, so that few bytes are enough for each kind of answer. */
static bool find(void *arg, const struct host_name *name, struct dns_host *ret)
{
	*(bool *)arg = true;
	if (name->text[0] == 'a' || name->text[0] == 'o')
		ret->ipv4 = (struct address){ ADDRESS_IPV4, { 127, 64, 0, 1 } };
	if (name->text[0] == 'a')
		ret->ipv6 = (struct address){ ADDRESS_IPV6, { [0] = 0xfd, [15] = 1 } };
	return name->text[0] != 'x';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool asked = false;
	const struct dns_hosts hosts = { find, &asked };
	uint8_t answer[DNS_ANSWER_MAX], again[DNS_ANSWER_MAX];
	struct dns_again read;
	const size_t n = dns_answer(&hosts, data, size, answer);

	promise(n <= DNS_ANSWER_MAX && (n == 0) == (size < 12 || (data[2] & 0x80) != 0));
	if (n == 0)
		return 0;
	promise(dns_again_read(answer, n, &read) && (answer[2] & 0x80) != 0);
	promise(memcmp(answer, data, 2) == 0 && ((answer[2] ^ data[2]) & 0x79) == 0);
	promise(read.question_n <= size - 12 && memcmp(answer + 12, data + 12, read.question_n) == 0);
	promise((read.has_record || read.has_authority) <= (asked && read.code == 0));
	promise(dns_answer(&hosts, answer, n, again) == 0);
	return 0;
}
