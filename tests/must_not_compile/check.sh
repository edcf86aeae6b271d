#!/bin/sh
# check.sh SOURCE COMPILER FLAG...: passes if compiling SOURCE fails and the compiler's output contains the text that
# the first line of SOURCE gives: `// expect: TEXT`.
set -u
source=$1
shift
expected=$(sed -n '1s|^// expect: *||p' "$source")
if [ -z "$expected" ]; then
  echo "$source: the first line must be '// expect: TEXT'"
  exit 1
fi
if output=$(LC_ALL=C "$@" -fsyntax-only "$source" 2>&1); then
  echo "$source compiles, and must not"
  exit 1
fi
if ! printf '%s\n' "$output" | grep -qF -- "$expected"; then
  printf '%s\n' "$output"
  echo "$source: the compiler's output does not contain: $expected"
  exit 1
fi
