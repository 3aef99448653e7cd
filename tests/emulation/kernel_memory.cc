#include "tests/emulation/kernel_memory.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// Of the linker: the program's own code and constants lie between.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" char __executable_start;
extern "C" char end;

namespace hybridserve {

alignas(128) unsigned char cuda_shared_memory[kMostSharedBytes];

namespace emulation {
namespace {

absl::string_view Verb(AccessKind kind) {
  switch (kind) {
    case AccessKind::kRead:
      return "reads";
    case AccessKind::kWrite:
      return "writes";
    case AccessKind::kAtomic:
      return "changes";
  }
  return "?";
}

std::string Describe(const ThreadPoint& point) {
  return absl::StrCat("thread ", point.thread, " of block ", point.block);
}

void Complain(FaultKind kind, const KernelThread& thread,
              absl::string_view message) {
  AddFault(kind, thread.launch().name,
           absl::StrCat(Describe(thread.point()), " ", message));
}

bool IsConstantOfTheProgram(uintptr_t address) {
  return address >= reinterpret_cast<uintptr_t>(&__executable_start) &&
         address < reinterpret_cast<uintptr_t>(&end);
}

}  // namespace

void KernelMemory::OnAccess(const void* address, int64_t bytes, AccessKind kind,
                            bool scalar) {
  const KernelThread& thread = *CurrentThread();
  if (thread.OwnsStack(address)) return;
  const auto place = reinterpret_cast<uintptr_t>(address);
  const KernelLaunch& launch = thread.launch();
  const auto parameters = reinterpret_cast<uintptr_t>(launch.parameters.get());
  if (kind == AccessKind::kRead && place >= parameters &&
      place + bytes <= parameters + launch.parameter_bytes) {
    return;
  }
  if (scalar && place % bytes != 0) {
    Complain(FaultKind::kMisaligned, thread,
             absl::StrCat(Verb(kind), " ", bytes, " bytes at an address ",
                          place % bytes, " bytes off"));
  }
  const auto shared = reinterpret_cast<uintptr_t>(cuda_shared_memory);
  if (place >= shared && place < shared + kMostSharedBytes) {
    OnShared(thread, static_cast<int64_t>(place - shared), bytes, kind);
    return;
  }
  const Allocation* const found = Find(place);
  if (found == nullptr) {
    if (kind == AccessKind::kRead && IsConstantOfTheProgram(place)) return;
    Complain(FaultKind::kOutOfBounds, thread,
             absl::StrCat(Verb(kind), " ", bytes,
                          " bytes of no memory that the device knows"));
    return;
  }
  if (found->freed) {
    Complain(FaultKind::kUseAfterFree, thread,
             absl::StrCat(Verb(kind), " ", bytes, " bytes of freed memory"));
    return;
  }
  if (place + bytes > found->end()) {
    Complain(FaultKind::kOutOfBounds, thread,
             absl::StrCat(Verb(kind), " ", bytes, " bytes, ",
                          place + bytes - found->end(), " of them beyond ",
                          found->bytes, " bytes of memory"));
    return;
  }
  OnGlobal(thread, *found, place, bytes, kind);
}

const Allocation* KernelMemory::Find(uintptr_t address) {
  for (size_t i = 0; i < last_.size(); ++i) {
    if (address < last_[i].begin || address >= last_[i].end()) continue;
    if (i > 0) std::swap(last_[i], last_[i - 1]);
    return &last_[i > 0 ? i - 1 : 0];
  }
  const std::optional<Allocation> found = map_.Find(address);
  if (!found.has_value()) return nullptr;
  last_.back() = *found;
  return &last_.back();
}

void KernelMemory::OnShared(const KernelThread& thread, int64_t offset,
                            int64_t bytes, AccessKind kind) {
  const ThreadPoint point = thread.point();
  const int64_t size = thread.launch().shared_bytes;
  if (offset + bytes > size) {
    Complain(FaultKind::kOutOfBounds, thread,
             absl::StrCat(Verb(kind), " shared memory at ", offset, ", ", bytes,
                          " bytes of ", size));
    return;
  }
  if (point.block != shared_block_) {
    shared_.assign(size, Touches());
    shared_block_ = point.block;
  }
  for (int64_t i = offset; i < offset + bytes; ++i) {
    if (kind != AccessKind::kWrite && !shared_[i].written()) {
      Complain(FaultKind::kUninitialized, thread,
               absl::StrCat("reads shared memory at ", i,
                            ", which nobody has written"));
    }
    if (const auto other = shared_[i].Add(kind, point); other.has_value()) {
      Complain(FaultKind::kSharedRace, thread,
               absl::StrCat(Verb(kind), " shared memory at ", i, ", as ",
                            Describe(*other), " does"));
      return;
    }
  }
}

void KernelMemory::OnGlobal(const KernelThread& thread,
                            const Allocation& allocation, uintptr_t address,
                            int64_t bytes, AccessKind kind) {
  const ThreadPoint point = thread.point();
  for (uintptr_t granule = address / kGranule;
       granule <= (address + bytes - 1) / kGranule; ++granule) {
    const auto other = Global(granule).Add(kind, point);
    if (!other.has_value()) continue;
    Complain(FaultKind::kGlobalRace, thread,
             absl::StrCat(
                 Verb(kind), " byte ", granule * kGranule - allocation.begin,
                 " of ", allocation.bytes, ", as ", Describe(*other), " does"));
    return;
  }
}

Touches& KernelMemory::Global(uintptr_t granule) {
  const uintptr_t number = granule / kPageGranules;
  if (last_page_ == nullptr || number != last_page_number_) {
    std::unique_ptr<Page>& page = pages_[number];
    if (page == nullptr) page = std::make_unique<Page>();
    last_page_ = page.get();
    last_page_number_ = number;
  }
  return (*last_page_)[granule % kPageGranules];
}

std::vector<ByteRange> KernelMemory::Ranges() const {
  std::vector<uintptr_t> numbers;
  numbers.reserve(pages_.size());
  for (const auto& [number, page] : pages_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  std::vector<ByteRange> ranges;
  for (const uintptr_t number : numbers) {
    const Page& page = *pages_.at(number);
    for (uintptr_t i = 0; i < kPageGranules; ++i) {
      if (!page[i].touched()) continue;
      const uintptr_t begin = (number * kPageGranules + i) * kGranule;
      if (!ranges.empty() && ranges.back().end == begin &&
          ranges.back().written == page[i].written()) {
        ranges.back().end += kGranule;
      } else {
        ranges.push_back({begin, begin + kGranule, page[i].written()});
      }
    }
  }
  return ranges;
}

}  // namespace emulation
}  // namespace hybridserve
