#include "gcompile/codegen/cache_entry.h"

#include <algorithm>
#include <cstring>

#include "gcompile/base/error.h"
#include "gcompile/ir/parse.h"

namespace gcompile::codegen {
namespace {

class Writer {
 public:
  void number(std::int64_t n) { bytes_.append(reinterpret_cast<const char*>(&n), sizeof n); }
  void text(std::string_view t) {
    number(static_cast<std::int64_t>(t.size()));
    bytes_ += t;
  }
  void dim(const Dim& d) {
    text(d.is_constant() ? std::string() : d.str());
    if (d.is_constant()) number(d.constant());
  }
  void type(const Type& t) {
    number(static_cast<std::int64_t>(t.dtype));
    list(t.dims, [&](const Dim& d) { dim(d); });
  }
  template <class List, class F>
  void list(const List& items, const F& each) {
    number(static_cast<std::int64_t>(items.size()));
    for (const auto& item : items) each(item);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  [[noreturn]] static void fail() { throw DataError("its description of the program makes no sense"); }
  static void require(bool holds) {
    if (!holds) fail();
  }

  std::int64_t number() {
    std::int64_t n;
    std::memcpy(&n, take(sizeof n).data(), sizeof n);
    return n;
  }
  // A number in begin .. end - 1.
  template <class T = int>
  T number(std::int64_t begin, std::int64_t end) {
    const std::int64_t n = number();
    require(n >= begin && n < end);
    return static_cast<T>(n);
  }
  std::string_view text() { return take(number<std::size_t>(0, left() + 1)); }
  Dim dim() {
    const std::string_view t = text();
    return t.empty() ? Dim(number()) : ir::parse_dim(t);
  }
  Type type() {
    Type t;
    t.dtype = number<DType>(0, static_cast<std::int64_t>(std::size(kAllDTypes)));
    list([&] { t.dims.push_back(dim()); });
    return t;
  }
  template <class F>
  void list(const F& each) {  // every item has a byte at least
    for (auto n = number<std::int64_t>(0, left() + 1); n > 0; --n) each();
  }
  std::string_view take(std::size_t n) {
    require(n <= rest_.size());
    const std::string_view bytes = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return bytes;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::int64_t left() const { return static_cast<std::int64_t>(rest_.size()); }
  std::string_view rest_;
};

int index_of(const std::shared_ptr<StateStorage>& storage, const ir::Graph& graph) {
  for (std::size_t i = 0; i < graph.states.size(); ++i)
    if (storage && graph.states[i].storage == storage) return static_cast<int>(i);
  return -1;
}

// Structured bindings of all members: a new one does not compile until it was decided what becomes of it here.

void write(Writer& w, const ir::Buffer& b, const ir::Graph& graph) {
  const auto& [name, type, role, data, storage, trainable, order, per_worker, alias] = b;
  w.text(name);
  w.type(type);
  w.number(static_cast<std::int64_t>(role));
  if (role == ir::BufferRole::kConstant) w.text({static_cast<const char*>(data.raw()), data.bytes()});
  if (role == ir::BufferRole::kState) {
    w.number(index_of(storage, graph));
    w.list(order, [&](int axis) { w.number(axis); });
  }
  w.number(trainable);
  w.number(per_worker);
  w.number(alias);
}

ir::Buffer read_buffer(Reader& r, const ir::Graph& graph) {
  ir::Buffer b{.name = std::string(r.text()), .type = r.type(), .role = ir::BufferRole::kTemp};
  b.role = r.number<ir::BufferRole>(0, static_cast<std::int64_t>(ir::BufferRole::kConstant) + 1);
  if (b.role == ir::BufferRole::kConstant) {
    const std::string_view bytes = r.text();
    Reader::require(b.type.is_static());
    const Shape shape = b.type.shape();
    auto left = static_cast<std::int64_t>(bytes.size());  // nothing is allocated for more than there is
    for (const std::int64_t n : shape) {
      Reader::require(n <= left);
      if (n > 1) left /= n;
    }
    b.data = Array::uninitialized(b.type.dtype, shape);
    Reader::require(b.data.bytes() == bytes.size());
    std::memcpy(b.data.raw(), bytes.data(), bytes.size());
  }
  if (b.role == ir::BufferRole::kState) {
    const auto& state = graph.states[r.number<std::size_t>(0, static_cast<std::int64_t>(graph.states.size()))];
    r.list([&] { b.order.push_back(r.number<int>(0, kMaxRank)); });
    Reader::require(is_axis_order(b.order, b.type.rank()));
    Reader::require(state.storage && state.logical_type() == b.logical_type());
    b.storage = state.storage;
  }
  b.trainable = r.number<bool>(0, 2);
  b.per_worker = r.number<bool>(0, 2);
  b.alias = r.number(-1, INT32_MAX);
  return b;
}

void write(Writer& w, const ir::KernelModule& module, const ir::Graph& graph) {
  const auto& [name, bounds, requirements, buffers, regions, kernels, updates, reasons] = module;
  static_cast<void>(kernels);  // the object file is made of them, and of:
  static_cast<void>(regions);
  static_cast<void>(reasons);
  w.text(name);
  w.list(bounds, [&](const auto& b) {
    w.text(b.first);
    w.number(b.second.min);
    w.number(b.second.max);
  });
  w.list(requirements, [&](const ir::Requirement& r) {
    w.dim(r.extent);
    w.number(r.least);
    w.text(r.what);
    w.text(r.where.file);
    w.number(r.where.line);
  });
  w.list(buffers, [&](const ir::Buffer& b) { write(w, b, graph); });
  w.list(updates, [&](const ir::KernelModule::Update& u) {
    w.text(u.state);
    w.text(u.value);
  });
}

ir::KernelModule read_module(Reader& r, const ir::Graph& graph) {
  ir::KernelModule m;
  m.name = r.text();
  r.list([&] {
    const std::string symbol(r.text());
    const std::int64_t min = r.number(), max = r.number();
    m.bounds[symbol] = {min, max};
  });
  r.list([&] {
    ir::Requirement q;
    q.extent = r.dim();
    q.least = r.number();
    q.what = r.text();
    q.where.file = r.text();
    q.where.line = static_cast<std::uint32_t>(r.number(0, UINT32_MAX));
    m.requirements.push_back(std::move(q));
  });
  r.list([&] { m.buffers.push_back(read_buffer(r, graph)); });
  r.list([&] {
    std::string state(r.text()), value(r.text());
    m.updates.push_back({std::move(state), std::move(value)});
  });
  return m;
}

std::string encode(const ir::Program& program, const ir::Graph& graph) {
  Writer w;
  const auto& [module, placements, slots, launches, copies, status, symbols] = program;
  static_cast<void>(launches);  // of kernels
  write(w, module, graph);
  w.list(placements, [&](const ir::Placement& p) { w.number(p.slot); });
  w.list(slots, [&](const ir::Slot& s) {
    const auto& [sizes, per_worker] = s;
    w.list(sizes, [&](const Dim& d) { w.dim(d); });
    w.number(per_worker);
  });
  w.list(copies, [&](const ir::StateCopy& c) {
    w.number(c.state);
    w.number(c.from);
  });
  w.number(status);
  w.list(symbols, [&](const std::string& s) { w.text(s); });
  return w.take();
}

ir::Program decode(Reader& r, const ir::Graph& graph) {
  ir::Program p;
  p.module = read_module(r, graph);
  const auto buffers = static_cast<std::int64_t>(p.module.buffers.size());
  r.list([&] { p.placements.push_back({r.number(-1, INT32_MAX)}); });
  r.list([&] {
    ir::Slot slot;
    r.list([&] { slot.sizes.push_back(r.dim()); });
    slot.per_worker = r.number<bool>(0, 2);
    p.slots.push_back(std::move(slot));
  });
  r.list([&] {
    const int state = r.number(0, buffers), from = r.number(0, buffers);
    p.copies.push_back({state, from});
  });
  p.status = r.number(-1, buffers);
  r.list([&] { p.symbols.emplace_back(r.text()); });

  Reader::require(r.at_end() && std::ssize(p.placements) == buffers);
  for (const ir::Placement& placement : p.placements) Reader::require(placement.slot < std::ssize(p.slots));
  std::size_t inputs = 0, results = 0;
  for (const ir::Buffer& b : p.module.buffers) {
    Reader::require(b.alias < buffers);
    if (b.role == ir::BufferRole::kResult) ++results;
    if (b.role != ir::BufferRole::kInput) continue;
    Reader::require(inputs < graph.inputs.size() && graph.inputs[inputs].value.type() == b.type);
    ++inputs;
  }
  Reader::require(inputs == graph.inputs.size() && results == graph.results.size() + (p.status >= 0 ? 1 : 0));
  return p;
}

}  // namespace

ir::Program decode_program(std::string_view bytes, const ir::Graph& graph) {
  Reader reader(bytes);
  try {
    return decode(reader, graph);
  } catch (const ParseError&) {  // a Dim
    Reader::fail();
  } catch (const ModelError&) {  // a Shape
    Reader::fail();
  }
}

std::optional<std::string> encode_program(const ir::Program& program, const ir::Graph& graph) {
  std::string bytes = encode(program, graph);
  try {
    if (encode(decode_program(bytes, graph), graph) == bytes) return bytes;
  } catch (const DataError&) {
  }
  return std::nullopt;
}

}  // namespace gcompile::codegen
