#include "common/version.h"

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "common/sha256.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kNoteOwner("GNU\0", 4);

size_t Padded(size_t size) { return (size + 3) / 4 * 4; }

// The build id in a PT_NOTE segment's bytes; empty if there is none.
std::string BuildIdIn(absl::string_view notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes.data(), sizeof(header));
    notes.remove_prefix(sizeof(header));
    const size_t name_size = Padded(header.n_namesz);
    const size_t size = name_size + Padded(header.n_descsz);
    if (size > notes.size()) break;
    if (header.n_type == NT_GNU_BUILD_ID &&
        notes.substr(0, header.n_namesz) == kNoteOwner) {
      return absl::BytesToHexString(notes.substr(name_size, header.n_descsz));
    }
    notes.remove_prefix(size);
  }
  return "";
}

// A dl_iterate_phdr callback. The program itself comes first: stops there.
int VisitProgram(dl_phdr_info* info, size_t /*size*/, void* build_id) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    // The loader gives addresses as integers.
    // NOLINTBEGIN(performance-no-int-to-ptr)
    const auto* bytes =
        reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    // NOLINTEND(performance-no-int-to-ptr)
    const std::string found =
        BuildIdIn(absl::string_view(bytes, segment.p_memsz));
    if (!found.empty()) *static_cast<std::string*>(build_id) = found;
  }
  return 1;
}

std::string HashOfProgramFile() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  Sha256 hash;
  std::string buffer(1 << 20, '\0');
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.Update(absl::string_view(buffer.data(), file.gcount()));
  }
  return hash.Hex();
}

std::string FindBuildId() {
  std::string build_id;
  dl_iterate_phdr(VisitProgram, &build_id);
  return build_id.empty() ? HashOfProgramFile() : build_id;
}

}  // namespace

absl::string_view Version() {
  return
#include "common/release_number.inc"
      ;  // NOLINT: the file is a string literal.
}

const std::string& BuildId() {
  static const auto* const build_id = new std::string(FindBuildId());
  return *build_id;
}

}  // namespace hybridserve
