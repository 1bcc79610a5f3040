// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::HasSubstr;

class SetClock : public Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = absl::UnixEpoch();
};

std::string NewFolder() {
  std::string path = absl::StrCat(
      testing::TempDir(), "/facts-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  return path;
}

// The facts of a site "a" that was offered one study of four sites.
class EgressFactsTest : public testing::Test {
 protected:
  EgressFactsTest() {
    const std::string bytes = SerializeStudy(SmallStudy({"a", "b", "c", "d"}));
    hash_ = Sha256Of(bytes);
    EXPECT_TRUE(approvals_.PutOffer(hash_, bytes).ok());
  }
  template <typename Request>
  Request Of() const {
    Request request;
    request.mutable_header()->set_protocol_version(kProtocolVersion);
    request.mutable_header()->set_study_hash(hash_);
    return request;
  }
  v1::NextTaskRequest Poll() const {
    v1::NextTaskRequest poll;
    poll.mutable_header()->set_protocol_version(kProtocolVersion);
    poll.set_software_version(std::string(SoftwareVersion()));
    poll.set_wait_ms(30000);
    return poll;
  }
  static v1::BlobRef Blob(char c, uint64_t size = 40) {
    v1::BlobRef blob;
    blob.set_sha256(std::string(32, c));
    blob.set_size(size);
    return blob;
  }
  void ExpectSent(const google::protobuf::Message& request) const {
    const absl::Status status = facts_.Check("Call", request);
    EXPECT_TRUE(status.ok()) << status;
  }
  void ExpectRefused(const google::protobuf::Message& request,
                     const std::string& why) const {
    const absl::Status status = facts_.Check("Call", request);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << why;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  }

  SetClock clock_;
  Approvals approvals_ = Approvals::Open(NewFolder()).value();
  std::string hash_;
  EgressFacts facts_{
      {.site = "a", .certificate_pem = "pem of a"}, approvals_, clock_};
};

TEST_F(EgressFactsTest, PollTellsOfStudiesThatWereOfferedOnly) {
  v1::NextTaskRequest poll = Poll();
  poll.add_known_studies(hash_);
  ExpectSent(poll);
  poll.add_known_studies("Jane Doe, born 1961-02-03, AIDS ");
  ExpectRefused(poll, "not of a study that this site was offered");
  poll = Poll();
  poll.add_approved_studies(std::string(32, 'n'));
  ExpectRefused(poll, "not of a study that this site was offered");
}

TEST_F(EgressFactsTest, HashTwiceIsNoWayToSpell) {
  v1::NextTaskRequest poll = Poll();
  poll.add_known_studies(hash_);
  poll.add_known_studies(hash_);
  ExpectRefused(poll, "twice");
}

TEST_F(EgressFactsTest, NumbersOfAPollAreThoseOfThisRelease) {
  v1::NextTaskRequest poll = Poll();
  poll.set_wait_ms(1961 * 100000);
  ExpectRefused(poll, "wait_ms");
  poll = Poll();
  poll.set_software_version("Jane-Doe");
  ExpectRefused(poll, "software_version");
  poll = Poll();
  poll.mutable_header()->set_protocol_version(kProtocolVersion + 1);
  ExpectRefused(poll, "protocol_version");
  poll = Poll();
  poll.mutable_header()->set_study_hash(hash_);
  ExpectRefused(poll, "header");
}

TEST_F(EgressFactsTest, RefusedOfferIsToldOfForAnHour) {
  const std::string refused(32, 'r');
  v1::NextTaskRequest poll = Poll();
  poll.add_known_studies(refused);
  ExpectRefused(poll, "not of a study");
  facts_.RefuseOffer(refused);
  EXPECT_THAT(facts_.RefusedOffers(), testing::ElementsAre(refused));
  ExpectSent(poll);
  clock_.now += absl::Hours(1);
  EXPECT_THAT(facts_.RefusedOffers(), testing::IsEmpty());
  ExpectSent(poll);  // the poll may have waited for the network since
}

TEST_F(EgressFactsTest, EveryHeaderIsOfAnOfferedStudyAndARoundOfIt) {
  auto census = Of<v1::SubmitCensusRequest>();
  census.set_unable(true);
  ExpectSent(census);
  for (const std::string& other : {std::string(32, 'x'), std::string()}) {
    census.mutable_header()->set_study_hash(other);
    ExpectRefused(census, "Header.study_hash");
  }
  census.mutable_header()->set_study_hash(hash_);
  const uint32_t last = facts_.Study(hash_).value()->last_round;
  census.mutable_header()->set_round(last);
  ExpectSent(census);
  census.mutable_header()->set_round(last + 1);
  ExpectRefused(census, "Header.round");
}

TEST_F(EgressFactsTest, BlobIsFetchedThatTheCoordinatorNamed) {
  auto fetch = Of<v1::FetchBlobRequest>();
  fetch.set_sha256(std::string(32, 'b'));
  fetch.set_max_bytes(40);
  ExpectRefused(fetch, "FetchBlobRequest.sha256");
  facts_.AnnounceBlob(hash_, Blob('b'));
  ExpectSent(fetch);
  fetch.set_offset(41);
  ExpectRefused(fetch, "past the end");
  fetch.set_offset(0);
  fetch.set_max_bytes(UINT32_MAX);
  ExpectRefused(fetch, "past the end");
}

TEST_F(EgressFactsTest, ApprovedStartingWeightsMayBeFetchedWithoutBeingNamed) {
  v1::Study study = SmallStudy();
  study.set_initial_weights_sha256(std::string(32, 'w'));
  const std::string bytes = SerializeStudy(study);
  ASSERT_TRUE(approvals_.PutOffer(Sha256Of(bytes), bytes).ok());
  auto fetch = Of<v1::FetchBlobRequest>();
  fetch.set_sha256(std::string(32, 'w'));
  ExpectRefused(fetch, "FetchBlobRequest.sha256");
  fetch.mutable_header()->set_study_hash(Sha256Of(bytes));
  ExpectSent(fetch);
}

TEST_F(EgressFactsTest, BlobIsUploadedThatThisGatewayMade) {
  auto chunk = Of<v1::UploadChunkRequest>();
  *chunk.mutable_blob() = Blob('u');
  chunk.set_data(std::string(8, '\0'));
  ExpectRefused(chunk, "not of a file that this gateway has made");
  auto update = Of<v1::SubmitUpdateRequest>();
  *update.mutable_update() = Blob('u');
  ExpectRefused(update, "not of a file that this gateway has made");
  facts_.RegisterUpload(hash_, Blob('u'));
  ExpectSent(chunk);
  ExpectSent(update);
  chunk.set_offset(36);
  ExpectRefused(chunk, "past the end");
  chunk.set_offset(0);
  chunk.mutable_blob()->set_size(41);
  ExpectRefused(chunk, "not of a file that this gateway has made");
}

TEST_F(EgressFactsTest, NothingThatWasNamedOutlivesItsStudy) {
  facts_.AnnounceBlob(hash_, Blob('b'));
  facts_.RegisterUpload(hash_, Blob('u'));
  facts_.Forget(hash_);
  auto fetch = Of<v1::FetchBlobRequest>();
  fetch.set_sha256(std::string(32, 'b'));
  ExpectRefused(fetch, "FetchBlobRequest.sha256");
  auto update = Of<v1::SubmitUpdateRequest>();
  *update.mutable_update() = Blob('u');
  ExpectRefused(update, "BlobRef");
}

TEST_F(EgressFactsTest, SumOfAnOpeningIsBoundedByTheStudysVectors) {
  const uint64_t most = 2 * facts_.Study(hash_).value()->vector_bytes;
  EXPECT_EQ(facts_.AnnounceSumBlob(hash_, Blob('s', most + 1)).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(facts_.SizeOf(hash_, std::string(32, 's')).ok());
  EXPECT_TRUE(facts_.AnnounceSumBlob(hash_, Blob('s', most)).ok());
  EXPECT_EQ(facts_.SizeOf(hash_, std::string(32, 's')).value(), most);
}

TEST_F(EgressFactsTest, CensusIsOfTheStudysNetworkAndShape) {
  auto census = Of<v1::SubmitCensusRequest>();
  census.set_manifest_sha256(facts_.Study(hash_).value()->manifest_sha256);
  ExpectSent(census);
  for (int i = 0; i < 4; ++i) {  // two folds, two classes
    census.mutable_arms()->Add();
    census.mutable_arms()->DeleteSubrange(1, census.arms_size() - 1);
    census.mutable_arms(0)->add_fold_class_counts(7);
    census.mutable_arms(0)->add_fold_class_patients(5);
  }
  ExpectSent(census);
  auto longer = census;
  longer.mutable_arms(0)->add_fold_class_patients(5);
  ExpectRefused(longer, "ArmCensus");
  auto folds = census;
  for (int i = 0; i < 2; ++i) {
    folds.mutable_arms(0)->add_fold_validation_patients(5);
  }
  ExpectSent(folds);
  auto patients = folds;
  patients.mutable_arms(0)->set_fold_validation_patients(0, uint64_t{1} << 40);
  ExpectRefused(patients, "ArmCensus");
  folds.mutable_arms(0)->add_fold_validation_patients(5);
  ExpectRefused(folds, "ArmCensus");
  auto larger = census;
  larger.mutable_arms(0)->set_fold_class_counts(0, uint64_t{1} << 40);
  ExpectRefused(larger, "ArmCensus");
  auto more = census;
  more.add_arms();
  ExpectRefused(more, "not of the study's shape");
  // The study lists no images, so there is nothing to count.
  auto seen = census;
  seen.mutable_arms(0)->add_fold_class_seen(0);
  ExpectRefused(seen, "ArmCensus");
  auto rows = census;
  rows.set_rows(uint64_t{1} << 60);
  ExpectRefused(rows, "more rows");
  auto tool = census;
  tool.set_lungs_network_cases(uint64_t{1} << 60);
  ExpectRefused(tool, "more rows");
  auto network = census;
  network.set_manifest_sha256("Jane Doe, born 1961-02-03, AIDS ");
  ExpectRefused(network, "manifest_sha256");
  auto unable = census;
  unable.set_unable(true);
  ExpectRefused(unable, "comes with a census");
  auto reason = census;
  reason.set_unable_reason(v1::UNABLE_REASON_CASES);
  ExpectRefused(reason, "unable_reason");
  v1::SubmitCensusRequest bare;
  *bare.mutable_header() = census.header();
  bare.set_unable(true);
  bare.set_unable_reason(static_cast<v1::UnableReason>(5));
  ExpectRefused(bare, "none that this release knows");
}

TEST_F(EgressFactsTest, EvaluationIsOfTheStudysTracksClassesAndBins) {
  auto evaluation = Of<v1::SubmitEvaluationRequest>();
  v1::TrackEvaluation& track = *evaluation.add_tracks();
  for (int c = 0; c < 2; ++c) {
    v1::ScoreHistogram& scores = *track.add_classes();
    scores.mutable_positives()->Resize(16, 0);
    scores.mutable_negatives()->Resize(16, 0);
  }
  ExpectSent(evaluation);
  auto bins = evaluation;
  bins.mutable_tracks(0)->mutable_classes(0)->add_positives(1);
  ExpectRefused(bins, "more bins");
  auto classes = evaluation;
  classes.mutable_tracks(0)->add_classes();
  ExpectRefused(classes, "classes");
  auto number = evaluation;
  number.mutable_tracks(0)->set_track(19610203);
  ExpectRefused(number, "TrackEvaluation.track");
  auto twice = evaluation;
  *twice.add_tracks() = evaluation.tracks(0);
  ExpectRefused(twice, "TrackEvaluation.track");
}

class EgressFactsOfSumsTest : public EgressFactsTest {
 protected:
  EgressFactsOfSumsTest() {
    facts_.AnnounceSum(hash_, std::string(32, 's'));
    step_ = Of<v1::SubmitSecureStepRequest>();
    step_.set_sum_id(std::string(32, 's'));
  }
  v1::SubmitSecureStepRequest step_;
};

TEST_F(EgressFactsOfSumsTest, SumIsOneThatTheCoordinatorNamed) {
  step_.set_leave(true);
  ExpectSent(step_);
  step_.set_sum_id(std::string(32, 't'));
  ExpectRefused(step_, "sum_id");
  step_.clear_sum_id();
  ExpectSent(step_);
  step_.mutable_confirmation();
  ExpectRefused(step_, "sum_id");
}

TEST_F(EgressFactsOfSumsTest, CertificateIsThisSitesOwn) {
  step_.mutable_keys()->set_certificate("pem of a");
  ExpectSent(step_);
  step_.mutable_keys()->set_certificate("pem of another");
  ExpectRefused(step_, "RoundKeys.certificate");
}

TEST_F(EgressFactsOfSumsTest, SharesAreOfTheCohortAndEachOnce) {
  for (const char* site : {"b", "c", "d"}) {
    step_.mutable_shares()->add_shares()->set_site(site);
  }
  ExpectSent(step_);
  step_.mutable_shares()->mutable_shares(1)->set_site("jane-doe");
  ExpectRefused(step_, "SealedShare.site");
  step_.mutable_revealed()->add_shares()->set_site("a");
  ExpectSent(step_);
  step_.mutable_revealed()->add_shares()->set_site("a");
  ExpectRefused(step_, "twice");
  step_.mutable_revealed()->mutable_shares(1)->set_site("jane-doe");
  ExpectRefused(step_, "RevealedShare.site");
}

TEST_F(EgressFactsOfSumsTest, MaskedVectorIsOneThatThisGatewayMade) {
  *step_.mutable_masked() = Blob('m');
  ExpectRefused(step_, "BlobRef");
  facts_.RegisterUpload(hash_, Blob('m'));
  ExpectSent(step_);
}

TEST_F(EgressFactsTest, MessageThatIsNoCallIsRefused) {
  ExpectRefused(v1::StudyOffer(), "not a call that this site makes");
  ExpectRefused(v1::Task(), "Header");
}

}  // namespace
}  // namespace hilum
