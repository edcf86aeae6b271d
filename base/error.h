// The exceptions that cross the API border. All derive from Error and carry the user's location where there is one;
// what() already begins with it ("model.cpp:14: matmul: ...").
#pragma once

#include <stdexcept>
#include <string>

#include "gcompile/base/location.h"

namespace gcompile {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  Error(Location where, const std::string& message)
      : std::runtime_error(where.known() ? where.str() + ": " + message : message), where_(std::move(where)) {}
  const Location& where() const { return where_; }
  // what() without the location that it begins with.
  std::string message() const {
    const std::string prefix = where_.known() ? where_.str() + ": " : "", text = what();
    return text.rfind(prefix, 0) == 0 ? text.substr(prefix.size()) : text;
  }

 protected:
  // `what` is the whole text, location included.
  struct Verbatim {};
  Error(Verbatim, Location where, const std::string& what) : std::runtime_error(what), where_(std::move(where)) {}

 private:
  Location where_;
};

// A model that cannot be: wrong shapes, dtypes or axes, a Tensor outside its trace, a loss that is not scalar.
class ModelError : public Error {
 public:
  using Error::Error;
};

// A compiled function called with arguments that do not fit: nothing was run, nothing was updated.
class CallError : public Error {
 public:
  using Error::Error;
};

// Numbers that went wrong while a compiled function ran: a NaN, where Check::NaN asks for them, or a loss that fit
// cannot go on with. Nothing was updated by the call that a check stopped.
class NumericError : public Error {
 public:
  using Error::Error;
};

// Memory that could not be had: the message says how many bytes were wanted, and for what.
class MemoryError : public Error {
 public:
  using Error::Error;
};

// A file of the user's that cannot be read or written: the message names file, line, column and text.
class DataError : public Error {
 public:
  using Error::Error;
};

// Text of an IR that does not parse or verify: the message names line, column and what was expected.
class ParseError : public Error {
 public:
  using Error::Error;
  // "model.gir:3:7: expected ..., found ...".
  ParseError(const Location& where, std::uint32_t column, const std::string& message)
      : Error(Verbatim{}, where,
              where.file + ":" + std::to_string(where.line) + ":" + std::to_string(column) + ": " + message) {}
};

// A broken invariant of the compiler itself, never the user's fault. The message carries the IR at hand.
class InternalError : public Error {
 public:
  using Error::Error;
};

}  // namespace gcompile
