#!/bin/sh
# run.sh FUZZER GRAPHS [SEED]: checks random graphs; without SEED from a fresh one, which is printed for repeating the run.
set -eu
seed=${3:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "$1 --graphs $2 --seed $seed --stats"
exec "$1" --graphs "$2" --seed "$seed" --stats
