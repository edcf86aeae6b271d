#include "gcompile/ir/regions.h"

#include <algorithm>
#include <set>

#include "gcompile/ir/print.h"

namespace gcompile::ir {
namespace {

using Kind = Region::Kind;

constexpr std::pair<Kind, std::string_view> kKinds[] = {{Kind::kLoop, "loop"},
                                                        {Kind::kWhile, "while"},
                                                        {Kind::kTest, "test"},
                                                        {Kind::kThen, "then"},
                                                        {Kind::kElse, "else"}};

bool has_predicate(Kind k) { return k == Kind::kTest || k == Kind::kThen || k == Kind::kElse; }

bool is_writable(const KernelModule& m, const std::string& buffer) {
  const int i = m.find_buffer(buffer);
  if (i < 0) return false;
  const BufferRole role = m.buffers[static_cast<std::size_t>(i)].role;
  return role == BufferRole::kResult || role == BufferRole::kTemp;
}

// What is wrong with one region, of which parents have been looked at.
class RegionChecker {
 public:
  RegionChecker(const KernelModule& module, const Region& region, const std::set<std::string>& given)
      : m_(module), r_(region), given_(given) {}

  std::string run() {
    const std::string what = "region '" + r_.name + "'";
    if (!r_.carries.empty() && r_.kind != Kind::kLoop && r_.kind != Kind::kWhile) return what + " has carries";
    if (!r_.slices.empty() && r_.kind != Kind::kLoop) return what + " has slices and no steps";
    if (r_.kind == Kind::kLoop && r_.extent.is_constant() && r_.extent.constant() < 0)
      return what + " has " + r_.extent.str() + " steps";
    if (has_predicate(r_.kind) && !(type(r_.predicate) == Type{DType::kBool, {}}))
      return what + ": its predicate '" + r_.predicate + "' is no bool[]";
    const bool in_while = r_.parent >= 0 && m_.regions[static_cast<std::size_t>(r_.parent)].kind == Kind::kWhile;
    if (r_.kind == Kind::kTest && !in_while) return what + " tests for no while";
    for (const Region::Carry& c : r_.carries) {
      if (!is_temp(c.in) || (!is_temp(c.out) && !is_slice(c.out)))
        return what + ": the carry '" + c.in + "' goes through no temporaries";
      for (const std::string& other : {c.out, c.initial, c.result})
        if (!(type(c.in) == type(other)))
          return what + ": the carry '" + c.in + "' is " + type(c.in).str() + ", '" + other + "' is " +
                 type(other).str();
      for (const std::string& written : {c.out, c.result})
        if (!is_writable(m_, written) || given_.count(written))
          return what + ": the carry '" + c.in + "' is written to '" + written + "', which is only read";
    }
    for (const Region::Slice& s : r_.slices) {
      const Type &one = type(s.element), &all = type(s.whole);
      const Dim end = s.offset + r_.extent * one.size();
      const bool fits = !end.is_constant() || !all.size().is_constant() || end.constant() <= all.size().constant();
      if (!is_temp(s.element) || one.dtype != all.dtype || !fits)
        return what + ": '" + s.element + "', " + one.str() + ", is no slice of '" + s.whole + "', " + all.str() +
               ", by its steps";
    }
    return "";
  }

 private:
  Type type(const std::string& name) const {
    const int i = m_.find_buffer(name);
    return i < 0 ? Type{DType::kF64, {Dim(-1)}} : m_.buffers[static_cast<std::size_t>(i)].type;
  }
  bool is_temp(const std::string& name) const {
    const int i = m_.find_buffer(name);
    return i >= 0 && m_.buffers[static_cast<std::size_t>(i)].role == BufferRole::kTemp;
  }
  bool is_slice(const std::string& name) const {
    return std::any_of(r_.slices.begin(), r_.slices.end(), [&](const auto& s) { return s.element == name; });
  }

  const KernelModule& m_;
  const Region& r_;
  const std::set<std::string>& given_;
};

}  // namespace

std::set<std::string> given_buffers(const KernelModule& m) {
  std::set<std::string> given;
  for (const Region& r : m.regions)
    for (const Region::Carry& c : r.carries) given.insert(c.in);
  // A slice may be of another one, whose region comes before.
  for (const Region& r : m.regions)
    for (const Region::Slice& s : r.slices)
      if (!is_writable(m, s.whole) || given.count(s.whole)) given.insert(s.element);
  return given;
}

std::string print_region(const KernelModule& m, int region) {
  const bool known = region >= 0 && static_cast<std::size_t>(region) < m.regions.size();
  return region < 0 ? "" : " in " + (known ? print_name(m.regions[static_cast<std::size_t>(region)].name) : "?");
}

std::string print_region(const KernelModule& m, const Region& r) {
  const auto* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& k) { return k.first == r.kind; });
  std::string text = "region " + print_name(r.name) + ": " + std::string(kind->second);
  if (r.kind == Kind::kLoop) text += " " + r.extent.str() + (r.reverse ? " reverse" : "");
  if (has_predicate(r.kind)) text += " " + print_name(r.predicate);
  text += print_region(m, r.parent) + " {";
  for (const Region::Carry& c : r.carries)
    text += " carry " + print_name(c.in) + " = " + print_name(c.initial) + " then " + print_name(c.out) + " result " +
            print_name(c.result);
  for (const Region::Slice& s : r.slices)
    text += " slice " + print_name(s.element) + " of " + print_name(s.whole) +
            (s.offset.is(0) ? "" : " from " + s.offset.str());
  return text + " }";
}

int parse_region_name(PartsParser& parts, const KernelModule& module) {
  if (!parts.lex.accept("in")) return -1;
  const Position at = parts.lex.peek().at;
  const std::string name = parts.parse_name("a region's name");
  for (std::size_t i = 0; i < module.regions.size(); ++i)
    if (module.regions[i].name == name) return static_cast<int>(i);
  parts.lex.fail(at, "expected a region defined above, found '" + name + "'");
}

Region parse_region(PartsParser& parts, const KernelModule& module) {
  Lexer& lex = parts.lex;
  Region r;
  r.name = parts.parse_name("the region's name");
  lex.expect(":", "before the region's kind");
  const auto* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& k) { return lex.at(k.second); });
  if (kind == std::end(kKinds)) lex.fail_expected("'loop', 'while', 'test', 'then' or 'else'");
  lex.next();
  r.kind = kind->first;
  if (r.kind == Kind::kLoop) {
    r.extent = parts.parse_dim();
    r.reverse = lex.accept("reverse");
  }
  if (has_predicate(r.kind)) r.predicate = parts.parse_name("the buffer that decides");
  r.parent = parse_region_name(parts, module);
  lex.expect("{", "before the region's carries and slices");
  while (lex.accept("carry")) {
    Region::Carry c;
    c.in = parts.parse_name("a buffer");
    lex.expect("=", "before the initial value");
    c.initial = parts.parse_name("a buffer");
    lex.expect("then", "before the next value");
    c.out = parts.parse_name("a buffer");
    lex.expect("result", "before the last value");
    c.result = parts.parse_name("a buffer");
    r.carries.push_back(std::move(c));
  }
  while (lex.accept("slice")) {
    Region::Slice s;
    s.element = parts.parse_name("a buffer");
    lex.expect("of", "before the whole");
    s.whole = parts.parse_name("a buffer");
    if (lex.accept("from")) s.offset = parts.parse_dim();
    r.slices.push_back(std::move(s));
  }
  if (!lex.accept("}")) lex.fail_expected("'carry', 'slice' or '}'");
  return r;
}

std::optional<std::string> region_fault(const KernelModule& module) {
  const int count = static_cast<int>(module.regions.size());
  const std::set<std::string> given = given_buffers(module);
  std::set<std::string> names;
  for (int i = 0; i < count; ++i) {
    const Region& r = module.regions[static_cast<std::size_t>(i)];
    if (!names.insert(r.name).second) return "two regions are named '" + r.name + "'";
    if (r.parent >= i) return "region '" + r.name + "' lies in a region that follows it";
    if (std::string why = RegionChecker(module, r, given).run(); !why.empty()) return why;
    // Its kernels follow each other.
    int state = 0;  // before, in, behind
    for (const Kernel& k : module.kernels) {
      if (k.region >= count) return "kernel @" + k.name + " is in a region that there is not";
      const bool inside = module.lies_in(k.region, i);
      if (inside && state == 2) return "the kernels of region '" + r.name + "' do not follow each other";
      state = inside ? 1 : state == 1 ? 2 : state;
    }
  }
  return std::nullopt;
}

}  // namespace gcompile::ir
