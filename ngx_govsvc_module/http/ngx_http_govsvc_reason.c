
/*
 * Copyright (C) govsvc authors
 *
 * The words of each refusal.  They tell a citizen what to do next and an
 * attacker nothing: what exactly was wrong is in the audit record.
 */


#include "http/ngx_http_govsvc_reason.h"


#define gs_reason(status, code, zh, en, who_zh, who_en)                       \
    { status, ngx_string(code), ngx_string(zh), ngx_string(en) }


const ngx_http_govsvc_reason_t
    ngx_http_govsvc_reasons[NGX_HTTP_GOVSVC_REASONS] = {

#include "core/gs_reason_rows.h"
};
