/* What an address is for: two tables, and what follows when one address holds another. */
#include "core/address.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#define G(group) (group) >> 8, (group)&0xff
#define V6(a, b, c, d, e, f, g, h)                                                                                     \
	{                                                                                                              \
		.family = ADDRESS_IPV6, .bytes = { G(a), G(b), G(c), G(d), G(e), G(f), G(g), G(h) }                    \
	}
#define V4(a, b, c, d)                                                                                                 \
	{                                                                                                              \
		.family = ADDRESS_IPV4, .bytes = { a, b, c, d }                                                        \
	}

struct kind_row {
	const char *word;
	uint8_t badness; /* of two the higher one is told */
};

/* Unspecified is low: in the places where NAT64 may hold an address there are zeros where it holds none. */
static const struct kind_row kinds[ADDRESS_KINDS] = {
	[ADDRESS_PUBLIC] = { "public", 0 },           [ADDRESS_RESERVED] = { "reserved", 1 },
	[ADDRESS_UNSPECIFIED] = { "unspecified", 2 }, [ADDRESS_MULTICAST] = { "multicast", 3 },
	[ADDRESS_PRIVATE] = { "private", 4 },         [ADDRESS_LINK_LOCAL] = { "link-local", 5 },
	[ADDRESS_LOOPBACK] = { "loopback", 6 },       [ADDRESS_METADATA] = { "metadata", 7 },
};

const char *address_kind_word(enum address_kind k)
{
	return k < ADDRESS_KINDS ? kinds[k].word : "?";
}

struct special {
	struct address_range range;
	enum address_kind kind;
};

/* The first row that fits decides. After the clouds the IANA registries of special-purpose addresses, as of 2025, but for what
 * they call globally reachable and is a place in the internet like any other (AS112, AMT). */
static const struct special specials[] = {
	{ { V4(169, 254, 169, 254), 32 }, ADDRESS_METADATA }, /* AWS, GCP, Azure, Oracle, OpenStack and most */
	{ { V4(169, 254, 170, 2), 32 }, ADDRESS_METADATA },   /* AWS: of a task in ECS */
	{ { V4(169, 254, 170, 23), 32 }, ADDRESS_METADATA },  /* AWS: of a pod in EKS */
	{ { V4(169, 254, 42, 42), 32 }, ADDRESS_METADATA },   /* Scaleway */
	{ { V4(169, 254, 0, 23), 32 }, ADDRESS_METADATA },    /* Tencent */
	{ { V4(168, 63, 129, 16), 32 }, ADDRESS_METADATA },   /* Azure, in the public space */
	{ { V4(100, 100, 100, 200), 32 }, ADDRESS_METADATA }, /* Alibaba */
	{ { V4(192, 0, 0, 192), 32 }, ADDRESS_METADATA },     /* Oracle, of the first generation */
	{ { V6(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128 }, ADDRESS_METADATA },   /* AWS */
	{ { V6(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23), 128 }, ADDRESS_METADATA },    /* AWS: of a pod in EKS */
	{ { V6(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128 }, ADDRESS_METADATA },    /* GCP */
	{ { V6(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128 }, ADDRESS_METADATA },     /* Scaleway */
	{ { V6(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe), 128 }, ADDRESS_METADATA }, /* OpenStack */

	{ { V4(0, 0, 0, 0), 8 }, ADDRESS_UNSPECIFIED },
	{ { V4(10, 0, 0, 0), 8 }, ADDRESS_PRIVATE },
	{ { V4(100, 64, 0, 0), 10 }, ADDRESS_PRIVATE }, /* shared by the customers of a provider (RFC 6598) */
	{ { V4(127, 0, 0, 0), 8 }, ADDRESS_LOOPBACK },
	{ { V4(169, 254, 0, 0), 16 }, ADDRESS_LINK_LOCAL },
	{ { V4(172, 16, 0, 0), 12 }, ADDRESS_PRIVATE },
	{ { V4(192, 0, 0, 0), 24 }, ADDRESS_RESERVED },   /* protocols, and anycast to the next router */
	{ { V4(192, 0, 2, 0), 24 }, ADDRESS_RESERVED },   /* documentation */
	{ { V4(192, 88, 99, 0), 24 }, ADDRESS_RESERVED }, /* relays of 6to4 that are no more (RFC 7526) */
	{ { V4(192, 168, 0, 0), 16 }, ADDRESS_PRIVATE },
	{ { V4(198, 18, 0, 0), 15 }, ADDRESS_RESERVED },   /* benchmarks */
	{ { V4(198, 51, 100, 0), 24 }, ADDRESS_RESERVED }, /* documentation */
	{ { V4(203, 0, 113, 0), 24 }, ADDRESS_RESERVED },  /* documentation */
	{ { V4(224, 0, 0, 0), 4 }, ADDRESS_MULTICAST },
	{ { V4(255, 255, 255, 255), 32 }, ADDRESS_MULTICAST }, /* to everybody on this link */
	{ { V4(240, 0, 0, 0), 4 }, ADDRESS_RESERVED },
	{ { V4(0, 0, 0, 0), 0 }, ADDRESS_PUBLIC },

	{ { V6(0, 0, 0, 0, 0, 0, 0, 0), 128 }, ADDRESS_UNSPECIFIED },
	{ { V6(0, 0, 0, 0, 0, 0, 0, 1), 128 }, ADDRESS_LOOPBACK },
	{ { V6(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96 }, ADDRESS_PUBLIC },  /* NAT64: what it holds decides */
	{ { V6(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48 }, ADDRESS_PRIVATE }, /* NAT64 of one network (RFC 8215) */
	{ { V6(0x2001, 0, 0, 0, 0, 0, 0, 0), 32 }, ADDRESS_PUBLIC },     /* Teredo: what it holds decides */
	{ { V6(0x2001, 0, 0, 0, 0, 0, 0, 0), 23 }, ADDRESS_RESERVED },   /* protocols, benchmarks, ORCHID, DRIP */
	{ { V6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32 }, ADDRESS_RESERVED },
	{ { V6(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20 }, ADDRESS_RESERVED }, /* these two: documentation */
	{ { V6(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7 }, ADDRESS_PRIVATE },   /* unique local */
	{ { V6(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10 }, ADDRESS_LINK_LOCAL },
	{ { V6(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10 }, ADDRESS_PRIVATE }, /* of a site, as was (RFC 3879) */
	{ { V6(0xff00, 0, 0, 0, 0, 0, 0, 0), 8 }, ADDRESS_MULTICAST },
	{ { V6(0x2000, 0, 0, 0, 0, 0, 0, 0), 3 }, ADDRESS_PUBLIC },
	/* nobody's yet; in it what is mapped or compatible, to be discarded (100::/64), a segment (5f00::/16) */
	{ { V6(0, 0, 0, 0, 0, 0, 0, 0), 0 }, ADDRESS_RESERVED },
};

/* As bytes: a mapped address, too, is of a row here. */
static bool lies_in(const struct address *a, const struct address_range *r)
{
	const struct address_range one = { *a, a->family == ADDRESS_IPV4 ? 32 : 128 };

	return address_range_is_in(&one, r);
}

static enum address_kind listed_kind(const struct address *a)
{
	for (size_t i = 0; i < COUNT_OF(specials); i++)
		if (lies_in(a, &specials[i].range))
			return specials[i].kind;
	return ADDRESS_RESERVED;
}

struct holder {
	struct address_range range;
	uint8_t at[4];  /* the bytes of the IPv4 address in it */
	uint8_t invert; /* these bits of each are written inverted */
};

/* In the NAT64 of one network the address may lie at any of four places (RFC 6052, 2.2), and all are looked at. */
static const struct holder holders[] = {
	{ { V6(0, 0, 0, 0, 0, 0xffff, 0, 0), 96 }, { 12, 13, 14, 15 }, 0 }, /* mapped */
	{ { V6(0, 0, 0, 0, 0xffff, 0, 0, 0), 96 }, { 12, 13, 14, 15 }, 0 }, /* translated (RFC 2765) */
	{ { V6(0, 0, 0, 0, 0, 0, 0, 0), 96 }, { 12, 13, 14, 15 }, 0 },      /* compatible */
	{ { V6(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96 }, { 12, 13, 14, 15 }, 0 },
	{ { V6(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48 }, { 6, 7, 9, 10 }, 0 },
	{ { V6(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48 }, { 7, 9, 10, 11 }, 0 },
	{ { V6(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48 }, { 9, 10, 11, 12 }, 0 },
	{ { V6(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48 }, { 12, 13, 14, 15 }, 0 },
	{ { V6(0x2002, 0, 0, 0, 0, 0, 0, 0), 16 }, { 2, 3, 4, 5 }, 0 },             /* 6to4 */
	{ { V6(0x2001, 0, 0, 0, 0, 0, 0, 0), 32 }, { 4, 5, 6, 7 }, 0 },             /* Teredo: the server */
	{ { V6(0x2001, 0, 0, 0, 0, 0, 0, 0), 32 }, { 12, 13, 14, 15 }, UINT8_MAX }, /* and the client */
};

static struct address held_by(const struct address *a, const struct holder *h)
{
	struct address held = { .family = ADDRESS_IPV4 };

	for (size_t i = 0; i < COUNT_OF(h->at); i++)
		held.bytes[i] = a->bytes[h->at[i]] ^ h->invert;
	return held;
}

enum address_kind address_kind(const struct address *a)
{
	enum address_kind worst = listed_kind(a);

	for (size_t i = 0; i < COUNT_OF(holders); i++) {
		const struct address held = held_by(a, &holders[i]);
		const enum address_kind kind = listed_kind(&held);

		if (lies_in(a, &holders[i].range) && kinds[kind].badness > kinds[worst].badness)
			worst = kind;
	}
	return worst;
}
