// Rows of typed arrays.
#include "../cpu/rows.h"

#include "addon.h"
#include "guard.h"
#include "operand.h"

namespace culoss {
namespace {

int64_t columns_of(size_t elements, size_t rows) {
  if (rows == 0 || elements % rows != 0) throw Error("ERR_SHAPE", "source: expected whole rows");
  return int64_t(elements / rows);
}

// meansOfRows(source: Float32Array, means: Float32Array): void
Napi::Value MeansOfRows(const Napi::CallbackInfo& info) {
  const auto source = elements_from<float>(info[0], "source");
  const auto means = elements_from<float>(info[1], "means");
  const int64_t columns = columns_of(source.size(), means.size());
  cpu::means_of_rows(source.data(), int64_t(means.size()), columns, means.data());
  return info.Env().Undefined();
}

// idsOfOneHot(source: Labels, ids: Int32Array): boolean
Napi::Value IdsOfOneHot(const Napi::CallbackInfo& info) {
  const auto ids = elements_from<int32_t>(info[1], "ids");
  const auto find = [&]<class T>(std::span<T> source) {
    const int64_t columns = columns_of(source.size(), ids.size());
    return Napi::Boolean::New(
        info.Env(), cpu::are_one_hot<T>(source.data(), int64_t(ids.size()), columns, ids.data()));
  };
  host_bytes(info[0], "source");
  const napi_typedarray_type type = info[0].As<Napi::TypedArray>().TypedArrayType();
  if (type == napi_int32_array) return find(elements_from<int32_t>(info[0], "source"));
  if (type == napi_uint8_array) return find(elements_from<uint8_t>(info[0], "source"));
  return find(elements_from<float>(info[0], "source"));
}

}  // namespace

void InitRows(Napi::Env, Napi::Object exports) {
  export_function<MeansOfRows>(exports, "meansOfRows");
  export_function<IdsOfOneHot>(exports, "idsOfOneHot");
}

}  // namespace culoss
