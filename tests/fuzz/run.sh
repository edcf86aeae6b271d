#!/bin/sh
# run.sh FUZZER GRAPHS [SEED [PART PARTS]]: checks random graphs; without SEED from a fresh one, which is printed for
# repeating the run. With PART, one of 1 .. PARTS: that part of the graphs, of which GCOMPILE_FUZZ_GRAPHS says another
# number. As many as meet everything must do so: each op of the registry, each transform, each kind of comparison.
set -eu
seed=${3:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
first=0 graphs=$2
if [ $# -gt 3 ]; then
  all=${GCOMPILE_FUZZ_GRAPHS:-$2}
  first=$(((($4 - 1) * all) / $5))
  graphs=$(($4 * all / $5 - first))
fi
complete=
[ "$graphs" -lt 2000 ] || complete=--complete
echo "$1 --seed $seed --first $first --graphs $graphs --stats $complete"
exec "$1" --seed "$seed" --first "$first" --graphs "$graphs" --stats $complete
