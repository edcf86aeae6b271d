// Target: the machine that code is made for, as data. Passes and schedules read it; no pass contains a literal of a
// machine. codegen/target.cpp fills it from the host or from a name.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace gcompile {

// How long things take, for estimates alone: no bit of a result depends on it. A cycle is one of a core; an operation
// is on one register of Target::vector_bytes.
struct Rates {
  double ghz = 3;                            // cycles a nanosecond
  double issue = 6;                          // instructions that start in a cycle
  double operations = 2;                     // of them on vectors
  double products = 2;                       // of these mul and fma, and as many add and sub
  double latency = 4;                        // cycles after which an fma's dependent starts
  double division = 8, root = 12;            // cycles between two divisions or square roots of f32
  double loads = 2, stores = 1;              // a cycle, and bytes of the L1 cache:
  double load_bytes = 64, store_bytes = 32;  // a cycle
  double l2 = 24, l3 = 12, dram = 6;         // bytes a cycle that stream from there, or to there
  std::int64_t l3_bytes = 16 * 1024 * 1024;  // of a core, or shared with few others
  double gather = 1.5;                       // cycles for a lane that is loaded or stored on its own
  double forwarding = 6;                     // cycles from a store to a load of the same element
  double loop = 8;                           // cycles to begin and end a loop that fills the window
  double launch = 10, call = 90;             // cycles of a kernel, and of a call from the user's code
  double wake = 4000;                        // cycles to hand a loop to other threads and await them
};

struct Target {
  std::string name = "x86-64";  // what --target names: "x86-64-v4", "x86-64-v3", "x86-64" or "host"
  std::string cpu = "x86-64";   // LLVM's name of the processor
  std::string features;         // LLVM's feature string, may be empty
  std::string triple = "x86_64-unknown-linux-gnu";
  int vector_bytes = 16;  // width of one register
  int vector_registers = 16;
  bool has_fma = false;
  bool has_f16c = false;                   // conversions between f32 and f16
  int reorder_window = 256;                // instructions that a core has in flight: what it overlaps by itself
  std::int64_t serial_cutoff = 16 * 1024;  // instructions below which waking another thread costs more than it gains
  int chains = 8;  // dependent fma or add chains that keep the units busy: latency times operations a cycle
  std::int64_t l1_bytes = 32 * 1024;  // data cache of a core
  std::int64_t l2_bytes = 1024 * 1024;
  int unroll_limit = 2400;                // instructions of an unrolled body worth their compile time
  std::int64_t tile_elements = 256;       // of a dot's matrix from which on tiles are faster than a nest
  std::int64_t stack_limit = 256 * 1024;  // bytes of scratch a kernel may take from the stack

  Rates rates = {};

  // Registers that a value of 16 lanes of 4 bytes takes, and how many such values may be kept as accumulators of a
  // loop: a quarter of the registers is left to what is added up.
  int registers_per_value() const { return 64 / vector_bytes; }
  int accumulators() const { return std::max(vector_registers * 3 / 4 / registers_per_value(), 1); }
};

}  // namespace gcompile
