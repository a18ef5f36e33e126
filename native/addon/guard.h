// Nothing but a JavaScript exception with a code leaves the addon.
#pragma once

#include <napi.h>

#include <exception>
#include <new>

#include "../core/error.h"

namespace culoss {

[[noreturn]] inline void throw_js(Napi::Env env, std::string_view code,
                                  const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code.data(), code.size()));
  throw error;
}

// Runs `f`, and turns what the engines throw into JavaScript errors.
template <class F>
auto guarded(Napi::Env env, F&& f) {
  try {
    return f();
  } catch (const Error& error) {
    throw_js(env, error.code, error.what());
  } catch (const std::bad_alloc&) {
    throw_js(env, "ERR_OUT_OF_MEMORY", "the host has no memory left for this call");
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw_js(env, "ERR_OUT_OF_MEMORY", error.what());
  }
}

// A function of the addon as JavaScript calls it.
template <auto kFunction>
Napi::Value guarded_call(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return kFunction(info); });
}

template <auto kFunction>
void export_function(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<guarded_call<kFunction>>(exports.Env(), name));
}

}  // namespace culoss
