// A main for parse_fuzz.cpp without libFuzzer: runs seeded mutations of the files of a corpus.
//
//   parse-fuzz CORPUS_DIR [--runs N] [--seed S] [--only K] [--keep FILE]
//
// Every run depends on the seed and its number alone: --only repeats one. --keep writes each text to a file before it
// is run, for crashes that leave no message. Exit code 1 when a run throws; the text is then printed.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

struct Options {
  std::string corpus, keep;
  std::uint64_t runs = 10000, seed = 0;
  std::int64_t only = -1;
};

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t n) { return n == 0 ? 0 : random() % n; }

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// The word or the single character at a random place: [begin, end).
std::pair<std::size_t, std::size_t> token(const std::string& text, Random& random) {
  if (text.empty()) return {0, 0};
  std::size_t begin = below(random, text.size()), end = begin + 1;
  if (is_word(text[begin])) {
    while (begin > 0 && is_word(text[begin - 1])) --begin;
    while (end < text.size() && is_word(text[end])) ++end;
  }
  return {begin, end};
}

std::pair<std::size_t, std::size_t> line(const std::string& text, Random& random) {
  const std::size_t at = below(random, text.size());
  const std::size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
  return {begin, std::max(begin, std::min(end, text.size()))};
}

const char* const kWords[] = {"%",
                              "%0",
                              "%1#1",
                              "@",
                              "@w",
                              "0",
                              "1",
                              "-1",
                              "8",
                              "16",
                              "2147483648",
                              "9007199254740992",
                              "9223372036854775807",
                              "1e400",
                              "0x7fc00001",
                              "nan",
                              "inf",
                              "-",
                              "f32",
                              "f64",
                              "i32",
                              "bool",
                              "f32x16",
                              "boolx16",
                              "[]",
                              "()",
                              "{}",
                              "[",
                              "]",
                              "(",
                              ")",
                              "{",
                              "}",
                              ",",
                              ":",
                              "=",
                              "..",
                              "*N",
                              "+ N",
                              "floordiv(N, 2)",
                              "mod(N, 3)",
                              "lane",
                              "$0",
                              "N",
                              "M",
                              "loc(\"a\":1)",
                              "\"",
                              "\\",
                              "#",
                              "//",
                              "\n",
                              "graph @g() {",
                              "fusion",
                              "constant",
                              "splat 0",
                              "state",
                              "frozen",
                              "dim",
                              "return",
                              "update",
                              "for i in 0 .. 2 {",
                              "yield %0",
                              "mask %0",
                              "with (%0)",
                              "unroll",
                              "store",
                              "load",
                              "transpose",
                              "lane_reduce",
                              "axes = [0]",
                              "dims = (N, 2)",
                              "axis = 0",
                              "axis = -1",
                              "starts = [0]",
                              "low = [-9007199254740992]"};

void mutate(std::string& text, const std::vector<std::string>& corpus, Random& random) {
  switch (below(random, 9)) {
    case 0:  // one byte
      if (!text.empty()) text[below(random, text.size())] = static_cast<char>(random());
      break;
    case 1: {  // a token vanishes
      const auto [begin, end] = token(text, random);
      text.erase(begin, end - begin);
      break;
    }
    case 2:
    case 3: {  // a token becomes another
      const auto [begin, end] = token(text, random);
      text.replace(begin, end - begin, kWords[below(random, std::size(kWords))]);
      break;
    }
    case 4: text.insert(below(random, text.size() + 1), kWords[below(random, std::size(kWords))]); break;
    case 5: {  // two tokens of the text: the second in place of the first
      const auto [from, from_end] = token(text, random);
      const std::string word = text.substr(from, from_end - from);
      const auto [begin, end] = token(text, random);
      text.replace(begin, end - begin, word);
      break;
    }
    case 6: {  // a line vanishes or stands twice
      if (text.empty()) break;
      const auto [begin, end] = line(text, random);
      const std::string copy = text.substr(begin, end - begin);
      text.erase(begin, end - begin);
      if (random() % 2) text.insert(begin, copy + copy);
      break;
    }
    case 7: {  // a line of another file
      const std::string& other = corpus[below(random, corpus.size())];
      if (text.empty() || other.empty()) break;
      const auto [begin, end] = line(other, random);
      text.insert(line(text, random).first, other.substr(begin, end - begin));
      break;
    }
    case 8: text.resize(below(random, text.size() + 1)); break;
  }
}

std::string make_text(const std::vector<std::string>& corpus, std::uint64_t seed, std::uint64_t run) {
  Random random(seed * 0x9e3779b97f4a7c15u + run);
  std::string text = corpus[run % corpus.size()];
  if (run < corpus.size()) return text;  // each as it is
  for (std::size_t n = 1 + below(random, 4); n > 0; --n) mutate(text, corpus, random);
  return text;
}

bool parse_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const bool has_value = i + 1 < argc;
    if (arg == "--runs" && has_value)
      options.runs = std::strtoull(argv[++i], nullptr, 10);
    else if (arg == "--seed" && has_value)
      options.seed = std::strtoull(argv[++i], nullptr, 10);
    else if (arg == "--only" && has_value)
      options.only = std::strtoll(argv[++i], nullptr, 10);
    else if (arg == "--keep" && has_value)
      options.keep = argv[++i];
    else if (options.corpus.empty() && arg[0] != '-')
      options.corpus = arg;
    else
      return false;
  }
  return !options.corpus.empty();
}

std::vector<std::string> read_corpus(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> texts;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return texts;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) {
    std::cerr << "usage: parse-fuzz CORPUS_DIR [--runs N] [--seed S] [--only K] [--keep FILE]\n";
    return 2;
  }
  const auto corpus = read_corpus(options.corpus);
  if (corpus.empty()) {
    std::cerr << "parse-fuzz: no file in " << options.corpus << "\n";
    return 2;
  }
  const std::uint64_t first = options.only < 0 ? 0 : static_cast<std::uint64_t>(options.only);
  const std::uint64_t last = options.only < 0 ? options.runs : first + 1;
  for (std::uint64_t run = first; run < last; ++run) {
    const std::string text = make_text(corpus, options.seed, run);
    if (!options.keep.empty()) std::ofstream(options.keep, std::ios::binary) << text;
    try {
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    } catch (const std::exception& e) {
      std::cerr << "parse-fuzz: seed " << options.seed << ", run " << run << ": " << e.what() << "\n--- text\n"
                << text << "\n---\n";
      return 1;
    }
  }
  std::cout << "parse-fuzz: " << last - first << " texts, seed " << options.seed << ": all parsed or refused\n";
  return 0;
}
