// Tokens of the IR's texts, with positions, and the one way in which their parsers report errors. Identifiers may hold
// dots; %name, %3, %4#1 and @name are one token each; comments run from // or # to the end of the line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gcompile::ir {

enum class TokenKind {
  kEnd,
  kWord,    // an identifier or keyword, also "$0"
  kNumber,  // digits with an optional fraction and exponent, or 0x...; never signed
  kString,
  kValue,   // %3, %x, %"a b", with an optional #1
  kGlobal,  // @name, @"a b"
  kPunct,   // ( ) [ ] { } , : = + - * ..
  kBad,     // what begins no token
};

struct Position {
  std::uint32_t line = 1, column = 1;  // columns count bytes
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;     // the name, the digits, the contents of a string (escapes resolved), the punctuation
  bool quoted = false;  // kValue, kGlobal: the name was a string
  int result = -1;      // kValue: the number after '#'
  Position at;
};

// What an error message calls a token: "'%3'", "the end of the text", "number 12".
std::string describe(const Token& token);

class Lexer {
 public:
  // The text must outlive the lexer. `file` stands in messages ("<text>" when empty).
  Lexer(std::string_view text, const std::string& file);

  const Token& peek() const { return token_; }
  Token next();

  // The next token is this punctuation or word.
  bool at(std::string_view text) const {
    return (token_.kind == TokenKind::kPunct || token_.kind == TokenKind::kWord) && token_.text == text;
  }
  bool at(TokenKind kind) const { return token_.kind == kind; }
  // Takes it when it is.
  bool accept(std::string_view text);
  // Takes it or fails: "expected '(' after the op, found ...".
  Token expect(std::string_view text, std::string_view context = "");
  Token expect(TokenKind kind, std::string_view what);

  [[noreturn]] void fail(Position where, const std::string& message) const;
  // "expected WHAT, found TOKEN" at the next token.
  [[noreturn]] void fail_expected(std::string_view what) const;

  const std::string& file() const { return file_; }

 private:
  char look(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void advance(std::size_t n);
  void skip_blank();
  void scan();
  void scan_word();
  void scan_number();
  void scan_string();
  void scan_name(TokenKind kind);

  std::string_view text_;
  std::string file_;
  std::size_t at_ = 0;
  Position position_;
  Token token_;
};

}  // namespace gcompile::ir
