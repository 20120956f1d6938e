
/*
 * Copyright (C) govsvc authors
 *
 * Any bytes as a line: what is exported as JSON is JSON, what is exported as
 * CEF is one line whose header has its seven parts, and counting takes it too.
 */


#include "audit/gs_audit_export.h"
#include "audit/gs_audit_retention.h"
#include "audit/gs_audit_stats.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_json(const gs_buf_t *b);
static void fuzz_cef(const gs_buf_t *b);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_buf_t               b;
    gs_str_t               line;
    unsigned               format;
    gs_arena_t            *arena;
    gs_audit_stats_t      *stats;
    gs_audit_fields_t      fields;
    gs_audit_retention_t   retention;
    static gs_uchar_t      out[GS_AUDIT_EXPORT_MAX];

    if (size >= 8192) {
        return 0;
    }

    line = gs_str_make(data, size);

    for (format = GS_AUDIT_ECS; format <= GS_AUDIT_CEF; format++) {
        gs_buf_init(&b, out, sizeof(out));

        if (gs_audit_export(&b, (gs_audit_format_e) format, &line) != GS_OK) {
            continue;
        }

        if (gs_audit_fields(&fields, &line) != GS_OK) {
            abort();
        }

        if (format == GS_AUDIT_CEF) {
            fuzz_cef(&b);

        } else {
            fuzz_json(&b);
        }
    }

    arena = gs_arena_create(&gs_mem_libc);
    stats = gs_audit_stats_create(gs_arena_mem(arena), (int) (size % 2));

    if (gs_audit_stats_add(stats, &line) == GS_ERROR
        || stats->records + stats->malformed != 1)
    {
        abort();
    }

    gs_arena_destroy(arena);

    if (gs_audit_retention_parse(&line, &retention) == GS_OK) {
        gs_buf_init(&b, out, sizeof(out));
        gs_audit_retention_put(&b, &retention);
    }

    return 0;
}


static void
fuzz_json(const gs_buf_t *b)
{
    json_t        *root;
    json_error_t   error;

    root = json_loadb((const char *) b->start, gs_buf_len(b),
                      JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL, &error);

    if (root == NULL) {
        abort();
    }

    json_decref(root);
}


static void
fuzz_cef(const gs_buf_t *b)
{
    unsigned           bars;
    const gs_uchar_t  *p;

    bars = 0;

    for (p = b->start; p < b->pos; p++) {

        if (*p == '\n' || *p == '\r' || *p == '\0') {
            abort();
        }

        if (*p == '\\') {
            p++;

        } else if (*p == '|' && bars < 7) {
            bars++;
        }
    }

    if (bars != 7) {
        abort();
    }
}
