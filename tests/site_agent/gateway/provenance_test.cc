// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/provenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "common/model/trained_on.h"
#include "common/model/weights_file.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr char kReleased[] =
    HILUM_SOURCE_DIR "/site_agent/trainer/weights/hilum_small.safetensors";

// An installed program's folder, with the release's weights beside it.
class ProvenanceTest : public testing::Test {
 protected:
  ProvenanceTest() {
    fs::create_directories(programs_);
    fs::create_directories(share_);
    fs::copy_file(kReleased, share_ + "/hilum_small.safetensors");
    study_.set_name("lungs");
    for (const char* label : {"x", "y", "z"}) study_.add_classes(label);
    for (const char* site : {"a", "b", "c"}) study_.add_sites(site);
    study_.set_seed(7);
    FillStudyDefaults(study_);
  }
  ~ProvenanceTest() override { fs::remove_all(folder_); }

  void StartFrom(const std::vector<float>& weights) {
    study_.set_initial_weights_sha256(Sha256Of(BlobBytes(weights)));
  }
  // Reads the release's weights like `study submit --weights`.
  std::vector<float> Released(const WeightsOptions& options) const {
    return ReadWeights(kReleased, StudyLayout(study_)->architecture, options)
        .value();
  }
  Provenance Find() const {
    const absl::StatusOr<Provenance> found = FindProvenance(study_, programs_);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(Provenance{});
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/provenance-", getpid(), "-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::string programs_ = folder_ + "/bin";
  const std::string share_ = folder_ + "/share/hilum";
  v1::Study study_;
};

TEST_F(ProvenanceTest, WeightsOfTheSeedAreRecomputed) {
  StartFrom(InitialWeights(StudyLayout(study_)->architecture, 7));
  EXPECT_TRUE(Find().is_known);
  EXPECT_THAT(Find().sentence, HasSubstr("seed 7, recomputed"));
  study_.set_seed(8);
  EXPECT_FALSE(Find().is_known);
}

TEST_F(ProvenanceTest, TheReleasesTrunkWithAHeadOfTheSeedIsOfThisRelease) {
  StartFrom(Released({.fresh_head = true, .seed = 7}));
  EXPECT_TRUE(Find().is_known);
  EXPECT_THAT(Find().sentence,
              HasSubstr("of this release (hilum_small.safetensors, its last"));
  study_.set_seed(8);
  EXPECT_FALSE(Find().is_known);
}

TEST_F(ProvenanceTest, OneValueOfAnotherIsUnknown) {
  std::vector<float> weights = Released({.fresh_head = true, .seed = 7});
  weights[1000] += 1e-6f;
  StartFrom(weights);
  EXPECT_FALSE(Find().is_known);
  EXPECT_THAT(Find().sentence, testing::StartsWith("unknown"));
}

// An attacker who can write beside the program must not pass weights off as the
// release's.
TEST_F(ProvenanceTest, AFileThatIsNotTheReleasesCountsForNothing) {
  StartFrom(Released({.fresh_head = true, .seed = 7}));
  const std::string path = share_ + "/hilum_small.safetensors";
  std::string bytes = ReadFile(path).value();
  bytes.back() ^= 1;
  ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  EXPECT_FALSE(Find().is_known);
  EXPECT_THAT(Find().sentence, HasSubstr("hilum_small.safetensors is missing"));
}

TEST_F(ProvenanceTest, AnUnknownArchitectureIsAnError) {
  study_.mutable_model()->set_architecture("\x1b[2J");
  EXPECT_FALSE(FindProvenance(study_, programs_).ok());
}

// Another list could ask whether certain images are here.
TEST_F(ProvenanceTest, WeightsOfTheReleaseAreKnownOnlyWithItsOwnList) {
  study_.add_classes("w");
  StartFrom(Released({}));
  EXPECT_TRUE(Find().is_known);
  TrainedOnList& data =
      *study_.mutable_starting_weights()->mutable_trained_on();
  data = TrainedOnOf(WeightsFile::Open(kReleased)->metadata()).value();
  EXPECT_TRUE(Find().is_known);
  data.Mutable(0)->mutable_digests()->front() ^= 1;
  EXPECT_FALSE(Find().is_known);
  EXPECT_THAT(Find().sentence, HasSubstr("is not the release's list"));
  StartFrom(InitialWeights(StudyLayout(study_)->architecture, 7));
  EXPECT_FALSE(Find().is_known);
}

}  // namespace
}  // namespace hilum
