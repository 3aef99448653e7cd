#ifndef HYBRIDSERVE_COMMON_SECURITY_GOOD_TLS_FILES_H_
#define HYBRIDSERVE_COMMON_SECURITY_GOOD_TLS_FILES_H_

#include "absl/status/statusor.h"
#include "common/security/tls_files.h"

namespace hybridserve {

// Copies of `files`, in memory, that follow them as long as they make sense:
// for gRPC's own watcher, which from the moment that a bad file is there dials
// nobody. What is bad is logged as an error, and the copies stay.
//
// The copies of the same files are made once and kept to the process's end:
// gRPC may still look at them when a channel is gone.
//
// InvalidArgument naming the flag if the files are bad and no copy is there
// yet; another error where the system has no files in memory. Thread-safe.
absl::StatusOr<TlsFiles> CopyGoodTlsFiles(const TlsFiles& files);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SECURITY_GOOD_TLS_FILES_H_
