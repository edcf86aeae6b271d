#include "gcompile/ir/parse.h"

#include <charconv>

#include "gcompile/base/error.h"
#include "gcompile/ir/check.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/optional_lists.h"
#include "gcompile/ir/parse_parts.h"

namespace gcompile::ir {
namespace {

constexpr int kMaxBodies = 16;  // nested in each other

// One graph, or a body that a node holds, whose tokens come from `parts`.
class GraphParser {
 public:
  GraphParser(PartsParser& parts, int depth) : parts_(parts), lex_(parts.lex), depth_(depth), builder_(graph_) {}

  Graph run(const GraphParser* parent) {
    begin_ = lex_.expect("graph", "at the start").at;
    if (depth_ > kMaxBodies) lex_.fail(begin_, "expected at most " + std::to_string(kMaxBodies) + " nested bodies");
    graph_.name = parts_.parse_global("the graph's name, such as @main");
    parts_.parse_list("(", ")", [&] { parse_parameter(); });
    lex_.expect("{", "before the graph's nodes");
    if (parent) graph_.bounds = parent->graph_.bounds;
    while (!parent && (lex_.at("dim") || lex_.at("require") || lex_.at("state"))) {
      if (lex_.accept("dim"))
        parts_.parse_bounds(graph_.bounds);
      else if (lex_.accept("require"))
        graph_.requirements.push_back(parts_.parse_requirement());
      else
        parse_state();
    }
    while (lex_.at(TokenKind::kValue)) parse_node();
    if (lex_.accept("return")) parse_results();
    while (!parent && lex_.accept("update")) parse_update();
    if (!lex_.at("}"))
      lex_.fail_expected(graph_.updates.empty()
                             ? parent ? "a node, 'return' or '}'" : "a node, 'return', 'update' or '}'"
                             : "'update' or '}'");
    lex_.next();
    return std::move(graph_);
  }

  // Where a node of the parsed graph stands; the graph itself when it is null.
  Position position(const Node* node) const {
    const auto it = positions_.find(node);
    return it == positions_.end() ? begin_ : it->second;
  }

 private:
  // %x and %"x" are the same value, %0 and %"0" are not.
  static std::string key_of(const Token& t) {
    if (t.kind == TokenKind::kGlobal) return "@" + t.text;
    const bool number = !t.quoted && t.text[0] >= '0' && t.text[0] <= '9';
    return (number ? "#" : "%") + t.text;
  }
  void refuse_again(const Token& t) {
    if (values_.count(key_of(t))) lex_.fail(t.at, "expected a new name, found " + describe(t) + " again");
  }
  void define(const Token& t, Value v) {
    values_.emplace(key_of(t), v);
    positions_.emplace(v.node, t.at);
  }

  std::vector<Location> locations(Position at) {
    std::vector<Location> found = parts_.parse_locations();
    if (found.empty() && lex_.file() != "<text>") found.push_back({lex_.file(), at.line});
    return found;
  }

  void parse_parameter() {
    const Token name = lex_.expect(TokenKind::kValue, "an input such as %x: f32[N,8]");
    if (name.result >= 0) lex_.fail(name.at, "expected the name of an input, found " + describe(name));
    refuse_again(name);
    lex_.expect(":", "before the input's type");
    const Type type = parts_.parse_type();
    builder_.where = locations(name.at);
    define(name, parts_.guarded(name.at, [&] { return builder_.input(name.text, type); }));
  }

  void parse_state() {
    lex_.next();
    const Token name = lex_.expect(TokenKind::kGlobal, "a state such as @w: f32[6,8]");
    refuse_again(name);
    lex_.expect(":", "before the state's type");
    const Type type = parts_.parse_type();
    AxisOrder order = parts_.parse_order(type.rank());
    const bool frozen = lex_.accept("frozen");
    builder_.where = locations(name.at);
    define(name, parts_.guarded(name.at, [&] { return builder_.state(name.text, type, nullptr, !frozen); }));
    graph_.states.back().order = std::move(order);
  }

  Value parse_operand() {
    if (!lex_.at(TokenKind::kValue) && !lex_.at(TokenKind::kGlobal)) lex_.fail_expected("a value such as %3 or @w");
    const Token t = lex_.next();
    const auto it = values_.find(key_of(t));
    if (it == values_.end()) lex_.fail(t.at, "expected a value defined above, found " + describe(t));
    const std::size_t count = it->second.node->types.size();
    if (t.result < 0 && count != 1)
      lex_.fail(t.at, "expected one of the " + std::to_string(count) + " results, as in %3#0, found " + describe(t));
    if (t.result >= 0 && static_cast<std::size_t>(t.result) >= count)
      lex_.fail(t.at, "expected a result below " + std::to_string(count) + ", found " + describe(t));
    return {it->second.node, std::max(t.result, 0)};
  }

  AttrValue parse_attribute_value() {
    if (lex_.at(TokenKind::kString)) return lex_.next().text;
    if (lex_.accept("true")) return true;
    if (lex_.accept("false")) return false;
    if (lex_.at("(")) return parts_.parse_dims("(", ")");
    if (lex_.at("[")) {
      std::vector<std::int64_t> ints;
      parts_.parse_list("[", "]", [&] { ints.push_back(parts_.parse_int("an integer")); });
      return ints;
    }
    if (lex_.at(TokenKind::kWord) && parse_dtype(lex_.peek().text)) {
      const DType dtype = parts_.parse_dtype_name();
      if (!lex_.at("[")) return dtype;
      return parts_.parse_elements(dtype, parts_.parse_extents());
    }
    if (lex_.at(TokenKind::kNumber) || lex_.at("-") || lex_.at("nan") || lex_.at("inf")) return parse_scalar();
    lex_.fail_expected("a value: a number, true, false, a string, a dtype, an array, [integers] or (extents)");
  }

  // "1" is an integer, "1.0" and "-inf" are not.
  AttrValue parse_scalar() {
    const bool negative = lex_.accept("-");
    const bool integer =
        lex_.at(TokenKind::kNumber) && lex_.peek().text.find_first_not_of("0123456789") == std::string::npos;
    if (integer) {
      const std::int64_t value = parts_.parse_int("an integer");
      return negative ? -value : value;
    }
    const double value = parts_.parse_number(DType::kF64);
    return negative ? -value : value;
  }

  Attrs parse_attributes(const OpDef& op) {
    Attrs attrs;
    if (lex_.at("{"))
      parts_.parse_list("{", "}", [&] {
        const Position at = lex_.peek().at;
        const std::string key = parts_.parse_name("an attribute such as axis = 0");
        if (attrs.has(key)) lex_.fail(at, "expected each attribute once, found '" + key + "' again");
        lex_.expect("=", "after the attribute's name");
        attrs.set(key, parse_attribute_value());
      });
    for (const OptionalList& l : optional_lists())
      if (l.op == op.name && !attrs.has(l.attribute)) {
        if (l.dims)
          attrs.set(std::string(l.attribute), std::vector<Dim>{});
        else
          attrs.set(std::string(l.attribute), std::vector<std::int64_t>{});
      }
    return attrs;
  }

  std::vector<Type> parse_types() {
    std::vector<Type> types;
    if (lex_.at("("))
      parts_.parse_list("(", ")", [&] { types.push_back(parts_.parse_type()); });
    else
      types.push_back(parts_.parse_type());
    return types;
  }

  const OpDef& parse_op() {
    const Token name = lex_.expect(TokenKind::kWord, "an op");
    const OpDef* def = find_op(name.text);
    if (!def) lex_.fail(name.at, "expected an op, found " + describe(name));
    if (def->is(kKernelOnly) || def->name == "input" || def->name == "state")
      lex_.fail(name.at, "expected an op of graphs, found " + describe(name) +
                             (def->is(kKernelOnly) ? ", which is for kernels" : ", which is declared above the nodes"));
    return *def;
  }

  void parse_node() {
    const Token name = lex_.next();
    refuse_again(name);
    if (name.result >= 0) lex_.fail(name.at, "expected the name of a node, found " + describe(name));
    std::int64_t count = 1;
    if (lex_.accept(":")) count = parts_.parse_int_in("a number of results", 0, kMaxInteger);
    lex_.expect("=", "after the node's name");
    const Position at = lex_.peek().at;
    const OpDef& def = parse_op();
    std::vector<Value> operands;
    Attrs attrs;
    std::vector<Type> types;
    Position types_at = lex_.peek().at;
    if (def.name == "constant" && lex_.at(TokenKind::kWord)) {
      Array value = parts_.parse_array();
      types.push_back(Type::of(value.dtype(), value.shape()));
      attrs.set("value", std::move(value));
    } else {
      if (lex_.at("(")) parts_.parse_list("(", ")", [&] { operands.push_back(parse_operand()); });
      attrs = parse_attributes(def);
      lex_.expect(":", "before the node's type");
      types_at = lex_.peek().at;
      types = parse_types();
    }
    std::vector<Location> where = locations(name.at);
    Bodies bodies;
    while (lex_.at("graph")) {
      GraphParser inner(parts_, depth_ + 1);
      bodies.push_back(std::make_shared<const Graph>(inner.run(this)));
      for (const auto& [node, position] : inner.positions_) positions_.emplace(node, position);
    }
    builder_.where.clear();  // the message gets the position in the text instead
    const Value v = parts_.guarded(
        at, [&] { return builder_.make(def, std::move(operands), std::move(attrs), std::move(bodies)); });
    if (v.node->types != types)
      lex_.fail(types_at, "expected " + text_of(v.node->types) + ", the type of " + std::string(def.name) + ", found " +
                              text_of(types));
    if (count != static_cast<std::int64_t>(types.size()))
      lex_.fail(name.at, "expected " + std::to_string(types.size()) + " results of " + std::string(def.name) +
                             ", found " + std::to_string(count));
    graph_.add_locations(v.node, where);
    define(name, v);
  }

  static std::string text_of(const std::vector<Type>& types) {
    if (types.size() == 1) return types[0].str();
    std::string text;
    for (const Type& t : types) text += (text.empty() ? "" : ", ") + t.str();
    return "(" + text + ")";
  }

  void parse_results() {
    if (!lex_.at(TokenKind::kValue) && !lex_.at(TokenKind::kGlobal)) return;
    do {
      Graph::Result r{parse_operand(), ""};
      if (lex_.accept("as")) r.name = lex_.expect(TokenKind::kString, "the result's name in quotes").text;
      graph_.results.push_back(std::move(r));
    } while (lex_.accept(","));
  }

  void parse_update() {
    const Token name = lex_.expect(TokenKind::kGlobal, "a state such as @w");
    const int state = graph_.find_state(name.text);
    if (state < 0) lex_.fail(name.at, "expected a state, found " + describe(name));
    for (const Graph::Update& u : graph_.updates)
      if (u.state == state)
        lex_.fail(name.at, "expected each state to be updated once, found " + describe(name) + " again");
    lex_.expect("=", "after the state's name");
    const Position at = lex_.peek().at;
    const Value v = parse_operand();
    const Type& wanted = graph_.states[static_cast<std::size_t>(state)].value.type();
    if (v.type() != wanted)
      lex_.fail(at, "expected " + wanted.str() + ", the type of @" + name.text + ", found " + v.type().str());
    graph_.updates.push_back({state, v});
  }

  PartsParser& parts_;
  Lexer& lex_;
  const int depth_;
  Graph graph_;
  Builder builder_;
  Position begin_;
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<const Node*, Position> positions_;
};

template <class F>
auto parse_all(std::string_view text, F&& f) {
  PartsParser parts(text, "");
  auto value = f(parts);
  if (!parts.lex.at(TokenKind::kEnd)) parts.lex.fail_expected("the end of the text");
  return value;
}

}  // namespace

Graph parse_graph(std::string_view text, const std::string& file) {
  PartsParser parts(text, file);
  GraphParser parser(parts, 1);
  Graph graph = parser.run(nullptr);
  if (!parts.lex.at(TokenKind::kEnd)) parts.lex.fail_expected("the end of the text");
  if (const auto fault = find_fault(graph)) parts.lex.fail(parser.position(fault->node), fault->message);
  return graph;
}

Dim parse_dim(std::string_view text) {
  return parse_all(text, [](PartsParser& p) { return p.parse_dim(); });
}

Type parse_type(std::string_view text) {
  return parse_all(text, [](PartsParser& p) { return p.parse_type(); });
}

}  // namespace gcompile::ir
