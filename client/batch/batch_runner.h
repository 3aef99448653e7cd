#ifndef HYBRIDSERVE_CLIENT_BATCH_BATCH_RUNNER_H_
#define HYBRIDSERVE_CLIENT_BATCH_BATCH_RUNNER_H_

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/generation_options.h"
#include "client/interrupt.h"
#include "grpcpp/channel.h"

namespace hybridserve {

struct BatchOptions {
  std::string input;        // JSON lines (input_line.h).
  std::string output_file;  // OUT; see output_file.h.
  int64_t window = 64;      // Requests in flight at once; > 0.
  bool ordered = false;     // Output lines in the order of the input.
  // This process takes the lines whose (number - 1) % shard_count is
  // shard_index. 0 <= shard_index < shard_count.
  int64_t shard_index = 0;
  int64_t shard_count = 1;
  GenerationOptions defaults;  // For what a line leaves unset.
  // A server that refuses everything for this long ends the run. What it has
  // taken may need longer than that.
  absl::Duration give_up_after = absl::Minutes(10);
  // A model that the server does not know is waited for so long since the run
  // began, the server was seen gone or the model last answered: a scheduler
  // that was started anew knows a model once a worker has brought it.
  absl::Duration wait_for_model = absl::Minutes(3);
};

struct BatchSummary {
  int64_t lines = 0;              // With a result, earlier runs included.
  int64_t errors = 0;             // Of them, lines that were wrong.
  int64_t completion_tokens = 0;  // Of this run.
};

// Runs a batch file through the server with a window of requests in flight, in
// memory bounded by the window. Each line gets exactly one result, however
// often the job is killed and run again. What may succeed later (the server
// is full or gone) is tried again with growing pauses, no shorter than the
// server asks for; what cannot becomes the line's error, and so does a line
// that is ABORTED again and again or whose model does not come. Progress goes
// to `progress`: a bar if it is a terminal.
//
// Ctrl-C: Cancelled, after what is done was written; running again goes on.
// Unavailable: gave up. Others: the files' errors.
absl::StatusOr<BatchSummary> RunBatch(const BatchOptions& options,
                                      std::shared_ptr<grpc::Channel> channel,
                                      Interrupt& interrupt,
                                      std::ostream& progress,
                                      bool progress_is_terminal);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BATCH_BATCH_RUNNER_H_
