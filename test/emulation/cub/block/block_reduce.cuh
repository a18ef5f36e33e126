// What the engine uses of cub: the sum arrives at the first thread, and nothing of use at the
// others.
#pragma once

#include <string.h>

#include "../../block.h"

namespace cub {

template <class T>
struct Uninitialized {
  alignas(T) unsigned char bytes[sizeof(T)];
  T& Alias() { return *reinterpret_cast<T*>(bytes); }
};

template <class T, int kThreads>
class BlockReduce {
 public:
  struct TempStorage {
    Uninitialized<T> values[kThreads];
  };

  explicit BlockReduce(TempStorage& storage) : storage_(storage) {}

  template <class Op>
  T Reduce(const T& value, Op op) {
    storage_.values[threadIdx.x].Alias() = value;
    __syncthreads();
    Uninitialized<T> result;
    memset(&result, 0xff, sizeof result);
    if (threadIdx.x == 0) {
      result.Alias() = storage_.values[0].Alias();
      for (int i = 1; i < kThreads; ++i)
        result.Alias() = op(result.Alias(), storage_.values[i].Alias());
    }
    return result.Alias();
  }

 private:
  TempStorage& storage_;
};

}  // namespace cub
