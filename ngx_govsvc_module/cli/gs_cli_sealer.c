
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit sealer: a sealer in a process of its own.
 */


#include "cli/gs_cli_seal.h"
#include "core/gs_time.h"
#include "seal/gs_sealer.h"

#include <time.h>


static int gs_cli_sealer_run(gs_cli_t *cli);
static int gs_cli_sealer_interval(gs_cli_t *cli, uint64_t *ms);
static gs_rc_t gs_cli_sealer_loop(gs_sealer_t *s, uint64_t ms, int once);


static const gs_cli_option_t  gs_cli_sealer_options[] = {
    { "key", "FILE", "private key; several sign", "私钥文件，可多个" },
    { "seal", "DIR", "where tree and checkpoint are kept",
      "存放树与封存点的目录" },
    { "interval", "TIME", "time between checkpoints (1s)",
      "封存点的间隔（1s）" },
    { "once", NULL, "seal what is there, sign and end",
      "封存现有内容、签署后退出" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_sealer = {
    "audit", "sealer", "DIR",
    "verify a store as it grows, and sign a checkpoint each second",
    "随写随验，每秒签署一个封存点",
    "govsvc audit sealer /var/lib/govsvc/audit --key "
    "/etc/govsvc/seal/seal.key --seal /var/lib/govsvc/seal",
    gs_cli_sealer_options,
    gs_cli_sealer_run
};


static int
gs_cli_sealer_run(gs_cli_t *cli)
{
    int                rc;
    gs_rc_t            done;
    uint64_t           ms;
    gs_sealer_t       *s;
    gs_seal_log_t      log;
    gs_seal_keys_t     keys;
    gs_sealer_conf_t   conf;

    memset(&conf, 0, sizeof(gs_sealer_conf_t));
    gs_cli_seal_log(cli, &log);

    conf.seal = gs_cli_option(cli, "seal");
    conf.who = "command";
    conf.keys = &keys;
    conf.log = &log;

    if (cli->argc != 1 || conf.seal == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit sealer needs the "
                           "directory of govsvc_audit_store, --key and "
                           "--seal");
    }

    conf.store = cli->argv[0];
    rc = gs_cli_sealer_interval(cli, &ms);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_seal_private(cli, &keys);
    }

    if (rc != GS_CLI_YES) {
        return rc;
    }

    done = gs_sealer_open(&s, &conf);

    if (done == GS_OK) {
        done = gs_cli_sealer_loop(s, ms, gs_cli_option(cli, "once") != NULL);
    }

    if (done == GS_OK) {
        printf(cli->zh ? "已封存 %llu 行\n" : "%llu lines are sealed\n",
               (unsigned long long) gs_sealer_size(s));
    }

    gs_sealer_close(s);
    gs_seal_keys_free(&keys);

    return gs_cli_seal_code(done);
}


static int
gs_cli_sealer_interval(gs_cli_t *cli, uint64_t *ms)
{
    gs_str_t     s;
    const char  *text;

    *ms = 1000;
    text = gs_cli_option(cli, "interval");

    if (text == NULL) {
        return GS_CLI_YES;
    }

    s = gs_str_text(text);

    if (gs_parse_msec(&s, ms) != GS_OK || *ms < 100 || *ms > 60000) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid --interval \"%s\", "
                           "allowed: 100ms to 60s", text);
    }

    return GS_CLI_YES;
}


/* Ends when it fails, or once all is sealed. */

static gs_rc_t
gs_cli_sealer_loop(gs_sealer_t *s, uint64_t ms, int once)
{
    gs_rc_t          rc;
    struct timespec  ts;

    for ( ;; ) {
        rc = gs_sealer_turn(s);

        if (rc == GS_AGAIN) {
            continue;
        }

        if (rc != GS_OK || once) {
            return rc;
        }

        ts.tv_sec = (time_t) (ms / 1000);
        ts.tv_nsec = (long) (ms % 1000) * 1000000;
        (void) nanosleep(&ts, NULL);
    }
}
