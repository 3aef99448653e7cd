#ifndef HYBRIDSERVE_COMMON_TESTING_HTTP_GET_H_
#define HYBRIDSERVE_COMMON_TESTING_HTTP_GET_H_

#include <string>

namespace hybridserve {

// What http://HOST:PORT/PATH answers, headers included; empty if nobody does.
// HOST is an IPv4 address.
std::string HttpGet(const std::string& address, const std::string& path);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_TESTING_HTTP_GET_H_
