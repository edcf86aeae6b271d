#!/bin/sh
# gdb.sh GDB GCOMPILE MODEL: passes if gdb stops in a kernel at a line of the user's and shows it in the stack; 77 (skipped)
# where gdb may not run programs.
set -eu
gdb=$1 tool=$2 model=$3
export GCOMPILE_CACHE=off
if ! "$gdb" -nx -batch -ex run --args true 2>&1 | grep -q 'exited normally'; then
  echo "gdb may not run programs here"
  exit 77
fi
out=$("$gdb" -nx -batch -ex 'set debuginfod enabled off' -ex 'set breakpoint pending on' \
  -ex 'break course_04_diabetes.cpp:17' -ex run -ex 'info line *$pc' -ex bt \
  --args "$tool" run "$model" --debug-info --dim N=40 2>&1)
failed=0
expect() {
  if ! printf '%s\n' "$out" | grep -q "$1"; then
    echo "gdb did not print: $1"
    failed=1
  fi
}
expect '^Breakpoint 1, diabetes_train\.k0\..* () at .*course_04_diabetes\.cpp:17'
expect '^Line 17 of ".*course_04_diabetes\.cpp" starts at address'
expect '^#0 .*diabetes_train\.k0\..* () at .*course_04_diabetes\.cpp:17'
expect '^#1 .* gc_entry () at .*course_04_diabetes\.cpp'
[ "$failed" = 0 ] || printf '%s\n' "$out"
exit $failed
