#ifndef HYBRIDSERVE_WORKER_TRACE_TRACING_DEVICE_H_
#define HYBRIDSERVE_WORKER_TRACE_TRACING_DEVICE_H_

#include <memory>

#include "common/clock.h"
#include "kernels/device/device.h"
#include "worker/trace/trace_writer.h"

namespace hybridserve {

// `device` with a track for each of its streams and a slice for each copy and
// op, named by its tag (Stream::Begin). Backends need no code for it: an event
// stands before and after each op, and a thread a stream notes when they
// complete, so slices are exact to a thread's waking up and tracing costs a
// little time.
//
// All but the device are borrowed and outlive the streams.
std::unique_ptr<Device> MakeTracingDevice(std::unique_ptr<Device> device,
                                          TraceWriter& writer,
                                          const Clock& clock);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TRACE_TRACING_DEVICE_H_
