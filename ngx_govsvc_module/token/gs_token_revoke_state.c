
/*
 * Copyright (C) govsvc authors
 *
 * The table of revocations as text, which survives a restart:
 *
 *     govsvc-revocations 1
 *     key <32 hexadecimal digits: the key of the hash>
 *     <32 digits: the hash> <until> <before>
 *     ...
 *     end <number of entries> <16 digits: SipHash of all before, key 0>
 *
 * The checksum finds damage, it is no protection against someone who can
 * write to the file.  No identifier can be read from it.
 */


#include "token/gs_token_revoke_priv.h"
#include "core/gs_buf.h"
#include "core/gs_hex.h"


#define GS_TOKEN_REVOKE_HEAD   "govsvc-revocations 1\n"
#define GS_TOKEN_REVOKE_FRAME  256         /* bytes of all but entries */
#define GS_TOKEN_REVOKE_LINE   80          /* bytes of an entry at most */


typedef struct {
    const gs_str_t  *text;
    size_t           pos;
    unsigned         line;
    gs_err_t        *err;
} gs_token_revoke_text_t;


static int gs_token_revoke_copy(const gs_token_revoke_entry_t *e,
    int64_t now, gs_token_revoke_entry_t *copy);
static uint64_t gs_token_revoke_sum(const void *data, size_t len);
static gs_rc_t gs_token_revoke_line(gs_token_revoke_text_t *in,
    gs_str_t *line);
static gs_rc_t gs_token_revoke_word(gs_str_t *line, gs_str_t *word);
static gs_rc_t gs_token_revoke_bad(gs_token_revoke_text_t *in,
    const char *what);
static gs_rc_t gs_token_revoke_read(gs_token_revoke_t *t,
    const gs_str_t *text, int64_t now, int merge, gs_err_t *err);
static gs_rc_t gs_token_revoke_head(gs_token_revoke_text_t *in,
    gs_siphash_key_t *key);
static gs_rc_t gs_token_revoke_entry(gs_token_revoke_t *t,
    gs_token_revoke_text_t *in, gs_str_t *line, int64_t now);
static gs_rc_t gs_token_revoke_end(gs_token_revoke_text_t *in,
    gs_str_t *line, size_t start, uint64_t entries);


size_t
gs_token_revoke_dump_size(const gs_token_revoke_t *t, int64_t now)
{
    gs_token_revoke_stat_t  stat;

    gs_token_revoke_stat(t, now, &stat);

    return GS_TOKEN_REVOKE_FRAME + (size_t) stat.live * GS_TOKEN_REVOKE_LINE;
}


size_t
gs_token_revoke_dump(const gs_token_revoke_t *t, int64_t now, void *dst,
    size_t size)
{
    uint64_t                  i, n, sum;
    gs_buf_t                  b;
    gs_token_revoke_entry_t  *e = t->entries;
    gs_token_revoke_entry_t   copy;

    gs_buf_init(&b, dst, size);

    gs_buf_text(&b, GS_TOKEN_REVOKE_HEAD "key ");
    gs_buf_hex(&b, &t->hdr->key, sizeof(t->hdr->key));
    gs_buf_char(&b, '\n');

    n = 0;

    for (i = 0; i < t->hdr->slots; i++) {

        if (!gs_token_revoke_copy(&e[i], now, &copy)) {
            continue;
        }

        gs_buf_hex(&b, copy.hash, sizeof(copy.hash));
        gs_buf_char(&b, ' ');
        gs_buf_i64(&b, copy.until);
        gs_buf_char(&b, ' ');
        gs_buf_i64(&b, copy.before);
        gs_buf_char(&b, '\n');

        n++;
    }

    if (b.overflow) {
        return 0;
    }

    sum = gs_token_revoke_sum(b.start, gs_buf_len(&b));

    gs_buf_text(&b, "end ");
    gs_buf_u64(&b, n);
    gs_buf_char(&b, ' ');
    gs_buf_hex(&b, &sum, sizeof(sum));
    gs_buf_char(&b, '\n');

    return b.overflow ? 0 : gs_buf_len(&b);
}


/* The entry if it is alive; what makes it valid is read first. */

static int
gs_token_revoke_copy(const gs_token_revoke_entry_t *e, int64_t now,
    gs_token_revoke_entry_t *copy)
{
    copy->until = __atomic_load_n(&e->until, __ATOMIC_ACQUIRE);

    if (copy->until <= now) {
        return 0;
    }

    copy->hash[0] = e->hash[0];
    copy->hash[1] = e->hash[1];
    copy->before = __atomic_load_n(&e->before, __ATOMIC_ACQUIRE);

    return 1;
}


static uint64_t
gs_token_revoke_sum(const void *data, size_t len)
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
gs_token_revoke_merge(gs_token_revoke_t *t, const gs_str_t *text, int64_t now,
    gs_err_t *err)
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
    gs_siphash_key_t        key;
    gs_token_revoke_text_t  in;

    in.text = text;
    in.pos = 0;
    in.line = 0;
    in.err = err;

    if (gs_token_revoke_head(&in, &key) != GS_OK) {
        return GS_ERROR;
    }

    if (merge && memcmp(&key, &t->hdr->key, sizeof(key)) != 0) {
        return GS_DECLINED;
    }

    t->hdr->key = key;

    for (n = 0; ; n++) {
        start = in.pos;

        if (gs_token_revoke_line(&in, &line) != GS_OK) {
            return gs_token_revoke_bad(&in, "it has no end");
        }

        if (line.len >= 4 && memcmp(line.data, "end ", 4) == 0) {
            return gs_token_revoke_end(&in, &line, start, n);
        }

        if (gs_token_revoke_entry(t, &in, &line, now) != GS_OK) {
            return GS_ERROR;
        }
    }
}


static gs_rc_t
gs_token_revoke_head(gs_token_revoke_text_t *in, gs_siphash_key_t *key)
{
    gs_str_t  line, word;

    if (gs_token_revoke_line(in, &line) != GS_OK
        || !gs_str_eq_text(&line, "govsvc-revocations 1"))
    {
        return gs_token_revoke_bad(in, "it does not begin with "
                                   "\"govsvc-revocations 1\"");
    }

    if (gs_token_revoke_line(in, &line) != GS_OK
        || gs_token_revoke_word(&line, &word) != GS_OK
        || !gs_str_eq_text(&word, "key")
        || line.len != 2 * sizeof(gs_siphash_key_t)
        || gs_hex_decode((gs_uchar_t *) key, &line) != GS_OK)
    {
        return gs_token_revoke_bad(in, "it has no key");
    }

    return GS_OK;
}


static gs_rc_t
gs_token_revoke_entry(gs_token_revoke_t *t, gs_token_revoke_text_t *in,
    gs_str_t *line, int64_t now)
{
    gs_str_t  word;
    uint64_t  hash[2], until, before;

    if (gs_token_revoke_word(line, &word) != GS_OK
        || word.len != 2 * sizeof(hash)
        || gs_hex_decode((gs_uchar_t *) hash, &word) != GS_OK
        || gs_token_revoke_word(line, &word) != GS_OK
        || gs_parse_u64(&word, &until) != GS_OK
        || gs_parse_u64(line, &before) != GS_OK
        || until > GS_TOKEN_REVOKE_NEVER || before > GS_TOKEN_MAX_TIME)
    {
        return gs_token_revoke_bad(in, "this is no entry");
    }

    if ((int64_t) until <= now) {
        return GS_OK;
    }

    if (gs_token_revoke_put(t, hash, (int64_t) before, (int64_t) until, now)
        != GS_OK)
    {
        return gs_token_revoke_bad(in, "the zone is too small for it");
    }

    return GS_OK;
}


static gs_rc_t
gs_token_revoke_end(gs_token_revoke_text_t *in, gs_str_t *line, size_t start,
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
        || sum != gs_token_revoke_sum(in->text->data, start))
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
