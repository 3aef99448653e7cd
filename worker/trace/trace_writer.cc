#include "worker/trace/trace_writer.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hybridserve {

int TraceWriter::AddTrack(const std::string& name) {
  const absl::MutexLock lock(&mutex_);
  tracks_.push_back(name);
  return static_cast<int>(tracks_.size()) - 1;
}

void TraceWriter::Add(TraceSlice slice) {
  const absl::MutexLock lock(&mutex_);
  if (slices_.size() >= max_slices_) {
    ++num_dropped_;
    return;
  }
  slices_.push_back(std::move(slice));
}

std::string TraceWriter::ToJson() const {
  const absl::MutexLock lock(&mutex_);
  absl::Time origin = absl::InfiniteFuture();
  for (const TraceSlice& slice : slices_) {
    origin = std::min(origin, slice.begin);
  }
  std::string json = absl::StrCat("{\"otherData\":{\"dropped_slices\":\"",
                                  num_dropped_, "\"},\"traceEvents\":[");
  const char* separator = "\n";
  for (size_t i = 0; i < tracks_.size(); ++i) {
    absl::StrAppendFormat(&json,
                          "%s{\"ph\":\"M\",\"pid\":1,\"tid\":%d,"
                          "\"name\":\"thread_name\","
                          "\"args\":{\"name\":\"%s\"}}",
                          separator, i, tracks_[i]);
    separator = ",\n";
  }
  for (const TraceSlice& slice : slices_) {
    absl::StrAppendFormat(
        &json,
        "%s{\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"name\":\"%s\","
        "\"ts\":%.3f,\"dur\":%.3f}",
        separator, slice.track, slice.name,
        absl::ToDoubleMicroseconds(slice.begin - origin),
        absl::ToDoubleMicroseconds(slice.end - slice.begin));
    separator = ",\n";
  }
  absl::StrAppend(&json, "\n]}\n");
  return json;
}

absl::Status TraceWriter::WriteFile(const std::string& path) const {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << ToJson();
  file.close();
  if (!file) {
    return absl::UnavailableError(absl::StrCat("can't write ", path));
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
