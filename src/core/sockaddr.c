#include "core/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

bool sockaddr_take(const void *sa, struct address *ret)
{
	const struct sockaddr *any = sa;

	if (any->sa_family == AF_INET) {
		*ret = (struct address){ .family = ADDRESS_IPV4 };
		memcpy(ret->bytes, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (any->sa_family == AF_INET6) {
		*ret = (struct address){ .family = ADDRESS_IPV6 };
		memcpy(ret->bytes, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	} else {
		return false;
	}
	return true;
}

socklen_t sockaddr_put(const struct address *a, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const bool is_four = a->family == ADDRESS_IPV4;

	memcpy(&four.sin_addr, a->bytes, sizeof four.sin_addr);
	memcpy(&six.sin6_addr, a->bytes, sizeof six.sin6_addr);
	memset(ret, 0, sizeof *ret);
	if (is_four)
		memcpy(ret, &four, sizeof four);
	else
		memcpy(ret, &six, sizeof six);
	return is_four ? sizeof four : sizeof six;
}
