#include <algorithm>
#include <map>
#include <optional>

#include "engine.h"
#include "settle.h"

namespace culoss::cuda {
namespace {

constexpr Words kInitialWords{{~0ull, 0, {}}, 0};

thread_local std::vector<Unread> unread;
thread_local std::map<int, Error> deferred;  // by device

// By no copy from the host, which may wait for the stream.
void forget_error(Words* words, const Stream& stream) {
  auto& [row, columns, id] = words->target_error;
  check(cudaMemsetAsync(&row, 0xff, sizeof row, stream.handle), "cudaMemsetAsync");
  check(cudaMemsetAsync(&columns, 0, sizeof columns, stream.handle), "cudaMemsetAsync");
}

template <class Wanted>
std::vector<Unread> unread_if(const Wanted& is_wanted) {
  std::vector<Unread> found;
  std::ranges::copy_if(unread, std::back_inserter(found), is_wanted);
  return found;
}

// Waits for the stream; forgets and returns the first bad class id in the words.
std::optional<Error> finish(const Stream& stream, Words* words) {
  TargetError error;
  check(cudaMemcpyAsync(&error, &words->target_error, sizeof error, cudaMemcpyDeviceToHost,
                        stream.handle),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream.handle), "cudaStreamSynchronize");
  if (error.columns == 0) return std::nullopt;
  forget_error(words, stream);
  return target_range_error(int64_t(error.row), error.id, error.columns);
}

// Waits for the words of which `is_wanted(unread)`, and throws the first error they have.
template <class Wanted>
void settle_if(const Wanted& is_wanted) {
  for (;;) {
    const auto next = std::ranges::find_if(unread, is_wanted);
    if (next == unread.end()) return;
    const std::optional<Error> error = finish(*next->stream, next->words);
    unread.erase(next);
    if (error) throw *error;
  }
}

// The same where nobody can be told yet.
template <class Wanted>
void settle_later_if(int device, const Wanted& is_wanted) noexcept {
  while (std::ranges::any_of(unread, is_wanted)) {
    try {
      settle_if(is_wanted);
    } catch (const Error& error) {
      if (error.code == "ERR_TARGET_RANGE") {
        deferred.emplace(device, error);
      } else {
        std::erase_if(unread, is_wanted);  // the device is lost, and the error with it
      }
    } catch (...) {
      std::erase_if(unread, is_wanted);  // no memory to keep it in
    }
  }
}

}  // namespace

void reset_words(Words* words, const Stream& stream) {
  check(cudaMemcpyAsync(words, &kInitialWords, sizeof kInitialWords, cudaMemcpyHostToDevice,
                        stream.handle),
        "cudaMemcpyAsync");
}

void leave_unread(Stream& stream, Words* words) {
  const auto known = std::ranges::find(unread, words, &Unread::words);
  if (known == unread.end()) {
    unread.push_back({&stream, words});
  } else {
    known->stream = &stream;
  }
}

std::vector<Unread> unread_on(const Device& device) {
  return unread_if([&](const Unread& one) { return one.stream->device == &device; });
}

std::vector<Unread> unread_in(const Stream& stream) {
  return unread_if([&](const Unread& one) { return one.stream == &stream; });
}

void move_error(const Unread& from, TargetError* to) {
  check(cudaMemcpyAsync(to, &from.words->target_error, sizeof *to, cudaMemcpyDeviceToHost,
                        from.stream->handle),
        "cudaMemcpyAsync");
  forget_error(from.words, *from.stream);
}

void throw_deferred(const Device& device) {
  if (const auto found = deferred.extract(device.index)) throw found.mapped();
}

void defer(const Device& device, const Error& error) { deferred.emplace(device.index, error); }

void settle_later(const Stream& stream) noexcept {
  settle_later_if(stream.device->index, [&](const Unread& one) { return one.stream == &stream; });
}

void settle_later(Words* words) noexcept {
  const auto known = std::ranges::find(unread, words, &Unread::words);
  if (known == unread.end()) return;
  settle_later_if(known->stream->device->index,
                  [&](const Unread& one) { return one.words == words; });
}

void settle(const Stream& stream) {
  settle_if([&](const Unread& one) { return one.stream == &stream; });
}

void settle(const Device& device) {
  expect_no_capture("a wait for the device");
  throw_deferred(device);
  settle_if([&](const Unread& one) { return one.stream->device == &device; });
  if (const auto error = finish(*device.main, device.main->words)) throw *error;
}

}  // namespace culoss::cuda
