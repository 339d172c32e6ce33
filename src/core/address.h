/* address - addresses of the network, as numbers and as people write them.
 *
 * Owns:   struct address, struct address_range; their one way of being written, and what kinds of addresses there are.
 * Holds:  an IPv4 address is four decimal numbers without leading zeros and nothing else, whatever inet_aton takes ("127.1", "0x7f000001",
 *         "010.0.0.1"); an IPv6 one is taken in any form of RFC 4291 that has no IPv4 part, and written as RFC 5952 has it. An IPv4 address
 *         that is written as an IPv6 one (mapped, compatible) is refused: it would be a second spelling. Kinds are of the IANA special-purpose
 *         registries (RFC 6890 and what came since), and an address that holds another (mapped, NAT64, 6to4, Teredo) is of the worse kind of
 *         the two.
 * Called: from any process; pure. */
#ifndef CORE_ADDRESS_H
#define CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT_MAX 46       /* INET6_ADDRSTRLEN: with its NUL */
#define ADDRESS_RANGE_TEXT_MAX 50 /* with `/128` */

enum address_family { ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

struct address {
	uint8_t family;    /* enum address_family */
	uint8_t bytes[16]; /* in network order; of IPv4 the first four, and zeros */
};

struct address_range {
	struct address base; /* all bits beyond prefix are zero */
	uint8_t prefix;      /* 0 to 32, or to 128; the longest: one address */
};

/* Exactly n bytes; brackets are the caller's, and there is no zone. False: no address; *ret is as it was. */
bool address_take(const char *text, size_t n, struct address *ret);
/* ADDRESS, or ADDRESS/PREFIX, whose other bits must be zero. */
bool address_range_take(const char *text, size_t n, struct address_range *ret);
/* For messages, about what these two refuse: whether it is an address or range of RFC 4291 after all, with an IPv4 part or in place of an IPv4
 * one. *ret is what to write. */
bool address_range_meant(const char *text, size_t n, struct address_range *ret);
void address_put(const struct address *a, char ret[ADDRESS_TEXT_MAX]);
/* One address without a prefix. */
void address_range_put(const struct address_range *r, char ret[ADDRESS_RANGE_TEXT_MAX]);

/* 127.0.0.1, ::1. */
struct address address_loopback(enum address_family family);

/* An IPv4 address that is mapped into IPv6 becomes the one that is meant: what is sent to it leaves as IPv4. */
void address_unmap(struct address *a);

/* What came in a message: whether it has a family, a prefix, and nothing but zeros where there is nothing to say. */
bool address_is_well_formed(const struct address *a);
bool address_range_is_well_formed(const struct address_range *r);

bool address_is_same(const struct address *a, const struct address *b);
/* A mapped address is in no range: what is sent to it leaves as IPv4, and only the IPv4 address says to where. */
bool address_is_in(const struct address *a, const struct address_range *r);
bool address_range_is_one(const struct address_range *r);
bool address_range_is_in(const struct address_range *inner, const struct address_range *outer);

/* Why no name may lead there; PUBLIC is the only kind to which one may. */
enum address_kind {
	ADDRESS_PUBLIC,
	ADDRESS_UNSPECIFIED, /* 0.0.0.0/8, :: */
	ADDRESS_LOOPBACK,
	ADDRESS_LINK_LOCAL,
	ADDRESS_METADATA,  /* where clouds tell a machine its secrets; also in ranges of other kinds */
	ADDRESS_PRIVATE,   /* also shared (100.64/10) and unique local */
	ADDRESS_MULTICAST, /* and broadcast */
	ADDRESS_RESERVED,  /* documentation, benchmarks, discard, of no use yet */
	ADDRESS_KINDS
};
enum address_kind address_kind(const struct address *a); /* RESERVED also of what is no address */
const char *address_kind_word(enum address_kind k);      /* "public", "link-local" ... */

#endif
