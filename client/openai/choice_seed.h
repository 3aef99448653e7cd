#ifndef HYBRIDSERVE_CLIENT_OPENAI_CHOICE_SEED_H_
#define HYBRIDSERVE_CLIENT_OPENAI_CHOICE_SEED_H_

#include <cstdint>

namespace hybridserve::openai {

// The seed of a prompt's choice `choice`, from 0, of a request with `seed`. The
// first one's is the request's own, so that n changes no choice that was there
// without; the others' are as good as unrelated.
uint64_t ChoiceSeed(uint64_t seed, int64_t choice);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_CHOICE_SEED_H_
