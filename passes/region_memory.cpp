#include "gcompile/passes/region_memory.h"

namespace gcompile::passes {

using ir::Region;

RegionMemory::RegionMemory(const ir::KernelModule& module) : module_(module), behind_(module.buffers.size()) {
  for (std::size_t b = 0; b < behind_.size(); ++b) behind_[b].insert(static_cast<int>(b));
  const auto index = [&](const std::string& name) { return module_.find_buffer(name); };
  for (const Region& r : module.regions) {
    if (!r.predicate.empty()) kept_.insert(index(r.predicate));
    for (const Region::Slice& s : r.slices) {
      borrowed_.insert(index(s.element));
      behind_[static_cast<std::size_t>(index(s.element))].insert(index(s.whole));
      kept_.insert({index(s.element), index(s.whole)});
    }
    for (const Region::Carry& c : r.carries) {
      borrowed_.insert(index(c.in));
      for (const std::string& from : {c.initial, c.out})
        behind_[static_cast<std::size_t>(index(c.in))].insert(index(from));
      kept_.insert({index(c.in), index(c.out), index(c.initial), index(c.result)});
    }
    for (const Region::Carry& c : r.carries)
      if (!borrowed_.count(index(c.out))) double_.insert(index(c.out));
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (auto& all : behind_)
      for (const int b : std::set<int>(all))
        for (const int more : behind_[static_cast<std::size_t>(b)]) changed |= all.insert(more).second;
  }
}

Lifetime RegionMemory::span(int region) const {
  Lifetime life;
  for (int k = 0; k < static_cast<int>(module_.kernels.size()); ++k)
    if (module_.lies_in(module_.kernels[static_cast<std::size_t>(k)].region, region)) life.include(k);
  return life;
}

std::vector<Lifetime> RegionMemory::lifetimes(const std::vector<std::vector<int>>& kernels_of_buffer) const {
  const auto region_of = [&](int kernel) { return module_.kernels[static_cast<std::size_t>(kernel)].region; };
  const auto parent_of = [&](int region) { return module_.regions[static_cast<std::size_t>(region)].parent; };
  std::vector<Lifetime> lives(module_.buffers.size());
  // The innermost region that all uses of a buffer lie in, after which it is not wanted.
  std::vector<int> home(module_.buffers.size(), -2);  // -2: no use yet
  const auto use = [&](int buffer, int region) {
    int& h = home[static_cast<std::size_t>(buffer)];
    if (h == -2) h = region;
    while (h >= 0 && !module_.lies_in(region, h)) h = parent_of(h);
  };
  const auto touch = [&](int buffer, int region, const Lifetime& when) {
    for (const int b : behind(buffer)) {
      use(b, region);
      lives[static_cast<std::size_t>(b)].include(when);
    }
  };
  for (std::size_t b = 0; b < kernels_of_buffer.size(); ++b)
    for (const int k : kernels_of_buffer[b]) touch(static_cast<int>(b), region_of(k), {k, k});
  for (std::size_t i = 0; i < module_.regions.size(); ++i) {
    const Region& r = module_.regions[i];
    const Lifetime all = span(static_cast<int>(i));
    const auto hold = [&](const std::string& name) { touch(module_.find_buffer(name), r.parent, all); };
    if (!r.predicate.empty()) hold(r.predicate);
    for (const Region::Slice& s : r.slices) hold(s.whole);
    for (const Region::Carry& c : r.carries)
      for (const std::string& name : {c.out, c.initial, c.result}) hold(name);
  }
  // What is used inside of a loop and not only there has to be there in every step.
  for (std::size_t b = 0; b < lives.size(); ++b)
    for (int k = lives[b].first; k >= 0 && k <= lives[b].last; ++k)
      for (int r = region_of(k); r >= 0 && !module_.lies_in(home[b], r); r = parent_of(r)) lives[b].include(span(r));
  return lives;
}

}  // namespace gcompile::passes
