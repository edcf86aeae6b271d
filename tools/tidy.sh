#!/usr/bin/env bash
# tidy.sh [-p BUILD] [FILE...]: runs clang-tidy with the profile .clang-tidy over FILEs, or over all our sources in the
# compile database of BUILD (default: build). Exits with 1 if it has something to say.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build
if [[ ${1:-} == -p ]]; then
  [[ $# -ge 2 ]] || { echo "usage: tools/tidy.sh [-p BUILD] [FILE...]" >&2; exit 2; }
  build=$2
  shift 2
fi
tool=$(command -v clang-tidy-19 || command -v clang-tidy || true)
if [[ -z $tool ]]; then
  echo "tidy.sh: clang-tidy is not installed (apt-get install clang-tidy-19)" >&2
  exit 1
elif [[ ! -f $build/compile_commands.json ]]; then
  echo "tidy.sh: $build/compile_commands.json does not exist; configure first: cmake --preset release" >&2
  exit 1
fi
files=("$@")
if [[ ${#files[@]} -eq 0 ]]; then
  mapfile -t files < <(git ls-files -- '*.cpp' ':!tests/must_not_compile' ':!tests/consumer')
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# -Wno-...: options of GCC in the database that clang does not know.
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(nproc)" "$tool" -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wno-ignored-optimization-argument 2>/dev/null | tee "$log" || true
if grep -qE ': (warning|error): ' "$log"; then
  echo "tidy.sh: $(grep -cE ': (warning|error): ' "$log") findings" >&2
  exit 1
fi
