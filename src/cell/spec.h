/* spec - the description of a cell: fixed-size, pure data.
 *
 * Owns:   struct cell_spec and struct cell_program (what runs in it), and their encodings.
 * Holds:  a spec that spec_check accepts can be built or refused, never half-built: every path is absolute and
 *         normal, every index is in range, every text is inside the pool. It describes every cell alike (events,
 *         parsers, warm shapes) and says nothing of how the wall is made.
 * Called: supervisor (writes it), warden (reads and checks it again); pure. */
#ifndef CELL_SPEC_H
#define CELL_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/endpoint.h"
#include "core/limits.h"

/* A file of the skeleton by which Ambit knows that it is in a cell already. In the root, which no grant can cover; for a better
 * message only, since the wall would refuse as well. */
#define CELL_MARK ".ambit-cell"

#define CELL_RESPONDER                                                                                                 \
	"192.0.2.53" /* the cell's name server, if it has one; else an address that nobody has (RFC 5737) */
/* What SSH_AUTH_SOCK says in a cell that was granted a key. Nothing of the host has this name. */
#define CELL_AGENT "/run/ambit/ssh-agent"
/* Where a cell that was granted `delegate` asks for others. Likewise; packets (SOCK_SEQPACKET), and the only such socket that takes descriptors. */
#define CELL_DELEGATE "/run/ambit/delegate"

/* Whom programs of the cell trust, where the event has authorities of its own: what is mounted there is of this cell alone. As the mark in
 * the root, which no grant can cover. */
#define CELL_TRUST "/.ambit-trust"
#define CELL_TRUST_OWN CELL_TRUST "/ca.crt"           /* the event's, for who adds them to others */
#define CELL_TRUST_BUNDLE CELL_TRUST "/ca-bundle.crt" /* the host's and the event's */
#define CELL_TRUST_JAVA                                                                                                \
	CELL_TRUST                                                                                                     \
	"/cacerts" /* the same as a keystore, whose password is `changeit`; where the cell sees one of the system */

#define CELL_STAGES_MAX 64     /* trees of which the cell sees a copy that is written elsewhere */
#define CELL_ENDPOINTS_MAX 128 /* what listens in the cell for somebody outside */
#define CELL_SOCKETS_MAX (2 * CELL_ENDPOINTS_MAX + 2) /* by which */
#define CELL_POOL_SOCKETS 64       /* of each family, by which somebody outside connects to the cell's servers */
#define CELL_PATHS_MAX 512         /* grants, what protects names in them, and the base */
#define CELL_POOL_MAX (152u << 10) /* texts of all paths, known_hosts and authorities */
#define CELL_ARGS_MAX 4096         /* arguments plus environment entries */
/* Of code: where its source is read, and what became of it is written. */
#define CELL_CODE_FD 3
#define CELL_RESULT_FD 4
/* The first word of CELL_BUILD and CELL_PROGRAM: which descriptors travel behind the message's own, in this order: 0, 1, 2 by their bits, then these. */
#define CELL_HAS_PROGRAM 8u         /* what CELL_BY_FD executes */
#define CELL_PROGRAM_LATER 16u      /* none: it comes with CELL_PROGRAM */
#define CELL_HAS_CODE 32u           /* two: what becomes CELL_CODE_FD and CELL_RESULT_FD */
#define CELL_HAS_TEMPLATE 64u       /* an interpreter of which a copy becomes the program, if that can be had */
#define CELL_PROGRAM_MAX (1u << 20) /* bytes of arguments and environment; the kernel's own ARG_MAX is 2 MiB */
#define CELL_SPEC_ENCODED_MAX (256u << 10)

enum cell_base {
	CELL_BASE_SYSTEM = 1, /* /usr and what programs need to run at all */
	CELL_BASE_MINIMAL,    /* /proc, /dev, /tmp, home; files only as granted */
	CELL_BASE_NONE,       /* an empty root, but for what is granted: parsers */
	CELL_BASE_HOST,       /* as SYSTEM, and grants of the host's other trees that nobody wrote: `ambit learn` */
};

enum cell_observe { CELL_OBSERVE_OFF = 1, CELL_OBSERVE_EFFECTS, CELL_OBSERVE_FULL };
/* Who sees that: the eye, which each call waits for (warden/eye.h), or programs in the kernel (ebpf/seen.bpf.c). ANY is for a library to choose. */
enum cell_source { CELL_SOURCE_EYE, CELL_SOURCE_EBPF, CELL_SOURCE_ANY };

enum cell_flag {
	CELL_JIT = 1,           /* memory may be written and executed */
	CELL_TTY_IN = 2,        /* descriptor 0 is the cell's private terminal */
	CELL_TTY_OUT = 4,       /* descriptor 1 likewise */
	CELL_TTY_ERR = 8,       /* descriptor 2 likewise */
	CELL_BY_FD = 16,        /* the program is a descriptor that travels with the build message, not a path */
	CELL_MEMORY_EXACT = 32, /* a cgroup bounds the memory of all processes together */
	CELL_SERVES = 64,       /* sockets of its network are handed out, CELL_POOL_SOCKETS of each family */
	CELL_LATE =
		256, /* the program is known later: it goes to its directory itself, since what a tree was seen to have before may be something else by then */
	CELL_TEMPLATE = 512, /* it runs an interpreter of which copies are made for other cells (warden/template.h) */
	CELL_COPIED = 1024,  /* its program is to be such a copy: it has a Landlock layer, and the warden has none */
	CELL_UNASKED = 2048, /* what is observed is seen by programs in the kernel: no call waits for the eye */
	CELL_NO_IPV6 = 128,  /* the kernel has none: what leads to any host listens by IPv4 alone */
};
#define CELL_TTY_ANY (CELL_TTY_IN | CELL_TTY_OUT | CELL_TTY_ERR)

/* One tree or file that is visible in the cell, at the path that it has on the host. */
enum cell_path_flag {
	CELL_PATH_OPTIONAL = 1, /* absent on the host: leave it out */
	CELL_PATH_PIN =
		2, /* mounted on itself so that it cannot be renamed away; rights and owners as its surroundings, at most */
	CELL_PATH_LINK = 4,   /* not a tree: a symbolic link with the text `link` */
	CELL_PATH_DEVICE = 8, /* a device node of the base: device access stays on */
	CELL_PATH_HIDE = 16,  /* an empty, unreadable thing stands here instead */
	CELL_PATH_STAGED =
		32, /* a tree that was given, and lies in another cell's stage: no socket of the host's is there */
};

struct cell_path {
	uint32_t path;   /* pool offset */
	uint32_t link;   /* pool offset of the link's text, 0 if none */
	uint16_t rights; /* RIGHT_* of core/grant.h; without RIGHT_WRITE read-only, without RIGHT_RUN not executable */
	uint16_t flags;  /* CELL_PATH_* */
	uint32_t grant;  /* index of the grant that it comes from, GRANT_NONE for the base */
	uint16_t stage;  /* 1 + index of the stage in which it lies, 0: it is the host's own */
};

/* A tree that is seen through an overlay: what is written goes to part/upper, what the mask hides is not there, and the tree stays as
 * it is. Pool offsets of absolute paths, none of which leads through a link. */
struct cell_stage {
	uint32_t tree; /* on the host */
	uint32_t part; /* holds `upper` and `work`; "": nothing is written */
	uint32_t mask; /* a layer over the tree; "": nothing is hidden */
};

/* What listens in the cell, and is answered outside. */
struct cell_endpoint {
	uint8_t kind; /* enum endpoint_kind of core/endpoint.h */
	uint16_t port;
	struct address_range at; /* of NAME: its address in the cell; of RANGE: what is granted; else family 0 */
	uint32_t name;           /* pool offset: of NAME as in /etc/hosts, of PATTERN, of UNIX the path; else "" */
	uint32_t grant;          /* index */
};

struct cell_spec {
	uint32_t base;          /* enum cell_base */
	uint32_t observe;       /* enum cell_observe */
	uint32_t flags;         /* CELL_* */
	uint32_t without;       /* bit set of enum property: given up by the operator */
	uint32_t uid, gid;      /* ids inside */
	uint32_t umask;         /* with which the program starts */
	uint64_t scratch_bytes; /* size of /tmp, home and /dev/shm together */
	struct limits limits;
	uint32_t user; /* pool offsets: name of the user inside, its home, the host name, the working directory */
	uint32_t home;
	uint32_t hostname;
	uint32_t workdir;
	uint32_t known_hosts; /* likewise: keys of hosts, as ssh reads them; "": none */
	uint32_t
		authorities; /* likewise: certificates that the cell trusts besides the host's, as cell/pem.h writes them; "": none */
	uint32_t n_stages;
	uint32_t n_endpoints;
	uint32_t n_paths;
	uint32_t pool_used;
	struct cell_endpoint endpoints[CELL_ENDPOINTS_MAX];
	struct cell_stage stages[CELL_STAGES_MAX];
	struct cell_path paths[CELL_PATHS_MAX]; /* parents before children */
	char pool[CELL_POOL_MAX];               /* starts with an empty text: offset 0 is "" */
};

/* As the command line, the record and the ledger have it; NULL for what is none. */
const char *spec_base_word(uint32_t base);
const char *spec_observe_word(uint32_t observe);
const char *spec_source_word(uint32_t source);

void spec_init(struct cell_spec *s);
const char *spec_text(const struct cell_spec *s, uint32_t offset);
/* Adds a text; its offset, or 0 with *full set. */
uint32_t spec_add_text(struct cell_spec *s, const char *text, bool *full);
/* Adds a path; adding the same path again joins the rights. -LIMIT when full. */
int spec_add_path(struct cell_spec *s, const char *path, uint32_t rights, uint32_t flags, uint32_t grant,
		  struct err *e);
/* The narrowest path that a grant shows from the host's own tree, and that is the path or lies above it, whatever is only protected;
 * NULL: none does. */
const struct cell_path *spec_granted_above(const struct cell_spec *s, const char *path);
/* Adds a path at which nothing is to be seen. What is only protected there is hidden instead; a grant of the very path wins. */
int spec_hide_path(struct cell_spec *s, const char *path, struct err *e);
/* Takes out what is only protected, or hidden, and lies in what is hidden: when all is hidden that is to be. */
void spec_drop_hidden(struct cell_spec *s);
/* Adds a stage; *ret is its number, counted from 1. -LIMIT when full. */
int spec_add_stage(struct cell_spec *s, const char *tree, uint16_t *ret, struct err *e);
/* Adds an endpoint, whose name (of UNIX: path) is given apart; "": none. -LIMIT when full. */
int spec_add_endpoint(struct cell_spec *s, const struct cell_endpoint *p, const char *name, struct err *e);
/* Gives its form, as in core/endpoint.h. */
void spec_endpoint(const struct cell_spec *s, const struct cell_endpoint *p, struct endpoint *ret);
bool spec_endpoint_is_socket(const struct cell_endpoint *p);
/* Whether there is one of these. */
bool spec_has_sockets(const struct cell_spec *s);
/* What listens for it in the cell: a socket at its own address; one at all addresses of a family, for whatever has that port (then which
 * is meant says the address that was connected to), or none, since another endpoint has that; one at its path. The sockets are numbered in this
 * order, then come the two of the responder. */
enum cell_listening {
	CELL_LISTENS_AT,
	CELL_LISTENS_IPV4,
	CELL_LISTENS_IPV6,
	CELL_LISTENS_PATH,
	CELL_LISTENS_UDP,
	CELL_LISTENS_TCP
};
/* Socket k. False: there are no more. *ret_endpoint is n_endpoints for the responder's. */
bool spec_listener(const struct cell_spec *s, uint32_t k, uint32_t *ret_endpoint, enum cell_listening *ret);
/* Whether somebody in the cell may ask for names that /etc/hosts does not list. */
bool spec_has_responder(const struct cell_spec *s);
int spec_add_link(struct cell_spec *s, const char *path, const char *text, struct err *e);
/* Puts parents before children. */
void spec_sort(struct cell_spec *s);
/* Meaning, not only shape; -MALFORMED says what. */
int spec_check(const struct cell_spec *s, struct err *e);

void spec_encode(const struct cell_spec *s, struct buf *out);
int spec_decode(struct rbuf *in, struct cell_spec *ret, struct err *e);

/* What runs: vectors end with NULL and point into one owned block. */
struct cell_program {
	char **argv;
	char **envp;
	char *path;  /* absolute path inside the cell; argv[0] may differ */
	void *block; /* owned; NULL: its room is somebody else's */
};

#define CELL_PROGRAM_ROOM (CELL_PROGRAM_MAX + CELL_ARGS_MAX + (CELL_ARGS_MAX + 2) * 2 * sizeof(char *))

void program_encode(struct buf *out, const char *path, char *const argv[], char *const envp[]);
int program_decode(struct rbuf *in, struct cell_program *ret, struct err *e);
/* The same without memory of its own, for who has a limit on that already: room has CELL_PROGRAM_ROOM bytes, aligned for pointers, all zero. */
int program_decode_in(struct rbuf *in, void *room, struct cell_program *ret, struct err *e);
void program_finish(struct cell_program *p);

#endif
