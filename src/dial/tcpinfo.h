/* tcpinfo - struct tcp_info with its counts of bytes.
 *
 * Owns:   nothing. glibc's own (2.36) ends before them, and the kernel's header, which has them, has no names of states (tcp(7), Linux 4.19).
 * Called: dial.c. */
#ifndef DIAL_TCPINFO_H
#define DIAL_TCPINFO_H

#ifdef __GLIBC__
#include <linux/tcp.h>

enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING
};
#else
#include <netinet/tcp.h>
#endif

#endif
