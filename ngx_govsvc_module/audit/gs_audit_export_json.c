
/*
 * Copyright (C) govsvc authors
 *
 * Export of audit lines as nested JSON.
 *
 * A path names the objects around a member; those that two members in a row
 * share stay open, so that rows only have to stand together.  Texts of a line
 * are strictly escaped and are copied as they are.
 */


#include "audit/gs_audit_export_priv.h"
#include "core/gs_json_out.h"


static void gs_audit_put_end(gs_audit_export_t *x);
static void gs_audit_put_rest(gs_audit_export_t *x, const char *dir);
static void gs_audit_put_dir(gs_audit_export_t *x, const char *dir,
    size_t len);
static void gs_audit_put_key(gs_audit_export_t *x, const gs_str_t *key);
static void gs_audit_put_value(gs_audit_export_t *x,
    const gs_audit_field_t *field);


void
gs_audit_put_rows(gs_audit_export_t *x, const gs_audit_row_t *row,
    const char *dir)
{
    (void) gs_audit_export_take(x, "", "v");

    gs_buf_char(x->b, '{');

    for ( /* void */ ; row->path != NULL; row++) {
        row->put(x, row);
    }

    gs_audit_put_rest(x, dir);
    gs_audit_put_end(x);
}


/* Closes and opens objects up to the last point of the path. */

void
gs_audit_put_open(gs_audit_export_t *x, const char *path)
{
    size_t       len;
    gs_str_t     key;
    const char  *point;

    point = strrchr(path, '.');
    len = (point != NULL) ? (size_t) (point - path) + 1 : 0;

    gs_audit_put_dir(x, path, len);

    key = gs_str_text(path + len);
    gs_audit_put_key(x, &key);
}


static void
gs_audit_put_dir(gs_audit_export_t *x, const char *dir, size_t len)
{
    size_t    i, same;
    gs_str_t  name;

    for (i = 0, same = 0;
         i < len && i < x->dir_len && dir[i] == x->dir[i];
         i++)
    {
        if (dir[i] == '.') {
            same = i + 1;
        }
    }

    while (x->dir_len > same) {
        gs_buf_char(x->b, '}');

        do {
            x->dir_len--;
        } while (x->dir_len != 0 && x->dir[x->dir_len - 1] != '.');
    }

    if (len >= sizeof(x->dir)) {
        x->b->overflow = 1;
        return;
    }

    for (i = same; i < len; i++) {

        if (dir[i] == '.') {
            name = gs_str_make(dir + same, i - same);
            gs_audit_put_key(x, &name);
            gs_buf_char(x->b, '{');
            same = i + 1;
        }
    }

    memcpy(x->dir, dir, len);
    x->dir_len = len;
}


static void
gs_audit_put_key(gs_audit_export_t *x, const gs_str_t *key)
{
    if (!x->b->overflow && x->b->pos[-1] != '{') {
        gs_buf_char(x->b, ',');
    }

    gs_buf_char(x->b, '"');
    gs_buf_str(x->b, key);
    gs_buf_put(x->b, "\":", 2);
}


static void
gs_audit_put_end(gs_audit_export_t *x)
{
    gs_audit_put_dir(x, "", 0);
    gs_buf_char(x->b, '}');
}


/* Every value that has not gone elsewhere: those of the line, its objects. */

static void
gs_audit_put_rest(gs_audit_export_t *x, const char *dir)
{
    char                     path[sizeof(x->dir)];
    size_t                   len;
    unsigned                 i, objects;
    const gs_audit_field_t  *field;

    for (objects = 0; objects < 2; objects++) {

        for (i = 0; i < x->f->n; i++) {
            field = &x->f->field[i];

            if (x->used[i] || objects != (field->object.len != 0)) {
                continue;
            }

            len = strlen(dir);

            if (len + field->object.len + 2 > sizeof(path)
                || gs_str_chr(&field->object, 0, '.') != field->object.len)
            {
                x->b->overflow = 1;
                return;
            }

            memcpy(path, dir, len);

            if (objects) {
                memcpy(path + len, field->object.data, field->object.len);
                len += field->object.len;
                path[len++] = '.';
            }

            gs_audit_put_dir(x, path, len);
            gs_audit_put_key(x, &field->key);
            gs_audit_put_value(x, field);
        }
    }
}


static void
gs_audit_put_value(gs_audit_export_t *x, const gs_audit_field_t *field)
{
    if (field->text) {
        gs_buf_char(x->b, '"');
    }

    gs_buf_str(x->b, &field->value);

    if (field->text) {
        gs_buf_char(x->b, '"');
    }
}


void
gs_audit_put_u64(gs_audit_export_t *x, const char *path, uint64_t n)
{
    gs_audit_put_open(x, path);
    gs_buf_u64(x->b, n);
}


void
gs_audit_put_str(gs_audit_export_t *x, const char *path, const gs_str_t *s)
{
    gs_audit_put_open(x, path);
    gs_buf_char(x->b, '"');
    gs_buf_str(x->b, s);
    gs_buf_char(x->b, '"');
}


void
gs_audit_put_text(gs_audit_export_t *x, const char *path, const char *text)
{
    gs_str_t  s;

    s = gs_str_text(text);
    gs_audit_put_str(x, path, &s);
}


void
gs_audit_put_raw(gs_audit_export_t *x, const char *path, const char *json)
{
    gs_audit_put_open(x, path);
    gs_buf_text(x->b, json);
}


void
gs_audit_row_copy(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_field_t  *field;

    field = gs_audit_export_take(x, row->object, row->key);

    if (field != NULL) {
        gs_audit_put_open(x, row->path);
        gs_audit_put_value(x, field);
    }
}


/* A number where others want a text. */

void
gs_audit_row_string(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_field_t  *field;

    field = gs_audit_export_scalar(x, row->object, row->key);

    if (field != NULL) {
        gs_audit_put_str(x, row->path, &field->value);
    }
}


void
gs_audit_row_word(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_audit_put_text(x, row->path, row->key);
}


void
gs_audit_row_json(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_audit_put_raw(x, row->path, row->key);
}


void
gs_audit_row_node(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (x->node.len != 0) {
        gs_audit_put_str(x, row->path, &x->node);
    }
}


/* "http.done", "loss" */

void
gs_audit_row_action(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    (void) gs_audit_export_take(x, "", "ty");
    (void) gs_audit_export_take(x, "", "st");

    gs_audit_put_open(x, row->path);
    gs_buf_char(x->b, '"');
    gs_buf_str(x->b, &x->type);

    if (x->stage.len != 0) {
        gs_buf_char(x->b, '.');
        gs_buf_str(x->b, &x->stage);
    }

    gs_buf_char(x->b, '"');
}


void
gs_audit_row_span(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (gs_audit_export_spans(x)) {
        gs_audit_row_copy(x, row);
    }
}


/* A trace that begins here bears the number of the request. */

void
gs_audit_row_trace(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_str_t                 req;
    const gs_audit_field_t  *field;

    field = gs_audit_export_scalar(x, "", "tr");
    req = (field != NULL) ? field->value
                          : gs_audit_field_value(x->f, "", "req");

    if (req.len != 0) {
        gs_audit_put_str(x, row->path, &req);
    }
}


/* Of a request, or of many that were counted. */

void
gs_audit_row_reason(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_field_t  *field;

    field = gs_audit_export_scalar(x, "dec", row->key);

    if (field == NULL) {
        field = gs_audit_export_scalar(x, "", row->key);
    }

    if (field != NULL) {
        gs_audit_put_str(x, row->path, &field->value);
    }
}


void
gs_audit_row_up_ip(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (x->up_ip.len != 0) {
        gs_audit_put_str(x, row->path, &x->up_ip);
    }
}


void
gs_audit_row_up_port(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (x->up_port.len != 0) {
        gs_audit_put_open(x, row->path);
        gs_buf_str(x->b, &x->up_port);
    }
}
