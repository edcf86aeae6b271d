// A scan made at once or in chunks; what the option checkpoint_every of the DSL means.
#include "gcompile/ir/build.h"
#include "gcompile/ir/ops/scan.h"

namespace gcompile::ir {
namespace {

std::vector<Value> all_results(Value first) {
  std::vector<Value> values;
  for (int r = 0; r < static_cast<int>(first.node->types.size()); ++r) values.push_back({first.node, r});
  return values;
}

V part(Builder& b, Value v, std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> starts(v.type().dims.size(), 0), steps(v.type().dims.size(), 1);
  std::vector<Dim> stops = v.type().dims;
  starts[0] = begin;
  stops[0] = Dim(end);
  return {&b, b.make("slice", {v}, {{"starts", starts}, {"stops", stops}, {"steps", steps}})};
}

// The steps from `begin` on, in `chunks` of `every`: a step of the outer scan is a scan over one chunk.
std::vector<Value> scan_of_chunks(Builder& b, const ScanOf& scan, std::int64_t begin, std::int64_t chunks,
                                  std::int64_t every) {
  auto chunk = std::make_shared<Graph>("chunk");
  chunk->bounds = b.graph().bounds;
  Builder inner(*chunk);
  inner.where = b.where;
  ScanOf inside{{}, {}, {}, scan.body, scan.reverse}, outside = scan;
  outside.sequences.clear();
  for (const Value& v : scan.carries) inside.carries.push_back(inner.input("carry", v.type()));
  for (const Value& v : scan.sequences) {
    const Type one = v.type().without_leading().with_leading(every);
    inside.sequences.push_back(inner.input("chunk", one));
    outside.sequences.push_back(reshape(part(b, v, begin, begin + chunks * every), one.with_leading(chunks).dims));
  }
  for (const Value& v : scan.invariants) inside.invariants.push_back(inner.input("c", v.type()));
  for (const Value& v : make_scan(inner, inside, every)) chunk->results.push_back({v, ""});
  outside.body = std::move(chunk);
  std::vector<Value> made = make_scan(b, outside, chunks);
  for (std::size_t i = scan.carries.size(); i < made.size(); ++i) {
    const Type element = made[i].type().without_leading().without_leading();
    made[i] = reshape({&b, made[i]}, element.with_leading(chunks * every).dims);
  }
  return made;
}

}  // namespace

std::vector<Value> make_scan(Builder& b, const ScanOf& scan, const Dim& steps) {
  std::vector<Value> operands = scan.carries;
  operands.insert(operands.end(), scan.sequences.begin(), scan.sequences.end());
  operands.insert(operands.end(), scan.invariants.begin(), scan.invariants.end());
  return all_results(
      make_scan(b, std::move(operands), scan.carries.size(), scan.sequences.size(), steps, scan.reverse, scan.body));
}

std::vector<Value> make_chunked_scan(Builder& b, const ScanOf& scan, std::int64_t steps, std::int64_t every) {
  const std::int64_t chunks = steps / every, left = steps - chunks * every;
  // Chunks come first in the order of the steps: at the end of the sequences when these are gone through backwards.
  std::vector<Value> made;
  if (chunks > 0) made = scan_of_chunks(b, scan, scan.reverse ? left : 0, chunks, every);
  if (left == 0 && chunks > 0) return made;
  ScanOf rest = scan;
  const std::int64_t begin = scan.reverse ? 0 : chunks * every;
  for (Value& v : rest.sequences) v = part(b, v, begin, begin + left).v;
  for (std::size_t i = 0; chunks > 0 && i < rest.carries.size(); ++i) rest.carries[i] = made[i];
  std::vector<Value> last = make_scan(b, rest, left);
  for (std::size_t i = rest.carries.size(); chunks > 0 && i < last.size(); ++i) {
    std::vector<Value> halves{made[i], last[i]};
    if (scan.reverse) std::swap(halves[0], halves[1]);
    last[i] = b.make("concat", std::move(halves), {{"axis", std::int64_t{0}}});
  }
  return last;
}

}  // namespace gcompile::ir
