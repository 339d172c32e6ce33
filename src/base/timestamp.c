#include "base/timestamp.h"

#include <string.h>

#define MS_PER_S 1000u
#define S_PER_DAY 86400u
#define ERA_YEARS 400u /* after which the calendar repeats */
#define ERA_DAYS 146097u
#define DAYS_TO_1970 719468u /* from 0000-03-01 */

/* Years that begin in March, so that the day which comes every four years is the last one of its year. */
struct date {
	uint32_t year, month, day; /* of the calendar: from 0000-03-01, 1 to 12, 1 to 31 */
};

/* How many days the year has before this month, which is 0 for March: 31, 30, 31, 30, 31 and again, 153 in five months. */
static uint32_t days_before(uint32_t month)
{
	return (153 * month + 2) / 5;
}

/* Days since 0000-03-01. */
static uint32_t days_of(struct date d)
{
	const uint32_t year = d.month > 2 ? d.year : d.year - 1;
	const uint32_t of_era = year % ERA_YEARS;

	return year / ERA_YEARS * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 +
	       days_before((d.month + 9) % 12) + d.day - 1;
}

static struct date date_of(uint32_t days)
{
	const uint32_t of_era = days % ERA_DAYS;
	/* taken out: the 29 Februaries before, of which one in 25 is missing, but not one in 100 */
	const uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA_DAYS - 1)) / 365;
	const uint32_t of_year = of_era - (year * 365 + year / 4 - year / 100);
	const uint32_t month = (5 * of_year + 2) / 153; /* from March, which is 0 */

	return (struct date){ .year = days / ERA_DAYS * ERA_YEARS + year + (month >= 10),
			      .month = month < 10 ? month + 3 : month - 9,
			      .day = of_year - days_before(month) + 1 };
}

static void put_digits(char *at, size_t n, uint32_t value)
{
	for (size_t i = n; i > 0; i--, value /= 10)
		at[i - 1] = (char)('0' + value % 10);
}

bool timestamp_write(uint64_t ms, char ret[TIMESTAMP_LEN + 1])
{
	const uint64_t seconds = ms / MS_PER_S;
	const uint32_t second = (uint32_t)(seconds % S_PER_DAY);
	struct date d;

	ret[0] = 0;
	if (ms >= TIMESTAMP_END_MS)
		return false;
	d = date_of((uint32_t)(seconds / S_PER_DAY) + DAYS_TO_1970);
	memcpy(ret, "0000-00-00T00:00:00.000Z", TIMESTAMP_LEN + 1);
	put_digits(ret, 4, d.year);
	put_digits(ret + 5, 2, d.month);
	put_digits(ret + 8, 2, d.day);
	put_digits(ret + 11, 2, second / 3600);
	put_digits(ret + 14, 2, second / 60 % 60);
	put_digits(ret + 17, 2, second % 60);
	put_digits(ret + 20, 3, (uint32_t)(ms % MS_PER_S));
	return true;
}

static uint32_t digits_at(const char *at, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value * 10 + (uint32_t)(at[i] - '0');
	return value;
}

/* Digits where digits stand, and else the very same. */
static bool has_form(const char *text, const char *form)
{
	for (; *form != 0; text++, form++)
		if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	return true;
}

bool timestamp_read(const void *text, size_t n, uint64_t *ret_ms)
{
	const char *s = text;
	struct date d, same;
	uint32_t days, hour, minute, second;

	if (n != TIMESTAMP_LEN || !has_form(s, "0000-00-00T00:00:00.000Z"))
		return false;
	d = (struct date){ .year = digits_at(s, 4), .month = digits_at(s + 5, 2), .day = digits_at(s + 8, 2) };
	hour = digits_at(s + 11, 2);
	minute = digits_at(s + 14, 2);
	second = digits_at(s + 17, 2);
	if (d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1 || hour > 23 || minute > 59 || second > 59)
		return false;
	days = days_of(d);
	same = date_of(days); /* of a day that the month lacks it is one of the next month */
	if (same.month != d.month)
		return false;
	*ret_ms = ((uint64_t)(days - DAYS_TO_1970) * S_PER_DAY + hour * 3600 + minute * 60 + second) * MS_PER_S +
		  digits_at(s + 20, 3);
	return true;
}
