#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Writes traffic that the rules were not written on: requests made from the
# texts of unseen/SET.*, which were written before anyone who wrote them had
# seen a rule.  Set "a" may be looked at; of set "b" only sums are.  Set "f1"
# is the half of the texts of "f" that may be looked at, "f2" the other; "g1"
# and "g2" are those of "g".  Of set "h" only sums are looked at, too.  Sets "i"
# and "k" are of citizens only, sent as those of "f" are.  Each request of sets
# "m" to "q" is written down in full; "o" to "q" are of citizens only.
#
#   t/rules/unseen.pl a-i|k|m-q|f1|f2|g1|g2 attack|benign [SEED] > FILE
#
# Each request stands behind a line "=== LABEL-CLASS NUMBER", as with gen.pl.

use strict;
use warnings;
use utf8;

use Cwd 'abs_path';
use Digest::MD5 'md5_hex';
use Encode qw(encode decode);
use File::Basename;
use MIME::Base64;

my ($set, $label, $seed) = (@ARGV, 1);

die "usage: unseen.pl a-i|k|m-q|f1|f2|g1|g2 attack|benign [SEED]\n"
    if !defined $label || $set !~ /^(?:[a-ikm-q]|[fg][12])$/
       || $label !~ /^(?:attack|benign)$/;

my $dir = dirname(abs_path($0)) . '/unseen';
my $state = ($seed * 40503 + ord($set) * 7919) % 4294967296;
my $half = $set =~ s/(?<=^[fg])(\d)$// ? $1 : 0;
my $number = 0;
my %data;

binmode STDOUT;
load("$dir/$set.$label");
halve() if $half;

my @classes = sort keys %data;

# others that are sent as set "f" is

$set = 'f' if $set =~ /[ik]/;
load($set =~ /[m-q]/ ? "$dir/h.words" : "$dir/$set.words");

if ($set =~ /[m-q]/) {
    as_written();

} elsif ($label eq 'attack') {
    attacks();

} elsif ($set =~ /[def]/) {
    each_text();

} elsif ($set eq 'g') {
    likely();

} elsif ($set eq 'h') {
    each_sender();

} else {
    benign();
}


# "[name]" starts a list of lines, "[name blocks]" one of texts between "%%".
sub load {
    my ($file) = @_;
    my ($name, $blocks) = ('', 0);

    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!\n";

    while (my $line = <$in>) {
        chomp $line;

        if ($line =~ /^\[(\w+)( blocks)?\]$/) {
            $name = $1;
            $blocks = defined $2;
            push @{$data{$name}}, '' if $blocks;

        } elsif (!$blocks) {
            push @{$data{$name}}, $line if length $line && $line !~ /^## /;

        } elsif ($line eq '%%') {
            push @{$data{$name}}, '';

        } else {
            $data{$name}[-1] .= "$line\n";
        }
    }

    for my $name (keys %data) {
        $_ = marked($_) for @{$data{$name}};
    }
}


# What is left of each list is told by the text alone, so that no text stands
# in both halves.
sub halve {
    for my $name (sort keys %data) {
        $data{$name} = [grep { hex(substr md5_hex(encode('UTF-8', $_)), 0, 8)
                               % 2 == $half - 1 } @{$data{$name}}];
    }
}


# control characters and other bytes are written as <LF>, <NUL>, <x80>,
# and what stands there many times as <*90 a>
sub marked {
    my ($text) = @_;
    my %byte = (CR => "\r", LF => "\n", TAB => "\t", NUL => "\0");

    $text =~ s/<(CR|LF|TAB|NUL)>/$byte{$1}/g;
    $text =~ s/<\*(\d+) ((?:<\w+>|[^<>])+)>/$2 x $1/ge;

    return $text;
}


sub bytes {
    my ($text) = @_;

    $text = encode('UTF-8', $text) if utf8::is_utf8($text);
    $text =~ s/<x([0-9a-fA-F]{2})>/chr hex $1/ge;

    return $text;
}


sub rnd {
    my ($n) = @_;

    $state = ($state * 1664525 + 1013904223) % 4294967296;

    return int($state / 65536) % $n;
}


sub pick { return $_[rnd(scalar @_)] }


sub of { return pick(@{$data{$_[0]} // die "no $_[0]\n"}) }


sub some {
    my ($from, $n) = @_;

    return join '', map { pick(split //, $from) } 1 .. $n;
}


sub digits { return some('0123456789', $_[0]) }


# a number of JSON; sets before g keep the zeros they were measured with
sub number {
    my $number = digits($_[0]);

    $number =~ s/^0/7/ if $set =~ /[gh]/;

    return $number;
}


sub token { return some(join('', 'a' .. 'z', 'A' .. 'Z', 0 .. 9), $_[0]) }


sub hexes { return some('0123456789abcdef', $_[0]) }


sub noise { return join '', map { chr rnd(256) } 1 .. $_[0] }


# as encodeURIComponent, as a form, as little as can be, or all of it
sub pct {
    my ($text, $how) = @_;
    my $raw = bytes($text);

    $how //= pick(qw(component component form form lower));

    if ($how eq 'all') {
        $raw =~ s/(.)/sprintf '%%%02X', ord $1/gse;

    } elsif ($how eq 'loose') {
        $raw =~ s/([^!-~]|[%&+#])/sprintf '%%%02X', ord $1/gse;

    } elsif ($how eq 'lower') {
        $raw =~ s/([^A-Za-z0-9_.!~*'()-])/sprintf '%%%02x', ord $1/gse;

    } elsif ($how eq 'form') {
        $raw =~ s/([^A-Za-z0-9_.* -])/sprintf '%%%02X', ord $1/gse;
        $raw =~ tr/ /+/;

    } else {
        $raw =~ s/([^A-Za-z0-9_.!~*'()-])/sprintf '%%%02X', ord $1/gse;
    }

    return $raw;
}


sub json {
    my ($value) = @_;

    if (ref $value eq 'HASH') {
        return '{' . join(',', map { json($_) . ':' . json($value->{$_}) }
                               sort keys %$value) . '}';
    }

    return '[' . join(',', map { json($_) } @$value) . ']'
        if ref $value eq 'ARRAY';
    return $$value if ref $value;

    my $text = $value;

    $text =~ s/(["\\])/\\$1/g;
    $text =~ s/\n/\\n/g;
    $text =~ s/\r/\\r/g;
    $text =~ s/\t/\\t/g;
    $text =~ s/([\0-\x1f])/sprintf '\\u%04x', ord $1/ge;

    return '"' . bytes($text) . '"';
}


sub xml {
    my ($text) = @_;

    $text =~ s/&/&amp;/g;
    $text =~ s/</&lt;/g;
    $text =~ s/>/&gt;/g;
    $text =~ s/"/&quot;/g;

    return bytes($text);
}


sub emit {
    my ($class, $raw) = @_;

    printf "=== %s-%s %05d\n%s\n", $label, $class, ++$number, $raw;
}


sub request {
    my ($method, $target, $type, $body, @more) = @_;
    my $host = of('host');
    my @h = ("$method $target HTTP/1.1", "Host: $host");
    my %usual = ('User-Agent' => of('agent'),
                 Accept => pick('*/*', 'application/json, text/plain, */*',
                                'text/html,application/xhtml+xml,application/'
                                . 'xml;q=0.9,*/*;q=0.8'),
                 'Accept-Language' => pick('zh-CN,zh;q=0.9', 'zh-cn', 'zh-CN'),
                 'Accept-Encoding' => 'gzip, deflate',
                 Referer => "https://$host/" . of('segment') . '/'
                            . of('segment') . pick('', '/', '.html'),
                 Cookie => cookie());

    for my $name (sort keys %usual) {
        push @h, "$name: $usual{$name}"
            unless grep { /^\Q$name\E:/i } @more;
    }

    push @h, "Content-Type: $type" if defined $type && length $type;
    push @h, map { bytes($_) } grep { !/: $/ } @more;
    push @h, 'Content-Length: ' . length $body
        if defined $body && !grep { /^Content-Length:/i } @more;

    return join("\r\n", @h) . "\r\n\r\n" . ($body // '');
}


sub cookie {
    return join '; ', map {
        pick('JSESSIONID=' . uc hexes(32), 'Hm_lvt_' . hexes(32) . '=17'
             . digits(8), 'SESSION=' . encode_base64(hexes(24), ''),
             'token=eyJhbGciOiJIUzI1NiJ9.' . token(60) . '.' . token(43),
             'areaCode=' . digits(6), 'userName=' . pct(of('name')),
             '_gscu_' . digits(9) . '=' . digits(8) . token(6) . '14',
             'zh_choose=s', 'UM_distinctid=' . hexes(15) . '-0' . hexes(12))
    } 1 .. 1 + rnd(3);
}


sub multipart {
    my (@parts) = @_;
    my $b = pick('----WebKitFormBoundary' . token(16),
                 '---------------------------' . digits(29),
                 '----geckoformboundary' . hexes(32), token(30));
    my $body = '';

    for my $part (@parts) {
        my ($name, $value, $file, $type) = @$part;

        $body .= "--$b\r\nContent-Disposition: form-data; name=\"$name\"";
        $body .= '; filename="' . bytes($file) . '"' if defined $file;
        $body .= "\r\n";
        $body .= "Content-Type: $type\r\n" if defined $type;
        $body .= "\r\n" . bytes($value) . "\r\n";
    }

    return ("multipart/form-data; boundary=$b", "$body--$b--\r\n");
}


# A request written down in full, lines instead of CR LF; what every browser
# says is added unless the first line is "@raw".
sub written {
    my ($block) = @_;
    my ($head, $body) = split /\n\n/, $block, 2;
    my @lines = split /\n/, $head;

    if ($lines[0] eq '@raw') {
        shift @lines;
        $body = defined $body ? $body : '';
        $body =~ s/\n\z//;
        $body =~ s/(?<!\r)\n/\r\n/g;

        return bytes(join("\r\n", @lines) . "\r\n\r\n" . $body);
    }

    my ($method, $target) = split / /, shift @lines, 2;

    if (defined $body) {
        $body =~ s/\n\z//;
        $body =~ s/(?<!\r)\n/\r\n/g if $head =~ /multipart/;
        $body = bytes($body);
    }

    $body = '' if !defined $body && $method =~ /^P/;

    return request($method, bytes($target), '', $body, @lines);
}


sub as_written {
    for my $class (@classes) {
        emit($class, written($_)) for @{$data{$class}};
    }
}


# ---- attacks -------------------------------------------------------------


sub target { return '/' . join '/', map { of('segment') } 1 .. 2 + rnd(2) }


sub place {
    my ($where, $p) = @_;
    my $key = of('field');
    my $how = pick(qw(component form all loose lower));
    my $form = 'application/x-www-form-urlencoded';

    if ($where eq 'query') {
        return request('GET', target() . "?" . pick('', 'page=1&')
                       . "$key=" . pct($p, $how) . pick('', '&t=1'));

    } elsif ($where eq 'form') {
        return request('POST', target(), $form . pick('', '; charset=UTF-8'),
                       "$key=" . pct($p, $how) . '&' . of('field') . '='
                       . pct(of('value')));

    } elsif ($where eq 'argname') {
        return request('GET', target() . '?' . pct($p, 'component') . '=1');

    } elsif ($where eq 'json') {
        return request('POST', target(), 'application/json'
                       . pick('', ';charset=UTF-8'),
                       json({ $key => $p, page => \1 }));

    } elsif ($where eq 'deepjson') {
        return request('POST', target(), 'application/json',
                       json({ data => { list => [ { id => \number(3),
                              $key => $p } ], ok => \'true' } }));

    } elsif ($where eq 'path') {
        return request('GET', target() . '/' . pct($p, 'component')
                       . pick('', '/detail', '.html'));

    } elsif ($where eq 'cookie') {
        return request('GET', target(), '', undef, 'Cookie: JSESSIONID='
                       . uc(hexes(32)) . "; $key=" . pct($p, 'component'));

    } elsif ($where eq 'header') {
        my $name = pick(qw(X-Forwarded-For X-Api-Version X-Client-Id
                           X-Real-IP X-Tenant X-Forwarded-Host));

        return request('GET', target(), '', undef, "$name: $p");

    } elsif ($where eq 'agent') {
        return request('GET', target(), '', undef, "User-Agent: $p");

    } elsif ($where eq 'referer') {
        return request('GET', target(), '', undef, 'Referer: http://'
                       . of('host') . "/?q=" . pct($p, 'loose'));

    } elsif ($where eq 'multipart') {
        my ($type, $body) = multipart([ $key, $p ], [ "id", digits(5) ]);

        return request('POST', target(), $type, $body);

    } elsif ($where eq 'filename') {
        my $name = $p;

        $name =~ s/"/%22/g;

        my ($type, $body) = multipart([ 'file', noise(40), $name,
                                        'image/png' ]);

        return request('POST', target(), $type, $body);
    }

    my $value = xml($p);
    my $body = $where eq 'xmlattr'
               ? "<req><item $key=\"$value\"/></req>"
               : "<?xml version=\"1.0\" encoding=\"UTF-8\"?><req><$key>$value"
                 . "</$key></req>";

    return request('POST', target(), pick('text/xml', 'application/xml'),
                   $body);
}


# how the same payload is written to be overlooked
sub hidden {
    my ($p) = @_;
    my $raw = bytes($p);
    my $way = rnd(5);
    my $key = of('field');
    my $url = target();

    if ($way == 0) {
        return request('GET', "$url?$key=" . pct(pct($p, 'all'), 'all'));

    } elsif ($way == 1) {
        $raw =~ s/([^A-Za-z0-9])/sprintf '%%u%04x', ord $1/ge;

        return request('GET', "$url?$key=$raw");

    } elsif ($way == 2) {
        $raw =~ s/(.)/sprintf '\\u%04x', ord $1/gse;

        return request('POST', $url, 'application/json', "{\"$key\":\"$raw\"}");

    } elsif ($way == 3) {
        $raw =~ s/([^A-Za-z0-9 ])/sprintf '&#%d;', ord $1/gse;

        return request('POST', $url, 'application/x-www-form-urlencoded',
                       "$key=" . pct($raw, 'component'));
    }

    return request('GET', "$url?$key=" . pct(pct($p, 'loose'), 'component'));
}


sub attacks {
    my @text = qw(query form json deepjson path cookie multipart xmltext
                  xmlattr argname);
    my %places = (
        sqli => [ @text, qw(header agent referer) ],
        xss => [ @text, qw(agent referer) ],
        cmdi => [ @text, qw(header agent referer) ],
        lfi => [ qw(query form json cookie multipart query xmltext) ],
        php => [ @text ], java => [ @text, qw(header agent referer) ],
        ssti => [ qw(query form json path cookie multipart xmltext agent) ],
        ssrf => [ qw(query form json deepjson cookie multipart xmltext) ],
        ldap => [ qw(query form json cookie multipart xmltext) ],
    );

    for my $class (sort keys %places) {
        for my $p (@{$data{$class}}) {
            my @where = @{$places{$class}};

            for my $i (1 .. ($set =~ /[gh]/ ? 1 : 3)) {
                my $where = splice @where, rnd(scalar @where), 1;

                redo if $p =~ /[\r\n\0]/ && $where =~ /header|agent|referer/;
                emit($class, place($where, $p));
            }

            emit('evasion', hidden($p))
                if $set ne 'h' && rnd($set eq 'g' ? 12 : 4) == 0;
        }
    }

    # written in their place: METHOD is left out for a GET
    for my $class (qw(lfi crlf nosql evasion recon known webshell protocol xxe
                      upload sqli xss cmdi java php ssti ssrf))
    {
        for my $line (@{$data{"${class}_url"} // []}) {
            emit($class, request('GET', bytes($line)));
        }

        for my $line (@{$data{"${class}_form"} // []}) {
            emit($class, request('POST', target(),
                                 'application/x-www-form-urlencoded',
                                 bytes($line)));
        }

        for my $line (@{$data{"${class}_json"} // []}) {
            emit($class, request('POST', target(), 'application/json',
                                 bytes($line)));
        }

        for my $line (@{$data{"${class}_xml"} // []}) {
            chomp $line;
            emit($class, request('POST', target(),
                                 pick('text/xml', 'application/xml',
                                      'text/xml;charset=utf-8',
                                      'application/soap+xml'),
                                 bytes($line)));
        }

        emit($class, written($_)) for @{$data{"${class}_req"} // []};
    }

    emit('scanner', request('GET', target(), '', undef, "User-Agent: $_"))
        for @{$data{scanner}};

    # file names with what is in them
    for my $line (@{$data{upload}}) {
        my ($name, $kind, $text) = split / \| /, $line, 3;
        my ($type, $body) = multipart([ pick(qw(file upfile Filedata img)),
                                        $text // noise(60), $name, $kind ],
                                      [ 'id', digits(4) ]);

        emit('upload', request('POST', target(), $type, $body));
    }
}


# ---- ordinary traffic ------------------------------------------------------


sub id_card { return digits(6) . '19' . digits(9) . pick(0 .. 9, 'X') }


sub value {
    return pick(of('name'), of('value'), of('value'), of('value'),
                of('address') . digits(2) . '号' . digits(1) . '栋' . digits(3)
                . pick('', '室'), id_card(), '1' . digits(10),
                '91' . digits(6) . uc(token(10)), of('company'), digits(6),
                lc(token(6)) . '@' . pick('163.com', 'qq.com', 'x.gov.cn'),
                '2026-0' . (1 + rnd(9)) . '-1' . digits(1), of('legal'),
                of('matter'), of('english'), of('url'));
}


sub fields {
    my ($n) = @_;

    return map { [ of('field'), value() ] } 1 .. $n;
}


sub coded { return join '&', map { "$_->[0]=" . pct($_->[1]) } @_ }


# the same text as a form, as JSON or as multipart
sub posted {
    my ($text, $key) = @_;
    my @others = fields(1 + rnd(4));
    my $way = rnd(3);

    if ($way == 0) {
        return request('POST', target(), 'application/x-www-form-urlencoded'
                       . pick('', '; charset=UTF-8'),
                       coded(@others, [ $key, $text ]));

    } elsif ($way == 1) {
        my %of = map { $_->[0] => $_->[1] } @others;

        return request('POST', target(), 'application/json'
                       . pick('', ';charset=UTF-8'),
                       json(pick({ %of, $key => $text },
                                 { params => { %of, $key => $text } },
                                 { data => [ { %of, $key => $text } ] })));
    }

    my ($type, $body) = multipart(@others, [ $key, $text ]);

    return request('POST', target(), $type, $body);
}


sub joined {
    my ($name, $most, $between) = @_;

    return join $between, map { my $x = of($name); chomp $x; $x }
                          1 .. 1 + rnd($most);
}


sub jwt {
    return 'eyJ' . token(33) . '.eyJ' . token(20 + rnd(200)) . '.' . token(43);
}


sub point { return (73 + rnd(60)) . '.' . digits(6) . $_[0] . (18 + rnd(35))
                   . '.' . digits(6) }


sub gis {
    my $ring = point(' ');
    my $way = rnd(7);
    my $path = join ', ', map { point(' ') } 1 .. 3 + rnd(30);

    return of('gis') if $way < 3;
    return pick("POLYGON (($ring, $path, $ring))", "POLYGON(($ring,$path))",
                "LINESTRING ($path)", "MULTIPOINT(($ring),(${\point(' ')}))",
                "SRID=4490;POLYGON(($ring, $path, $ring))") if $way == 3;

    return '{"type":"Feature","properties":{"name":' . json(of('address'))
           . '},"geometry":{"type":"Polygon","coordinates":[[['
           . join('],[', map { point(',') } 1 .. 5 + rnd(30)) . ']]]}}'
        if $way == 4;

    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 600\">"
           . "<path d=\"M" . join('L', map { point(' ') } 1 .. 9)
           . "Z\" fill=\"#" . hexes(6) . "\" stroke=\"none\"/></svg>"
        if $way == 5;

    return join ';', map { point(',') } 1 .. 3 + rnd(40);
}


sub upload {
    my ($name, $kind) = split / \| /, of('file'), 2;
    my %head = (pdf => "%PDF-1.6\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog"
                       . "/Pages 2 0 R>>\nendobj\n", jpg => "\xff\xd8\xff\xe0"
                . "\0\x10JFIF\0\1", png => "\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
                docx => "PK\3\4\x14\0\6\0\x08\0\0\0!\0[Content_Types].xml",
                xlsx => "PK\3\4\x14\0\6\0\x08\0\0\0!\0xl/workbook.xml",
                zip => "PK\3\4\x0a\0\0\0\0\0", doc => "\xd0\xcf\x11\xe0\xa1\xb1"
                . "\x1a\xe1", ofd => "PK\3\4\x14\0\x08\x08\x08\0OFD.xml");
    my ($ext) = $name =~ /\.(\w+)$/;
    my $bytes = ($head{lc $ext} // '') . noise(200 + rnd(3000));

    $bytes = of('legal') . "\r\n" . of('english') if $kind =~ /text/;

    my ($type, $body) = multipart(fields(1 + rnd(3)), [ 'file', $bytes, $name,
                                                        $kind ]);

    return request('POST', target(), $type, $body);
}


sub sso {
    my $back = of('url');
    my $state = pick(hexes(32), encode_base64('{"r":"' . $back . '"}', ''),
                     pct($back));
    my $way = rnd(4);

    return request('GET', '/oauth2/authorize?response_type=code&client_id='
                   . token(16) . '&redirect_uri=' . pct($back) . '&scope='
                   . pick('openid%20profile', 'user_info+get_phone')
                   . '&state=' . pct($state) . '&nonce=' . digits(9))
        if $way == 0;
    return request('GET', '/cas/login?service=' . pct($back . '?target='
                   . pct($back))) if $way == 1;
    return request('POST', '/sso/token', 'application/x-www-form-urlencoded',
                   'grant_type=authorization_code&code=' . token(40)
                   . '&redirect_uri=' . pct($back) . '&client_secret='
                   . pct(encode_base64(noise(32), '')), 'Authorization: Basic '
                   . encode_base64(token(12) . ':' . token(20), ''))
        if $way == 2;

    return request('GET', '/api/user/info?access_token=' . jwt() . '&sign='
                   . pct(encode_base64(noise(64), '')), '', undef,
                   'Authorization: Bearer ' . jwt());
}


sub picture {
    my $data = 'data:image/' . pick(qw(png jpeg gif webp)) . ';base64,'
               . encode_base64(noise(150 + rnd(2000)), '');

    return rnd(2) ? posted($data, pick(qw(photo sign avatar img idCardFront)))
                  : request('POST', target(), 'application/json',
                            json({ image => $data, name => of('name'),
                                   sign => encode_base64(noise(128), '') }));
}


sub vue {
    my %of = map { $_->[0] => $_->[1] } fields(3 + rnd(6));

    return request(pick(qw(POST POST PUT PATCH)), target(), 'application/json',
                   json({ %of, pageNum => \1, pageSize => \10,
                          list => [ map { { code => digits(8),
                                            name => of('matter'),
                                            remark => value() } }
                                    1 .. 1 + rnd(4) ],
                          orderBy => pick('create_time desc', 'id asc'),
                          flag => \pick(qw(true false null)) }),
                   'X-Requested-With: XMLHttpRequest',
                   'Authorization: Bearer ' . jwt());
}


sub benign {
    for my $i (1 .. 120) {
        emit('form', request('POST', target(),
                             'application/x-www-form-urlencoded',
                             coded(fields(3 + rnd(9)))));
        emit('query', request('GET', target() . '?' . coded(fields(2
                                                                   + rnd(4)))));
        emit('json', vue());
    }

    for my $search (@{$data{search}}) {
        emit('search', request('GET', pick('/s', '/search', '/so/s')
                               . pick('?q=', '?keyword=', '?qt=')
                               . pct($search) . '&page=' . rnd(9)));
    }

    for my $text (@{$data{legal}}, @{$data{english}}, @{$data{value}}) {
        emit('text', posted($text, pick(qw(remark reason content memo title
                                           opinion))));
        emit('text', request('GET', target() . '?title=' . pct($text)));
    }

    for my $search (@{$data{gbk}}) {
        my $raw = encode('cp936', $search);

        $raw =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/gse;
        emit('gbk', request('GET', "/search.do?wd=$raw&ie=gbk"));
    }

    for my $agent (@{$data{agent}}) {
        emit('static', request('GET', target() . pick('.js', '.css', '.png',
                                                      '.html') . '?v='
                               . digits(8), '', undef, "User-Agent: $agent"));
    }

    emit('sso', sso()) for 1 .. 50;
    emit('base64', picture()) for 1 .. 40;
    emit('upload', upload()) for 1 .. 60;
    emit('gis', posted(gis(), pick(qw(geometry wkt geom geojson shape track))))
        for 1 .. 100;
    emit('soapxml', request('POST', '/services/' . of('segment'),
                            pick('text/xml; charset=utf-8', 'application/xml',
                                 'application/soap+xml; charset=utf-8'),
                            bytes($_), 'SOAPAction: ""')) for @{$data{soap}};
    emit('misc', written($_)) for @{$data{misc}};

    for my $query (@{$data{graphql}}) {
        emit('graphql', request('POST', pick('/graphql', '/api/graphql'),
                                'application/json',
                                json({ query => $query, variables => {
                                       id => digits(4), name => of('name') },
                                       operationName => token(8) })));
    }

    for my $i (1 .. 200) {
        emit('richtext', posted(joined('rich', 5, pick('', "\n", '<p><br></p>')),
                                pick(qw(content editorValue html body.text
                                        articleContent desc))));
    }

    emit('richtext', posted($_, 'content')) for @{$data{rich}};

    for my $i (1 .. 120) {
        my $text = pick(of('prose'), of('legal')) . "\n"
                   . joined('code', 2, "\n" . of('prose') . "\n") . "\n"
                   . pick('', of('prose'));

        emit('codelike', posted($text, pick(qw(content description question
                                                problem solution text))));
    }

    emit('codelike', posted(of('prose') . "\n$_", 'content'))
        for @{$data{code}};
}


# Each text in as many requests as any other, so that none decides a sum.
sub each_text {
    my $rounds = $set eq 'f' ? 4 : 2;
    my %rounds = (plain => [ 'text', $set eq 'f' ? 2 : 1 ],
                  rich => [ 'richtext', $set eq 'f' ? 4 : 3 ],
                  code => [ 'codelike', $rounds ],
                  gis => [ 'gis', $set eq 'f' ? 4 : 3 ]);
    my @ways = $set eq 'f' ? qw(form json multipart query nested)
                           : qw(form json xmltext multipart query nested);

    for my $name (sort keys %rounds) {
        my ($class, $rounds) = @{$rounds{$name}};
        my $i = 0;

        for my $round (1 .. $rounds) {
            $i = $round - 1 if $set eq 'f';

            for my $text (@{$data{$name} // []}) {
                chomp $text;
                emit($class, spread($ways[$i++ % @ways], filled($text)));
            }

            $i++;
        }
    }

    odds_and_ends();
}


sub odds_and_ends {
    emit('misc', written($_)) for @{$data{misc}};
    emit('soapxml', request('POST', '/services/' . of('segment'), 'text/xml',
                            bytes($_), 'SOAPAction: ""')) for @{$data{soap}};

    for my $i (1 .. 25) {
        emit('form', request('POST', target(),
                             'application/x-www-form-urlencoded',
                             coded(fields(3 + rnd(9)))));
        emit('query', request('GET', target() . '?' . coded(fields(3))));
        emit('json', vue());
        emit('upload', upload());
        emit('sso', sso());
    }
}


# As each_text(), but in the places where such a text is found in production:
# little of it stands in a query.
sub likely {
    my @short = qw(form json query json form multipart json nested form json);
    my @long = qw(form json json multipart form json nested json query json
                  form json json multipart form json nested json form json);
    my %kind = (plain => [ 'text', 2, @short ], gis => [ 'gis', 2, @short ],
                code => [ 'codelike', 3, @long ],
                rich => [ 'richtext', 3, @long ]);

    for my $name (sort keys %kind) {
        my ($class, $rounds, @ways) = @{$kind{$name}};

        for my $round (1 .. $rounds) {
            my $i = 3 * ($round - 1);

            for my $text (@{$data{$name}}) {
                chomp $text;
                emit($class, spread($ways[$i++ % @ways], filled($text),
                                    of("key_$name")));
            }
        }
    }

    for my $text (@{$data{graphql}}) {
        my ($query, $variables) = split /^---\n/m, filled($text), 2;
        my ($name) = $query =~ /^\s*(?:query|mutation|subscription)\s+(\w+)/;
        my $body = json({ query => $query =~ s/\n\z//r,
                          operationName => $name // \'null',
                          variables => \bytes($variables // "{}") });

        $body = "[$body]" if rnd(12) == 0;
        emit('graphql', request('POST', pick('/graphql', '/api/graphql'),
                                'application/json', $body));
    }

    emit('gis', request('GET', bytes($_))) for @{$data{gis_url}};
    emit('gis', request('POST', pick('/geoserver/wfs', '/services/ogc'),
                        pick('text/xml', 'application/xml'), bytes($_)))
        for @{$data{gis_xml}};
    emit('graphql', written($_)) for @{$data{graphql_req}};
    odds_and_ends();
}


# "<@name>" in a text of set f, g or h is one of the words of that list
sub filled {
    my ($text) = @_;

    $text =~ s/<\@(\w+)>/of($1)/ge if $set =~ /[fgh]/;

    return $text;
}


# "@ PATH FIELD" before a text of set h says where its sender writes it
sub each_sender {
    my %rounds = (plain => [ 'text', 2 ], rich => [ 'richtext', 3 ],
                  code => [ 'codelike', 2 ], gis => [ 'gis', 2 ]);
    my @ways = qw(form json multipart json form multipart nested);

    for my $name (sort keys %rounds) {
        my ($class, $rounds) = @{$rounds{$name}};

        for my $round (1 .. $rounds) {
            my $i = $round;

            for my $text (@{$data{$name}}) {
                my ($url, $key, $said) = $text =~ /^@ (\S+) (\S+)\n(.*)/s;

                $said //= $text;
                chomp $said;
                emit($class, spread($ways[$i++ % @ways], filled($said), $key,
                                    $url));
            }
        }
    }

    for my $text (@{$data{graphql}}) {
        chomp $text;
        emit('graphql', $_) for asked($text);
    }

    for my $search (@{$data{search}}) {
        emit('search', request('GET', '/search?q=' . pct($search)
                               . '&page=' . digits(1)));
    }

    odds_and_ends();
}


# a query of GraphQL as the usual client sends it, and in a rarer way
sub asked {
    my ($text) = @_;
    my ($name) = $text =~ /^\s*(?:query|mutation|subscription) (\w+)/m;
    my %of = (query => $text, variables => { id => digits(4),
                                             kw => of('matter') });
    my $way = rnd(5);

    $of{operationName} = $name if defined $name;

    my $usual = request('POST', pick('/graphql', '/api/graphql'),
                        'application/json', json(\%of));

    return ($usual, request('GET', '/graphql?query=' . pct($text)))
        if $way == 0 && length bytes($text) < 200;
    return ($usual, request('POST', '/graphql', 'application/graphql',
                            bytes($text))) if $way < 3;

    return ($usual, request('POST', '/graphql', 'application/json',
                            json([ \%of, { query => '{ ping }' } ])));
}


# a text among the other fields of a form of the portal
sub spread {
    my ($way, $text, $key, $url) = @_;

    $key //= pick(qw(content remark text body detail html value filter memo));

    my @others = fields(1 + rnd(4));
    my %of = map { $_->[0] => $_->[1] } @others;

    $way = 'form' if $way eq 'query' && length bytes($text) > 900;
    $text =~ s/(?<!\r)\n/\r\n/g
        if $set eq 'g' && $way =~ /^(?:form|multipart)$/;

    if ($way eq 'form') {
        return request('POST', $url // target(),
                       'application/x-www-form-urlencoded'
                       . pick('', '; charset=UTF-8'),
                       coded(@others, [ $key, $text ]));

    } elsif ($way eq 'query') {
        return request('GET', ($url // target()) . '?'
                       . coded([ $key, $text ], @others));

    } elsif ($way eq 'json') {
        return request('POST', $url // target(), 'application/json',
                       json({ %of, data => [ { $key => $text } ] }));

    } elsif ($way eq 'nested') {
        return request('POST', $url // target(),
                       'application/json;charset=UTF-8',
                       json({ head => { ts => \number(10) },
                              body => decode('UTF-8', json({ %of,
                                                      $key => $text })) }));

    } elsif ($way eq 'multipart') {
        my ($type, $body) = multipart(@others, [ $key, $text ]);

        return request('POST', $url // target(), $type, $body);
    }

    return request('POST', $url // target(),
                   pick('text/xml', 'application/xml'),
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?><req><$key>"
                   . xml($text) . "</$key><name>" . xml(of('name'))
                   . '</name></req>');
}
