#ifndef HYBRIDSERVE_COMMON_SECURITY_TLS_FILES_H_
#define HYBRIDSERVE_COMMON_SECURITY_TLS_FILES_H_

#include <string>
#include <vector>

namespace hybridserve {

// PEM files of one end of a connection, which may be replaced while they are
// in use.
struct TlsFiles {
  std::string certificate_file;  // Chain, leaf first.
  std::string key_file;          // The leaf's private key, not encrypted.
  // Certificates that the other end's must come from. For a server: clients
  // must have one (mTLS); empty: they need none.
  std::string ca_file;

  // Nothing to show to the other end.
  bool empty() const { return certificate_file.empty() && key_file.empty(); }

  // Those that are named.
  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const std::string* path : {&certificate_file, &key_file, &ca_file}) {
      if (!path->empty()) paths.push_back(*path);
    }
    return paths;
  }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SECURITY_TLS_FILES_H_
