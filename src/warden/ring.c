#include "warden/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "warden/calls.h"
#include "warden/seen.h"

/* linux/bpf.h: BPF_RINGBUF_BUSY_BIT, _DISCARD_BIT, _HDR_SZ. */
#define BUSY (1u << 31)
#define DISCARDED (1u << 30)
#define HEAD 8u

_Static_assert(SEEN_NO == CALL_NO && SEEN_ADDRESS_MAX == CALL_ADDRESS_MAX && SEEN_PATH_MAX == EFFECT_OBJECT_MAX,
	       "what both sides know");

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int ring_open(struct ring *r, int fd)
{
	const size_t page = page_size();
	void *own, *theirs;

	r->fd = fd;
	own = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (own == MAP_FAILED)
		return -errno;
	theirs = mmap(NULL, page + 2 * (size_t)SEEN_RING_BYTES, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (theirs == MAP_FAILED) {
		const int r_errno = errno;

		(void)munmap(own, page);
		return -r_errno;
	}
	r->consumed = own;
	r->at = theirs;
	return 0;
}

void ring_close(struct ring *r)
{
	if (r->at != NULL) {
		(void)munmap(r->consumed, page_size());
		(void)munmap((void *)(uintptr_t)r->at, page_size() + 2 * (size_t)SEEN_RING_BYTES);
	}
	r->at = NULL;
	fd_close(&r->fd);
}

/* The directory: its names come the last one first, and none is "/". How many bytes; -1: they do not fit, or are none. */
static ssize_t put_start(const struct seen_record *s, const char *names, char *object)
{
	static const char deleted[] = " (deleted)"; /* as /proc has it */
	size_t at = EFFECT_OBJECT_MAX, n;

	if ((s->state & SEEN_NOWHERE) != 0 || (s->above > 0 && names[s->above - 1] != 0))
		return -1;
	for (size_t i = 0; i < s->above; i += n + 1) {
		n = strlen(names + i);
		if (n == 0 || n + 1 > at)
			return -1;
		at -= n + 1;
		object[at] = '/';
		memcpy(object + at + 1, names + i, n);
	}
	n = EFFECT_OBJECT_MAX - at;
	memmove(object, object + at, n);
	if (n == 0)
		object[n++] = '/';
	if ((s->state & SEEN_DELETED) == 0)
		return (ssize_t)n;
	if (n + sizeof deleted > EFFECT_OBJECT_MAX)
		return -1;
	memcpy(object + n, deleted, sizeof deleted - 1);
	return (ssize_t)(n + sizeof deleted - 1);
}

/* How long "/dev/fd/N", or "/dev/fd/N/", at the beginning is. */
static size_t behind_descriptor(const char *path, size_t length)
{
	static const char place[] = "/dev/fd/";
	size_t n = sizeof place - 1;

	if (length < n || memcmp(path, place, n) != 0)
		return 0;
	while (n < length && path[n] >= '0' && path[n] <= '9')
		n++;
	return n < length && path[n] == '/' ? n + 1 : n;
}

static ssize_t put_object(const struct call *c, const struct seen_record *s, const char *bytes, char *object)
{
	const char *given = bytes;
	size_t n;

	if ((s->state & SEEN_UNREAD) != 0)
		return -1;
	if (c->how == AS_CONNECT) {
		const ssize_t said = call_put_address(bytes, s->length, object, EFFECT_OBJECT_MAX);

		return said == 0 && (s->state & SEEN_LATE) != 0
			       ? -1
			       : said; /* nobody takes a connection out of the trace when it is made */
	}
	if ((s->state & SEEN_BEHIND) != 0)
		given += behind_descriptor(bytes, s->length);
	n = (size_t)(bytes + s->length - given);
	if (n == 0 || given[0] != '/')
		return call_put_path(object, put_start(s, bytes + s->length, object), given, n);
	if (s->length >= EFFECT_OBJECT_MAX)
		return -1;
	memcpy(object, bytes, s->length);
	return s->length;
}

bool ring_note(struct arena *a, const uint8_t *bytes, size_t n, char object[EFFECT_OBJECT_MAX])
{
	const char *behind = (const char *)bytes + sizeof(struct seen_record);
	struct seen_record s;

	if (n < sizeof s)
		return false;
	memcpy(&s, bytes, sizeof s);
	if (s.call >= calls_n || (size_t)s.length + s.above > n - sizeof s)
		return false;
	if (calls[s.call].how != AS_CONNECT && memchr(behind, 0, s.length) != NULL)
		return false;
	call_note(a, s.thread, &calls[s.call], s.flags, object, put_object(&calls[s.call], &s, behind, object));
	return true;
}

void ring_read(struct ring *r, struct arena *a)
{
	const uint64_t *written = (const uint64_t *)(const void *)r->at;
	uint64_t end;
	const uint8_t *records = r->at + page_size();
	uint64_t at;

	if (r->at == NULL)
		return;
	at = *r->consumed;
	end = __atomic_load_n(written,
			      __ATOMIC_ACQUIRE); /* and not what comes meanwhile: others wait for the warden, too */
	while (at < end) {
		const uint8_t *head = records + at % SEEN_RING_BYTES;
		const uint32_t length = __atomic_load_n((const uint32_t *)(const void *)head, __ATOMIC_ACQUIRE);
		const uint32_t n = length & ~(BUSY | DISCARDED);

		if ((length & BUSY) != 0 || n > SEEN_RING_BYTES) /* it is being written */
			return;
		if ((length & DISCARDED) == 0 && ring_note(a, head + HEAD, n, r->object))
			a->head->taken++;
		at += (n + HEAD + 7) & ~7u;
		__atomic_store_n(r->consumed, at, __ATOMIC_RELEASE);
	}
}
