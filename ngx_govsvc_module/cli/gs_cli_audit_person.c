
/*
 * Copyright (C) govsvc authors
 *
 * --id-card: an identity number becomes pseudonyms as soon as it is read.
 *
 * The number of a key is no part of the hash, and which hash a store used is
 * told only by its segments: 22 characters behind the colon are sought, of
 * both hashes, for every key.  A token may bear the last letter in either case.
 */


#include "audit/gs_audit_pseudonym.h"
#include "cli/gs_cli_audit_person.h"

#include <stdlib.h>
#include <strings.h>


#define GS_CLI_PERSON_ID    18
#define GS_CLI_PERSON_KEYS  16
#define GS_CLI_PERSON_FORMS 4              /* two hashes, two cases */


static int gs_cli_person_number(gs_cli_t *cli, char *id);
static int gs_cli_person_valid(const char *id);
static int gs_cli_person_key(gs_cli_filter_t *filter, gs_cli_t *cli,
    const char *path, const char *id);
static gs_rc_t gs_cli_person_pids(gs_cli_filter_t *filter,
    const gs_str_t *key, const char *id);
static int gs_cli_person_told(gs_cli_filter_t *filter, gs_cli_t *cli);


int
gs_cli_filter_person(gs_cli_filter_t *filter, gs_cli_t *cli)
{
    int          rc;
    char         id[GS_CLI_PERSON_ID + 1];
    unsigned     n;
    const char  *path;

    memset(id, 0, sizeof(id));

    if (gs_cli_option(cli, "id-card") == NULL) {
        return (gs_cli_option(cli, "pseudonym-key") == NULL) ? GS_CLI_YES
               : gs_cli_fail(cli, GS_CLI_USAGE, "--pseudonym-key is for "
                             "--id-card");
    }

    rc = gs_cli_person_number(cli, id);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    if (gs_cli_option(cli, "pseudonym-key") == NULL) {
        explicit_bzero(id, sizeof(id));
        return gs_cli_fail(cli, GS_CLI_USAGE, "--id-card needs "
                           "--pseudonym-key: records hold pseudonyms only");
    }

    filter->pids = gs_calloc(cli->mem, GS_CLI_PERSON_KEYS
                             * GS_CLI_PERSON_FORMS, GS_CLI_FILTER_PID);
    rc = (filter->pids == NULL) ? gs_cli_fail(cli, GS_CLI_READ,
                                              "out of memory") : GS_CLI_YES;

    for (n = 0; rc == GS_CLI_YES; n++) {
        path = gs_cli_option_n(cli, "pseudonym-key", n);

        if (path == NULL) {
            break;
        }

        rc = (n < GS_CLI_PERSON_KEYS)
             ? gs_cli_person_key(filter, cli, path, id)
             : gs_cli_fail(cli, GS_CLI_USAGE, "too many keys, allowed: %d",
                           GS_CLI_PERSON_KEYS);
    }

    explicit_bzero(id, sizeof(id));

    return (rc == GS_CLI_YES) ? gs_cli_person_told(filter, cli) : rc;
}


/* The value points to the arguments of the process: it can be overwritten. */

static int
gs_cli_person_number(gs_cli_t *cli, char *id)
{
    size_t   len;
    char    *value, line[64];

    value = (char *) gs_cli_option(cli, "id-card");

    if (strcmp(value, "-") == 0) {

        if (fgets(line, sizeof(line), stdin) == NULL) {
            return gs_cli_fail(cli, GS_CLI_READ, "cannot read the identity "
                               "number from stdin");
        }

        line[strcspn(line, "\r\n")] = '\0';
        value = line;
    }

    len = strlen(value);

    if (len == GS_CLI_PERSON_ID) {
        memcpy(id, value, GS_CLI_PERSON_ID + 1);
    }

    if (value == line) {
        explicit_bzero(line, sizeof(line));

    } else {
        memset(value, '*', len);
    }

    if (len != GS_CLI_PERSON_ID || !gs_cli_person_valid(id)) {
        explicit_bzero(id, GS_CLI_PERSON_ID + 1);
        return gs_cli_fail(cli, GS_CLI_USAGE, "what is given as --id-card is "
                           "no identity number of 18 characters, or its last "
                           "one is wrong (GB 11643)");
    }

    return GS_CLI_YES;
}


/* MOD 11-2; a mistake would find nothing, and say so as if it were true. */

static int
gs_cli_person_valid(const char *id)
{
    int       c;
    unsigned  i, sum, weight;

    sum = 0;
    weight = 1;

    for (i = GS_CLI_PERSON_ID; i-- != 0; weight = weight * 2 % 11) {
        c = (unsigned char) id[i];

        if (gs_is_digit(c)) {
            sum += weight * (unsigned) (c - '0');

        } else if (i == GS_CLI_PERSON_ID - 1 && (c == 'X' || c == 'x')) {
            sum += weight * 10;

        } else {
            return 0;
        }
    }

    return sum % 11 == 1;
}


static int
gs_cli_person_key(gs_cli_filter_t *filter, gs_cli_t *cli, const char *path,
    const char *id)
{
    gs_rc_t   rc;
    gs_str_t  key;

    if (gs_cli_read(cli, path, &key) != GS_OK) {
        return GS_CLI_READ;
    }

    /* as govsvc_audit_pseudonym reads it */

    if (key.len > 4096) {
        key.len = 4096;
    }

    while (key.len != 0 && (key.data[key.len - 1] == '\n'
                            || key.data[key.len - 1] == '\r'))
    {
        key.len--;
    }

    if (key.len < GS_AUDIT_KEY_MIN) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "the key in \"%s\" is shorter "
                           "than %d bytes", path, GS_AUDIT_KEY_MIN);
    }

    rc = gs_cli_person_pids(filter, &key, id);

    explicit_bzero((void *) key.data, key.len);

    return (rc == GS_OK) ? GS_CLI_YES
           : gs_cli_fail(cli, GS_CLI_READ, "libcrypto cannot compute "
                         "pseudonyms");
}


static gs_rc_t
gs_cli_person_pids(gs_cli_filter_t *filter, const gs_str_t *key,
    const char *id)
{
    char                  text[GS_CLI_PERSON_ID], *pid;
    size_t                len;
    gs_rc_t               rc;
    gs_str_t              s;
    unsigned              alg, i, forms;
    gs_uchar_t            full[GS_AUDIT_PID_MAX];
    gs_audit_pseudonym_t  p;

    memcpy(text, id, GS_CLI_PERSON_ID);
    s = gs_str_make(text, GS_CLI_PERSON_ID);
    forms = gs_is_alpha(id[GS_CLI_PERSON_ID - 1]) ? 2 : 1;
    rc = GS_OK;

    for (alg = 0; rc == GS_OK && alg < GS_AUDIT_ALGS; alg++) {

        if (gs_audit_pseudonym_init(&p, (gs_audit_alg_e) alg, key, 0)
            != GS_OK)
        {
            rc = GS_ERROR;
            break;
        }

        for (i = 0; rc == GS_OK && i < forms; i++) {
            rc = gs_audit_pseudonym(&p, &s, full, &len);

            if (rc == GS_OK) {
                pid = filter->pids + filter->npids++ * GS_CLI_FILTER_PID;
                (void) snprintf(pid, GS_CLI_FILTER_PID, ":%.22s\"",
                                (char *) full + len - 22);
            }

            text[GS_CLI_PERSON_ID - 1] ^= (forms == 2) ? 0x20 : 0;
        }

        gs_audit_pseudonym_free(&p);
    }

    explicit_bzero(text, sizeof(text));

    return rc;
}


/* Of the first key, one of each hash. */

static int
gs_cli_person_told(gs_cli_filter_t *filter, gs_cli_t *cli)
{
    char      *text;
    unsigned   i, step;

    text = gs_alloc(cli->mem, 2 * GS_CLI_FILTER_PID);

    if (text == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    for (i = 0; gs_cli_option_n(cli, "pseudonym-key", i) != NULL; i++) {
        /* void */
    }

    step = (i != 0) ? filter->npids / i / 2 : 0;

    (void) snprintf(text, 2 * GS_CLI_FILTER_PID, "%.23s %.23s", filter->pids,
                    filter->pids + step * GS_CLI_FILTER_PID);
    gs_cli_option_put(cli, "id-card", text);

    return GS_CLI_YES;
}
