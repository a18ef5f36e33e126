// The one exception of the engines. `code` is what JavaScript sees as `error.code`.
#pragma once

#include <stdexcept>
#include <string>

namespace culoss {

struct Error : std::runtime_error {
  Error(std::string error_code, const std::string& message)
      : std::runtime_error(message), code(std::move(error_code)) {}

  std::string code;
};

}  // namespace culoss
