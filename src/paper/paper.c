#include "paper/paper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "base/text.h"
#include "paper/style.h"

#define OUT_STEP (64u << 10) /* written out when there is so much */
#define OUT_MAX (1u << 20)
#define PIECE 256 /* bytes that are escaped at a time */
#define WIDTH_NUMBER 10
#define WIDTH_WORD 24
#define WIDTH_TEXT 20
#define LINE_WIDTH 100 /* bytes */

/* ---- bytes ---- */

static void flush(struct paper *p, size_t keep)
{
	int r;

	if (p->out != &p->own || (p->out->len <= keep && !p->out->failed))
		return;
	r = p->out->failed ? -ENOMEM : fd_write_all(p->fd, p->out->data, p->out->len);
	p->rc = p->rc < 0 ? p->rc : r;
	buf_reset(p->out);
}

/* Words of our own, which may be markup. */
static void put(struct paper *p, const char *text)
{
	buf_put(p->out, text, strlen(text));
	flush(p, OUT_STEP);
}

static void put_ours(struct paper *p, const struct buf *markup)
{
	p->out->failed = p->out->failed || markup->failed;
	buf_put(p->out, markup->data, markup->len);
	flush(p, OUT_STEP);
}

static const char *entity_of(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

/* What somebody else may have written: shown, and then without a meaning for HTML. The first is made of plain characters. */
static void put_foreign(struct paper *p, const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		char piece[TEXT_PIECE];
		size_t len;

		at += text_show_one(text + at, n - at, piece, &len);
		for (size_t i = 0; i < len; i++) {
			const char *entity = p->html ? entity_of(piece[i]) : NULL;

			if (entity != NULL)
				put(p, entity);
			else
				buf_put(p->out, piece + i, 1);
		}
	}
	flush(p, OUT_STEP);
}

static void put_text(struct paper *p, const char *text)
{
	put_foreign(p, text, strlen(text));
}

/* In HTML between these two, in text between those. */
static void put_between(struct paper *p, const char *before, const char *text, const char *after, const char *lead,
			const char *tail)
{
	put(p, p->html ? before : lead);
	put_text(p, text);
	put(p, p->html ? after : tail);
}

/* How many bytes of a text go into a line of the terminal's: up to a blank, or a word that is longer. */
static size_t line_of(const char *text, size_t n)
{
	size_t at = 0;

	if (n <= LINE_WIDTH)
		return n;
	for (size_t i = 1; i <= LINE_WIDTH; i++)
		at = text[i] == ' ' ? i : at;
	while (at == 0 || (at < n && text[at] != ' '))
		at++;
	return at;
}

static void put_wrapped(struct paper *p, const char *lead, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		const size_t line = line_of(text, n), taken = line < n ? line + 1 : line;

		put(p, lead);
		put_foreign(p, text, line);
		put(p, "\n");
		text += taken;
		n -= taken;
	}
}

static void put_paragraph(struct paper *p, const char *before, const char *lead, const char *text)
{
	if (p->html)
		put_between(p, before, text, "</p>\n", "", "");
	else
		put_wrapped(p, lead, text);
}

/* ---- the whole ---- */

/* The style's hash, by which alone the browser takes it. */
static void put_policy(struct paper *p)
{
	auto_buf text = { .max = BASE64_LEN(SHA256_BYTES) + 1 };
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, paper_style, strlen(paper_style));
	sha256_add(&hash, p->style, strlen(p->style));
	sha256_end(&hash, digest);
	base64_put(&text, digest, sizeof digest);
	put(p, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-");
	put(p, buf_cstr(&text) != NULL ? (const char *)text.data : "");
	put(p, "'; base-uri 'none'; form-action 'none'\">\n");
}

static void begin_page(struct paper *p, const char *title)
{
	put(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	put_policy(p);
	put(p, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	       "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n<title>");
	put_text(p, title);
	put(p, "</title>\n<style>");
	put(p, paper_style);
	put(p, p->style);
	put(p, "</style>\n</head>\n<body>\n<header>\n<h1>");
	put_text(p, title);
	put(p, "</h1>\n");
}

void paper_begin(struct paper *p, int fd, bool html, const char *title)
{
	*p = (struct paper){ .fd = fd, .html = html, .style = "", .out = &p->own };
	buf_init(&p->own, OUT_MAX);
	if (html) {
		begin_page(p, title);
		return;
	}
	put_text(p, title);
	put(p, "\n");
}

void paper_begin_in(struct paper *p, struct buf *out, const char *style, const char *title)
{
	*p = (struct paper){ .fd = -1, .html = true, .style = style, .out = out };
	begin_page(p, title);
}

int paper_end(struct paper *p, const char *same)
{
	if (p->html) {
		put(p, "</main>\n<footer><p>Written by Ambit " AMBIT_VERSION ". ");
		put(p, same);
		put(p, "</p></footer>\n</body>\n</html>\n");
	}
	flush(p, 0);
	buf_finish(&p->own);
	return p->rc;
}

/* ---- blocks ---- */

void paper_banner(struct paper *p, bool good, const char *head, const char *text)
{
	if (p->html)
		put(p, good ? "<div class=\"banner good\"><strong>" : "<div class=\"banner bad\"><strong>");
	else
		put(p, good ? "\n" : "\n*** ");
	put_text(p, head);
	put(p, p->html ? "</strong>\n" : good ? "\n" : " ***\n");
	put_paragraph(p, "<p>", "", text);
	put(p, p->html ? "</div>\n" : "\n");
}

void paper_contents(struct paper *p, const char *const ids[], const char *const heads[], size_t n)
{
	if (!p->html)
		return;
	put(p, "<nav aria-label=\"Chapters\"><ul>\n");
	for (size_t i = 0; i < n; i++) {
		put(p, "<li><a href=\"#");
		put(p, ids[i]);
		put(p, "\">");
		put(p, heads[i]);
		put(p, "</a></li>\n");
	}
	put(p, "</ul></nav>\n</header>\n<main>\n");
}

void paper_chapter(struct paper *p, const char *id, const char *head)
{
	if (!p->html) {
		put_between(p, "", head, "", "\n== ", " ==\n");
		return;
	}
	put(p, "<section id=\"");
	put(p, id);
	put(p, "\" aria-labelledby=\"");
	put(p, id);
	put(p, "-head\">\n<h2 id=\"");
	put(p, id);
	put(p, "-head\">");
	put(p, head);
	put(p, "</h2>\n");
}

void paper_chapter_end(struct paper *p)
{
	put(p, p->html ? "</section>\n" : "");
}

void paper_heading(struct paper *p, const char *head)
{
	put_between(p, "<h3>", head, "</h3>\n", "\n-- ", " --\n");
}

void paper_say(struct paper *p, const char *text)
{
	put_paragraph(p, "<p>", "", text);
}

void paper_warn(struct paper *p, const char *text)
{
	put_paragraph(p, "<p class=\"warn\">", "! ", text);
}

void paper_figures(struct paper *p)
{
	put(p, p->html ? "<ul class=\"figures\">\n" : "");
}

void paper_figure(struct paper *p, const char *number, const char *what, bool alarm)
{
	if (p->html) {
		put(p, alarm ? "<li class=\"alarm\"><b>" : "<li><b>");
		put_between(p, "", number, "</b> <span>", "", "");
		put_between(p, "", what, "</span></li>\n", "", "");
		return;
	}
	buf_printf(p->out, "%*s  ", WIDTH_NUMBER, number); /* digits of ours */
	put_text(p, what);
	put(p, alarm ? " !\n" : "\n");
}

void paper_figures_end(struct paper *p)
{
	put(p, p->html ? "</ul>\n" : "");
}

void paper_facts(struct paper *p)
{
	put(p, p->html ? "<dl>\n" : "");
}

void paper_fact(struct paper *p, const char *name, const char *value, enum paper_kind kind)
{
	put_between(p, "<dt>", name, "</dt>", "  ", ": ");
	put(p, !p->html ? "" : kind == PAPER_CODE ? "<dd class=\"code\">" : "<dd>");
	put_text(p, value);
	put(p, p->html ? "</dd>\n" : "\n");
}

void paper_facts_end(struct paper *p)
{
	put(p, p->html ? "</dl>\n" : "");
}

void paper_lines(struct paper *p, const char *text, size_t n)
{
	put(p, p->html ? "<pre>" : "");
	for (size_t at = 0; at < n;) {
		const char *end = memchr(text + at, '\n', n - at);
		const size_t len = end != NULL ? (size_t)(end - text) - at : n - at;

		put(p, p->html ? "" : "    ");
		put_foreign(p, text + at, len);
		put(p, "\n");
		at += len + 1;
	}
	put(p, p->html ? "</pre>\n" : "");
}

void paper_drawing(struct paper *p, const struct buf *drawing, const char *caption)
{
	if (!p->html)
		return;
	put(p, "<figure>");
	put_ours(p, drawing);
	put(p, "<figcaption>");
	put_text(p, caption);
	put(p, "</figcaption></figure>\n");
}

/* ---- tables ---- */

static const char *class_of(enum paper_kind kind)
{
	static const char *const words[] = { [PAPER_TEXT] = "",
					     [PAPER_NUMBER] = " class=\"number\"",
					     [PAPER_CODE] = " class=\"code\"",
					     [PAPER_WORD] = " class=\"word\"" };

	return words[kind];
}

static int width_of(enum paper_kind kind)
{
	return kind == PAPER_NUMBER ? WIDTH_NUMBER : kind == PAPER_WORD ? WIDTH_WORD : WIDTH_TEXT;
}

/* Line by line. */
static void put_cell(struct paper *p, const char *cell)
{
	size_t n = strcspn(cell, "\n");

	put_foreign(p, cell, n);
	while (cell[n] != 0) {
		cell += n + 1;
		n = strcspn(cell, "\n");
		put(p, p->html ? "<br>" : "; ");
		put_foreign(p, cell, n);
	}
}

/* In text, columns but the last are as wide as their kind, or wider. */
static void put_column(struct paper *p, size_t i, const char *text)
{
	const struct paper_column *c = &p->columns[i];
	const bool last = i + 1 == p->n_columns, right = c->kind == PAPER_NUMBER;
	const int width = width_of(c->kind), len = (int)(strlen(text) < 100 ? strlen(text) : 100);
	const int pad = len < width ? width - len : 0;

	buf_printf(p->out, "%*s", right ? pad : 0, "");
	put_cell(p, text);
	buf_printf(p->out, "%*s", right || last ? 0 : pad, "");
	put(p, last ? "\n" : "  ");
}

static void put_head(struct paper *p)
{
	for (size_t i = 0; i < p->n_columns; i++) {
		if (!p->html) {
			put_column(p, i, p->columns[i].head);
			continue;
		}
		put(p, "<th scope=\"col\"");
		put(p, p->columns[i].kind == PAPER_NUMBER ? " class=\"number\">" : ">");
		put(p, p->columns[i].head);
		put(p, "</th>");
	}
}

void paper_table(struct paper *p, const char *caption, const struct paper_column *columns, size_t n)
{
	paper_table_drawn(p, caption, columns, n, NULL);
}

void paper_table_drawn(struct paper *p, const char *caption, const struct paper_column *columns, size_t n,
		       const char *drawn)
{
	p->columns = columns;
	p->n_columns = n;
	put_between(p, "<div class=\"scroll\" tabindex=\"0\"><table>\n<caption>", caption, "</caption>\n<thead><tr>",
		    "", "\n");
	put_head(p);
	if (p->html && drawn != NULL)
		put_between(p, "<th scope=\"col\">", drawn, "</th>", "", "");
	put(p, p->html ? "</tr></thead>\n<tbody>\n" : "");
}

static const char *shown(const char *cell)
{
	return cell[0] != 0 ? cell : "-";
}

void paper_row_drawn(struct paper *p, const char *const cells[], const struct buf *drawing, bool alarm)
{
	put(p, !p->html ? "" : alarm ? "<tr class=\"alarm\">" : "<tr>");
	for (size_t i = 0; i < p->n_columns; i++) {
		if (!p->html) {
			put_column(p, i, shown(cells[i]));
			continue;
		}
		put(p, "<td");
		put(p, class_of(p->columns[i].kind));
		put(p, ">");
		put_cell(p, shown(cells[i]));
		put(p, "</td>");
	}
	if (p->html && drawing != NULL) {
		put(p, "<td class=\"drawn\">");
		put_ours(p, drawing);
		put(p, "</td>");
	}
	put(p, p->html ? "</tr>\n" : "");
}

void paper_row(struct paper *p, const char *const cells[], bool alarm)
{
	paper_row_drawn(p, cells, NULL, alarm);
}

void paper_table_end(struct paper *p)
{
	put(p, p->html ? "</tbody>\n</table></div>\n" : "");
}
