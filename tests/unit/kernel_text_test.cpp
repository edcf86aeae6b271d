// Kernels and programs as text: what is printed comes back, and what is wrong is refused with line and column.
#include <gtest/gtest.h>

#include <functional>

#include "gcompile/base/error.h"
#include "gcompile/ir/print.h"
#include "gcompile/ir/program.h"

namespace gcompile::ir {
namespace {

// Every instruction, in the printer's own words.
const char* const kAll = R"(kernels @main {
  dim N in 1 .. 1048576
  input x: f32[N,8]
  input "odd name": i32[N]
  state linear1.weight: f32[6,8]
  state fixed: f32[8] frozen
  result loss: f32[]
  temp t0: f32[6,8] alias linear1.weight
  temp t1: f32[N,6]
  constant c0: f32[3] [1, 2.5, -inf]
  kernel @k0 loc("model.cpp":14, "train.cpp":5) {
    reason "anchored nest over N"
    scratch xt: f32[8,16] register
    scratch acc: f32[48,16] stack
    scratch red: f32[48] stack
    %0 = literal 0.1 : f32
    %1 = literal -7 : i32
    %2 = literal true : bool
    for i in 0 .. 48 {
      store acc[i, lane] = %0 loc("model.cpp":14)
    }
    for t in 0 .. floordiv(N + 15, 16) parallel loc("train.cpp":5) {
      %3 = index lane : i32x16
      %4 = index N - 16*t : i32
      %5 = lt(%3, %4) : boolx16
      transpose xt = x[lane + 16*t, 0] columns 8 mask %5 loc("model.cpp":14)
      %6 = load "odd name"[lane + 16*t] mask %5 : i32x16
      %7 = load c0[$0 + 1] with (%6) : f32x16
      %13, %14 = for k in 0 .. 8 unroll (%8 = %0, %9 = %7) : (f32x16, f32x16) {
        %10 = load xt[k, lane] : f32x16
        %11 = load linear1.weight[0, k] : f32
        %12 = fma(%10, %11, %8) : f32x16 loc("model.cpp":14)
        yield %12, %9
      }
      %15 = cast(%13) : i32x16
      %16 = cast(%15) : f32x16
      store acc[0, lane] = %16
      store acc[$0, lane] = %16 with (%1) mask %5
      store t1[lane + 16*t, 0] = %14 mask %5
      transpose t1[lane + 16*t, 0] = xt columns 6 mask %5 loc("model.cpp":14)
      prefetch t1[16*t, 0]
    }
    lane_reduce add red = acc extent 48
    %17 = load red[0] : f32
    store loss[] = %17
  }
  kernel @k1 {
  }
  update linear1.weight = t0
}
)";

TEST(KernelText, IsPrintedAsItIsRead) {
  const KernelModule m = parse_kernel_module(kAll);
  EXPECT_EQ(m.kernels[0].reasons, std::vector<std::string>{"anchored nest over N"});
  EXPECT_EQ(print(m), kAll);
  EXPECT_EQ(print(parse_kernel_module(print(m))), print(m));
  EXPECT_NO_THROW(verify(m));
}

TEST(KernelText, HoldsAllThatIsWritten) {
  const KernelModule m = parse_kernel_module(kAll);
  ASSERT_EQ(m.buffers.size(), 8u);
  ASSERT_EQ(m.kernels.size(), 2u);
  EXPECT_EQ(m.bounds.at("N").max, 1048576);
  EXPECT_FALSE(m.buffers[3].trainable);
  EXPECT_EQ(m.buffers[5].alias, 2);
  EXPECT_EQ(m.buffer("c0").data.at(1), 2.5);
  EXPECT_EQ(m.find_buffer("nothing"), -1);
  EXPECT_THROW(m.buffer("nothing"), InternalError);
  const Kernel& k = m.kernels[0];
  EXPECT_EQ(k.values, 18);
  EXPECT_EQ(k.find_scratch("xt")->kind, Scratch::Kind::kRegister);
  EXPECT_EQ(k.find_scratch("x"), nullptr);
  ASSERT_EQ(k.body.size(), 8u);
  EXPECT_EQ(k.body[0].literal, static_cast<double>(0.1f));
  EXPECT_EQ(k.body[3].body[0].type, (VType{DType::kF32, false}));
  EXPECT_EQ(k.locations[static_cast<std::size_t>(k.body[3].body[0].where)], (Location{"model.cpp", 14}));
  EXPECT_EQ(k.body[4].loop, LoopKind::kParallel);
  EXPECT_EQ(k.body[4].where, 1);
  const Instr& inner = k.body[4].body[6];
  EXPECT_EQ(inner.loop, LoopKind::kUnroll);
  EXPECT_EQ(inner.arguments.size(), 2u);
  EXPECT_EQ(inner.yields[1], inner.arguments[1]);
  EXPECT_EQ(k.body[5].op->name, "add");
}

TEST(KernelText, ValuesAreNumberedInOrder) {
  const auto with_names = [](const std::string& a, const std::string& b) {
    return "kernels @m {\n  result y: f32[]\n  kernel @k {\n    " + a + " = literal 1 : f32\n    " + b + " = neg(" + a +
           ") : f32\n    store y[] = " + b + "\n  }\n}\n";
  };
  EXPECT_EQ(print(parse_kernel_module(with_names("%first", "%7"))), with_names("%0", "%1"));
}

TEST(KernelText, LiteralsAreExact) {
  for (const char* literal :
       {"0.1 : f32", "-0 : f32", "1e-45 : f32", "3.4028235e+38 : f32", "nan : f32", "-inf : f64", "0.1 : f64",
        "5e-324 : f64", "1.7976931348623157e+308 : f64", "-2147483648 : i32", "false : bool"}) {
    const std::string text = "kernels @m {\n  kernel @k {\n    %0 = literal " + std::string(literal) + "\n  }\n}\n";
    EXPECT_EQ(print(parse_kernel_module(text)), text);
  }
}

struct Wrong {
  const char* name;
  std::string text, message;
};
void PrintTo(const Wrong& w, std::ostream* out) { *out << w.name; }

// Lines of a kernel, from line 8 on.
std::string in_kernel(const std::string& lines) {
  return "kernels @m {\n  input x: f32[N,8]\n  state w: f32[8]\n  result y: f32[]\n  temp t: f32[N,8]\n"
         "  kernel @k {\n    scratch s: f32[8,16] stack\n" +
         lines + "\n  }\n}\n";
}

// A loop with a kernel that stores to `memory`, on line 11.
std::string in_region(const std::string& parts, const std::string& memory) {
  return "kernels @m {\n  input x: f32[4,2]\n  input h: f32[2]\n  result y: f32[2]\n  temp c: f32[2]\n"
         "  temp n: f32[2]\n  temp e: f32[2]\n  region r: loop 4 { " +
         parts + " }\n  kernel @k in r {\n    %0 = literal 1 : f32\n    store " + memory + "[0] = %0\n  }\n}\n";
}

const Wrong kWrong[] = {
    {"empty", "", "t.kir:1:1: expected 'kernels' at the start, found the end of the text"},
    {"role", "kernels @m {\n  inout x: f32[]\n}",
     "t.kir:2:3: expected 'input', 'state', 'result', 'temp', 'constant', 'region', 'kernel', 'update' or '}', found "
     "'inout'"},
    {"buffer_twice", "kernels @m {\n  input x: f32[]\n  temp x: f32[]\n}",
     "t.kir:3:8: expected a new name, found 'x' again"},
    {"alias", "kernels @m {\n  temp x: f32[] alias w\n}", "t.kir:2:23: expected a state, found 'w'"},
    {"after_the_end", "kernels @m {\n} {", "t.kir:2:3: expected the end of the text, found '{'"},
    {"scratch_kind", in_kernel("    scratch z: f32[2] heap"),
     "t.kir:8:23: expected 'stack' or 'register', found 'heap'"},
    {"unknown", in_kernel("    %0 = launch(3) : f32"), "t.kir:8:10: expected an instruction or an op, found 'launch'"},
    {"no_result", in_kernel("    neg(%0) : f32"),
     "t.kir:8:5: expected 'for', 'contract', 'store', 'lane_reduce', 'transpose' or '}', found 'neg'"},
    {"result_of_store", in_kernel("    %0 = store y[] = %0"),
     "t.kir:8:10: expected an instruction with a result, found 'store'"},
    {"two_results", in_kernel("    %0, %1 = literal 1 : f32"), "t.kir:8:9: expected one result, found '%1'"},
    {"undefined", in_kernel("    %0 = neg(%1) : f32"),
     "t.kir:8:14: expected a value defined above in this block or around it, found '%1'"},
    {"outside_its_block", in_kernel("    for i in 0 .. 2 {\n      %0 = literal 1 : f32\n    }\n    store y[] = %0"),
     "t.kir:11:17: expected a value defined above in this block or around it, found '%0'"},
    {"twice", in_kernel("    %0 = literal 1 : f32\n    %0 = literal 1 : f32"),
     "t.kir:9:5: expected a new name, found '%0'"},
    {"vtype", in_kernel("    %0 = literal 1 : f32x8"),
     "t.kir:8:22: expected a type such as f32 or f32x16, found 'f32x8'"},
    {"literal", in_kernel("    %0 = literal 1.5 : i32"), "t.kir:8:18: expected a literal of i32, found 1.5"},
    {"literal_word", in_kernel("    %0 = literal one : f32"), "t.kir:8:18: expected a literal of f32, found one"},
    {"for_from_one", in_kernel("    for i in 1 .. 2 {\n    }"),
     "t.kir:8:14: expected the first value of the loop variable in 0 .. 0, found 1"},
    {"for_types", in_kernel("    %0 = literal 1 : f32\n    %1 = for i in 0 .. 2 (%2 = %0) : (f32, f32) {\n    }"),
     "t.kir:9:26: expected as many results and types as carried values, found 1 results, 2 types and 1 carried values"},
    {"for_yields", in_kernel("    %0 = literal 1 : f32\n    %1 = for i in 0 .. 2 (%2 = %0) : (f32) {\n    }"),
     "t.kir:9:44: expected a body that yields 1 values, found 0"},
    {"not_closed", in_kernel("    for i in 0 .. 2 {"),
     "t.kir:11:1: expected 'kernel', 'update' or '}', found the end of "
     "the text"},
    {"op_type", in_kernel("    %0 = literal 1 : f32\n    %1 = neg(%0) : f32x16"),
     "t.kir:9:5: kernel @k: the type of neg is f32x16, it must be f32"},
    {"op_arity", in_kernel("    %0 = literal 1 : f32\n    %1 = add(%0) : f32"),
     "t.kir:9:5: kernel @k: add takes 2 operands, got 1"},
    {"no_elementwise_op", in_kernel("    %0 = literal 1 : f32\n    %1 = dot(%0, %0) : f32"),
     "t.kir:9:5: kernel @k: an instruction is no elementwise op"},
    {"no_memory", in_kernel("    %0 = load z[0] : f32"), "t.kir:8:5: kernel @k: no memory is named 'z'"},
    {"rank", in_kernel("    for i in 0 .. 8 {\n      %0 = load x[0, i, 0] : f32\n    }"),
     "t.kir:9:7: kernel @k: 'x' of rank 2 is accessed with 3 indices"},
    {"symbol", in_kernel("    %0 = load x[i, 0] : f32"),
     "t.kir:8:5: kernel @k: the symbol i in i is no symbol of the module and no loop variable"},
    {"lane_in_extent", in_kernel("    for i in 0 .. lane {\n    }"),
     "t.kir:8:5: kernel @k: lane cannot be used in lane"},
    {"no_such_operand", in_kernel("    %0 = literal 1 : i32\n    %1 = load x[$1, 0] with (%0) : f32"),
     "t.kir:9:5: kernel @k: $1 in $1 stands for no operand"},
    {"no_such_operand_of_store",
     in_kernel("    %0 = literal 1 : f32\n    %1 = literal 0 : i32\n"
               "    store y[$1] = %0 with (%1)"),
     "t.kir:10:5: kernel @k: $1 in $1 stands for no operand"},
    {"operand_of_store", in_kernel("    %0 = literal 1 : f32\n    store y[$0] = %0 with (%0)"),
     "t.kir:9:5: kernel @k: an operand of store is f32, not i32"},
    {"load_type", in_kernel("    %0 = load x[lane, 0] : f32"),
     "t.kir:8:5: kernel @k: the type of load is f32, it must be f32x16"},
    {"store_to_input", in_kernel("    %0 = literal 1 : f32\n    store x[0, 0] = %0"),
     "t.kir:9:5: kernel @k: 'x' is written, but is no result, temp or scratch"},
    {"store_to_state", in_kernel("    %0 = literal 1 : f32\n    store w[0] = %0"),
     "t.kir:9:5: kernel @k: 'w' is written, but is no result, temp or scratch"},
    {"store_of_lanes", in_kernel("    %0 = load x[lane, 0] : f32x16\n    store y[] = %0"),
     "t.kir:9:5: kernel @k: the type of the value stored to 'y' is f32x16, it must be f32"},
    {"mask_dtype", in_kernel("    %0 = literal 1 : f32\n    store y[] = %0 mask %0"),
     "t.kir:9:5: kernel @k: the mask is f32, not bool"},
    {"mask_lanes",
     in_kernel("    %0 = index lane : i32x16\n    %1 = lt(%0, %0) : boolx16\n    %2 = literal 1 : f32\n"
               "    store y[] = %2 mask %1"),
     "t.kir:11:5: kernel @k: a scalar access has a mask of lanes"},
    {"loop_variable", in_kernel("    for N in 0 .. 8 {\n    }"),
     "t.kir:8:5: kernel @k: loop variable N has the name of a symbol or of a loop around it"},
    {"yield_type",
     in_kernel("    %0 = literal 1 : f32\n    %1 = for i in 0 .. 2 (%2 = %0) : (f32) {\n      %3 = literal 1 : i32\n"
               "      yield %3\n    }"),
     "t.kir:9:5: kernel @k: the type of a value yielded by loop i is i32, it must be f32"},
    {"lane_reduce_rows", in_kernel("    lane_reduce add y = s extent 9"),
     "t.kir:8:5: kernel @k: 's' is f32[8,16], it must hold f32[9,16]"},
    {"transpose_rank", in_kernel("    transpose s = w[0] columns 8"),
     "t.kir:8:5: kernel @k: transpose takes rows of 'w' of rank 1 with 1 indices; both must be the same, at least 2"},
    {"transpose_without_lane", in_kernel("    transpose s = x[0, 1] columns 8"),
     "t.kir:8:5: kernel @k: transpose takes the row from `lane` in one index that is not the last"},
    {"prefetch_lanes", in_kernel("    prefetch x[lane, 0]"), "t.kir:8:5: kernel @k: prefetch takes no lanes"},
    {"transpose_last", in_kernel("    transpose s = x[0, lane] columns 8"),
     "t.kir:8:5: kernel @k: transpose takes the row from `lane` in one index that is not the last"},
    {"transpose_rows", in_kernel("    transpose s = x[lane, 0] columns 9"),
     "t.kir:8:5: kernel @k: 's' is f32[8,16], it must hold f32[9,16]"},
    {"update", "kernels @m {\n  state w: f32[2]\n  temp t: f32[3]\n  update w = t\n}",
     "t.kir:1:1: update of 'w': it is f32[2], 't' is f32[3]"},
    {"carry_result_in_an_input", in_region("carry c = h then n result h", "n"),
     "t.kir:1:1: region 'r': the carry 'c' is written to 'h', which is only read"},
    {"carry_next_in_an_input", in_region("carry c = h then e result y slice e of x", "n"),
     "t.kir:1:1: region 'r': the carry 'c' is written to 'e', which is only read"},
    {"store_to_slice_of_input", in_region("carry c = h then n result y slice e of x", "e"),
     "t.kir:11:5: kernel @k: 'e' is written, but is what a step is given"},
    {"store_to_carry", in_region("carry c = h then n result y", "c"),
     "t.kir:11:5: kernel @k: 'c' is written, but is what a step is given"},
};

class KernelParseError : public testing::TestWithParam<Wrong> {};

TEST_P(KernelParseError, SaysWhereAndWhat) {
  try {
    parse_kernel_module(GetParam().text, "t.kir");
    FAIL() << "it was accepted";
  } catch (const ParseError& e) {
    EXPECT_EQ(std::string(e.what()), GetParam().message);
  }
}
INSTANTIATE_TEST_SUITE_P(All, KernelParseError, testing::ValuesIn(kWrong),
                         [](const auto& wrong) { return std::string(wrong.param.name); });

TEST(KernelParse, RegionsMayWriteWhatIsTheirs) {
  const std::string text = in_region("carry c = h then n result y slice e of x", "n");
  EXPECT_EQ(print(parse_kernel_module(text)), text);
}

TEST(KernelParse, DeepLoopsAreRefused) {
  std::string text = "kernels @m {\n  kernel @k {\n";
  for (int i = 0; i < 100000; ++i) text += "for i" + std::to_string(i) + " in 0 .. 2 {\n";
  EXPECT_THROW(parse_kernel_module(text), ParseError);
}

TEST(KernelVerify, RefusesAndPrintsTheModule) {
  const auto message = [](const std::function<void(KernelModule&)>& spoil) {
    KernelModule m = parse_kernel_module(kAll);
    spoil(m);
    try {
      verify(m);
    } catch (const InternalError& e) {
      const std::string all = e.what(), head = "the kernels do not verify: ";
      EXPECT_EQ(all.substr(0, head.size()), head);
      EXPECT_NE(all.find("\nkernels @main {\n"), std::string::npos);
      return all.substr(head.size(), all.find('\n') - head.size());
    }
    return std::string();
  };
  EXPECT_EQ(message([](KernelModule&) {}), "");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].body[4].body[2].operands[0] = 99; }),
            "kernel @k0: value 99 is out of range");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].body[4].body[2].operands[0] = 17; }),
            "kernel @k0: value 17 is used before it is defined");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].body[7].operands[0] = 3; }),
            "kernel @k0: value 3 is used outside its block");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].body[1].results[0] = 0; }),
            "kernel @k0: value 0 is defined twice");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].body[1].results.clear(); }),
            "kernel @k0: an instruction has 0 results");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].body[1].literal = 0.5; }),
            "kernel @k0: literal 0.500000 is no i32");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].body[0].where = 2; }), "kernel @k0: a location is out of range");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].scratch[0].name = "x"; }),
            "kernel @k0: scratch 'x' has the name of another memory");
  EXPECT_EQ(message([](KernelModule& m) { m.buffers[1].name = "x"; }), "two buffers are named 'x'");
  EXPECT_EQ(message([](KernelModule& m) { m.buffers[5].alias = 0; }),
            "'t0' is an alias of 'x', which is no state of its type");
  EXPECT_EQ(message([](KernelModule& m) { m.buffers[7].type.dims = {4}; }), "constant 'c0' is f32[4], its data f32[3]");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[1].name = "k0"; }), "two kernels are named @k0");
  EXPECT_EQ(message([](KernelModule& m) { m.updates.push_back(m.updates[0]); }),
            "state 'linear1.weight' is updated twice");
  EXPECT_EQ(message([](KernelModule& m) { m.kernels[0].body[4].extent = Dim("M"); }),
            "kernel @k0: the symbol M in M is no symbol of the module and no loop variable");
}

TEST(ProgramText, LaunchesBeginTheirLines) {
  Program p;
  p.module = parse_kernel_module(kAll);
  p.symbols = {"N"};
  p.launches = {{0}, {1}};
  p.placements.resize(p.module.buffers.size());
  p.placements[6].slot = 0;
  p.slots = {{{Dim("N") * Dim(24), Dim(100)}}, {{Dim(4)}}};
  p.copies = {{2, 5}};
  EXPECT_EQ(print(p), R"(program @main(N)
  dim N in 1 .. 1048576
launch @k0 loc("model.cpp":14, "train.cpp":5)
launch @k1
buffer x: f32[N,8] input
buffer "odd name": i32[N] input
buffer linear1.weight: f32[6,8] state
buffer fixed: f32[8] state
buffer loss: f32[] result
buffer t0: f32[6,8] temp in place of linear1.weight
buffer t1: f32[N,6] temp in slot 0
buffer c0: f32[3] constant
slot 0: max(24*N, 100) bytes
slot 1: max(4) bytes
copy linear1.weight = t0
)");
}

TEST(Program, SlotsLieOneAfterTheOther) {
  Program p;
  p.slots = {{{Dim("N") * Dim(24), Dim(100)}}, {{Dim(64)}}, {{Dim("N")}}};
  std::int64_t total = -1;
  EXPECT_EQ(p.slot_offsets({{"N", 1}}, &total), (std::vector<std::int64_t>{0, 128, 192}));
  EXPECT_EQ(total, 193);
  EXPECT_EQ(p.slot_offsets({{"N", 10}}, nullptr), (std::vector<std::int64_t>{0, 256, 320}));
  EXPECT_EQ(p.peak_bytes({{"N", 10}}), 330);
  EXPECT_EQ(Program{}.peak_bytes({}), 0);
}

}  // namespace
}  // namespace gcompile::ir
