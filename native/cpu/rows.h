// What is asked of rows of a matrix that lie one after the other, on all threads.
#pragma once

#include <stdint.h>

namespace culoss::cpu {

// The mean of each row of `columns` numbers, summed in float64.
void means_of_rows(const float* numbers, int64_t rows, int64_t columns, float* means);

// Whether every row holds one 1 and else zeros; writes where that is.
template <class T>
bool are_one_hot(const T* numbers, int64_t rows, int64_t columns, int32_t* ids);

}  // namespace culoss::cpu
