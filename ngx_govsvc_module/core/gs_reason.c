
/*
 * Copyright (C) govsvc authors
 *
 * The table of refusals.
 */


#include "core/gs_reason.h"


#define gs_reason(status, code, zh, en, who_zh, who_en)                       \
    { status, code, zh, en, who_zh, who_en }


static const gs_reason_t  gs_reasons[] = {

#include "core/gs_reason_rows.h"
};


const gs_reason_t *
gs_reason_find(const gs_str_t *code)
{
    unsigned  i;

    for (i = 0; i < sizeof(gs_reasons) / sizeof(gs_reasons[0]); i++) {
        if (gs_str_eq_text(code, gs_reasons[i].code)) {
            return &gs_reasons[i];
        }
    }

    return NULL;
}
