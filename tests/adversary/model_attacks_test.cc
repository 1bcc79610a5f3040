// SPDX-License-Identifier: Apache-2.0
// The coordinator hands out another model than the approved one, or publishes
// another sum than the sites gave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <set>

#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"
#include "tests/adversary/attacked_study.h"
#include "tests/adversary/vectors.h"
#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
const char* const kSites[] = {"a", "b", "c", "d"};

// Returns other weights of the same length as the approved ones.
std::string OtherWeights(AttackedStudy& study) {
  v1::BlobRef start;
  start.set_sha256(study.study().initial_weights_sha256());
  std::string bytes = study.coordinator().Blob(start);
  for (size_t i = 0; i < bytes.size(); i += 4) bytes[i] ^= 1;
  return bytes;
}

constexpr char kOtherStart[] = "starting weights are not those of the approved";

TEST(StartAttackTest, OtherStartToOneSiteIsRefusedByIt) {
  AttackedStudy study;
  study.coordinator().ServeInstead(study.study().initial_weights_sha256(),
                                   OtherWeights(study), SiteId("d"));
  study.Run();
  study.ExpectRefused("d", kOtherStart);
  study.ExpectCompleted({"a", "b", "c"});
  EXPECT_TRUE(study.UploadsOf("d").empty());
}

TEST(StartAttackTest, OtherStartToAllEndsTheStudy) {
  AttackedStudy study;
  study.coordinator().ServeInstead(study.study().initial_weights_sha256(),
                                   OtherWeights(study));
  study.Run();
  for (const char* site : kSites) {
    study.ExpectRefusedOrOver(site, kOtherStart);
    EXPECT_TRUE(study.UploadsOf(site).empty());
  }
  study.ExpectStopped("");
}

// The officers have approved weights with a NaN.
TEST(StartAttackTest, StartWithANanIsRefusedWhoeverApprovedIt) {
  AttackedStudy study;
  std::string weights = OtherWeights(study);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(weights.data() + weights.size() / 2 / 4 * 4, &nan, sizeof nan);
  HostileCoordinator& coordinator = study.coordinator();
  v1::Study other = study.study();
  other.set_name("not-finite");
  other.set_initial_weights_sha256(coordinator.Serve(weights).sha256());
  const std::string bytes = SerializeStudy(other);
  study.AddOffer(bytes);
  for (const char* site : kSites) {
    v1::NextTaskResponse next;
    v1::Task& task = *next.mutable_task();
    task.set_kind(v1::Task::PREPARE);
    task.mutable_header()->set_protocol_version(kProtocolVersion);
    task.mutable_header()->set_study_hash(Sha256Of(bytes));
    coordinator.Hold(SiteId(site));
    coordinator.Push(SiteId(site), next);
  }
  study.Run();
  for (const char* site : kSites) {
    EXPECT_THAT(study.Lines(site, v1::LedgerEntry::SUM_REFUSED),
                testing::ElementsAre(
                    testing::HasSubstr("the study's starting weights")));
    EXPECT_TRUE(study.Refused(site, Sha256Of(bytes)));
    EXPECT_TRUE(absl::IsPermissionDenied(study.site(site).status));
    EXPECT_TRUE(study.UploadsOf(site).empty());
  }
}

// Without secure aggregation a site cannot tell whether a model follows, but it
// trains no model that is not finite.
TEST(StartAttackTest, ModelWithANanIsRefusedWithoutSecureAggregationToo) {
  AttackedStudy study({.sites = {"a", "b"}, .secure = false});
  HostileCoordinator& coordinator = study.coordinator();
  coordinator.on_next = [&](const SiteId& site, v1::NextTaskResponse& next) {
    if (next.task().kind() != v1::Task::TRAIN || site != SiteId("b") ||
        next.task().header().round() != 2) {
      return;
    }
    std::string model = coordinator.Blob(next.task().global());
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(model.data() + 40, &nan, sizeof nan);
    *next.mutable_task()->mutable_global() = coordinator.Serve(model);
  };
  study.Run();
  study.ExpectRefused("b", "the coordinator's model of round 2");
  study.ExpectStopped("");
}

// Adds to one vector on the coordinator's disk once all sites have confirmed:
// sum, digests, models and openings then belong to the forged sum.
void ForgeSum(HostileCoordinator& coordinator, uint32_t round,
              const std::vector<uint32_t>& added) {
  auto done = std::make_shared<bool>(false);
  coordinator.on_step = [=, &coordinator](const SiteId&, Said& told) {
    if (*done || told.header().round() != round || !told.has_confirmation()) {
      return;
    }
    *done = true;
    const Said* masked =
        coordinator.SaidBy(SiteId("c"), Said::kMasked, told.sum_id());
    ASSERT_NE(masked, nullptr);
    coordinator.ForgeVector(SiteId("c"), *masked, added);
  };
}

constexpr char kNotTheSum[] = "is not the sum of what its sites sent";

// Asks each site for keys once more between keys and roster, after a sum that
// nobody can fetch, and ignores that the site then leaves the sum.
void ForgetBetween(HostileCoordinator& coordinator, uint32_t round) {
  auto asked = std::make_shared<std::set<SiteId>>();
  auto left = std::make_shared<std::set<SiteId>>();
  coordinator.on_next = [=](const SiteId& site, v1::NextTaskResponse& next) {
    if (next.task().header().round() != round ||
        !next.task().secure().has_roster() || !asked->insert(site).second) {
      return;
    }
    v1::Task& task = *next.mutable_task();
    task.mutable_secure()->mutable_advertise_keys();
    task.mutable_last_opening()->set_sha256(std::string(32, 'x'));
    task.mutable_last_opening()->set_size(100);
  };
  const auto forge = coordinator.on_step;
  coordinator.on_step = [=](const SiteId& site, Said& told) {
    if (told.leave() && left->insert(site).second) told.set_leave(false);
    forge(site, told);
  };
}

// Returns the census of so many cases that every part but the largest would
// round to zero.
std::vector<uint32_t> ManyCases(const v1::Study& study) {
  v1::SubmitCensusRequest many;
  const int cells =
      static_cast<int>(study.cross_validation().folds()) * study.classes_size();
  v1::ArmCensus& arm = *many.add_arms();
  for (int i = 0; i < cells; ++i) arm.add_fold_class_counts(1 << 18);
  FillFingerprints(study.classes_size(), many);
  many.set_rows(static_cast<uint64_t>(cells) << 18);
  std::vector<uint32_t> words = EncodeCensus(study, many).value();
  // The numbers of sites with cases and of capped patients stay unchanged.
  const size_t tracks = StudyTracks(study).size();
  const size_t sites = tracks * (1 + static_cast<size_t>(study.classes_size()));
  std::fill(words.end() - static_cast<ptrdiff_t>(sites) - cells, words.end(),
            0);
  return words;
}

TEST(ForgedSumAttackTest, ForgedSumIsSeenThoughAnotherTaskFailedBetween) {
  AttackedStudy study({.check_checksums = false});
  ForgeSum(study.coordinator(), 1, {0, 1 << 20});
  ForgetBetween(study.coordinator(), 2);
  study.Run();
  for (const char* site : kSites) {
    study.ExpectRefusedOrOver(site, kNotTheSum);
    EXPECT_EQ(study.UploadsOf(site).size(), 1u) << study.Log(site);
  }
  study.ExpectStopped("");
}

TEST(ForgedSumAttackTest, ForgedCensusIsSeenBeforeAnythingIsTrainedOnItLeaves) {
  AttackedStudy study({.check_checksums = false});
  ForgeSum(study.coordinator(), 0, ManyCases(study.study()));
  study.Run();
  for (const char* site : kSites) {
    study.ExpectRefusedOrOver(site, kNotTheSum);
    EXPECT_TRUE(study.UploadsOf(site).empty());
  }
  study.ExpectStopped("");
}

// The purpose of the attack: if all but the victim are told such an N, the sum
// is the victim's update; with N from the census, the update is one of four.
TEST(ForgedSumAttackTest, WithoutTheCheckSuchACensusOpensTheVictimsUpdate) {
  AttackedStudy study;
  auto correlation = [&](double told_others) {
    const size_t n = DeltaOf(study.study(), "d").size();
    std::vector<uint32_t> sum(n);
    for (const char* site : kSites) {
      std::vector<float> delta;
      for (double x : DeltaOf(study.study(), site)) {
        delta.push_back(static_cast<float>(x));
      }
      const double all = site == std::string("d") ? 80 : told_others;
      std::vector<uint32_t> words(n);
      EncodeDelta(delta, 20 / all * std::ldexp(1, FractionBits(0)),
                  RoundingStream(1, site), 0, absl::MakeSpan(words));
      AddWords(words, absl::MakeSpan(sum));
    }
    return Correlation(AsNumbers(sum, n), DeltaOf(study.study(), "d"));
  };
  EXPECT_GT(correlation(std::ldexp(1, 62)), 0.999);
  EXPECT_LT(correlation(80), 0.75);
}

TEST(ForgedSumAttackTest, ForgedUpdateSumIsSeenInTheNextRound) {
  AttackedStudy study({.check_checksums = false});
  const size_t n = DeltaOf(study.study(), "a").size();
  ForgeSum(study.coordinator(), 1, std::vector<uint32_t>(n, 1u << 20));
  study.Run();
  for (const char* site : kSites) {
    study.ExpectRefusedOrOver(site, kNotTheSum);
    EXPECT_EQ(study.UploadsOf(site).size(), 1u);  // of round 1
    study.ExpectNothingShownOf(site);
  }
  study.ExpectStopped("");
}

// Adds one to one word of one vector.
TEST(ForgedSumAttackTest, SmallestForgeryIsSeen) {
  AttackedStudy study({.check_checksums = false});
  ForgeSum(study.coordinator(), 1, {1});
  study.Run();
  for (const char* site : kSites) study.ExpectRefusedOrOver(site, kNotTheSum);
  study.ExpectStopped("");
}

// Forges the last sum before the evaluation, which no training follows.
TEST(ForgedSumAttackTest, ForgedLastSumIsSeenBeforeTheEvaluation) {
  AttackedStudy study({.check_checksums = false});
  ForgeSum(study.coordinator(), 2, {1});
  study.Run();
  for (const char* site : kSites) {
    study.ExpectRefusedOrOver(site, kNotTheSum);
    EXPECT_EQ(study.UploadsOf(site).size(), 2u);
  }
  study.ExpectStopped("");
}

}  // namespace
}  // namespace hilum
