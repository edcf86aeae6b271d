#include "gcompile/runtime/data/scale.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>

#include "gcompile/base/error.h"

namespace gcompile::data {
namespace {

std::string type_of(const Array& a) { return std::string(name(a.dtype())) + a.shape().str(); }

// Mean and standard deviation in two passes; exact for a constant column.
template <class T>
std::pair<double, double> fit_column(const T* column, std::int64_t rows, std::int64_t stride) {
  T low = *column, high = *column;
  double sum = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    low = std::min(low, column[r * stride]);
    high = std::max(high, column[r * stride]);
    sum += static_cast<double>(column[r * stride]);
  }
  if (low == high) return {static_cast<double>(low), 1.0};
  const double mean = sum / static_cast<double>(rows);
  double squares = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const double d = static_cast<double>(column[r * stride]) - mean;
    squares += d * d;
  }
  const double std = std::sqrt(squares / static_cast<double>(rows));
  return {mean, std > 0 ? std : 1.0};  // squares underflow for a column that varies by less than 1e-160
}

}  // namespace

StandardScaler::StandardScaler(const Table& table, const std::source_location& where) {
  const Location at = Location::from(where);
  const Array x = is_float16(table.inputs().dtype()) ? table.inputs().cast(DType::kF32) : table.inputs();
  if (x.rank() != 2 || !is_float(x.dtype()) || x.shape()[0] == 0)
    throw CallError(at, "standard scaler: needs inputs f32[N,F] or f64[N,F] with N >= 1, got " + type_of(x));
  const std::int64_t rows = x.shape()[0], columns = x.shape()[1];
  mean_ = Array(DType::kF64, {columns});
  std_ = Array(DType::kF64, {columns});
  const auto means = mean_.mutable_data<double>(), stds = std_.mutable_data<double>();
  const auto fit = [&](auto data) {
    for (std::size_t i = 0; i < data.size(); ++i)
      if (!std::isfinite(data[i]))
        throw CallError(at, "standard scaler: the input in row " +
                                std::to_string(i / static_cast<std::size_t>(columns)) + ", column " +
                                std::to_string(i % static_cast<std::size_t>(columns)) + " is " +
                                std::to_string(data[i]));
    for (std::int64_t c = 0; c < columns; ++c)
      std::tie(means[static_cast<std::size_t>(c)], stds[static_cast<std::size_t>(c)]) =
          fit_column(data.data() + c, rows, columns);
  };
  x.dtype() == DType::kF32 ? fit(x.data<float>()) : fit(x.data<double>());
}

StandardScaler::StandardScaler(Array mean, Array std, const std::source_location& where)
    : mean_(std::move(mean)), std_(std::move(std)) {
  const Location at = Location::from(where);
  if (mean_.dtype() != DType::kF64 || std_.dtype() != DType::kF64 || mean_.rank() != 1 ||
      !(mean_.shape() == std_.shape()))
    throw CallError(at, "standard scaler: needs mean and std f64[F], got " + type_of(mean_) + " and " + type_of(std_));
  for (double s : std::as_const(std_).data<double>())
    if (!(s > 0)) throw CallError(at, "standard scaler: every std must be > 0, got " + std::to_string(s));
}

Array StandardScaler::transform(const Array& x, const std::source_location& where) const {
  const std::int64_t columns = mean_.size();
  if (x.rank() < 1 || x.rank() > 2 || !is_float(x.dtype()) || x.shape()[x.rank() - 1] != columns)
    throw CallError(Location::from(where),
                    "standard scaler: fitted on " + std::to_string(columns) + " columns, got " + type_of(x));
  if (is_float16(x.dtype())) return transform(x.cast(DType::kF32), where).cast(x.dtype());
  Array out = Array::uninitialized(x.dtype(), x.shape());
  const auto mean = std::as_const(mean_).data<double>(), std = std::as_const(std_).data<double>();
  const auto scale = [&](auto from, auto to) {
    using T = typename decltype(to)::value_type;
    for (std::size_t begin = 0; begin < from.size(); begin += mean.size())
      for (std::size_t c = 0; c < mean.size(); ++c)
        to[begin + c] = static_cast<T>((static_cast<double>(from[begin + c]) - mean[c]) / std[c]);
  };
  x.dtype() == DType::kF32 ? scale(x.data<float>(), out.mutable_data<float>())
                           : scale(x.data<double>(), out.mutable_data<double>());
  return out;
}

Table StandardScaler::transform(const Table& table, const std::source_location& where) const {
  return {transform(table.inputs(), where), table.labels(), table.names(), where};
}

}  // namespace gcompile::data
