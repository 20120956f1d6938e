
/*
 * Copyright (C) govsvc authors
 *
 * Time as text.  Clocks are arguments: microseconds since the Unix epoch
 * for wall time.
 */


#ifndef _GS_TIME_H_INCLUDED_
#define _GS_TIME_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_rc.h"


/* 2026-11-22T13:08:36.888598+08:00, always Beijing time (GB/T 7408). */
void gs_time_iso(gs_buf_t *b, uint64_t us);

/* RFC 3339 with any offset to microseconds since the epoch. */
gs_rc_t gs_time_parse(const gs_str_t *s, uint64_t *us);

/*
 * The calendar month of a moment in Beijing as a number: 202611.  Of a month
 * of the years 1970 to 9999 its first moment, and the month after it.
 */
unsigned gs_time_month(uint64_t us);
uint64_t gs_time_month_start(unsigned month);
unsigned gs_time_month_next(unsigned month);


#endif /* _GS_TIME_H_INCLUDED_ */
