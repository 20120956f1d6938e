
/*
 * Copyright (C) govsvc authors
 *
 * What of a line becomes a number in another form has to be one there.
 */


#include "audit/gs_audit_export.h"
#include "tap.h"

#include <jansson.h>
#include <stdio.h>


static void test_port(const char *addr, int port);
static json_t *exported(gs_audit_format_e format, const char *addr);


int
main(void)
{
    test_port("10.1.2.3:8080", 8080);
    test_port("[2001:db8::1]:1", 1);
    test_port("10.1.2.3:65535", 65535);
    test_port("10.1.2.3:65536", 0);
    test_port("10.1.2.3:08080", 0);
    test_port("[::]:00", 0);
    test_port("10.1.2.3:0", 0);
    test_port("10.1.2.3:", 0);
    test_port("10.1.2.3:80a", 0);
    test_port("unix:/run/a.sock", 0);

    return done_testing();
}


static void
test_port(const char *addr, int port)
{
    json_t  *ecs, *ocsf;

    ecs = exported(GS_AUDIT_ECS, addr);
    ocsf = exported(GS_AUDIT_OCSF, addr);

    ok(ecs != NULL, "%s: ECS is JSON", addr);
    is_int(json_integer_value(json_object_get(
               json_object_get(ecs, "destination"), "port")),
           port, "%s: port of ECS", addr);

    ok(ocsf != NULL, "%s: OCSF is JSON", addr);
    is_int(json_integer_value(json_object_get(
               json_object_get(ocsf, "dst_endpoint"), "port")),
           port, "%s: port of OCSF", addr);

    json_decref(ecs);
    json_decref(ocsf);
}


static json_t *
exported(gs_audit_format_e format, const char *addr)
{
    char               text[256];
    gs_buf_t           b;
    gs_str_t           line;
    static gs_uchar_t  out[GS_AUDIT_EXPORT_MAX];

    snprintf(text, sizeof(text),
             "{\"v\":1,\"id\":\"n1.1.7\",\"ty\":\"http\",\"st\":\"done\","
             "\"up\":{\"addr\":\"%s\",\"us\":1}}", addr);
    line = gs_str_text(text);

    gs_buf_init(&b, out, sizeof(out));

    if (gs_audit_export(&b, format, &line) != GS_OK) {
        return NULL;
    }

    return json_loadb((const char *) out, gs_buf_len(&b),
                      JSON_REJECT_DUPLICATES, NULL);
}
