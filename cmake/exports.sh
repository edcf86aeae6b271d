#!/bin/sh
# exports.sh NM OBJECTS OUT: writes the version script OUT that exports from the objects listed in the file OBJECTS
# every symbol of namespace gcompile, and of std for our types where it is not inline, that does not mention LLVM.
set -eu
nm=$1 objects=$2 out=$3
{
  echo '{'
  echo '  global:'
  echo '    gcompile_*;'
  # nm -P prints: name type value size. T D B R G S: strong; V W u: weak or unique, kept if gcompile's own.
  xargs "$nm" -P --defined-only --extern-only <"$objects" | LC_ALL=C awk '
    $1 !~ /8gcompile/ || $1 ~ /4llvm/ { next }
    $2 ~ /^[TDBRGS]$/ || $1 ~ /^_Z(T[A-Za-z]|GV|GR)?Z?N[A-Z]*8gcompile/ || $1 ~ /^_Z(T[A-Za-z]|GV)?Z?NK?St4hashIN?K?8gcompile/ {
      print "    " $1 ";"
    }' | LC_ALL=C sort -u
  echo '  local:'
  echo '    *;'
  echo '};'
} >"$out.tmp"
if cmp -s "$out.tmp" "$out"; then rm "$out.tmp"; touch "$out"; else mv "$out.tmp" "$out"; fi
