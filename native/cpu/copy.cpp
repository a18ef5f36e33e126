#include "copy.h"

#include <string.h>

#include <algorithm>

#include "threads.h"

namespace culoss::cpu {

void copy(void* to, const void* from, size_t bytes) {
  constexpr size_t kLeastPiece = 4 << 20;
  char* const target = static_cast<char*>(to);
  const char* const source = static_cast<const char*>(from);
  const size_t pieces = std::min(size_t(threads()), bytes / kLeastPiece);
  if (pieces < 2 || (target < source + bytes && source < target + bytes)) {
    memmove(to, from, bytes);
    return;
  }
  parallel_for(int64_t(pieces), int64_t(pieces), [&](int64_t i) {
    const auto at = [&](size_t piece) { return bytes / pieces * piece / 64 * 64; };
    const size_t begin = at(size_t(i));
    const size_t end = size_t(i) + 1 == pieces ? bytes : at(size_t(i) + 1);
    memcpy(target + begin, source + begin, end - begin);
  });
}

}  // namespace culoss::cpu
