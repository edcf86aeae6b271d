#include "gcompile/frontend/unbound.h"

#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/bind_symbols.h"
#include "gcompile/ir/op.h"

namespace gcompile {
namespace {

class Search {
 public:
  explicit Search(const ir::Graph& graph) {
    std::vector<Type> types;
    for (const ir::Graph::Input& i : graph.inputs) types.push_back(i.value.type());
    for (const ir::SymbolSource& s : ir::symbol_sources(types)) bound_.insert(s.symbol);
    for (const ir::Graph::Input& i : graph.inputs)
      for (const Dim& d : i.value.type().dims)
        if (const std::string symbol = unbound(d); !symbol.empty())
          throw ModelError(graph.first_location(i.value.node), "argument " + i.name + " is " + i.value.type().str() +
                                                                   ", and nothing says what " + symbol +
                                                                   " is: an extent of an argument must be " + symbol +
                                                                   ", or a multiple of it plus what others say");
  }

  // Operands come first, so the value that is found is the one whose maker named the symbol.
  void visit(const ir::Graph& graph, const Location& around) const {
    for (const ir::Node* n : graph.topological()) {
      const Location where = graph.first_location(n).known() ? graph.first_location(n) : around;
      for (const auto& body : n->bodies) visit(*body, where);
      for (const Type& t : n->types)
        for (const Dim& d : t.dims)
          require_bound(
              d, [&] { return t.str(); }, where);
      for (const auto& [name, value] : n->attrs.entries())
        if (const auto* dims = std::get_if<std::vector<Dim>>(&value))
          for (const Dim& d : *dims)
            require_bound(
                d, [&] { return d.str(); }, where);
    }
  }

 private:
  std::string unbound(const Dim& d) const {
    for (const std::string& s : d.symbols())
      if (!bound_.count(s)) return s;
    return "";
  }

  template <class Text>
  void require_bound(const Dim& d, const Text& what, const Location& where) const {
    if (d.is_constant()) return;
    const std::string symbol = unbound(d);
    if (symbol.empty()) return;
    std::string known;
    for (const std::string& s : bound_) known += (known.empty() ? "" : ", ") + s;
    throw ModelError(where, "the extent " + symbol + " of " + what() +
                                " is that of no argument, so a call does not say what it is; " +
                                (known.empty() ? "no argument of this function has a symbolic extent"
                                               : "the arguments of this function say " + known));
  }

  std::set<std::string> bound_;
};

}  // namespace

void refuse_unbound_symbols(const ir::Graph& graph) { Search(graph).visit(graph, {}); }

}  // namespace gcompile
