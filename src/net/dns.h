/* dns - what a program in the cell is told when it asks for the address of a name.
 *
 * Owns:   the form of questions and answers (RFC 1035; EDNS: RFC 6891), and what is answered to what.
 * Holds:  an answer follows from the question and from which names there are, and from nothing else: nobody is asked, nothing is kept. A question is
 *         either understood to its last byte or refused, and of it nothing comes back but its number, its kind and its name as it was written
 *         (programs compare the case of its letters). An answer fits where the smallest question's must, so none is ever cut.
 * Called: role ambit-net, on what a program in the cell sends; pure. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/address.h"
#include "core/host.h"

#define DNS_QUERY_MAX 1232 /* what is told to those who speak EDNS; nothing that they may ask is longer */
#define DNS_ANSWER_MAX 512 /* RFC 1035, 2.3.4 */
#define DNS_TTL_S 60       /* an address leads to its name for as long as the cell lives */

/* The addresses by which a name is reached from the cell. */
struct dns_host {
	struct address ipv4, ipv6; /* family 0: none of that kind */
};

/* Whether the name is there to be connected to. */
struct dns_hosts {
	bool (*find)(void *arg, const struct host_name *name, struct dns_host *ret);
	void *arg;
};

/* Answers one packet; over TCP, what comes after its length. Gives the length of the answer, 0 if none is to be sent. The first rule that fits:
 *  1. Shorter than a head, or an answer itself: none.
 *  2. Another operation than a query: NOTIMP.
 *  3. Longer than DNS_QUERY_MAX; not one question; a name that is compressed, over 255 bytes or cut short; records, bytes after the question but
 *     one OPT that is well-formed: FORMERR.
 *  4. EDNS of another version than 0: BADVERS.
 *  5. Another class than IN, another type than A, AAAA, SVCB, HTTPS, whatever the name: REFUSED.
 *  6. A name that is none, or is not there: NXDOMAIN, of which nothing tells for how long. It may be there the next moment.
 *  7. An address of the kind that was asked for: that one, for DNS_TTL_S.
 *  8. NOERROR without an answer, for DNS_TTL_S: the name is there, and has nothing of that kind. */
size_t dns_answer(const struct dns_hosts *hosts, const uint8_t *query, size_t n, uint8_t ret[DNS_ANSWER_MAX]);

#endif
