#include "common/wire/model_files_wire.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

// A tokenizer that takes several chunks, with every byte value in it.
ModelFiles SomeFiles() {
  ModelFiles files{.config_json = "{}", .merges_txt = "a b\n"};
  for (int i = 0; i < 2'500'000; ++i) {
    files.tokenizer_json.push_back(static_cast<char>(i * 7));
  }
  return files;
}

pb::Register RegistrationOf(const ModelFiles& files) {
  pb::Register registration;
  for (const pb::FileDigest& digest : DigestsOf(files)) {
    *registration.add_files() = digest;
  }
  return registration;
}

absl::StatusOr<ModelFiles> Assemble(const std::vector<pb::FileChunk>& chunks,
                                    const pb::Register& registration) {
  ModelFilesAssembler assembler;
  for (const pb::FileChunk& chunk : chunks) {
    const absl::Status status = assembler.Add(chunk);
    if (!status.ok()) return status;
  }
  return assembler.Finish(registration);
}

TEST(ModelFilesWireTest, FilesSurviveTheWayThereAndBack) {
  const ModelFiles files = SomeFiles();
  const std::vector<pb::FileChunk> chunks = ModelFilesToWire(files);
  EXPECT_EQ(chunks.size(), 5u);  // One, three of 1 MiB or less, one.
  const auto back = Assemble(chunks, RegistrationOf(files));
  ASSERT_THAT(back, IsOk());
  for (const ModelFileField& field : ModelFileFields()) {
    EXPECT_EQ((*back).*field.content, files.*field.content) << field.name;
  }
}

TEST(ModelFilesWireTest, ALostOrSwappedChunkIsNoticed) {
  const ModelFiles files = SomeFiles();
  for (size_t lost = 0; lost < 5; ++lost) {
    std::vector<pb::FileChunk> chunks = ModelFilesToWire(files);
    chunks.erase(chunks.begin() + static_cast<ptrdiff_t>(lost));
    EXPECT_THAT(Assemble(chunks, RegistrationOf(files)),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  std::vector<pb::FileChunk> chunks = ModelFilesToWire(files);
  std::swap(chunks[1], chunks[2]);
  EXPECT_THAT(Assemble(chunks, RegistrationOf(files)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "tokenizer.json: is 1048576 and not 0"));
}

TEST(ModelFilesWireTest, AFlippedByteIsNoticed) {
  const ModelFiles files = SomeFiles();
  std::vector<pb::FileChunk> chunks = ModelFilesToWire(files);
  (*chunks[2].mutable_data())[77] ^= 1;
  EXPECT_THAT(
      Assemble(chunks, RegistrationOf(files)),
      StatusIs(absl::StatusCode::kInvalidArgument, "tokenizer.json: the"));
}

TEST(ModelFilesWireTest, AFileThatIsNotNamedIsRefused) {
  const ModelFiles files = SomeFiles();
  pb::Register registration = RegistrationOf(files);
  registration.mutable_files()->RemoveLast();
  EXPECT_THAT(Assemble(ModelFilesToWire(files), registration),
              StatusIs(absl::StatusCode::kInvalidArgument, "merges.txt"));
}

TEST(ModelFilesWireTest, UnknownFilesAndLargeChunksAreRefused) {
  ModelFilesAssembler assembler;
  pb::FileChunk chunk;
  chunk.set_data("x");
  EXPECT_THAT(assembler.Add(chunk),
              StatusIs(absl::StatusCode::kInvalidArgument, "file_chunk.file"));
  chunk.set_file(pb::MODEL_FILE_VOCAB_JSON);
  chunk.set_data(std::string(ModelFilesAssembler::kMaxChunkBytes + 1, 'x'));
  EXPECT_THAT(assembler.Add(chunk),
              StatusIs(absl::StatusCode::kInvalidArgument, "file_chunk.data"));
}

TEST(ModelFilesWireTest, AllFilesTogetherAreBounded) {
  ModelFilesAssembler assembler;
  pb::FileChunk chunk;
  chunk.set_file(pb::MODEL_FILE_VOCAB_JSON);
  chunk.set_data(std::string(ModelFilesAssembler::kMaxChunkBytes, 'x'));
  for (int i = 0; i < 256; ++i) {
    chunk.set_offset(i * ModelFilesAssembler::kMaxChunkBytes);
    ASSERT_THAT(assembler.Add(chunk), IsOk());
  }
  chunk.set_offset(256 * ModelFilesAssembler::kMaxChunkBytes);
  EXPECT_THAT(assembler.Add(chunk),
              StatusIs(absl::StatusCode::kInvalidArgument, "all files"));
}

}  // namespace
}  // namespace hybridserve
