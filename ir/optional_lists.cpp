#include "gcompile/ir/optional_lists.h"

namespace gcompile::ir {
namespace {

constexpr OptionalList kLists[] = {
    {"dot", "lhs_batch"},    {"dot", "rhs_batch"},       {"dot", "lhs_contract"},   {"dot", "rhs_contract"},
    {"broadcast", "axes"},   {"reduce_sum", "axes"},     {"reduce_max", "axes"},    {"reduce_min", "axes"},
    {"reduce_prod", "axes"}, {"fusion", "anchor"},       {"reshape", "dims", true}, {"broadcast", "dims", true},
    {"iota", "dims", true},  {"rng_bits", "dims", true},
};

}  // namespace

std::span<const OptionalList> optional_lists() { return kLists; }

const OptionalList* find_optional_list(std::string_view op, std::string_view attribute) {
  for (const OptionalList& l : kLists)
    if (l.op == op && l.attribute == attribute) return &l;
  return nullptr;
}

}  // namespace gcompile::ir
