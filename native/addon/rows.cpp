// Rows of typed arrays.
#include "../cpu/rows.h"

#include "addon.h"
#include "guard.h"
#include "operand.h"

namespace culoss {
namespace {

template <class T>
struct Elements {
  T* first;
  int64_t count;
};

template <class T>
Elements<T> elements_of(const Napi::Value& value, napi_typedarray_type type, const char* name) {
  const Bytes bytes = host_bytes(value, name);
  if (value.As<Napi::TypedArray>().TypedArrayType() != type) {
    throw Error("ERR_DTYPE", std::string(name) + ": expected another typed array");
  }
  return {static_cast<T*>(bytes.memory), int64_t(bytes.size / sizeof(T))};
}

int64_t columns_of(int64_t elements, int64_t rows) {
  if (rows == 0 || elements % rows != 0) throw Error("ERR_SHAPE", "source: expected whole rows");
  return elements / rows;
}

// meansOfRows(source: Float32Array, means: Float32Array): void
Napi::Value MeansOfRows(const Napi::CallbackInfo& info) {
  const auto source = elements_of<float>(info[0], napi_float32_array, "source");
  const auto means = elements_of<float>(info[1], napi_float32_array, "means");
  const int64_t columns = columns_of(source.count, means.count);
  cpu::means_of_rows(source.first, means.count, columns, means.first);
  return info.Env().Undefined();
}

// idsOfOneHot(source: Labels, ids: Int32Array): boolean
Napi::Value IdsOfOneHot(const Napi::CallbackInfo& info) {
  const auto ids = elements_of<int32_t>(info[1], napi_int32_array, "ids");
  const auto find = [&]<class T>(const Elements<T>& source) {
    const int64_t columns = columns_of(source.count, ids.count);
    return Napi::Boolean::New(info.Env(),
                              cpu::are_one_hot<T>(source.first, ids.count, columns, ids.first));
  };
  host_bytes(info[0], "source");
  const napi_typedarray_type type = info[0].As<Napi::TypedArray>().TypedArrayType();
  if (type == napi_int32_array) return find(elements_of<int32_t>(info[0], type, "source"));
  if (type == napi_uint8_array) return find(elements_of<uint8_t>(info[0], type, "source"));
  return find(elements_of<float>(info[0], napi_float32_array, "source"));
}

}  // namespace

void InitRows(Napi::Env, Napi::Object exports) {
  export_function<MeansOfRows>(exports, "meansOfRows");
  export_function<IdsOfOneHot>(exports, "idsOfOneHot");
}

}  // namespace culoss
