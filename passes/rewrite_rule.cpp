#include "gcompile/passes/rewrite_rule.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <string>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;

struct Term {
  enum class Kind { kLetter, kNumber, kOp } kind;
  char letter = 0;
  double number = 0;
  const ir::OpDef* op = nullptr;
  std::vector<Term> operands;
};

class TermParser {
 public:
  explicit TermParser(std::string_view text) : text_(text) {}

  Term parse() {
    Term t = term();
    if (at_ != text_.size()) fail();
    return t;
  }

 private:
  [[noreturn]] void fail() const {
    throw InternalError("rewrite rule '" + std::string(text_) + "': error at character " + std::to_string(at_ + 1));
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_spaces() {
    while (peek() == ' ') ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (peek() != c) return false;
    ++at_;
    skip_spaces();
    return true;
  }
  Term term() {
    skip_spaces();
    if (peek() == '-' || std::isdigit(static_cast<unsigned char>(peek()))) return number();
    const std::size_t begin = at_;
    while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '_') ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word.empty()) fail();
    if (word == "true" || word == "false") return {Term::Kind::kNumber, 0, word == "true" ? 1.0 : 0.0, nullptr, {}};
    if (word.size() == 1) return {Term::Kind::kLetter, word[0], 0, nullptr, {}};
    Term t{Term::Kind::kOp, 0, 0, &ir::op(word), {}};
    if (!take('(')) fail();
    do t.operands.push_back(term());
    while (take(','));
    if (!take(')')) fail();
    return t;
  }
  Term number() {
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc{}) fail();
    at_ = static_cast<std::size_t>(end - text_.data());
    return {Term::Kind::kNumber, 0, value, nullptr, {}};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

bool match(const Term& term, Value v, Match& m);

bool match_operands(const Term& term, const Node& node, bool swapped, Match& m) {
  const Match before = m;
  for (std::size_t i = 0; i < term.operands.size(); ++i) {
    const std::size_t k = swapped ? 1 - i : i;
    if (match(term.operands[i], node.operands[k], m)) continue;
    m = before;
    return false;
  }
  return true;
}

bool match(const Term& term, Value v, Match& m) {
  switch (term.kind) {
    case Term::Kind::kLetter: {
      Value& bound = m.letters[static_cast<std::size_t>(term.letter - 'a')];
      if (!bound && term.letter == 'k' && !splat_value(v)) return false;
      if (!bound) bound = v;
      return bound == v;
    }
    case Term::Kind::kNumber: {
      const auto value = splat_value(v);
      return value && same(*value, term.number);
    }
    case Term::Kind::kOp: break;
  }
  if (v.node->op != term.op || v.node->operands.size() != term.operands.size()) return false;
  m.nodes.push_back(v.node);
  if (match_operands(term, *v.node, false, m)) return true;
  if (term.op->is(ir::kCommutative) && term.operands.size() == 2 && match_operands(term, *v.node, true, m)) return true;
  m.nodes.pop_back();
  return false;
}

Value build(const Term& term, const Leaves& leaves, ir::Builder& b) {
  if (term.kind == Term::Kind::kLetter) return leaves.letter(term.letter);
  if (term.kind == Term::Kind::kNumber) return leaves.number(term.number);
  std::vector<Value> operands;
  for (const Term& t : term.operands) operands.push_back(build(t, leaves, b));
  return b.make(*term.op, std::move(operands));
}

DType operand_dtype(const Match& m) { return m.root().operands.front().type().dtype; }

}  // namespace

Value build_term(std::string_view text, const Leaves& leaves, ir::Builder& b) {
  return build(TermParser(text).parse(), leaves, b);
}

bool is_integer(const Match& m) { return gcompile::is_integer(operand_dtype(m)); }
bool is_f32(const Match& m) { return operand_dtype(m) == DType::kF32; }
bool is_floating(const Match& m) { return is_float(operand_dtype(m)); }
bool is_bool(const Match& m) { return operand_dtype(m) == DType::kBool; }

std::optional<Array> splat_constant(Value v) {
  constexpr std::int64_t kLookedAt = 64;  // a larger constant with equal elements is not worth the search
  while (v.node->op->is(ir::kRepeating)) v = v.node->operands[0];
  if (v.node->op->name != "constant") return std::nullopt;
  const Array& a = v.node->attrs.get<Array>("value");
  if (a.size() == 0 || a.size() > kLookedAt) return std::nullopt;
  const bool floats = is_float(a.dtype());
  for (std::int64_t i = 1; i < a.size(); ++i)
    if (floats ? !same(a.at(i), a.at(0)) : a.at_integer(i) != a.at_integer(0)) return std::nullopt;
  Array first(a.dtype(), Shape{});
  floats ? first.set(0, a.at(0)) : first.set_integer(0, a.at_integer(0));
  return first;
}

std::optional<double> splat_value(Value v) {
  const std::optional<Array> constant = splat_constant(v);
  return constant ? std::optional(constant->at(0)) : std::nullopt;
}

struct RuleSet::Parsed {
  const Rule* rule;
  Term pattern;
  std::optional<Term> replacement;  // when it is text
};

RuleSet::RuleSet(std::initializer_list<std::span<const Rule>> families) {
  for (const auto& family : families)
    for (const Rule& rule : family) {
      Parsed p{&rule, TermParser(rule.pattern).parse(), std::nullopt};
      if (const auto* text = std::get_if<std::string_view>(&rule.replacement))
        p.replacement = TermParser(*text).parse();
      if (p.pattern.kind != Term::Kind::kOp)
        throw InternalError("rewrite rule '" + std::string(rule.pattern) + "': the root is no op");
      by_root_[p.pattern.op].push_back(std::move(p));
    }
}
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet::~RuleSet() = default;

Value RuleSet::apply(const Node& node, ir::Builder& b, const Rule** rule) const {
  const auto found = by_root_.find(node.op);
  if (found == by_root_.end()) return {};
  for (const Parsed& p : found->second) {
    Match m;
    if (!match(p.pattern, node.result(), m) || (p.rule->when && !p.rule->when(m))) continue;
    const Leaves leaves{[&](char letter) { return m(letter); },
                        [&](double number) { return ir::splat(b, m.type(), number); }};
    const Value v = p.replacement ? build(*p.replacement, leaves, b) : std::get<Replace>(p.rule->replacement)(m, b);
    if (!v) continue;
    if (v.type() != node.types.front())
      throw InternalError("rewrite rule '" + std::string(p.rule->pattern) + "': " + v.type().str() + " stands for " +
                          node.types.front().str());
    if (rule) *rule = p.rule;
    return v;
  }
  return {};
}

}  // namespace gcompile::passes
