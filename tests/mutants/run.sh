#!/bin/sh
# run.sh [--only NAME]... [--all-tests] [--dir DIR]: puts the faults of mutants.toml into the compiler, one at a time, in
# a copy of the tree with a build of its own, and says which test catches each. Exit code 1 if one survives, or if one of
# the invariants (a) to (e) of tests/programs/invariants_test.cpp catches none.
exec python3 "$(dirname "$0")/mutants.py" "$@"
