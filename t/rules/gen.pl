#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Writes a corpus of requests to measure the rules on: attacks of payload/*,
# each at several places and in several spellings, or ordinary traffic of a
# portal for citizens, made from the words below.
#
#   t/rules/gen.pl attack|benign [SEED] > FILE
#
# Each request stands behind a line "=== LABEL-CLASS NUMBER" and is followed
# by a line feed, as "govsvc rules check --corpus" reads it.  The same seed
# gives the same bytes.

use strict;
use warnings;
use utf8;

use Cwd 'abs_path';
use Encode 'encode';
use File::Basename;
use MIME::Base64;

my ($label, $seed) = (@ARGV, 1);

die "usage: gen.pl attack|benign [SEED]\n"
    if !defined $label || $label !~ /^(?:attack|benign)$/;

my $dir = dirname(abs_path($0)) . '/payload';
my $state = $seed * 2654435761 % 4294967296;
my $number = 0;

binmode STDOUT;

my @agents = (
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, '
        . 'like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0',
    'Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like '
        . 'Gecko) Chrome/86.0.4240.198 Safari/537.36 SE 2.X MetaSr 1.0',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) '
        . 'AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 '
        . 'MicroMessenger/8.0.44(0x18002c2d) NetType/WIFI Language/zh_CN',
    'Mozilla/5.0 (Linux; Android 13; V2254A; wv) AppleWebKit/537.36 (KHTML, '
        . 'like Gecko) Version/4.0 Chrome/111.0.5563.116 Mobile '
        . 'Safari/537.36 AlipayClient/10.5.60 Language/zh-Hans',
    'Mozilla/5.0 (X11; Linux x86_64; UOS) AppleWebKit/537.36 (KHTML, like '
        . 'Gecko) Chrome/108.0.5359.125 Safari/537.36',
);

my @surnames = split //, '王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯';
my @given = qw(伟 芳 娜 秀英 敏 静 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 桂兰 建国 晓东 海燕
    志强 雪梅 文博 子轩 梓涵 阿依古丽 卓玛 巴特尔);
my @places = qw(广东省广州市天河区 北京市海淀区中关村 上海市浦东新区 四川省成都市武侯区
    新疆维吾尔自治区乌鲁木齐市 内蒙古自治区呼和浩特市 湖南省长沙市岳麓区 浙江省杭州市西湖区
    江苏省南京市鼓楼区 西藏自治区拉萨市城关区 黑龙江省哈尔滨市道里区 福建省厦门市思明区);
my @roads = qw(人民路 解放大道 中山东路 建设街 文化路 和平里 新华南路 滨江大道);
my @matters = qw(居民身份证换领 户口迁移 不动产登记 公积金提取 社会保险转移 企业设立登记
    食品经营许可证 出生医学证明 结婚登记预约 机动车驾驶证补领 律师执业许可 建筑工程施工许可
    医保异地就医备案 残疾人证申领 小型客车指标 高龄津贴 失业保险金 护士执业注册 营业执照变更
    生育登记 老年优待证 住房补贴 税务登记 道路运输经营许可 民办学校设立);
my @phrases = (
    '请问办理需要哪些材料？', '材料已上传，请尽快审核，谢谢！', '因工作调动申请户口迁移。',
    '本人承诺所填内容真实有效。', '电话打不通，能不能网上预约？', '孩子上学要用，比较急',
    '收费标准是多少（元/平方米）', '办理时限：5个工作日；收费：0元', '原件丢失，需要补办',
    '同意;已核对', '已核实&同意办理', '面积>=90㎡且<=144㎡', '房价在1000~2000元之间',
    '备注：甲方/乙方', '100% 属实', '经办人“小王”说可以', "it's ok", "O'Brien 外籍人士",
    '文件编号[2026]12号', '依据《中华人民共和国行政许可法》第三十四条', '税率 6% 或 13%',
    '咨询：A或B？', '时间 8:30-12:00, 14:00-17:30', '等级(一级、二级、三级)', 'C# 与 C++ 培训补贴',
    '选择(A)或者(B)，and 还有其他', '1=是，0=否', '价格≤100', '联系人：张先生/李女士', '详见附件1、附件2',
    'AT&T（中国）公司', "L'Oréal 化妆品备案", 'Tom & Jerry 幼儿园', '“放管服”改革', '第1/3页',
    '--无--', '#无', '***', '……', '（空）', 'null', 'N/A', 'true', 'ＡＢＣ全角字母', '１２３全角数字',
    '𠮷野家 餐饮', '😀 满意', '很好👍', '民族：维吾尔族 ئۇيغۇر', 'བོད་ཡིག', 'ᠮᠣᠩᠭᠣᠯ',
);
my @keywords = qw(身份证 公积金 社保查询 怎么办理营业执照 落户 积分入学 违章查询 个税 健康码 居住证
    select证 union医院 order表 drop店 script培训 java工程师 alert报警器 union联合会 准生证
    c++认证 a&b公司 50%补贴 1+1政策 "精确匹配" 北京-上海 社保or医保 and门诊 税务(个人) 房产证*2);
my @hosts = qw(zwfw.gov.example gd.gov.example www.gov.example
    tyrz.gov.example bj.gov.example);
my @segments = qw(guide apply portal item list detail news policy city user
    center query public hall appoint mobile api v1 v2 rest service);


sub rnd {
    my ($n) = @_;

    # the low bits of such a generator are poor
    $state = ($state * 1103515245 + 12345) % 4294967296;

    return int($state / 65536) % $n;
}


sub pick {
    return $_[rnd(scalar @_)];
}


sub utf8 {
    return encode('UTF-8', $_[0]);
}


sub pct {
    my ($s, $form) = @_;

    $s =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
    $s =~ s/%20/+/g if $form;

    return $s;
}


# as careless clients write an address: only what would break the line
sub loose {
    my ($s) = @_;

    $s =~ s/([\x00-\x20#\x7f-\xff])/sprintf '%%%02x', ord $1/ge;

    return $s;
}


sub html {
    my ($s) = @_;

    $s =~ s/([^A-Za-z0-9\x80-\xff ])/'&#' . ord($1) . ';'/ge;

    return $s;
}


sub quoted {
    my ($s) = @_;

    $s =~ s/(["\\])/\\$1/g;
    $s =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;

    return $s;
}


sub xml {
    my ($s) = @_;

    $s =~ s/&/&amp;/g;
    $s =~ s/</&lt;/g;
    $s =~ s/>/&gt;/g;
    $s =~ s/"/&quot;/g;

    return $s;
}


sub lines {
    my ($name) = @_;

    open my $fh, '<:raw', "$dir/$name" or die "$dir/$name: $!\n";
    my @lines = <$fh>;
    close $fh;
    chomp @lines;

    return grep { length } @lines;
}


sub emit {
    my ($class, $raw) = @_;

    printf "=== %s-%s %05d\n%s\n", $label, $class, ++$number, $raw;
}


sub hex_digits {
    return join '', map { sprintf '%x', rnd(16) } 1 .. $_[0];
}


sub alnum {
    my @c = ('a' .. 'z', 'A' .. 'Z', 0 .. 9);

    return join '', map { pick(@c) } 1 .. $_[0];
}


sub digits {
    return join '', map { rnd(10) } 1 .. $_[0];
}


sub cookie {
    my @c = ('JSESSIONID=' . uc hex_digits(32),
             'Hm_lvt_' . hex_digits(32) . '=17' . digits(8) . ',17' . digits(8),
             '_gscu_' . digits(10) . '=' . hex_digits(16),
             'SESSION=' . encode_base64(hex_digits(36), ''),
             'userInfo=' . pct('{"name":"' . utf8(name()) . '","type":1}'),
             'lang=zh-CN', 'siteCode=440000', 'theme=default%20blue',
             'acw_tc=' . hex_digits(50), 'insert_cookie=' . digits(8),
             'loginName=' . pct(utf8(name())), 'BIGipServerpool_web='
             . digits(9) . '.20480.0000', 'cna=' . alnum(22) . '=');

    return join '; ', map { pick(@c) } 1 .. 1 + rnd(4);
}


sub name {
    return pick(@surnames) . pick(@given);
}


sub id_card {
    my $s = '440106' . (1950 + rnd(55)) . sprintf('%02d%02d', 1 + rnd(12),
                                                  1 + rnd(28)) . digits(3);
    my @w = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2);
    my $sum = 0;

    $sum += $w[$_] * substr $s, $_, 1 for 0 .. 16;

    return $s . substr '10X98765432', $sum % 11, 1;
}


# request(method, target, type, body, further header lines)
sub request {
    my ($method, $target, $type, $body, @more) = @_;
    my $host = pick(@hosts);
    my @h = ("$method $target HTTP/1.1", "Host: $host");

    push @h, 'User-Agent: ' . pick(@agents)
        unless grep { /^User-Agent:/i } @more;
    push @h, 'Accept: ' . pick('*/*', 'application/json, text/plain, */*',
        'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,'
        . 'image/webp,*/*;q=0.8') unless grep { /^Accept:/i } @more;
    push @h, 'Accept-Language: zh-CN,zh;q=0.9,en;q=0.8',
             'Accept-Encoding: gzip, deflate';
    push @h, "Referer: https://$host/" . join('/', map { pick(@segments) }
                                                   1 .. 1 + rnd(3)) . '.html'
        unless grep { /^Referer:/i } @more;
    push @h, 'Cookie: ' . cookie() unless grep { /^Cookie:/i } @more;
    push @h, 'Connection: keep-alive';
    push @h, "Content-Type: $type" if defined $type && length $type;
    push @h, @more;
    push @h, 'Content-Length: ' . length $body if defined $body;

    return join("\r\n", @h) . "\r\n\r\n" . ($body // '');
}


sub multipart {
    my (@parts) = @_;              # [head, body]
    my $b = '----WebKitFormBoundary' . alnum(16);
    my $body = '';

    $body .= "--$b\r\n$_->[0]\r\n\r\n$_->[1]\r\n" for @parts;

    return ("multipart/form-data; boundary=$b", "$body--$b--\r\n");
}


# A payload at each of the places a client can write to.
sub places {
    my ($class, $p, $encoded) = @_;
    my $q = $encoded ? loose($p) : pct($p);
    my $plain = $encoded ? $p =~ s/%([0-9a-fA-F]{2})/chr hex $1/ger : $p;
    my $header = $plain =~ s/[\r\n\x00]//gr;
    my $key = pick(qw(id name q keyword url content title callback sort));
    my $path = '/' . join '/', map { pick(@segments) } 1 .. 2;
    my $form = 'application/x-www-form-urlencoded';
    my ($type, $body);

    emit($class, request('GET', "$path?$key=$q&page=1"));
    emit($class, request('GET', "$path?a=1&$key=" . loose($plain)))
        if $plain !~ /[\r\n]/;
    emit($class, request('POST', $path, $form,
                         "page=1&$key=" . ($encoded ? loose($p) : pct($p, 1))));
    emit($class, request('POST', $path, 'application/json; charset=UTF-8',
                         '{"page":1,"data":{"' . $key . '":"'
                         . quoted($plain) . '"}}'));

    ($type, $body) = multipart(
        ['Content-Disposition: form-data; name="' . $key . '"', $plain],
        ['Content-Disposition: form-data; name="x"', '1']);
    emit($class, request('POST', $path, $type, $body));

    emit($class, request('GET', $path, undef, undef,
                         "Cookie: lang=zh; $key=" . pct($plain)));
    emit($class, request('GET', "$path?$q=1"));
    emit($class, request('GET', "$path/" . pct($plain)))
        if $plain !~ m{^/|\x00};
    emit($class, request('GET', $path, undef, undef, 'X-'
                         . ucfirst($key) . ": $header"));
    emit($class, request('GET', $path, undef, undef,
                         "Referer: https://www.example/?$key="
                         . loose($header)));
    emit($class, request('POST', $path, 'text/xml; charset=UTF-8',
                         '<?xml version="1.0" encoding="UTF-8"?><r><'
                         . "$key>" . xml($plain) . "</$key></r>"))
        if $plain !~ /[\x00-\x08]/;
}


# A few places only, in one of the spellings that hide.
sub spelled {
    my ($class, $p) = @_;
    my $path = '/' . pick(@segments);
    my @ways = (
        sub { pct(pct($p)) },
        sub { $p =~ s/([^A-Za-z0-9 ])/sprintf '%%u00%02x', ord $1/ger },
        sub { pct(html($p)) },
        sub { join '', map { sprintf '%%%02x', ord } split //, $p },
        sub { pct(join '', map { rnd(2) ? uc : lc } split //, $p) },
        sub { pct($p =~ s/ /\t/gr) },
    );

    emit($class, request('GET', "$path?v=" . loose(pick(@ways)->())));
}


sub nosql {
    my ($p) = @_;

    if ($p =~ /^\{/) {
        emit('nosql', request('POST', '/api/login', 'application/json', $p));
        emit('nosql', request('GET', '/api/list?filter=' . pct($p)));

    } elsif ($p =~ /^[a-z_]+[\[.]/) {
        emit('nosql', request('GET', '/api/list?' . loose($p)));
        emit('nosql', request('POST', '/api/list',
                              'application/x-www-form-urlencoded',
                              loose($p)));

    } else {
        places('nosql', $p, 0);
    }
}


sub attacks {
    my %encoded = map { $_ => 1 } qw(crlf lfi evasion);

    for my $class (qw(sqli xss cmdi lfi php java ssti ssrf ldap crlf evasion)) {
        for my $p (lines("$class.txt")) {
            my $enc = $encoded{$class} && $p =~ /%[0-9a-fA-Fu]/;

            places($class, $p, $enc);
            spelled('evasion', $p) if !$enc && $class =~ /sqli|xss|cmdi|lfi/;
        }
    }

    nosql($_) for lines('nosql.txt');

    emit('recon', request('GET', $_)) for lines('recon.paths');
    emit('recon', request('GET', '/gd' . $_)) for lines('recon.paths');
    emit('scanner', request('GET', '/', undef, undef, "User-Agent: $_"))
        for lines('scanner.agents');

    for my $class (qw(known webshell)) {
        for my $line (lines("$class.reqs")) {
            my ($first, $header, $body) = split /\t/, $line;
            my ($method, $target) = split / /, $first, 2;

            if (defined $body) {
                $body =~ s/\\r/\r/g;
                $body =~ s/\\n/\n/g;
            }

            my $type = ($header // '') =~ /^Content-Type/i || !defined $body
                       ? undef : 'application/x-www-form-urlencoded';

            emit($class, request($method, loose($target), $type, $body,
                                 length($header // '') ? $header : ()));
        }
    }

    for my $line (lines('upload.files')) {
        my ($file, $text) = split /\t/, $line, 2;

        for my $ctype ('image/jpeg', 'application/octet-stream') {
            my ($type, $body) = multipart(
                ['Content-Disposition: form-data; name="title"', utf8('附件')],
                ['Content-Disposition: form-data; name="file"; filename="'
                 . "$file\"\r\nContent-Type: $ctype", $text]);
            emit('upload', request('POST', '/file/upload', $type, $body));
        }
    }

    for my $p (lines('xxe.bodies')) {
        emit('xxe', request('POST', '/services/query', $_, $p))
            for ('text/xml', 'application/xml; charset=UTF-8',
                 'application/soap+xml', 'text/plain');
    }

    for my $p (lines('protocol.raw')) {
        my ($head, $body) = split /\|\|/, $p;

        $body //= '';
        $body =~ s/%([0-9a-f]{2})/chr hex $1/ge;
        emit('protocol', join("\r\n", split /\|/, $head) . "\r\n\r\n$body");
    }
}


sub form_fields {
    my %f = (
        name => name(), sfzh => id_card(), mobile => '13' . digits(9),
        address => pick(@places) . pick(@roads) . (1 + rnd(400)) . '号'
            . (1 + rnd(20)) . '栋' . (101 + rnd(30) * 100) . '室',
        matter => pick(@matters), remark => pick(@phrases),
        email => alnum(8) . '@163.com', date => '2026-0' . (1 + rnd(9)) . '-1'
            . rnd(10), sex => pick('男', '女'), nation => pick('汉族', '回族',
            '维吾尔族'), unit => pick(@places) . '某某有限公司（' . pick(@given) . '）',
        creditCode => '91440101' . uc(alnum(10)), regionCode => '440' . digits(3),
        content => join('', map { pick(@phrases) } 1 .. 1 + rnd(6)),
        agree => 'on', captcha => alnum(4), token => hex_digits(32),
        time => '2026-11-22 14:' . digits(2) . ':' . digits(2),
        items => '[' . join(',', map { rnd(100) } 1 .. 3) . ']',
        url => 'https://' . pick(@hosts) . '/guide/' . digits(6) . '.html',
    );
    my @keys = sort keys %f;
    my %chosen = map { $_ => $f{$_} } map { pick(@keys) } 1 .. 4 + rnd(8);

    return map { [$_, utf8($chosen{$_})] } sort keys %chosen;
}


sub json_text {
    my ($depth) = @_;
    my @f = map { '"' . $_->[0] . '":"' . quoted($_->[1]) . '"' } form_fields();

    push @f, '"id":"' . join('-', map { hex_digits($_) } 8, 4, 4, 4, 12) . '"',
             '"page":' . rnd(20), '"flag":' . pick('true', 'false', 'null'),
             '"amount":' . rnd(9999) . '.' . digits(2);
    push @f, '"children":[' . join(',', map { json_text($depth - 1) }
                                        1 .. 1 + rnd(2)) . ']' if $depth > 0;

    return '{' . join(',', @f) . '}';
}


sub rich_text {
    my @p = (
        '<p style="text-indent:2em;line-height:1.75em;font-family:仿宋">%s</p>',
        '<p><strong>%s</strong></p>', '<h2 id="t1">%s</h2>',
        '<table border="1" width="100%%"><tbody><tr><td>%s</td><td>是</td></tr>'
            . '</tbody></table>',
        '<img src="/ueditor/jsp/upload/image/20261122/1700000.jpg" title="图" '
            . 'alt="%s" width="600"/>',
        '<a href="https://www.gov.example/policy.html" target="_blank">%s</a>',
        '<span style="font-size: 16px; color: rgb(255, 0, 0);">%s</span>',
        '<ul class="list-paddingleft-2"><li><p>%s</p></li></ul>',
        '<blockquote>%s</blockquote>', '<section><br/>%s&nbsp;&nbsp;</section>',
        '<div class="content" data-id="5">%s</div>', '<!-- 注释 -->%s',
        '<video controls="controls" src="/v/a.mp4">%s</video>',
        '<font face="宋体">%s</font>', '<o:p>%s</o:p>');

    return join "\n", map { sprintf pick(@p), pick(@phrases) . pick(@matters) }
                          1 .. 3 + rnd(8);
}


my @code_like = (
    '培训内容：SELECT * FROM student WHERE age > 18 ORDER BY id',
    '课程：JavaScript 基础 <script> 标签的用法', '函数 sleep() 与 benchmark() 的区别',
    '请先 select 一个选项，and 点击 or 按钮', '岗位：union leader / drop shipping',
    'where is the office? or call us', 'delete from my account please',
    'insert coin and update info', '公式：a=b or c=d；x>y and y<z', "I'm here and you're there",
    'order by phone; group by family', 'having trouble with my password = 123?',
    'if (a == b) { return "ok"; }', 'function f(x) { return x * 2; }', 'x = {"a": [1,2,3]}',
    'C:\Users\admin\Desktop\材料.docx', '\\\\server\share\文件', '~/下载/a.pdf', './附件/../说明.txt',
    'echo 和 cat 是 Linux 命令', '请执行 ping 命令检查网络；再看 ipconfig', 'rm 与 mv 的用法',
    '${user.name} 你好', '#{title}', '{{ 姓名 }} 同志', '尊敬的%s：', '模板变量 {name}',
    '/* 注释 */ 说明', '<b>重要</b>', 'a<b && c>d', '1 or 2 or 3', "'单引号' \"双引号\" `反引号`",
    'exec 部门；system 管理员', 'Java 反射 Class.forName 用法咨询', 'import os 报错怎么办',
    'document 文档；cookie 饼干', 'alert 警报', 'onclick 事件培训', 'eval 评估', '数据库 table 表空间',
    '(SELECT) [UNION]', "d'abord, l'État", 'rock & roll', 'base64 编码: aGVsbG8=', '-- 以下空白 --',
    '===分割线===', 'select_all=1', 'drop-down', 'script.js', 'union.pdf', 'admin 管理', 'passwd 密码');

my @gis = (
    'POLYGON((113.26 23.13,113.27 23.13,113.27 23.14,113.26 23.13))',
    '{"type":"Feature","geometry":{"type":"Point","coordinates":[113.2644,23.1291]},'
        . '"properties":{"name":"广州市"}}',
    '{"rings":[[[12600000,2640000],[12600100,2640100]]],"spatialReference":{"wkid":4490}}',
    "REGIONCODE='440106' AND AREA>100", '1=1', "NAME like '%天河%'", 'OBJECTID>0',
    'xmin=113.1&ymin=23.0', 'MULTIPOLYGON(((1 2,3 4,5 6,1 2)))',
    "layer='road' and (type=1 or type=2)", 'esriSpatialRelIntersects');

my @graphql = (
    'query { item(code: "440106") { id name dept { name } } }',
    'query ($id: ID!) { user(id: $id) { name orders(first: 10) { edges { node { id } } } } }',
    'mutation { createApply(input: {matter: "户口迁移", files: ["a", "b"]}) { id status } }',
    'fragment F on Item { id title } query { list { ...F } }',
    'subscription { notice(region: "440000") { title } }');

my @statics = qw(/static/js/chunk-vendors.%s.js /css/app.%s.css /favicon.ico
    /images/banner/%s.png /fonts/iconfont.woff2?t=%s /upload/2026/11/%s.pdf
    /ueditor/themes/default/css/ueditor.css /r/cms/www/default/js/jquery.js?v=%s
    /wcm/portal/%s.shtml /col/col%s/index.html /art/2026/11/22/art_%s.html
    /robots.txt /apple-touch-icon.png /index.html /mobile/h5/%s/index.html);


sub benign_one {
    my ($class) = @_;
    my $path = '/' . join '/', map { pick(@segments) } 1 .. 2 + rnd(2);
    my $ajax = 'X-Requested-With: XMLHttpRequest';
    my $form = 'application/x-www-form-urlencoded; charset=UTF-8';
    my $json = 'application/json;charset=UTF-8';
    my @f = form_fields();
    my ($type, $body);

    return request('POST', $path, $form,
                   join('&', map { pct($_->[0]) . '=' . pct($_->[1], 1) } @f),
                   $ajax) if $class eq 'form';
    return request('POST', $path, $json, json_text(rnd(3)), $ajax)
        if $class eq 'json';
    return request('GET', "/search?q=" . pct(utf8(pick(@keywords, @matters,
                   @phrases)), rnd(2)) . '&siteCode=4400&page=' . rnd(9)
                   . '&sort=desc') if $class eq 'search';
    return request('GET', "$path?" . join('&', map { $_->[0] . '='
                   . (rnd(3) ? pct($_->[1]) : loose($_->[1] =~ s/&//gr)) } @f)
                   . '&_=17' . digits(11)) if $class eq 'query';

    if ($class eq 'sso') {
        my $jwt = join '.', map { encode_base64($_, '') =~ tr{+/=}{-_}dr }
            '{"alg":"RS256","kid":"k1"}', '{"sub":"' . alnum(20) . '","exp":17'
            . digits(8) . '}', pack('H*', hex_digits(512));

        return request('GET', '/sso/login?service=' . pct('https://'
                       . pick(@hosts) . '/callback?a=1&b=2') . '&ticket=ST-'
                       . digits(6) . '-' . alnum(20) . '-cas&state='
                       . hex_digits(32)) if rnd(3) == 0;
        return request('POST', '/saml/acs', $form, 'SAMLResponse='
                       . pct(encode_base64('<samlp:Response ID="_'
                       . hex_digits(32) . '"><saml:Issuer>idp</saml:Issuer>'
                       . '</samlp:Response>', '')) . '&RelayState='
                       . pct('https://' . pick(@hosts) . '/')) if rnd(2);
        return request('GET', "$path?access_token=$jwt", undef, undef,
                       "Authorization: Bearer $jwt");
    }

    return request('GET', pick(@statics) =~ s/%s/hex_digits(8)/er, undef, undef,
                   'If-None-Match: W/"' . hex_digits(12) . '"')
        if $class eq 'static';

    if ($class eq 'multipart') {
        my $file = utf8(pick('身份证正面', '户口本', '营业执照副本', '申请表(2026)',
                             "it's a file", '材料 & 附件')) . pick('.jpg', '.pdf',
                             '.docx', '.png', '.xlsx', '.zip', '.ofd', '.txt');
        my $bytes = pick("\xff\xd8\xff\xe0\x00\x10JFIF", "%PDF-1.4\n%\xe2\xe3",
                         "PK\x03\x04", "\x89PNG\r\n\x1a\n")
                    . join '', map { chr rnd(256) } 1 .. 200 + rnd(800);

        ($type, $body) = multipart(
            (map { ["Content-Disposition: form-data; name=\"$_->[0]\"",
                    $_->[1]] } @f),
            ["Content-Disposition: form-data; name=\"file\"; filename=\"$file\""
             . "\r\nContent-Type: " . pick('image/jpeg', 'application/pdf',
             'application/octet-stream'), $bytes]);
        return request('POST', '/file/upload', $type, $body);
    }

    if ($class eq 'base64') {
        my $b64 = encode_base64(join('', map { chr rnd(256) }
                                         1 .. 300 + rnd(1500)), '');

        return request('POST', $path, $form, 'img=' . pct(
                       "data:image/png;base64,$b64") . '&sign=' . pct(
                       encode_base64(hex_digits(64), ''))) if rnd(2);
        return request('POST', $path, $json, '{"data":"' . $b64 . '","key":"'
                       . encode_base64(alnum(96), '') . '"}');
    }

    return request('POST', '/services/ItemService', pick('text/xml; '
                   . 'charset=utf-8', 'application/soap+xml'), '<?xml version="'
                   . '1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="'
                   . 'http://schemas.xmlsoap.org/soap/envelope/" xmlns:ser="'
                   . 'http://service.gov.example/"><soapenv:Header/><soapenv:'
                   . 'Body><ser:query>' . join('', map { "<$_->[0]>"
                   . xml($_->[1]) . "</$_->[0]>" } @f) . '</ser:query>'
                   . '</soapenv:Body></soapenv:Envelope>', 'SOAPAction: ""')
        if $class eq 'soapxml';

    if ($class eq 'misc') {
        my $v = utf8(pick(@phrases));

        return request('GET', "$path?" . join('&', map { $_->[0] . '[]='
                       . pct($_->[1]) } @f)) if rnd(3) == 0;
        return request('PUT', "$path/" . digits(6), $json, '{"remark":"'
                       . quoted($v) . '"}') if rnd(2);
        return request('DELETE', "$path/" . hex_digits(32), undef, undef, $ajax)
            if rnd(2);
        return request('GET', "$path/" . pct($v) . '/' . pct(utf8(pick(
                       @matters))) . '.html');
    }

    return request('POST', '/cms/article/save', $form, 'title=' . pct(utf8(
                   pick(@matters))) . '&content=' . pct(utf8(rich_text()), 1))
        if $class eq 'richtext' && rnd(2);
    return request('POST', '/cms/article/save', $json, '{"title":"x","html":"'
                   . quoted(utf8(rich_text())) . '"}') if $class eq 'richtext';

    return pick(sub { request('GET', '/search?q=' . pct($_[0])) },
                sub { request('POST', $path, $form, 'content='
                              . pct($_[0], 1) . '&type=1') },
                sub { request('POST', $path, $json, '{"content":"'
                              . quoted($_[0]) . '"}') })
        ->(utf8(pick(@code_like) . pick('', '。', pick(@phrases))))
        if $class eq 'codelike';

    return pick(sub { request('GET', '/arcgis/rest/services/gd/MapServer/0/'
                              . 'query?where=' . pct($_[0]) . '&outFields=*'
                              . '&returnGeometry=true&f=json') },
                sub { request('POST', '/gis/query', $form, 'geometry='
                              . pct($_[0]) . '&f=pjson') },
                sub { request('POST', '/gis/query', $json, '{"filter":"'
                              . quoted($_[0]) . '"}') })
        ->(utf8(pick(@gis))) if $class eq 'gis';

    return request('POST', '/graphql', $json, '{"query":"'
                   . quoted(utf8(pick(@graphql))) . '","variables":{"id":"'
                   . digits(6) . '"}}');
}


sub benign {
    my %n = (form => 400, json => 400, search => 300, query => 300,
             sso => 200, static => 300, multipart => 200, base64 => 150,
             soapxml => 150, misc => 300, richtext => 200, codelike => 300,
             gis => 100, graphql => 60);

    for my $class (sort keys %n) {
        emit($class, benign_one($class)) for 1 .. $n{$class};
    }
}


if ($label eq 'attack') {
    attacks();

} else {
    benign();
}
