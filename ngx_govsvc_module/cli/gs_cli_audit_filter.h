
/*
 * Copyright (C) govsvc authors
 *
 * Which records of a store are asked for, and how people read one.
 */


#ifndef _GS_CLI_AUDIT_FILTER_H_INCLUDED_
#define _GS_CLI_AUDIT_FILTER_H_INCLUDED_


#include "cli/gs_cli_audit_store.h"


#define GS_CLI_FILTER_MAX  16
#define GS_CLI_FILTER_PID  25              /* :22 characters" and NUL */


/* Bytes that the line must hold: one of two, in an object if it is named. */
typedef struct {
    gs_str_t         object;               /* "http":{ or empty */
    gs_str_t         text[2];              /* the second may be empty */
    unsigned         number:1;             /* ends with "," or "}" */
} gs_cli_filter_part_t;


typedef struct {
    unsigned               n;
    gs_cli_filter_part_t   parts[GS_CLI_FILTER_MAX];
    char                   from[GS_CLI_STORE_TIME + 1];
    char                   to[GS_CLI_STORE_TIME + 1];
    unsigned               npids;          /* any of them will do */
    char                  *pids;           /* of GS_CLI_FILTER_PID bytes */
} gs_cli_filter_t;


/* Options of a filter, for the tables of verbs. */
#define GS_CLI_FILTER_OPTIONS                                                 \
    { "case", "NUMBER",                                                       \
      "of this case number",                                                  \
      "办件编号" },                                                           \
    { "item", "CODE",                                                         \
      "of this service item",                                                 \
      "事项编码" },                                                           \
    { "subject", "PID",                                                       \
      "of this caller (pseudonym)",                                           \
      "调用者假名" },                                                         \
    { "id-card", "NUMBER|-",                                                  \
      "of the person with this identity number; - reads it from stdin",       \
      "持此身份证号的人；- 表示从标准输入读取" },                             \
    { "pseudonym-key", "FILE",                                                \
      "key of govsvc_audit_pseudonym, for --id-card; all epochs asked",       \
      "假名密钥文件，配合 --id-card；可多个" },                               \
    { "request", "ID",                                                        \
      "of this request",                                                      \
      "请求编号" },                                                           \
    { "trace", "ID",                                                          \
      "of this trace",                                                        \
      "链路编号" },                                                           \
    { "platform", "ID",                                                       \
      "routed to this platform",                                              \
      "平台" },                                                               \
    { "region", "CODE",                                                       \
      "of this region; 44* for all below",                                    \
      "区划代码，44* 含下级" },                                               \
    { "app", "ID",                                                            \
      "of this application",                                                  \
      "应用" },                                                               \
    { "ip", "ADDRESS",                                                        \
      "from this address",                                                    \
      "客户端地址" },                                                         \
    { "status", "CODE",                                                       \
      "answered so",                                                          \
      "应答状态" },                                                           \
    { "act", "allow|deny",                                                    \
      "decided so",                                                           \
      "决定" },                                                               \
    { "code", "REASON",                                                       \
      "refused for this reason",                                              \
      "拒绝原因" },                                                           \
    { "rule", "ID",                                                           \
      "that hit this rule",                                                   \
      "命中的规则" },                                                         \
    { "type", "TYPE",                                                         \
      "of this type: http, loss, query, ...",                                 \
      "记录类型" },                                                           \
    { "from", "TIME",                                                         \
      "not before 2026-11-22, 2026-11-22T13:08, 90m",                         \
      "起始时间" },                                                           \
    { "to", "TIME",                                                           \
      "before this time",                                                     \
      "截止时间，不含" }


/* From the options of the command; what is wrong is reported. */
int gs_cli_filter_init(gs_cli_filter_t *filter, gs_cli_t *cli);

/* 1 if the record is asked for. */
int gs_cli_filter_match(const gs_cli_filter_t *filter, const gs_str_t *line);

/* The value of key in the line, its quotes taken off; empty if there is none.
 * object is as "\"http\":{", or empty for keys of the line itself. */
gs_str_t gs_cli_filter_value(const gs_str_t *line, const char *object,
    const char *key);

/* One line for people, or with --json the record itself. */
void gs_cli_audit_show(gs_cli_t *cli, const gs_str_t *line);


#endif /* _GS_CLI_AUDIT_FILTER_H_INCLUDED_ */
