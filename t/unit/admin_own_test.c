
/*
 * Copyright (C) govsvc authors
 *
 * What a node is itself: no peer is at a place that it listens on or where
 * its Redis is, by whatever spelling; its other ports are for laboratories.
 */


#include <stdlib.h>

#include "admin/gs_admin.h"
#include "tap.h"


#define LISTENS  "the gateway itself listens there"
#define REDIS    "a Redis of the gateway is there"
#define NEAR     "an address of the gateway"
#define OTHER    "an address of another node of the gateway"
#define NEAR_R   "the address of a Redis of the gateway"


typedef struct {
    const char  *address;
    unsigned     port;
    const char  *why;                      /* NULL: it is none */
    const char  *lab;                      /* with loopback=on */
} case_t;


static const case_t  cases[] = {

    /* 10.0.0.1:8443 is listened on, *:80 and [::]:443 too */

    { "10.0.0.1", 8443, LISTENS, LISTENS },
    { "10.0.0.1", 8080, NEAR, NULL },
    { "10.0.0.1", 80, NEAR, NULL },
    { "10.0.0.2", 80, LISTENS, LISTENS },
    { "10.0.0.2", 443, NEAR, NULL },
    { "10.0.0.2", 8443, NEAR, NULL },
    { "10.0.0.3", 80, NULL, NULL },
    { "10.0.0.3", 8443, NULL, NULL },
    { "127.0.0.1", 80, LISTENS, LISTENS },
    { "127.9.9.9", 80, LISTENS, LISTENS },
    { "127.0.0.1", 8443, "loopback", NULL },
    { "2001:da8::2", 443, LISTENS, LISTENS },
    { "2001:da8::2", 80, NEAR, NULL },
    { "2001:da8::3", 443, NULL, NULL },
    { "::1", 443, LISTENS, LISTENS },
    { "::1", 80, "loopback", NULL },

    /* other spellings of the same */

    { "::ffff:10.0.0.1", 8443, LISTENS, LISTENS },
    { "64:ff9b::a00:1", 8443, LISTENS, LISTENS },
    { "64:ff9b::a00:1", 8080, NEAR, NULL },
    { "2002:a00:2::9", 80, LISTENS, LISTENS },
    { "2002:a00:3::9", 80, NULL, NULL },

    /* Redis */

    { "10.0.0.21", 6379, REDIS, REDIS },
    { "10.0.0.21", 26379, NEAR_R, NULL },
    { "64:ff9b::a00:15", 6379, REDIS, REDIS },
    { "127.0.0.1", 6380, REDIS, REDIS },
    { "127.0.0.1", 6381, "loopback", NULL },
    { "2001:da8::21", 6379, REDIS, REDIS },
    { "10.0.0.22", 6379, NULL, NULL },

    /* another node */

    { "10.0.0.11", 8080, OTHER, NULL },
    { "64:ff9b::a00:b", 443, OTHER, NULL },
    { "10.0.0.12", 8080, NULL, NULL },

    /* no leave of a laboratory */

    { "169.254.169.254", 80, "link-local, metadata",
      "link-local, metadata" },
    { "10.9.0.1", 8080, "named by govsvc_admin_deny",
      "named by govsvc_admin_deny" },
    { NULL, 0, NULL, NULL }
};


static gs_net_t
net(const char *text)
{
    gs_net_t  one;
    gs_str_t  s;

    s = gs_str_text(text);

    if (gs_net_parse(&one, &s) != GS_OK) {
        abort();
    }

    return one;
}


static void
test_places(const gs_admin_own_t *own)
{
    char           name[96];
    gs_net_t       deny, one;
    unsigned       lab;
    gs_admin_t     a;
    const char    *why, *want;
    const case_t  *c;

    memset(&a, 0, sizeof(gs_admin_t));
    deny = net("10.9.0.0/16");
    a.deny = &deny;
    a.ndeny = 1;
    a.own = own;

    for (c = cases; c->address != NULL; c++) {
        for (lab = 0; lab < 2; lab++) {
            a.loopback = lab;
            one = net(c->address);
            want = lab ? c->lab : c->why;
            why = gs_admin_place_denied(&a, &one, c->port);

            snprintf(name, sizeof(name), "%s %u%s", c->address, c->port,
                     lab ? " in a laboratory" : "");
            is_str(gs_str_text(why != NULL ? why : "none"),
                   want != NULL ? want : "none", "%s", name);
        }
    }
}


static gs_rc_t
file(const gs_admin_own_t *own, const char *text, gs_err_t *err)
{
    gs_str_t  s;

    memset(err, 0, sizeof(gs_err_t));
    s = gs_str_text(text);

    return gs_admin_own_file(own, &s, err);
}


static void
test_file(const gs_admin_own_t *own)
{
    gs_err_t  err;

    is_int(file(own, "{}", &err), GS_OK, "a file without instances");
    is_int(file(own, "{\"instances\":[{\"address\":\"10.0.0.1\","
                "\"port\":8080},{\"address\":\"127.0.0.1\",\"port\":8443},"
                "{\"address\":\"web.gd.example:80\"},"
                "{\"address\":\"web.gd.example\",\"port\":80},"
                "{\"address\":\"10.0.0.3\",\"port\":80}]}", &err), GS_OK,
           "other ports of a machine are its operator's own affair");

    is_int(file(own, "{\"instances\":[\n{\"address\":\"10.0.0.3\","
                "\"port\":80},\n{\"port\":8443,\n\"address\":\"10.0.0.1\"}]}",
                &err), GS_ERROR, "a loop in a file");
    is_str(gs_str_text(err.text),
           "no instance may have the address \"10.0.0.1\" with port 8443: "
           LISTENS, "is named");
    is_str(gs_str_text(err.pointer), "/instances/1/address",
           "with its pointer");
    is_int(err.line, 4, "and its line");

    is_int(file(own, "{\"instances\":[{\"address\":\"10.0.0.21\","
                "\"port\":6379}]}", &err), GS_ERROR, "Redis in a file");
}


int
main(void)
{
    gs_net_t          one, addrs[4], others[1];
    unsigned          always;
    gs_admin_own_t    own;
    gs_admin_place_t  listens[3], stores[3];

    listens[0].net = net("10.0.0.1");
    listens[0].port = 8443;
    listens[1].net = net("0.0.0.0/0");
    listens[1].port = 80;
    listens[2].net = net("::/0");
    listens[2].port = 443;

    stores[0].net = net("10.0.0.21");
    stores[0].port = 6379;
    stores[1].net = net("127.0.0.1");
    stores[1].port = 6380;
    stores[2].net = net("2001:da8::21");
    stores[2].port = 6379;

    addrs[0] = net("127.0.0.1");
    addrs[1] = net("10.0.0.2");
    addrs[2] = net("2001:da8::2");
    addrs[3] = net("::1");

    own.listens = listens;
    own.nlistens = 3;
    own.stores = stores;
    own.nstores = 3;
    own.addrs = addrs;
    own.naddrs = 4;

    others[0] = net("10.0.0.11");
    own.others = others;
    own.nothers = 1;

    test_places(&own);
    test_file(&own);

    /* it cannot be told which machine this is */

    own.addrs = NULL;
    own.naddrs = 0;
    one = net("10.0.0.3");

    is_str(gs_str_text(gs_admin_own_denied(&own, &one, 80, &always)), LISTENS,
           "with no address known, all of a wildcard are");
    ok(always, "and stay so");
    ok(gs_admin_own_denied(&own, &one, 81, &always) == NULL,
       "of other ports none is");
    ok(gs_admin_own_denied(NULL, &one, 80, &always) == NULL && !always,
       "of nothing known nothing is refused");

    return done_testing();
}
