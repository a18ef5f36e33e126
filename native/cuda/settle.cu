#include <algorithm>
#include <map>
#include <optional>

#include "settle.h"

namespace culoss::cuda {
namespace {

constexpr Words kInitialWords{{~0ull, 0, {}}, 0};
constexpr TargetError kNoTargetError = kInitialWords.target_error;

// Words of the calling thread that no read has looked at since the last launch.
struct Unread {
  Stream* stream;  // of the last launch
  Words* words;
};
thread_local std::vector<Unread> unread;

// By device: what streams that are closed have left for the next wait.
thread_local std::map<int, Error> deferred;

// Waits for the stream; forgets and returns the first bad class id in the words.
std::optional<Error> finish(const Stream& stream, Words* words) {
  TargetError error;
  check(cudaMemcpyAsync(&error, &words->target_error, sizeof error, cudaMemcpyDeviceToHost,
                        stream.handle),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream.handle), "cudaStreamSynchronize");
  if (error.columns == 0) return std::nullopt;
  check(cudaMemcpyAsync(&words->target_error, &kNoTargetError, sizeof kNoTargetError,
                        cudaMemcpyHostToDevice, stream.handle),
        "cudaMemcpyAsync");
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

std::vector<Stream*> unread_streams(const Device& device) {
  std::vector<Stream*> streams;
  for (const Unread& one : unread) {
    if (one.stream->device == &device) streams.push_back(one.stream);
  }
  return streams;
}

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
  if (const auto found = deferred.extract(device.index)) throw found.mapped();
  settle_if([&](const Unread& one) { return one.stream->device == &device; });
  if (const auto error = finish(*device.main, device.main->words)) throw *error;
}

}  // namespace culoss::cuda
