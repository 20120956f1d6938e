package Test::GovSvc::Store;

# Copyright (C) govsvc authors
#
# Audit stores made by hand, with true hash chains (SHA-256), of any age.

use strict;
use warnings;

use Digest::SHA qw/sha256/;
use Exporter 'import';
use MIME::Base64 qw/encode_base64url/;
use POSIX qw/strftime/;

our @EXPORT_OK = qw/store_chain store_time/;

=head1 SYNOPSIS

    my $made = store_chain($dir, 'n1.1.w0.5', [
        { at => $epoch, lines => [ '"ty":"http","st":"done"...' ] },
        { at => $epoch, lines => [ ... ] },
    ], end => $epoch);

Writes one segment for each entry below C<$dir/CHAIN>; the time of a line is
that of its segment and its place in us.  A line is what stands behind C<"seq">
and C<"t">, and may begin with C<< "id":"...", >> taken to the front.  With
C<end> the chain is closed at that time.  Answers
C<< [{ name, path, seq, next, h, bytes }, ...] >> of segments.

=cut

sub store_time {
    my ($at, $us) = @_;
    my $s = int $at;

    return strftime('%Y-%m-%dT%H:%M:%S', gmtime($s + 8 * 3600))
           . sprintf('.%06d+08:00', $us // 0);
}

sub store_chain {
    my ($dir, $chain, $segments, %args) = @_;
    my ($seq, $h, @made) = (0, "\0" x 32);

    mkdir "$dir/$chain" or die "$dir/$chain: $!\n";

    for my $i (0 .. $#$segments) {
        my $s = $segments->[$i];
        my $last = $i == $#$segments;
        my $name = sprintf '%016d', $seq;
        my ($text, $n, $first) = ('', 0, $seq);

        my $prev = @made
            ? sprintf('{"seg":"%s","bytes":%d,"seq":%d,"h":"%s"}',
                $made[-1]{name}, $made[-1]{bytes}, $seq - 1,
                encode_base64url($h))
            : 'null';

        $h = "\0" x 32;

        my $put = sub {
            my ($body) = @_;
            $h = sha256($h . $body);
            $text .= $body . ',"h":"' . encode_base64url($h) . "\"}\n";
            $seq++;
            $n++;
        };

        $put->(sprintf '{"v":1,"ty":"seg.open","ch":"%s","seq":%d,"alg":"sha256"'
               . ',"t":"%s","prev":%s,"keep":180,"why":"%s"', $chain, $seq,
               store_time($s->{at}), $prev, @made ? 'size' : 'start');

        for my $line (@{ $s->{lines} }) {
            my ($id, $rest) = $line =~ /^("id":"[^"]*",)?(.*)$/s;
            my ($ty, $tail) = $rest =~ /^("ty":"[^"]*"(?:,"st":"[^"]*")?)(.*)$/s
                or die "no type: $line\n";
            $put->(sprintf '{"v":1,%s%s,"ch":"%s","seq":%d,"t":"%s"%s',
                   $id // '', $ty, $chain, $seq,
                   store_time($s->{at}, $n % 1_000_000), $tail);
        }

        if (!$last || defined $args{end}) {
            $put->(sprintf '{"v":1,"ty":"seg.close","ch":"%s","seq":%d,"t":"%s"'
                   . ',"n":%d,"why":"%s"', $chain, $seq,
                   store_time($last ? $args{end} : $segments->[$i + 1]{at}),
                   $n + 1, $last ? 'exit' : 'size');
        }

        my $path = "$dir/$chain/$name.seg";
        open my $fh, '>:raw', $path or die "$path: $!\n";
        print $fh $text;
        close $fh or die "$path: $!\n";

        push @made, { name => $name, path => $path, seq => $first,
                      next => $seq, h => $h, bytes => length $text };
    }

    return \@made;
}

1;
