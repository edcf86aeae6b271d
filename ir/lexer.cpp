#include "gcompile/ir/lexer.h"

#include <charconv>

#include "gcompile/base/error.h"

namespace gcompile::ir {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return is_letter(c) || is_digit(c); }
int hex_value(char c) { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }

// What is shown of a token that may be long or hold odd bytes.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::string out;
  for (const char c : text.substr(0, kMost)) {
    const auto u = static_cast<unsigned char>(c);
    out += u < 0x20 || u >= 0x7f ? '?' : c;
  }
  return text.size() > kMost ? out + "..." : out;
}

}  // namespace

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd: return "the end of the text";
    case TokenKind::kNumber: return "number " + shown(token.text);
    case TokenKind::kString: return "string \"" + shown(token.text) + "\"";
    case TokenKind::kValue:
      return "'%" + shown(token.text) + (token.result >= 0 ? "#" + std::to_string(token.result) : "") + "'";
    case TokenKind::kGlobal: return "'@" + shown(token.text) + "'";
    default: return "'" + shown(token.text) + "'";
  }
}

Lexer::Lexer(std::string_view text, const std::string& file) : text_(text), file_(file.empty() ? "<text>" : file) {
  scan();
}

void Lexer::fail(Position where, const std::string& message) const {
  throw ParseError({file_, where.line}, where.column, message);
}

void Lexer::fail_expected(std::string_view what) const {
  fail(token_.at, "expected " + std::string(what) + ", found " + describe(token_));
}

Token Lexer::next() {
  Token t = std::move(token_);
  scan();
  return t;
}

bool Lexer::accept(std::string_view text) {
  if (!at(text)) return false;
  scan();
  return true;
}

Token Lexer::expect(std::string_view text, std::string_view context) {
  if (!at(text)) fail_expected("'" + std::string(text) + "'" + (context.empty() ? "" : " " + std::string(context)));
  return next();
}

Token Lexer::expect(TokenKind kind, std::string_view what) {
  if (!at(kind)) fail_expected(what);
  return next();
}

void Lexer::advance(std::size_t n) {
  for (; n > 0 && at_ < text_.size(); --n, ++at_) {
    if (text_[at_] == '\n') {
      ++position_.line;
      position_.column = 1;
    } else {
      ++position_.column;
    }
  }
}

void Lexer::skip_blank() {
  while (at_ < text_.size()) {
    const char c = look();
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      advance(1);
    } else if (c == '#' || (c == '/' && look(1) == '/')) {
      while (at_ < text_.size() && look() != '\n') advance(1);
    } else {
      return;
    }
  }
}

void Lexer::scan() {
  skip_blank();
  token_ = Token{};
  token_.at = position_;
  if (at_ == text_.size()) return;
  const char c = look();
  if (is_letter(c) || (c == '$' && is_digit(look(1)))) return scan_word();
  if (is_digit(c)) return scan_number();
  if (c == '"') return scan_string();
  if (c == '%') return scan_name(TokenKind::kValue);
  if (c == '@') return scan_name(TokenKind::kGlobal);
  const bool range = c == '.' && look(1) == '.';
  token_.kind =
      range || std::string_view("()[]{},:=+-*").find(c) != std::string_view::npos ? TokenKind::kPunct : TokenKind::kBad;
  token_.text = text_.substr(at_, range ? 2 : 1);
  advance(token_.text.size());
}

void Lexer::scan_word() {
  token_.kind = TokenKind::kWord;
  const std::size_t begin = at_;
  advance(1);
  while (is_word(look()) || (look() == '.' && is_word(look(1)))) advance(1);
  token_.text += text_.substr(begin, at_ - begin);
}

void Lexer::scan_number() {
  token_.kind = TokenKind::kNumber;
  const std::size_t begin = at_;
  if (look() == '0' && look(1) == 'x' && is_hex(look(2))) {
    advance(2);
    while (is_hex(look())) advance(1);
  } else {
    while (is_digit(look())) advance(1);
    if (look() == '.' && is_digit(look(1))) {
      advance(1);
      while (is_digit(look())) advance(1);
    }
    const std::size_t sign = look(1) == '+' || look(1) == '-' ? 1 : 0;
    if (look() == 'e' && is_digit(look(1 + sign))) {
      advance(1 + sign);
      while (is_digit(look())) advance(1);
    }
  }
  token_.text = text_.substr(begin, at_ - begin);
}

void Lexer::scan_string() {
  const Position begin = position_;
  if (token_.kind == TokenKind::kEnd) token_.kind = TokenKind::kString;
  advance(1);
  while (look() != '"') {
    if (at_ == text_.size() || look() == '\n')
      fail(begin, "expected '\"' at the end of the string, found the end of the line");
    if (look() != '\\') {
      token_.text += look();
      advance(1);
      continue;
    }
    const char c = look(1);
    if (c == 'x' && is_hex(look(2)) && is_hex(look(3))) {
      token_.text += static_cast<char>(hex_value(look(2)) * 16 + hex_value(look(3)));
      advance(4);
    } else if (c == 'n' || c == '"' || c == '\\') {
      token_.text += c == 'n' ? '\n' : c;
      advance(2);
    } else {
      fail(position_, "expected \\\\, \\\", \\n or \\x and two hexadecimal digits, found another escape");
    }
  }
  advance(1);
}

void Lexer::scan_name(TokenKind kind) {
  token_.kind = kind;
  advance(1);
  if (look() == '"') {
    token_.quoted = true;
    scan_string();
  } else if (is_letter(look())) {
    scan_word();
    token_.kind = kind;
  } else if (kind == TokenKind::kValue && is_digit(look())) {
    while (is_digit(look())) {
      token_.text += look();
      advance(1);
    }
  } else {
    fail(token_.at, std::string("expected a name after '") + (kind == TokenKind::kValue ? '%' : '@') + "'");
  }
  if (kind != TokenKind::kValue || look() != '#') return;
  const std::size_t begin = at_ + 1;
  std::size_t end = begin;
  while (end < text_.size() && is_digit(text_[end])) ++end;
  const auto [rest, error] = std::from_chars(text_.data() + begin, text_.data() + end, token_.result);
  if (error != std::errc{} || begin == end) fail(position_, "expected the index of a result after '#'");
  advance(end - at_);
}

}  // namespace gcompile::ir
