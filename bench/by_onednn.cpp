#include "by_onednn.h"

#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

namespace gcompile::bench {
namespace {

using Descriptor = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
constexpr auto kInference = dnnl::prop_kind::forward_inference;

// oneDNN has no thread count of its own: it takes the OpenMP team of the thread that calls it.
const dnnl::engine& engine() {
  omp_set_num_threads(1);
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

Descriptor matrix(std::int64_t rows, std::int64_t columns, Tag tag = Tag::ab) {
  return {{rows, columns}, dnnl::memory::data_type::f32, tag};
}

// The primitive with its operands and its result, whose addresses are given at each call.
OnednnCall call(const dnnl::primitive& primitive, int a_argument, const Descriptor& a, int b_argument,
                const Descriptor& b, int out_argument, const Descriptor& out) {
  dnnl::stream stream(engine());
  std::unordered_map<int, dnnl::memory> arguments;
  const auto add = [&](int argument, const Descriptor& descriptor) {
    arguments[argument] = dnnl::memory(descriptor, engine(), DNNL_MEMORY_NONE);
  };
  add(a_argument, a);
  if (b_argument) add(b_argument, b);
  add(out_argument, out);
  return [=](const float* from_a, const float* from_b, float* to) mutable {
    arguments.at(a_argument).set_data_handle(const_cast<float*>(from_a));  // read only, whatever the type says
    if (b_argument) arguments.at(b_argument).set_data_handle(const_cast<float*>(from_b));
    arguments.at(out_argument).set_data_handle(to);
    primitive.execute(stream, arguments);
    stream.wait();
  };
}

OnednnCall call(const dnnl::primitive& primitive, const Descriptor& a, const Descriptor& out) {
  return call(primitive, DNNL_ARG_SRC, a, 0, {}, DNNL_ARG_DST, out);
}

OnednnCall sums(const Descriptor& a, const Descriptor& out) {
  const dnnl::reduction::desc sum(dnnl::algorithm::reduction_sum, a, out, 0, 0);
  return call(dnnl::reduction({sum, engine()}), a, out);
}

}  // namespace

std::string onednn_version() {
  const dnnl::version_t* v = dnnl::version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

OnednnCall matmul_by_onednn(const MatmulShape& s) {
  const Descriptor a = matrix(s.m, s.k, s.a_transposed ? Tag::ba : Tag::ab);
  const Descriptor b = matrix(s.k, s.n, s.b_transposed ? Tag::ba : Tag::ab);
  const Descriptor out = matrix(s.m, s.n);
  const dnnl::matmul::desc product(a, b, out);
  return call(dnnl::matmul({product, engine()}), DNNL_ARG_SRC, a, DNNL_ARG_WEIGHTS, b, DNNL_ARG_DST, out);
}

OnednnCall softmax_by_onednn(std::int64_t rows, std::int64_t columns) {
  const Descriptor x = matrix(rows, columns);
  const dnnl::softmax_forward::desc softmax(kInference, x, 1);
  return call(dnnl::softmax_forward({softmax, engine()}), x, x);
}

OnednnCall layer_norm_by_onednn(std::int64_t rows, std::int64_t columns) {
  const Descriptor x = matrix(rows, columns);
  const dnnl::layer_normalization_forward::desc norm(kInference, x, 1e-5F, dnnl::normalization_flags::none);
  return call(dnnl::layer_normalization_forward({norm, engine()}), x, x);
}

OnednnCall gelu_by_onednn(std::int64_t rows, std::int64_t columns) {
  const Descriptor x = matrix(rows, columns);
  const dnnl::eltwise_forward::desc gelu(kInference, dnnl::algorithm::eltwise_gelu_tanh, x, 0, 0);
  return call(dnnl::eltwise_forward({gelu, engine()}), x, x);
}

OnednnCall row_sums_by_onednn(std::int64_t rows, std::int64_t columns) {
  return sums(matrix(rows, columns), matrix(rows, 1));
}

OnednnCall column_sums_by_onednn(std::int64_t rows, std::int64_t columns) {
  return sums(matrix(rows, columns), matrix(1, columns));
}

OnednnCall transpose_by_onednn(std::int64_t rows, std::int64_t columns) {
  const Descriptor a = matrix(rows, columns), out = matrix(rows, columns, Tag::ba);
  return call(dnnl::reorder({engine(), a, engine(), out}), DNNL_ARG_FROM, a, 0, {}, DNNL_ARG_TO, out);
}

OnednnCall add_by_onednn(std::int64_t rows, std::int64_t columns) {
  const Descriptor x = matrix(rows, columns);
  const dnnl::binary::desc sum(dnnl::algorithm::binary_add, x, x, x);
  return call(dnnl::binary({sum, engine()}), DNNL_ARG_SRC_0, x, DNNL_ARG_SRC_1, x, DNNL_ARG_DST, x);
}

}  // namespace gcompile::bench
