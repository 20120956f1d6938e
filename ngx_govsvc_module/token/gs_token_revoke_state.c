
/*
 * Copyright (C) govsvc authors
 *
 * The table of revocations as text, which survives a restart:
 *
 *     govsvc-revocations 2
 *     key <32 hexadecimal digits: the key of the hash>
 *     former <32 digits: that of some entries, if there are such>
 *     <32 digits: the hash> <kind> <until> <before> <revoked> <lifted>
 *     ...
 *     end <number of entries> <16 digits: SipHash of all before, key 0>
 *
 * The checksum finds damage, it is no protection against someone who can
 * write to the file.  No identifier can be read from it.
 */


#include "token/gs_token_revoke_priv.h"
#include "core/gs_buf.h"
#include "core/gs_hex.h"


#define GS_TOKEN_REVOKE_HEAD   "govsvc-revocations 2\n"
#define GS_TOKEN_REVOKE_FRAME  256         /* bytes of all but entries */


typedef struct {
    const gs_str_t  *text;
    size_t           pos;
    unsigned         line;
    gs_err_t        *err;
} gs_token_revoke_text_t;


static uint64_t gs_token_revoke_checksum(const void *data, size_t len);
static gs_rc_t gs_token_revoke_line(gs_token_revoke_text_t *in,
    gs_str_t *line);
static gs_rc_t gs_token_revoke_word(gs_str_t *line, gs_str_t *word);
static gs_rc_t gs_token_revoke_bad(gs_token_revoke_text_t *in,
    const char *what);
static gs_rc_t gs_token_revoke_read(gs_token_revoke_t *t,
    const gs_str_t *text, int64_t now, int merge, gs_err_t *err);
static gs_rc_t gs_token_revoke_head(gs_token_revoke_text_t *in,
    gs_siphash_key_t *key, gs_siphash_key_t *former);
static gs_rc_t gs_token_revoke_hex(gs_str_t *line, const char *name,
    gs_siphash_key_t *key);
static gs_rc_t gs_token_revoke_keys(gs_token_revoke_t *t,
    const gs_siphash_key_t *key, const gs_siphash_key_t *former,
    gs_err_t *err);
static int gs_token_revoke_is(const gs_siphash_key_t *key,
    const gs_siphash_key_t *other);
static gs_rc_t gs_token_revoke_entry(gs_token_revoke_t *t,
    gs_token_revoke_text_t *in, gs_str_t *line, int64_t now);
static gs_rc_t gs_token_revoke_foot(gs_token_revoke_text_t *in,
    gs_str_t *line, size_t start, uint64_t entries);


size_t
gs_token_revoke_dump_size(const gs_token_revoke_t *t, int64_t now)
{
    gs_token_revoke_stat_t  stat;

    gs_token_revoke_stat(t, now, &stat);

    return GS_TOKEN_REVOKE_FRAME
           + (size_t) (stat.live + stat.lifted) * GS_TOKEN_REVOKE_LINE;
}


size_t
gs_token_revoke_dump(const gs_token_revoke_t *t, int64_t now, void *dst,
    size_t size)
{
    char                    line[GS_TOKEN_REVOKE_LINE];
    gs_buf_t                b;
    uint64_t                n, sum, cursor;
    gs_token_revoke_item_t  item;

    gs_buf_init(&b, dst, size);

    gs_buf_text(&b, GS_TOKEN_REVOKE_HEAD "key ");
    gs_buf_hex(&b, &t->hdr->key, sizeof(t->hdr->key));
    gs_buf_char(&b, '\n');

    if (t->hdr->formers) {
        gs_buf_text(&b, "former ");
        gs_buf_hex(&b, &t->hdr->former, sizeof(t->hdr->former));
        gs_buf_char(&b, '\n');
    }

    n = 0;
    cursor = 0;

    while (gs_token_revoke_next(t, &cursor, t->hdr->slots, 1, 0, now, &item)
           == GS_OK)
    {
        gs_buf_put(&b, line, gs_token_revoke_print(&item, line));
        gs_buf_char(&b, '\n');
        n++;
    }

    if (b.overflow) {
        return 0;
    }

    sum = gs_token_revoke_checksum(b.start, gs_buf_len(&b));

    gs_buf_text(&b, "end ");
    gs_buf_u64(&b, n);
    gs_buf_char(&b, ' ');
    gs_buf_hex(&b, &sum, sizeof(sum));
    gs_buf_char(&b, '\n');

    return b.overflow ? 0 : gs_buf_len(&b);
}


static uint64_t
gs_token_revoke_checksum(const void *data, size_t len)
{
    gs_siphash_key_t  zero;

    memset(&zero, 0, sizeof(zero));

    return gs_siphash(&zero, data, len);
}


gs_rc_t
gs_token_revoke_load(gs_token_revoke_t *t, const gs_str_t *text, int64_t now,
    gs_err_t *err)
{
    return gs_token_revoke_read(t, text, now, 0, err);
}


gs_rc_t
gs_token_revoke_load_more(gs_token_revoke_t *t, const gs_str_t *text,
    int64_t now, gs_err_t *err)
{
    return gs_token_revoke_read(t, text, now, 1, err);
}


static gs_rc_t
gs_token_revoke_read(gs_token_revoke_t *t, const gs_str_t *text, int64_t now,
    int merge, gs_err_t *err)
{
    size_t                  start;
    uint64_t                n;
    gs_str_t                line;
    gs_siphash_key_t        key, former;
    gs_token_revoke_text_t  in;

    in.text = text;
    in.pos = 0;
    in.line = 0;
    in.err = err;

    if (gs_token_revoke_head(&in, &key, &former) != GS_OK) {
        return GS_ERROR;
    }

    if (merge) {
        if (!gs_token_revoke_is(&key, &t->hdr->key)
            || !gs_token_revoke_is(&former, &t->hdr->former))
        {
            return GS_DECLINED;
        }

    } else if (gs_token_revoke_keys(t, &key, &former, err) != GS_OK) {
        return GS_ERROR;
    }

    for (n = 0; ; n++) {
        start = in.pos;

        if (gs_token_revoke_line(&in, &line) != GS_OK) {
            return gs_token_revoke_bad(&in, "it has no end");
        }

        if (line.len >= 4 && memcmp(line.data, "end ", 4) == 0) {

            /* a former secret without entries is forgotten */

            if (n == 0 && !merge) {
                memset(&t->hdr->former, 0, sizeof(gs_siphash_key_t));
                t->hdr->formers = 0;
            }

            return gs_token_revoke_foot(&in, &line, start, n);
        }

        if (gs_token_revoke_entry(t, &in, &line, now) != GS_OK) {
            return GS_ERROR;
        }
    }
}


static gs_rc_t
gs_token_revoke_head(gs_token_revoke_text_t *in, gs_siphash_key_t *key,
    gs_siphash_key_t *former)
{
    size_t    pos;
    gs_str_t  line;

    if (gs_token_revoke_line(in, &line) != GS_OK
        || !gs_str_eq_text(&line, "govsvc-revocations 2"))
    {
        return gs_token_revoke_bad(in, "it does not begin with "
                                   "\"govsvc-revocations 2\"");
    }

    if (gs_token_revoke_line(in, &line) != GS_OK
        || gs_token_revoke_hex(&line, "key", key) != GS_OK)
    {
        return gs_token_revoke_bad(in, "it has no key");
    }

    pos = in->pos;

    if (gs_token_revoke_line(in, &line) != GS_OK
        || gs_token_revoke_hex(&line, "former", former) != GS_OK)
    {
        memset(former, 0, sizeof(gs_siphash_key_t));
        in->pos = pos;
        in->line--;
    }

    return GS_OK;
}


static gs_rc_t
gs_token_revoke_hex(gs_str_t *line, const char *name, gs_siphash_key_t *key)
{
    gs_str_t  word;

    return (gs_token_revoke_word(line, &word) == GS_OK
            && gs_str_eq_text(&word, name)
            && line->len == 2 * sizeof(gs_siphash_key_t)
            && gs_hex_decode((gs_uchar_t *) key, line) == GS_OK)
           ? GS_OK : GS_ERROR;
}


/*
 * A table with the key of all nodes keeps it, and what was revoked under
 * another one is looked for under that.
 */

static gs_rc_t
gs_token_revoke_keys(gs_token_revoke_t *t, const gs_siphash_key_t *key,
    const gs_siphash_key_t *former, gs_err_t *err)
{
    gs_siphash_key_t  none;

    memset(&none, 0, sizeof(none));

    if (!t->hdr->shared) {
        t->hdr->key = *key;

    } else if (!gs_token_revoke_is(key, &t->hdr->key)) {

        if (!gs_token_revoke_is(former, &none)
            && !gs_token_revoke_is(former, &t->hdr->key))
        {
            if (err != NULL) {
                err->line = 3;
            }

            return gs_err(err, "the state of revocations has entries under "
                          "two secrets before this one");
        }

        former = key;
    }

    t->hdr->former = *former;
    t->hdr->formers = !gs_token_revoke_is(former, &none);

    return GS_OK;
}


static int
gs_token_revoke_is(const gs_siphash_key_t *key, const gs_siphash_key_t *other)
{
    return gs_ct_eq(key, other, sizeof(gs_siphash_key_t));
}


static gs_rc_t
gs_token_revoke_entry(gs_token_revoke_t *t, gs_token_revoke_text_t *in,
    gs_str_t *line, int64_t now)
{
    gs_token_revoke_item_t  item, is;

    if (gs_token_revoke_parse(line, &item) != GS_OK) {
        return gs_token_revoke_bad(in, "this is no entry");
    }

    if (gs_token_revoke_merge(t, &item, now, &is) == GS_BUSY) {
        return gs_token_revoke_bad(in, "the zone is too small for it");
    }

    return GS_OK;
}


static gs_rc_t
gs_token_revoke_foot(gs_token_revoke_text_t *in, gs_str_t *line, size_t start,
    uint64_t entries)
{
    gs_str_t  word;
    uint64_t  n, sum;

    if (gs_token_revoke_word(line, &word) != GS_OK
        || gs_token_revoke_word(line, &word) != GS_OK
        || gs_parse_u64(&word, &n) != GS_OK || n != entries)
    {
        return gs_token_revoke_bad(in, "the number of entries differs");
    }

    if (line->len != 2 * sizeof(sum)
        || gs_hex_decode((gs_uchar_t *) &sum, line) != GS_OK
        || sum != gs_token_revoke_checksum(in->text->data, start))
    {
        return gs_token_revoke_bad(in, "the checksum differs");
    }

    return in->pos == in->text->len
           ? GS_OK : gs_token_revoke_bad(in, "something stands behind its "
                                         "end");
}


/* The next line, which must have an end. */

static gs_rc_t
gs_token_revoke_line(gs_token_revoke_text_t *in, gs_str_t *line)
{
    size_t  end;

    in->line++;
    end = gs_str_chr(in->text, in->pos, '\n');

    if (end >= in->text->len) {
        return GS_ERROR;
    }

    *line = gs_str_make(in->text->data + in->pos, end - in->pos);
    in->pos = end + 1;

    return GS_OK;
}


/* The word before the next blank; line keeps what is behind it. */

static gs_rc_t
gs_token_revoke_word(gs_str_t *line, gs_str_t *word)
{
    size_t  end;

    end = gs_str_chr(line, 0, ' ');

    if (end >= line->len) {
        return GS_ERROR;
    }

    *word = gs_str_make(line->data, end);
    *line = gs_str_make(line->data + end + 1, line->len - end - 1);

    return GS_OK;
}


static gs_rc_t
gs_token_revoke_bad(gs_token_revoke_text_t *in, const char *what)
{
    if (in->err != NULL) {
        in->err->line = in->line;
    }

    return gs_err(in->err, "the state of revocations is damaged: %s", what);
}
