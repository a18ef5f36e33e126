// The one exception of the engines. `code` is what JavaScript sees as `error.code`.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace culoss {

struct Error : std::runtime_error {
  // Of text that is not put together, so that the loops need no functions of strings.
  Error(const char* error_code, const char* message)
      : std::runtime_error(message), code(error_code) {}
  Error(const char* error_code, const std::string& message)
      : std::runtime_error(message), code(error_code) {}

  std::string_view code;
};

}  // namespace culoss
