#include "gcompile/codegen/content_hash.h"

#define XXH_INLINE_ALL  // no library to link, nothing exported
#include <xxhash.h>

#include <cstdio>

namespace gcompile::codegen {

struct Hasher::State {
  XXH3_state_t xxh3;
};

std::string ContentHash::hex() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return text;
}

Hasher::Hasher() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh3); }
Hasher::~Hasher() = default;

void Hasher::add(std::int64_t number) { XXH3_128bits_update(&state_->xxh3, &number, sizeof number); }

void Hasher::add(std::string_view bytes) {
  add(static_cast<std::int64_t>(bytes.size()));
  if (!bytes.empty()) XXH3_128bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

ContentHash Hasher::finish() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh3);
  return {hash.high64, hash.low64};
}

}  // namespace gcompile::codegen
