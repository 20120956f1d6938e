
/*
 * Copyright (C) govsvc authors
 *
 * apps.json: loads or tells why not, with a line.
 */


#include <stdlib.h>

#include "token/gs_app.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static gs_rc_t fuzz_read(void *data, const gs_str_t *name, int secret,
    gs_str_t *text, gs_err_t *err);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_err_t    err;
    gs_str_t    text;
    gs_apps_t  *apps;

    memset(&err, 0, sizeof(err));
    text = gs_str_make(data, size);
    apps = gs_apps_load(&gs_mem_libc, &text, fuzz_read, NULL, &err);

    if (apps == NULL && (err.text[0] == '\0' || err.line == 0)) {
        abort();
    }

    gs_apps_destroy(apps);

    return 0;
}


static gs_rc_t
fuzz_read(void *data, const gs_str_t *name, int secret, gs_str_t *text,
    gs_err_t *err)
{
    static char  content[32];

    memcpy(content, "gov-demo-secret", 16);
    *text = gs_str_text(content);

    return GS_OK;
}
