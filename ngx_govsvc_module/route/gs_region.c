
/*
 * Copyright (C) govsvc authors
 *
 * The provinces and the forms in which a region is written.
 */


#include "route/gs_region.h"


const gs_region_t  gs_region_provinces[GS_REGION_PROVINCES] = {
    { 110000, "BJ", "bj", "beijing", "北京", "111" },
    { 120000, "TJ", "tj", "tianjin", "天津", "112" },
    { 130000, "HE", "he", "hebei", "河北", "113" },
    { 140000, "SX", "sx", "shanxi", "山西", "114" },
    { 150000, "NM", "nm", "neimenggu", "内蒙古", "115" },
    { 210000, "LN", "ln", "liaoning", "辽宁", "121" },
    { 220000, "JL", "jl", "jilin", "吉林", "122" },
    { 230000, "HL", "hl", "heilongjiang", "黑龙江", "123" },
    { 310000, "SH", "sh", "shanghai", "上海", "131" },
    { 320000, "JS", "js", "jiangsu", "江苏", "132" },
    { 330000, "ZJ", "zj", "zhejiang", "浙江", "133" },
    { 340000, "AH", "ah", "anhui", "安徽", "134" },
    { 350000, "FJ", "fj", "fujian", "福建", "135" },
    { 360000, "JX", "jx", "jiangxi", "江西", "136" },
    { 370000, "SD", "sd", "shandong", "山东", "137" },
    { 410000, "HA", "ha", "henan", "河南", "141" },
    { 420000, "HB", "hb", "hubei", "湖北", "142" },
    { 430000, "HN", "hn", "hunan", "湖南", "143" },
    { 440000, "GD", "gd", "guangdong", "广东", "144" },
    { 450000, "GX", "gx", "guangxi", "广西", "145" },
    { 460000, "HI", "hi", "hainan", "海南", "146" },
    { 500000, "CQ", "cq", "chongqing", "重庆", "150" },
    { 510000, "SC", "sc", "sichuan", "四川", "151" },
    { 520000, "GZ", "gz", "guizhou", "贵州", "152" },
    { 530000, "YN", "yn", "yunnan", "云南", "153" },
    { 540000, "XZ", "xz", "xizang", "西藏", "154" },
    { 610000, "SN", "sn", "shaanxi", "陕西", "161" },
    { 620000, "GS", "gs", "gansu", "甘肃", "162" },
    { 630000, "QH", "qh", "qinghai", "青海", "163" },
    { 640000, "NX", "nx", "ningxia", "宁夏", "164" },
    { 650000, "XJ", "xj", "xinjiang", "新疆", "165" },
    { 660000, NULL, "bt", "bingtuan", "兵团", "166" },
    { 710000, "TW", "tw", "taiwan", "台湾", "171" },
    { 810000, "HK", "hk", "xianggang", "香港", "181" },
    { 820000, "MO", "mo", "aomen", "澳门", "182" }
};


const gs_region_t *
gs_region_province(uint32_t code)
{
    unsigned  i;

    for (i = 0; i < GS_REGION_PROVINCES; i++) {
        if (gs_region_provinces[i].code / 10000 == code / 10000) {
            return &gs_region_provinces[i];
        }
    }

    return NULL;
}


const gs_region_t *
gs_region_iso(const gs_str_t *s)
{
    unsigned     i;
    gs_str_t     suffix, country;
    const char  *iso;

    suffix = *s;

    if (s->len == 5) {
        country = gs_str_make(s->data, 3);

        if (!gs_str_case_eq_text(&country, "CN-")) {
            return NULL;
        }

        suffix = gs_str_make(s->data + 3, 2);
    }

    for (i = 0; i < GS_REGION_PROVINCES; i++) {
        iso = gs_region_provinces[i].iso;

        if (iso != NULL && gs_str_case_eq_text(&suffix, iso)) {
            return &gs_region_provinces[i];
        }
    }

    return NULL;
}


const gs_region_t *
gs_region_slug(const gs_str_t *s)
{
    unsigned            i;
    const gs_region_t  *region;

    /* "bt" to "heilongjiang" */

    if (s->len < 2 || s->len > 12 || s->data[0] < 'a' || s->data[0] > 'z') {
        return NULL;
    }

    for (i = 0; i < GS_REGION_PROVINCES; i++) {
        region = &gs_region_provinces[i];

        if (region->pinyin[0] != (char) s->data[0]
            && region->slug[0] != (char) s->data[0])
        {
            continue;
        }

        if (gs_str_eq_text(s, region->slug)
            || gs_str_eq_text(s, region->pinyin))
        {
            return region;
        }
    }

    return NULL;
}


gs_rc_t
gs_region_digits(const gs_str_t *s, uint32_t *code)
{
    size_t    i;
    uint32_t  value;

    if (s->len != 2 && s->len != 4 && s->len != 6 && s->len != 9
        && s->len != 12)
    {
        return GS_DECLINED;
    }

    value = 0;

    for (i = 0; i < s->len; i++) {

        if (!gs_is_digit(s->data[i])) {
            return GS_DECLINED;
        }

        if (i < 6) {
            value = value * 10 + (uint32_t) (s->data[i] - '0');
        }
    }

    for (i = s->len; i < 6; i++) {
        value *= 10;
    }

    *code = value;

    return GS_OK;
}


uint32_t
gs_region_parent(uint32_t code)
{
    if (code % 100 != 0) {
        return code / 100 * 100;
    }

    if (code % 10000 != 0) {
        return code / 10000 * 10000;
    }

    return 0;
}


void
gs_region_print(gs_uchar_t dst[6], uint32_t code)
{
    unsigned  i;

    for (i = 6; i > 0; i--) {
        dst[i - 1] = (gs_uchar_t) ('0' + code % 10);
        code /= 10;
    }
}
