#!/bin/sh
# layers.sh: checks the folders' order, base <- ir <- {passes, runtime} <- codegen <- frontend <- {tools, examples}:
# a layer includes itself and those before it. LLVM is seen in codegen/ only, Boost in programs only (tools/, examples/, gcompile-fuzz),
# and a header of codegen/ that includes LLVM is named llvm_*.h and is included by no other header.
set -u
cd "$(dirname "$0")/.."
failed=0

# forbid FOLDER REGEX WHY: no include line of FOLDER may match REGEX.
forbid() {
  if [ -d "$1" ] && grep -rnE --include='*.h' --include='*.cpp' "^ *# *include *[<\"]($2)" "$1"; then
    echo "  ^ $1/: $3"
    failed=1
  fi
}
order='the order is base <- ir <- {passes, runtime} <- codegen <- frontend'
forbid base 'gcompile/(ir|passes|runtime|codegen|frontend|gcompile\.h)' "$order"
forbid ir 'gcompile/(passes|runtime|codegen|frontend|gcompile\.h)' "$order"
forbid passes 'gcompile/(runtime|codegen|frontend|gcompile\.h)' "$order"
forbid runtime 'gcompile/(passes|codegen|frontend|gcompile\.h)' "$order"
forbid codegen 'gcompile/(frontend|gcompile\.h)' "$order"
for folder in base ir passes runtime frontend tools examples bench tests; do
  forbid "$folder" 'llvm(-c)?/' 'LLVM is seen in codegen/ only'
done
for folder in base ir passes runtime codegen frontend bench; do
  forbid "$folder" 'boost/' 'Boost is seen in programs only'
done

if [ -d codegen ]; then
  for header in $(find codegen -name '*.h' ! -name 'llvm_*.h'); do
    if grep -nHE '^ *# *include *[<"](llvm/|gcompile/codegen/(.*/)?llvm_)' "$header"; then
      echo "  ^ a header that includes LLVM is named llvm_*.h"
      failed=1
    fi
  done
fi
exit $failed
