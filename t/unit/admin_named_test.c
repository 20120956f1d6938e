
/*
 * Copyright (C) govsvc authors
 *
 * Names of instances without a name server: which addresses of an answer are
 * used, what stays when none is, and that a failed allocation changes nothing.
 */


#include <stdlib.h>

#include "admin/gs_admin.h"
#include "tap.h"


static const char  files[] =
    "{\"platforms\":[{\"id\":\"gd\"}],"
    "\"pools\":[{\"id\":\"w\",\"platform\":\"gd\"}],"
    "\"instances\":[{\"id\":\"f\",\"pool\":\"w\","
    "\"address\":\"file.gd.example\",\"port\":80}],"
    "\"credentials\":[{\"id\":\"ops\",\"role\":\"tenant\",\"platform\":\"gd\","
    "\"apps\":[\"ops\"],\"scope\":{\"networks\":[\"10.44.0.0/16\"],"
    "\"suffixes\":[\"gd.example\"]}}]}";

static const char  snapshot[] =
    "{\"version\":1,\"revision\":1,\"changes\":[],\"objects\":{"
    "\"tls_profiles\":{},\"check_profiles\":{},\"platforms\":{},\"pools\":{},"
    "\"instances\":{\"n\":{\"object\":{\"id\":\"n\",\"pool\":\"w\","
    "\"address\":\"web.gd.example:80\"},\"gen\":1,\"rev\":1,\"by\":\"ops\","
    "\"created\":1,\"updated\":1,\"status\":\"active\",\"owner\":\"ops\","
    "\"proof\":\"nonce\"}},\"routes\":{},\"credentials\":{},"
    "\"maintenance\":{}}}";

static unsigned  left;                     /* allocations of jansson */
static unsigned  reached;
static unsigned  alarms;


static void *
failing(size_t size)
{
    if (left != 0 && --left == 0) {
        reached = 1;
        return NULL;
    }

    return malloc(size);
}


static void
make(gs_admin_t *a, gs_route_doc_t *doc)
{
    gs_err_t         err;
    gs_str_t         s;
    static gs_str_t  suffix;

    s = gs_str_text(files);
    suffix = gs_str_text("gd.example");

    if (gs_route_doc_init(doc) != GS_OK
        || gs_route_doc_fix(doc, &s, &err) != GS_OK)
    {
        abort();
    }

    s = gs_str_text(snapshot);

    if (gs_route_doc_load(doc, &s, &err) != GS_OK) {
        abort();
    }

    memset(a, 0, sizeof(gs_admin_t));
    a->mem = &gs_mem_libc;
    a->doc = doc;
    a->suffixes = &suffix;
    a->nsuffixes = 1;
    a->naddresses = 3;
}


static void
refused(void *ctx, const char *id, const char *name, const char *address,
    const char *why)
{
    alarms++;
}


/* "10.44.0.1 10.44.0.2", or "!SERVFAIL" */

static gs_rc_t
answer(gs_admin_t *a, const char *id, const char *name, const char *text)
{
    size_t             len;
    gs_net_t           nets[16];
    gs_str_t           s;
    gs_admin_answer_t  q;

    memset(&q, 0, sizeof(gs_admin_answer_t));
    q.id = id;
    q.name = name;
    q.port = 80;
    q.nets = nets;

    if (text[0] == '!') {
        q.error = text + 1;
        text = "";
    }

    for (/* void */; *text != '\0'; text += len + (text[len] == ' ')) {
        len = strcspn(text, " ");
        s = gs_str_make(text, len);

        if (gs_net_parse(&nets[q.n++], &s) != GS_OK) {
            abort();
        }
    }

    return gs_admin_answered(a, &q, 7, refused, NULL);
}


/* "10.44.0.1 up, ...; error" */

static void
is_state(gs_admin_t *a, const char *id, const char *want, const char *name)
{
    char           out[1024];
    size_t         i, len;
    const char    *error;
    const json_t  *entry, *list, *one;

    entry = json_object_get(a->doc->hosts, id);
    list = json_object_get(entry, "addresses");
    error = json_string_value(json_object_get(entry, "error"));
    len = 0;
    out[0] = '\0';

    for (i = 0; i < json_array_size(list); i++) {
        one = json_array_get(list, i);
        len += (size_t) snprintf(out + len, sizeof(out) - len, "%s%s %s",
                   i != 0 ? ", " : "",
                   json_string_value(json_object_get(one, "address")),
                   json_string_value(json_object_get(one, "state")));
    }

    if (error != NULL) {
        (void) snprintf(out + len, sizeof(out) - len, "; %s", error);
    }

    is_str(gs_str_text(out), want, "%s", name);
}


static void
test_answers(void)
{
    gs_admin_t      a;
    gs_route_doc_t  doc;

    make(&a, &doc);

#define WEB  "web.gd.example"

    is_int(answer(&a, "n", WEB, "10.44.0.1"), GS_OK, "an answer");
    is_state(&a, "n", "10.44.0.1 proving", "has to prove itself");
    is_int(answer(&a, "n", WEB, "10.44.0.1"), GS_DECLINED, "nothing new");

    is_int(gs_admin_shown(&a, "n", "10.44.0.1", "other", 8), GS_DECLINED,
           "another proof");
    is_int(gs_admin_shown(&a, "n", "10.44.0.2", "nonce", 8), GS_DECLINED,
           "another address");
    is_int(gs_admin_shown(&a, "n", "10.44.0.1", "nonce", 8), GS_OK, "shown");
    is_int(gs_admin_shown(&a, "n", "10.44.0.1", "nonce", 8), GS_DECLINED,
           "only once");

    (void) answer(&a, "n", WEB, "10.44.0.2");
    is_state(&a, "n", "10.44.0.1 up, 10.44.0.2 proving",
             "the old one stays until the new one can");
    is_int(gs_admin_named_review(&a, 9), GS_DECLINED, "and is in order");

    (void) gs_admin_shown(&a, "n", "10.44.0.2", "nonce", 8);
    (void) answer(&a, "n", WEB, "10.44.0.2");
    is_state(&a, "n", "10.44.0.2 up", "then it goes");

    alarms = 0;
    (void) answer(&a, "n", WEB, "127.0.0.1 10.44.0.2 10.45.0.1 10.44.0.2");
    is_state(&a, "n", "10.44.0.2 up, 10.45.0.1 refused, 127.0.0.1 refused",
             "bad ones of a set");
    is_int(alarms, 2, "each is told");
    (void) answer(&a, "n", WEB, "127.0.0.1 10.44.0.2 10.45.0.1");
    is_int(alarms, 2, "once");

    (void) answer(&a, "n", WEB, "127.0.0.1");
    is_state(&a, "n", "10.44.0.2 up, 127.0.0.1 refused; no address of the "
             "answer is allowed", "nothing but bad ones");

    (void) answer(&a, "n", WEB, "!SERVFAIL");
    is_state(&a, "n", "10.44.0.2 up, 127.0.0.1 refused; SERVFAIL",
             "a name server that fails");

    (void) answer(&a, "n", WEB, "10.44.0.9 10.44.0.8 10.44.0.7 10.44.0.2");
    is_state(&a, "n", "10.44.0.2 up, 10.44.0.7 proving, 10.44.0.8 proving",
             "no more than three, the first by number");

    is_int(answer(&a, "n", "old.gd.example", "10.44.0.1"), GS_DECLINED,
           "an answer for the name before");
    is_int(answer(&a, "gone", WEB, "10.44.0.1"), GS_DECLINED,
           "an answer for nobody");

    (void) answer(&a, "f", "file.gd.example", "10.45.0.1 224.0.0.1");
    is_state(&a, "f", "10.45.0.1 up, 224.0.0.1 refused",
             "of a file: no networks, no proof");

    gs_route_doc_free(&doc);
}


static void
test_rules(void)
{
    json_t          *record;
    gs_net_t         deny;
    gs_str_t         s;
    gs_admin_t       a;
    gs_route_doc_t   doc;

    make(&a, &doc);
    record = json_object_get(doc.api[GS_ROUTE_DOC_INSTANCES], "n");

    (void) answer(&a, "n", WEB, "10.44.0.1 10.44.0.2");
    (void) json_object_del(record, "proof");
    is_int(gs_admin_named_review(&a, 9), GS_OK, "an operator confirmed");
    is_state(&a, "n", "10.44.0.1 up, 10.44.0.2 up", "both are up");

    s = gs_str_text("10.44.0.2");
    (void) gs_net_parse(&deny, &s);
    a.deny = &deny;
    a.ndeny = 1;
    is_int(gs_admin_named_review(&a, 9), GS_OK, "an address was denied");
    is_state(&a, "n", "10.44.0.1 up, 10.44.0.2 refused", "it is out at once");

    (void) json_object_set_new(record, "owner", json_string("nobody"));
    (void) answer(&a, "n", WEB, "10.44.0.3");
    is_state(&a, "n", "10.44.0.1 refused, 10.44.0.2 refused; the credential "
             "that named it is gone", "nobody vouches for it");

    (void) json_object_del(doc.api[GS_ROUTE_DOC_INSTANCES], "n");
    is_int(gs_admin_named_review(&a, 9), GS_OK, "the instance is gone");
    is_state(&a, "n", "", "and what was known of it");

    gs_route_doc_free(&doc);
}


/* Each allocation of jansson, and of the engine, may fail. */

static void
test_memory(void)
{
    gs_rc_t          rc;
    unsigned         n, wrong;
    gs_admin_t       a;
    gs_route_doc_t   doc;

    wrong = 0;

    for (n = 1; n < 1000; n++) {
        make(&a, &doc);
        (void) answer(&a, "n", WEB, "10.44.0.1");
        (void) gs_admin_shown(&a, "n", "10.44.0.1", "nonce", 8);

        reached = 0;
        left = n;
        rc = answer(&a, "n", WEB, "10.44.0.2 127.0.0.1");
        left = 0;

        wrong += (rc == GS_OK) == reached;
        wrong += json_array_size(json_object_get(json_object_get(doc.hosts,
                                                                 "n"),
                                                 "addresses"))
                 != (reached ? 1u : 3u);

        gs_route_doc_free(&doc);

        if (!reached) {
            break;
        }
    }

    ok(n > 5 && n < 1000, "%u allocations of jansson", n - 1);
    is_int(wrong, 0, "an answer is taken as a whole, or not");

    make(&a, &doc);
    (void) answer(&a, "n", WEB, "10.44.0.1");

    a.mem = tap_mem_fail(1);
    is_int(answer(&a, "n", WEB, "!SERVFAIL"), GS_ERROR, "memory is out");
    is_state(&a, "n", "10.44.0.1 proving", "nothing has changed");

    gs_route_doc_free(&doc);
}


int
main(void)
{
    json_set_alloc_funcs(failing, free);

    test_answers();
    test_rules();
    test_memory();

    return done_testing();
}
