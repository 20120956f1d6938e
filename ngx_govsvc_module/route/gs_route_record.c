
/*
 * Copyright (C) govsvc authors
 *
 * The records of routes: what a search asks of a candidate, and what explain
 * tells of it.
 */


#include "route/gs_route_load.h"


static gs_rc_t gs_route_record_fill(gs_route_load_t *l,
    const gs_route_model_t *model, gs_route_record_t *record);
static gs_rc_t gs_route_record_values(gs_route_load_t *l, const gs_str_t *list,
    uint32_t n, gs_route_run_t *run);
static gs_rc_t gs_route_record_conds(gs_route_load_t *l,
    const gs_route_model_t *model, gs_route_run_t *run);


gs_rc_t
gs_route_build_records(gs_route_load_t *l)
{
    uint32_t            i;
    gs_route_record_t  *record;

    for (i = 0; i < l->routes.n; i++) {
        record = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_ROUTES], 1);

        if (record == NULL
            || gs_route_record_fill(l, gs_route_vec_at(&l->routes,
                                     gs_route_model_t, i), record) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_record_fill(gs_route_load_t *l, const gs_route_model_t *model,
    gs_route_record_t *record)
{
    uint32_t  *codes;

    record->platform = model->platform;
    record->pool = model->pool;
    record->priority = model->priority;
    record->critical = model->critical;
    record->methods = model->methods;
    record->rank = model->rank;

    record->regions.first = l->sections[GS_ROUTE_S_CODES].n;
    record->regions.n = model->nregions;

    if (model->nregions != 0) {
        codes = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_CODES],
                                  model->nregions);

        if (codes == NULL) {
            return GS_ERROR;
        }

        memcpy(codes, model->regions, model->nregions * sizeof(uint32_t));
    }

    if (gs_route_build_str(l, &model->id, &record->id) != GS_OK
        || gs_route_record_values(l, model->hosts, model->nhosts,
                                 &record->hosts) != GS_OK
        || gs_route_record_values(l, model->paths, model->npaths,
                                 &record->paths) != GS_OK
        || gs_route_record_values(l, model->items, model->nitems,
                                 &record->items) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_route_record_conds(l, model, &record->conds);
}


static gs_rc_t
gs_route_record_values(gs_route_load_t *l, const gs_str_t *list, uint32_t n,
    gs_route_run_t *run)
{
    uint32_t         i;
    gs_route_ref_t   ref, *refs;
    gs_route_vec_t  *values;

    values = &l->sections[GS_ROUTE_S_VALUES];
    run->first = values->n;
    run->n = n;

    for (i = 0; i < n; i++) {

        if (gs_route_build_str(l, &list[i], &ref) != GS_OK) {
            return GS_ERROR;
        }

        refs = gs_route_vec_push(l, values, 1);

        if (refs == NULL) {
            return GS_ERROR;
        }

        *refs = ref;
    }

    return GS_OK;
}


static gs_rc_t
gs_route_record_conds(gs_route_load_t *l, const gs_route_model_t *model,
    gs_route_run_t *run)
{
    uint32_t                i;
    gs_route_cond_t        *cond;
    gs_route_cond_model_t  *from;

    run->first = l->sections[GS_ROUTE_S_CONDS].n;
    run->n = model->nconds;

    for (i = 0; i < model->nconds; i++) {
        from = &model->conds[i];
        cond = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_CONDS], 1);

        if (cond == NULL) {
            return GS_ERROR;
        }

        cond->kind = from->kind;

        if (from->kind == GS_ROUTE_COND_HEADER) {
            cond->header = gs_route_map_find(&l->header_names, &from->name);
        }

        if (gs_route_build_str(l, &from->name, &cond->name) != GS_OK
            || gs_route_record_values(l, from->values, from->nvalues,
                                     &cond->values) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}
