
/*
 * Copyright (C) govsvc authors
 *
 * Signed checkpoints.  The note with the key "PeterNeumann" is the example of
 * golang.org/x/mod/sumdb/note, whose form C2SP signed-note describes.
 */


#include "audit/gs_audit_note.h"
#include "tap.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>


static void test_published(void);
static void test_round(const char *kind);
static void test_witness(void);
static void test_parse(void);
static void test_bad_keys(void);
static void test_split(void);
static gs_str_t make_pem(const char *kind, char *pem, size_t size);


int
main(void)
{
    test_published();
    test_round("ED25519");
    test_round("SM2");
    test_witness();
    test_parse();
    test_bad_keys();
    test_split();

    return done_testing();
}


static void
test_published(void)
{
    char                note[1024];
    gs_buf_t            b;
    gs_str_t            text, s;
    gs_audit_key_t      key;
    static const char   vkey[] = "PeterNeumann+c74f20a3+"
                             "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    static const char   good[] =
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "\xe2\x80\x94 PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
        "qdngotpRZb6KE6RyyBwJnAM=\n";

    s = gs_str_text(vkey);
    ok(gs_audit_key_public(&key, &s, NULL) == GS_OK, "a published key");

    gs_buf_init(&b, note, sizeof(note));
    gs_audit_key_text(&key, &b);
    is_str(gs_buf_view(&b), vkey, "is written as it was read");

    text = gs_str_text(good);
    ok(gs_audit_note_check(&key, &text) == GS_OK, "the published note holds");

    memcpy(note, good, sizeof(good));
    note[3] = 'Y';
    text = gs_str_make(note, sizeof(good) - 1);
    ok(gs_audit_note_check(&key, &text) == GS_ERROR, "changed it does not");

    key.id[0] ^= 1;
    text = gs_str_text(good);
    ok(gs_audit_note_check(&key, &text) == GS_DECLINED,
       "a signature of another key is passed over");

    gs_audit_key_free(&key);
}


static void
test_round(const char *kind)
{
    char                   pem[1024], vkey[GS_AUDIT_KEY_TEXT_MAX];
    char                   note[GS_AUDIT_NOTE_MAX];
    size_t                 i;
    gs_buf_t               b, k;
    gs_str_t               s, name, text;
    unsigned               passed;
    gs_audit_key_t         key, pub;
    gs_audit_checkpoint_t  point, got;

    s = make_pem(kind, pem, sizeof(pem));
    name = gs_str_text("gov.example/gw/gd01/sm3");

    ok(gs_audit_key_private(&key, &name, &s, NULL) == GS_OK, "%s: key", kind);

    gs_buf_init(&k, vkey, sizeof(vkey));
    gs_audit_key_text(&key, &k);
    s = gs_buf_view(&k);
    ok(!k.overflow && gs_audit_key_public(&pub, &s, NULL) == GS_OK,
       "%s: its public text is read", kind);

    point.origin = name;
    point.size = 123456789;
    memset(point.root, 0xa5, GS_AUDIT_HASH);

    gs_buf_init(&b, note, sizeof(note));
    gs_audit_checkpoint_put(&b, &point);
    text = gs_buf_view(&b);
    gs_buf_char(&b, '\n');

    ok(gs_audit_note_sign(&key, &text, &b) == GS_OK, "%s: signed", kind);
    ok(gs_audit_note_sign(&pub, &text, &b) == GS_ERROR,
       "%s: a public key signs nothing", kind);

    s = gs_buf_view(&b);
    ok(gs_audit_note_check(&pub, &s) == GS_OK, "%s: verified", kind);
    ok(gs_audit_checkpoint_parse(&s, &got) == GS_OK && got.size == point.size
       && memcmp(got.root, point.root, GS_AUDIT_HASH) == 0
       && gs_str_eq(&got.origin, &name), "%s: read back", kind);

    passed = 0;

    for (i = 0; i < s.len; i++) {
        note[i] ^= 1;
        passed += (gs_audit_note_check(&pub, &s) == GS_OK);
        note[i] ^= 1;
    }

    is_int(passed, 0, "%s: no byte of it can be changed", kind);

    gs_buf_init(&b, note, 20);
    ok(gs_audit_note_sign(&key, &text, &b) == GS_ERROR,
       "%s: a short buffer is told", kind);

    text.len--;
    gs_buf_init(&b, note, sizeof(note));
    ok(gs_audit_note_sign(&key, &text, &b) == GS_ERROR,
       "%s: a text ends with a line feed", kind);

    gs_audit_key_free(&key);
    gs_audit_key_free(&pub);
}


/* A cosignature holds for its text and time, and is no signature of a log. */

static void
test_witness(void)
{
    char            pem[1024], vkey[GS_AUDIT_KEY_TEXT_MAX];
    char            note[GS_AUDIT_NOTE_MAX];
    size_t          i;
    gs_buf_t        b, k;
    gs_str_t        s, name, text;
    uint64_t        time;
    unsigned        passed;
    gs_audit_key_t  key, pub;

    s = make_pem("SM2", pem, sizeof(pem));
    name = gs_str_text("witness.example/w1");
    ok(gs_audit_key_private(&key, &name, &s, NULL) == GS_OK
       && gs_audit_key_witness(&key) == GS_ERROR, "SM2 makes no witness");
    gs_audit_key_free(&key);

    s = make_pem("ED25519", pem, sizeof(pem));
    ok(gs_audit_key_private(&key, &name, &s, NULL) == GS_OK
       && gs_audit_key_witness(&key) == GS_OK, "Ed25519 does");
    ok(gs_audit_key_witness(&key) == GS_ERROR, "once");

    gs_buf_init(&k, vkey, sizeof(vkey));
    gs_audit_key_text(&key, &k);
    s = gs_buf_view(&k);
    ok(gs_audit_key_public(&pub, &s, NULL) == GS_OK
       && pub.type == GS_AUDIT_KEY_WITNESS, "its public text is read");

    gs_buf_init(&b, note, sizeof(note));
    gs_buf_text(&b, "gov.example/log\n5\n"
                    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
    text = gs_buf_view(&b);
    gs_buf_char(&b, '\n');

    ok(gs_audit_note_sign(&key, &text, &b) == GS_ERROR,
       "it signs as no log does");
    ok(gs_audit_note_cosign(&pub, &text, 1, &b) == GS_ERROR,
       "a public key cosigns nothing");
    ok(gs_audit_note_cosign(&key, &text, (uint64_t) 1 << 63, &b) == GS_ERROR,
       "a time has 63 bits");
    ok(gs_audit_note_cosign(&key, &text, 1679315147, &b) == GS_OK,
       "cosigned");

    s = gs_buf_view(&b);
    ok(gs_audit_note_cosigned(&pub, &s, &time) == GS_OK, "verified");
    is_int(time, 1679315147, "with its time");
    ok(gs_audit_note_check(&pub, &s) == GS_DECLINED, "no signature of a log");

    passed = 0;

    for (i = 0; i < s.len; i++) {
        note[i] ^= 1;
        passed += (gs_audit_note_cosigned(&pub, &s, &time) == GS_OK);
        note[i] ^= 1;
    }

    is_int(passed, 0, "no byte of it can be changed");

    ok(gs_audit_note_cosign(&key, &text, 1679315148, &b) == GS_OK, "again");
    s = gs_buf_view(&b);
    ok(gs_audit_note_cosigned(&pub, &s, &time) == GS_OK, "both hold");
    is_int(time, 1679315148, "the last time");

    gs_buf_init(&b, note, text.len + 60);
    b.pos += text.len + 1;
    ok(gs_audit_note_cosign(&key, &text, 1, &b) == GS_ERROR,
       "a short buffer is told");

    gs_audit_key_free(&key);
    gs_audit_key_free(&pub);
}


static void
test_parse(void)
{
    size_t                 i;
    gs_str_t               s;
    gs_audit_checkpoint_t  point;
    static const char *const  bad[] = {
        "", "\n", "a\n", "a\n1\n",
        "a\n1\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=",
        "\n1\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n",
        "a\n01\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n",
        "a\n-1\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n",
        "a\n99999999999999999999\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n",
        "a\n1\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo\n",
        "a\n1\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\n"
    };

    s = gs_str_text("a\n0\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n"
                    "more\n");
    ok(gs_audit_checkpoint_parse(&s, &point) == GS_OK && point.size == 0,
       "further lines are allowed");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        ok(gs_audit_checkpoint_parse(&s, &point) == GS_ERROR,
           "malformed checkpoint %zu", i);
    }
}


static void
test_bad_keys(void)
{
    char            pem[4096];
    size_t          i;
    gs_err_t        err;
    gs_str_t        s, name;
    gs_audit_key_t  key;
    static const char *const  bad[] = {
        "", "a", "a+b", "a+c74f20a3+",
        "P+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4iQ==",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        ok(gs_audit_key_public(&key, &s, &err) == GS_ERROR,
           "malformed key %zu", i);
    }

    s = make_pem("EC", pem, sizeof(pem));
    name = gs_str_text("a");
    ok(gs_audit_key_private(&key, &name, &s, &err) == GS_ERROR,
       "a key of another kind");
    is_str(gs_str_text(err.text),
           "the key is of another kind, allowed: Ed25519, SM2",
           "is told with what is allowed");

    s = gs_str_text("not a key");
    ok(gs_audit_key_private(&key, &name, &s, &err) == GS_ERROR, "no key");

    s = make_pem("ED25519", pem, sizeof(pem));
    name = gs_str_text("a b");
    ok(gs_audit_key_private(&key, &name, &s, &err) == GS_ERROR,
       "a blank in a name");
    name = gs_str_text("");
    ok(gs_audit_key_private(&key, &name, &s, &err) == GS_ERROR, "no name");
}


static void
test_split(void)
{
    size_t    i;
    gs_str_t  s, text, sigs;
    static const char *const  bad[] = {
        "", "\n\n", "a\nb\n", "a\n\nb"
    };

    s = gs_str_text("a\n\nb\n\n\xe2\x80\x94 x AAAA\n");
    ok(gs_audit_note_split(&s, &text, &sigs) == GS_OK, "a note");
    is_str(text, "a\n\nb\n", "its text goes to the last blank line");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        ok(gs_audit_note_split(&s, &text, &sigs) == GS_ERROR,
           "malformed note %zu", i);
    }
}


static gs_str_t
make_pem(const char *kind, char *pem, size_t size)
{
    int        n;
    BIO       *bio;
    EVP_PKEY  *pkey;

    pkey = (strcmp(kind, "EC") == 0) ? EVP_EC_gen("P-256")
                                     : EVP_PKEY_Q_keygen(NULL, NULL, kind);
    bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    n = BIO_read(bio, pem, (int) size);

    BIO_free(bio);
    EVP_PKEY_free(pkey);

    return gs_str_make(pem, (size_t) n);
}
