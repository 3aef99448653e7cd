#ifndef HYBRIDSERVE_COMMON_FILE_STAMP_H_
#define HYBRIDSERVE_COMMON_FILE_STAMP_H_

#include <cstdint>
#include <string>

namespace hybridserve {

// What stat() says of a file, links followed. Two equal stamps: the file was
// neither written nor replaced in between, as far as the file system's clock
// can tell.
struct FileStamp {
  bool exists = false;  // And may be looked at; if not, the rest is 0.
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_ns = 0;  // Of the content.
  int64_t changed_ns = 0;   // Of the inode: a file moved here changes it.

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp StampOf(const std::string& path);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_FILE_STAMP_H_
