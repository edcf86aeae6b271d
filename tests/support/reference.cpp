#include "tests/support/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

namespace gcompile::reference {
namespace {

// Of f32 the inputs are rounded too, which what is computed may magnify; f64 is the judge.
double tolerance(DType t) { return t == DType::kF64 ? 2e-13 : 2e-5; }

struct Case {
  double scale = 1;
  std::vector<Array> inputs, results;  // floats are f64
};

DType dtype_of_name(const std::string& word) {
  if (word == "float") return DType::kF64;
  for (const DType t : kAllDTypes)
    if (name(t) == word) return t;
  throw Error("no dtype: " + word);
}

// Element i of a drawn input is one of 1009 steps from low to high.
double drawn(std::int64_t i, std::int64_t seed, double low, double high) {
  const auto step = static_cast<double>((i * 7919 + seed * 104729 + i * i * 31) % 1009);
  return low + (high - low) * step / 1008.0;
}

// "float [2,3] drawn SEED LOW HIGH" or "i32 [2] listed 4 5".
Array read_array(std::istringstream& line) {
  std::string dtype, extents, how, word;
  line >> dtype >> extents >> how;
  std::vector<std::int64_t> dims;
  std::istringstream list(extents.substr(1, extents.size() - 2));
  while (std::getline(list, word, ',')) dims.push_back(std::stoll(word));
  Array a(dtype_of_name(dtype), Shape(dims));
  if (how == "drawn") {
    std::int64_t seed = 0;
    double low = 0, high = 0;
    line >> seed >> low >> high;
    for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, drawn(i, seed, low, high));
    return a;
  }
  for (std::int64_t i = 0; i < a.size(); ++i) {
    if (!(line >> word)) throw Error("too few elements: " + line.str());
    is_float(a.dtype()) ? a.set(i, std::strtod(word.c_str(), nullptr)) : a.set_integer(i, std::stoll(word));
  }
  if (line >> word) throw Error("too many elements: " + line.str());
  return a;
}

std::map<std::string, Case> read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error("cannot read " + path);
  std::map<std::string, Case> cases;
  Case* now = nullptr;
  std::string text, kind;
  while (std::getline(file, text)) {
    std::istringstream line(text);
    if (!(line >> kind) || kind == "#") continue;
    if (kind == "case") {
      line >> text;
      now = &cases[text];
      if (!(line >> now->scale)) now->scale = 1;
    } else {
      (kind == "in" ? now->inputs : now->results).push_back(read_array(line));
    }
  }
  return cases;
}

Array as(const Array& a, DType dtype) { return is_float(a.dtype()) ? a.cast(dtype) : a; }

void compare(const Array& found, const Array& wanted, double admitted) {
  ASSERT_EQ(found.dtype(), wanted.dtype());
  ASSERT_EQ(found.shape().str(), wanted.shape().str());
  for (std::int64_t i = 0; i < found.size(); ++i) {
    if (!is_float(found.dtype())) {
      ASSERT_EQ(found.at_integer(i), wanted.at_integer(i)) << "element " << i;
      continue;
    }
    const double x = found.at(i), y = wanted.at(i);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (!std::isfinite(y) || !std::isfinite(x))
      ASSERT_EQ(x, y) << "element " << i;
    else
      ASSERT_LE(std::abs(x - y), admitted * (1 + std::abs(y))) << "element " << i << ": " << x << ", recorded " << y;
  }
}

void check(const Case& c, const Function& f, DType dtype) {
  std::vector<Array> inputs;
  for (const Array& a : c.inputs) inputs.push_back(as(a, dtype));
  std::vector<std::unique_ptr<Argument>> arguments;
  std::vector<const Argument*> pointers;
  for (const Array& a : inputs) {
    arguments.push_back(std::make_unique<Argument>(a));
    pointers.push_back(arguments.back().get());
  }
  detail::FunctionCache function([&](std::span<const Tensor> in) { return f(in); }, c.results.size(), JitOptions{});
  const std::vector<Array> found = function.call(
      pointers, [](std::span<const Array> results) { return std::vector<Array>(results.begin(), results.end()); });
  ASSERT_EQ(found.size(), c.results.size());
  for (std::size_t r = 0; r < found.size(); ++r) {
    SCOPED_TRACE("result " + std::to_string(r));
    compare(found[r], as(c.results[r], dtype), c.scale * tolerance(dtype));
  }
}

}  // namespace

void expect_as_recorded(const std::string& path, const Functions& functions) {
  const auto cases = read(path);
  EXPECT_FALSE(cases.empty());
  for (const auto& [name, function] : functions) EXPECT_TRUE(cases.count(name)) << name << " is not recorded";
  for (const auto& [name, recorded] : cases) {
    const auto it = functions.find(name);
    if (it == functions.end()) {
      ADD_FAILURE() << name << " is recorded, and no function has the name";
      continue;
    }
    for (const DType dtype : {DType::kF64, DType::kF32}) {
      SCOPED_TRACE(name + " in " + std::string(gcompile::name(dtype)));
      check(recorded, it->second, dtype);
    }
  }
}

Function with_derivatives(const std::function<Tensor(In)>& f) {
  return [f](In in) {
    const std::vector<Tensor> x(in.begin(), in.end());
    const auto gradients = [&](const Tensor& loss) {
      std::vector<Tensor> all = grad_or_empty(loss, x);
      for (std::size_t i = 0; i < x.size(); ++i)
        if (all[i].empty()) all[i] = zeros(x[i].shape(), x[i].dtype());
      return all;
    };
    const Tensor y = f(in);
    const std::vector<Tensor> first = gradients(sum(y));
    Tensor total = sum(first[0]);
    for (std::size_t i = 1; i < first.size(); ++i) total = total + sum(first[i]);
    const std::vector<Tensor> second = gradients(total);
    std::vector<Tensor> all{y};
    all.insert(all.end(), first.begin(), first.end());
    all.insert(all.end(), second.begin(), second.end());
    return all;
  };
}

}  // namespace gcompile::reference
