// Random numbers in a traced function. There is no hidden state: a sample is a function of a key and of where it is in
// the shape that is asked for, so it has the same bits on every target, for any number of threads, fused or not. A key
// is for one use; use makes new ones of it:
//
//   gc::Tensor key = gc::random::key(42);
//   auto [a, b] = gc::random::split<2>(key);
//   gc::Tensor x = gc::random::normal(a, {N, 8}), y = gc::random::uniform(b, {8}, -1, 1);
//   gc::Tensor of_this_step = gc::random::fold_in(key, count);  // count: an integer State that each step adds 1 to
//
// Keys are Tensors u32[2]: they can be inputs, states, carries of a scan, and rows for vmap. Gradients flow to what
// samples are scaled with, not to keys. docs/numerics.md says which bits become which number. All throw ModelError with
// the user's line.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "gcompile/frontend/tensor.h"
#include "gcompile/runtime/random.h"

namespace gcompile {

namespace random {

// The key whose words are the seed's lower and upper half; a key of runtime/random.h; a Tensor or State of two words.
Tensor key(std::uint64_t seed, Where where = Where::current());
Tensor key(RandomKey key, Where where = Where::current());
Tensor key(const Tensor& words, Where where = Where::current());

// n keys, u32[n,2], none of which is that of another number, of fold_in, or reads bits that a sample of `key` reads.
Tensor split(const Tensor& key, const Dim& n, Where where = Where::current());
template <std::size_t N>
std::array<Tensor, N> split(const Tensor& key, Where where = Where::current());
// The key that belongs to a number: of a step, a layer, a sample. An integer in 0 .. 2^32 - 1 or a Tensor of integers,
// of which the lower 32 bits count; several give as many keys, [.., 2].
Tensor fold_in(const Tensor& key, const Operand& data, Where where = Where::current());

// Uniform u32.
Tensor bits(const Tensor& key, const std::vector<Dim>& dims, Where where = Where::current());
// low + (high - low) u with u in [0, 1), of a float dtype. low and high broadcast to dims; where they are no numbers,
// rounding may give high itself.
Tensor uniform(const Tensor& key, const std::vector<Dim>& dims, const Operand& low = 0, const Operand& high = 1,
               DType dtype = DType::kF32, Where where = Where::current());
// Of mean 0 and variance 1.
Tensor normal(const Tensor& key, const std::vector<Dim>& dims, DType dtype = DType::kF32,
              Where where = Where::current());
// -log(-log(u)) of u in (0, 1). Of 16 bits, this and normal are made in f32 and rounded.
Tensor gumbel(const Tensor& key, const std::vector<Dim>& dims, DType dtype = DType::kF32,
              Where where = Where::current());
// bool: true with probability p, which broadcasts to dims.
Tensor bernoulli(const Tensor& key, const Operand& p, const std::vector<Dim>& dims, Where where = Where::current());
// Integers low .. high - 1 (low where there are none), of an integer dtype. low and high broadcast to dims.
Tensor randint(const Tensor& key, const std::vector<Dim>& dims, const Operand& low, const Operand& high,
               DType dtype = DType::kI32, Where where = Where::current());
// The numbers 0 .. count - 1, i32, in an order in which every other one is as likely, but for ties of 32 random bits,
// which keep their order.
Tensor permutation(const Tensor& key, const Dim& count, Where where = Where::current());
// Of each distribution along the axis one index, i32, with the probability softmax(logits) gives it.
Tensor categorical(const Tensor& key, const Tensor& logits, int axis = -1, Where where = Where::current());

// The elements of a Tensor of keys [n,2], in order.
std::vector<Tensor> each_key(const Tensor& keys, Where where = Where::current());

template <std::size_t N>
std::array<Tensor, N> split(const Tensor& key, Where where) {
  static_assert(N > 0, "at least one key");
  const std::vector<Tensor> list = each_key(split(key, Dim(static_cast<std::int64_t>(N)), where), where);
  std::array<Tensor, N> keys;
  for (std::size_t i = 0; i < N; ++i) keys[i] = list[i];
  return keys;
}

}  // namespace random

// Every element is 0 with probability `rate`, and divided by 1 - rate otherwise: 0 <= rate < 1. x is of floats.
Tensor dropout(const Tensor& x, double rate, const Tensor& key, Where where = Where::current());

}  // namespace gcompile
