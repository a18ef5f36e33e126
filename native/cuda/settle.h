// What launches have deferred, and who still has to look.
#pragma once

#include <vector>

#include "stream.h"

namespace culoss::cuda {

// Fills in words for the launches of a stream that is given behind.
void reset_words(Words* words, const Stream& stream);

// Says that launches in `stream`, of the calling thread, may have left an error in `words`.
void leave_unread(Stream& stream, Words* words);

// Words of the calling thread that no read has looked at since the last launch there.
struct Unread {
  Stream* stream;  // of the last launch
  Words* words;
};
// On a device, other than those of the main stream; in a stream.
std::vector<Unread> unread_on(const Device& device);
std::vector<Unread> unread_in(const Stream& stream);
// Moves the first bad class id to `to`, pinned memory of the host, in the order of the stream. Its
// work is still to be waited for.
void move_error(const Unread& from, TargetError* to);

// Throws what streams that are closed have left, for the first wait that comes.
void throw_deferred(const Device& device);
// Keeps an error for it, unless there is one.
void defer(const Device& device, const Error& error);

// Waits for the main stream of a device and for the calling thread's other ones; throws and forgets
// the first bad class id that a call there met.
void settle(const Device& device);
// The same for one other stream.
void settle(const Stream& stream);

// Waits for what a stream, or a graph of these words, left unread; the next wait for the device
// throws what that deferred.
void settle_later(const Stream& stream) noexcept;
void settle_later(Words* words) noexcept;

}  // namespace culoss::cuda
