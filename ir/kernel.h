// Kernel IR: loop nests over scalar and lane-typed values, one kernel per fusion of the graph.
//
// Semantics. A module declares buffers; a kernel's body is a list of instructions in SSA form, `for` being one of them.
// A value is a scalar or a vector of kLanes lanes (16 logical lanes on every target, so that the bits do not depend on
// the machine). Index expressions are Dims over the module's symbols, the loop variables in scope and the reserved
// symbol `lane`: an access whose index uses `lane` is a lane access (contiguous, strided or scattered, as its linear
// offset says), otherwise a scalar one. "$0", "$1", ... in the index of a load or a store stand for its extra i32
// operands. A scalar where lanes are wanted (beside lane operands, stored at a lane index, initial or next value of a
// lane-typed carried value) is splat. A masked-out lane of a load reads nothing and is 0; of a store writes nothing.
// All buffers are row-major and contiguous; an index with one entry into a buffer of another rank is a linear offset.
//
// A transposed load or store moves the columns of up to 16 rows: its index uses `lane` in one entry, which is not the
// last, with a fixed step; row `lane` is `extent` elements along the last axis. Its other side is [c, lane].
//
// `contract` is the one structured statement: a sum of products that nothing has scheduled yet. For every index of the
// box of its parallel axes it binds to its argument the sum, over the box of its reduction axes in row-major order, of
// left[index] * right[index]: one sequential chain that starts at 0, of fma where the target has it and the dtype is a
// float, of mul and add otherwise (integers wrap). With `partials` P > 1, over one axis of a constant extent, there are
// P such chains, product k being part of number k mod P; they are added pairwise. Its body, the epilogue, is then run
// for this one element: scalar ops, index values, loads, and stores. The epilogues run in any order, and so does the
// work of different elements: no element of memory may be stored by two of them, none may load what another one stores,
// and the operands are not stored to. The pass `tile` makes loops, lanes and masks of it; a kernel is scheduled and
// compiled after that.
//
// A module stores an element of a buffer once (but scratch, panels that are filled before they are read, and elements
// that a scatter_add adds to: filled by one statement, and loaded and stored by the next one alone).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gcompile/base/array.h"
#include "gcompile/base/axis_order.h"
#include "gcompile/base/location.h"
#include "gcompile/ir/lowering.h"
#include "gcompile/ir/op.h"

namespace gcompile::ir {

inline constexpr int kLanes = 16;
inline const std::string kLaneSymbol = "lane";

enum class BufferRole {
  kInput,     // bound by the caller, read-only
  kState,     // storage of a state
  kResult,    // bound by the caller, written
  kTemp,      // in the arena, lives across kernels
  kConstant,  // data in the module
};

struct Buffer {
  std::string name;  // unique in the module, an identifier with dots
  Type type;
  BufferRole role;
  Array data = {};                                  // kConstant
  std::shared_ptr<StateStorage> storage = nullptr;  // kState; null in parsed text
  bool trainable = true;                            // kState
  AxisOrder order = {};                             // kState: in which the storage's axes are this buffer's (layout)
  bool per_worker = false;  // kTemp that each thread of a parallel kernel has one of (parallelize)
  int alias = -1;           // kTemp that may be the storage of this state buffer: an update made in place (plan-memory)

  // Of a state's storage; the buffer's axes are in the order.
  Type logical_type() const { return {type.dtype, in_order(type.dims, inverse(order))}; }
};

// Local memory of a kernel, with static extents. kRegister: every index is constant once `unroll` loops are unrolled,
// so elements are SSA values. kStack: memory in the frame (never promoted to registers: accumulators want that).
struct Scratch {
  enum class Kind { kRegister, kStack };
  std::string name;  // unique in the kernel, different from all buffers
  DType dtype;
  std::vector<std::int64_t> extents;
  Kind kind = Kind::kStack;
};

struct VType {
  DType dtype = DType::kF32;
  bool lanes = false;
  std::string str() const { return std::string(name(dtype)) + (lanes ? "x" + std::to_string(kLanes) : ""); }
  friend bool operator==(const VType&, const VType&) = default;
};

enum class Opcode {
  kOp,               // result = op(operands): an elementwise op of the table
  kLiteral,          // result = literal
  kIndex,            // result = i32 or i64 value of index[0] (a lane vector when it uses `lane`)
  kLoad,             // result = memory[index]; operands: values for $0.. ; mask optional
  kStore,            // memory[index] = operands[0]; more operands: values for $0..; mask optional
  kFor,              // for var in 0 .. extent: body; carried values: operands -> body arguments -> yields -> results
  kLaneReduce,       // memory[k] = tree over lanes of source[k, lane] by op `combine`, k in 0 .. extent
  kLoadTransposed,   // memory[c, lane] = source[index, the last entry + c], c in 0 .. extent; mask: of the lanes
  kStoreTransposed,  // memory[index, the last entry + c] = source[c, lane], c in 0 .. extent; mask: of the lanes
  kPrefetch,         // a hint that memory[index] is read soon; the index may lie outside, and has no lanes
  kContract,         // for axes: argument = sum over `sums` of left * right; body (see above)
};

inline bool is_transposed(Opcode o) { return o == Opcode::kLoadTransposed || o == Opcode::kStoreTransposed; }

// kInterleave: unrolled, and no iteration reads what another one writes: code generation may mix their instructions, so
// that chains of dependent ones run side by side. Such a loop carries no values.
enum class LoopKind { kSerial, kUnroll, kInterleave, kParallel };
inline bool is_unrolled(LoopKind kind) { return kind == LoopKind::kUnroll || kind == LoopKind::kInterleave; }

// A variable that runs over 0 .. extent.
struct Axis {
  std::string var;
  Dim extent;
};
// An element of memory.
struct Access {
  std::string memory;
  Index index;
};

struct Instr;
using Block = std::vector<Instr>;

struct Instr {
  Opcode opcode;
  const OpDef* op = nullptr;       // kOp; kLaneReduce: the combining op
  std::vector<int> operands = {};  // value ids; kFor: initial values of the carried
  std::vector<int> results = {};   // value ids; kFor: the carried values after the loop
  VType type = {};                 // of the result(s[0]); kFor has `types`
  double literal = 0;              // kLiteral (an integer or bool as its value; 2^63 is the greatest i64)
  std::string memory = {};         // buffer or scratch accessed (the one written, where two are)
  std::string source = {};         // kLaneReduce, transposed: what is read
  Index index = {};                // kLoad, kStore, kIndex; transposed: into the side that is no [c, lane]
  int mask = -1;                   // value id, bool (lanes or scalar); -1: none
  // kFor
  std::string var = {};
  Dim extent = 0;  // also kLaneReduce, transposed (static)
  LoopKind loop = LoopKind::kSerial;
  std::vector<int> arguments = {};  // value ids inside the body, one per carried value; kContract: the sum
  std::vector<int> yields = {};     // value ids of the body
  std::vector<VType> types = {};    // of the arguments
  Block body = {};
  // kContract
  std::vector<Axis> axes = {}, sums = {};
  int partials = 1;
  Access left = {}, right = {};

  int where = -1;  // index into Kernel::locations
};

struct Kernel {
  std::string name;
  int region = -1;  // the innermost region of the module that it belongs to
  std::vector<Scratch> scratch;
  Block body;
  int values = 0;                    // ids are in 0 .. values-1
  std::vector<Location> locations;   // of the user's program
  std::vector<std::string> reasons;  // what was decided in making it, for --explain

  const Scratch* find_scratch(const std::string& name) const;
  // The parallel loop, when threads may share its iterations: the last statement of the body, after nothing but
  // scalars. Any other loop that is called parallel runs as a serial one.
  const Instr* parallel_loop() const;
  bool is_parallel() const { return parallel_loop() != nullptr; }
};

// Kernels that are launched again and again, or only on a condition. Regions nest; the kernels of one (and of those
// inside) follow each other in the module.
struct Region {
  enum class Kind {
    kLoop,   // once for each step in 0 .. extent
    kWhile,  // as long as its kTest, whose kernels come first, makes the predicate true
    kTest,   // the condition of the kWhile around it
    kThen,   // if the predicate is true
    kElse,   // if it is false
  };
  // A value that goes from step to step: in a step `in` holds what `out` held at the end of the one before, in the
  // first what `initial` holds. `result` gets what the last step left, or the initial value.
  struct Carry {
    std::string in, out, initial, result;
  };
  // `element` is the part of `whole` at the step: element t begins t times its size after `offset` elements of the
  // whole. It may be read or written.
  struct Slice {
    std::string element, whole;
    Dim offset = 0;
  };

  std::string name;  // unique in the module
  Kind kind = Kind::kLoop;
  int parent = -1;
  Dim extent = 0;                   // kLoop
  bool reverse = false;             // kLoop: the last step first
  std::string predicate = {};       // a bool[] buffer: kTest makes it; kThen and kElse read it
  std::vector<Carry> carries = {};  // kLoop, kWhile: temporaries in and out
  std::vector<Slice> slices = {};   // kLoop: temporaries whose memory is the whole's
};

// All kernels of one program in launch order: reads of a state in any kernel see the old value until plan-memory
// decides otherwise. An update is a kTemp or other buffer whose final content becomes the state's.
struct KernelModule {
  struct Update {
    std::string state;  // a kState buffer
    std::string value;  // the buffer with the new content
  };
  std::string name = "main";
  std::map<std::string, DimBounds> bounds;  // symbols
  std::vector<Requirement> requirements;    // the graph's, and those of the nodes that the kernels are made of
  std::vector<Buffer> buffers;              // inputs, states, results in the graph's order, then temps and constants
  std::vector<Region> regions = {};         // a parent before what is inside
  std::vector<Kernel> kernels;
  std::vector<Update> updates;
  std::vector<std::string> reasons;  // the graph's, for --explain

  int find_buffer(const std::string& name) const;  // -1 when there is none
  const Buffer& buffer(const std::string& name) const;
  // Whether a region is another one or lies inside it; everything lies in -1.
  bool lies_in(int region, int around) const {
    while (region >= 0 && region != around) region = regions[static_cast<std::size_t>(region)].parent;
    return region == around;
  }
};

// Text of a module; parse(print(m)) prints the same. Parsed modules have null storages.
std::string print(const KernelModule& module);
KernelModule parse_kernel_module(std::string_view text, const std::string& file = "<text>");
// Checks SSA scoping, types of operands, known names, ranks of indices, extents of scratch, `lane` where allowed,
// masks. Throws InternalError that prints the module (ParseError is the parser's).
void verify(const KernelModule& module);

}  // namespace gcompile::ir
