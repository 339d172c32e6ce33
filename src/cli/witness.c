#include "cli/witness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "audit/growth.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/auditor.h"
#include "cli/cli.h"
#include "cli/cosigned.h"
#include "cli/dial.h"
#include "lib/authorities.h"
#include "lib/parser.h"
#include "lib/public.h"
#include "witness/ask.h"

#define EXIT_FAULT 1
#define MEMORY (UINT64_C(128) << 20)

/* One witness, while it is asked. */
struct asking {
	const struct place *place;
	const struct cosigned_dir *dir;
	const struct witness *witness;
	struct witness_url url;
	char file[WITNESS_FILE_LEN + 1];
	struct buf kept;   /* owned: what it cosigned before */
	struct buf rows;   /* owned: what ambit-audit said */
	struct buf answer; /* owned: what ambit-witness said */
	struct audit_growth growth;
	struct witness_verdict verdict;
	bool is_fault; /* the log is not what the witness saw */
};

/* ---- the log ---- */

static int see_growth(struct asking *a, bool by_size, uint64_t size, struct err *e)
{
	struct audit_ask ask = { .op = AUDIT_GROWTH, .n_witnesses = 1, .flags = by_size ? AUDIT_BY_SEQ : 0 };
	struct err complaint;
	int r;

	ask.seq = size;
	(void)text_copy(ask.dir, sizeof ask.dir, a->place->log);                 /* the same size, and here */
	(void)text_copy(ask.witness[0], sizeof ask.witness[0], a->witness->key); /* likewise */
	ask.given = by_size ? span_bytes(NULL, 0) : span_bytes(a->kept.data, a->kept.len);
	buf_reset(&a->rows);
	r = auditor_rows(&ask, &a->rows, &complaint, e);
	if (r < 0)
		return r;
	if (r != AUDIT_DONE && complaint.code != AMBIT_OK) {
		a->is_fault = r == AUDIT_FAILED;
		*e = complaint;
		return -(int)e->code;
	}
	return growth_decode(a->rows.data, a->rows.len, &a->growth, e);
}

static int rolled_back(struct asking *a, uint64_t seen, struct err *e)
{
	a->is_fault = true;
	return err_set(e, AMBIT_MALFORMED, "a copy of the log that has them shows which entries are gone",
		       "the witness has cosigned %" PRIu64 " entries, and this log has %" PRIu64
		       ": it was rolled back, or is not the one that the witness saw",
		       seen, a->growth.size);
}

/* ---- the witness ---- */

static uint64_t now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec;
}

/* Into one end of a pair, of which the other is the role's standard input. */
static int put_ask(const struct asking *a, int sock, int witness_fd, int authorities_fd, struct err *e)
{
	const int fds[] = { witness_fd, authorities_fd };
	auto_free struct witness_ask *ask = calloc(1, sizeof *ask);
	auto_buf bytes = { .max = WITNESS_ASK_MAX };
	int r;

	if (ask == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to ask a witness");
	ask->url = a->url;
	ask->now_s = now_s();
	ask->old = a->growth.old;
	(void)text_copy(ask->key, sizeof ask->key, a->witness->key); /* the same size */
	ask->n_hashes = a->growth.n_hashes;
	memcpy(ask->hashes, a->growth.hashes, ask->n_hashes * sizeof ask->hashes[0]);
	ask->checkpoint = a->growth.checkpoint;
	witness_ask_encode(ask, &bytes);
	r = bytes.failed ? -ENOMEM : fd_send(sock, bytes.data, bytes.len, fds, authorities_fd >= 0 ? 2 : 1);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot tell ambit-witness what to ask") : 0;
}

static int run_role(struct asking *a, int input_fd, struct err *e)
{
	const struct parser_ask parser = { .role = "ambit-witness",
					   .input_fd = input_fd,
					   .input_ours = true,
					   .memory_bytes = MEMORY,
					   .wall_ms = WITNESS_PATIENCE_MS + 10000 };
	int status = 0, r;

	buf_reset(&a->answer);
	r = parser_run(&parser, &a->answer, &status, e);
	if (r < 0)
		return r;
	return status != 0 ? err_set(e, AMBIT_PROTOCOL, NULL, "ambit-witness ended without a verdict")
			   : witness_verdict_decode(a->answer.data, a->answer.len, &a->verdict, e);
}

static int ask_once(struct asking *a, struct err *e)
{
	auto_fd int authorities = -1;
	auto_fd int fd = -1;
	auto_fd int mine = -1;
	auto_fd int other = -1;
	int pair[2], r;

	r = a->url.tls ? authorities_open(&authorities, e) : 0;
	r = r < 0 ? r : dial(&a->url, &fd, e);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a pair of sockets");
	mine = pair[0];
	other = pair[1];
	r = put_ask(a, mine, fd, authorities, e);
	fd_close(&fd); /* the role's alone: nobody else keeps the connection open */
	return r < 0 ? r : run_role(a, other, e);
}

static int judge(struct asking *a, struct err *e)
{
	static const struct {
		enum ambit_code code;
		const char *text, *hint;
	} outcomes[] = {
#define OUTCOME(name, code, text, hint) { AMBIT_##code, text, hint },
		WITNESS_OUTCOMES(OUTCOME)
#undef OUTCOME
	};
	const enum witness_outcome o = a->verdict.outcome;

	if (o == WITNESS_COSIGNED)
		return 0;
	a->is_fault = o == WITNESS_OTHER_HISTORY || o == WITNESS_NO_GROWTH;
	if (o == WITNESS_OTHER_SIZE)
		return err_set(e, AMBIT_PROTOCOL, "is this the address of a witness?",
			       "it says that it saw %" PRIu64 " entries last, and that it did not when it is shown how "
			       "the log goes on from there",
			       a->growth.old);
	return err_why(e, err_set(e, outcomes[o].code, outcomes[o].hint, "%s", outcomes[o].text), "HTTP status %u",
		       a->verdict.status);
}

/* Once more from where the witness says that it is: what is known of it here may be old, or nothing. */
static int ask_twice(struct asking *a, struct err *e)
{
	uint64_t seen;
	int r = ask_once(a, e);

	if (r < 0 || a->verdict.outcome != WITNESS_OTHER_SIZE)
		return r;
	seen = a->verdict.size;
	if (seen > a->growth.size)
		return rolled_back(a, seen, e);
	r = see_growth(a, true, seen, e);
	if (r == 0 && seen > a->growth.size)
		return rolled_back(a, seen, e);
	return r < 0 ? r : ask_once(a, e);
}

/* What is kept is of a smaller log or of as many entries: of those the later time counts. */
static int keep(struct asking *a, uint64_t kept_time_s, bool same, struct err *e)
{
	if (same && a->verdict.time_s < kept_time_s)
		return err_set(e, AMBIT_CONFLICT, "its clock was set back, or what it said was said before",
			       "the cosignature is older than the one that is kept, which stays");
	return cosigned_store(a->dir, a->file, a->verdict.note, e);
}

static int ask_one(struct asking *a, struct err *e)
{
	uint64_t kept_time_s, kept_size;
	int r = witness_url_parse(a->witness->url, &a->url, e);

	if (r == 0 && !witness_file(a->witness->key, a->file))
		r = err_set(e, AMBIT_USAGE, "a name, an id and a public key of the type 0x04: NAME+ID+BASE64",
			    "--key: that is no key of a witness");
	r = r < 0 ? r : cosigned_load(a->dir, a->file, &a->kept, e);
	r = r < 0 ? r : see_growth(a, false, 0, e);
	if (r < 0)
		return r;
	kept_time_s = a->growth.time_s;
	kept_size = a->growth.old;
	if (kept_size > a->growth.size)
		return rolled_back(a, kept_size, e);
	r = ask_twice(a, e);
	r = r < 0 ? r : judge(a, e);
	return r < 0 ? r : keep(a, kept_time_s, kept_size == a->verdict.size, e);
}

/* ---- telling ---- */

static void name_of(const struct witness *w, char *ret, size_t size)
{
	(void)text_escape(ret, size, w->key, strcspn(w->key, "+"));
}

static void say_one(const struct asking *a)
{
	char name[2 * VKEY_TEXT_MAX], at[TIMESTAMP_LEN + 1];

	name_of(a->witness, name, sizeof name);
	(void)timestamp_write(timestamp_ms_of(a->verdict.time_s), at); /* it is not far from now */
	(void)printf("cosigned by %s at %s: %" PRIu64 " entr%s\n", name, at, a->verdict.size,
		     a->verdict.size == 1 ? "y" : "ies");
}

static void json_one(struct json *j, const struct asking *a, int r, const struct err *e)
{
	json_put_object(j);
	json_put_name(json_put_key(j, "url"), a->witness->url);
	json_put_name(json_put_key(j, "key"), a->witness->key);
	json_put_bool(json_put_key(j, "cosigned"), r == 0);
	if (r == 0) {
		json_put_count(json_put_key(j, "size"), a->verdict.size);
		json_put_ms(json_put_key(j, "time"), timestamp_ms_of(a->verdict.time_s));
	} else {
		char line[ERR_LINE_MAX];

		err_line(e, line);
		json_put_object(json_put_key(j, "error"));
		json_put_word(json_put_key(j, "code"), err_code_name((int)e->code));
		json_put_name(json_put_key(j, "message"), line);
		json_put_name(json_put_key(j, "hint"), e->hint[0] != 0 ? e->hint : NULL);
		json_put_object_end(j);
	}
	json_put_object_end(j);
}

static int tell(const struct asking *a, struct json *j, int r, struct err *e)
{
	struct ambit_error told = { .size = sizeof told };

	if (j != NULL)
		json_one(j, a, r, e);
	else if (r == 0)
		say_one(a);
	else
		(void)cli_error((public_error(&told, err_context(e, r, "%s", a->witness->url), e), &told));
	return r == 0 ? 0 : a->is_fault ? EXIT_FAULT : EXIT_REFUSED;
}

static int ask_and_tell(const struct place *place, const struct cosigned_dir *dir, const struct witness *w,
			struct json *j)
{
	auto_free struct asking *a = calloc(1, sizeof *a);
	struct err e = { .code = AMBIT_OK };
	int status;

	if (a == NULL)
		return EXIT_REFUSED;
	*a = (struct asking){ .place = place, .dir = dir, .witness = w };
	buf_init(&a->kept, NOTE_MAX);
	buf_init(&a->rows, GROWTH_MAX);
	buf_init(&a->answer, WITNESS_VERDICT_MAX);
	status = tell(a, j, ask_one(a, &e), &e);
	buf_finish(&a->kept);
	buf_finish(&a->rows);
	buf_finish(&a->answer);
	return status;
}

/* A fault of the log is what matters most. */
static int worse(int a, int b)
{
	return a == EXIT_FAULT || b == EXIT_FAULT ? EXIT_FAULT : a != 0 ? a : b;
}

static int ask_all(const struct place *place, const struct cosigned_dir *dir, const struct witness_list *l, bool json)
{
	auto_buf out = { .max = WITNESSES_MAX * 8192 };
	struct json j;
	int status = 0;

	json_begin(&j, &out);
	json_put_array(&j);
	for (size_t i = 0; i < l->n; i++)
		status = worse(status, ask_and_tell(place, dir, &l->w[i], json ? &j : NULL));
	json_put_array_end(&j);
	buf_printf(&out, "\n");
	return json ? worse(status, cli_write(out.data, out.len)) : worse(status, cli_flush());
}

/* ---- who is asked ---- */

static int list_all(const struct witness_list *l, bool json)
{
	auto_buf out = { .max = 2 * WITNESS_LIST_MAX };
	struct json j;

	if (!json) {
		witness_list_put(l, &out);
		return cli_write(out.data, out.len);
	}
	json_begin(&j, &out);
	json_put_array(&j);
	for (size_t i = 0; i < l->n; i++) {
		json_put_object(&j);
		json_put_name(json_put_key(&j, "url"), l->w[i].url);
		json_put_name(json_put_key(&j, "key"), l->w[i].key);
		json_put_object_end(&j);
	}
	json_put_array_end(&j);
	buf_printf(&out, "\n");
	return cli_write(out.data, out.len);
}

static int forget(const struct cosigned_dir *dir, struct witness_list *l, const char *url, struct err *e)
{
	return witness_list_remove(l, url) ? cosigned_store_list(dir, l, e)
					   : err_set(e, AMBIT_NOT_FOUND, "`ambit ledger witness --list` has them",
						     "no witness is asked at %s", url);
}

/* Who was named, as a list of one. */
static int named(const struct witness_how *how, const struct witness_list *known, struct witness_list *ret,
		 struct err *e)
{
	const struct witness *before = witness_list_find(known, how->url);
	struct witness w;

	if (how->key == NULL && before == NULL)
		return err_set(e, AMBIT_USAGE, "its operator publishes it: --key NAME+ID+BASE64",
			       "which key does it cosign with? it was not asked before");
	if (!text_copy(w.url, sizeof w.url, how->url) ||
	    !text_copy(w.key, sizeof w.key, how->key != NULL ? how->key : before->key))
		return err_set(e, AMBIT_USAGE, NULL, "the address, or the key, is too long");
	return witness_list_add(ret, &w, e);
}

/* It is asked again when it has cosigned once: what was mistyped is not kept. */
static int ask_named(const struct place *place, const struct cosigned_dir *dir, const struct witness_how *how,
		     struct witness_list *known, int *ret_status, struct err *e)
{
	auto_free struct witness_list *l = calloc(1, sizeof *l);
	int r = l == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory to ask a witness") : named(how, known, l, e);

	if (r < 0 || l == NULL)
		return r;
	*ret_status = ask_all(place, dir, l, how->json);
	if (*ret_status != 0)
		return 0;
	r = witness_list_add(known, &l->w[0], e);
	return r < 0 ? r : cosigned_store_list(dir, known, e);
}

static int act(const struct place *place, const struct cosigned_dir *dir, const struct witness_how *how,
	       int *ret_status, struct err *e)
{
	auto_free struct witness_list *known = calloc(1, sizeof *known);
	int r;

	if (known == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the list of witnesses");
	r = cosigned_load_list(dir, known, e);
	if (r < 0)
		return r;
	if (how->list)
		*ret_status = list_all(known, how->json);
	else if (how->forget)
		r = forget(dir, known, how->url, e);
	else if (how->url != NULL)
		r = ask_named(place, dir, how, known, ret_status, e);
	else if (known->n == 0)
		r = err_set(e, AMBIT_USAGE, "name one: --url URL --key KEY", "no witness was asked before");
	else
		*ret_status = ask_all(place, dir, known, how->json);
	return r;
}

int witness(const struct place *place, const struct witness_how *how)
{
	struct cosigned_dir dir = { .ledger_fd = -1, .dir_fd = -1 };
	struct ambit_error told = { .size = sizeof told };
	struct err e;
	int status = 0, r;

	r = cosigned_open(place->dir, &dir, &e);
	r = r < 0 ? r : act(place, &dir, how, &status, &e);
	cosigned_close(&dir);
	return public_error(&told, r, &e) < 0 ? cli_refuse(how->json && status == 0, &told) : status;
}
