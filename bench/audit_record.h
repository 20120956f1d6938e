
/*
 * Copyright (C) govsvc authors
 *
 * What the benchmarks of the audit take for a usual request: a guide page,
 * asked for by a citizen who signed on.
 */


#ifndef _AUDIT_RECORD_H_INCLUDED_
#define _AUDIT_RECORD_H_INCLUDED_


#include "audit/gs_audit_record.h"

#include <string.h>


static void bench_audit_record(gs_audit_record_t *rec);


static void
bench_audit_record(gs_audit_record_t *rec)
{
    memset(rec, 0, sizeof(gs_audit_record_t));

    rec->node = gs_str_text("gw-bj-01");
    rec->epoch = 17;
    rec->g = 123456789;
    rec->time = 1795324116888598ull;
    rec->mono = 81233445566ull;
    rec->request_id = gs_str_text("3ad1c5b2a0f94e7d8c6b5a4f3e2d77ca");
    rec->trace_id = gs_str_text("8238b7a69584736251403f2e1d0c9538");
    rec->span_id = gs_str_text("ffbf4ac3ba004330");
    rec->ip = gs_str_text("10.32.130.60");
    rec->port = 33492;
    rec->method = gs_str_text("GET");
    rec->host = gs_str_text("gd.gov.example");
    rec->path = gs_str_text("/44/portal/guide/"
                            "11440232MB2D06811W4000117051000");
    rec->args = gs_str_text("type=1&page=2&keyword=%E7%A4%BE%E4%BF%9D");
    rec->version = "1.1";
    rec->status = 200;
    rec->bytes_in = 615;
    rec->bytes_out = 6879;
    rec->duration = 96210;
    rec->pid = gs_str_text("p7:Q5qAj024px7SOwG_po7trg");
    rec->level = 3;
    rec->issuer = gs_str_text("https://sso.gov.example");
    rec->token = "valid";
    rec->item = gs_str_text("11440232MB2D06811W4000117051000");
    rec->region = gs_str_text("440232");
    rec->platform = gs_str_text("gd");
    rec->pool = gs_str_text("gd-web");
    rec->channel = gs_str_text("app");
    rec->limit = "ok";
    rec->up_addr = gs_str_text("10.1.2.3:8080");
    rec->up_status = 200;
    rec->up_tries = 1;
    rec->up_duration = 91000;
    rec->user_agent = gs_str_text("Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
        "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
        "Safari/537.36");
    rec->referer = gs_str_text("https://gd.gov.example/44/portal/index.html");
}


#endif /* _AUDIT_RECORD_H_INCLUDED_ */
