/* dns_again - an answer of DNS, read once more by other code than wrote it.
 *
 * Owns:   nothing.
 * Holds:  true only of an answer that a strict reader takes to its last byte, and that is of the forms of net/dns.h.
 * Called: from tests and fuzz targets. */
#ifndef UNIT_DNS_AGAIN_H
#define UNIT_DNS_AGAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_again {
	unsigned code;      /* with what OPT adds to it */
	size_t question_n;  /* name, type and class, from byte 12; 0: not repeated */
	bool has_record;    /* one answer, of the question's name and type */
	bool has_authority; /* one SOA */
	bool has_edns;
	uint32_t ttl;
	const uint8_t *data; /* of the record */
	size_t data_n;
};

bool dns_again_read(const uint8_t *bytes, size_t n, struct dns_again *ret);

#endif
