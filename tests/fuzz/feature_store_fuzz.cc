// SPDX-License-Identifier: Apache-2.0
// Fuzzes a file of features as a disk may return it: any bytes, or a store of
// three cases that was cut, damaged or patched together. The store always
// opens, returns only what was put in, and can be used.
#include <filesystem>
#include <memory>
#include <vector>

#include "common/crypto/sha256.h"
#include "site_agent/trainer/features/feature_store.h"
#include "tests/fuzz/input.h"
#include "tests/support/seeded_secure_rng.h"

namespace hilum {
namespace {

constexpr int kCases = 3;
constexpr size_t kFeatures = 3;

std::string Digest(int number) { return Sha256Of(absl::StrCat(number)); }

std::vector<float> Features(int number) {
  const float first = static_cast<float>(number);
  return {first, first + 0.25f, -first};
}

class FuzzStore {
 public:
  FuzzStore(const std::string& folder, bool encrypted) {
    options_.folder = folder;
    options_.key = std::string(32, 'k');
    options_.feature_size = kFeatures;
    if (encrypted) {
      options_.encryption_key =
          SecretBytes::FromBytes(std::vector<uint8_t>(32, 7));
    }
    Open();
  }

  void Open() {
    store_.reset();
    store_ = FeatureStore::Open(options_, rng_).value();
  }
  const std::string& path() const { return store_->path(); }
  void Append(int number) {
    HILUM_CHECK(store_->Append({Digest(number)}, Features(number)).ok());
  }
  // Returns whether the case is there; checks that its values are right.
  bool Reads(int number) const {
    std::vector<float> read(kFeatures);
    const bool is_there =
        store_->Read(Digest(number), absl::MakeSpan(read)).ok();
    HILUM_CHECK(store_->Has(Digest(number)) == is_there);
    HILUM_CHECK(!is_there || read == Features(number));
    return is_there;
  }

 private:
  FeatureStoreOptions options_;
  SeededSecureRng rng_{1, "features"};
  std::unique_ptr<FeatureStore> store_;
};

// Each edit has a place, a number of bytes and what to do with them.
void Damage(FuzzInput& input, std::string& file) {
  while (!input.empty() && !file.empty()) {
    const uint8_t how = input.Byte();
    const size_t high = input.Byte();
    const size_t at = (high * 256 + input.Byte()) % file.size();
    const std::string piece = file.substr(at, input.Byte());
    switch (how % 5) {
      case 0:
        file.resize(at);
        break;
      case 1:
        file.erase(at, piece.size());
        break;
      case 2:
        file += piece;
        break;
      case 3:
        file.insert(at, input.Text());
        break;
      default:
        file[at] = static_cast<char>(input.Byte());
    }
  }
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  static const std::string& folder =
      *new std::string(std::filesystem::temp_directory_path() /
                       absl::StrCat("hilum-feature-store-fuzz-", getpid()));
  FuzzInput input(data, size);
  const uint8_t how = input.Byte();
  {
    FuzzStore store(folder, how & 1);
    for (int i = 0; i < kCases; ++i) store.Append(i);
    std::string file = ReadFile(store.path()).value();
    if (how & 2) {
      file = input.Rest();
    } else {
      Damage(input, file);
    }
    unlink(store.path().c_str());
    HILUM_CHECK(
        WriteFileAtomically(store.path(), file, Durability::kNone).ok());
    store.Open();
    bool kept[kCases];
    for (int i = 0; i < kCases; ++i) kept[i] = store.Reads(i);
    store.Append(1);
    HILUM_CHECK(store.Reads(1));
    store.Open();
    for (int i = 0; i < kCases; ++i) {
      HILUM_CHECK(store.Reads(i) == (kept[i] || i == 1));
    }
  }
  std::filesystem::remove_all(folder);
  return 0;
}
