// Uses the installed package: the umbrella header alone, and the library.
#include <cstdio>

#include <gcompile/gcompile.h>
#include <gcompile/version.h>

int main() { std::printf("gcompile %s\n", GCOMPILE_VERSION_STRING); }
