# What perl is used for: splitting text, counting words in hashes, regular expressions, sorting, formatting. Own code.
use strict;
use warnings;

my ($file, $rounds) = @ARGV;
open my $in, '<', $file or die "$file: $!";
my @lines = <$in>;
close $in;
my $sum = 0;
for my $round (1 .. $rounds) {
	my (%count, %follows);
	my $before = '';
	for my $line (@lines) {
		(my $plain = lc $line) =~ s/[^a-z ]+/ /g;
		for my $word (split ' ', $plain) {
			$count{$word}++;
			$follows{$before}{$word}++ if $word =~ /^[a-m]/;
			$before = $word;
		}
		$sum += length $1 if $line =~ /(\b\w+ing\b|\b[aeiou]\w*)/;
	}
	my @sorted = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
	$sum = ($sum * 33 + $count{$sorted[$_]} + ord $sorted[$_]) % 1000000007 for 0 .. ($#sorted < 400 ? $#sorted : 400);
	my $text = join ',', map { sprintf '%s=%d', $_, scalar keys %{ $follows{$_} } } sort keys %follows;
	$sum = ($sum + unpack '%32C*', $text) % 1000000007;
}
print "$sum\n";
