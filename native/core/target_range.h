// The error for a class id that is none, worded alike for both engines.
#pragma once

#include <charconv>
#include <cmath>
#include <string>

#include "error.h"
#include "views.h"

namespace culoss {

// A class id as it was given. A float64 does not hold every int64.
struct GivenId {
  bool is_int64;
  long long whole;
  double number;
};

HD inline GivenId given_id(const ConstArray& ids, int64_t row) {
  const bool is_int64 = ids.dtype == Dtype::int64;
  return {is_int64, is_int64 ? static_cast<const int64_t*>(ids.memory)[row] : 0,
          load<double>(ids, row)};
}

inline std::string to_string(const GivenId& id) {
  if (id.is_int64) return std::to_string(id.whole);
  if (std::isnan(id.number)) return "NaN";
  if (std::isinf(id.number)) return id.number < 0 ? "-Infinity" : "Infinity";
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, id.number).ptr);
}

inline Error target_range_error(int64_t row, const GivenId& id, int64_t columns) {
  // Who has one class has labels 0 and 1, which are none of it.
  const char* const hint = columns == 1 ? ", or labels of the inputs' shape" : "";
  return Error("ERR_TARGET_RANGE", "targets[" + std::to_string(row) +
                                       "]: expected a class id in [0, " + std::to_string(columns) +
                                       ")" + hint + ", got " + to_string(id));
}

}  // namespace culoss
