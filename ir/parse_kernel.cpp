// Reads the text of kernel modules. Throws ParseError "file:line:column: ..." and nothing else.
//
//   module   = "kernels" "@"name "{" {dim} {buffer} {region} {kernel} {"update" name "=" name} "}"
//   buffer   = ("input" | "result" | "temp") name ":" type ["per_worker"] ["alias" name]
//            | "state" name ":" type ["order" "(" axes ")"] ["frozen"] | "constant" name ":" array
//   region   = "region" name ":" ("loop" dim ["reverse"] | "while" | ("test" | "then" | "else") name) ["in" name]
//              "{" {"carry" name "=" name "then" name "result" name} {"slice" name "of" name ["from" dim]} "}"
//   kernel   = "kernel" "@"name ["in" name] [loc] "{" {"reason" string} {scratch} {instruction} "}"
//   scratch  = "scratch" name ":" dtype "[" extents "]" ("register" | "stack")
//   instruction = (result "=" pure ":" vtype | effect) [loc] | for | contract
//   pure     = op "(" values ")" | "literal" number | "index" dim
//            | "load" name "[" dims "]" ["with" "(" values ")"] ["mask" value]
//   effect   = "store" name "[" dims "]" "=" value ["with" "(" values ")"] ["mask" value]
//            | "lane_reduce" op name "=" name "extent" int
//            | "transpose" name "=" name "[" dims "]" "columns" int ["mask" value]
//            | "transpose" name "[" dims "]" "=" name "columns" int ["mask" value]
//            | "prefetch" name "[" dims "]"
//   for      = [results "="] "for" word "in" 0 ".." dim ["unroll" | "interleave" | "parallel"]
//              ["(" value "=" value {"," ...} ")" ":" "(" vtypes ")"] [loc] "{" {instruction} ["yield" values] "}"
//   contract = "contract" value "=" name "[" dims "]" "*" name "[" dims "]" "for" axes "sum" axes
//              ["partials" int] ":" dtype [loc]
//              "{" {instruction} "}"
//   axes     = "(" [word "in" 0 ".." dim {"," ...}] ")"
//   vtype    = dtype | dtype "x16"
//
// dim, type, array, loc and names are those of graphs (parse.h).
#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/check.h"
#include "gcompile/ir/kernel.h"
#include "gcompile/ir/parse_parts.h"
#include "gcompile/ir/regions.h"

namespace gcompile::ir {
namespace {

constexpr int kMaxLoops = 64;  // nested in each other

class KernelParser {
 public:
  KernelParser(PartsParser& parts, const KernelModule& module, std::vector<Position>& positions)
      : parts_(parts), lex_(parts.lex), module_(module), positions_(positions) {}

  Kernel run() {
    kernel_.name = parts_.parse_global("the kernel's name, such as @k0");
    kernel_.region = parse_region_name(parts_, module_);
    kernel_.locations = parts_.parse_locations();
    lex_.expect("{", "before the kernel's instructions");
    while (lex_.accept("reason")) kernel_.reasons.push_back(lex_.expect(TokenKind::kString, "a reason in quotes").text);
    while (lex_.accept("scratch")) parse_scratch();
    kernel_.body = parse_block(1, nullptr);
    return std::move(kernel_);
  }

 private:
  static std::string key(const Token& t) { return (t.quoted ? "\"" : "") + t.text; }

  void parse_scratch() {
    Scratch s;
    s.name = parts_.parse_name("the scratch's name");
    lex_.expect(":", "before the scratch's type");
    s.dtype = parts_.parse_dtype_name();
    s.extents = parts_.parse_extents();
    if (lex_.accept("register"))
      s.kind = Scratch::Kind::kRegister;
    else
      lex_.expect("stack", "or 'register'");
    kernel_.scratch.push_back(std::move(s));
  }

  // Up to and with the closing brace. Values defined inside are forgotten after it.
  Block parse_block(int depth, std::vector<int>* yields) {
    Block block;
    const std::size_t outside = scope_.size();
    while (!lex_.at("}") && !lex_.at("yield")) block.push_back(parse_instruction(depth));
    if (yields && lex_.accept("yield")) do
        yields->push_back(parse_value());
      while (lex_.accept(","));
    if (!lex_.accept("}")) lex_.fail_expected("'}'");
    for (; scope_.size() > outside; scope_.pop_back()) visible_.erase(scope_.back());
    return block;
  }

  int parse_value() {
    const Token t = lex_.expect(TokenKind::kValue, "a value such as %3");
    const auto it = visible_.find(key(t));
    if (it == visible_.end() || t.result >= 0)
      lex_.fail(t.at, "expected a value defined above in this block or around it, found " + describe(t));
    return it->second;
  }
  std::vector<int> parse_values(std::string_view open, std::string_view close) {
    std::vector<int> values;
    parts_.parse_list(open, close, [&] { values.push_back(parse_value()); });
    return values;
  }
  int parse_mask() { return lex_.accept("mask") ? parse_value() : -1; }

  // Names are defined once in a kernel, also after their scope has ended.
  int define(const Token& t) {
    if (t.result >= 0 || !used_.insert(key(t)).second) lex_.fail(t.at, "expected a new name, found " + describe(t));
    visible_.emplace(key(t), kernel_.values);
    scope_.push_back(key(t));
    return kernel_.values++;
  }

  VType parse_vtype() {
    if (lex_.at(TokenKind::kWord)) {
      const std::string suffix = "x" + std::to_string(kLanes);
      std::string text = lex_.peek().text;
      const bool lanes = text.ends_with(suffix);
      if (lanes) text.resize(text.size() - suffix.size());
      if (const auto dtype = parse_dtype(text)) {
        lex_.next();
        return {*dtype, lanes};
      }
    }
    lex_.fail_expected("a type such as f32 or f32x16");
  }

  const OpDef* parse_op() {
    const Token t = lex_.expect(TokenKind::kWord, "an instruction or an op");
    const OpDef* op = find_op(t.text);
    if (!op) lex_.fail(t.at, "expected an instruction or an op, found " + describe(t));
    return op;
  }

  int parse_location() {
    const std::vector<Location> found = parts_.parse_locations();
    if (found.empty()) return -1;
    auto& all = kernel_.locations;
    const auto it = std::find(all.begin(), all.end(), found[0]);
    if (it != all.end()) return static_cast<int>(it - all.begin());
    all.push_back(found[0]);
    return static_cast<int>(all.size()) - 1;
  }

  Instr parse_instruction(int depth) {
    positions_.push_back(lex_.peek().at);
    std::vector<Token> results;
    if (lex_.at(TokenKind::kValue)) {
      do results.push_back(lex_.expect(TokenKind::kValue, "a value such as %3"));
      while (lex_.accept(","));
      lex_.expect("=", "after the results");
    }
    if (lex_.accept("for")) return parse_for(results, depth);
    if (results.empty() && lex_.accept("contract")) return parse_contract(depth);
    const Token& at = lex_.peek();
    const bool effect = at.kind == TokenKind::kWord && (at.text == "store" || at.text == "lane_reduce" ||
                                                        at.text == "transpose" || at.text == "prefetch");
    if (effect != results.empty())
      lex_.fail_expected(effect ? "an instruction with a result"
                                : "'for', 'contract', 'store', 'lane_reduce', 'transpose' or '}'");
    if (results.size() > 1) lex_.fail(results[1].at, "expected one result, found " + describe(results[1]));
    Instr i = effect ? parse_effect() : parse_pure();
    if (!effect) {
      lex_.expect(":", "before the value's type");
      i.type = parse_vtype();
      if (i.opcode == Opcode::kLiteral) i.literal = literal_of(i.type.dtype);
      i.results = {define(results[0])};
      types_.push_back(i.type);
    }
    i.where = parse_location();
    return i;
  }

  // The literal's text stands before its type.
  double literal_of(DType dtype) {
    PartsParser again(literal_, lex_.file());
    try {
      const double value = again.parse_number(dtype);
      if (again.lex.at(TokenKind::kEnd)) return value;
    } catch (const ParseError&) {  // said below, with the literal's own position
    }
    lex_.fail(literal_at_, "expected a literal of " + std::string(name(dtype)) + ", found " + literal_);
  }

  Instr parse_pure() {
    if (lex_.accept("literal")) {
      literal_at_ = lex_.peek().at;
      literal_ = lex_.accept("-") ? "-" : "";
      if (!lex_.at(TokenKind::kNumber) && !lex_.at(TokenKind::kWord)) lex_.fail_expected("a literal");
      literal_ += lex_.next().text;
      return Instr{Opcode::kLiteral};
    }
    if (lex_.accept("index")) {
      Instr i{Opcode::kIndex};
      i.index = {parts_.parse_dim()};
      return i;
    }
    if (lex_.accept("load")) {
      Instr i{Opcode::kLoad};
      i.memory = parts_.parse_name("the memory that is loaded");
      i.index = parts_.parse_dims("[", "]");
      if (lex_.accept("with")) i.operands = parse_values("(", ")");
      i.mask = parse_mask();
      return i;
    }
    Instr i{Opcode::kOp};
    i.op = parse_op();
    i.operands = parse_values("(", ")");
    return i;
  }

  Instr parse_effect() {
    const std::string word = lex_.next().text;
    Instr i{word == "store"       ? Opcode::kStore
            : word == "transpose" ? Opcode::kLoadTransposed
            : word == "prefetch"  ? Opcode::kPrefetch
                                  : Opcode::kLaneReduce};
    if (i.opcode == Opcode::kLaneReduce) i.op = parse_op();
    i.memory = parts_.parse_name("the memory that is written");
    if (i.opcode == Opcode::kStore) {
      i.index = parts_.parse_dims("[", "]");
      lex_.expect("=", "before the stored value");
      const int value = parse_value();
      i.operands = {value};
      i.type = type_of(value);
      if (lex_.accept("with"))
        for (const int operand : parse_values("(", ")")) i.operands.push_back(operand);
      i.mask = parse_mask();
      return i;
    }
    if (i.opcode == Opcode::kPrefetch) {
      i.index = parts_.parse_dims("[", "]");
      return i;
    }
    const bool transposed = i.opcode == Opcode::kLoadTransposed;
    if (transposed && lex_.at("[")) {
      i.opcode = Opcode::kStoreTransposed;
      i.index = parts_.parse_dims("[", "]");
    }
    lex_.expect("=", "before the memory that is read");
    i.source = parts_.parse_name("the memory that is read");
    if (i.opcode == Opcode::kLoadTransposed) i.index = parts_.parse_dims("[", "]");
    lex_.expect(transposed ? "columns" : "extent");
    i.extent = parts_.parse_int_in("an extent", 0, kMaxInteger);
    if (transposed) i.mask = parse_mask();
    return i;
  }

  Instr parse_for(const std::vector<Token>& results, int depth) {
    Instr i{Opcode::kFor};
    check_depth(depth);
    Axis axis = parse_axis();
    i.var = std::move(axis.var);
    i.extent = std::move(axis.extent);
    i.loop = lex_.accept("unroll")       ? LoopKind::kUnroll
             : lex_.accept("interleave") ? LoopKind::kInterleave
             : lex_.accept("parallel")   ? LoopKind::kParallel
                                         : LoopKind::kSerial;
    const Position carried_at = lex_.peek().at;
    const std::size_t outside = scope_.size();
    std::vector<Token> arguments;
    if (lex_.at("(")) {
      parts_.parse_list("(", ")", [&] {
        arguments.push_back(lex_.expect(TokenKind::kValue, "a carried value such as %2 = %0"));
        lex_.expect("=", "before the initial value");
        i.operands.push_back(parse_value());
      });
      lex_.expect(":", "before the types of the carried values");
      parts_.parse_list("(", ")", [&] { i.types.push_back(parse_vtype()); });
    }
    if (i.types.size() != arguments.size() || results.size() != arguments.size())
      lex_.fail(carried_at, "expected as many results and types as carried values, found " +
                                std::to_string(results.size()) + " results, " + std::to_string(i.types.size()) +
                                " types and " + std::to_string(arguments.size()) + " carried values");
    i.where = parse_location();
    const Position body_at = lex_.expect("{", "before the loop's body").at;
    for (std::size_t k = 0; k < arguments.size(); ++k) {
      i.arguments.push_back(define(arguments[k]));
      types_.push_back(i.types[k]);
    }
    i.body = parse_block(depth + 1, &i.yields);
    for (; scope_.size() > outside; scope_.pop_back()) visible_.erase(scope_.back());
    if (i.yields.size() != arguments.size())
      lex_.fail(body_at, "expected a body that yields " + std::to_string(arguments.size()) + " values, found " +
                             std::to_string(i.yields.size()));
    for (std::size_t k = 0; k < results.size(); ++k) {
      i.results.push_back(define(results[k]));
      types_.push_back(i.types[k]);
    }
    return i;
  }

  void check_depth(int depth) {
    if (depth > kMaxLoops) lex_.fail(lex_.peek().at, "expected at most " + std::to_string(kMaxLoops) + " nested loops");
  }

  // i in 0 .. N
  Axis parse_axis() {
    Axis a;
    a.var = lex_.expect(TokenKind::kWord, "a loop variable").text;
    lex_.expect("in", "after the loop variable");
    parts_.parse_int_in("the first value of the loop variable", 0, 0);
    lex_.expect("..", "after 0");
    a.extent = parts_.parse_dim();
    return a;
  }

  Instr parse_contract(int depth) {
    Instr i{Opcode::kContract};
    check_depth(depth);
    const Token sum = lex_.expect(TokenKind::kValue, "the sum, a value such as %2");
    lex_.expect("=", "after the sum");
    const auto access = [&](Access& a) {
      a.memory = parts_.parse_name("the memory of an operand");
      a.index = parts_.parse_dims("[", "]");
    };
    access(i.left);
    lex_.expect("*", "between the operands");
    access(i.right);
    lex_.expect("for", "before the parallel axes");
    parts_.parse_list("(", ")", [&] { i.axes.push_back(parse_axis()); });
    lex_.expect("sum", "before the reduction axes");
    parts_.parse_list("(", ")", [&] { i.sums.push_back(parse_axis()); });
    if (lex_.accept("partials"))
      i.partials = static_cast<int>(parts_.parse_int_in("the number of partial sums", 2, 16));
    lex_.expect(":", "before the sum's type");
    i.types = {parse_vtype()};
    i.where = parse_location();
    lex_.expect("{", "before the epilogue");
    const std::size_t outside = scope_.size();
    i.arguments = {define(sum)};
    types_.push_back(i.types[0]);
    i.body = parse_block(depth + 1, nullptr);
    for (; scope_.size() > outside; scope_.pop_back()) visible_.erase(scope_.back());
    return i;
  }

  VType type_of(int value) const { return types_[static_cast<std::size_t>(value)]; }

  PartsParser& parts_;
  Lexer& lex_;
  const KernelModule& module_;
  std::vector<Position>& positions_;  // of all instructions, as KernelFault counts them
  Kernel kernel_;
  std::map<std::string, int> visible_;
  std::vector<std::string> scope_;  // the names in visible_, in the order of their definition
  std::set<std::string> used_;
  std::vector<VType> types_;  // of values
  std::string literal_;
  Position literal_at_;
};

class ModuleParser {
 public:
  ModuleParser(std::string_view text, const std::string& file) : parts_(text, file == "<text>" ? "" : file) {}

  KernelModule run() {
    const Position begin = lex_.expect("kernels", "at the start").at;
    module_.name = parts_.parse_global("the module's name, such as @main");
    lex_.expect("{", "before the buffers");
    while (lex_.accept("dim")) parts_.parse_bounds(module_.bounds);
    while (lex_.accept("require")) module_.requirements.push_back(parts_.parse_requirement());
    while (!lex_.at("region") && !lex_.at("kernel") && !lex_.at("update") && !lex_.at("}")) parse_buffer();
    while (lex_.accept("region")) module_.regions.push_back(parse_region(parts_, module_));
    while (lex_.accept("kernel")) {
      kernel_positions_.push_back(lex_.peek().at);
      module_.kernels.push_back(KernelParser(parts_, module_, positions_).run());
    }
    while (lex_.accept("update")) {
      KernelModule::Update u;
      u.state = parts_.parse_name("the state that is updated");
      lex_.expect("=", "before the buffer with the new value");
      u.value = parts_.parse_name("a buffer");
      module_.updates.push_back(std::move(u));
    }
    if (!lex_.accept("}")) lex_.fail_expected("'kernel', 'update' or '}'");
    if (!lex_.at(TokenKind::kEnd)) lex_.fail_expected("the end of the text");
    resolve_aliases();
    if (const auto fault = find_fault(module_))
      lex_.fail(fault->instruction >= 0 ? positions_[static_cast<std::size_t>(fault->instruction)]
                : fault->kernel >= 0    ? kernel_positions_[static_cast<std::size_t>(fault->kernel)]
                                        : begin,
                fault->message);
    return std::move(module_);
  }

 private:
  void parse_buffer() {
    constexpr std::pair<std::string_view, BufferRole> kRoles[] = {{"input", BufferRole::kInput},
                                                                  {"state", BufferRole::kState},
                                                                  {"result", BufferRole::kResult},
                                                                  {"temp", BufferRole::kTemp},
                                                                  {"constant", BufferRole::kConstant}};
    const auto* role =
        std::find_if(std::begin(kRoles), std::end(kRoles), [&](const auto& r) { return lex_.at(r.first); });
    if (role == std::end(kRoles))
      lex_.fail_expected("'input', 'state', 'result', 'temp', 'constant', 'region', 'kernel', 'update' or '}'");
    lex_.next();
    const Position at = lex_.peek().at;
    Buffer b;
    b.role = role->second;
    b.name = parts_.parse_name("the buffer's name");
    if (!names_.emplace(b.name, static_cast<int>(module_.buffers.size())).second)
      lex_.fail(at, "expected a new name, found '" + b.name + "' again");
    lex_.expect(":", "before the buffer's type");
    if (b.role == BufferRole::kConstant) {
      b.data = parts_.parse_array();
      b.type = Type::of(b.data.dtype(), b.data.shape());
    } else {
      b.type = parts_.parse_type();
    }
    if (b.role == BufferRole::kState) b.order = parts_.parse_order(b.type.rank());
    if (b.role == BufferRole::kState) b.trainable = !lex_.accept("frozen");
    if (b.role == BufferRole::kTemp) b.per_worker = lex_.accept("per_worker");
    if (b.role == BufferRole::kTemp && lex_.accept("alias"))
      aliases_.push_back({static_cast<int>(module_.buffers.size()), lex_.peek().at, parts_.parse_name("a state")});
    module_.buffers.push_back(std::move(b));
  }

  void resolve_aliases() {
    for (const auto& a : aliases_) {
      const auto it = names_.find(a.state);
      if (it == names_.end()) lex_.fail(a.at, "expected a state, found '" + a.state + "'");
      module_.buffers[static_cast<std::size_t>(a.buffer)].alias = it->second;
    }
  }

  struct Alias {
    int buffer;
    Position at;
    std::string state;
  };
  PartsParser parts_;
  Lexer& lex_ = parts_.lex;
  KernelModule module_;
  std::map<std::string, int> names_;
  std::vector<Alias> aliases_;
  std::vector<Position> positions_, kernel_positions_;
};

}  // namespace

KernelModule parse_kernel_module(std::string_view text, const std::string& file) {
  return ModuleParser(text, file).run();
}

}  // namespace gcompile::ir
