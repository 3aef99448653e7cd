#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_POST_PROCESSOR_JSON_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_POST_PROCESSOR_JSON_H_

#include "absl/status/statusor.h"
#include "scheduler/tokenizer/json_view.h"
#include "scheduler/tokenizer/post_processor.h"

namespace hybridserve {

// Reads "post_processor" of a tokenizer.json, which may be null, for a single
// text: TemplateProcessing, RobertaProcessing, BertProcessing, ByteLevel
// (which only moves offsets) and Sequence. InvalidArgument for any other, for
// fields that it doesn't know and for ids outside [0, 2^31).
absl::StatusOr<PostProcessor> ParsePostProcessor(const JsonView& json);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_POST_PROCESSOR_JSON_H_
