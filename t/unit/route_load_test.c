
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json and regions.json: what is refused, with which words, line
 * and pointer; what a good file becomes; memory that fails.
 */


#include <stdio.h>
#include <stdlib.h>

#include "route/gs_route.h"
#include "tap.h"


#define P   "\"platforms\":[{\"id\":\"gd\"},{\"id\":\"zj\"}]"
#define W   "\"pools\":[{\"id\":\"w\",\"platform\":\"gd\"},"                  \
            "{\"id\":\"z\",\"platform\":\"zj\"}]"
#define R(match)  "{" P "," W ",\"routes\":[{\"id\":\"r\",\"platform\":"      \
            "\"gd\",\"pool\":\"w\",\"match\":{" match "}}]}"
#define I(more)  "{" P "," W ",\"instances\":[{\"id\":\"i\",\"pool\":\"w\""   \
            more "}]}"
#define A   ",\"address\":\"10.0.0.1\",\"port\":80"
#define O(more)  "{" P ",\"pools\":[{\"id\":\"w\",\"platform\":\"gd\""        \
            more "}]}"
#define T(more)  "{\"tls_profiles\":[{\"id\":\"t\"" more "}]}"


typedef struct {
    const char  *text;
    const char  *pointer;
    const char  *error;                    /* a part of it */
} vector_t;


static const vector_t  bad[] = {

    { "", "", "bad JSON" },
    { "{", "", "bad JSON" },
    { "[]", "", "an array where an object is expected" },
    { "null", "", "bad JSON" },
    { "{\"a\":1,\"a\":2}", "", "duplicate" },
    { "{\"pools\":\"\xff\"}", "", "bad JSON" },
    { "{\"platform\":[]}", "/platform",
      "unknown member \"platform\"; did you mean \"platforms\"?" },
    { "{\"platforms\":{}}", "/platforms",
      "an object where an array is expected" },
    { "{\"platforms\":[1]}", "/platforms/0",
      "a number where an object is expected" },
    { "{\"platforms\":[{}]}", "/platforms/0", "member \"id\" is missing" },
    { "{\"platforms\":[{\"id\":7}]}", "/platforms/0/id",
      "a number where a string is expected" },
    { "{\"platforms\":[{\"id\":\"\"}]}", "/platforms/0/id", "invalid id" },
    { "{\"platforms\":[{\"id\":\"-a\"}]}", "/platforms/0/id", "invalid id" },
    { "{\"platforms\":[{\"id\":\"a b\"}]}", "/platforms/0/id", "invalid id" },
    { "{\"platforms\":[{\"id\":\"a\"},{\"id\":\"a\"}]}", "/platforms/1/id",
      "duplicate platform \"a\", the first is number 1" },
    { "{\"platforms\":[{\"id\":\"a\",\"state\":\"norml\"}]}",
      "/platforms/0/state",
      "invalid state \"norml\"; did you mean \"normal\"?" },
    { "{\"platforms\":[{\"id\":\"a\",\"region\":\"990000\"}]}",
      "/platforms/0/region", "unknown region \"990000\"" },
    { "{\"platforms\":[{\"id\":\"a\",\"region\":\"44\"}]}",
      "/platforms/0/region", "invalid region \"44\"; allowed: six digits" },
    { "{\"platforms\":[{\"id\":\"a\",\"region\":\"44****\"}]}",
      "/platforms/0/region", "invalid region" },
    { "{\"platforms\":[{\"id\":\"a\",\"name\":\"x\"}]}", "/platforms/0/name",
      "a string where an object is expected" },
    { "{\"platforms\":[{\"id\":\"a\",\"name\":{\"cn\":\"x\"}}]}",
      "/platforms/0/name/cn", "unknown member \"cn\"" },

    { T(""), "/tls_profiles/0", "member \"ca\" is missing" },
    { T(",\"ca\":\"\""), "/tls_profiles/0/ca", "\"ca\" is empty" },
    { T(",\"ca\":\"a\",\"cert\":\"c\""), "/tls_profiles/0",
      "\"key\" is missing" },
    { T(",\"ca\":\"a\",\"min\":\"1.1\""), "/tls_profiles/0/min",
      "invalid min \"1.1\"" },

    { O(",\"platfrm\":1"), "/pools/0/platfrm", "did you mean \"platform\"?" },
    { "{" P ",\"pools\":[{\"id\":\"w\"}]}", "/pools/0",
      "member \"platform\" is missing" },
    { "{" P ",\"pools\":[{\"id\":\"w\",\"platform\":\"x\"}]}",
      "/pools/0/platform", "no platform \"x\" in this file" },
    { O(",\"tls\":\"x\""), "/pools/0/tls", "no TLS profile \"x\"" },
    { O(",\"method\":\"rr\""), "/pools/0/method", "invalid method \"rr\"" },
    { O(",\"method\":\"hash\""), "/pools/0/method", "hash:$variable" },
    { O(",\"method\":\"hash:$\""), "/pools/0/method", "invalid method" },
    { O(",\"method\":\"hash:$A-b\""), "/pools/0/method", "invalid method" },
    { O(",\"host\":\"\""), "/pools/0/host", "invalid host" },
    { O(",\"host\":\"a b\""), "/pools/0/host", "invalid host \"a b\"" },
    { O(",\"host\":\"a\\r\\nb\""), "/pools/0/host", "invalid host" },
    { O(",\"panic\":101"), "/pools/0/panic",
      "101 is out of range; allowed: 0 to 100" },
    { O(",\"panic\":-1"), "/pools/0/panic", "-1 is out of range" },
    { O(",\"panic\":\"50\""), "/pools/0/panic",
      "a string where a whole number is expected" },
    { O(",\"panic\":1.5"), "/pools/0/panic", "a number where a whole" },
    { O(",\"eject\":{\"fail\":1}"), "/pools/0/eject/fail",
      "did you mean \"fails\"?" },
    { O(",\"eject\":{\"time\":\"10x\"}"), "/pools/0/eject/time",
      "invalid time \"10x\"" },
    { O(",\"eject\":{\"time\":10}"), "/pools/0/eject/time",
      "a number where a string is expected" },
    { O(",\"check\":\"x\""), "/pools/0/check",
      "no check profile \"x\" in this file" },
    { "{\"check_profiles\":[{\"id\":\"c\",\"type\":\"tls\"}]," P
      ",\"pools\":[{\"id\":\"w\",\"platform\":\"gd\","
      "\"check\":\"c\"}]}", "/pools/0/check",
      "check \"c\" is of type \"tls\", the pool has no TLS profile; "
      "allowed: http, tcp" },
    { "{\"check_profiles\":[{\"id\":\"c\",\"type\":\"http\"}],"
      "\"tls_profiles\":[{\"id\":\"t\",\"ca\":\"a\"}]," P
      ",\"pools\":[{\"id\":\"w\",\"platform\":\"gd\",\"host\":\"h\","
      "\"tls\":\"t\",\"check\":\"c\"}]}", "/pools/0/check",
      "the pool speaks TLS; allowed: https, tls, tcp" },
    { O(",\"slow_start\":\"25h\""), "/pools/0/slow_start",
      "invalid time \"25h\"" },
    { O(",\"retry\":{\"budgets\":1}"), "/pools/0/retry/budgets",
      "did you mean \"budget\"?" },
    { O(",\"retry\":{\"budget\":101}"), "/pools/0/retry/budget",
      "101 is out of range; allowed: 0 to 100" },
    { O(",\"retry\":{\"burst\":1001}"), "/pools/0/retry/burst",
      "1001 is out of range; allowed: 0 to 1000" },
    { O(",\"eject\":{\"ratio\":101}"), "/pools/0/eject/ratio",
      "101 is out of range; allowed: 0 to 100" },
    { O(",\"eject\":{\"volume\":0}"), "/pools/0/eject/volume",
      "0 is out of range; allowed: 1 to 100000" },
    { O(",\"eject\":{\"window\":\"0s\"}"), "/pools/0/eject/window",
      "invalid time \"0s\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      "}]}",
      "/check_profiles/0",
      "member \"type\" is missing" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"icmp\"}]}",
      "/check_profiles/0/type",
      "invalid type \"icmp\"; allowed: http, https, tcp, tls" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"intervall\":\"1s\"}]}",
      "/check_profiles/0/intervall",
      "did you mean \"interval\"?" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"interval\":\"0s\"}]}",
      "/check_profiles/0/interval",
      "invalid time \"0s\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"timeout\":\"2h\"}]}",
      "/check_profiles/0/timeout",
      "7200000ms is out of range; allowed: 1ms to 1h" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"rise\":0}]}",
      "/check_profiles/0/rise",
      "0 is out of range; allowed: 1 to 100" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"fall\":101}]}",
      "/check_profiles/0/fall",
      "101 is out of range; allowed: 1 to 100" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"method\":\"POST\"}]}",
      "/check_profiles/0/method",
      "invalid method \"POST\"; allowed: GET, HEAD" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"path\":\"health\"}]}",
      "/check_profiles/0/path",
      "invalid path \"health\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"path\":\"/a/../b\"}]}",
      "/check_profiles/0/path",
      "invalid path" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"path\":\"/a b\"}]}",
      "/check_profiles/0/path",
      "write it encoded" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"host\":\"a/b\"}]}",
      "/check_profiles/0/host",
      "invalid host \"a/b\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"tcp\",\"path\":\"/\"}]}",
      "/check_profiles/0",
      "are of checks \"http\" and \"https\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":\"200\"}]}",
      "/check_profiles/0/match",
      "a string where an object is expected" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"statuss\":\"200\"}}]}",
      "/check_profiles/0/match/statuss",
      "did you mean \"status\"?" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"status\":\"20\"}}]}",
      "/check_profiles/0/match/status",
      "invalid status \"20\"; allowed: \"200\" to \"599\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"status\":\"2000\"}}]}",
      "/check_profiles/0/match/status",
      "invalid status \"2000\"; allowed: \"200\" to \"599\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"status\":\"100\"}}]}",
      "/check_profiles/0/match/status",
      "invalid status \"100\"; allowed: \"200\" to \"599\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"status\":\"200-\"}}]}",
      "/check_profiles/0/match/status",
      "invalid status \"200-\"; allowed: \"200\" to \"599\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"status\":\"299-200\"}}]}",
      "/check_profiles/0/match/status",
      "invalid status \"299-200\"; allowed: \"200\" to \"599\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"status\":\"200-600\"}}]}",
      "/check_profiles/0/match/status",
      "invalid status \"200-600\"; allowed: \"200\" to \"599\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"status\":\"abc\"}}]}",
      "/check_profiles/0/match/status",
      "invalid status \"abc\"; allowed: \"200\" to \"599\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"status\":\"200_299\"}}]}",
      "/check_profiles/0/match/status",
      "invalid status \"200_299\"; allowed: \"200\" to \"599\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"header\":{\"name\":\"a b\"}}}]}",
      "/check_profiles/0/match/header/name",
      "invalid header name \"a b\"" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"header\":{\"value\":\"x\"}}}]}",
      "/check_profiles/0/match/header",
      "member \"name\" is missing" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"header\":"
      "{\"name\":\"a\",\"value\":\"\"}}}]}",
      "/check_profiles/0/match/header/value",
      "0 bytes; allowed: 1 to 256 bytes" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"match\":{\"body\":\"\"}}]}",
      "/check_profiles/0/match/body",
      "0 bytes; allowed: 1 to 256 bytes" },
    { "{\"check_profiles\":[{\"id\":\"c\""
      ",\"type\":\"http\",\"method\":\"HEAD\",\"match\":{\"body\":\"x\"}}]}",
      "/check_profiles/0/match/body",
      "an answer to \"HEAD\" has no body" },
    { O(",\"timeouts\":{\"read\":\"0s\"}"), "/pools/0/timeouts/read",
      "invalid time" },
    { O(",\"timeouts\":{\"reed\":\"1s\"}"), "/pools/0/timeouts/reed",
      "did you mean \"read\"?" },
    { O(",\"fallback\":\"page:503\""), "/pools/0/fallback",
      "a string where an array is expected" },
    { O(",\"fallback\":[503]"), "/pools/0/fallback/0",
      "a number where a string is expected" },
    { O(",\"fallback\":[\"x\"]"), "/pools/0/fallback/0",
      "no pool \"x\" in this file" },
    { O(",\"fallback\":[\"page:404\"]"), "/pools/0/fallback/0",
      "invalid page \"page:404\"; allowed: \"page:500\" to \"page:599\"" },
    { O(",\"fallback\":[\"page:0503\"]"), "/pools/0/fallback/0",
      "invalid page" },
    { O(",\"fallback\":[\"page:503\",\"page:502\"]"), "/pools/0/fallback/0",
      "ends the chain" },
    { O(",\"fallback\":[\"w\"]"), "/pools/0/fallback/0",
      "fallback to pool \"w\" leads back to it" },
    { "{" P ",\"pools\":["
      "{\"id\":\"a\",\"platform\":\"gd\",\"fallback\":[\"b\"]},"
      "{\"id\":\"b\",\"platform\":\"gd\",\"fallback\":[\"c\"]},"
      "{\"id\":\"c\",\"platform\":\"gd\",\"fallback\":[\"a\"]}]}",
      "/pools/2/fallback/0", "fallback to pool \"a\" leads back to it" },
    { "{\"tls_profiles\":[{\"id\":\"t\",\"ca\":\"a\"}]," P ",\"pools\":["
      "{\"id\":\"w\",\"platform\":\"gd\",\"tls\":\"t\"}]}", "/pools/0",
      "nothing to verify the platform by" },

    { I(""), "/instances/0", "member \"port\" is missing" },
    { I(",\"port\":80"), "/instances/0", "member \"address\" is missing" },
    { I(",\"port\":0"), "/instances/0/port", "0 is out of range" },
    { I(",\"port\":65536"), "/instances/0/port", "out of range" },
    { I(",\"port\":80,\"weight\":0"), "/instances/0/weight",
      "allowed: 1 to 65535" },
    { I(",\"port\":80,\"address\":\"localhost\""), "/instances/0/address",
      "the name has one label only; allowed: a numeric IPv4 or IPv6" },
    { I(",\"port\":80,\"address\":\"gd.gov.example:81\""),
      "/instances/0/address", "has another port than \"port\"" },
    { I(",\"address\":\"gd.gov.example\""), "/instances/0",
      "member \"port\" is missing" },
    { I(",\"address\":\"gd.gov.example:x\""), "/instances/0/address",
      "invalid address" },
    { I(",\"address\":\"10.44.0.11\""), "/instances/0",
      "member \"port\" is missing" },
    { I(",\"port\":80,\"address\":\"010.0.0.1\""), "/instances/0/address",
      "invalid address" },
    { I(",\"port\":80,\"address\":\"10.1\""), "/instances/0/address",
      "invalid address" },
    { I(",\"port\":80,\"address\":\"0.0.0.0\""), "/instances/0/address",
      "invalid address" },
    { I(",\"port\":80,\"address\":\"224.0.0.1\""), "/instances/0/address",
      "invalid address" },
    { I(",\"port\":80,\"address\":\"::\""), "/instances/0/address",
      "invalid address" },
    { I(",\"port\":80,\"address\":\"ff02::1\""), "/instances/0/address",
      "invalid address" },
    { I(",\"port\":80,\"address\":\"::ffff:10.0.0.1\""),
      "/instances/0/address", "invalid address" },
    { I(",\"port\":80,\"address\":\"[::1]\""), "/instances/0/address",
      "invalid address" },
    { I(",\"port\":80,\"address\":\"fe80::1%eth0\""),
      "/instances/0/address", "invalid address" },
    { I(A ",\"state\":\"up\""), "/instances/0/state",
      "allowed: enabled, drain, down" },
    { I(A "},{\"id\":\"j\",\"pool\":\"w\"" A), "/instances/1/address",
      "address and port of instance \"i\"" },
    { "{" P "," W ",\"instances\":[{\"id\":\"i\",\"pool\":\"x\"" A "}]}",
      "/instances/0/pool", "no pool \"x\"" },

    { "{" P "," W ",\"routes\":[{\"id\":\"r\",\"platform\":\"gd\","
      "\"pool\":\"w\"}]}", "/routes/0", "member \"match\" is missing" },
    { "{" P "," W ",\"routes\":[{\"id\":\"r\",\"platform\":\"zj\","
      "\"pool\":\"w\",\"match\":{}}]}", "/routes/0/pool",
      "pool \"w\" belongs to platform \"gd\"" },
    { "{" P "," W ",\"routes\":[{\"id\":\"r\",\"platform\":\"gd\","
      "\"pool\":\"w\",\"priority\":\"1\",\"match\":{}}]}",
      "/routes/0/priority", "a string where a whole number is expected" },
    { "{" P "," W ",\"routes\":[{\"id\":\"r\",\"platform\":\"gd\","
      "\"pool\":\"w\",\"priority\":1000001,\"match\":{}}]}",
      "/routes/0/priority", "out of range" },
    { "{" P "," W ",\"routes\":[{\"id\":\"r\",\"platform\":\"gd\","
      "\"pool\":\"w\",\"critical\":\"licence\",\"match\":{}}]}",
      "/routes/0/critical", "did you mean \"license\"?" },
    { R("\"host\":[]"), "/routes/0/match/host", "did you mean \"hosts\"?" },
    { R("\"hosts\":[]"), "/routes/0/match/hosts", "an empty array" },
    { R("\"hosts\":\"a\""), "/routes/0/match/hosts", "an array is expected" },
    { R("\"hosts\":[1]"), "/routes/0/match/hosts/0", "a string is expected" },
    { R("\"hosts\":[\"a:80\"]"), "/routes/0/match/hosts/0",
      "invalid host \"a:80\"" },
    { R("\"hosts\":[\"*\"]"), "/routes/0/match/hosts/0", "invalid host" },
    { R("\"hosts\":[\"*.\"]"), "/routes/0/match/hosts/0", "invalid host" },
    { R("\"hosts\":[\"a.*.b\"]"), "/routes/0/match/hosts/0",
      "invalid host" },
    { R("\"hosts\":[\"a..b\"]"), "/routes/0/match/hosts/0", "invalid host" },
    { R("\"hosts\":[\"a.\"]"), "/routes/0/match/hosts/0", "invalid host" },
    { R("\"hosts\":[\"\"]"), "/routes/0/match/hosts/0", "invalid host" },
    { R("\"hosts\":[\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\"]"),
      "/routes/0/match/hosts/0", "at most 16 labels" },
    { R("\"hosts\":[\"a.b\",\"A.B\"]"), "/routes/0/match/hosts/1",
      "the same value as number 1" },
    { R("\"paths\":[\"44/\"]"), "/routes/0/match/paths/0",
      "does not begin with" },
    { R("\"paths\":[\"\"]"), "/routes/0/match/paths/0",
      "does not begin with" },
    { R("\"paths\":[\"=\"]"), "/routes/0/match/paths/0",
      "does not begin with" },
    { R("\"paths\":[\"/a//b\"]"), "/routes/0/match/paths/0", "empty and dot" },
    { R("\"paths\":[\"/a/../b\"]"), "/routes/0/match/paths/0",
      "empty and dot" },
    { R("\"paths\":[\"/a/.\"]"), "/routes/0/match/paths/0", "empty and dot" },
    { R("\"paths\":[\"/44/*\"]"), "/routes/0/match/paths/0",
      "without \"*\"" },
    { R("\"paths\":[\"/%41\"]"), "/routes/0/match/paths/0",
      "compared decoded" },
    { R("\"paths\":[\"/a?b\"]"), "/routes/0/match/paths/0", "not allowed" },
    { R("\"paths\":[\"/a b\"]"), "/routes/0/match/paths/0", "not allowed" },
    { R("\"paths\":[\"/44\",\"/44/\"]"), "/routes/0/match/paths/1",
      "the same value as number 1" },
    { R("\"items\":[\"123\"]"), "/routes/0/match/items/0",
      "invalid item code \"123\"" },
    { R("\"methods\":[\"GTE\"]"), "/routes/0/match/methods/0",
      "did you mean \"GET\"?" },
    { R("\"methods\":[\"get\"]"), "/routes/0/match/methods/0",
      "invalid method \"get\"" },
    { R("\"regions\":[\"99****\"]"), "/routes/0/match/regions/0",
      "unknown region" },
    { R("\"regions\":[\"4*****\"]"), "/routes/0/match/regions/0",
      "invalid region" },
    { R("\"regions\":[\"44**\"]"), "/routes/0/match/regions/0",
      "invalid region" },
    { R("\"regions\":[\"440***\"]"), "/routes/0/match/regions/0",
      "invalid region" },
    { R("\"regions\":[\"44**00\"]"), "/routes/0/match/regions/0",
      "invalid region" },
    { R("\"regions\":[\"44****\",\"440000\"]"), "/routes/0/match/regions/1",
      "names the region of \"44****\" again" },
    { R("\"headers\":{\"a b\":[\"x\"]}"), "/routes/0/match/headers/a b",
      "invalid header name" },
    { R("\"headers\":{\"x\":\"y\"}"), "/routes/0/match/headers/x",
      "a string where an array is expected" },
    { R("\"headers\":{\"x\":[\"a*b\"]}"), "/routes/0/match/headers/x/0",
      "invalid value \"a*b\"" },
    { R("\"headers\":{\"x\":[\"\"]}"), "/routes/0/match/headers/x/0",
      "invalid value" },
    { R("\"headers\":{\"X-A\":[\"a\"],\"x-a\":[\"b\"]}"),
      "/routes/0/match/headers/x-a", "named twice" },
    { R("\"claims\":{\"\":[\"x\"]}"), "/routes/0/match/claims/",
      "invalid claim name" },
    { R("\"claims\":[]"), "/routes/0/match/claims", "an object is expected" },

    { "{" P "," W ",\"routes\":["
      "{\"id\":\"a\",\"platform\":\"gd\",\"pool\":\"w\",\"match\":"
      "{\"paths\":[\"/x\"]}},"
      "{\"id\":\"b\",\"platform\":\"zj\",\"pool\":\"z\",\"match\":"
      "{\"paths\":[\"/y\",\"/x/\"]}}]}", "/routes/1",
      "route \"b\" matches the same requests as \"a\" of another platform" },
    { "{" P "," W ",\"routes\":["
      "{\"id\":\"a\",\"platform\":\"gd\",\"pool\":\"w\",\"match\":"
      "{\"regions\":[\"44****\"],\"headers\":{\"x-channel\":[\"ap*\"]}}},"
      "{\"id\":\"b\",\"platform\":\"zj\",\"pool\":\"z\",\"match\":"
      "{\"regions\":[\"440000\"],\"headers\":{\"x-channel\":[\"APP\"]}}}]}",
      "/routes/1", "route \"b\" matches the same requests as \"a\"" }
};


static const char *const  good[] = {
    "{}",
    "{\"platforms\":[]}",
    R("\"paths\":[\"/44/\",\"/gd/\",\"=/gd\"]"),
    R("\"paths\":[\"/\xe5\x8a\x9e\xe4\xba\x8b\"]"),
    R("\"hosts\":[\"*.gd.gov.example\"]"),
    R(""),
    O(",\"method\":\"hash:$cookie_sid\""),
    O(",\"fallback\":[\"page:503\"]"),
    I(A),
    I(",\"address\":\"2001:db8::11\",\"port\":8443"),

    /* equal, but of one platform */

    "{" P "," W ",\"routes\":["
    "{\"id\":\"a\",\"platform\":\"gd\",\"pool\":\"w\",\"match\":"
    "{\"paths\":[\"/x\"]}},"
    "{\"id\":\"b\",\"platform\":\"gd\",\"pool\":\"w\",\"match\":"
    "{\"paths\":[\"/x\"]}}]}",

    /* equal, but told apart by priority */

    "{" P "," W ",\"routes\":["
    "{\"id\":\"a\",\"platform\":\"gd\",\"pool\":\"w\",\"priority\":1,"
    "\"match\":{\"paths\":[\"/x\"]}},"
    "{\"id\":\"b\",\"platform\":\"zj\",\"pool\":\"z\",\"match\":"
    "{\"paths\":[\"/x\"]}}]}",

    /* equal, but by predicates that exclude each other */

    "{" P "," W ",\"routes\":["
    "{\"id\":\"a\",\"platform\":\"gd\",\"pool\":\"w\","
    "\"match\":{\"paths\":[\"/x\"],\"methods\":[\"GET\"]}},"
    "{\"id\":\"b\",\"platform\":\"zj\",\"pool\":\"z\",\"match\":"
    "{\"paths\":[\"/x\"],\"methods\":[\"POST\"]}}]}",

    "{" P "," W ",\"routes\":["
    "{\"id\":\"a\",\"platform\":\"gd\",\"pool\":\"w\","
    "\"match\":{\"headers\":{\"x-a\":[\"1\",\"2*\"]}}},"
    "{\"id\":\"b\",\"platform\":\"zj\",\"pool\":\"z\",\"match\":"
    "{\"headers\":{\"x-a\":[\"3\"]}}}]}"
};


static const vector_t  bad_regions[] = {
    { "{}", "", "an object where an array of regions is expected" },
    { "[1]", "/0", "a number where an object is expected" },
    { "[{\"code\":\"4401\",\"name\":\"x\"}]", "/0/code",
      "invalid region \"4401\"" },
    { "[{\"code\":\"990100\",\"name\":\"x\"}]", "/0/code",
      "lies in no province" },
    { "[{\"code\":\"440100\"}]", "/0", "member \"name\" is missing" },
    { "[{\"code\":\"440000\",\"name\":\"x\"}]", "/0/code",
      "region \"440000\" is built in" },
    { "[{\"code\":\"440100\",\"name\":\"x\"},"
      "{\"code\":\"440100\",\"name\":\"y\"}]", "/1/code",
      "duplicate region \"440100\"" },
    { "[{\"code\":\"440100\",\"name\":\"x\",\"alias_of\":\"440200\"}]",
      "/0/alias_of", "region \"440200\" is not in the table" },
    { "[{\"code\":\"440100\",\"name\":\"x\",\"alias_of\":\"440100\"}]",
      "/0/alias_of", "names itself" },
    { "[{\"code\":\"440100\",\"alias_of\":\"440200\"},"
      "{\"code\":\"440200\",\"alias_of\":\"440000\"}]", "/0/alias_of",
      "is an alias itself; name \"440000\"" },
    { "[{\"code\":\"440101\",\"name\":\"x\"},"
      "{\"code\":\"440102\",\"name\":\"y\",\"parent\":\"440101\"}]",
      "/1/parent", "is a county" },
    { "[{\"code\":\"440100\",\"name\":\"x\",\"parent\":\"440200\"},"
      "{\"code\":\"440200\",\"name\":\"y\",\"parent\":\"440000\"}]",
      "/0/parent", "has a \"parent\" of its own" },
    { "[{\"code\":\"440100\",\"nam\":\"x\"}]", "/0/nam",
      "did you mean \"name\"?" }
};


static void
test_bad(const vector_t *v, int i, int regions)
{
    size_t             size;
    gs_rc_t            rc;
    gs_err_t           err;
    gs_str_t           text, empty;
    gs_route_table_t  *table;

    text = gs_str_text(v->text);
    empty = gs_str_text("{}");

    rc = regions
         ? gs_route_compile(&gs_mem_libc, &empty, &text, &table, &size, &err)
         : gs_route_compile(&gs_mem_libc, &text, NULL, &table, &size, &err);

    ok(rc == GS_ERROR && strstr(err.text, v->error) != NULL,
       "bad %s %d: %s", regions ? "regions" : "platforms", i, v->error);
    is_str(gs_str_text(err.pointer), v->pointer, "its pointer");

    if (rc != GS_ERROR || strstr(err.text, v->error) == NULL) {
        diag("%s", (rc == GS_ERROR) ? err.text : "accepted");
    }

    is_str(gs_str_text(err.file), regions ? "regions" : "platforms",
           "its file");

    if (rc == GS_OK) {
        gs_free(&gs_mem_libc, table);
    }
}


static void
test_line(void)
{
    size_t             size;
    gs_err_t           err;
    gs_str_t           text;
    gs_route_table_t  *table;

    text = gs_str_text("{\n  \"platforms\": [\n    {\"id\": \"gd\"},\n"
                       "    {\"id\": \"zj\",\n     \"region\": \"000000\"}\n"
                       "  ]\n}\n");

    is_int(gs_route_compile(&gs_mem_libc, &text, NULL, &table, &size, &err),
           GS_ERROR, "an error on the fifth line");
    is_int(err.line, 5, "is told");

    text = gs_str_text("{\n\n  \"platforms\": [,\n}\n");

    is_int(gs_route_compile(&gs_mem_libc, &text, NULL, &table, &size, &err),
           GS_ERROR, "a comma too many");
    is_int(err.line, 3, "has its line too");

    is_int(gs_route_compile(&gs_mem_libc, &text, NULL, &table, &size, NULL),
           GS_ERROR, "and err may be NULL");
}


static const char  full[] =
    "{\"tls_profiles\":[{\"id\":\"t\",\"ca\":\"ca.pem\",\"name\":\"n\","
    "\"cert\":\"c.pem\",\"key\":\"k.pem\",\"min\":\"1.3\"}],"
    "\"platforms\":[{\"id\":\"gd\",\"region\":\"440000\",\"name\":"
    "{\"zh\":\"\xe5\xb9\xbf\xe4\xb8\x9c\",\"en\":\"Guangdong\"},"
    "\"state\":\"maintenance\"}],"
    "\"pools\":[{\"id\":\"a\",\"platform\":\"gd\",\"method\":\"p2c\","
    "\"host\":\"gd.gov.example\",\"tls\":\"t\","
    "\"fallback\":[\"b\",\"page:503\"],"
    "\"timeouts\":{\"connect\":\"1s\",\"send\":\"2s\",\"read\":\"300ms\"},"
    "\"eject\":{\"fails\":5,\"time\":\"1m\",\"max\":50},\"panic\":20},"
    "{\"id\":\"b\",\"platform\":\"gd\",\"method\":\"hash:$cookie_sid\"}],"
    "\"instances\":[{\"id\":\"b1\",\"pool\":\"b\",\"address\":\"::1\","
    "\"port\":81,\"zone\":\"dc1\"},"
    "{\"id\":\"a1\",\"pool\":\"a\",\"address\":\"10.44.0.11\",\"port\":8443,"
    "\"weight\":10},"
    "{\"id\":\"a2\",\"pool\":\"a\",\"address\":\"10.44.0.12\",\"port\":8443,"
    "\"state\":\"drain\"}],"
    "\"routes\":[{\"id\":\"r\",\"platform\":\"gd\",\"pool\":\"a\","
    "\"priority\":7,\"match\":{\"hosts\":[\"gd.gov.example\",\"*.gd.gov"
    ".example\"],\"paths\":[\"/44/\",\"=/gd\"],\"regions\":[\"44****\"],"
    "\"items\":[\"11440100007482575H3440118009000\"],\"methods\":[\"GET\"],"
    "\"headers\":{\"x-channel\":[\"app\"],\"x-a\":[\"b*\"]},"
    "\"claims\":{\"user_region\":[\"44*\"]}}}]}";

static const char  full_regions[] =
    "[{\"code\":\"440100\",\"name\":\"x\"},{\"code\":\"440103\",\"name\":"
    "\"y\"},{\"code\":\"440182\",\"alias_of\":\"440103\"}]";


static void
test_records(const gs_route_table_t *t)
{
    gs_str_t                    id;
    const gs_route_tls_t       *tls;
    const gs_route_pool_t      *a, *b;
    const gs_route_fallback_t  *steps;
    const gs_route_instance_t  *inst;

    id = gs_str_text("a");
    a = gs_route_pool_find(t, &id);
    id = gs_str_text("b");
    b = gs_route_pool_find(t, &id);
    id = gs_str_text("c");

    ok(a != NULL && b != NULL, "pools by id");
    ok(gs_route_pool_find(t, &id) == NULL, "and none where there is none");
    ok(gs_route_pool(t, 0) == a && gs_route_pool(t, 1) == b
       && gs_route_pool(t, 2) == NULL, "pools by index");
    is_int(a->method, GS_ROUTE_P2C, "p2c");
    is_int(b->method, GS_ROUTE_HASH, "hash");
    is_str(gs_route_str(t, b->variable), "cookie_sid", "of a variable");
    is_str(gs_route_str(t, a->host), "gd.gov.example", "host");
    is_int((int64_t) a->connect_timeout, 1000, "connect");
    is_int((int64_t) a->send_timeout, 2000, "send");
    is_int((int64_t) a->read_timeout, 300, "read");
    is_int(a->eject_fails, 5, "eject.fails");
    is_int((int64_t) a->eject_time, 60000, "eject.time");
    is_int(a->eject_max, 50, "eject.max");
    is_int(a->panic, 20, "panic");
    is_int(b->eject_fails, 3, "default of eject.fails");
    is_int((int64_t) b->eject_time, 10000, "default of eject.time");
    is_int(b->eject_max, 34, "default of eject.max");
    is_int(b->panic, 50, "default of panic");
    is_int((int64_t) b->read_timeout, 0, "no timeout of its own");

    is_int(a->nfallback, 2, "two steps");
    steps = gs_route_fallback(t, a);
    is_int(steps[0].pool, 1, "pool b");
    is_int(steps[1].pool, GS_ROUTE_NONE, "then a page");
    is_int(steps[1].status, 503, "of 503");

    tls = gs_route_tls(t, a->tls);
    ok(tls != NULL && b->tls == GS_ROUTE_NONE, "TLS for one of them");
    is_int(tls->version, 0x0304, "TLS 1.3");
    is_str(gs_route_str(t, tls->ca), "ca.pem", "ca");
    ok(a->key != b->key, "identities differ");

    is_int(a->ninstances, 2, "two instances");
    is_int(gs_route_pool_enabled(t, a), 1, "one of them enabled");
    inst = gs_route_instance(t, a->instance);
    is_str(gs_route_str(t, inst->id), "a1", "a pool's stand together");
    is_str(gs_route_str(t, inst->name), "10.44.0.11:8443", "its name");
    is_int(inst->family, 4, "IPv4");
    is_mem(inst->addr, 4, "\x0a\x2c\x00\x0b", 4, "its address");
    is_int(inst->weight, 10, "its weight");
    inst = gs_route_instance(t, b->instance);
    is_str(gs_route_str(t, inst->name), "[::1]:81", "an IPv6 name");
    is_int(inst->family, 6, "IPv6");
    is_str(gs_route_str(t, inst->zone), "dc1", "its zone");
    is_int(gs_route_platform(t, 0)->state, GS_ROUTE_MAINTENANCE, "state");
    is_int(gs_route_platform(t, 0)->region, 440000, "region");
    ok(gs_route_platform(t, 1) == NULL, "one platform");
}


static void
test_full(void)
{
    char              *copy;
    size_t             size, size2;
    gs_err_t           err;
    gs_str_t           text, regions;
    gs_route_table_t  *table, *again;

    text = gs_str_text(full);
    regions = gs_str_text(full_regions);

    if (!ok(gs_route_compile(&gs_mem_libc, &text, &regions, &table, &size,
                             &err) == GS_OK, "a file with everything"))
    {
        diag("%s at %s", err.text, err.pointer);
        return;
    }

    test_records(table);

    copy = malloc(size + 8);

    if (copy == NULL) {
        return;
    }

    memcpy(copy, table, size);
    ok(gs_route_table(copy, size) != NULL, "a copy elsewhere is a table");
    ok(gs_route_table(copy, size - 1) == NULL, "a cut one is not");
    copy[size - 1] ^= 1;
    ok(gs_route_table(copy, size) == NULL, "an altered one is not");
    ok(gs_route_table_public(copy, size) != NULL, "but for its header");
    ok(gs_route_table_public(copy, size - 1) == NULL, "that tells its size");
    copy[size - 1] ^= 1;
    copy[4]++;
    ok(gs_route_table(copy, size) == NULL, "another version is not");
    ok(gs_route_table_public(copy, size) == NULL, "nor by its header");
    copy[4]--;
    copy[24] ^= 1;
    ok(gs_route_table(copy, size) == NULL, "an altered header is not");
    memmove(copy + 1, table, size);
    ok(gs_route_table(copy + 1, size) == NULL, "nor is one out of line");

    is_int(gs_route_compile(&gs_mem_libc, &text, &regions, &again, &size2,
                            &err), GS_OK, "compiled again");
    ok(size == size2 && memcmp(table, again, size) == 0,
       "it has the same bytes");

    free(copy);
    gs_free(&gs_mem_libc, table);
    gs_free(&gs_mem_libc, again);
}


static void
test_memory(void)
{
    int                failed;
    size_t             size;
    gs_rc_t            rc;
    gs_err_t           err;
    gs_mem_t          *mem;
    gs_str_t           text, regions;
    unsigned           n;
    gs_route_table_t  *table;

    text = gs_str_text(full);
    regions = gs_str_text(full_regions);
    failed = 0;

    for (n = 1; /* void */ ; n++) {
        mem = tap_mem_fail(n);
        rc = gs_route_compile(mem, &text, &regions, &table, &size, &err);

        if (!tap_mem_failed()) {
            break;
        }

        if (rc != GS_ERROR || strstr(err.text, "memory") == NULL
            || tap_mem_live() != 0)
        {
            failed = 1;
            diag("allocation %u: rc %d, %d blocks, %s", n, rc,
                 tap_mem_live(), err.text);
        }
    }

    ok(!failed && n > 2, "each of %u allocations may fail", n - 1);
    is_int(tap_mem_live(), 1, "only the table is kept");
    gs_free(mem, table);
}


static void
test_listed(void)
{
    size_t             size;
    gs_err_t           err;
    gs_str_t           text, regions;
    gs_route_table_t  *table;

    regions = gs_str_text(full_regions);
    text = gs_str_text(R("\"regions\":[\"440300\"]"));

    is_int(gs_route_compile(&gs_mem_libc, &text, &regions, &table, &size,
                            &err), GS_ERROR,
           "a prefecture that the list of its province leaves out");
    ok(strstr(err.text, "lists those below 440000 without it") != NULL,
       "is unknown");

    is_int(gs_route_compile(&gs_mem_libc, &text, NULL, &table, &size, &err),
           GS_OK, "without a list its province is enough");
    gs_free(&gs_mem_libc, table);

    text = gs_str_text(R("\"regions\":[\"330100\"]"));

    is_int(gs_route_compile(&gs_mem_libc, &text, &regions, &table, &size,
                            &err), GS_OK, "and of another province too");
    gs_free(&gs_mem_libc, table);
}


int
main(void)
{
    size_t             i, size;
    gs_err_t           err;
    gs_str_t           text;
    gs_route_table_t  *table;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_bad(&bad[i], (int) i, 0);
    }

    for (i = 0; i < sizeof(bad_regions) / sizeof(bad_regions[0]); i++) {
        test_bad(&bad_regions[i], (int) i, 1);
    }

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        text = gs_str_text(good[i]);

        if (ok(gs_route_compile(&gs_mem_libc, &text, NULL, &table, &size,
                                &err) == GS_OK, "good %d", (int) i))
        {
            ok(gs_route_table(table, size) == table, "is a table");
            gs_free(&gs_mem_libc, table);

        } else {
            diag("%s at %s", err.text, err.pointer);
        }
    }

    test_line();
    test_full();
    test_memory();
    test_listed();

    return done_testing();
}
