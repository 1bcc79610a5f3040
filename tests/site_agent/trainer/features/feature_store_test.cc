// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/features/feature_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "tests/support/seeded_secure_rng.h"
#include "tests/support/tiny_disk.h"

namespace hilum {
namespace {

constexpr size_t kFeatures = 5;
constexpr size_t kRecord = 64 + kFeatures * sizeof(float);
constexpr int kCases = 3;

std::string Digest(int number) { return Sha256Of(absl::StrCat(number)); }

// Returns values of which no two are equal, in all cases together.
std::vector<float> Features(int number, size_t size = kFeatures) {
  std::vector<float> features(size);
  for (size_t i = 0; i < size; ++i) {
    features[i] =
        std::sin(static_cast<float>(number * 1000 + 1) + static_cast<float>(i));
  }
  return features;
}

absl::string_view BytesOf(absl::Span<const float> features) {
  return {reinterpret_cast<const char*>(features.data()),
          features.size() * sizeof(float)};
}

void FlipByte(std::string& bytes, size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
}

// A plain store and an encrypted one.
class FeatureStoreTest : public testing::TestWithParam<bool> {
 protected:
  FeatureStoreTest()
      : folder_(absl::StrCat(testing::TempDir(), "/features-", getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~FeatureStoreTest() override { std::filesystem::remove_all(folder_); }

  FeatureStoreOptions Options() const {
    return {.folder = folder_,
            .key = std::string(32, 'k'),
            .feature_size = kFeatures,
            .encryption_key = GetParam() ? Key(7) : SecretBytes()};
  }

  static SecretBytes Key(uint8_t byte) {
    return SecretBytes::FromBytes(std::vector<uint8_t>(32, byte));
  }

  std::unique_ptr<FeatureStore> Open(const FeatureStoreOptions& options) {
    auto store = FeatureStore::Open(options, rng_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  std::unique_ptr<FeatureStore> Open() { return Open(Options()); }

  static absl::Status Append(FeatureStore& store, int number,
                             size_t size = kFeatures) {
    return store.Append({Digest(number)}, Features(number, size));
  }

  // Writes cases 0, 1, ... and returns the file's bytes.
  std::string Fill(int cases = kCases) {
    auto store = Open();
    for (int i = 0; i < cases; ++i) EXPECT_TRUE(Append(*store, i).ok());
    return ReadFile(store->path()).value();
  }

  std::string Path(char key = 'k') const {
    return absl::StrCat(folder_, "/", ToHex(std::string(32, key)), ".features");
  }

  void Write(absl::string_view bytes) {
    unlink(Path().c_str());  // ext4 would sync a file that is replaced
    ASSERT_TRUE(WriteFileAtomically(Path(), bytes, Durability::kNone).ok());
  }

  // Returns whether the case is stored; checks its values.
  static bool IsRight(const FeatureStore& store, int number) {
    std::vector<float> read(kFeatures);
    const bool has = store.Has(Digest(number));
    const absl::Status status =
        store.Read(Digest(number), absl::MakeSpan(read));
    EXPECT_EQ(store.Has(Digest(number)), status.ok());
    if (!status.ok()) {
      EXPECT_EQ(absl::IsDataLoss(status), has) << status;
      EXPECT_EQ(absl::IsNotFound(status), !has) << status;
      return false;
    }
    EXPECT_EQ(read, Features(number));
    return true;
  }

  const std::string folder_;
  SeededSecureRng rng_{1, "features"};
};

INSTANTIATE_TEST_SUITE_P(, FeatureStoreTest, testing::Bool(),
                         [](const auto& test) {
                           return test.param ? "Encrypted" : "Plain";
                         });

TEST_P(FeatureStoreTest, GivesBackWhatWasAppendedAndNothingElse) {
  auto store = Open();
  EXPECT_FALSE(IsRight(*store, 0));
  std::vector<std::string> digests;
  std::vector<float> features;
  for (int i = 0; i < kCases; ++i) {
    digests.push_back(Digest(i));
    for (const float value : Features(i)) features.push_back(value);
  }
  ASSERT_TRUE(store->Append(digests, features).ok());
  for (const char* time : {"first", "once more"}) {
    for (int i = 0; i < kCases; ++i) EXPECT_TRUE(IsRight(*store, i)) << time;
  }
  EXPECT_FALSE(IsRight(*store, kCases));
}

TEST_P(FeatureStoreTest, IsThereAfterReopeningAndGrows) {
  Fill(2);
  auto store = Open();
  EXPECT_TRUE(IsRight(*store, 0) && IsRight(*store, 1));
  ASSERT_TRUE(Append(*store, 2).ok());
  store.reset();
  store = Open();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(IsRight(*store, i)) << i;
}

TEST_P(FeatureStoreTest, ACaseIsStoredOnce) {
  auto store = Open();
  ASSERT_TRUE(Append(*store, 0).ok());
  const uint64_t size = store->num_bytes();
  ASSERT_TRUE(Append(*store, 0).ok());
  EXPECT_EQ(store->num_bytes(), size);
  ASSERT_TRUE(
      store->Append({Digest(1), Digest(1)}, std::vector<float>(2 * kFeatures))
          .ok());
  EXPECT_EQ(store->num_bytes(), size + kRecord);
}

TEST_P(FeatureStoreTest, ATornTailIsCutOffWhereverItTore) {
  const std::string whole = Fill();
  for (size_t size = whole.size() - kRecord; size < whole.size(); ++size) {
    Write(whole.substr(0, size));
    auto store = Open();
    ASSERT_TRUE(IsRight(*store, 0) && IsRight(*store, 1)) << size;
    ASSERT_FALSE(store->Has(Digest(2))) << size;
    ASSERT_EQ(store->num_bytes(), whole.size() - kRecord) << size;
    ASSERT_TRUE(Append(*store, 2).ok()) << size;
    ASSERT_TRUE(IsRight(*store, 2)) << size;
    store.reset();
    ASSERT_TRUE(IsRight(*Open(), 2)) << size;
  }
}

TEST_P(FeatureStoreTest, ATornHeaderIsBegunAnew) {
  const std::string whole = Fill();
  for (size_t size = 0; size < whole.size() - kCases * kRecord; ++size) {
    Write(whole.substr(0, size));
    auto store = Open();
    ASSERT_TRUE(Append(*store, 0).ok()) << size;
    store.reset();
    ASSERT_TRUE(IsRight(*Open(), 0)) << size;
  }
}

// A damaged header loses all cases, a damaged record at most one. The four
// bytes after an encrypted record's tag have no meaning.
TEST_P(FeatureStoreTest, ADamagedByteNeverGivesOtherFeatures) {
  const std::string whole = Fill();
  const size_t header = whole.size() - kCases * kRecord;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    FlipByte(damaged, at);
    Write(damaged);
    auto store = Open();
    for (int i = 0; i < kCases; ++i) {
      const size_t begin = header + static_cast<size_t>(i) * kRecord;
      const bool of_this = at >= begin && at < begin + kRecord;
      const bool spare = GetParam() && at >= begin + 60 && at < begin + 64;
      ASSERT_EQ(IsRight(*store, i), at >= header && (!of_this || spare))
          << "byte " << at << ", case " << i;
    }
  }
}

TEST_P(FeatureStoreTest, ADamagedCaseCanBeAppendedAnew) {
  std::string bytes = Fill();
  FlipByte(bytes, bytes.size() - 1);
  Write(bytes);
  auto store = Open();
  ASSERT_TRUE(Append(*store, 2).ok());  // not yet known to be damaged
  EXPECT_FALSE(IsRight(*store, 2));
  ASSERT_TRUE(Append(*store, 2).ok());
  EXPECT_TRUE(IsRight(*store, 2));
  store.reset();
  store = Open();
  for (int i = 0; i < kCases; ++i) EXPECT_TRUE(IsRight(*store, i)) << i;
}

// Copies one case's seal and features under the name of another.
TEST_P(FeatureStoreTest, ACaseDoesNotPassForAnother) {
  std::string bytes = Fill(2);
  const size_t second = bytes.size() - kRecord;
  bytes.replace(second + 32, kRecord - 32,
                bytes.substr(second - kRecord + 32, kRecord - 32));
  Write(bytes);
  auto store = Open();
  EXPECT_TRUE(IsRight(*store, 0));
  EXPECT_FALSE(IsRight(*store, 1));
}

// Copies records from one file into another.
TEST_P(FeatureStoreTest, AStoreDoesNotTakeRecordsOfAnother) {
  const std::string bytes = Fill();
  FeatureStoreOptions other = Options();
  other.key[0] = 'o';
  const std::string path = Open(other)->path();
  const std::string header = ReadFile(path).value();
  ASSERT_TRUE(WriteFileAtomically(path, header + bytes.substr(header.size()),
                                  Durability::kNone)
                  .ok());
  auto store = Open(other);
  EXPECT_EQ(store->num_bytes(), bytes.size());
  for (int i = 0; i < kCases; ++i) EXPECT_FALSE(IsRight(*store, i)) << i;
}

TEST_P(FeatureStoreTest, IsBegunAnewForAnotherKeyOrSize) {
  FeatureStoreOptions other_size = Options();
  other_size.feature_size = kFeatures + 1;
  FeatureStoreOptions other_key = Options();
  other_key.encryption_key = Key(8);
  FeatureStoreOptions other_kind = Options();
  other_kind.encryption_key = GetParam() ? SecretBytes() : Key(7);
  const uint64_t header = Open()->num_bytes();
  for (const FeatureStoreOptions* other :
       {&other_size, &other_key, &other_kind}) {
    Fill();
    auto store = Open(*other);
    EXPECT_EQ(store->num_bytes(), header);
    EXPECT_EQ(std::filesystem::file_size(Path()), header);
    for (int i = 0; i < kCases; ++i) EXPECT_FALSE(store->Has(Digest(i)));
    ASSERT_TRUE(Append(*store, 1, other->feature_size).ok());
    std::vector<float> read(other->feature_size);
    ASSERT_TRUE(store->Read(Digest(1), absl::MakeSpan(read)).ok());
    EXPECT_EQ(read, Features(1, other->feature_size));
    store.reset();
    EXPECT_FALSE(Open()->Has(Digest(1)));
  }
}

TEST_P(FeatureStoreTest, RefusesSizesThatNobodyCanMean) {
  for (const size_t size : {size_t{0}, (size_t{1} << 28) + 1}) {
    FeatureStoreOptions options = Options();
    options.feature_size = size;
    EXPECT_TRUE(
        absl::IsInvalidArgument(FeatureStore::Open(options, rng_).status()));
  }
}

TEST_P(FeatureStoreTest, RefusesWhatIsNoFile) {
  ASSERT_EQ(mkfifo(Path().c_str(), 0600), 0);
  EXPECT_TRUE(
      absl::IsInvalidArgument(FeatureStore::Open(Options(), rng_).status()));
  unlink(Path().c_str());
  const std::string target = absl::StrCat(folder_, "/somebody's");
  ASSERT_TRUE(WriteFileAtomically(target, "text").ok());
  ASSERT_EQ(symlink(target.c_str(), Path().c_str()), 0);
  EXPECT_FALSE(FeatureStore::Open(Options(), rng_).ok());
  EXPECT_EQ(ReadFile(target).value(), "text");
}

TEST_P(FeatureStoreTest, ASecondOpenerIsRefusedAndHarmsNothing) {
  auto store = Open();
  ASSERT_TRUE(Append(*store, 0).ok());
  FeatureStoreOptions other = Options();
  other.encryption_key = Key(8);  // would begin anew
  for (const FeatureStoreOptions& options : {Options(), std::move(other)}) {
    EXPECT_TRUE(
        absl::IsFailedPrecondition(FeatureStore::Open(options, rng_).status()));
  }
  EXPECT_TRUE(IsRight(*store, 0));
  store.reset();
  EXPECT_TRUE(IsRight(*Open(), 0));
}

TEST_P(FeatureStoreTest, AFileCutShortMeanwhileEndsNoProcess) {
  auto store = Open();
  for (int i = 0; i < kCases; ++i) {
    ASSERT_TRUE(Append(*store, i).ok());
    ASSERT_TRUE(IsRight(*store, i));
  }
  ASSERT_EQ(truncate(Path().c_str(),
                     static_cast<off_t>(store->num_bytes() - kRecord - 1)),
            0);
  EXPECT_TRUE(IsRight(*store, 0));
  EXPECT_FALSE(IsRight(*store, 1));
  // Append would leave a hole, which reads as features.
  EXPECT_TRUE(absl::IsDataLoss(Append(*store, kCases)));
  EXPECT_FALSE(IsRight(*store, 2));
}

TEST_P(FeatureStoreTest, StaysWithinMaxBytes) {
  FeatureStoreOptions options = Options();
  options.max_bytes = Open()->num_bytes() + 2 * kRecord;
  auto store = Open(options);
  std::vector<float> features;
  for (int i = 0; i < kCases; ++i) {
    for (const float value : Features(i)) features.push_back(value);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(
      store->Append({Digest(0), Digest(1), Digest(2)}, features)));
  EXPECT_TRUE(IsRight(*store, 0) && IsRight(*store, 1));
  EXPECT_FALSE(IsRight(*store, 2));
  EXPECT_EQ(std::filesystem::file_size(Path()), options.max_bytes);
  EXPECT_TRUE(Append(*store, 1).ok());  // needs no room
  store.reset();
  options.max_bytes = 1;
  store = Open(options);
  EXPECT_TRUE(IsRight(*store, 0));
  EXPECT_TRUE(absl::IsResourceExhausted(Append(*store, 2)));
}

TEST_P(FeatureStoreTest, IsForItsOwnerAlone) {
  auto mode = [&] {
    struct stat info;
    EXPECT_EQ(stat(Path().c_str(), &info), 0);
    return info.st_mode & 0777;
  };
  const mode_t before = umask(0);
  Open();
  umask(before);
  EXPECT_EQ(mode(), 0600u);
  ASSERT_EQ(chmod(Path().c_str(), 0644), 0);
  Open();
  EXPECT_EQ(mode(), 0600u);
}

// The thread sanitizer checks this test, too.
TEST_P(FeatureStoreTest, ThreadsReadBesideEachOther) {
  std::string bytes = Fill(20);
  FlipByte(bytes, bytes.size() - 1);
  Write(bytes);
  auto store = Open();
  std::vector<int> right(4);
  std::vector<std::thread> threads;
  for (int& count : right) {
    threads.emplace_back([&] {
      std::vector<float> read(kFeatures);
      for (int i = 0; i < 20; ++i) {
        count += store->Read(Digest(i), absl::MakeSpan(read)).ok() &&
                 read == Features(i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, testing::Each(19));
}

TEST_P(FeatureStoreTest, FileShowsFeaturesAndDigestsOnlyWhenPlain) {
  const std::string bytes = Fill();
  bool shows_features = false, shows_digests = false;
  for (int i = 0; i < kCases; ++i) {
    const std::vector<float> features = Features(i);
    for (const float& value : features) {
      shows_features |= absl::StrContains(bytes, BytesOf({&value, 1}));
    }
    shows_digests |= absl::StrContains(bytes, Digest(i));
  }
  EXPECT_EQ(shows_features, !GetParam());
  EXPECT_EQ(shows_digests, !GetParam());
}

TEST_P(FeatureStoreTest, OthersAreRemovedButWhatIsUsedOpenOrForeign) {
  for (const char key : {'k', 'l', 'm', 'n'}) {
    FeatureStoreOptions options = Options();
    options.key = std::string(32, key);
    Open(options);
  }
  FeatureStoreOptions options = Options();
  options.key = std::string(32, 'm');
  auto open = Open(options);
  const std::string name = std::filesystem::path(Path('l')).filename();
  std::vector<std::string> foreign;
  for (const std::string& other :
       {std::string("notes"), "x" + name, name + ".old",
        std::string(".features"), std::string(64, 'F') + ".features"}) {
    foreign.push_back(absl::StrCat(folder_, "/", other));
    ASSERT_TRUE(WriteFileAtomically(foreign.back(), "").ok());
  }
  foreign.push_back(
      absl::StrCat(folder_, "/", std::string(64, '0'), ".features"));
  std::filesystem::create_directory(foreign.back());

  ASSERT_TRUE(RemoveOtherFeatureStores(folder_, {std::string(32, 'k')}).ok());
  EXPECT_TRUE(FileExists(Path('k')) && FileExists(Path('m')));
  EXPECT_FALSE(FileExists(Path('l')) || FileExists(Path('n')));
  for (const std::string& path : foreign) EXPECT_TRUE(FileExists(path)) << path;
  EXPECT_TRUE(RemoveOtherFeatureStores(folder_ + "/none", {}).ok());
}

TEST_P(FeatureStoreTest, AFullDiskStopsGrowthAndNothingElse) {
  auto disk = TinyDisk::Mount(1 << 20);
  if (absl::IsPermissionDenied(disk.status())) {
    GTEST_SKIP() << "needs root to mount a small disk: " << disk.status();
  }
  ASSERT_TRUE(disk.ok()) << disk.status();
  // A record takes one and a half pages; the first leaves half a page.
  constexpr size_t kSize = 1500;
  FeatureStoreOptions options = Options();
  options.folder = (*disk)->path();
  options.feature_size = kSize;
  auto reads = [&](const FeatureStore& store, int number) {
    std::vector<float> read(kSize);
    return store.Read(Digest(number), absl::MakeSpan(read)).ok() &&
           read == Features(number, kSize);
  };

  auto store = Open(options);
  ASSERT_TRUE(Append(*store, 0, kSize).ok());
  const uint64_t size = store->num_bytes();
  ASSERT_TRUE((*disk)->Fill().ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Append(*store, 1, kSize)));
  EXPECT_FALSE(store->Has(Digest(1)));
  EXPECT_EQ(std::filesystem::file_size(store->path()), size);
  EXPECT_TRUE(reads(*store, 0));

  (*disk)->Free();
  EXPECT_TRUE(Append(*store, 1, kSize).ok());
  EXPECT_TRUE(reads(*store, 1));
  store.reset();

  ASSERT_TRUE((*disk)->Fill().ok());
  store = Open(options);
  EXPECT_TRUE(reads(*store, 0) && reads(*store, 1));
  options.key[0] = 'o';
  EXPECT_TRUE(
      absl::IsResourceExhausted(FeatureStore::Open(options, rng_).status()));
  (*disk)->Free();
  EXPECT_TRUE(Append(*Open(options), 0, kSize).ok());
}

}  // namespace
}  // namespace hilum
