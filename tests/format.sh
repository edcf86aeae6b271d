#!/bin/sh
# format.sh [--fix]: checks that all C++ files are formatted as .clang-format says; --fix formats them.
set -eu
cd "$(dirname "$0")/.."
tool=$(command -v clang-format || command -v clang-format-14 || true)
if [ -z "$tool" ]; then
  echo "format.sh: clang-format is not installed (./setup.sh installs it)" >&2
  exit 1
fi
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  files=$(git ls-files -co --exclude-standard -- '*.h' '*.cpp')
else
  files=$(find . -path './build*' -prune -o \( -name '*.h' -o -name '*.cpp' \) -print)
fi
existing=
for file in $files; do
  if [ -f "$file" ]; then existing="$existing $file"; fi
done
if [ -z "$existing" ]; then exit 0; fi
if [ "${1:-}" = --fix ]; then
  # shellcheck disable=SC2086 # paths of ours contain no blanks
  exec "$tool" -i $existing
fi
# shellcheck disable=SC2086
if ! "$tool" --dry-run -Werror $existing; then
  echo "format.sh: run tests/format.sh --fix" >&2
  exit 1
fi
