// gcompile run: compiles a graph or kernels for this machine, calls the result, prints what came out.
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <optional>

#include "commands.h"
#include "gcompile/base/error.h"
#include "gcompile/codegen/check/sample.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/frontend/weak_number.h"
#include "gcompile/ir/bind_symbols.h"
#include "gcompile/passes/specialize.h"
#include "gcompile/runtime/file_io.h"
#include "gcompile/runtime/npy.h"
#include "model.h"
#include "numbers.h"
#include "options.h"

namespace gcompile::tool {
namespace {

constexpr const char* kUsageText = "Usage: gcompile run [model.gir | -] [--input x=x.npy] [--input lr=0.1] ...\n"
                                   "\n"
                                   "Compiles the graph or the kernels, calls the result and prints results and updated "
                                   "states. Inputs and states that\n"
                                   "are not given are filled from a generator. Equal bits print as equal text.\n";

constexpr std::int64_t kDefaultExtent = 5;  // of a symbol that nothing says

using Given = std::map<std::string, std::string>;  // name of an input or a state to a file or a number

po::options_description run_options() {
  po::options_description options = common_options();
  auto add = options.add_options();
  add("input", po::value<std::vector<std::string>>()->value_name("NAME=FILE.npy"),
      "an input's or a state's value: a .npy file, or a number for all elements");
  add("seed", po::value<std::uint64_t>()->default_value(0)->value_name("S"), "of what is not given");
  add("steps", po::value<int>()->default_value(1)->value_name("K"), "call it so many times");
  add("output", po::value<std::string>()->value_name("DIR"), "write results and updated states there as .npy");
  add("check", po::value<std::string>()->value_name("nan"), "stop at a NaN, update nothing, say where it came from");
  add("profile", "measure every kernel and print a table (stderr)");
  add("trace", po::value<std::string>()->value_name("FILE.json"),
      "measure every kernel and write a trace for chrome://tracing or Perfetto");
  add("debug-info", "tell gdb of the kernels and of the lines they come from");
  add("hex", "print floats in hexadecimal");
  return options;
}

Given given_values(const po::variables_map& vars) {
  Given given;
  if (!vars.count("input")) return given;
  for (const std::string& text : vars["input"].as<std::vector<std::string>>()) {
    const auto [name, value] = split_assignment(text, "input");
    if (!given.emplace(name, value).second) throw UsageError("--input " + name + " is given twice");
  }
  return given;
}

template <class T>
std::optional<WeakNumber> number_of(const std::string& text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return WeakNumber(value);
}
std::optional<WeakNumber> number_in(const std::string& text) {
  const auto whole = number_of<std::int64_t>(text);
  return whole ? whole : number_of<double>(text);
}

// Integers of NumPy's default dtype are taken for i32 where all of them are.
Array narrowed(const Array& a, DType wanted, const std::string& path) {
  if (a.dtype() != DType::kI64 || wanted != DType::kI32) return a;
  Array narrow = a.cast(wanted);
  for (std::int64_t i = 0; i < a.size(); ++i)
    if (a.at_integer(i) != narrow.at_integer(i))
      throw DataError(path + ": holds 64-bit integers, and " + std::to_string(a.at_integer(i)) + " does not fit i32");
  return narrow;
}

// Everything that a run is made of.
class Run {
 public:
  // `source`: the graph from which a NaN is explained, null when none is looked for.
  Run(const po::variables_map& vars, ir::Program program, std::shared_ptr<const ir::Graph> source, const Target& target)
      : program_(std::move(program)), source_(std::move(source)), target_(target), given_(given_values(vars)),
        dims_(dims_of(vars)), seed_(vars["seed"].as<std::uint64_t>()) {
    codegen::fill_states(program_.module, seed_);
    for (const auto& [name, value] : given_) {
      const int i = program_.module.find_buffer(name);
      const ir::BufferRole role = i < 0 ? ir::BufferRole::kTemp : buffer(i).role;
      if (role == ir::BufferRole::kState)
        buffer(i).storage->assign(value_of(name, buffer(i).logical_type()));
      else if (role != ir::BufferRole::kInput)
        throw UsageError("--input " + name + ": the model has no input or state of that name");
    }
  }

  // Returns what the kernels took, when that is measured.
  runtime::Profile call(int steps, bool hex, const codegen::CodeOptions& code) {
    bind_dims();
    std::vector<Array> arguments;
    for (const ir::Buffer& b : program_.module.buffers)
      if (b.role == ir::BufferRole::kInput) arguments.push_back(value_of(b.name, b.type));
    std::vector<const Array*> pointers;
    for (const Array& a : arguments) pointers.push_back(&a);
    runtime::Executable executable(program_, codegen::jit(program_, target_, code));
    if (code.profile) executable.start_profile(codegen::profiled_launches(program_, target_));
    executable.graph = source_;
    results_.resize(executable.result_count());
    for (int step = 1; step <= steps; ++step) {
      executable.run(pointers, results_);
      if (steps > 1) std::cout << "step " << step << '\n';
      print("result", hex, named_results());
    }
    print("state", hex, named_states());
    return code.profile ? executable.profile() : runtime::Profile{};
  }

  void save(const std::string& folder) const {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw DataError(folder + ": " + error.message());
    for (const auto& list : {named_results(), named_states()})
      for (const auto& [name, value] : list) save_npy(folder + "/" + name + ".npy", value);
  }

 private:
  using Named = std::vector<std::pair<std::string, Array>>;

  ir::Buffer& buffer(int i) { return program_.module.buffers[static_cast<std::size_t>(i)]; }

  // A symbol's value is that of --dim, else of an input that is a file, else a small number.
  void bind_dims() {
    for (const auto& [name, value] : dims_)
      if (std::find(program_.symbols.begin(), program_.symbols.end(), name) == program_.symbols.end())
        throw UsageError("--dim " + name + ": the model has no such dimension");
    std::vector<Type> types;
    std::vector<Shape> shapes;
    for (const ir::Buffer& b : program_.module.buffers) {
      const auto it = given_.find(b.name);
      if (b.role != ir::BufferRole::kInput || it == given_.end() || number_in(it->second)) continue;
      types.push_back(b.type);
      shapes.push_back(files_.emplace(b.name, load_npy(it->second)).first->second.shape());
    }
    ir::bind_symbols(types, shapes, dims_);
    for (const std::string& symbol : program_.symbols) {
      const auto it = program_.module.bounds.find(symbol);
      const ir::DimBounds bounds = it == program_.module.bounds.end() ? ir::DimBounds{} : it->second;
      if (dims_.emplace(symbol, std::clamp(kDefaultExtent, bounds.min, bounds.max)).second)
        std::cout << "dim " << symbol << " = " << dims_.at(symbol) << '\n';
    }
  }

  Array value_of(const std::string& name, const Type& type) {
    const auto it = given_.find(name);
    if (it == given_.end()) return codegen::sample(type, dims_, seed_, name);
    const auto number = number_in(it->second);
    if (!number) return narrowed(files_.count(name) ? files_.at(name) : load_npy(it->second), type.dtype, it->second);
    if (!number->fits(type.dtype))
      throw UsageError("--input " + name + ": it is " + type.str() + ", and " + WeakNumber::held_by(type.dtype) +
                       ", not " + number->str());
    std::vector<std::int64_t> extents;
    for (const Dim& d : type.dims) extents.push_back(d.evaluate(dims_));
    return number->full(type.dtype, Shape(extents));
  }

  Named named_results() const {
    Named named;
    for (const ir::Buffer& b : program_.module.buffers)
      if (b.role == ir::BufferRole::kResult && named.size() < results_.size())
        named.emplace_back(b.name, results_[named.size()]);
    return named;
  }
  Named named_states() const {
    Named named;
    for (const auto& u : program_.module.updates)
      named.emplace_back(u.state, program_.module.buffer(u.state).storage->value());
    return named;
  }
  static void print(const char* what, bool hex, const Named& list) {
    for (const auto& [name, value] : list) std::cout << what << ' ' << name << ": " << print_values(value, hex) << '\n';
  }

  ir::Program program_;
  std::shared_ptr<const ir::Graph> source_;
  Target target_;
  Given given_;
  passes::DimValues dims_;
  std::uint64_t seed_;
  std::map<std::string, Array> files_;
  std::vector<Array> results_;
};

}  // namespace

int run_command(const std::vector<std::string>& words) {
  const po::variables_map vars = parse(words, run_options(), kUsageText);
  if (vars.count("help")) return kOk;
  const Target target = target_of(vars);
  const int steps = vars["steps"].as<int>();
  if (steps < 1) throw UsageError("--steps " + std::to_string(steps) + ": expected a number >= 1");
  passes::Stage stage = read_model(vars, {});
  std::shared_ptr<ir::Graph> source;
  if (vars.count("check")) {
    if (vars["check"].as<std::string>() != "nan")
      throw UsageError("--check=" + vars["check"].as<std::string>() + ": what can be checked is nan");
    if (!std::holds_alternative<ir::Graph>(stage)) throw UsageError("--check=nan is for graphs, the model is kernels");
    source = std::make_shared<ir::Graph>(std::get<ir::Graph>(stage));
    codegen::fill_states(*source, vars["seed"].as<std::uint64_t>());  // storages that source and program share
    stage = *source;
  }
  passes::PipelineOptions options;
  options.check_nan = source != nullptr;
  Run run(vars, passes::run_pipeline(std::move(stage), {target, memory_budget_of(vars)}, options), source, target);
  const bool profiled = vars.count("profile") || vars.count("trace");
  const runtime::Profile profile =
      run.call(steps, vars.count("hex") != 0, {.profile = profiled, .debug_info = vars.count("debug-info") != 0});
  if (vars.count("profile")) std::cerr << runtime::print(profile);
  if (vars.count("trace")) {
    const std::string trace = runtime::chrome_trace({&profile, 1});
    runtime::write_file_atomically(vars["trace"].as<std::string>(), std::array<std::string_view, 1>{trace});
  }
  if (vars.count("output")) run.save(vars["output"].as<std::string>());
  return kOk;
}

}  // namespace gcompile::tool
