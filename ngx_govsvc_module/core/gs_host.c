
/*
 * Copyright (C) govsvc authors
 *
 * Names of hosts.
 */


#include "core/gs_host.h"

#include <string.h>


static const char *gs_host_label(const gs_str_t *label);
static unsigned gs_host_number(const gs_str_t *label);
static unsigned gs_host_dashed(const gs_str_t *label);
static unsigned gs_host_special(const gs_str_t *last);


/* The ends of names that are no host of the network. */

static const char *const  gs_host_specials[] = {
    "localhost", "localdomain", "local", "internal", "invalid", "onion",
    "alt", "arpa", NULL
};


const char *
gs_host_name(const gs_str_t *name)
{
    size_t       at, end, labels, numbers;
    gs_str_t     label;
    const char  *why;

    if (name->len == 0) {
        return "is empty";
    }

    if (name->len > GS_HOST_LEN) {
        return "is longer than 253 bytes";
    }

    if (name->data[name->len - 1] == '.') {
        return "ends in a dot";
    }

    labels = 0;
    numbers = 0;

    for (at = 0; at < name->len; at = end + 1) {

        end = gs_str_chr(name, at, '.');
        label = gs_str_make(name->data + at, end - at);
        why = gs_host_label(&label);

        if (why != NULL) {
            return why;
        }

        labels++;
        numbers = gs_host_number(&label) ? numbers + 1 : 0;

        if (numbers == 4 || gs_host_dashed(&label)) {
            return "has an address in it";
        }
    }

    if (numbers != 0) {
        return "ends in a number";
    }

    if (labels < 2) {
        return "has one label only";
    }

    return gs_host_special(&label) ? "is no name of the network" : NULL;
}


/* RFC 1123 section 2.1, RFC 5891 section 4.2.3.1 */

static const char *
gs_host_label(const gs_str_t *label)
{
    size_t      i;
    gs_uchar_t  c;

    if (label->len == 0) {
        return "has an empty label";
    }

    if (label->len > GS_HOST_LABEL) {
        return "has a label longer than 63 bytes";
    }

    for (i = 0; i < label->len; i++) {
        c = label->data[i];

        if (c >= 'A' && c <= 'Z') {
            return "has upper case letters";
        }

        if (c >= 0x80) {
            return "is not in its ASCII form (xn--)";
        }

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return "has other bytes than letters, digits, \"-\" and \".\"";
        }
    }

    if (label->data[0] == '-' || label->data[label->len - 1] == '-') {
        return "has a label that begins or ends with \"-\"";
    }

    if (label->len >= 4 && label->data[2] == '-' && label->data[3] == '-'
        && (memcmp(label->data, "xn", 2) != 0 || label->len == 4))
    {
        return "has a label that is reserved (RFC 5890)";
    }

    return NULL;
}


/* What inet_aton() takes for a part of an address: 127, 0177, 0x7f. */

static unsigned
gs_host_number(const gs_str_t *label)
{
    size_t      i;
    unsigned    hex;
    gs_uchar_t  c;

    hex = (label->len >= 2 && label->data[0] == '0' && label->data[1] == 'x');

    for (i = hex ? 2 : 0; i < label->len; i++) {
        c = label->data[i];

        if (!((c >= '0' && c <= '9') || (hex && c >= 'a' && c <= 'f'))) {
            return 0;
        }
    }

    return 1;
}


/* 10-44-0-1: the services that answer with the address in the name. */

static unsigned
gs_host_dashed(const gs_str_t *label)
{
    size_t      i;
    unsigned    run;
    gs_uchar_t  c;

    run = 0;

    for (i = 0; i < label->len; i++) {
        c = label->data[i];

        if (c == '-') {
            run++;

        } else if (c < '0' || c > '9') {
            run = 0;

            while (i < label->len && label->data[i] != '-') {
                i++;
            }

        } else if (run == 3) {
            return 1;
        }
    }

    return 0;
}


static unsigned
gs_host_special(const gs_str_t *last)
{
    const char *const  *special;

    for (special = gs_host_specials; *special != NULL; special++) {
        if (gs_str_eq_text(last, *special)) {
            return 1;
        }
    }

    return 0;
}


const char *
gs_host_suffix(const gs_str_t *suffix)
{
    gs_str_t  s;

    s = *suffix;

    if (s.len != 0 && s.data[0] == '.') {
        s = gs_str_make(s.data + 1, s.len - 1);
    }

    return gs_host_name(&s);
}


unsigned
gs_host_under(const gs_str_t *name, const gs_str_t *suffix)
{
    gs_str_t  s, tail;

    s = *suffix;

    if (s.len != 0 && s.data[0] == '.') {
        s = gs_str_make(s.data + 1, s.len - 1);
    }

    if (s.len == 0 || name->len < s.len) {
        return 0;
    }

    tail = gs_str_make(name->data + name->len - s.len, s.len);

    return gs_str_eq(&tail, &s)
           && (name->len == s.len || tail.data[-1] == '.');
}


unsigned
gs_host_split(const gs_str_t *text, gs_str_t *name, unsigned *port)
{
    size_t    at;
    uint64_t  value;
    gs_str_t  s;

    at = gs_str_chr(text, 0, ':');
    *name = gs_str_make(text->data, at);
    *port = 0;

    if (at == text->len) {
        return 1;
    }

    s = gs_str_make(text->data + at + 1, text->len - at - 1);

    if (s.len == 0 || s.len > 5 || s.data[0] == '0'
        || gs_parse_u64(&s, &value) != GS_OK || value > 65535)
    {
        return 0;
    }

    *port = (unsigned) value;

    return 1;
}
