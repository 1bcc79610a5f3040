// SPDX-License-Identifier: Apache-2.0
#include "coordinator/storage/blob_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

class BlobStoreTest : public testing::Test {
 protected:
  BlobStoreTest()
      : folder_(absl::StrCat(testing::TempDir(), "blobs-", getpid())) {}
  ~BlobStoreTest() override { std::filesystem::remove_all(folder_); }

  BlobStore Open() const { return BlobStore::Open(folder_).value(); }
  int Files() const {
    int count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(folder_)) {
      ++count;
    }
    return count;
  }

  const std::string folder_;
};

TEST_F(BlobStoreTest, BlobIsNamedByItsHashAndKeptOnce) {
  const BlobStore blobs = Open();
  const std::string sha256 = blobs.Put("bytes").value();
  EXPECT_EQ(sha256, Sha256Of("bytes"));
  EXPECT_EQ(blobs.Put("bytes").value(), sha256);
  EXPECT_EQ(Files(), 1);
  EXPECT_EQ(ReadFile(blobs.Path(sha256)).value(), "bytes");
}

TEST_F(BlobStoreTest, ChunksGoToTheEndAndNotPastIt) {
  const BlobStore blobs = Open();
  const std::string sha256 = blobs.Put("bytes").value();
  const auto middle = blobs.Read(sha256, 1, 3);
  ASSERT_TRUE(middle.ok()) << middle.status();
  EXPECT_EQ(middle->data, "yte");
  EXPECT_EQ(middle->total_size, 5u);
  EXPECT_EQ(blobs.Read(sha256, 3, 100)->data, "es");
  EXPECT_EQ(blobs.Read(sha256, 5, 100)->data, "");
  EXPECT_EQ(blobs.Read(sha256, 6, 1).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST_F(BlobStoreTest, BlobThatIsNotThereIsNotFound) {
  const BlobStore blobs = Open();
  const std::string sha256 = blobs.Put("bytes").value();
  blobs.Remove(sha256);
  blobs.Remove(sha256);
  EXPECT_EQ(blobs.Read(sha256, 0, 1).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(BlobStoreTest, AdoptedFileIsTheBlobAndItsTemporaryNameIsGone) {
  const BlobStore blobs = Open();
  const std::string part = blobs.TemporaryPath("upload-1");
  std::ofstream(part) << "bytes";
  ASSERT_TRUE(blobs.Adopt(part, Sha256Of("bytes")).ok());
  EXPECT_EQ(blobs.Read(Sha256Of("bytes"), 0, 9)->data, "bytes");
  EXPECT_FALSE(FileExists(part));
  EXPECT_FALSE(blobs.Adopt(part, Sha256Of("bytes")).ok());
}

TEST_F(BlobStoreTest, OpeningRemovesWhatACrashLeftAndKeepsBlobs) {
  const BlobStore before = Open();
  const std::string sha256 = before.Put("bytes").value();
  std::ofstream(before.TemporaryPath("upload-1")) << "half";
  const BlobStore after = Open();
  EXPECT_EQ(Files(), 1);
  EXPECT_EQ(after.Read(sha256, 0, 9)->data, "bytes");
}

}  // namespace
}  // namespace hilum
