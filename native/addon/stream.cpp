// Streams of CUDA devices.
#include "../cuda/engine.h"
#include "addon.h"
#include "guard.h"
#include "jobs.h"

namespace culoss {
namespace {

class StreamObject : public Napi::ObjectWrap<StreamObject> {
 public:
  // constructor(device: number)
  explicit StreamObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<StreamObject>(info) {
    guarded(info.Env(), [&] { stream_ = cuda::make_stream(info[0].ToNumber().Int32Value()); });
  }

  // The collector's way out: a safety net behind dispose().
  ~StreamObject() override { close(); }

  // run(work: () => unknown): unknown
  Napi::Value run(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const auto held = usable();
      const cuda::Entered entered(*held);
      return info[0].As<Napi::Function>().Call({});
    });
  }

  // time(work: () => unknown): number
  //
  // Waits.
  Napi::Value time(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Napi::Function work = info[0].As<Napi::Function>();
      const auto held = usable();
      return Napi::Number::New(info.Env(), cuda::time(*held, [&] { work.Call({}); }));
    });
  }

  // synchronize(done: Done): void
  void synchronize(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      const auto task = cuda::synchronizing(*usable());
      Jobs::of(info.Env()).start(task, info[0].As<Napi::Function>());
    });
  }

  // address(): bigint
  Napi::Value address(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      return Napi::BigInt::New(info.Env(), uint64_t(cuda::address_of(*usable())));
    });
  }

  // dispose(): void
  //
  // Waits.
  void dispose(const Napi::CallbackInfo&) { close(); }

 private:
  // Held by the caller: JavaScript that runs in the stream may dispose it.
  std::shared_ptr<cuda::Stream> usable() const {
    if (stream_ == nullptr) throw Error("ERR_DISPOSED", "the stream was disposed");
    return stream_;
  }

  void close() noexcept {
    if (stream_) cuda::close(*stream_);
    stream_ = nullptr;
  }

  std::shared_ptr<cuda::Stream> stream_;
};

}  // namespace

void InitStream(Napi::Env env, Napi::Object exports) {
  using S = StreamObject;
  exports.Set("Stream", S::DefineClass(
                            env, "Stream",
                            {S::InstanceMethod<&S::run>("run"), S::InstanceMethod<&S::time>("time"),
                             S::InstanceMethod<&S::synchronize>("synchronize"),
                             S::InstanceMethod<&S::address>("address"),
                             S::InstanceMethod<&S::dispose>("dispose")}));
}

}  // namespace culoss
