#ifndef HYBRIDSERVE_SCHEDULER_CORE_TESTING_EXPECTED_OUTPUT_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TESTING_EXPECTED_OUTPUT_H_

#include <cstdint>

#include "common/worker_info.h"
#include "scheduler/core/request.h"
#include "scheduler/core/testing/recording_observer.h"

namespace hybridserve {

// Whether fake workers of that class (fake_worker.h) can have given `record`
// to `request`: if it finished, all of its tokens or scores and the reason for
// its end; if it was cancelled or failed, the first of its tokens.
// `stop_after`: the number of tokens at which the observer asks for the end.
bool IsOutputOf(const GenerationRequest& request, int64_t stop_after,
                const NumericsClass& numerics, int64_t vocab_size,
                const RequestRecord& record);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TESTING_EXPECTED_OUTPUT_H_
