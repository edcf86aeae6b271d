#include "gcompile/codegen/cache_key.h"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <llvm/Config/llvm-config.h>
#include <type_traits>
#include <unordered_map>
#include <variant>

#include "gcompile/ir/op.h"
#include "gcompile/version.h"

namespace gcompile::codegen {
namespace {

// The note of the loaded object that holds `address`.
struct BuildIdSearch {
  std::uintptr_t address = 0;
  std::string id = {};

  static int visit(dl_phdr_info* object, std::size_t, void* data) {
    auto& search = *static_cast<BuildIdSearch*>(data);
    bool here = false;
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      const auto& segment = object->dlpi_phdr[i];
      const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
      here |= segment.p_type == PT_LOAD && search.address >= begin && search.address < begin + segment.p_memsz;
    }
    for (int i = 0; here && i < object->dlpi_phnum; ++i)
      if (const auto& segment = object->dlpi_phdr[i]; segment.p_type == PT_NOTE)
        search.notes({reinterpret_cast<const char*>(object->dlpi_addr + segment.p_vaddr), segment.p_memsz});
    return here;
  }

  // A note: three words (bytes of its name, bytes of its content, type), the name, the content, each padded to words.
  void notes(std::string_view bytes) {
    const auto padded = [](std::size_t n) { return (n + 3) / 4 * 4; };
    ElfW(Nhdr) note;
    while (bytes.size() >= sizeof note) {
      std::memcpy(&note, bytes.data(), sizeof note);
      bytes.remove_prefix(sizeof note);
      const std::size_t name = padded(note.n_namesz), size = name + padded(note.n_descsz);
      if (size > bytes.size()) return;
      if (note.n_type == NT_GNU_BUILD_ID && bytes.starts_with("GNU")) id = bytes.substr(name, note.n_descsz);
      bytes.remove_prefix(size);
    }
  }
};

void add(Hasher& hash, const std::vector<Dim>& dims) {
  hash.add(static_cast<std::int64_t>(dims.size()));
  for (const Dim& d : dims) {
    hash.add(std::int64_t{d.is_constant()});
    if (d.is_constant())
      hash.add(d.constant());
    else
      hash.add(std::string_view(d.str()));
  }
}

void add(Hasher& hash, DType dtype) { hash.add(static_cast<std::int64_t>(dtype)); }

void add(Hasher& hash, const AxisOrder& order) {
  hash.add(static_cast<std::int64_t>(order.size()));
  for (const int axis : order) hash.add(std::int64_t{axis});
}

void add(Hasher& hash, const Type& type) {
  add(hash, type.dtype);
  add(hash, type.dims);
}

void add(Hasher& hash, const Array& array) {
  add(hash, Type::of(array.dtype(), array.shape()));
  hash.add({static_cast<const char*>(array.raw()), array.bytes()});
}

void add(Hasher& hash, const ir::AttrValue& value) {
  hash.add(static_cast<std::int64_t>(value.index()));
  std::visit(
      [&](const auto& x) {
        using T = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<T, std::int64_t> || std::is_same_v<T, bool>) {
          hash.add(static_cast<std::int64_t>(x));
        } else if constexpr (std::is_same_v<T, double>) {
          hash.add({reinterpret_cast<const char*>(&x), sizeof x});
        } else if constexpr (std::is_same_v<T, std::string>) {
          hash.add(std::string_view(x));
        } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
          hash.add({reinterpret_cast<const char*>(x.data()), x.size() * sizeof(std::int64_t)});
        } else {
          add(hash, x);
        }
      },
      value);
}

void add(Hasher& hash, const std::vector<Location>& locations) {
  hash.add(static_cast<std::int64_t>(locations.size()));
  for (const Location& l : locations) {
    hash.add(std::string_view(l.file));
    hash.add(std::int64_t{l.line});
  }
}

// Nodes are known by their place in the order, so that equal graphs of different histories are equal.
class GraphHash {
 public:
  GraphHash(Hasher& hash, const ir::Graph& graph) : hash_(hash), graph_(graph) {}

  void run() {
    // Breaks when the graph gets a member: it may belong to the key.
    const auto& [name, arena, inputs, states, results, updates, bounds, requirements, locations, reasons, backward] =
        graph_;
    static_cast<void>(arena);
    static_cast<void>(locations);  // asked for node by node, like:
    static_cast<void>(backward);
    static_cast<void>(reasons);  // of what is in the graph by now
    const std::vector<const ir::Node*> order = graph_.topological();
    hash_.add(std::string_view(name));
    hash_.add(static_cast<std::int64_t>(order.size()));
    for (const ir::Node* node : order) add_node(*node);
    hash_.add(static_cast<std::int64_t>(inputs.size()));
    for (const auto& i : inputs) named(i.name, i.value);
    hash_.add(static_cast<std::int64_t>(states.size()));
    for (const auto& s : states) {
      named(s.name, s.value);
      hash_.add(std::int64_t{s.trainable});
      add(hash_, s.order);
    }
    hash_.add(static_cast<std::int64_t>(results.size()));
    for (const auto& r : results) named(r.name, r.value);
    hash_.add(static_cast<std::int64_t>(updates.size()));
    for (const auto& u : updates) {
      hash_.add(std::int64_t{u.state});
      value(u.value);
    }
    hash_.add(static_cast<std::int64_t>(bounds.size()));
    for (const auto& [symbol, b] : bounds) {
      hash_.add(std::string_view(symbol));
      hash_.add(b.min);
      hash_.add(b.max);
    }
    hash_.add(static_cast<std::int64_t>(requirements.size()));
    for (const ir::Requirement& r : requirements) {
      hash_.add(std::string_view(r.extent.str()));
      hash_.add(r.least);
      hash_.add(std::string_view(r.what));
      add(hash_, {r.where});
    }
  }

 private:
  void value(ir::Value v) {
    const auto it = numbers_.find(v.node);
    hash_.add(it == numbers_.end() ? std::int64_t{-1} : it->second);
    hash_.add(std::int64_t{v.index});
  }

  void named(const std::string& name, ir::Value v) {
    hash_.add(std::string_view(name));
    value(v);
  }

  void add_node(const ir::Node& node) {
    numbers_.emplace(&node, static_cast<std::int64_t>(numbers_.size()));
    const auto& [id, op, operands, attrs, types, bodies] = node;
    static_cast<void>(id);
    hash_.add(std::string_view(op->name));
    hash_.add(static_cast<std::int64_t>(operands.size()));
    for (const ir::Value& v : operands) value(v);
    hash_.add(static_cast<std::int64_t>(attrs.entries().size()));
    for (const auto& [key, attribute] : attrs.entries()) {
      hash_.add(std::string_view(key));
      add(hash_, attribute);
    }
    hash_.add(static_cast<std::int64_t>(types.size()));
    for (const Type& t : types) add(hash_, t);
    add(hash_, graph_.where(&node));
    hash_.add(std::int64_t{graph_.is_backward(&node)});
    hash_.add(static_cast<std::int64_t>(bodies.size()));
    for (const auto& body : bodies) GraphHash(hash_, *body).run();
  }

  Hasher& hash_;
  const ir::Graph& graph_;
  std::unordered_map<const ir::Node*, std::int64_t> numbers_;
};

void add(Hasher& hash, const Rates& rates) {
  const auto& [ghz, issue, operations, products, latency, division, root, loads, stores, load_bytes, store_bytes, l2,
               l3, dram, l3_bytes, gather, forwarding, loop, launch, call, wake] = rates;
  for (const double& x :
       {ghz,         issue, operations, products, latency, division,   root, loads,  stores, load_bytes,
        store_bytes, l2,    l3,         dram,     gather,  forwarding, loop, launch, call,   wake})
    hash.add({reinterpret_cast<const char*>(&x), sizeof x});
  hash.add(l3_bytes);
}

void add(Hasher& hash, const Target& target) {
  const auto& [name, cpu, features, triple, vector_bytes, vector_registers, has_fma, has_f16c, reorder_window,
               serial_cutoff, chains, l1_bytes, l2_bytes, unroll_limit, tile_elements, stack_limit, rates] = target;
  for (const std::string* text : {&name, &cpu, &features, &triple}) hash.add(std::string_view(*text));
  for (const std::int64_t n :
       {std::int64_t{vector_bytes}, std::int64_t{vector_registers}, std::int64_t{has_fma}, std::int64_t{has_f16c},
        std::int64_t{reorder_window}, serial_cutoff, std::int64_t{chains}, l1_bytes, l2_bytes,
        std::int64_t{unroll_limit}, tile_elements, stack_limit})
    hash.add(n);
  add(hash, rates);
}

}  // namespace

const std::string& build_identity() {
  static const std::string id = [] {
    BuildIdSearch search{reinterpret_cast<std::uintptr_t>(&BuildIdSearch::visit)};
    ::dl_iterate_phdr(&BuildIdSearch::visit, &search);
    return search.id;
  }();
  return id;
}

std::optional<ContentHash> cache_key(const ir::Graph& graph, const Target& target, bool check_nan, bool debug_info,
                                     std::int64_t memory_budget) {
  if (build_identity().empty()) return std::nullopt;
  Hasher hash;
  for (const std::string_view text : {std::string_view(build_identity()), std::string_view(GCOMPILE_VERSION_STRING),
                                      std::string_view(LLVM_VERSION_STRING)})
    hash.add(text);
  add(hash, target);
  hash.add(std::int64_t{check_nan});
  hash.add(std::int64_t{debug_info});
  hash.add(memory_budget);
  GraphHash(hash, graph).run();
  return hash.finish();
}

std::optional<ContentHash> key_for_pinned_orders(const ContentHash& key, const ir::Graph& graph) {
  Hasher hash;
  hash.add(key.hex());
  bool any = false;
  for (const auto& s : graph.states) {
    const std::optional<AxisOrder> pinned = s.storage ? s.storage->pinned_order() : std::nullopt;
    any |= pinned.has_value();
    hash.add(std::int64_t{pinned.has_value()});
    if (pinned) add(hash, *pinned);
  }
  return any ? std::optional(hash.finish()) : std::nullopt;
}

}  // namespace gcompile::codegen
