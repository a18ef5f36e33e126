// Neighbouring elements that move as one, 16 bytes at a time.
#pragma once

#include <stddef.h>

namespace culoss {

constexpr size_t kPackBytes = 16;

template <class T>
constexpr int kPackElements = kPackBytes / sizeof(T);

template <class T, int n = kPackElements<T>>
struct alignas(sizeof(T) * n < kPackBytes ? sizeof(T) * n : kPackBytes) Pack {
  T of[n];
};

}  // namespace culoss
