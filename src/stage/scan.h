/* scan - the directories of a tree, and the hidden names, the links and the files in them that matter, found again cheaply.
 *
 * Owns:   struct scan: what was found, or was read from a file (scan_file.h).
 * Holds:  a directory is believed to be as it was listed only if its device, inode and ctime are what they were: a program can
 *         set mtime but not ctime, and a directory that comes from elsewhere is another one, however old. What changed so
 *         shortly before it was listed that a later change could have the same ctime is listed again. No link is followed
 *         and no mount is crossed; one descriptor is open at a time, and nothing recurses.
 * Called: mask.c; the process has the person's rights and no more.
 *
 * Directories are in the order of their depth: those of one directory lie side by side, sorted by name. Nothing here depends on
 * grants, so that one index serves all events. In a hidden directory nothing is hidden besides, and it is entered for its links
 * alone: those that may stand for what programs obey (judge/protected.h), which a directory does not cease to hold when it is
 * hidden, be it for many names that an event made. Such links are kept by name; what they are is for others to say (aliases.h).
 * So are other names that a row of the table may have, where they are not hidden: supervisor/inplace.h asks for them. */
#ifndef STAGE_SCAN_H
#define STAGE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

#define STORE_PREFIX ".ambit-" /* what stages beside a tree lie in, which nobody looks into: see hidden.def */
#define SCAN_DIRECTORIES_MAX 1000000u
#define SCAN_NAMES_MAX 65536u     /* hidden ones: each is an inode of the mask */
#define SCAN_TEXT_MAX (64u << 20) /* of all names that are kept */
#define SCAN_CROWD_MAX 4096u      /* hidden names in one directory; one that has more is hidden itself */
/* Links; where there are more, in a tree or in one directory, who asks has to look into the directory. So there can be any number. */
#define SCAN_LINKS_MAX 65536u
#define SCAN_LINKS_DIRECTORY_MAX 1024u
#define SCAN_FILES_MAX 65536u /* likewise, of names that are neither a link's nor a directory's */
#define SCAN_FILES_DIRECTORY_MAX 1024u
/* Of a directory, with its NUL: what lies in it still has a path for a system call, also beneath "m4294967294/tree/". */
#define SCAN_PATH_MAX (4096 - 257 - 32)

enum scan_state {
	SCAN_SETTLED,  /* listed; stays as it is while its ctime does */
	SCAN_RECENT,   /* listed, and to be listed again */
	SCAN_GONE,     /* went, or became something else, while we looked */
	SCAN_SEALED,   /* somebody else's whom the person may not enter: neither may a cell */
	SCAN_UNLISTED, /* cannot be looked into, though a cell could: by a name it knows, or as the owner after chmod */
	SCAN_FOREIGN,  /* another file system begins, or our own store */
	SCAN_DEEP,     /* the paths in it are too long */
	SCAN_STATES,
};

enum scan_flag {
	SCAN_IN_HIDDEN = 1,     /* it is hidden, or lies in what is */
	SCAN_ALL_LINKS = 2,     /* something obeys all that lies in it, perhaps: all its links are kept */
	SCAN_CROWDED = 4,       /* more than SCAN_CROWD_MAX hidden names: none is kept, and the directory is hidden */
	SCAN_LINKS_UNKEPT = 8,  /* too many links: none is kept */
	SCAN_FILES_UNKEPT = 16, /* likewise */
	SCAN_PIPES = 32,        /* FIFOs lie in it, under whatever names */
};
#define SCAN_FLAGS 63u
#define SCAN_INHERITED (SCAN_IN_HIDDEN | SCAN_ALL_LINKS)

struct scan_dir {
	uint64_t ino;
	int64_t ctime_s;
	uint32_t ctime_ns;
	uint32_t parent;                 /* of the tree itself: 0 */
	uint32_t name;                   /* in text; of the tree itself: ask.name */
	uint32_t first_dir, n_dirs;      /* in dirs */
	uint32_t first_hidden, n_hidden; /* in hidden */
	uint32_t first_link, n_links;    /* in links */
	uint32_t first_file, n_files;    /* in files */
	uint8_t state;                   /* enum scan_state */
	uint8_t flags;                   /* of enum scan_flag */
};

struct scan {
	uint64_t dev;
	struct scan_dir *dirs; /* owned; number 0 is the tree */
	uint32_t *hidden;      /* owned; names in text */
	uint32_t *links;       /* owned; names in text */
	uint32_t *files;       /* owned; names in text */
	uint32_t n_dirs, room_dirs, n_hidden, room_hidden, n_links, room_links, n_files, room_files;
	struct buf text;   /* each name with its NUL */
	uint32_t n_listed; /* how many directories were read this time */
};

struct scan_limits {
	uint32_t directories, names;
	size_t text;
};

struct scan_ask {
	int tree_fd;                   /* O_PATH will do */
	const char *name;              /* what the tree is called: the last part of its path, "" for the root */
	uint64_t store_dev, store_ino; /* a directory that is never shown, wherever it lies in the tree */
	struct scan_limits limits;
	const char *path; /* of the tree, absolute */
	/* The tree is a person's home, of which only that is looked at for which a link could stand; nothing is hidden, and what is
	 * beyond the limit of directories is left out. */
	bool is_home;
};

void scan_init(struct scan *s, size_t text_max);
void scan_finish(struct scan *s);

/* Looks at every directory; `old` (or NULL) spares listing those that are as they were. ret is initialised by the call.
 * -LIMIT: more than was asked for. -SYSTEM: the tree cannot be read. */
int scan_tree(const struct scan_ask *ask, const struct scan *old, struct scan *ret, struct err *e);

/* Appending, also for who reads a scan from a file. The new number, or UINT32_MAX: no memory, or text is full. */
uint32_t scan_add_dir(struct scan *s, uint32_t parent, const char *name);
uint32_t scan_add_hidden(struct scan *s, const char *name);
uint32_t scan_add_link(struct scan *s, const char *name);
uint32_t scan_add_file(struct scan *s, const char *name);

static inline const char *scan_text(const struct scan *s, uint32_t at)
{
	return (const char *)s->text.data + at;
}

/* Whether a FIFO lies anywhere in the tree, also in what is hidden. */
bool scan_has_pipes(const struct scan *s);

/* The directory of this path relative to the tree; UINT32_MAX: there was none. */
uint32_t scan_find(const struct scan *s, const char *path);
/* The path of directory i relative to the tree, "" for the tree; false if it does not fit. */
bool scan_path(const struct scan *s, uint32_t i, char *room, size_t size);
/* Opens a directory of the tree to list it: through no link and into no other mount. -1 with errno. */
int scan_open(int tree_fd, const char *path);
/* The entry itself, also where it is a link. 0, or -1 with errno. */
int scan_stat(int tree_fd, const char *path, struct stat *ret);
/* Whether what st is of could change after `now` (scan_now) and have the same ctime. */
bool scan_is_recent(const struct stat *st, int64_t now_ns);
int64_t scan_now(void);
/* Whether st is of the directory as it was when it was listed. */
bool scan_is_same(const struct scan *s, const struct scan_dir *d, const struct stat *st);

#endif
