
/*
 * Copyright (C) govsvc authors
 *
 * Included before each file that clang-tidy reads: what it cannot see across
 * files.
 */


#ifndef _TIDY_H_INCLUDED_
#define _TIDY_H_INCLUDED_


#include "core/gs_err.h"


/* gs_err() always answers GS_ERROR. */
#define gs_err(...)  ((void) gs_err(__VA_ARGS__), GS_ERROR)


#endif /* _TIDY_H_INCLUDED_ */
