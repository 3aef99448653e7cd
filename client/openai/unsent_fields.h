#ifndef HYBRIDSERVE_CLIENT_OPENAI_UNSENT_FIELDS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_UNSENT_FIELDS_H_

#include "absl/status/status.h"
#include "client/generation_options.h"
#include "hybridserve/v1/model_service.pb.h"

namespace hybridserve::openai {

// What the server would say of how to sample and when to stop, where no request
// tells it as no token is wanted: InvalidArgument naming the field as the
// server does.
absl::Status CheckUnsentFields(const GenerationOptions& options,
                               const v1::Model& model);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_UNSENT_FIELDS_H_
