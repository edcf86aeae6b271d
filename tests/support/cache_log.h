// What a compile cache did, for tests to look at.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gcompile/codegen/object_cache.h"

namespace gcompile::testing {

struct CacheLog {
  std::vector<std::pair<codegen::CacheEvent, std::string>> events;

  codegen::CacheObserver observer() {
    return [this](codegen::CacheEvent event, const std::string& text) { events.emplace_back(event, text); };
  }
  std::ptrdiff_t count(codegen::CacheEvent event) const {
    return std::count_if(events.begin(), events.end(), [&](const auto& e) { return e.first == event; });
  }
  std::vector<codegen::CacheEvent> kinds() const {
    std::vector<codegen::CacheEvent> all;
    for (const auto& e : events) all.push_back(e.first);
    return all;
  }
};

}  // namespace gcompile::testing
