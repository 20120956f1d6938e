
/*
 * Copyright (C) govsvc authors
 *
 * Listings: a text that begins as a whole statement, a stack trace, a
 * difference, a script, a file of settings or a command of administration
 * does, that is fenced as code, or whose lines end as those of code do.  What
 * people paste into a ticket; an injection goes on from a value.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_LISTING_MAX    4096       /* bytes searched */
#define GS_GUARD_LISTING_LINES  3
#define GS_GUARD_LISTING_LEN    60         /* of these lines */


typedef struct {
    const char  *begin;                    /* lower case */
    const char  *behind;                   /* must follow somewhere, or NULL */
} gs_guard_listing_t;


static int gs_guard_listing_among(const gs_uchar_t *p, const gs_uchar_t *last,
    const gs_guard_listing_t *l);
static int gs_guard_listing_begins(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *word);
static int gs_guard_listing_holds(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *word);
static int gs_guard_listing_trace(const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_listing_log(const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_listing_tool(const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_listing_cron(const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_listing_lines(const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_listing_code(const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_listing_option(const gs_uchar_t *p,
    const gs_uchar_t *last);
static int gs_guard_listing_in(const char *set, int c);
static int gs_guard_listing_space(int c);
static int gs_guard_listing_block(const gs_uchar_t *p, const gs_uchar_t *last);


static const gs_guard_listing_t  gs_guard_statements[] = {
    { "select ", " from " },
    { "insert into ", " values" },
    { "insert into ", "select " },
    { "update ", " set " },
    { "delete from ", " where " },
    { "create table ", "(" },
    { "create index ", " on " },
    { "alter table ", NULL },
    { "explain select ", " from " },
    { "with ", " as (select " },
    { "create or replace ", " as" },
    { "drop table if exists ", "create table " },
    { "declare @", ";" },
    { "exec sp_help", NULL },
    { "exec sp_", "'" },
    { "call ", "(" },
    { "merge into ", " using " },
    { "show create ", " " },
    { "truncate table ", NULL },
    { "drop table ", NULL },
    { "grant ", " to " },
    { "replace into ", " values" },
    { "if exists (select ", " from " },
    { "if not exists (select ", " from " },
    { "create view ", " as" },
    { "create unique index ", " on " },
    { "create procedure ", "begin" },
    { "create trigger ", " on " },
    { "comment on ", " is " },
    { "select ", "case when " },
    { "where ", " = " },
    { "where ", " in " },
    { "from ", " join " },
    { "begin transaction", ";" },
    { "db.", "({" },
    { "db.", "([{" },
    { "start transaction", ";" },
    { NULL, NULL }
};


static const gs_guard_listing_t  gs_guard_listings[] = {
    { "traceback (most recent call last)", NULL },
    { "caused by: ", NULL },
    { "exception in thread ", NULL },
    { "php fatal error: ", NULL },
    { "php warning: ", NULL },
    { "ora-", "sql" },
    { "you have an error in your sql syntax", NULL },
    { "diff --git ", "\n@@ " },
    { "--- ", "\n+++ " },
    { "#!/", "\n" },
    { "package ", ";" },
    { "import ", "\n" },
    { "public class ", "{" },
    { "from ", " import " },
    { "def ", ":\n" },
    { "function ", "{" },
    { "const ", "=" },
    { "#include", "\n" },
    { "error: ", NULL },
    { "exception: ", NULL },
    { "fatal error: ", NULL },
    { "notice: ", NULL },
    { "warning: ", NULL },
    { "uncaught ", NULL },
    { "npm err! ", NULL },
    { "$(document).", "});" },
    { "$(function", "});" },
    { "settimeout(function", "}" },
    { "if [ ", "; then" },
    { "for ", "; do" },
    { "while ", "; do" },
    { "get /", " http/1." },
    { "post /", " http/1." },
    { "```", "\n" },
    { "mysql> ", NULL },
    { "sql> ", NULL },
    { "postgres=# ", NULL },
    { ">>> ", NULL },
    { "ps c:\\", "> " },
    { "c:\\", "> " },
    { "d:\\", "> " },
    { "[root@", "]# " },
    { "root@", "# " },
    { "@echo off", "\n" },
    { "<?xml ", "?>" },
    { "[[ ", "]] " },
    { "[ ", " ] " },
    { "| ", "\n| -" },
    { "|", "\n|-" },
    { NULL, NULL }
};


/* Tools that run a system, and that nobody reaches by an injection first. */

static const char *const  gs_guard_listing_tools[] = {
    "./bin/", "./gradlew ", "./mvnw ", "./start", "ab -n", "adb ", "airflow ",
    "aliyun ", "ansible ", "ansible-playbook ", "apt ", "apt-get ", "bin/",
    "brew ", "cargo ", "cd /data", "cd /home/", "cd /opt", "cd /usr/",
    "certbot ", "chkconfig ", "chmod ", "choco ", "chown ", "chown -r ",
    "cmake ", "composer ", "conda ", "consul ", "crictl ", "crontab -", "ctr ",
    "date +", "deno ", "df -", "dnf ", "docker ", "docker-compose ", "dotnet ",
    "du -", "echo $", "echo '", "echo \"", "etcdctl ", "export ", "find . ",
    "firewall-cmd ", "flink ", "flyway ", "free -", "git ", "go build",
    "go get", "go mod", "gradle ", "grep -r", "hadoop ", "hbase ", "hdfs ",
    "helm ", "hive ", "ifconfig eth", "influx ", "ipconfig /", "iptables ",
    "java -", "java -jar ", "jcmd ", "jinfo ", "jmap ", "journalctl ", "jps ",
    "jstack ", "jstat ", "kafka-", "keytool ", "kinit ", "kubectl ",
    "ldapadd ", "ldapsearch ", "lsof -i", "mkdir ", "mongo ", "mongodump ",
    "mongosh ", "mount -t ", "mvn ", "mysql -h", "mysql -u", "mysqladmin ",
    "mysqldump ", "nerdctl ", "net start ", "net stop ", "net use ", "netsh ",
    "netstat -", "nginx -", "node app", "nohup ", "nohup java ", "npm ",
    "npx ", "openssl ", "openssl s_client -connect ", "openssl x509 ",
    "ossutil ", "pg_dump ", "pip ", "pip install ", "pip3 ", "pip3 install ",
    "pm2 ", "pnpm ", "podman ", "powershell -command ",
    "powershell -executionpolicy ", "powershell -file ", "ps -ef ", "ps aux ",
    "psql ", "python -m ", "python manage.py", "python3 -m ", "redis-cli ",
    "redis-server ", "regsvr32 ", "route ", "rsync ", "sc config", "sc create",
    "sc query", "scp ", "sed -i", "service ", "sestatus", "setenforce ",
    "source /etc/profile", "spark-submit ", "sqlplus ", "ss -", "ssh ",
    "ssh-keygen", "sudo ", "svn ", "sysctl ", "systemctl ", "tail -f ",
    "tail -n", "tar -", "tar xzf ", "tar zxvf ", "taskkill ", "tcpdump ",
    "telnet ", "terraform ", "tnsping ", "top -", "traceroute ", "tracert ",
    "ulimit ", "unzip ", "useradd ", "vi ", "vim ", "wrk ", "yarn ", "yum ",
    "zip -", "zkserver", NULL
};


int
gs_guard_listing(const gs_str_t *text, int statements)
{
    const gs_uchar_t  *p, *last;

    p = text->data;
    last = p + (text->len < GS_GUARD_LISTING_MAX ? text->len
                                                 : GS_GUARD_LISTING_MAX);

    while (p < last && gs_guard_listing_space(*p)) {
        p++;
    }

    if (gs_guard_listing_lines(p, last)) {
        return 1;
    }

    if (p == last
        || (!gs_is_alpha(*p) && !gs_is_digit(*p)
            && !gs_guard_listing_in("-#/`|*$@[<>.", *p)))
    {
        return 0;
    }

    if (statements && gs_guard_listing_among(p, last, gs_guard_statements)
        && (last - p == GS_GUARD_LISTING_MAX
            || gs_guard_program_whole(p, last)))
    {
        return 1;
    }

    return gs_guard_listing_among(p, last, gs_guard_listings)
           || gs_guard_listing_tool(p, last)
           || gs_guard_listing_cron(p, last)
           || gs_guard_listing_trace(p, last)
           || gs_guard_listing_log(p, last)
           || gs_guard_listing_block(p, last);
}


static int
gs_guard_listing_among(const gs_uchar_t *p, const gs_uchar_t *last,
    const gs_guard_listing_t *l)
{
    for ( /* void */ ; l->begin != NULL; l++) {
        if (gs_guard_listing_begins(p, last, l->begin)
            && (l->behind == NULL
                || gs_guard_listing_holds(p, last, l->behind)))
        {
            return 1;
        }
    }

    return 0;
}


static int
gs_guard_listing_begins(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *word)
{
    for (/* void */; *word != '\0'; word++, p++) {

        if (p == last) {
            return 0;
        }

        if (gs_to_lower(*p) != *word
            && !(*word == ' ' && (*p == '\n' || *p == '\r' || *p == '\t')))
        {
            return 0;
        }
    }

    return 1;
}


static int
gs_guard_listing_holds(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *word)
{
    for (/* void */; p < last; p++) {
        if (gs_guard_listing_begins(p, last, word)) {
            return 1;
        }
    }

    return 0;
}


/* "a.b.CException: message", and a line below it. */

static int
gs_guard_listing_trace(const gs_uchar_t *p, const gs_uchar_t *last)
{
    unsigned           dots;
    const gs_uchar_t  *start;

    dots = 0;
    start = p;

    while (p < last && (gs_is_alpha(*p) || gs_is_digit(*p) || *p == '.'
                        || *p == '_' || *p == '$'))
    {
        dots += (*p == '.');
        p++;
    }

    if (dots < 2 || p == last || *p != ':' || p - start < 12) {
        return 0;
    }

    return gs_guard_listing_begins(p - 9, p, "exception")
           || gs_guard_listing_begins(p - 5, p, "error");
}


/*
 * A line of a log: it begins with a day and a time, an address and "- - [", or
 * a month, a day and a time.
 */

static int
gs_guard_listing_log(const gs_uchar_t *p, const gs_uchar_t *last)
{
    unsigned            i;
    const char *const  *form;

    static const char *const  forms[] = {
        "0000-00-00 00:00:00", "0000-00-00t00:00:00", "0000/00/00 00:00:00",
        "[0000-00-00 00:00:00", "aaa 00 00:00:00 ", "aaa  0 00:00:00 ",
        "[00/aaa/0000:00:00:00", "[aaa aaa 00 00:00:00 ", NULL
    };

    for (form = forms; *form != NULL; form++) {

        for (i = 0; (*form)[i] != '\0' && p + i < last; i++) {
            if ((*form)[i] == '0' ? !gs_is_digit(p[i])
                : (*form)[i] == 'a' ? !gs_is_alpha(p[i])
                : gs_to_lower(p[i]) != (*form)[i])
            {
                break;
            }
        }

        if ((*form)[i] == '\0') {
            return last - p > GS_GUARD_LISTING_LEN;
        }
    }

    while (p < last && (gs_is_digit(*p) || *p == '.' || *p == ':')) {
        p++;
    }

    return gs_guard_listing_begins(p, last, " - - [")
           || gs_guard_listing_begins(p, last, " - - \"");
}


/* A line of words that ends with ":" or "{", the next one further right. */

static int
gs_guard_listing_block(const gs_uchar_t *p, const gs_uchar_t *last)
{
    while (p < last && (gs_is_alpha(*p) || gs_is_digit(*p) || *p == '_'
                        || *p == '-' || *p == '.' || *p == ' ' || *p == '/'))
    {
        p++;
    }

    if (last - p < 4 || (*p != ':' && *p != '{')) {
        return 0;
    }

    p++;

    if (*p == '\r') {
        p++;
    }

    return *p == '\n' && last - p > 3 && p[1] == ' ' && p[2] == ' ';
}


static int
gs_guard_listing_tool(const gs_uchar_t *p, const gs_uchar_t *last)
{
    const char *const  *tool;

    for (tool = gs_guard_listing_tools; *tool != NULL; tool++) {
        if (gs_guard_listing_begins(p, last, *tool)) {
            return 1;
        }
    }

    return 0;
}


/* Five fields of a time, and a command. */

static int
gs_guard_listing_cron(const gs_uchar_t *p, const gs_uchar_t *last)
{
    unsigned           n;
    const gs_uchar_t  *start;

    for (n = 0; n < 5; n++) {

        start = p;

        while (p < last
               && (gs_is_digit(*p) || gs_guard_listing_in("*/,-", *p)))
        {
            p++;
        }

        if (p == start || p == last || *p != ' ') {
            return 0;
        }

        p++;
    }

    return p < last && (*p == '/' || gs_is_alpha(*p));
}


/* Several lines, more than half of them as lines of code or steps. */

static int
gs_guard_listing_lines(const gs_uchar_t *p, const gs_uchar_t *last)
{
    size_t             len;
    unsigned           lines, code;
    const gs_uchar_t  *start, *end;

    len = 0;
    lines = 0;
    code = 0;

    while (p < last) {

        start = p;

        while (p < last && *p != '\n') {
            p++;
        }

        end = p;
        p += (p < last);

        while (end > start && gs_guard_listing_space(end[-1])) {
            end--;
        }

        if (end == start) {
            continue;
        }

        lines++;
        len += (size_t) (end - start);
        code += gs_guard_listing_code(start, end);
    }

    return lines >= GS_GUARD_LISTING_LINES && len >= GS_GUARD_LISTING_LEN
           && code * 2 > lines;
}


/* Further right, or with the end or the beginning that lines of code have. */

static int
gs_guard_listing_code(const gs_uchar_t *p, const gs_uchar_t *last)
{
    if (*p == ' ' || *p == '\t') {
        return 1;
    }

    if (last - p > 2 && gs_is_digit(p[0]) && (p[1] == ')' || p[1] == '.')) {
        return 1;
    }

    if (gs_guard_listing_in(";{}(),:>\\&|]", last[-1])) {
        return 1;
    }

    if (gs_guard_listing_holds(p, last, " && ")
        || gs_guard_listing_option(p, last))
    {
        return 1;
    }

    if (last - p < 2) {
        return 0;
    }

    return (gs_guard_listing_in("$#@}>", *p)
            && (p[1] == ' ' || gs_is_alpha(p[1])))
           || (p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '/');
}


/* A word that begins with "-" behind one that does not. */

static int
gs_guard_listing_option(const gs_uchar_t *p, const gs_uchar_t *last)
{
    for (/* void */; last - p > 3; p++) {
        if (p[0] == ' ' && p[1] == '-'
            && (gs_is_alpha(p[2]) || (p[2] == '-' && gs_is_alpha(p[3]))))
        {
            return 1;
        }
    }

    return 0;
}


static int
gs_guard_listing_in(const char *set, int c)
{
    return c != '\0' && strchr(set, c) != NULL;
}


static int
gs_guard_listing_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
