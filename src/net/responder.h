/* responder - answers programs of the cell that ask for addresses of names.
 *
 * Owns:   the two sockets of the cell's name server, by UDP and by TCP, and the connections of the latter.
 * Holds:  nobody is asked but who is given (net/targets.h); a question that is not understood is refused (net/dns.h); no more than RESPONDER_CLIENTS
 *         connections are open, and a further one takes the place of the one that was quiet for longest. What cannot be sent at once is not sent: who
 *         asked asks again.
 * Called: role ambit-net. */
#ifndef NET_RESPONDER_H
#define NET_RESPONDER_H

#include "net/dns.h"

#define RESPONDER_CLIENTS 8

struct responder_client {
	int fd;        /* owned; -1 */
	uint32_t used; /* when it last said something, in turns */
	size_t have;
	uint8_t bytes[2 + DNS_QUERY_MAX]; /* a length, and what it asks */
};

struct responder {
	int udp, tcp; /* owned; -1: the cell has no name server */
	uint32_t turns;
	struct responder_client client[RESPONDER_CLIENTS];
};

void responder_init(struct responder *r);
void responder_finish(struct responder *r);

/* Something came by UDP. */
void responder_serve_udp(struct responder *r, const struct dns_hosts *hosts);
/* Somebody connects: the index of a client, whose descriptor the caller watches; -1: nobody does any more. */
int responder_accept(struct responder *r);
/* A client said something, or went. */
void responder_serve(struct responder *r, uint32_t i, const struct dns_hosts *hosts);

#endif
