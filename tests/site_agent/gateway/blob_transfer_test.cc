// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/blob_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

std::string NewFolder() {
  std::string path = absl::StrCat(
      testing::TempDir(), "/transfer-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

// Returns three chunks and a part of one, all different.
std::string SomeBytes() {
  std::string bytes;
  for (uint32_t i = 0; bytes.size() < (3 << 20) + 40; ++i) {
    bytes.append(reinterpret_cast<const char*>(&i), sizeof i);
  }
  return bytes;
}

v1::BlobRef RefOf(const std::string& bytes) {
  v1::BlobRef blob;
  blob.set_sha256(Sha256Of(bytes));
  blob.set_size(bytes.size());
  return blob;
}

TEST(BlobCacheTest, CutDownloadGoesOnAtItsByteAndOtherBytesAreDropped) {
  auto cache = BlobCache::Open(NewFolder());
  const std::string bytes = SomeBytes();
  const v1::BlobRef blob = RefOf(bytes);
  absl::Mutex mutex;
  std::set<uint64_t> offsets;
  bool cut = true;
  std::string source = bytes;
  auto fetch = [&](uint64_t offset, uint32_t size,
                   v1::FetchBlobResponse& response) -> absl::Status {
    absl::MutexLock lock(&mutex);
    offsets.insert(offset);
    if (cut && offset == 2 << 20) return absl::UnavailableError("cut");
    response.set_data(source.substr(offset, size));
    response.set_total_size(source.size());
    return absl::OkStatus();
  };
  EXPECT_EQ(cache->Get(blob, fetch).status().code(),
            absl::StatusCode::kUnavailable);
  cut = false;
  offsets.clear();
  auto path = cache->Get(blob, fetch);
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*ReadFile(*path), bytes);
  EXPECT_THAT(offsets, testing::ElementsAre(2 << 20, 3 << 20));

  cache->KeepOnly({});
  source.back() ^= 1;
  EXPECT_EQ(cache->Get(blob, fetch).status().code(),
            absl::StatusCode::kDataLoss);
  source = bytes;
  EXPECT_TRUE(cache->Get(blob, fetch).ok());
}

// A coordinator's side of an upload, which may lose bytes that it received.
struct UploadSink {
  absl::Mutex mutex;
  std::string stored;
  int lose = 0;  // how often it loses the second chunk
  int calls = 0;

  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response) {
    const auto& chunk = dynamic_cast<const v1::UploadChunkRequest&>(request);
    absl::MutexLock lock(&mutex);
    ++calls;
    auto is_next = [&] { return chunk.offset() <= stored.size(); };
    mutex.AwaitWithTimeout(absl::Condition(&is_next), absl::Milliseconds(20));
    if (chunk.offset() == 1 << 20 && lose > 0) {
      --lose;
      stored.clear();
    } else if (chunk.offset() == stored.size()) {
      stored += chunk.data();
    }
    dynamic_cast<v1::UploadChunkResponse&>(*response).set_stored(stored.size());
    return absl::OkStatus();
  }
};

class BlobTransferTest : public testing::Test {
 protected:
  BlobTransferTest() { EXPECT_TRUE(WriteFileAtomically(path_, bytes_).ok()); }
  absl::Status Upload() {
    BlobTransfer transfer(
        [this](absl::string_view method, const auto& request,
               google::protobuf::Message* response) {
          return sink_.Call(method, request, response);
        },
        *cache_);
    return transfer.Upload(v1::Header(), RefOf(bytes_), path_);
  }

  const std::string bytes_ = SomeBytes();
  const std::string folder_ = NewFolder();
  const std::string path_ = absl::StrCat(folder_, "/delta");
  absl::StatusOr<BlobCache> cache_ = BlobCache::Open(folder_ + "/cache");
  UploadSink sink_;
};

TEST_F(BlobTransferTest, UploadArrivesWholeAndInOrder) {
  ASSERT_TRUE(Upload().ok());
  EXPECT_EQ(sink_.stored, bytes_);
}

TEST_F(BlobTransferTest, UploadGoesOnWhereTheCoordinatorStands) {
  sink_.stored = bytes_.substr(0, 2 << 20);
  ASSERT_TRUE(Upload().ok());
  EXPECT_EQ(sink_.stored, bytes_);
  EXPECT_EQ(sink_.calls, 3);  // the question, and the missing chunks
}

TEST_F(BlobTransferTest, LostChunksAreSentAgainButNotForEver) {
  sink_.lose = 2;
  ASSERT_TRUE(Upload().ok());
  EXPECT_EQ(sink_.stored, bytes_);
  sink_.stored.clear();
  sink_.lose = 1000;
  EXPECT_EQ(Upload().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace hilum
