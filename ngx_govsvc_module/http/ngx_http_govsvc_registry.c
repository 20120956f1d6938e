
/*
 * Copyright (C) govsvc authors
 *
 * The registry at run time.  The file is the truth: it is written and synced
 * first, then the table is published; who is killed between the two leaves
 * work for the next (catch_up), never a lost change.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"
#include "http/ngx_http_govsvc_route_priv.h"

#include "core/gs_siphash.h"
#include "ngx/ngx_govsvc_store.h"


#define NGX_HTTP_GOVSVC_REGISTRY_MAGIC    0x67735331
#define NGX_HTTP_GOVSVC_REGISTRY_WAIT     2000   /* ms */


static ngx_int_t ngx_http_govsvc_registry_zone(ngx_conf_t *cf,
    ngx_http_govsvc_registry_t *reg);
static ngx_int_t ngx_http_govsvc_registry_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_govsvc_registry_prepare(ngx_cycle_t *cycle,
    ngx_str_t *snapshot);
static ngx_int_t ngx_http_govsvc_registry_load(
    ngx_http_govsvc_registry_t *reg, gs_route_doc_t *doc, uint64_t *found,
    ngx_log_t *log);
static ngx_int_t ngx_http_govsvc_registry_compile(ngx_pool_t *pool,
    ngx_http_govsvc_registry_t *reg, const gs_route_table_t **table,
    ngx_log_t *log);
static gs_rc_t ngx_http_govsvc_registry_suits(
    ngx_http_govsvc_balancer_main_conf_t *bmcf,
    const gs_route_table_t *table, size_t size, gs_err_t *err);


ngx_http_govsvc_registry_t *
ngx_http_govsvc_registry(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_govsvc_balancer_module);

    return (bmcf != NULL && bmcf->registry != NULL) ? &bmcf->store : NULL;
}


const gs_route_table_t *
ngx_http_govsvc_registry_configure(ngx_conf_t *cf,
    ngx_http_govsvc_balancer_main_conf_t *bmcf, const gs_route_table_t *t)
{
    gs_siphash_key_t                    key;
    ngx_http_govsvc_registry_t         *reg;
    ngx_http_govsvc_route_main_conf_t  *rmcf;

    reg = &bmcf->store;
    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_route_module);

    reg->cycle = cf->cycle;
    reg->platforms = ngx_govsvc_to_gs(&rmcf->platforms_text);
    reg->regions = ngx_govsvc_to_gs(&rmcf->regions_text);

    /* no secret: it tells configurations apart, not friend from foe */

    key.k0 = GS_ROUTE_DOC_VERSION;
    key.k1 = gs_route_digest(t);
    reg->files = gs_siphash(&key, reg->platforms.data, reg->platforms.len);

    if (ngx_http_govsvc_registry_zone(cf, reg) != NGX_OK) {
        return NULL;
    }

    if (reg->snapshot.len != 0) {
        reg->hosts.len = reg->snapshot.len + sizeof(".hosts") - 1;
        reg->hosts.data = ngx_pnalloc(cf->pool, reg->hosts.len + 1);

        if (reg->hosts.data == NULL) {
            return NULL;
        }

        (void) ngx_sprintf(reg->hosts.data, "%V.hosts%Z", &reg->snapshot);
    }

    if (reg->snapshot.len != 0
        && ngx_http_govsvc_registry_compile(cf->pool, reg, &t, cf->log)
           == NGX_ERROR)
    {
        return NULL;
    }

    return t;
}


static ngx_int_t
ngx_http_govsvc_registry_zone(ngx_conf_t *cf, ngx_http_govsvc_registry_t *reg)
{
    ngx_str_t        name;
    ngx_shm_zone_t  *zone;

    ngx_str_set(&name, "govsvc_registry_words.4");

    zone = ngx_shared_memory_add(cf, &name,
                                 sizeof(ngx_http_govsvc_registry_sh_t)
                                 + 16 * ngx_pagesize,
                                 &ngx_http_govsvc_balancer_module);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_http_govsvc_registry_init_zone;
    zone->data = reg;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_registry_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_registry_t *old = data;

    ngx_slab_pool_t             *shpool;
    ngx_http_govsvc_registry_t  *reg;

    reg = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (old != NULL) {
        reg->sh = old->sh;

    } else if (zone->shm.exists) {
        reg->sh = shpool->data;

    } else {
        reg->sh = ngx_slab_calloc(shpool,
                                  sizeof(ngx_http_govsvc_registry_sh_t));
        if (reg->sh == NULL) {
            return NGX_ERROR;
        }

        reg->sh->magic = NGX_HTTP_GOVSVC_REGISTRY_MAGIC;
        shpool->data = reg->sh;
    }

    return ngx_http_govsvc_registry_prepare(reg->cycle, &reg->snapshot);
}


static ngx_int_t
ngx_http_govsvc_registry_prepare(ngx_cycle_t *cycle, ngx_str_t *snapshot)
{
    u_char     dir[NGX_MAX_PATH];
    ngx_str_t  folder;

    if (snapshot->len == 0) {
        return NGX_OK;
    }

    folder.data = dir;
    folder.len = snapshot->len;

    while (folder.len > 1 && snapshot->data[folder.len - 1] != '/') {
        folder.len--;
    }

    if (snapshot->len + sizeof(".hosts.new") > NGX_MAX_PATH) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"%V\" is too long", snapshot);
        return NGX_ERROR;
    }

    folder.len -= (folder.len > 1);
    ngx_memcpy(dir, snapshot->data, folder.len);
    dir[folder.len] = '\0';

    return ngx_govsvc_store_prepare(cycle, &folder);
}


/* The table of files and snapshot; without a snapshot *table stays. */

static ngx_int_t
ngx_http_govsvc_registry_compile(ngx_pool_t *pool,
    ngx_http_govsvc_registry_t *reg, const gs_route_table_t **table,
    ngx_log_t *log)
{
    size_t             size;
    gs_err_t           err;
    gs_mem_t          *mem;
    uint64_t           found;
    ngx_int_t          rc;
    gs_route_doc_t     doc;
    gs_route_table_t  *t;

    mem = ngx_govsvc_mem(pool);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&err, sizeof(gs_err_t));

    if (gs_route_doc_init(&doc) != GS_OK
        || gs_route_doc_fix(&doc, &reg->platforms, &err) != GS_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "govsvc registry: %s",
                      err.text);
        gs_route_doc_free(&doc);
        return NGX_ERROR;
    }

    rc = ngx_http_govsvc_registry_load(reg, &doc, &found, log);

    if (ngx_http_govsvc_hosts_load(reg, &doc, log) == NGX_OK) {
        rc = NGX_OK;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_govsvc_registry_settle(reg, mem, &doc, &t, &size, log);

        if (rc == NGX_OK) {
            *table = t;
            reg->revision = doc.revision;
        }
    }

    gs_route_doc_free(&doc);

    return rc;
}


/*
 * The newest whole snapshot; *found is its revision.  NGX_DECLINED: there is
 * none, or none newer than the document.
 */

static ngx_int_t
ngx_http_govsvc_registry_load(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, uint64_t *found, ngx_log_t *log)
{
    gs_err_t               err;
    ngx_int_t              rc;
    ngx_uint_t             i, broken;
    ngx_govsvc_snapshot_t  s;

    broken = 0;
    *found = 0;

    for (i = 0; i < NGX_GOVSVC_SNAPSHOT_KEEP; i++) {

        rc = ngx_govsvc_snapshot_read(&reg->snapshot, i, &s, log);

        if (rc != NGX_OK) {
            broken += (rc == NGX_ERROR);
            continue;
        }

        *found = s.revision;

        if (s.revision <= doc->revision) {
            ngx_govsvc_snapshot_free(&s);
            return NGX_DECLINED;
        }

        ngx_memzero(&err, sizeof(gs_err_t));
        rc = gs_route_doc_load(doc, &s.text, &err) == GS_OK ? NGX_OK
                                                            : NGX_ERROR;
        ngx_govsvc_snapshot_free(&s);

        if (rc == NGX_OK) {
            reg->generation = i;

            if (broken != 0) {
                ngx_log_error(NGX_LOG_CRIT, log, 0,
                              "govsvc registry: snapshot \"%V\" is damaged, "
                              "generation %ui of revision %uL is used",
                              &reg->snapshot, i, doc->revision);
            }

            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "govsvc registry: snapshot \"%V\", generation %ui: %s",
                      &reg->snapshot, i, err.text);
        broken++;
    }

    if (broken != 0) {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "govsvc registry: no generation of the snapshot \"%V\" "
                      "is whole, what came by the API is missing",
                      &reg->snapshot);
    }

    return NGX_DECLINED;
}


/*
 * Under the lock, so that no worker stores a change between our look at the
 * file and the table.  Whoever holds the lock longer has hung: then the next
 * change, or the next second, brings what is missing.
 */

void
ngx_http_govsvc_registry_start(ngx_http_govsvc_balancer_main_conf_t *bmcf,
    ngx_cycle_t *cycle)
{
    ngx_fd_t                        fd;
    ngx_err_t                       err;
    ngx_uint_t                      nnames;
    gs_registry_name_t             *names;
    const gs_route_table_t         *t;
    ngx_http_govsvc_registry_t     *reg;
    ngx_http_govsvc_registry_sh_t  *sh;

    reg = &bmcf->store;
    sh = reg->sh;
    fd = NGX_INVALID_FILE;

    if (reg->snapshot.len != 0) {
        fd = ngx_govsvc_snapshot_lock(&reg->snapshot,
                                      NGX_HTTP_GOVSVC_REGISTRY_WAIT, &err);

        if (fd == NGX_INVALID_FILE) {
            ngx_log_error(NGX_LOG_ERR, cycle->log, err,
                          "govsvc registry: cannot lock the folder of \"%V\"",
                          &reg->snapshot);
        }

        t = NULL;

        if (__atomic_load_n(&sh->committed, __ATOMIC_ACQUIRE) > reg->revision
            && ngx_http_govsvc_registry_compile(cycle->pool, reg, &t,
                                                cycle->log) == NGX_OK)
        {
            nnames = gs_route_pools(t) + gs_route_instances(t);
            names = ngx_palloc(cycle->pool, ((size_t) nnames + 1)
                                            * sizeof(gs_registry_name_t));

            if (names != NULL
                && ngx_http_govsvc_name_all(bmcf, t, names) == NGX_OK)
            {
                bmcf->registry->blob = t;
                bmcf->registry->size = gs_route_size(t);
                bmcf->registry->names = names;
                bmcf->registry->nnames = (uint32_t) nnames;
            }
        }
    }

    ngx_govsvc_registry_publish(bmcf->registry, cycle->log);

    if (__atomic_load_n(&sh->committed, __ATOMIC_ACQUIRE) > reg->revision) {
        __atomic_store_n(&sh->alarm, sh->committed, __ATOMIC_RELEASE);
        ngx_log_error(NGX_LOG_CRIT, cycle->log, 0,
                      "govsvc registry: revision %uL is lost, going on with "
                      "revision %uL", sh->committed, reg->revision);
    }

    /* workers of before judge by the rules of before */

    reg->rules = __atomic_add_fetch(&sh->rules, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&sh->judged, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&sh->left_out, reg->left_out, __ATOMIC_RELEASE);
    __atomic_store_n(&sh->left_found, reg->left_found, __ATOMIC_RELEASE);
    __atomic_store_n(&sh->left_told, reg->left_told, __ATOMIC_RELEASE);
    __atomic_store_n(&sh->files, reg->files, __ATOMIC_RELEASE);
    __atomic_store_n(&sh->committed, reg->revision, __ATOMIC_RELEASE);
    __atomic_store_n(&sh->applied, reg->revision, __ATOMIC_RELEASE);
    sh->generation = (uint32_t) reg->generation;

    if (fd != NGX_INVALID_FILE) {
        ngx_govsvc_snapshot_unlock(fd);
    }
}


ngx_int_t
ngx_http_govsvc_registry_refresh(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log)
{
    uint64_t   committed, found;
    ngx_int_t  rc;

    committed = __atomic_load_n(&reg->sh->committed, __ATOMIC_ACQUIRE);
    rc = ngx_http_govsvc_registry_load(reg, doc, &found, log);

    if (found < committed) {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "govsvc registry: the snapshot \"%V\" has revision "
                      "%uL, but %uL runs; nothing is changed until a reload "
                      "accepts it", &reg->snapshot, found, committed);
        return NGX_ERROR;
    }

    return rc;
}


gs_rc_t
ngx_http_govsvc_registry_commit(ngx_http_govsvc_registry_t *reg,
    const gs_route_doc_t *doc, const gs_route_table_t *table, size_t size,
    gs_err_t *err, ngx_log_t *log)
{
    char                                  *text;
    size_t                                 len;
    gs_str_t                               s;
    unsigned                               found;
    ngx_int_t                              rc;
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                              ngx_http_govsvc_balancer_module);

    if (ngx_http_govsvc_registry_fits(reg, table, size, err) != GS_OK) {
        return GS_ERROR;
    }

    text = gs_route_doc_dump(doc, &len);
    if (text == NULL) {
        return gs_err(err, "out of memory");
    }

    s = gs_str_make(text, len);
    rc = ngx_govsvc_snapshot_write(&reg->snapshot, doc->revision, &s, log);

    free(text);

    if (rc != NGX_OK) {
        return gs_err(err, "the snapshot cannot be written");
    }

    __atomic_store_n(&reg->sh->committed, doc->revision, __ATOMIC_RELEASE);
    __atomic_store_n(&reg->sh->left_out, gs_route_doc_outs(doc, &found),
                     __ATOMIC_RELEASE);
    __atomic_store_n(&reg->sh->left_found, found, __ATOMIC_RELEASE);

    if (ngx_http_govsvc_registry_publish(bmcf, table, size) != GS_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "govsvc registry: revision %uL is stored, but not "
                      "published yet", doc->revision);
        return GS_BUSY;
    }

    __atomic_store_n(&reg->sh->applied, doc->revision, __ATOMIC_RELEASE);

    return GS_OK;
}


gs_rc_t
ngx_http_govsvc_registry_fits(ngx_http_govsvc_registry_t *reg,
    const gs_route_table_t *table, size_t size, gs_err_t *err)
{
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                              ngx_http_govsvc_balancer_module);

    if (__atomic_load_n(&reg->sh->files, __ATOMIC_ACQUIRE) != reg->files) {
        return gs_err(err, "this worker is of an old configuration, try "
                      "again");
    }

    return ngx_http_govsvc_registry_suits(bmcf, table, size, err);
}


gs_rc_t
ngx_http_govsvc_registry_store(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, gs_err_t *err, ngx_log_t *log)
{
    size_t             size;
    gs_rc_t            rc;
    gs_route_table_t  *table;

    if (ngx_http_govsvc_registry_settle(reg, &gs_mem_libc, doc, &table, &size,
                                        log)
        != NGX_OK)
    {
        return gs_err(err, "the objects of the store do not fit the files");
    }

    rc = ngx_http_govsvc_registry_commit(reg, doc, table, size, err, log);

    gs_free(&gs_mem_libc, table);

    return rc;
}


/* What a table must fulfil beside being whole. */

static gs_rc_t
ngx_http_govsvc_registry_suits(ngx_http_govsvc_balancer_main_conf_t *bmcf,
    const gs_route_table_t *table, size_t size, gs_err_t *err)
{
    gs_str_t                a, b;
    const gs_route_pool_t  *pool, *next;

    pool = ngx_http_govsvc_tls_plain(table, &next);

    if (pool != NULL) {
        a = gs_route_str(table, pool->id);
        b = gs_route_str(table, next->id);

        return gs_err(err, "pool \"%S\" speaks TLS and falls back to pool "
                      "\"%S\" without", &a, &b);
    }

    if (!gs_registry_fits(bmcf->registry->shared, size,
                          gs_route_pools(table) + gs_route_instances(table)))
    {
        return gs_err(err, "the zone of govsvc_registry is full, it has to "
                      "be made larger");
    }

    return GS_OK;
}


gs_rc_t
ngx_http_govsvc_registry_publish(ngx_http_govsvc_balancer_main_conf_t *bmcf,
    const gs_route_table_t *table, size_t size)
{
    gs_rc_t              rc;
    ngx_uint_t           nnames;
    gs_registry_name_t  *names;

    nnames = gs_route_pools(table) + gs_route_instances(table);

    names = gs_alloc(&gs_mem_libc, (nnames + 1) * sizeof(gs_registry_name_t));
    if (names == NULL) {
        return GS_BUSY;
    }

    rc = GS_ERROR;

    if (ngx_http_govsvc_name_all(bmcf, table, names) == NGX_OK) {
        rc = ngx_govsvc_registry_replace(bmcf->registry, table, size, names,
                                         nnames);
    }

    gs_free(&gs_mem_libc, names);

    return (rc == GS_DECLINED) ? GS_OK : rc;
}


ngx_int_t
ngx_http_govsvc_registry_catch_up(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log)
{
    size_t                                 size;
    gs_rc_t                                rc;
    gs_route_table_t                      *table;
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                              ngx_http_govsvc_balancer_module);

    if (__atomic_load_n(&reg->sh->files, __ATOMIC_ACQUIRE) != reg->files
        || __atomic_load_n(&reg->sh->applied, __ATOMIC_ACQUIRE)
           >= doc->revision)
    {
        return NGX_DECLINED;
    }

    if (ngx_http_govsvc_registry_settle(reg, &gs_mem_libc, doc, &table, &size,
                                        log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_govsvc_registry_publish(bmcf, table, size);

    gs_free(&gs_mem_libc, table);

    if (rc != GS_OK) {
        return NGX_ERROR;
    }

    __atomic_store_n(&reg->sh->committed, doc->revision, __ATOMIC_RELEASE);
    __atomic_store_n(&reg->sh->applied, doc->revision, __ATOMIC_RELEASE);

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "govsvc registry: caught up with revision %uL",
                  doc->revision);

    return NGX_OK;
}


uint64_t *
ngx_http_govsvc_registry_word(ngx_http_govsvc_registry_t *reg,
    const char *what, const char *name)
{
    uint64_t                 key, found;
    ngx_uint_t               i, n;
    gs_siphash_key_t         seed;
    ngx_http_govsvc_word_t  *word;

    seed.k0 = (uint64_t) (uintptr_t) what[0];
    seed.k1 = NGX_HTTP_GOVSVC_REGISTRY_MAGIC;
    key = gs_siphash(&seed, name, strlen(name)) | 1;

    for (n = 0; n < NGX_HTTP_GOVSVC_REGISTRY_PROBES; n++) {
        i = (key / 2 + n) % NGX_HTTP_GOVSVC_REGISTRY_WORDS;
        word = &reg->sh->words[i];
        found = 0;

        if (__atomic_compare_exchange_n(&word->key, &found, key, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
            || found == key)
        {
            return &word->value;
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_govsvc_registry_ejected(ngx_array_t *ids, ngx_uint_t max)
{
    uint32_t                    i, n;
    gs_str_t                    id;
    ngx_str_t                  *slot;
    const gs_route_instance_t  *instance;
    ngx_http_govsvc_section_t   s;

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = gs_route_instances(s.table);

    for (i = 0; i < n && ids->nelts < max; i++) {
        instance = gs_route_instance(s.table, i);

        if (ngx_http_govsvc_usable(&s, instance)) {
            continue;
        }

        id = gs_route_str(s.table, instance->id);
        slot = ngx_array_push(ids);

        if (slot != NULL) {
            slot->data = ngx_pnalloc(ids->pool, id.len + 1);
        }

        if (slot == NULL || slot->data == NULL) {
            ngx_http_govsvc_section_leave(&s);
            return NGX_ERROR;
        }

        slot->len = id.len;
        ngx_memcpy(slot->data, id.data, id.len);
        slot->data[id.len] = '\0';
    }

    ngx_http_govsvc_section_leave(&s);

    return NGX_OK;
}
