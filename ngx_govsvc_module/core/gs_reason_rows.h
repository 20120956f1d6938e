
/*
 * Copyright (C) govsvc authors
 *
 * One row for each cause of a refusal: status, code, what the caller reads
 * and who must act, in Chinese and English.  Included where gs_reason() is
 * defined, in the order of ngx_http_govsvc_reason_e; documented in
 * docs/reasons.md, which lint compares.
 */


#ifndef _GS_REASON_ROWS_H_INCLUDED_
#define _GS_REASON_ROWS_H_INCLUDED_


gs_reason(400, "URI_UNSAFE",
    "网址中含有不允许的编码或路径写法，请从首页重新进入。",
    "The address contains an encoding or path form that is not allowed. "
    "Please start again from the home page.",
    "调用方", "caller"),

gs_reason(404, "ROUTE_NOT_FOUND",
    "没有找到与该网址对应的政务服务，请检查网址或从首页重新查找。",
    "No government service stands under this address. Please check the "
    "address or search again from the home page.",
    "调用方或运维", "caller, or operations"),

gs_reason(404, "REGION_UNKNOWN",
    "没有识别出所请求的地区，请重新选择省、市、县。",
    "The region of this request is not known. Please choose the province, "
    "city or county again.",
    "调用方或运维", "caller, or operations"),

gs_reason(404, "ITEM_UNKNOWN",
    "没有找到该政务服务事项，请检查事项编码。",
    "This service item was not found. Please check the item code.",
    "调用方或省级平台", "caller, or the province"),

gs_reason(503, "PLATFORM_MAINTENANCE",
    "该地区政务服务平台正在维护，请稍后再试。",
    "The platform of this region is under maintenance. Please try again "
    "later.",
    "等待", "nobody: wait"),

gs_reason(503, "PLATFORM_CLOSED",
    "该地区政务服务平台暂停服务。",
    "The platform of this region is closed for now.",
    "省级平台", "the province"),

gs_reason(503, "PLATFORM_UNAVAILABLE",
    "该地区政务服务平台暂时无法访问，请稍后再试。",
    "The platform of this region cannot be reached at the moment. Please "
    "try again later.",
    "省级平台", "the province"),

gs_reason(403, "BANNED",
    "由于此前的异常访问，暂时不能使用本服务。"
    "如有疑问，请将下面的编号告知客服。",
    "Access is suspended for a while because of earlier unusual requests. "
    "If this is a mistake, please give the number below to the service "
    "desk.",
    "安全人员（如属误封）", "security staff, if it is a mistake"),

gs_reason(403, "RULE_BLOCKED",
    "请求被安全规则拦截。如属误拦，请将下面的编号告知客服。",
    "A security rule has refused this request. If this is a mistake, "
    "please give the number below to the service desk.",
    "安全人员", "security staff"),

gs_reason(503, "GUARD_UNAVAILABLE",
    "安全检查暂时无法完成，请稍后再试。",
    "The security check could not be completed. Please try again later.",
    "运维", "operations"),

gs_reason(429, "RATE_LIMITED",
    "访问过于频繁，请稍后再试。",
    "Too many requests. Please try again later.",
    "调用方", "caller"),

gs_reason(503, "LIMIT_UNAVAILABLE",
    "访问人数过多，请稍后再试。",
    "The service is crowded. Please try again later.",
    "运维", "operations"),

gs_reason(429, "CONN_LIMITED",
    "同时处理的请求过多，请等前面的请求完成后再试。",
    "Too many requests at once. Please wait until the others are done.",
    "调用方", "caller"),

gs_reason(429, "QUOTA_EXCEEDED",
    "本期的调用额度已用完，请在下一期开始后再试。",
    "The quota of this period is used up. Please try again in the next.",
    "调用方", "caller"),

gs_reason(401, "AUTH_REQUIRED",
    "请先登录后再访问。",
    "Please sign in first.",
    "调用方", "caller"),

gs_reason(400, "TOKEN_MALFORMED",
    "登录凭证格式不正确，请重新登录。",
    "The credential is malformed. Please sign in again.",
    "调用方", "caller"),

gs_reason(401, "TOKEN_INVALID",
    "登录凭证无效，请重新登录。",
    "The credential is not valid. Please sign in again.",
    "调用方", "caller"),

gs_reason(401, "TOKEN_EXPIRED",
    "登录已过期，请重新登录。",
    "Your session has expired. Please sign in again.",
    "调用方", "caller"),

gs_reason(401, "STEP_UP",
    "办理该事项需要更高的实名认证等级，请完成认证后再试。",
    "This service needs a higher level of identity assurance. Please "
    "verify your identity and try again.",
    "公民", "citizen"),

gs_reason(403, "FORBIDDEN",
    "当前账号没有访问该服务的权限。",
    "This account may not use this service.",
    "调用方或运维", "caller, or operations"),

gs_reason(503, "AUTH_UNAVAILABLE",
    "身份核验暂时无法完成，请稍后再试。",
    "The credential could not be checked. Please try again later.",
    "运维", "operations"),

gs_reason(503, "AUDIT_UNAVAILABLE",
    "系统暂时无法受理办理类请求，查询不受影响，请稍后再试。",
    "Requests that change something cannot be taken at the moment. Please "
    "try again later.",
    "运维", "operations"),

gs_reason(400, "APP_MALFORMED",
    "签名请求头不完整、重复或格式不正确，请按接口文档重新签名。",
    "The headers of the signature are incomplete, doubled or "
    "malformed. Please sign again as the interface describes.",
    "调用方", "caller"),

gs_reason(401, "APP_INVALID",
    "应用签名无效，请核对应用标识、密钥和签名算法。",
    "The signature of the application is not valid. Please check its "
    "identifier, secret and algorithm.",
    "调用方", "caller"),

gs_reason(401, "CLOCK_SKEW",
    "请求时间与服务器时间相差过大，请校准时钟后重试。",
    "The time of the request is too far from ours. Please set your "
    "clock and try again.",
    "调用方", "caller"),

gs_reason(401, "REPLAY",
    "该请求已经提交过，请更换随机数重新签名。",
    "This request was received before. Please sign again with a new "
    "nonce.",
    "调用方或安全人员", "caller, or security"),

gs_reason(401, "APP_EXPIRED",
    "该应用的接入授权已到期，请联系平台续期。",
    "The access of this application has expired. Please ask the "
    "platform to renew it.",
    "调用方联系运维", "caller, then operations"),

gs_reason(403, "APP_FORBIDDEN",
    "该应用无权从当前地址访问，或无权访问该服务。",
    "This application may not call from this address, or may not use "
    "this service.",
    "调用方或运维", "caller, or operations"),

gs_reason(401, "APP_DIGEST",
    "请求内容与签名中的摘要不一致。",
    "The content of the request does not match its signed digest.",
    "调用方或安全人员", "caller, or security"),

gs_reason(413, "APP_BODY",
    "签名请求的内容过大。",
    "The content of the signed request is too large.",
    "调用方", "caller"),

gs_reason(429, "AUTH_THROTTLED",
    "无效的登录凭证过多，请稍后重新登录。",
    "Too many credentials that are not valid. Please sign in again in a "
    "moment.",
    "调用方", "caller"),

gs_reason(500, "INTERNAL",
    "系统内部错误，请稍后再试。",
    "An internal error occurred. Please try again later.",
    "运维", "operations")


#endif /* _GS_REASON_ROWS_H_INCLUDED_ */
