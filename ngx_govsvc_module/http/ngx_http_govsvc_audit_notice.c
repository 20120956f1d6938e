
/*
 * Copyright (C) govsvc authors
 *
 * Audit: what workers tell of themselves: that the clock was set, that one of
 * them died.
 *
 * A notice stands in the memory of the chain from before it counts until it
 * is in the ring: who goes on with the chain of a process that was killed
 * sees whether the notice is there already, so that it is told once.
 */


#include "http/ngx_http_govsvc_audit_priv.h"


#define NGX_HTTP_GOVSVC_AUDIT_STEP        1
#define NGX_HTTP_GOVSVC_AUDIT_DIED        2

#define NGX_HTTP_GOVSVC_AUDIT_STEP_MS     500
#define NGX_HTTP_GOVSVC_AUDIT_SLEW_MS     10
#define NGX_HTTP_GOVSVC_AUDIT_READ_US     50000

/* a number of a process has at most 22 bits on Linux */
#define NGX_HTTP_GOVSVC_AUDIT_PID_BITS    22
#define NGX_HTTP_GOVSVC_AUDIT_PID_MASK    0x3fffff


static uint64_t ngx_http_govsvc_audit_apart(uint64_t one, uint64_t two);
static ngx_int_t ngx_http_govsvc_audit_put_notice(
    ngx_http_govsvc_audit_chain_t *chain, ngx_govsvc_writer_t *w);
static size_t ngx_http_govsvc_audit_step(
    ngx_http_govsvc_audit_chain_t *chain, gs_buf_t *b);
static size_t ngx_http_govsvc_audit_died(
    ngx_http_govsvc_audit_chain_t *chain, gs_buf_t *b);


/*
 * 0: this process was stopped between two looks at the clocks, so that they
 * cannot be compared.
 */

ngx_uint_t
ngx_http_govsvc_audit_clock(uint64_t *wall, uint64_t *mono)
{
    uint64_t  before;

    before = ngx_govsvc_mono_us();
    *wall = ngx_govsvc_wall_us();
    *mono = ngx_govsvc_mono_us();

    if (*mono - before > NGX_HTTP_GOVSVC_AUDIT_READ_US || *wall < *mono) {
        return 0;
    }

    return (ngx_uint_t) ((*wall - *mono) / 1000)
           << NGX_HTTP_GOVSVC_AUDIT_PID_BITS;
}


/*
 * A clock that is only corrected moves by less than 1 ms each second: that is
 * followed, in silence.  Who moves the shared word over a step tells of it.
 */

void
ngx_http_govsvc_audit_watch_clock(ngx_http_govsvc_audit_chain_t *chain)
{
    uint64_t                         wall, mono, was, now, diff;
    ngx_atomic_uint_t                word, next;
    ngx_http_govsvc_audit_sh_t      *sh;
    ngx_http_govsvc_audit_notice_t  *n;

    n = &chain->slot->notice;
    sh = chain->amcf->sh;

    if (n->what != 0) {
        (void) ngx_http_govsvc_audit_put_notice(chain, chain->writer);
        return;
    }

    word = sh->clock;
    next = ngx_http_govsvc_audit_clock(&wall, &mono);

    if (next == 0) {
        return;
    }

    was = word >> NGX_HTTP_GOVSVC_AUDIT_PID_BITS;
    now = next >> NGX_HTTP_GOVSVC_AUDIT_PID_BITS;
    diff = ngx_http_govsvc_audit_apart(was, now);

    if (was == 0 || diff <= NGX_HTTP_GOVSVC_AUDIT_STEP_MS) {

        if (diff >= NGX_HTTP_GOVSVC_AUDIT_SLEW_MS) {
            next |= word & NGX_HTTP_GOVSVC_AUDIT_PID_MASK;
            (void) ngx_atomic_cmp_set(&sh->clock, word, next);
        }

        return;
    }

    n->told = 0;
    n->mono = mono;
    n->from = was * 1000 + mono;
    n->to = wall;

    __atomic_store_n(&n->what, NGX_HTTP_GOVSVC_AUDIT_STEP, __ATOMIC_RELEASE);

    next |= (ngx_atomic_uint_t) ngx_pid & NGX_HTTP_GOVSVC_AUDIT_PID_MASK;

    if (!ngx_atomic_cmp_set(&sh->clock, word, next)) {
        __atomic_store_n(&n->what, 0, __ATOMIC_RELEASE);
        return;
    }

    ngx_log_error(NGX_LOG_WARN, chain->log, 0,
                  "govsvc audit: the clock was set %s by %uL ms",
                  now > was ? "forward" : "back", diff);

    (void) ngx_http_govsvc_audit_put_notice(chain, chain->writer);
}


static uint64_t
ngx_http_govsvc_audit_apart(uint64_t one, uint64_t two)
{
    return (one > two) ? one - two : two - one;
}


/* In a process made in place of one that ended, Nginx still knows that one. */

void
ngx_http_govsvc_audit_succeed(ngx_http_govsvc_audit_main_conf_t *amcf)
{
    ngx_uint_t                      i;
    ngx_process_t                  *p;
    ngx_http_govsvc_audit_death_t  *death;

    if (ngx_process != NGX_PROCESS_WORKER || ngx_process_slot < 0
        || ngx_process_slot >= NGX_MAX_PROCESSES)
    {
        return;
    }

    p = &ngx_processes[ngx_process_slot];

    if (!p->exited || p->pid <= 0) {
        return;
    }

    i = ngx_atomic_fetch_add(&amcf->sh->ndeaths, 1);
    death = &amcf->sh->deaths[i % NGX_HTTP_GOVSVC_AUDIT_DEATHS];

    death->pid = 0;
    ngx_memory_barrier();
    death->status = (uint64_t) p->status;
    ngx_memory_barrier();
    death->pid = (ngx_atomic_uint_t) p->pid;
}


void
ngx_http_govsvc_audit_take_untold(ngx_http_govsvc_audit_chain_t *chain)
{
    uint64_t                       first, last;
    ngx_atomic_uint_t              n;
    ngx_http_govsvc_audit_sh_t    *sh;
    ngx_http_govsvc_audit_lost_t  *lost;

    sh = chain->amcf->sh;
    n = sh->untold;

    if (n == 0) {
        return;
    }

    first = sh->untold_first;
    last = sh->untold_last;

    if (!ngx_atomic_cmp_set(&sh->untold, n, 0)) {
        return;
    }

    lost = &chain->slot->lost[GS_AUDIT_SECURITY];

    if (lost->n == 0) {
        lost->first = first;
        lost->last = last;
        lost->space = 1;
    }

    lost->first = ngx_min(lost->first, first);
    lost->last = ngx_max(lost->last, last);
    lost->n += n;
}


ngx_int_t
ngx_http_govsvc_audit_put_death(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w)
{
    ngx_http_govsvc_audit_notice_t  *n;

    n = &chain->slot->notice;

    if (n->what != 0 && ngx_http_govsvc_audit_put_notice(chain, w) != NGX_OK) {
        return NGX_AGAIN;
    }

    if (chain->slot->ended) {
        return NGX_OK;
    }

    n->told = 0;
    __atomic_store_n(&n->what, NGX_HTTP_GOVSVC_AUDIT_DIED, __ATOMIC_RELEASE);

    return ngx_http_govsvc_audit_put_notice(chain, w);
}


/* Is it in the ring, and was it the dead one's to tell? */

void
ngx_http_govsvc_audit_settle_notice(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w)
{
    uint64_t                         claim;
    ngx_atomic_uint_t                word;
    ngx_http_govsvc_audit_notice_t  *n;

    n = &chain->slot->notice;

    if (n->what == 0) {
        return;
    }

    if (ngx_govsvc_writer_holds(w, n->told)) {

        if (n->what == NGX_HTTP_GOVSVC_AUDIT_DIED) {
            chain->slot->ended = 1;
        }

        n->what = 0;
        return;
    }

    __atomic_store_n(&n->told, 0, __ATOMIC_RELEASE);

    if (n->what != NGX_HTTP_GOVSVC_AUDIT_STEP) {
        return;
    }

    word = chain->amcf->sh->clock;
    claim = (n->to - n->mono) / 1000;

    if ((word & NGX_HTTP_GOVSVC_AUDIT_PID_MASK)
        != (chain->slot->pid & NGX_HTTP_GOVSVC_AUDIT_PID_MASK)
        || ngx_http_govsvc_audit_apart(word >> NGX_HTTP_GOVSVC_AUDIT_PID_BITS,
                                       claim)
           > NGX_HTTP_GOVSVC_AUDIT_STEP_MS)
    {
        n->what = 0;
    }
}


static ngx_int_t
ngx_http_govsvc_audit_put_notice(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w)
{
    size_t                           head;
    u_char                          *p;
    gs_buf_t                         b;
    ngx_uint_t                       died;
    ngx_http_govsvc_audit_notice_t  *n;

    n = &chain->slot->notice;

    p = ngx_govsvc_writer_reserve(w, NGX_HTTP_GOVSVC_AUDIT_SHORT, 0);
    if (p == NULL) {
        return NGX_AGAIN;
    }

    died = (n->what == NGX_HTTP_GOVSVC_AUDIT_DIED);

    gs_buf_init(&b, p + NGX_HTTP_GOVSVC_AUDIT_HEAD,
                NGX_HTTP_GOVSVC_AUDIT_SHORT - NGX_HTTP_GOVSVC_AUDIT_HEAD);

    head = died ? ngx_http_govsvc_audit_died(chain, &b)
                : ngx_http_govsvc_audit_step(chain, &b);

    ngx_http_govsvc_audit_put_draft(w, p, &b, head, &n->told);

    if (died) {
        chain->slot->ended = 1;
    }

    __atomic_store_n(&n->what, 0, __ATOMIC_RELEASE);

    return NGX_OK;
}


static size_t
ngx_http_govsvc_audit_step(ngx_http_govsvc_audit_chain_t *chain, gs_buf_t *b)
{
    gs_audit_step_t                  step;
    ngx_http_govsvc_audit_notice_t  *n;

    n = &chain->slot->notice;

    step.node = chain->amcf->node;
    step.epoch = chain->amcf->epoch;
    step.g = ngx_http_govsvc_audit_next(chain->amcf);
    step.mono = n->mono;
    step.from = n->from;
    step.to = n->to;

    return gs_audit_json_step(b, &step);
}


/* How it ended, only the master and who took its place were told. */

static size_t
ngx_http_govsvc_audit_died(ngx_http_govsvc_audit_chain_t *chain, gs_buf_t *b)
{
    int                             status;
    ngx_uint_t                      i;
    gs_audit_sys_t                  sys;
    ngx_http_govsvc_audit_death_t  *death;

    ngx_memzero(&sys, sizeof(gs_audit_sys_t));

    sys.what = "worker.died";
    sys.node = chain->amcf->node;
    sys.epoch = chain->amcf->epoch;
    sys.g = ngx_http_govsvc_audit_next(chain->amcf);
    sys.time = ngx_govsvc_wall_us();
    sys.mono = ngx_govsvc_mono_us();
    sys.pid = chain->slot->pid;
    sys.parent = (uint64_t) getppid();

    if (chain->slot->epoch != sys.epoch) {
        sys.former = chain->slot->epoch;
    }

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_DEATHS; i++) {

        death = &chain->amcf->sh->deaths[i];

        if (death->pid != sys.pid) {
            continue;
        }

        status = (int) death->status;

        if (WIFSIGNALED(status)) {
            sys.signal = (uint64_t) WTERMSIG(status);
            sys.why = "killed";

        } else {
            sys.status = (uint64_t) WEXITSTATUS(status);
            sys.has_status = 1;
            sys.why = "exited";
        }

        death->pid = 0;
        break;
    }

    return gs_audit_json_sys(b, &sys);
}
