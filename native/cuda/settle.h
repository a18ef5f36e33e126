// What launches have deferred, and who still has to look.
#pragma once

#include <vector>

#include "stream.h"

namespace culoss::cuda {

// Fills in words for the launches of a stream that is given behind.
void reset_words(Words* words, const Stream& stream);

// Says that launches in `stream`, of the calling thread, may have left an error in `words`.
void leave_unread(Stream& stream, Words* words);
// The streams of the calling thread where some did, other than the main one unless a graph ran
// there.
std::vector<Stream*> unread_streams(const Device& device);

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
