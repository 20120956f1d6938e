
/*
 * Copyright (C) govsvc authors
 *
 * Time as text: RFC 3339, written in Beijing time.  The calendar arithmetic
 * counts days from 1 March of year 0, where leap days end the year.
 */


#include "core/gs_time.h"


#define GS_TIME_SECOND   1000000ull
#define GS_TIME_BEIJING  (8 * 3600)
#define GS_TIME_DAY      86400
#define GS_TIME_EPOCH    719468            /* days from 0000-03-01 to 1970 */


static void gs_time_civil(uint64_t days, unsigned *year, unsigned *month,
    unsigned *day);
static void gs_time_put(gs_uchar_t *p, uint64_t n, unsigned width);
static int64_t gs_time_days(unsigned year, unsigned month, unsigned day);
static unsigned gs_time_month_days(unsigned year, unsigned month);
static gs_rc_t gs_time_number(const gs_uchar_t *p, unsigned n,
    unsigned *value);
static gs_rc_t gs_time_offset(const gs_uchar_t *p, size_t len, int *seconds);
static size_t gs_time_fraction(const gs_uchar_t *p, size_t len,
    uint64_t *us);


void
gs_time_iso(gs_buf_t *b, uint64_t us)
{
    uint64_t    sec, rest;
    unsigned    year, month, day;
    gs_uchar_t  text[sizeof("0000-00-00T00:00:00.000000+08:00") - 1];

    sec = us / GS_TIME_SECOND + GS_TIME_BEIJING;
    rest = sec % GS_TIME_DAY;

    gs_time_civil(sec / GS_TIME_DAY, &year, &month, &day);

    memcpy(text, "0000-00-00T00:00:00.000000+08:00", sizeof(text));

    gs_time_put(text, year, 4);
    gs_time_put(text + 5, month, 2);
    gs_time_put(text + 8, day, 2);
    gs_time_put(text + 11, rest / 3600, 2);
    gs_time_put(text + 14, rest / 60 % 60, 2);
    gs_time_put(text + 17, rest % 60, 2);
    gs_time_put(text + 20, us % GS_TIME_SECOND, 6);

    gs_buf_put(b, text, sizeof(text));
}


unsigned
gs_time_month(uint64_t us)
{
    unsigned  year, month, day;

    gs_time_civil((us / GS_TIME_SECOND + GS_TIME_BEIJING) / GS_TIME_DAY,
                  &year, &month, &day);

    return year * 100 + month;
}


uint64_t
gs_time_month_start(unsigned month)
{
    int64_t  sec;

    sec = gs_time_days(month / 100, month % 100, 1) * GS_TIME_DAY
          - GS_TIME_BEIJING;

    /* January 1970 began in Beijing before the epoch did */

    return (sec > 0) ? (uint64_t) sec * GS_TIME_SECOND : 0;
}


unsigned
gs_time_month_next(unsigned month)
{
    return (month % 100 == 12) ? month + 89 : month + 1;
}


/* Days since 1970 as a date. */

static void
gs_time_civil(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t  era, doe, yoe, doy, mp;

    days += GS_TIME_EPOCH;

    era = days / 146097;
    doe = days % 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;

    *year = (unsigned) (era * 400 + yoe + (mp >= 10));
    *month = (unsigned) ((mp < 10) ? mp + 3 : mp - 9);
    *day = (unsigned) (doy - (153 * mp + 2) / 5 + 1);
}


static void
gs_time_put(gs_uchar_t *p, uint64_t n, unsigned width)
{
    uint32_t  rest;

    /* 32 bits: every number of a time fits, and division is cheaper */

    for (rest = (uint32_t) n; width != 0; width--) {
        p[width - 1] = (gs_uchar_t) ('0' + rest % 10);
        rest /= 10;
    }
}


gs_rc_t
gs_time_parse(const gs_str_t *s, uint64_t *us)
{
    int                offset;
    size_t             used;
    int64_t            sec;
    uint64_t           frac;
    unsigned           year, month, day, hour, minute, second;
    const gs_uchar_t  *p;

    p = s->data;

    if (s->len < sizeof("1970-01-01T00:00:00Z") - 1
        || gs_time_number(p, 4, &year) != GS_OK || p[4] != '-'
        || gs_time_number(p + 5, 2, &month) != GS_OK || p[7] != '-'
        || gs_time_number(p + 8, 2, &day) != GS_OK
        || gs_to_lower(p[10]) != 't'
        || gs_time_number(p + 11, 2, &hour) != GS_OK || p[13] != ':'
        || gs_time_number(p + 14, 2, &minute) != GS_OK || p[16] != ':'
        || gs_time_number(p + 17, 2, &second) != GS_OK)
    {
        return GS_ERROR;
    }

    /* a leap second is the first second of the next minute */

    if (month < 1 || month > 12
        || day < 1 || day > gs_time_month_days(year, month)
        || hour > 23 || minute > 59
        || second > ((minute == 59) ? 60 : 59))
    {
        return GS_ERROR;
    }

    used = 19 + gs_time_fraction(p + 19, s->len - 19, &frac);

    if (gs_time_offset(p + used, s->len - used, &offset) != GS_OK) {
        return GS_ERROR;
    }

    sec = gs_time_days(year, month, day) * GS_TIME_DAY
          + hour * 3600 + minute * 60 + second - offset;

    if (sec < 0) {
        return GS_ERROR;
    }

    *us = (uint64_t) sec * GS_TIME_SECOND + frac;

    return GS_OK;
}


static int64_t
gs_time_days(unsigned year, unsigned month, unsigned day)
{
    unsigned  mp;

    if (month <= 2) {

        if (year == 0) {
            return -1 - GS_TIME_EPOCH;
        }

        year--;
        mp = month + 9;

    } else {
        mp = month - 3;
    }

    return (int64_t) year * 365 + year / 4 - year / 100 + year / 400
           + (153 * mp + 2) / 5 + day - 1 - GS_TIME_EPOCH;
}


static unsigned
gs_time_month_days(unsigned year, unsigned month)
{
    static const unsigned  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (month == 2
        && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
    {
        return 29;
    }

    return days[month - 1];
}


static gs_rc_t
gs_time_number(const gs_uchar_t *p, unsigned n, unsigned *value)
{
    unsigned  i;

    *value = 0;

    for (i = 0; i < n; i++) {

        if (!gs_is_digit(p[i])) {
            return GS_ERROR;
        }

        *value = *value * 10 + (p[i] - '0');
    }

    return GS_OK;
}


static gs_rc_t
gs_time_offset(const gs_uchar_t *p, size_t len, int *seconds)
{
    unsigned  hour, minute;

    if (len == 1 && gs_to_lower(p[0]) == 'z') {
        *seconds = 0;
        return GS_OK;
    }

    if (len != sizeof("+08:00") - 1
        || (p[0] != '+' && p[0] != '-')
        || gs_time_number(p + 1, 2, &hour) != GS_OK || hour > 23
        || p[3] != ':'
        || gs_time_number(p + 4, 2, &minute) != GS_OK || minute > 59)
    {
        return GS_ERROR;
    }

    *seconds = (int) (hour * 3600 + minute * 60);

    if (p[0] == '-') {
        *seconds = -*seconds;
    }

    return GS_OK;
}


/* Bytes of ".digits" at p, 0 if there are none; digits past 6 are cut. */

static size_t
gs_time_fraction(const gs_uchar_t *p, size_t len, uint64_t *us)
{
    size_t    i;
    uint64_t  unit;

    *us = 0;

    if (len < 2 || p[0] != '.' || !gs_is_digit(p[1])) {
        return 0;
    }

    unit = GS_TIME_SECOND / 10;

    for (i = 1; i < len && gs_is_digit(p[i]); i++) {
        *us += (uint64_t) (p[i] - '0') * unit;
        unit /= 10;
    }

    return i;
}
