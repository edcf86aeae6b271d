#include "gcompile/ir/print.h"

#include "gcompile/ir/op.h"
#include "gcompile/ir/optional_lists.h"

namespace gcompile::ir {
namespace {

std::string print_attribute(const AttrValue& value) {
  return std::visit(
      [](const auto& x) -> std::string {
        using T = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<T, std::int64_t>) {
          return std::to_string(x);
        } else if constexpr (std::is_same_v<T, double>) {
          // Never looks like an integer, so that its type survives.
          const std::string text = print_number(DType::kF64, x);
          return text.find_first_of(".einx") == std::string::npos ? text + ".0" : text;
        } else if constexpr (std::is_same_v<T, bool>) {
          return x ? "true" : "false";
        } else if constexpr (std::is_same_v<T, std::string>) {
          return quote(x);
        } else if constexpr (std::is_same_v<T, DType>) {
          return std::string(name(x));
        } else if constexpr (std::is_same_v<T, Array>) {
          return print_array(x);
        } else {
          constexpr bool kDims = std::is_same_v<T, std::vector<Dim>>;
          std::string text;
          for (const auto& e : x) {
            if (!text.empty()) text += ", ";
            if constexpr (kDims)
              text += e.str();
            else
              text += std::to_string(e);
          }
          return kDims ? "(" + text + ")" : "[" + text + "]";
        }
      },
      value);
}

bool is_empty_list(const AttrValue& value) {
  const auto* ints = std::get_if<std::vector<std::int64_t>>(&value);
  const auto* dims = std::get_if<std::vector<Dim>>(&value);
  return (ints && ints->empty()) || (dims && dims->empty());
}

std::string print_attributes(const Node& node) {
  std::string text;
  for (const auto& [key, value] : node.attrs.entries()) {
    if (const OptionalList* o = find_optional_list(node.op->name, key);
        o && is_empty_list(value) && o->dims == std::holds_alternative<std::vector<Dim>>(value))
      continue;
    text += (text.empty() ? " {" : ", ") + print_name(key) + " = " + print_attribute(value);
  }
  return text.empty() ? text : text + "}";
}

std::string print_types(const std::vector<Type>& types) {
  if (types.size() == 1) return types[0].str();
  std::string text;
  for (const Type& t : types) text += (text.empty() ? "" : ", ") + t.str();
  return "(" + text + ")";
}

class GraphPrinter {
 public:
  GraphPrinter(const Graph& graph, const PrintOptions& options, std::string indent)
      : graph_(graph), options_(options), indent_(std::move(indent)) {}

  // From "graph @..." to the closing brace; the first line is not indented.
  std::string run(bool is_body) {
    out_ = "graph @" + print_name(graph_.name) + "(";
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const Graph::Input& input = graph_.inputs[i];
      const std::string name = "%" + print_name(input.name);
      if (i) out_ += ", ";
      out_ += name + ": " + type(input.value) + loc(input.value.node);
      names_.emplace(input.value.node, name);
    }
    out_ += ") {\n";
    if (!is_body) out_ += print_bounds(graph_.bounds) + print_requirements(graph_.requirements);
    for (const Graph::State& state : graph_.states) {
      const std::string name = "@" + print_name(state.name);
      line("state " + name + ": " + type(state.value) + print_order(state.order) + (state.trainable ? "" : " frozen") +
           loc(state.value.node));
      names_.emplace(state.value.node, name);
    }
    for (const Node* node : graph_.topological())
      if (names_.emplace(node, "%" + std::to_string(next_)).second) {
        ++next_;
        print_node(*node);
      }
    print_ends();
    out_ += indent_ + "}";
    return std::move(out_);
  }

 private:
  static std::string type(Value v) { return v ? v.type().str() : "?"; }
  std::string loc(const Node* node) const { return options_.locations ? print_locations(graph_.where(node)) : ""; }
  void line(const std::string& text) { out_ += indent_ + "  " + text + "\n"; }

  std::string operand(Value v) const {
    const auto it = names_.find(v.node);
    if (it == names_.end()) return "%?";
    return v.node->types.size() == 1 ? it->second : it->second + "#" + std::to_string(v.index);
  }

  void print_node(const Node& node) {
    std::string text = names_.at(&node);
    if (node.types.size() != 1) text += ":" + std::to_string(node.types.size());
    text += " = " + std::string(node.op->name);
    const auto* value = node.attrs.find("value");
    if (node.op->name == "constant" && node.attrs.entries().size() == 1 && value &&
        std::holds_alternative<Array>(*value)) {
      line(text + " " + print_array(std::get<Array>(*value)) + loc(&node));
      return;
    }
    std::string operands;
    for (const Value& v : node.operands) operands += (operands.empty() ? "" : ", ") + operand(v);
    if (!node.operands.empty()) text += "(" + operands + ")";
    text += print_attributes(node) + " : " + print_types(node.types) + loc(&node);
    for (const auto& body : node.bodies) text += " " + GraphPrinter(*body, options_, indent_ + "  ").run(true);
    line(text);
  }

  void print_ends() {
    std::string text;
    for (const Graph::Result& r : graph_.results)
      text += (text.empty() ? " " : ", ") + operand(r.value) + (r.name.empty() ? "" : " as " + quote(r.name));
    line("return" + text);
    for (const Graph::Update& u : graph_.updates) {
      const bool known = u.state >= 0 && static_cast<std::size_t>(u.state) < graph_.states.size();
      line("update @" + (known ? print_name(graph_.states[static_cast<std::size_t>(u.state)].name) : "?") + " = " +
           operand(u.value));
    }
  }

  const Graph& graph_;
  const PrintOptions& options_;
  const std::string indent_;
  std::string out_;
  std::unordered_map<const Node*, std::string> names_;
  int next_ = 0;
};

}  // namespace

std::string print(const Graph& graph, const PrintOptions& options) {
  return GraphPrinter(graph, options, "").run(false) + "\n";
}

}  // namespace gcompile::ir
