#include "common/file_watcher.h"

#include <utility>

namespace hybridserve {
namespace {

std::vector<FileStamp> StampsOf(const std::vector<std::string>& paths) {
  std::vector<FileStamp> stamps;
  stamps.reserve(paths.size());
  for (const std::string& path : paths) stamps.push_back(StampOf(path));
  return stamps;
}

}  // namespace

FileWatcher::FileWatcher(absl::Duration interval) : interval_(interval) {}

FileWatcher::~FileWatcher() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void FileWatcher::Watch(const std::vector<std::string>& paths,
                        std::function<void()> on_change) {
  absl::MutexLock lock(&mutex_);
  entries_.push_back({.paths = paths,
                      .on_change = std::move(on_change),
                      .stamps = StampsOf(paths)});
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

void FileWatcher::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), interval_);
      if (stopping_) return;
    }
    // Unlocked: they take their time.
    for (const std::function<void()>& on_change : Look()) on_change();
  }
}

std::vector<std::function<void()>> FileWatcher::Look() {
  std::vector<std::function<void()>> due;
  absl::MutexLock lock(&mutex_);
  for (Entry& entry : entries_) {
    std::vector<FileStamp> stamps = StampsOf(entry.paths);
    const bool moved = stamps != entry.stamps;
    if (entry.moving && !moved) due.push_back(entry.on_change);
    entry.moving = moved;
    entry.stamps = std::move(stamps);
  }
  return due;
}

}  // namespace hybridserve
