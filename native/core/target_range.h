// The error for a class id that is none, worded alike for both engines.
#pragma once

#include <cmath>
#include <cstdio>

#include "error.h"
#include "views.h"

namespace culoss {

inline Error target_range_error(int64_t row, const std::string& id, int64_t columns) {
  return Error("ERR_TARGET_RANGE", "targets[" + std::to_string(row) +
                                       "]: expected a class id in [0, " + std::to_string(columns) +
                                       "), got " + id);
}

inline std::string id_to_string(double id) {
  if (id == std::floor(id) && std::fabs(id) < 9e15) return std::to_string(int64_t(id));
  if (std::isnan(id)) return "NaN";
  if (std::isinf(id)) return id < 0 ? "-Infinity" : "Infinity";
  char text[32];
  std::snprintf(text, sizeof text, "%g", id);
  return text;
}

}  // namespace culoss
