#include "profile/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- of characters ---- */

#define COLUMNS_LEAST 8
#define COLUMNS_MAX 64

uint32_t draw_room(const struct draw_face *f, uint32_t beside, uint32_t most)
{
	const uint32_t room = f->columns > beside ? f->columns - beside : 0;

	if (f->columns == 0 || room >= most)
		return most;
	return room >= COLUMNS_LEAST ? room : 0;
}

static void put_bar(struct buf *out, const struct draw_face *f, double part)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const letters[] = { " ", ".", ":", "-", "=", "+", "*", "%", "#" };
	const int at = part > 0 ? 1 + (int)(fmin(part, 1) * 7.999) : 0;

	buf_printf(out, "%s", (f->ascii ? letters : blocks)[at > 8 ? 8 : at]);
}

/* As many bins each. Gives the highest. */
static uint32_t columns_of(const struct sketch *s, uint32_t *columns, uint32_t n)
{
	unsigned least = 0;
	uint32_t most = 0;
	double wide;

	memset(columns, 0, n * sizeof *columns);
	while (least < s->highest && s->bins[least] == 0)
		least++;
	wide = (s->highest - least + 1.0) / n;
	for (unsigned i = least; i <= s->highest; i++) {
		const unsigned at = (unsigned)((i - least) / wide);

		columns[at < n ? at : n - 1] += s->bins[i];
	}
	for (uint32_t i = 0; i < n; i++)
		most = columns[i] > most ? columns[i] : most;
	return most;
}

void draw_line_amounts(struct buf *out, const struct draw_face *f, const struct sketch *s, uint32_t columns)
{
	uint32_t of[COLUMNS_MAX], n = columns < COLUMNS_MAX ? columns : COLUMNS_MAX, most = 0;

	if (n > 0)
		most = columns_of(s, of, n);
	for (uint32_t i = 0; i < n && most > 0; i++)
		put_bar(out, f, (double)of[i] / most);
}

void draw_line_scores(struct buf *out, const struct draw_face *f, const struct seen_ring *r, uint32_t columns)
{
	for (uint32_t i = r->n > columns ? r->n - columns : 0; i < r->n; i++) {
		const bool marked = f->colour && r->scores[i] > r->above[PROMISED_LOG];

		buf_printf(out, "%s", marked ? "\033[31m" : "");
		put_bar(out, f, r->most > 0 ? r->scores[i] / r->most : 0);
		buf_printf(out, "%s", marked ? "\033[0m" : "");
	}
}

/* ---- of a page ---- */

const char draw_style[] =
	"figure{margin:1.25rem 0}\n"
	"figcaption{color:var(--soft);font-size:.9rem;max-width:46rem}\n"
	"svg{display:block;width:100%;height:auto}\n"
	".wide{max-width:46rem}\n"
	".square{max-width:27rem}\n"
	".small{height:1.5rem}\n"
	".drawn{width:9rem;min-width:7rem}\n"
	"svg text{fill:var(--soft);font-size:11px}\n"
	".axis,.dots,.flags,.middle,.limit,.kept,.came{fill:none}\n"
	".axis{stroke:var(--line)}\n"
	".dots,.flags{stroke:var(--link);stroke-width:3.5;stroke-linecap:round;stroke-opacity:.5}\n"
	".flags{stroke:var(--bad);stroke-opacity:1}\n"
	".middle{stroke:var(--ink);stroke-width:1.5}\n"
	".limit{stroke:var(--bad);stroke-dasharray:6 4}\n"
	".kept{stroke:var(--soft);stroke-dasharray:2 4}\n"
	".came{stroke:var(--link);stroke-width:2.5}\n"
	".bar{fill:var(--link)}\n"
	"@media print{.wide{max-width:14cm}.square{max-width:9cm}.drawn{width:3cm}figure{break-inside:avoid}}\n";

static void begin(struct buf *out, const char *form, int width, int height, const char *label)
{
	buf_printf(out, "<svg class=\"%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", form, width, height,
		   label);
}

static void end(struct buf *out)
{
	buf_printf(out, "</svg>");
}

static void label(struct buf *out, double x, double y, const char *anchor, const char *text)
{
	buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, y, anchor, text);
}

/* ---- scores ---- */

#define WIDTH 720
#define LEFT 40
#define TOP 22
#define HIGH 130
#define WIDE (WIDTH - LEFT - 60)
#define MIDDLES 48 /* parts of which the middle one is drawn */

/* Near nothing as it is, and far from it by its logarithm, since one score can be a thousand times all others. */
static double score_y(const struct seen_ring *r, double score)
{
	const double top = fmax(r->most, 1);

	return TOP + HIGH * (1 - log1p(fmax(score, 0)) / log1p(top));
}

static double score_x(const struct seen_ring *r, double i)
{
	return LEFT + WIDE * (r->n > 1 ? i / (r->n - 1.0) : 0.5);
}

static void draw_tick(struct buf *out, const struct seen_ring *r, double at)
{
	const double y = score_y(r, at);
	char text[32];

	(void)snprintf(text, sizeof text, "%g", at);
	buf_printf(out, "<path class=\"axis\" d=\"M%d %.1fh%d\"/>", LEFT, y, WIDE);
	label(out, LEFT - 6, y + 4, "end", text);
}

static void draw_score_axes(struct buf *out, const struct seen_ring *r)
{
	const double top = fmax(r->most, 1);
	const int decades = (int)log10(top), step = 1 + (decades - 1) / 5;

	draw_tick(out, r, 0);
	for (int i = 0; i <= decades; i += step) {
		draw_tick(out, r, pow(10, i));
		if (decades < 3 && 3 * pow(10, i) <= top)
			draw_tick(out, r, 3 * pow(10, i));
	}
	label(out, LEFT, TOP + HIGH + 16, "start", "oldest");
	label(out, LEFT + WIDE, TOP + HIGH + 16, "end", "newest");
}

static void draw_limits(struct buf *out, const struct seen_ring *r)
{
	static const char *const words[PROMISES] = { "1 in 100", "1 in 1,000" };
	double last = INFINITY;

	for (size_t i = 0; i < PROMISES; i++) {
		const double y = score_y(r, r->above[i]);

		if (!isfinite(r->above[i]))
			continue;
		buf_printf(out, "<path class=\"limit\" d=\"M%d %.1fh%d\"/>", LEFT, y, WIDE);
		label(out, LEFT + WIDE + 4, fabs(y - last) < 12 ? last - 10 : y + 4, "start", words[i]);
		last = y;
	}
}

static void draw_dots(struct buf *out, const struct seen_ring *r, bool flagged)
{
	buf_printf(out, "<path class=\"%s\" d=\"", flagged ? "flags" : "dots");
	for (uint32_t i = 0; i < r->n; i++)
		if ((r->scores[i] > r->above[PROMISED_LOG]) == flagged)
			buf_printf(out, "M%.1f %.1fh0", score_x(r, i), score_y(r, r->scores[i]));
	buf_printf(out, "\"/>");
}

static int by_score(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The middle one of each part: whether what is usual drifts. */
static void draw_middles(struct buf *out, const struct seen_ring *r)
{
	float part[CALIBRATION_RING / MIDDLES + 2];

	if (r->n < 4 * MIDDLES)
		return;
	buf_printf(out, "<path class=\"middle\" d=\"");
	for (uint32_t i = 0; i < MIDDLES; i++) {
		const uint32_t from = r->n * i / MIDDLES, n = r->n * (i + 1) / MIDDLES - from;

		memcpy(part, r->scores + from, n * sizeof *part);
		qsort(part, n, sizeof *part, by_score);
		buf_printf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', score_x(r, from + n / 2.0), score_y(r, part[n / 2]));
	}
	buf_printf(out, "\"/>");
}

void draw_scores(struct buf *out, const struct seen_ring *r)
{
	begin(out, "wide", WIDTH, TOP + HIGH + 24, "Scores of events, in their order");
	draw_score_axes(out, r);
	draw_dots(out, r, false);
	draw_middles(out, r);
	draw_limits(out, r);
	draw_dots(out, r, true);
	end(out);
}

/* ---- amounts ---- */

#define BARS 40
#define BAR 4

void draw_amounts(struct buf *out, const struct sketch *s)
{
	uint32_t columns[BARS];
	const uint32_t most = columns_of(s, columns, BARS);

	begin(out, "small", BARS * BAR, 32, "How many events had how much, by its logarithm");
	for (int i = 0; i < BARS && most > 0; i++) {
		const double high = columns[i] > 0 ? 1 + 30.0 * columns[i] / most : 0;

		if (high > 0)
			buf_printf(out, "<rect class=\"bar\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>",
				   i * BAR, 32 - high, BAR - 1, high);
	}
	end(out);
}

void draw_part(struct buf *out, double part)
{
	begin(out, "small", 100, 16, "How often");
	buf_printf(out, "<rect class=\"bar\" y=\"4\" width=\"%.1f\" height=\"8\"/>", 100 * fmax(0, fmin(part, 1)));
	end(out);
}

/* ---- promises ---- */

#define SIDE 330
#define EDGE 62
#define DECADES 3 /* from 1 in 1,000 to all */
#define STEPS 60

static double rate_at(double rate)
{
	return SIDE * fmin(1, fmax(0, 1 + log10(fmax(rate, 1e-9)) / DECADES));
}

static void draw_rate_axes(struct buf *out)
{
	static const char *const words[DECADES + 1] = { "0.1 %", "1 %", "10 %", "all" };

	for (int i = 0; i <= DECADES; i++) {
		const double at = (double)SIDE * i / DECADES;

		buf_printf(out, "<path class=\"axis\" d=\"M%.1f %dv%dM%d %.1fh%d\"/>", EDGE + at, TOP, SIDE, EDGE,
			   TOP + SIDE - at, SIDE);
		label(out, EDGE + at, TOP + SIDE + 16, "middle", words[i]);
		label(out, EDGE - 6, TOP + SIDE - at + 4, "end", words[i]);
	}
	label(out, EDGE + SIDE / 2.0, TOP + SIDE + 34, "middle", "promised");
	label(out, EDGE, TOP - 3, "start", "flagged");
}

void draw_promised(struct buf *out, const struct seen_ps *ps)
{
	double part;
	bool begun = false;

	begin(out, "square", SIDE + EDGE + 20, TOP + SIDE + 42,
	      "Promised rates, and which part of events was flagged at them");
	draw_rate_axes(out);
	buf_printf(out, "<path class=\"kept\" d=\"M%d %dl%d %d\"/><path class=\"came\" d=\"", EDGE, TOP + SIDE, SIDE,
		   -SIDE);
	for (int i = 0; i <= STEPS; i++) {
		const double alpha = pow(10, -DECADES * (1 - (double)i / STEPS));

		if (!seen_realised(ps, alpha, &part))
			continue;
		buf_printf(out, "%c%.1f %.1f", begun ? 'L' : 'M', EDGE + rate_at(alpha), TOP + SIDE - rate_at(part));
		begun = true;
	}
	buf_printf(out, "\"/>");
	end(out);
}
