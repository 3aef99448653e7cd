#include "scheduler/tokenizer/post_processor.h"

namespace hybridserve {

PostProcessor PostProcessor::After(const PostProcessor& inner) const {
  return PostProcessor(Process(inner.elements_));
}

std::vector<int32_t> PostProcessor::Process(
    absl::Span<const int32_t> ids) const {
  std::vector<int32_t> result;
  result.reserve(ids.size() + elements_.size());
  for (const int32_t element : elements_) {
    if (element == kText) {
      result.insert(result.end(), ids.begin(), ids.end());
    } else {
      result.push_back(element);
    }
  }
  return result;
}

}  // namespace hybridserve
