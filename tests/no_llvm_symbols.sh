#!/bin/sh
# no_llvm_symbols.sh NM LIBRARY: passes if the library exports symbols, and none that mentions LLVM.
set -eu
symbols=$("$1" -D --defined-only "$2" | c++filt)
if ! printf '%s\n' "$symbols" | grep -q 'gcompile::'; then
  echo "$2 exports nothing of gcompile"
  exit 1
fi
if leaked=$(printf '%s\n' "$symbols" | grep -E 'llvm::| LLVM[A-Z]'); then
  printf '%s\n' "$leaked" | head -20
  echo "$2 exports symbols of LLVM: $(printf '%s\n' "$leaked" | wc -l)"
  exit 1
fi
