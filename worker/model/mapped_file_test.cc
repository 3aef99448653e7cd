#include "worker/model/mapped_file.h"

#include <sys/stat.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/testing/scratch_folder.h"

namespace hybridserve {
namespace {

absl::string_view Text(const MappedFile& file) {
  return {file.bytes().data(), file.bytes().size()};
}

TEST(MappedFileTest, HoldsTheFilesBytes) {
  const ScratchFolder folder;
  folder.Write("a", "some bytes");
  MappedFile file = MappedFile::Open(folder.PathOf("a")).value();
  EXPECT_EQ(Text(file), "some bytes");
  EXPECT_EQ(file.path(), folder.PathOf("a"));

  const MappedFile moved = std::move(file);
  EXPECT_EQ(Text(moved), "some bytes");
  EXPECT_EQ(moved.path(), folder.PathOf("a"));
}

TEST(MappedFileTest, AnEmptyFileIsNoError) {
  const ScratchFolder folder;
  folder.Write("empty", "");
  const MappedFile file = MappedFile::Open(folder.PathOf("empty")).value();
  EXPECT_TRUE(file.bytes().empty());
  file.Drop(0, 0);
}

TEST(MappedFileTest, SaysWhichFileAndWhy) {
  const ScratchFolder folder;
  EXPECT_THAT(MappedFile::Open(folder.PathOf("none")).status(),
              StatusIs(absl::StatusCode::kNotFound, folder.PathOf("none")));
  EXPECT_THAT(MappedFile::Open(folder.path()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       folder.path() + ": not a regular file"));
  // Whose other end nobody opens: must not wait for it.
  ASSERT_EQ(mkfifo(folder.PathOf("pipe").c_str(), 0600), 0);
  EXPECT_THAT(
      MappedFile::Open(folder.PathOf("pipe")).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, "not a regular file"));
}

TEST(MappedFileTest, DroppedBytesComeBack) {
  const ScratchFolder folder;
  const std::string text(100'000, 'x');
  folder.Write("a", text);
  const MappedFile file = MappedFile::Open(folder.PathOf("a")).value();
  EXPECT_EQ(Text(file), text);
  file.Drop(1, 99'998);
  EXPECT_EQ(Text(file), text);
}

TEST(MappedFileDeathTest, DropStaysInsideTheFile) {
  const ScratchFolder folder;
  folder.Write("a", "four");
  const MappedFile file = MappedFile::Open(folder.PathOf("a")).value();
  EXPECT_DEATH(file.Drop(1, 4), "1\\+4 of 4");
  EXPECT_DEATH(file.Drop(-1, 1), "-1\\+1 of 4");
}

}  // namespace
}  // namespace hybridserve
