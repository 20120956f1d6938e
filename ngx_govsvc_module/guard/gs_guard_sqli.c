
/*
 * Copyright (C) govsvc authors
 */

#include "guard/gs_guard_priv.h"

int gs_guard_sqli(const gs_str_t *text) { return 0; }
int gs_guard_xss(const gs_str_t *text) { return 0; }
