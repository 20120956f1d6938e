
/*
 * Copyright (C) govsvc authors
 *
 * Kinds of attack: what they are called, by the names of GB/T 20986-2023,
 * and what is to be done about them.
 */


#include "audit/gs_audit_event.h"


#define GS_AUDIT_EXPLOIT \
    "核对被攻击系统是否存在该漏洞，查看同一来源的其他请求，必要时封禁来源" \
    "；误报时用 govsvc_rule_off 排除。", \
    "Check whether the system attacked has this flaw, look at other " \
    "requests of the source, ban it if need be; exclude a false alarm with " \
    "govsvc_rule_off."

#define GS_AUDIT_FILES \
    "立即在目标服务器上查找新增或被改动的文件，隔离可疑主机，保留证据。", \
    "Look for new or changed files on the target now, isolate a suspicious " \
    "host, keep the evidence."

#define GS_AUDIT_SOURCE \
    "核实来源是否为授权的检测；不是则观察并封禁来源。", \
    "Find out whether the source is an authorised test; if not, watch and " \
    "ban it."

#define GS_AUDIT_LEAK \
    "立即确认泄露的内容与范围，必要时下线接口，按规定时限报告。", \
    "Establish at once what leaked and how much, take the interface down if " \
    "need be, report within the legal time."

#define GS_AUDIT_SECRET \
    "联系应用或账号的所有者，核实密钥或凭证是否泄露；是则立即更换并吊销。", \
    "Ask the owner of the application or account whether the key or " \
    "credential has leaked; if so replace and revoke it now."

#define GS_AUDIT_DATA \
    "核对该来源查到的数据，限制其查询速率，必要时封禁并按数据安全事件处置" \
    "。", \
    "Check what the source has obtained, limit its rate, ban it if need be " \
    "and treat it as a data security incident."

#define GS_AUDIT_ACCOUNT \
    "联系账号所有者核实；不是本人则吊销凭证并要求重新认证。", \
    "Ask the owner of the account; if it was somebody else revoke the " \
    "credential and ask for new proof."

#define GS_AUDIT_LOAD \
    "确认业务是否受影响，核对限流设置，必要时联系运营商清洗流量。", \
    "See whether services suffer, check the limits, ask the carrier to " \
    "scrub the traffic if need be."

#define GS_AUDIT_BAN \
    "核实封禁是否恰当；误封时在管理接口解除。", \
    "Check whether the ban is right; lift a mistaken one through the " \
    "administration interface."

#define GS_AUDIT_REVOKED \
    "核实吊销的原因与范围；密钥被吊销时按密钥泄露处置。", \
    "Check why it was revoked and what else it reaches; treat a revoked key " \
    "as one that leaked."

#define GS_AUDIT_INSTANCE \
    "联系平台运维人员核查实例，确认是故障还是攻击所致。", \
    "Have the operators of the platform look at the instance: a fault, or " \
    "the work of an attack."

#define GS_AUDIT_ENGINE \
    "查看错误日志中的规则编号，调整规则或时间预算。", \
    "Find the rule in the error log and adjust it or the budget."

#define GS_AUDIT_TAMPER \
    "立即保全现场，核对服务器登录记录，用 govsvc audit " \
    "verify 检查审计库，按规定报告。", \
    "Preserve the machine as it is, check who was on it, verify the store " \
    "with govsvc audit verify, report as the law asks."

#define GS_AUDIT_LOSS \
    "检查磁盘空间与写入速度，用 govsvc audit verify " \
    "查看丢失范围。", \
    "Check disk space and speed, see what is missing with govsvc audit " \
    "verify."


static const gs_audit_attack_t  gs_audit_attacks[] = {

    { "sqli", "网络攻击", "漏洞利用", "SQL 注入",
      "SQL injection", 3, GS_AUDIT_EXPLOIT },

    { "xss", "网络攻击", "漏洞利用", "跨站脚本",
      "cross-site scripting", 2, GS_AUDIT_EXPLOIT },

    { "shell", "网络攻击", "漏洞利用", "命令注入",
      "command injection", 4, GS_AUDIT_EXPLOIT },

    { "traversal", "网络攻击", "漏洞利用", "目录遍历",
      "path traversal", 3, GS_AUDIT_EXPLOIT },

    { "inclusion", "网络攻击", "漏洞利用", "文件包含",
      "file inclusion", 3, GS_AUDIT_EXPLOIT },

    { "php", "网络攻击", "漏洞利用", "PHP 代码注入",
      "PHP code injection", 3, GS_AUDIT_EXPLOIT },

    { "java", "网络攻击", "漏洞利用", "Java 代码注入",
      "Java code injection", 4, GS_AUDIT_EXPLOIT },

    { "template", "网络攻击", "漏洞利用", "模板注入",
      "template injection", 3, GS_AUDIT_EXPLOIT },

    { "ssrf", "网络攻击", "漏洞利用", "服务端请求伪造",
      "server-side request forgery", 3, GS_AUDIT_EXPLOIT },

    { "xxe", "网络攻击", "漏洞利用", "XML 外部实体",
      "XML external entity", 3, GS_AUDIT_EXPLOIT },

    { "nosql", "网络攻击", "漏洞利用", "NoSQL 注入",
      "NoSQL injection", 3, GS_AUDIT_EXPLOIT },

    { "ldap", "网络攻击", "漏洞利用", "LDAP 注入",
      "LDAP injection", 3, GS_AUDIT_EXPLOIT },

    { "xpath", "网络攻击", "漏洞利用", "XPath 注入",
      "XPath injection", 3, GS_AUDIT_EXPLOIT },

    { "crlf", "网络攻击", "漏洞利用", "响应头注入",
      "header injection", 2, GS_AUDIT_EXPLOIT },

    { "known", "网络攻击", "漏洞利用", "已知漏洞利用",
      "exploit of a known vulnerability", 4, GS_AUDIT_EXPLOIT },

    { "upload", "网络攻击", "后门植入", "恶意文件上传",
      "malicious upload", 3, GS_AUDIT_FILES },

    { "webshell", "网络攻击", "后门利用", "网页后门",
      "web shell", 4, GS_AUDIT_FILES },

    { "recon", "网络攻击", "网络扫描探测", "扫描探测",
      "reconnaissance", 2, GS_AUDIT_SOURCE },

    { "scanner", "网络攻击", "网络扫描探测", "漏洞扫描器",
      "vulnerability scanner", 2, GS_AUDIT_SOURCE },

    { "protocol", "网络攻击", "其他网络攻击", "协议异常",
      "protocol violation", 2, GS_AUDIT_SOURCE },

    { "evasion", "网络攻击", "其他网络攻击", "绕过检测",
      "evasion", 3, GS_AUDIT_EXPLOIT },

    { "hidden", "异常行为", "访问异常", "访问隐藏资源",
      "access to a hidden resource", 1, GS_AUDIT_SOURCE },

    { "leak", "数据安全", "数据泄露", "响应数据泄露",
      "data leakage in an answer", 4, GS_AUDIT_LEAK },

    { "signature", "网络攻击", "凭据攻击", "应用签名伪造",
      "forged application signature", 3, GS_AUDIT_SECRET },

    { "replay", "网络攻击", "凭据攻击", "请求重放",
      "replayed request", 3, GS_AUDIT_SECRET },

    { "token", "网络攻击", "凭据攻击", "登录凭证伪造",
      "forged token", 2, GS_AUDIT_SECRET },

    { "throttle", "网络攻击", "凭据攻击", "凭证猜测",
      "guessing of credentials", 3, GS_AUDIT_SECRET },

    { "stuffing", "网络攻击", "凭据攻击", "撞库",
      "credential stuffing", 3, GS_AUDIT_SECRET },

    { "brute-force", "网络攻击", "凭据攻击", "暴力破解",
      "brute force", 3, GS_AUDIT_SECRET },

    { "enumeration", "数据安全", "数据窃取", "遍历查询",
      "enumeration of identifiers", 3, GS_AUDIT_DATA },

    { "account", "异常行为", "访问异常", "账号异地异常使用",
      "impossible travel of an account", 3, GS_AUDIT_ACCOUNT },

    { "flood", "网络攻击", "拒绝服务", "洪泛",
      "flood", 3, GS_AUDIT_LOAD },

    { "correlation", "异常行为", "访问异常", "关联分析告警",
      "correlated behaviour", 3, GS_AUDIT_SOURCE },

    { "ban", "网络攻击", "其他网络攻击", "封禁",
      "ban", 3, GS_AUDIT_BAN },

    { "refused", "异常行为", "访问异常", "请求被拒绝",
      "refused requests", 1, GS_AUDIT_SOURCE },

    { "engine", "其他", "其他", "检测引擎异常",
      "detection engine", 2, GS_AUDIT_ENGINE },

    { "tamper", "数据安全", "数据篡改", "审计文件被删改",
      "tampering with the audit store", 4, GS_AUDIT_TAMPER },

    { "loss", "设备设施故障", "其他", "审计记录丢失",
      "loss of audit records", 3, GS_AUDIT_LOSS },

    { "revocation", "网络攻击", "凭据攻击", "凭证吊销",
      "revocation", 1, GS_AUDIT_REVOKED },

    { "instance", "设备设施故障", "技术故障", "实例状态变化",
      "state of an instance", 2, GS_AUDIT_INSTANCE },

    { "other", "其他", "其他", "其他",
      "other", 2, GS_AUDIT_SOURCE }
};


#define GS_AUDIT_ATTACKS                                                     \
    (sizeof(gs_audit_attacks) / sizeof(gs_audit_attacks[0]))


const gs_audit_attack_t *
gs_audit_attack(const gs_str_t *name)
{
    unsigned  i;

    for (i = 0; i < GS_AUDIT_ATTACKS - 1; i++) {
        if (gs_str_eq_text(name, gs_audit_attacks[i].name)) {
            break;
        }
    }

    return &gs_audit_attacks[i];
}


const gs_audit_attack_t *
gs_audit_attack_at(unsigned i)
{
    return (i < GS_AUDIT_ATTACKS) ? &gs_audit_attacks[i] : NULL;
}


unsigned
gs_audit_attack_number(const char *name)
{
    gs_str_t  s;

    if (name == NULL) {
        return 0;
    }

    s = gs_str_text(name);

    return (unsigned) (gs_audit_attack(&s) - gs_audit_attacks) + 1;
}


const char *
gs_audit_attack_name(unsigned number)
{
    return (number == 0 || number > GS_AUDIT_ATTACKS)
           ? NULL : gs_audit_attacks[number - 1].name;
}
