package Test::GovSvc::Crowd;

# Copyright (C) govsvc authors
#
# Many callers at once: tokens signed here with a shared secret, requests of
# thousands of clients over a few connections, one behind the other.
#
#     crowd_issuer($t, 'national');       # text of govsvc_issuer, its key set
#     my $token = crowd_token('citizen-1');
#     my %sum = crowd($t, map { [ GET => '/', '192.0.2.1', $token ] } 1 .. 9);
#
# The address of a client goes in X-Real-Client.  crowd() answers how often
# each "STATUS REASON" came, crowd_answers() all of them in order.

use strict;
use warnings;

use Exporter 'import';
use Digest::SHA qw/hmac_sha256/;
use MIME::Base64 qw/encode_base64url/;

our @EXPORT = qw/crowd_issuer crowd_token crowd crowd_answers/;

use constant BATCH => 50;

my $secret = 'a secret of thirty-two bytes, no less';
my $head = encode_base64url('{"alg":"HS256","kid":"crowd"}');


sub crowd_issuer {
    my ($t, $name) = @_;

    $t->write_file('crowd.json', '{"keys":[{"kty":"oct","kid":"crowd","k":"'
        . encode_base64url($secret) . '"}]}');
    chmod 0644 & ~0007, $t->dir() . '/crowd.json';

    return "govsvc_issuer $name { iss https://sso.gov.example; audience off;"
        . ' jwks_file crowd.json; algs HS256; }';
}


# forged => 1: signed with another secret; subject undef: of nobody.

sub crowd_token {
    my ($subject, %opt) = @_;

    my $claims = sprintf '{"iss":"https://sso.gov.example","exp":%d%s%s}',
        time() + 3600, defined $subject ? qq{,"sub":"$subject"} : '',
        $opt{claims} ? ",$opt{claims}" : '';
    my $text = $head . '.' . encode_base64url($claims);
    my $key = $opt{forged} ? "$secret of somebody else" : $secret;

    return "Bearer $text." . encode_base64url(hmac_sha256($text, $key));
}


# Requests are [ METHOD, URI, FROM, TOKEN, HEADERS ]; the last two may lack.

sub crowd_answers {
    my ($t, @requests) = @_;

    my @answers;

    while (my @batch = splice @requests, 0, BATCH) {

        my $socket = $t->connect() or die 'no connection';
        my $n = @batch;
        my $all = '';

        print {$socket} map { text($_, --$n) } @batch;

        while (sysread $socket, my $part, 65536) {
            $all .= $part;
        }

        my @got = $all =~ m{HTTP/1\.1 (\d+ .*?)\r\n\r\n}gms;
        die 'answers: ' . @got . ' of ' . @batch . "\n" if @got != @batch;

        push @answers, map {
            my ($reason) = /^X-Reason: (\S+)/m;
            substr($_, 0, 3) . ' ' . ($reason // '')
        } @got;
    }

    return @answers;
}


sub crowd {
    my %sum;

    $sum{$_}++ for crowd_answers(@_);

    return %sum;
}


sub text {
    my ($request, $left) = @_;

    my ($method, $uri, $from, $token, %headers) = @$request;

    $headers{'X-Real-Client'} = $from;
    $headers{'Authorization'} = $token if $token;
    $headers{'Connection'} = 'close' unless $left;
    $headers{'Content-Length'} = 0 if $method eq 'POST';

    return "$method $uri HTTP/1.1\r\nHost: portal.example\r\n"
        . join('', map { "$_: $headers{$_}\r\n" } sort keys %headers)
        . "\r\n";
}


1;
