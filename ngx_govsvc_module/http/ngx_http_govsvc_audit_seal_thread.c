
/*
 * Copyright (C) govsvc authors
 *
 * Sealing inside the server: the thread.  It sleeps while another worker is
 * elected.  What keeps two sealers apart is the lock of the folder, which the
 * kernel gives back when a process dies: the election only says who tries.
 *
 * The thread touches nothing of a pool but the conf and its keys: a disk that
 * hangs may hold it in a call when the process ends.
 */


#include "http/ngx_http_govsvc_audit_seal.h"
#include "ngx/ngx_govsvc_thread.h"


#define NGX_HTTP_GOVSVC_AUDIT_SEAL_RETRY  1000   /* ms, doubled up to ... */
#define NGX_HTTP_GOVSVC_AUDIT_SEAL_SLOW   10000
#define NGX_HTTP_GOVSVC_AUDIT_SEAL_AGAIN  60000  /* ms: the same is told */
#define NGX_HTTP_GOVSVC_AUDIT_SEAL_STEP   5      /* ms, of the wait ... */
#define NGX_HTTP_GOVSVC_AUDIT_SEAL_STEPS  1000   /* ... at the exit */


typedef struct {
    pthread_t                         thread;
    pthread_mutex_t                   mutex;
    pthread_cond_t                    cond;
    ngx_uint_t                        running;

    /* words between the event loop and the thread */
    ngx_uint_t                        wanted;
    ngx_uint_t                        quit;
    ngx_uint_t                        left;      /* nobody waits for it */
    ngx_uint_t                        ended;

    /* the thread's */
    ngx_log_t                        *log;
    ngx_msec_t                        interval;
    ngx_http_govsvc_audit_seal_sh_t  *sh;
    gs_sealer_conf_t                  conf;
    gs_seal_log_t                     told;
    char                              text[GS_SEAL_TEXT];
    char                              last[GS_SEAL_TEXT];
    uint64_t                          logged;    /* ms */
    ngx_uint_t                        good;      /* turns of this term */
} ngx_http_govsvc_audit_sealer_t;


static void *ngx_http_govsvc_audit_seal_run(void *data);
static gs_rc_t ngx_http_govsvc_audit_seal_term(
    ngx_http_govsvc_audit_sealer_t *s);
static void ngx_http_govsvc_audit_seal_good(ngx_http_govsvc_audit_sealer_t *s,
    gs_sealer_t *sealer);
static void ngx_http_govsvc_audit_seal_bad(ngx_http_govsvc_audit_sealer_t *s,
    gs_rc_t rc);
static void ngx_http_govsvc_audit_seal_tell(void *data, const char *text);
static int ngx_http_govsvc_audit_seal_stop(void *data);
static ngx_uint_t ngx_http_govsvc_audit_seal_wait(
    ngx_http_govsvc_audit_sealer_t *s);
static void ngx_http_govsvc_audit_seal_sleep(
    ngx_http_govsvc_audit_sealer_t *s, uint64_t msec);
static void ngx_http_govsvc_audit_seal_say(ngx_uint_t *word,
    ngx_uint_t value);
static void ngx_http_govsvc_audit_seal_set(uint64_t *word, uint64_t value);
static uint64_t ngx_http_govsvc_audit_seal_msec(void);


/* Not of a pool: see above. */

static ngx_http_govsvc_audit_sealer_t  ngx_http_govsvc_audit_sealer;


ngx_int_t
ngx_http_govsvc_audit_seal_start(ngx_http_govsvc_audit_seal_main_conf_t *smcf,
    ngx_str_t *store, ngx_log_t *log)
{
    int                              rc;
    ngx_http_govsvc_audit_sealer_t  *s;

    s = &ngx_http_govsvc_audit_sealer;
    ngx_memzero(s, sizeof(ngx_http_govsvc_audit_sealer_t));

    s->log = log;
    s->interval = smcf->interval;
    s->sh = smcf->sh;

    s->told.tell = ngx_http_govsvc_audit_seal_tell;
    s->told.data = s;

    s->conf.store = (const char *) store->data;
    s->conf.seal = (const char *) smcf->dir.data;
    s->conf.who = "server";
    s->conf.keys = smcf->keys;
    s->conf.log = &s->told;
    s->conf.stop = ngx_http_govsvc_audit_seal_stop;
    s->conf.data = s;

    if (ngx_govsvc_thread_cond(&s->mutex, &s->cond) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "govsvc audit seal: pthread_cond_init() failed");
        return NGX_ERROR;
    }

    rc = ngx_govsvc_thread_create(&s->thread, NULL,
                                  ngx_http_govsvc_audit_seal_run, s);
    if (rc != 0) {
        ngx_log_error(NGX_LOG_EMERG, log, rc, "pthread_create() failed");
        return NGX_ERROR;
    }

    s->running = 1;

    return NGX_OK;
}


void
ngx_http_govsvc_audit_seal_lead(void *data, ngx_uint_t leads)
{
    if (ngx_http_govsvc_audit_sealer.running) {
        ngx_http_govsvc_audit_seal_say(&ngx_http_govsvc_audit_sealer.wanted,
                                       leads);
    }
}


void
ngx_http_govsvc_audit_seal_end(void)
{
    ngx_uint_t                       i;
    ngx_http_govsvc_audit_sealer_t  *s;

    s = &ngx_http_govsvc_audit_sealer;

    if (!s->running) {
        return;
    }

    s->running = 0;
    ngx_http_govsvc_audit_seal_say(&s->quit, 1);

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_SEAL_STEPS; i++) {

        if (__atomic_load_n(&s->ended, __ATOMIC_ACQUIRE)) {
            (void) pthread_join(s->thread, NULL);
            return;
        }

        ngx_msleep(NGX_HTTP_GOVSVC_AUDIT_SEAL_STEP);
    }

    __atomic_store_n(&s->left, 1, __ATOMIC_SEQ_CST);

    ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                  "govsvc audit seal: the disk does not answer, sealing was "
                  "left in the middle; the next sealer goes on");
}


static void *
ngx_http_govsvc_audit_seal_run(void *data)
{
    ngx_http_govsvc_audit_sealer_t *s = data;

    gs_rc_t   rc;
    uint64_t  delay;

    delay = 0;

    while (ngx_http_govsvc_audit_seal_wait(s)) {
        rc = ngx_http_govsvc_audit_seal_term(s);

        if (rc == GS_DONE) {
            delay = 0;
            continue;
        }

        /* a lock is tried often, a disk less, what was changed seldom */

        if (rc == GS_BUSY || s->good != 0 || delay == 0) {
            delay = NGX_HTTP_GOVSVC_AUDIT_SEAL_RETRY;

        } else {
            delay = ngx_min(delay * 2, NGX_HTTP_GOVSVC_AUDIT_SEAL_SLOW);
        }

        if (rc == GS_DECLINED) {
            delay = NGX_HTTP_GOVSVC_AUDIT_SEAL_SLOW;
        }

        ngx_http_govsvc_audit_seal_bad(s, rc);
        ngx_http_govsvc_audit_seal_sleep(s, delay);
    }

    __atomic_store_n(&s->ended, 1, __ATOMIC_RELEASE);

    return NULL;
}


/* From the lock till it is given back; why it ended. */

static gs_rc_t
ngx_http_govsvc_audit_seal_term(ngx_http_govsvc_audit_sealer_t *s)
{
    gs_rc_t       rc;
    uint64_t      start, begun, used;
    gs_sealer_t  *sealer;

    s->text[0] = '\0';
    s->good = 0;

    rc = gs_sealer_open(&sealer, &s->conf);

    while (rc == GS_OK || rc == GS_AGAIN) {
        begun = ngx_govsvc_mono_us();
        start = ngx_http_govsvc_audit_seal_msec();
        rc = gs_sealer_turn(sealer);

        if (rc != GS_OK && rc != GS_AGAIN) {
            break;
        }

        ngx_http_govsvc_audit_seal_good(s, sealer);

        if (rc == GS_OK) {
            ngx_http_govsvc_audit_seal_set(&s->sh->covers, begun);
        }

        used = ngx_http_govsvc_audit_seal_msec() - start;

        if (rc == GS_OK && used < s->interval) {
            ngx_http_govsvc_audit_seal_sleep(s, s->interval - used);
        }

        if (ngx_http_govsvc_audit_seal_stop(s)) {
            rc = GS_DONE;
        }
    }

    gs_sealer_close(sealer);

    return rc;
}


static void
ngx_http_govsvc_audit_seal_good(ngx_http_govsvc_audit_sealer_t *s,
    gs_sealer_t *sealer)
{
    ngx_http_govsvc_audit_seal_set(&s->sh->lines, gs_sealer_size(sealer));
    ngx_http_govsvc_audit_seal_set(&s->sh->signed_at, ngx_govsvc_wall_us());
    ngx_http_govsvc_audit_seal_set(&s->sh->state,
                                   NGX_HTTP_GOVSVC_AUDIT_SEAL_SIGNING);
    if (s->good++ != 0) {
        return;
    }

    s->last[0] = '\0';

    ngx_log_error(NGX_LOG_NOTICE, s->log, 0,
                  "govsvc audit seal: signs, %uL lines are sealed in \"%s\"",
                  gs_sealer_size(sealer), s->conf.seal);
}


static void
ngx_http_govsvc_audit_seal_bad(ngx_http_govsvc_audit_sealer_t *s, gs_rc_t rc)
{
    uint64_t    now, size, time;
    ngx_uint_t  level, state;

    switch (rc) {

    case GS_BUSY:

        /* what the other one signs is the state of the seal, too */

        if (gs_sealer_last(s->conf.seal, &size, &time) == GS_OK) {
            ngx_http_govsvc_audit_seal_set(&s->sh->lines, size);
            ngx_http_govsvc_audit_seal_set(&s->sh->signed_at, time);
        }

        level = NGX_LOG_WARN;
        state = NGX_HTTP_GOVSVC_AUDIT_SEAL_ELSEWHERE;
        break;

    case GS_DECLINED:
        level = NGX_LOG_CRIT;
        state = NGX_HTTP_GOVSVC_AUDIT_SEAL_REFUSED;
        (void) __atomic_add_fetch(&s->sh->refused, 1, __ATOMIC_RELAXED);
        break;

    default:
        level = NGX_LOG_ERR;
        state = NGX_HTTP_GOVSVC_AUDIT_SEAL_FAILING;
        (void) __atomic_add_fetch(&s->sh->failed, 1, __ATOMIC_RELAXED);
        break;
    }

    ngx_http_govsvc_audit_seal_set(&s->sh->state, state);

    now = ngx_http_govsvc_audit_seal_msec();

    if (ngx_strcmp(s->text, s->last) == 0
        && now - s->logged < NGX_HTTP_GOVSVC_AUDIT_SEAL_AGAIN)
    {
        return;
    }

    ngx_memcpy(s->last, s->text, sizeof(s->last));
    s->logged = now;

    ngx_log_error(level, s->log, 0, "govsvc audit seal: %s", s->text);
}


/* The first failure is the cause, the others are what follows from it. */

static void
ngx_http_govsvc_audit_seal_tell(void *data, const char *text)
{
    ngx_http_govsvc_audit_sealer_t *s = data;

    if (s->text[0] == '\0') {
        (void) ngx_cpystrn((u_char *) s->text, (u_char *) text,
                           sizeof(s->text));
    }
}


/* A thread that was left behind goes no further: memory is being taken down. */

static int
ngx_http_govsvc_audit_seal_stop(void *data)
{
    ngx_http_govsvc_audit_sealer_t *s = data;

    while (__atomic_load_n(&s->left, __ATOMIC_SEQ_CST)) {
        (void) pause();
    }

    return __atomic_load_n(&s->quit, __ATOMIC_ACQUIRE)
           || !__atomic_load_n(&s->wanted, __ATOMIC_ACQUIRE);
}


/* 1: this worker is to seal; 0: the process ends. */

static ngx_uint_t
ngx_http_govsvc_audit_seal_wait(ngx_http_govsvc_audit_sealer_t *s)
{
    ngx_uint_t  quit;

    (void) pthread_mutex_lock(&s->mutex);

    while (!s->quit && !s->wanted) {
        (void) pthread_cond_wait(&s->cond, &s->mutex);
    }

    quit = s->quit;

    (void) pthread_mutex_unlock(&s->mutex);

    return !quit;
}


static void
ngx_http_govsvc_audit_seal_sleep(ngx_http_govsvc_audit_sealer_t *s,
    uint64_t msec)
{
    int              rc;
    struct timespec  ts;

    ngx_govsvc_thread_until(&ts, msec);

    (void) pthread_mutex_lock(&s->mutex);

    for (rc = 0; rc == 0 && !s->quit && s->wanted; /* void */) {
        rc = pthread_cond_timedwait(&s->cond, &s->mutex, &ts);
    }

    (void) pthread_mutex_unlock(&s->mutex);
}


static void
ngx_http_govsvc_audit_seal_say(ngx_uint_t *word, ngx_uint_t value)
{
    (void) pthread_mutex_lock(&ngx_http_govsvc_audit_sealer.mutex);

    __atomic_store_n(word, value, __ATOMIC_RELEASE);

    (void) pthread_cond_signal(&ngx_http_govsvc_audit_sealer.cond);
    (void) pthread_mutex_unlock(&ngx_http_govsvc_audit_sealer.mutex);
}


static void
ngx_http_govsvc_audit_seal_set(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}


static uint64_t
ngx_http_govsvc_audit_seal_msec(void)
{
    return ngx_govsvc_mono_us() / 1000;
}
