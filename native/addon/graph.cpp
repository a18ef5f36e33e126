// Graphs of CUDA calls.
#include "../cuda/engine.h"
#include "addon.h"
#include "guard.h"

namespace culoss {
namespace {

class GraphObject : public Napi::ObjectWrap<GraphObject> {
 public:
  // constructor(device: number, work: () => unknown)
  //
  // Calls `work`, and holds what it enqueued.
  explicit GraphObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<GraphObject>(info) {
    guarded(info.Env(), [&] {
      const Napi::Function work = info[1].As<Napi::Function>();
      graph_ = cuda::capture(info[0].ToNumber().Int32Value(), [&] { work.Call({}); });
    });
  }

  // replay(): void
  void replay(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      if (graph_ == nullptr) throw Error("ERR_DISPOSED", "the graph was disposed");
      cuda::replay(*graph_);
    });
  }

  // dispose(): void
  //
  // Waits for its replays.
  void dispose(const Napi::CallbackInfo&) { graph_ = nullptr; }

 private:
  std::shared_ptr<cuda::Graph> graph_;
};

}  // namespace

void InitGraph(Napi::Env env, Napi::Object exports) {
  using G = GraphObject;
  exports.Set("Graph", G::DefineClass(env, "Graph",
                                      {G::InstanceMethod<&G::replay>("replay"),
                                       G::InstanceMethod<&G::dispose>("dispose")}));
}

}  // namespace culoss
