/* stage_world - a real tree, a stage of it, and what an overlay would have left in the stage.
 *
 * Owns:   a temporary directory with `real`, `stage` and, for models, `want`; a small imitation of an overlay's upper layer.
 * Holds:  real is older than upper by a tick of the file system's clock. Failures end the test.
 * Called: from test_stage_*.c. */
#ifndef TESTS_STAGE_WORLD_H
#define TESTS_STAGE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage/store.h"

struct world {
	char root[64];  /* of the real tree and of models */
	char other[64]; /* of the stage; the same, or on another file system */
	int root_fd, other_fd;
	struct stage stage;
	struct stage_meta *meta; /* owned */
};

enum world_place {
	WORLD_DISK, /* all in TMPDIR or /tmp */
	WORLD_FAST, /* all in /dev/shm where that can hold attributes, else as WORLD_DISK */
	WORLD_TWO,  /* the tree in /dev/shm, the stage in /tmp */
	WORLD_BACK, /* the tree in /tmp, the stage in /dev/shm */
};

/* False: this machine has no such place. */
bool world_open(struct world *w, enum world_place place);
/* After the real tree was made: makes the stage. */
void world_stage(struct world *w);
void world_close(struct world *w);

/* Paths are relative to root ("real/a"), or, beginning with "stage/", to other. */
void put_file(struct world *w, const char *path, const char *content, unsigned mode, int64_t mtime_s);
void put_dir(struct world *w, const char *path, unsigned mode); /* parents must be there */
void put_link(struct world *w, const char *path, const char *to);
void put_name(struct world *w, const char *old, const char *path); /* another name of a file */
void put_whiteout(struct world *w, const char *path);
void put_node(struct world *w, const char *path, unsigned mode);
void put_xattr(struct world *w, const char *path, const char *name, const char *value);
void put_mtime(struct world *w, const char *path, int64_t mtime_s);
void put_mode(struct world *w, const char *path, unsigned mode);
void take(struct world *w, const char *path); /* with all in it */
bool is_there(struct world *w, const char *path);
bool has_xattr(struct world *w, const char *path, const char *name);
void wait_tick(void); /* whatever is changed from here on is later than what was before */
/* dir of root, copied to another name with everything. */
void copy_all(struct world *w, const char *from, const char *to);

/* Everything beneath a directory as text: names, types, modes, times, contents, links, attributes. To be freed. */
char *picture(struct world *w, const char *dir);
void assert_pictures(const char *is, const char *want, const char *what);

/* What a program does, as an overlay leaves it in upper: paths relative to the tree. */
void up_dirs(struct world *w, const char *path); /* copies up the directories above it */
void up_copy(struct world *w, const char *path); /* copies the file or directory up */
void up_write(struct world *w, const char *path, const char *content, unsigned mode, int64_t mtime_s);
void up_mkdir(struct world *w, const char *path, unsigned mode);
void up_symlink(struct world *w, const char *path, const char *to);
void up_remove(struct world *w, const char *path);                 /* of directories: all in it */
void up_rename(struct world *w, const char *from, const char *to); /* files */
void up_link(struct world *w, const char *old, const char *path);

/* A scene in a line: commands with their words, separated by semicolons. In the real tree and in models:
 *   f PATH CONTENT | d PATH | l PATH TO | n OLD PATH | x PATH (removes) | m PATH TO | o PATH MODE
 * as a program beneath the overlay:
 *   W PATH CONTENT | D PATH | L PATH TO | N OLD PATH | X PATH | O PATH MODE | M FROM TO (renames) | C PATH (copies up) |
 *   A PATH NAME (attribute)
 * and in upper, by a hand that knows no rules:
 *   =f PATH CONTENT | =d PATH | =l PATH TO | =w PATH (whiteout) | =p PATH (pipe) | =s PATH (socket) | =a PATH NAME | =x PATH */
void scene(struct world *w, const char *text);
/* The commands of a program, done to a model instead. */
void scene_model(struct world *w, const char *text, const char *dir);

#endif
