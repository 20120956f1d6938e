
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
static void test_once(void);
static void test_duration(void);
static json_t *exported_peer(gs_audit_format_e format, const char *addr);
static json_t *exported(gs_audit_format_e format, const char *text);


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

    test_once();
    test_duration();

    return done_testing();
}


static void
test_port(const char *addr, int port)
{
    json_t  *ecs, *ocsf;

    ecs = exported_peer(GS_AUDIT_ECS, addr);
    ocsf = exported_peer(GS_AUDIT_OCSF, addr);

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


/* The caller and the user of a process go to one place of OCSF. */

static void
test_once(void)
{
    json_t  *ocsf, *uid;

    ocsf = exported(GS_AUDIT_OCSF, "{\"v\":1,\"id\":\"n1.1.7\","
                    "\"ty\":\"http\",\"sub\":{\"pid\":\"p7:x\"},"
                    "\"uid\":33}");
    ok(ocsf != NULL, "a caller and a user: no key twice");

    uid = json_object_get(json_object_get(json_object_get(ocsf, "actor"),
                                          "user"), "uid");
    is_str(gs_str_text(json_is_string(uid) ? json_string_value(uid) : ""),
           "p7:x", "the caller");

    uid = json_object_get(json_object_get(json_object_get(ocsf, "unmapped"),
                                          "govsvc"), "uid");
    is_int(json_integer_value(uid), 33, "and the user, unmapped");

    json_decref(ocsf);
}


/* The longest number of a line, in nanoseconds, is one no reader holds. */

static void
test_duration(void)
{
    json_t  *ecs;

    ecs = exported(GS_AUDIT_ECS, "{\"v\":1,\"id\":\"n1.1.7\","
                   "\"ty\":\"http\",\"http\":{\"us\":9223372036854775807}}");
    ok(ecs != NULL, "the longest duration is JSON");
    ok(json_object_get(json_object_get(ecs, "event"), "duration") == NULL,
       "but no duration");

    json_decref(ecs);

    ecs = exported(GS_AUDIT_ECS, "{\"v\":1,\"id\":\"n1.1.7\","
                   "\"ty\":\"http\",\"http\":{\"us\":9223372036854775}}");
    ok(json_integer_value(json_object_get(json_object_get(ecs, "event"),
                                          "duration"))
       == 9223372036854775000, "the longest that fits");

    json_decref(ecs);
}


static json_t *
exported_peer(gs_audit_format_e format, const char *addr)
{
    char  text[256];

    snprintf(text, sizeof(text),
             "{\"v\":1,\"id\":\"n1.1.7\",\"ty\":\"http\",\"st\":\"done\","
             "\"up\":{\"addr\":\"%s\",\"us\":1}}", addr);

    return exported(format, text);
}


static json_t *
exported(gs_audit_format_e format, const char *text)
{
    gs_buf_t           b;
    gs_str_t           line;
    static gs_uchar_t  out[GS_AUDIT_EXPORT_MAX];

    line = gs_str_text(text);

    gs_buf_init(&b, out, sizeof(out));

    if (gs_audit_export(&b, format, &line) != GS_OK) {
        return NULL;
    }

    return json_loadb((const char *) out, gs_buf_len(&b),
                      JSON_REJECT_DUPLICATES, NULL);
}
