#ifndef HYBRIDSERVE_COMMON_FILE_WATCHER_H_
#define HYBRIDSERVE_COMMON_FILE_WATCHER_H_

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/file_stamp.h"

namespace hybridserve {

// Tells when files change: one thread looks at all of them once an interval.
//
// A change counts when the files have stood still from one look to the next,
// so that a file being written, or a key beside its certificate, is seen whole.
// Looking, not inotify: it works on every file system, and through the links
// by which Kubernetes replaces mounted secrets.
//
// Thread-safe.
class FileWatcher {
 public:
  explicit FileWatcher(absl::Duration interval = absl::Seconds(1));
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;
  // Returns when no callback runs any more.
  ~FileWatcher();

  // Calls `on_change`, on a thread of this, whenever one of `paths` was
  // written, replaced, removed or made since this call. To miss nothing, read
  // the files after it.
  void Watch(const std::vector<std::string>& paths,
             std::function<void()> on_change);

 private:
  struct Entry {
    std::vector<std::string> paths;
    std::function<void()> on_change;
    std::vector<FileStamp> stamps;  // Of the last look.
    bool moving = false;            // They had changed then.
  };

  void Run();
  // The callbacks of what has changed and settled.
  std::vector<std::function<void()>> Look();

  const absl::Duration interval_;
  absl::Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);  // From the first Watch() on.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_FILE_WATCHER_H_
