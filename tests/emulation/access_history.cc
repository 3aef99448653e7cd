#include "tests/emulation/access_history.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hybridserve::emulation {

void VectorClock::Raise(size_t stream, uint64_t count) {
  if (stream >= counts_.size()) counts_.resize(stream + 1);
  counts_[stream] = std::max(counts_[stream], count);
}

void VectorClock::Join(const VectorClock& other) {
  for (size_t stream = 0; stream < other.counts_.size(); ++stream) {
    Raise(stream, other.counts_[stream]);
  }
}

void AccessHistory::Split(uintptr_t address) {
  auto it = segments_.upper_bound(address);
  if (it == segments_.begin()) return;
  --it;
  if (it->first == address || it->second.end <= address) return;
  Segment rest = it->second;
  it->second.end = address;
  segments_[address] = std::move(rest);
}

std::optional<AccessHistory::Touch> AccessHistory::AddTo(
    Segment& segment, const OperationStamp& operation, bool written,
    size_t name) {
  const auto unordered = [&](const Touch& touch) {
    return touch.stream != operation.stream &&
           touch.count > operation.before[touch.stream];
  };
  std::optional<Touch> conflict;
  if (segment.writer.has_value() && unordered(*segment.writer)) {
    conflict = segment.writer;
  }
  const Touch own = {operation.stream, operation.count, name};
  if (written) {
    for (const Touch& reader : segment.readers) {
      if (unordered(reader)) conflict = reader;
    }
    segment.readers.clear();
    segment.writer = own;
    return conflict;
  }
  const auto same = std::find_if(
      segment.readers.begin(), segment.readers.end(),
      [&](const Touch& reader) { return reader.stream == own.stream; });
  if (same != segment.readers.end()) {
    *same = own;
  } else {
    segment.readers.push_back(own);
  }
  return conflict;
}

std::optional<std::string> AccessHistory::Add(
    const OperationStamp& operation, absl::Span<const ByteRange> ranges) {
  const auto [known, is_new] =
      name_numbers_.emplace(operation.name, names_.size());
  if (is_new) names_.push_back(operation.name);
  std::optional<Touch> conflict;
  for (const ByteRange& range : ranges) {
    if (range.begin == range.end) continue;
    Split(range.begin);
    Split(range.end);
    uintptr_t at = range.begin;
    auto it = segments_.lower_bound(at);
    while (at < range.end) {
      if (it == segments_.end() || it->first > at) {
        // Bytes that nobody has touched.
        const uintptr_t end =
            it == segments_.end() ? range.end : std::min(it->first, range.end);
        it = segments_.emplace_hint(it, at, Segment{.end = end});
      }
      const auto found =
          AddTo(it->second, operation, range.written, known->second);
      if (found.has_value() && !conflict.has_value()) conflict = found;
      at = it->second.end;
      ++it;
    }
  }
  if (!conflict.has_value()) return std::nullopt;
  return names_[conflict->name];
}

void AccessHistory::Forget(uintptr_t begin, uintptr_t end) {
  Split(begin);
  Split(end);
  segments_.erase(segments_.lower_bound(begin), segments_.lower_bound(end));
}

}  // namespace hybridserve::emulation
