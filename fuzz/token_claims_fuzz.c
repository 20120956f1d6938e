
/*
 * Copyright (C) govsvc authors
 *
 * The payload of a token.  What our reader takes, jansson takes too, and
 * reads the same; the packed form gives back what went in.
 */


#include <stdlib.h>

#include <jansson.h>

#include "token/gs_token_claim.h"


#define FUZZ_MAX  6144


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void compare(const gs_token_node_t *node, json_t *value);


static gs_token_node_t  nodes[GS_TOKEN_JSON_NODES];
static gs_uchar_t       packed_room[2 * FUZZ_MAX];


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             pos, n;
    json_t            *value;
    int64_t            date;
    gs_buf_t           b;
    gs_str_t           packed, name;
    gs_uchar_t        *text;
    gs_token_json_t    doc;
    gs_token_claim_t   claim;

    if (size > FUZZ_MAX || size == 0) {
        return 0;
    }

    text = malloc(size);

    if (text == NULL) {
        return 0;
    }

    memcpy(text, data, size);

    doc.nodes = nodes;
    doc.max = GS_TOKEN_JSON_NODES;

    if (gs_token_json_parse(&doc, text, size) != GS_OK) {
        free(text);
        return 0;
    }

    /* jansson has no number beyond its types; those we leave to claims */

    value = json_loadb((const char *) data, size,
                       JSON_REJECT_DUPLICATES|JSON_DECODE_INT_AS_REAL, NULL);

    if (value != NULL) {
        compare(&nodes[0], value);
        json_decref(value);
    }

    for (n = 0; n < doc.used; n++) {
        if (gs_token_claim_date(&nodes[n], &date) == GS_OK
            && (date < 0 || date > 253402300799))
        {
            abort();
        }

        name = gs_str_text("portal");
        (void) gs_token_claim_audience(&nodes[n], &name, 1);
    }

    gs_buf_init(&b, packed_room, sizeof(packed_room));
    gs_token_claim_pack(&b, &nodes[0]);

    if (!b.overflow) {
        packed = gs_buf_view(&b);
        pos = 0;

        while (gs_token_claim_next(&packed, &pos, &claim) == GS_OK) {
            if (gs_token_json_path(&nodes[0], &claim.name) == NULL) {
                abort();
            }

            if (!(claim.flags & GS_TOKEN_CLAIM_NONE)
                && !gs_token_claim_has(&packed, &claim.name, &claim.value))
            {
                abort();
            }
        }

        if (pos != packed.len) {
            abort();
        }
    }

    free(text);

    return 0;
}


static void
compare(const gs_token_node_t *node, json_t *value)
{
    size_t                  n;
    json_t                 *item;
    const gs_token_node_t  *child;

    switch (node->type) {

    case GS_TOKEN_JSON_STRING:
        if (!json_is_string(value)
            || json_string_length(value) != node->value.len
            || memcmp(json_string_value(value), node->value.data,
                      node->value.len)
               != 0)
        {
            abort();
        }

        break;

    case GS_TOKEN_JSON_NUMBER:
        if (!json_is_number(value)) {
            abort();
        }

        break;

    case GS_TOKEN_JSON_OBJECT:
    case GS_TOKEN_JSON_ARRAY:
        n = 0;

        for (child = node->child; child != NULL; child = child->next) {

            if (node->type == GS_TOKEN_JSON_ARRAY) {
                item = json_array_get(value, n);

            } else {
                item = json_object_getn(value, (const char *) child->key.data,
                                        child->key.len);
            }

            if (item == NULL) {
                abort();
            }

            compare(child, item);
            n++;
        }

        if (n != (json_is_array(value) ? json_array_size(value)
                                       : json_object_size(value)))
        {
            abort();
        }

        break;

    default:
        if ((node->type == GS_TOKEN_JSON_TRUE) != json_is_true(value)
            || (node->type == GS_TOKEN_JSON_FALSE) != json_is_false(value)
            || (node->type == GS_TOKEN_JSON_NULL) != json_is_null(value))
        {
            abort();
        }
    }
}
