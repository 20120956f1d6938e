package GovSvc::Source;

# Copyright (C) govsvc authors
#
# What the tools read from the sources and from the pages of the directives.

use strict;
use warnings;

use Exporter qw/import/;

our @EXPORT_OK = qw/slurp sources directives variables reasons pages report
    finish exempt/;

my $findings = 0;
my %exempt;


# Every check prints "FILE:LINE: what is wrong; remedy" and ends with finish().

sub report {
    my ($file, $line, $text) = @_;

    $findings++;
    print defined $line ? "$file:$line: $text\n" : "$file: $text\n";
}


sub finish {
    exit($findings ? 1 : 0);
}


# tools/lint-exempt: CHECK PATH [NAME]  # why

sub exempt {
    my ($check, @words) = @_;

    if (!%exempt) {
        %exempt = (' ' => 1);

        for (split /\n/, slurp('tools/lint-exempt')) {
            s/\s*#.*//;
            $exempt{join ' ', split} = 1 if /\S/;
        }
    }

    return $exempt{join ' ', $check, @words};
}


sub slurp {
    my ($path) = @_;

    open my $fh, '<:raw', $path or die "$path: $!\n";
    local $/;

    return scalar(<$fh>) // '';
}


sub sources {
    my ($kind) = @_;

    my @module = sort glob 'ngx_govsvc_module/*/*.[ch]';

    return @module if ($kind // '') eq 'module';

    return @module, sort glob
        'tools/*.[ch] t/unit/*.[ch] fuzz/*.[ch] bench/*.[ch]';
}


sub line_of {
    my ($text, $offset) = @_;

    return 1 + (substr($text, 0, $offset) =~ tr/\n//);
}


# The directive tables: name => { file, line, contexts, args, block, field,
# default }, default is the C expression of the merge, undef if there is none.

sub directives {
    my %found;

    my %context = (
        NGX_MAIN_CONF => 'main',
        NGX_HTTP_MAIN_CONF => 'http',
        NGX_HTTP_SRV_CONF => 'server',
        NGX_HTTP_LOC_CONF => 'location',
        NGX_HTTP_UPS_CONF => 'upstream',
        NGX_HTTP_SIF_CONF => 'if in server',
        NGX_HTTP_LIF_CONF => 'if in location',
        NGX_HTTP_LMT_CONF => 'limit_except',
    );

    for my $file (grep { /\.c$/ } sources('module')) {
        my $text = slurp($file);

        while ($text =~ /\{ \s* ngx_string\("(\w+)"\), \s*
            ((?:NGX_\w+ \s* \|? \s*)+), \s* (\w+), \s* (\w+), \s*
            ((?:[^,()]|\([^()]*\))+), \s* ([^{}]*?) \s* \}/gx)
        {
            my ($name, $flags, $setter, $conf, $offset) =
                ($1, $2, $3, $4, $5);
            my $line = line_of($text, $-[1]);

            $flags =~ s/\s//g;
            my @flags = split /\|/, $flags;
            my ($field) = $offset =~ /offsetof\(\s*\w+\s*,\s*(\w+)/;

            my ($merge, $default);
            if (defined $field) {
                my $value = qr/((?:[^()]|\([^()]*\))+?)/;

                if ($text =~ /ngx_conf_merge_(?:(\w+?)_)?value\( \s*
                    \w+->$field, \s* \w+->$field, \s* $value \s* \);/x)
                {
                    ($merge, $default) = ($1 // '', $2);

                } elsif ($text =~ /ngx_conf_init_(\w+?)_value\( \s*
                    \w+->$field, \s* $value \s* \);/x)
                {
                    ($merge, $default) = ($1, $2);
                }
            }

            $found{$name} = {
                name => $name, file => $file, line => $line,
                flags => \@flags, setter => $setter,
                contexts => [grep { defined } map { $context{$_} } @flags],
                field => $field, merge => $merge, default => $default,
                text => $text,
            };
        }
    }

    return %found;
}


sub variables {
    my %found;

    for my $file (grep { /\.c$/ } sources('module')) {
        my $text = slurp($file);

        while ($text =~ /ngx_string\("(govsvc_\w+)"\),\s*(?:NULL|ngx_http_)/g) {
            my $name = $1;
            $found{$name} = { file => $file,
                line => line_of($text, $-[1]) };
        }

        next if $file !~ /_variables\.c$/;

        while ($text =~ /^    ngx_http_govsvc_\w+\("(\w+)",\s/mg) {
            $found{"govsvc_$1"} = { file => $file,
                line => line_of($text, $-[1]) };
        }
    }

    return %found;
}


# CODE => { status, zh, en }

sub reasons {
    my $file = 'ngx_govsvc_module/core/gs_reason_rows.h';
    my $text = slurp($file);
    my %found;

    while ($text =~ /^gs_reason\( \s* (\d+), \s* "([A-Z_]+)", \s*
        ((?: \s* "(?:[^"\\]|\\.)*" )+) \s* , \s*
        ((?: \s* "(?:[^"\\]|\\.)*" )+) \s* , \s*
        "([^"]*)", \s* "([^"]*)" \s* \)/gmx)
    {
        my ($status, $code, $zh, $en, $who) = ($1, $2, $3, $4, "$6 / $5");
        my $line = line_of($text, $-[2]);

        for ($zh, $en) {
            s/"\s*"//g;
            s/^\s*"|"\s*$//g;
        }

        $found{$code} = { status => $status, zh => $zh, en => $en,
            who => $who, file => $file, line => $line };
    }

    return %found;
}


# docs/ref/directives/NAME.md: { name, syntax => [...], default, context,
# since, phase, en, zh, example, file }

sub pages {
    my @pages;

    for my $file (sort glob 'docs/ref/directives/*.md') {
        my $text = slurp($file);
        my %page = (file => $file, syntax => []);

        my ($head, $body) = $text =~ /\A---\n(.*?)\n---\n(.*)\z/s;

        if (!defined $head) {
            $page{error} = 'has no head between lines of "---"';
            push @pages, \%page;
            next;
        }

        for (split /\n/, $head) {
            my ($key, $value) = /^(\w+):\s*(.*?)\s*$/ or next;

            if ($key eq 'syntax') {
                push @{$page{syntax}}, $value;
                next;
            }

            $page{$key} = $value;
        }

        my $part;
        for (split /\n/, $body, -1) {
            if (/^## (en|zh|example)\s*$/) {
                $part = $1;
                next;
            }

            $page{$part} .= "$_\n" if defined $part;
        }

        for my $key (qw/en zh example/) {
            $page{$key} //= '';
            $page{$key} =~ s/\A\s+|\s+\z//g;
        }

        push @pages, \%page;
    }

    return @pages;
}


1;
