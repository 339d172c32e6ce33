#include "net/dns.h"

#include <assert.h>

#include "base/buf.h"

/* The head (RFC 1035, 4.1.1): the numbers of its second word. */
#define HEAD 12
#define FLAG_ANSWER 0x8000
#define OPERATION 0x7800
#define FLAG_RECURSION_WANTED 0x0100
#define FLAG_RECURSION_THERE 0x0080 /* else a program takes an answer without addresses for "ask somebody else" */
#define FLAG_CHECKING_OFF 0x0010    /* of DNSSEC; as it was asked (RFC 4035, 3.1.6) */

enum code { NOERROR = 0, FORMERR = 1, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5, BADVERS = 16 };

enum type { TYPE_A = 1, TYPE_SOA = 6, TYPE_AAAA = 28, TYPE_OPT = 41, TYPE_SVCB = 64, TYPE_HTTPS = 65 };

#define CLASS_IN 1
#define LABEL_MAX 63
#define NAME_MAX_BYTES 255
#define TO_QUESTION (0xc000 | HEAD) /* a name that is the question's, in two bytes */

#define RECORD_HEAD 12 /* a name of two bytes, type, class, time, length */
#define SOA_BYTES 22   /* two names that are the root, five numbers */
#define OPT_BYTES 11

static_assert(HEAD + NAME_MAX_BYTES + 4 + RECORD_HEAD + SOA_BYTES + OPT_BYTES <= DNS_ANSWER_MAX,
	      "the longest answer is to the longest name, which has nothing of that kind");

struct query {
	uint16_t id, flags;
	const uint8_t *question; /* in the packet: name, type, class */
	size_t question_bytes;   /* 0: it cannot be repeated */
	uint16_t type, class;
	bool is_name;
	struct host_name name;
	bool has_edns;
	uint8_t edns_version;
};

/* ---- the question ---- */

/* Labels as text, with dots between. What a name cannot hold makes it none: a dot within a label would make two of one. */
static bool take_name(struct rbuf *in, struct query *q)
{
	const size_t start = in->at;
	char text[NAME_MAX_BYTES];
	size_t n = 0;
	bool dotted = false;

	for (size_t left = rbuf_u8(in); left > 0; left = rbuf_u8(in)) {
		if (left > LABEL_MAX || in->at - start + left + 1 > NAME_MAX_BYTES)
			return false;
		if (n > 0)
			text[n++] = '.';
		for (; left > 0; left--) {
			text[n] = (char)rbuf_u8(in);
			dotted |= text[n++] == '.';
		}
	}
	q->is_name = !dotted && host_take(text, n, &q->name);
	return !in->failed;
}

static bool take_question(struct rbuf *in, struct query *q)
{
	const size_t start = in->at;

	if (!take_name(in, q))
		return false;
	q->type = rbuf_be16(in);
	q->class = rbuf_be16(in);
	if (in->failed)
		return false;
	q->question = in->data + start;
	q->question_bytes = in->at - start;
	return true;
}

/* The options are looked through to their end, and nothing is made of them. */
static bool take_options(struct rbuf *in, size_t n)
{
	struct rbuf options;

	rbuf_init(&options, rbuf_bytes(in, n), n);
	if (in->failed)
		return false;
	while (rbuf_left(&options) > 0) {
		(void)rbuf_be16(&options);
		(void)rbuf_bytes(&options, rbuf_be16(&options));
	}
	return rbuf_done(&options);
}

/* How much room the asker has, and that it would like signatures, changes nothing. */
static bool take_edns(struct rbuf *in, struct query *q)
{
	const bool is_opt = rbuf_u8(in) == 0 && rbuf_be16(in) == TYPE_OPT;

	if (!is_opt)
		return false;
	(void)rbuf_be16(in); /* room */
	(void)rbuf_u8(in);   /* more of the code, in answers */
	q->edns_version = rbuf_u8(in);
	(void)rbuf_be16(in); /* flags */
	q->has_edns = true;
	return take_options(in, rbuf_be16(in));
}

static bool take_rest(struct rbuf *in, struct query *q)
{
	const uint16_t questions = rbuf_be16(in), answers = rbuf_be16(in), authority = rbuf_be16(in),
		       additional = rbuf_be16(in);

	return questions == 1 && answers == 0 && authority == 0 && additional <= 1 && take_question(in, q) &&
	       (additional == 0 || take_edns(in, q)) && rbuf_done(in);
}

/* ---- the answer ---- */

static void put_head(struct buf *out, const struct query *q, enum code code, uint16_t answers, uint16_t authority)
{
	const unsigned kept = q->flags & (OPERATION | FLAG_RECURSION_WANTED | FLAG_CHECKING_OFF);

	buf_put_be16(out, q->id);
	buf_put_be16(out, (uint16_t)(FLAG_ANSWER | kept | FLAG_RECURSION_THERE | (code & 0xf)));
	buf_put_be16(out, q->question_bytes > 0);
	buf_put_be16(out, answers);
	buf_put_be16(out, authority);
	buf_put_be16(out, q->has_edns);
	buf_put(out, q->question, q->question_bytes);
}

static void put_record_head(struct buf *out, enum type type, size_t n)
{
	buf_put_be16(out, TO_QUESTION);
	buf_put_be16(out, (uint16_t)type);
	buf_put_be16(out, CLASS_IN);
	buf_put_be32(out, DNS_TTL_S);
	buf_put_be16(out, (uint16_t)n);
}

/* Without it an empty answer would be asked for again at once (RFC 2308, 5). Its last number is for how long it holds. */
static void put_soa(struct buf *out)
{
	put_record_head(out, TYPE_SOA, SOA_BYTES);
	buf_put_be16(out, 0);         /* primary server and mailbox: the root, which is nobody's */
	buf_put_be32(out, 1);         /* serial */
	buf_put_be32(out, DNS_TTL_S); /* refresh, retry, expire: there is nobody who would */
	buf_put_be32(out, DNS_TTL_S);
	buf_put_be32(out, DNS_TTL_S);
	buf_put_be32(out, DNS_TTL_S);
}

static void put_edns(struct buf *out, const struct query *q, enum code code)
{
	if (!q->has_edns)
		return;
	buf_put_u8(out, 0);
	buf_put_be16(out, TYPE_OPT);
	buf_put_be16(out, DNS_QUERY_MAX);
	buf_put_u8(out, (uint8_t)(code >> 4));
	buf_put_u8(out, 0);   /* version */
	buf_put_be16(out, 0); /* flags */
	buf_put_be16(out, 0);
}

static void put_code(struct buf *out, const struct query *q, enum code code)
{
	put_head(out, q, code, 0, 0);
	put_edns(out, q, code);
}

static void put_found(struct buf *out, const struct query *q, const struct dns_host *host)
{
	const bool old = q->type == TYPE_A;
	const struct address *a = old ? &host->ipv4 : &host->ipv6;
	const bool has = (old || q->type == TYPE_AAAA) && a->family == (old ? ADDRESS_IPV4 : ADDRESS_IPV6);
	const size_t n = old ? 4 : 16;

	put_head(out, q, NOERROR, has, !has);
	if (has) {
		put_record_head(out, (enum type)q->type, n);
		buf_put(out, a->bytes, n);
	} else {
		put_soa(out);
	}
	put_edns(out, q, NOERROR);
}

static bool is_type_of_hosts(uint16_t type)
{
	return type == TYPE_A || type == TYPE_AAAA || type == TYPE_SVCB || type == TYPE_HTTPS;
}

size_t dns_answer(const struct dns_hosts *hosts, const uint8_t *query, size_t n, uint8_t ret[DNS_ANSWER_MAX])
{
	struct query q = { .id = 0 }, bare;
	struct dns_host host = { .ipv4.family = 0 };
	struct rbuf in;
	struct buf out;

	rbuf_init(&in, query, n);
	q.id = rbuf_be16(&in);
	q.flags = rbuf_be16(&in);
	if (n < HEAD || (q.flags & FLAG_ANSWER) != 0)
		return 0;
	bare = q;
	buf_init_in(&out, ret, DNS_ANSWER_MAX);
	if ((q.flags & OPERATION) != 0)
		put_code(&out, &bare, NOTIMP);
	else if (n > DNS_QUERY_MAX || !take_rest(&in, &q))
		put_code(&out, &bare, FORMERR);
	else if (q.has_edns && q.edns_version != 0)
		put_code(&out, &q, BADVERS);
	else if (q.class != CLASS_IN || !is_type_of_hosts(q.type))
		put_code(&out, &q, REFUSED);
	else if (!q.is_name || !hosts->find(hosts->arg, &q.name, &host))
		put_code(&out, &q, NXDOMAIN);
	else
		put_found(&out, &q, &host);
	return out.len; /* it fits: asserted above */
}
