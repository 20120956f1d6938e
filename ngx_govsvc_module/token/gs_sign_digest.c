
/*
 * Copyright (C) govsvc authors
 *
 * Content-Digest (RFC 9530): a dictionary of algorithms and digests.  sm3 is
 * not registered; it is written as the others are.
 */


#include "token/gs_sign_priv.h"
#include "token/gs_sign_sf.h"

#include "core/gs_b64.h"


static const struct {
    const char        *name;
    gs_sign_digest_e   alg;
    size_t             len;
} gs_sign_digests[] = {
    { "sha-512", GS_SIGN_DIGEST_SHA512, 64 },
    { "sha-256", GS_SIGN_DIGEST_SHA256, 32 },
    { "sm3", GS_SIGN_DIGEST_SM3, 32 },
    { NULL, GS_SIGN_DIGEST_NONE, 0 }
};


gs_rc_t
gs_sign_content_digest(const gs_str_t *value, gs_sign_digest_t *digest)
{
    size_t             len;
    gs_rc_t            rc;
    unsigned           i, best;
    gs_str_t           key;
    gs_uchar_t         data[GS_SIGN_MAX_SIG];
    gs_sign_sf_t       sf;
    gs_sign_sf_item_t  item, param;

    best = 3;
    gs_sign_sf_init(&sf, value);

    do {
        if (gs_sign_sf_key(&sf, &key) != GS_OK
            || !gs_sign_sf_take(&sf, '=')
            || gs_sign_sf_item(&sf, &item) != GS_OK
            || item.type != GS_SIGN_SF_BYTES
            || item.text.len > sizeof(data)
            || gs_b64_decode(data, &len, &item.text) != GS_OK)
        {
            return GS_ERROR;
        }

        for (i = 0; gs_sign_digests[i].name != NULL; i++) {
            if (gs_str_eq_text(&key, gs_sign_digests[i].name)) {
                break;
            }
        }

        if (i == best && i != 3) {
            return GS_ERROR;
        }

        if (i < best) {
            if (len != gs_sign_digests[i].len) {
                return GS_ERROR;
            }

            best = i;
            digest->alg = gs_sign_digests[i].alg;
            digest->len = len;
            memcpy(digest->data, data, len);
        }

        do {
            rc = gs_sign_sf_param(&sf, &key, &param);
        } while (rc == GS_OK);

        if (rc == GS_ERROR) {
            return GS_ERROR;
        }

        rc = gs_sign_sf_next(&sf);

    } while (rc == GS_OK);

    if (rc == GS_ERROR) {
        return GS_ERROR;
    }

    return best == 3 ? GS_DECLINED : GS_OK;
}


void
gs_sign_content_digest_put(gs_buf_t *b, const gs_sign_digest_t *digest)
{
    size_t      len;
    gs_uchar_t  text[96];

    len = gs_b64_encode(text, digest->data, digest->len);

    gs_buf_text(b, gs_sign_digest_name(digest->alg));
    gs_buf_text(b, "=:");
    gs_buf_put(b, text, len);
    gs_buf_char(b, ':');
}


const char *
gs_sign_digest_name(gs_sign_digest_e alg)
{
    unsigned  i;

    for (i = 0; gs_sign_digests[i].name != NULL; i++) {
        if (gs_sign_digests[i].alg == alg) {
            return gs_sign_digests[i].name;
        }
    }

    return "none";
}
