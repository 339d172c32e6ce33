#include "serve/pool.h"

#include "base/clock.h"
#include "base/fd.h"
#include "lib/role.h"
#include "serve/place.h"
#include "wire/wire.h"

#define AGAIN_MS 1000

void pool_init(struct pool *p)
{
	*p = (struct pool){ .sock = -1, .pidfd = -1 };
}

void pool_finish(struct pool *p)
{
	fd_close(&p->sock);
	fd_close(&p->pidfd);
}

bool pool_is_there(const struct pool *p)
{
	return p->sock >= 0;
}

static bool waits(const struct pool *p)
{
	return p->sock < 0 && clock_ms() < p->again_ms;
}

struct pollfd pool_wants(const struct pool *p, int listen_fd)
{
	return (struct pollfd){ .fd = p->sock >= 0 ? p->sock : waits(p) ? -1 : listen_fd, .events = POLLIN };
}

int pool_patience(const struct pool *p, int timeout)
{
	return waits(p) && (timeout < 0 || timeout > AGAIN_MS) ? AGAIN_MS : timeout;
}

/* Whoever comes first does not wait for it: there is none, and what is asked is for the next. */
static void start(struct pool *p, int listen_fd, char **environment)
{
	auto_fd int first = place_accept(listen_fd);
	const int fds[] = { listen_fd, first };

	if (first < 0) { /* gone, or somebody else; or there are no descriptors, and he would wake us without end */
		p->again_ms = clock_ms() + AGAIN_MS;
		return;
	}
	p->again_ms = clock_ms() + AGAIN_MS;
	(void)wire_send(first, WIRE_POOL_NONE, NULL, NULL, 0); /* it has room, or he went */
	if (role_start_on_host("ambit-pool", environment, &p->pidfd, &p->sock, NULL) < 0 ||
	    wire_send(p->sock, WIRE_POOL_BEGIN, NULL, fds, 2) < 0)
		pool_finish(p);
}

void pool_step(struct pool *p, int listen_fd, char **environment)
{
	if (p->sock >= 0)
		pool_finish(p); /* it says nothing: it went */
	else if (listen_fd >= 0)
		start(p, listen_fd, environment);
}
