#include "gcompile/ir/dot.h"

#include <algorithm>

#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"

namespace gcompile::ir {
namespace {

// A label's line; \l ends it and aligns it to the left.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    const auto u = static_cast<unsigned char>(c);
    out += u < 0x20 || u == 0x7f ? '?' : c;
  }
  return out;
}

class DotPrinter {
 public:
  std::string run(const Graph& graph) {
    out_ = "digraph \"" + escape(graph.name) +
           "\" {\n  node [shape=box, fontname=\"monospace\", fontsize=10];\n"
           "  edge [fontname=\"monospace\", fontsize=8];\n";
    nodes(graph, "  ");
    for (std::size_t i = 0; i < graph.results.size(); ++i) {
      const Graph::Result& r = graph.results[i];
      const std::string id = "result" + std::to_string(i);
      vertex("  ", id, {r.name.empty() ? "result " + std::to_string(i) : r.name, r.value.type().str()},
             "shape=doubleoctagon");
      edge("  ", source(r.value), id, "");
    }
    for (const Graph::Update& u : graph.updates) {
      const Graph::State& s = graph.states.at(static_cast<std::size_t>(u.state));
      const std::string id = "update" + std::to_string(u.state);
      vertex("  ", id, {"update @" + s.name, s.value.type().str()}, "shape=cds, style=filled, fillcolor=\"#f4d9c0\"");
      edge("  ", source(u.value), id, "");
      edge("  ", id, source(s.value), "style=dashed, constraint=false");
    }
    return out_ + "}\n";
  }

 private:
  void line(const std::string& indent, const std::string& text) { out_ += indent + text + "\n"; }

  void vertex(const std::string& indent, const std::string& id, const std::vector<std::string>& label,
              const std::string& style) {
    std::string text;
    for (const std::string& l : label)
      if (!l.empty()) text += escape(l) + "\\l";
    line(indent, id + " [label=\"" + text + "\"" + (style.empty() ? "" : ", " + style) + "];");
  }
  void edge(const std::string& indent, const std::string& from, const std::string& to, const std::string& style) {
    line(indent, from + " -> " + to + (style.empty() ? "" : " [" + style + "]") + ";");
  }
  // Where a value leaves: its node, or the result inside the body that makes it.
  std::string source(Value v) const {
    if (!v.node->bodies.empty()) return source(maker(*v.node).results.at(static_cast<std::size_t>(v.index)).value);
    return ids_.at(v.node);
  }
  // The body whose results are the node's: of a condition and a body the second, of a function and its gradient the
  // first.
  static const Graph& maker(const Node& n) { return n.op->is(kInlined) ? n.body() : *n.bodies.back(); }

  static std::string shown(const AttrValue& value) {
    constexpr std::int64_t kMost = 8;  // elements of a constant
    const auto* array = std::get_if<Array>(&value);
    if (!array) return "";
    return array->size() <= kMost ? print_array(*array) : array->str();
  }

  void nodes(const Graph& graph, const std::string& indent) {
    std::unordered_map<const Node*, std::string> names;
    for (const Graph::Input& i : graph.inputs) names.emplace(i.value.node, "%" + i.name);
    for (const Graph::State& s : graph.states) names.emplace(s.value.node, "@" + s.name);
    for (const Node* n : graph.topological()) {
      if (!n->bodies.empty()) {
        cluster(graph, *n, indent);
        continue;
      }
      const std::string id = "n" + std::to_string(ids_.size());
      ids_.insert_or_assign(n, id);  // a body may stand in several nodes
      std::string types, where = print_locations(graph.where(n)), value;
      for (const Type& t : n->types) types += (types.empty() ? "" : ", ") + t.str();
      if (const auto* v = n->attrs.find("value")) value = shown(*v);
      if (!where.empty()) where = where.substr(1);
      const auto named = names.find(n);
      const bool is_state = n->op->name == "state";
      vertex(indent, id, {named == names.end() ? std::string(n->op->name) : named->second, types, value, where},
             is_state                 ? "shape=cylinder, style=filled, fillcolor=\"#cfe3f5\""
             : n->op->name == "input" ? "shape=ellipse, style=filled, fillcolor=\"#d9efd3\""
                                      : "");
      for (std::size_t k = 0; k < n->operands.size(); ++k)
        edge(indent, source(n->operands[k]), id,
             n->operands.size() > 1 ? "taillabel=\"" + std::to_string(k) + "\"" : "");
    }
  }

  void cluster(const Graph& graph, const Node& n, const std::string& indent) {
    line(indent, "subgraph cluster" + std::to_string(clusters_++) + " {");
    const auto* kind = n.attrs.find("kind");
    const auto* kind_text = kind ? std::get_if<std::string>(kind) : nullptr;
    line(indent,
         "  label=\"" +
             escape(std::string(n.op->name) + (kind_text ? " " + *kind_text : "") + print_locations(graph.where(&n))) +
             "\"; fontname=\"monospace\"; fontsize=10;");
    const Graph& drawn = maker(n);
    for (const auto& body : n.bodies)
      if (body.get() != &drawn) nodes(*body, indent + "  ");
    nodes(drawn, indent + "  ");
    line(indent, "}");
    const std::size_t before = n.operands.size() - std::min(n.operands.size(), drawn.inputs.size());  // cond: 1
    for (std::size_t k = before; k < n.operands.size(); ++k)
      edge(indent, source(n.operands[k]), source(drawn.inputs[k - before].value), "style=dotted");
  }

  std::string out_;
  std::unordered_map<const Node*, std::string> ids_;
  int clusters_ = 0;
};

}  // namespace

std::string print_dot(const Graph& graph) { return DotPrinter().run(graph); }

}  // namespace gcompile::ir
