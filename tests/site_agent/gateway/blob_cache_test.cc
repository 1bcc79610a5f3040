// SPDX-License-Identifier: Apache-2.0
// How far a coordinator can fill the folder of blobs.
#include "site_agent/gateway/blob_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr size_t kBytes = (2 << 20) + 40;  // two chunks and a bit

class BlobCacheBoundTest : public testing::Test {
 protected:
  BlobCacheBoundTest() {
    std::filesystem::remove_all(folder_);
    Reopen();
  }

  // Returns different bytes for each `i`.
  static std::string BytesOf(int i) {
    std::string bytes(kBytes, static_cast<char>(i));
    bytes.replace(0, sizeof(i), reinterpret_cast<const char*>(&i), sizeof(i));
    return bytes;
  }
  static v1::BlobRef RefOf(const std::string& bytes) {
    v1::BlobRef blob;
    blob.set_sha256(Sha256Of(bytes));
    blob.set_size(bytes.size());
    return blob;
  }
  void Reopen() { cache_ = BlobCache::Open(folder_); }
  absl::Status Fetch(const std::string& bytes, bool whole = true) {
    return cache_
        ->Get(RefOf(bytes),
              [&](uint64_t offset, uint32_t size,
                  v1::FetchBlobResponse& response) -> absl::Status {
                ++calls_;
                if (!whole && offset + size == bytes.size()) {
                  return absl::NotFoundError("the round is over");
                }
                response.set_data(bytes.substr(offset, size));
                response.set_total_size(bytes.size());
                return absl::OkStatus();
              })
        .status();
  }
  uint64_t Stored() const {
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      bytes += entry.file_size();
    }
    return bytes;
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/blob-cache-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  absl::StatusOr<BlobCache> cache_ = absl::UnknownError("not opened");
  std::atomic<int> calls_ = 0;
};

TEST_F(BlobCacheBoundTest, OneUnfinishedBlobStaysAndIsGoneOnWith) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Fetch(BytesOf(i), false).code(), absl::StatusCode::kNotFound);
    if (i == 10) Reopen();
  }
  EXPECT_LT(Stored(), 2 * kBytes);
  EXPECT_GT(Stored(), kBytes / 2);
  calls_ = 0;
  EXPECT_TRUE(Fetch(BytesOf(19)).ok());
  EXPECT_EQ(calls_, 1);  // the last chunk
}

TEST_F(BlobCacheBoundTest, WholeBlobsThatNobodyKeepsAreBoundedToo) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Fetch(BytesOf(i)).ok());
    if (i % 3 == 0) Reopen();  // the gateway ended again
  }
  EXPECT_LT(Stored(), (BlobCache::kMostFetched + 1) * kBytes);
  // The last blobs are there.
  calls_ = 0;
  EXPECT_TRUE(Fetch(BytesOf(18)).ok());
  EXPECT_EQ(calls_, 0);
}

TEST_F(BlobCacheBoundTest, WhatIsKeptAndWhatTheSiteMadeGiveNoWay) {
  const std::string kept = BytesOf(100), made = BytesOf(101);
  ASSERT_TRUE(Fetch(kept).ok());
  ASSERT_TRUE(WriteFileAtomically(cache_->NewPath("next"), made).ok());
  ASSERT_TRUE(cache_->Adopt(cache_->NewPath("next"), RefOf(made)).ok());
  cache_->KeepOnly({RefOf(kept), RefOf(made)});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Fetch(BytesOf(i)).ok());
  EXPECT_TRUE(cache_->Has(RefOf(kept)));
  EXPECT_TRUE(cache_->Has(RefOf(made)));
  Reopen();
  for (int i = 10; i < 20; ++i) ASSERT_TRUE(Fetch(BytesOf(i)).ok());
  EXPECT_TRUE(cache_->Has(RefOf(kept)));
  EXPECT_TRUE(cache_->Has(RefOf(made)));
}

}  // namespace
}  // namespace hilum
