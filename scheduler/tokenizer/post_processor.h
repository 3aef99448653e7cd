#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_POST_PROCESSOR_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_POST_PROCESSOR_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hybridserve {

// Puts special tokens around the tokens of one text.
//
// Thread-safe: immutable.
class PostProcessor {
 public:
  // In a template: where the text's own tokens go.
  static constexpr int32_t kText = -1;

  // Adds nothing.
  PostProcessor() : PostProcessor({kText}) {}

  // Ids and kText in the order of the result.
  explicit PostProcessor(std::vector<int32_t> elements)
      : elements_(std::move(elements)) {}

  // What comes out if this one is applied to the result of `inner`.
  PostProcessor After(const PostProcessor& inner) const;

  std::vector<int32_t> Process(absl::Span<const int32_t> ids) const;

  const std::vector<int32_t>& elements() const { return elements_; }

 private:
  std::vector<int32_t> elements_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_POST_PROCESSOR_H_
