#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Writes casemap.c from the lower-case table of a l_intl.nls:
#
#     perl casemap.pl /usr/share/wine/nls/l_intl.nls > casemap.c
#
# The file holds 16-bit little-endian words: the offset of the upper-case table, there its size,
# behind it the size of the lower-case table and the table itself: three levels of indexes (8, 4
# and 4 bits of a unit) that end in what is to be added to the unit.
use strict;
use warnings;

use constant BLOCK => 64;    # units a block, as utf16.c has it

@ARGV == 1 or die "usage: $0 l_intl.nls > casemap.c\n";
open(my $file, '<:raw', $ARGV[0]) or die "$0: cannot open $ARGV[0]: $!\n";
my @words = do { local $/; unpack('v*', <$file>) };
my $at = $words[0] or die "$0: $ARGV[0] holds no case tables\n";
$at += $words[$at];
$at < @words && $at + $words[$at] <= @words or die "$0: $ARGV[0] ends within its case tables\n";
my @table = @words[$at + 1 .. $at + $words[$at] - 1];
my @delta = map { $table[$table[$table[$_ >> 8] + (($_ >> 4) & 15)] + ($_ & 15)] } 0 .. 0xffff;

# Equal blocks are written once; block 0 is the one in which nothing changes.
my (%number, @blocks, @index);
for my $block (0 .. 0x10000 / BLOCK - 1) {
    my @part = @delta[$block * BLOCK .. ($block + 1) * BLOCK - 1];
    next unless grep { $_ } @part;
    my $text = join(',', @part);
    if (!$number{$text}) {
        push @blocks, \@part;
        $number{$text} = @blocks;
    }
    push @index, [$block, $number{$text}];
}

# Writes items separated by commas, in lines of at most 100 columns.
sub fill {
    my ($indent, @items) = @_;
    my $line = $indent;
    for my $item (@items) {
        if (length("$line $item,") > 100) {
            print "$line\n";
            $line = $indent;
        }
        $line .= ($line eq $indent ? '' : ' ') . "$item,";
    }
    print "$line\n";
}

print <<'END';
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lower-case table of Wine's l_intl.nls, written by casemap.pl: what is to be added (modulo
 * 65536) to a unit, in blocks of 64 units.  Units of blocks that are not named stay as they are.
 */
#include "casemap.h"

const uint8_t casemap_index[CASEMAP_BLOCKS] = {
END
fill('    ', map { sprintf('[0x%04x / 64] = %d', $_->[0] * BLOCK, $_->[1]) } @index);
print "};\n\nconst uint16_t casemap_delta[][CASEMAP_BLOCK] = {\n    { 0 },\n";
for my $block (@blocks) {
    my @items;
    for (my $i = 0; $i < BLOCK;) {
        my $end = $i;
        $end++ while $end + 1 < BLOCK && $block->[$end + 1] == $block->[$i];
        my $place = $end > $i ? "[$i ... $end]" : "[$i]";
        push @items, "$place = $block->[$i]" if $block->[$i];
        $i = $end + 1;
    }
    print "    {\n";
    fill('        ', @items);
    print "    },\n";
}
print "};\n";
