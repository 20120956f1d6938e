
/*
 * Copyright (C) govsvc authors
 *
 * Tests for counters, their names and their text.
 */


#include <stdio.h>

#include "core/gs_metric.h"
#include "tap.h"


static void test_names(void);
static void test_dead(void);
static void test_histogram(void);
static void test_text(void);


int
main(void)
{
    test_names();
    test_dead();
    test_histogram();
    test_text();

    return done_testing();
}


static void
test_names(void)
{
    char                      text[80];
    unsigned                  i, k, place, places[GS_METRIC_NAMES];
    gs_str_t                  s;
    static gs_metric_names_t  names;

    s = gs_str_make("", 0);
    is_int(gs_metric_place(&names, &s), GS_METRIC_NONE, "no name");

    memset(text, 'a', sizeof(text));
    s = gs_str_make(text, GS_METRIC_NAME + 1);
    is_int(gs_metric_place(&names, &s), GS_METRIC_OTHER, "too long");

    for (i = 0; i < GS_METRIC_NAMES; i++) {
        snprintf(text, sizeof(text), "platform-%u", i);
        s = gs_str_text(text);
        places[i] = gs_metric_place(&names, &s);

        for (k = 0; k < i; k++) {
            if (places[k] == places[i]) {
                break;
            }
        }

        if (k < i || places[i] < 2 || places[i] >= GS_METRIC_PLACES) {
            ok(0, "name %u has a place of its own", i);
        }
    }

    for (i = 0; i < GS_METRIC_NAMES; i++) {
        snprintf(text, sizeof(text), "platform-%u", i);
        s = gs_str_text(text);
        place = gs_metric_place(&names, &s);

        if (place != places[i]) {
            ok(0, "name %u is found again", i);
        }

        s = gs_metric_name(&names, place);
        is_str(s, text, "name of place %u", place);
    }

    s = gs_str_text("one-too-many");
    is_int(gs_metric_place(&names, &s), GS_METRIC_OTHER, "all are taken");
    is_str(gs_metric_name(&names, GS_METRIC_OTHER), "_other", "other");
    is_str(gs_metric_name(&names, GS_METRIC_NONE), "_none", "none");
    is_str(gs_metric_name(&names, 4000), "_other", "beyond the end");
}


/* A process took a place and died before it wrote the name. */

static void
test_dead(void)
{
    unsigned           place;
    gs_str_t           s;
    gs_metric_names_t  names;

    memset(&names, 0, sizeof(names));

    s = gs_str_text("gd");
    place = gs_metric_place(&names, &s);

    names.lens[place - 2] = 0;
    memset(names.texts[place - 2], 'x', 2);
    is_str(gs_metric_name(&names, place), "", "no name yet");

    is_int(gs_metric_place(&names, &s), place, "the same place");
    is_str(gs_metric_name(&names, place), "gd", "the next writes it");
}


static void
test_histogram(void)
{
    unsigned               i;
    gs_metric_histogram_t  h;

    memset(&h, 0, sizeof(h));

    for (i = 0; i < GS_METRIC_BOUNDS; i++) {
        gs_metric_observe(&h, gs_metric_bounds[i]);
        gs_metric_observe(&h, gs_metric_bounds[i] + 1);
    }

    is_int((int64_t) h.buckets[0], 1, "a bound belongs to its bucket");
    is_int((int64_t) h.buckets[1], 2, "what is above to the next");
    is_int((int64_t) h.buckets[GS_METRIC_BOUNDS], 1, "the last is open");

    gs_metric_observe(&h, 0);
    is_int((int64_t) h.buckets[0], 2, "no time at all");
}


static void
test_text(void)
{
    char                   text[4096];
    gs_buf_t               b;
    gs_metric_label_t      labels[2];
    gs_metric_histogram_t  h;

    gs_buf_init(&b, text, sizeof(text));
    gs_metric_head(&b, "a_total", "counter", "What it is.");
    is_str(gs_buf_view(&b),
           "# HELP a_total What it is.\n# TYPE a_total counter\n", "head");

    labels[0].name = "x";
    labels[0].value = gs_str_text("a\"b\\c\nd");
    labels[1].name = "y";
    labels[1].value = gs_str_text("");

    gs_buf_init(&b, text, sizeof(text));
    gs_metric_line(&b, "a", "_total", labels, 2, 18446744073709551615u);
    is_str(gs_buf_view(&b), "a_total{x=\"a\\\"b\\\\c\\nd\",y=\"\"} "
           "18446744073709551615\n", "labels are escaped");

    labels[0].value = gs_str_text("\xe6\x94\xbf" "a\xff\xe6\x94");
    gs_buf_init(&b, text, sizeof(text));
    gs_metric_line(&b, "a", "", labels, 1, 1);
    is_str(gs_buf_view(&b),
           "a{x=\"\xe6\x94\xbf" "a\\\\xff\\\\xe6\\\\x94\"} 1\n",
           "what is no UTF-8 is told");

    gs_buf_init(&b, text, sizeof(text));
    gs_metric_line_us(&b, "a", "", NULL, 0, 12000034);
    is_str(gs_buf_view(&b), "a 12.000034\n", "a time");

    memset(&h, 0, sizeof(h));
    gs_metric_observe(&h, 7000);
    gs_metric_observe(&h, 20000000);

    gs_buf_init(&b, text, sizeof(text));
    gs_metric_histogram(&b, "s", NULL, &h);
    is_str(gs_buf_view(&b),
           "s_bucket{le=\"0.005\"} 0\ns_bucket{le=\"0.01\"} 1\n"
           "s_bucket{le=\"0.025\"} 1\ns_bucket{le=\"0.05\"} 1\n"
           "s_bucket{le=\"0.075\"} 1\ns_bucket{le=\"0.1\"} 1\n"
           "s_bucket{le=\"0.25\"} 1\ns_bucket{le=\"0.5\"} 1\n"
           "s_bucket{le=\"0.75\"} 1\ns_bucket{le=\"1\"} 1\n"
           "s_bucket{le=\"2.5\"} 1\ns_bucket{le=\"5\"} 1\n"
           "s_bucket{le=\"7.5\"} 1\ns_bucket{le=\"10\"} 1\n"
           "s_bucket{le=\"+Inf\"} 2\ns_sum 20.007000\ns_count 2\n",
           "fourteen bounds and the rest");
}
