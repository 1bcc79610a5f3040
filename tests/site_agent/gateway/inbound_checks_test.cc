// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/inbound_checks.h"

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

std::string NewFolder() {
  std::string path = absl::StrCat(
      testing::TempDir(), "/inbound-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  return path;
}

// Site "a", whose officer has approved one study of four sites.
class InboundChecksTest : public testing::Test {
 protected:
  InboundChecksTest() {
    study_ = SmallStudy({"a", "b", "c", "d"});
    study_.set_initial_weights_sha256(std::string(32, 'w'));
    study_.set_protocol_version(kProtocolVersion);
    const std::string bytes = SerializeStudy(study_);
    hash_ = Sha256Of(bytes);
    EXPECT_TRUE(approvals_.PutOffer(hash_, bytes).ok());
    EXPECT_TRUE(approvals_.Approve(hash_).ok());
    shape_ = facts_.Study(hash_).value();
  }
  v1::NextTaskResponse Task(v1::Task::Kind kind = v1::Task::TRAIN) const {
    v1::NextTaskResponse next;
    next.mutable_task()->set_kind(kind);
    v1::Header& header = *next.mutable_task()->mutable_header();
    header.set_protocol_version(kProtocolVersion);
    header.set_study_hash(hash_);
    header.set_round(1);
    return next;
  }
  v1::NextTaskResponse Ended() const {
    v1::NextTaskResponse next;
    next.mutable_ended()->mutable_header()->set_study_hash(hash_);
    return next;
  }
  // Returns another study that this site may be offered.
  v1::Study Other(const std::string& name = "other") const {
    v1::Study study = study_;
    study.set_name(name);
    return study;
  }
  static v1::NextTaskResponse Offer(const v1::Study& study) {
    v1::NextTaskResponse next;
    next.mutable_offer()->set_study(SerializeStudy(study));
    return next;
  }
  absl::Status Take(v1::NextTaskResponse next) {
    return checks_.Take(v1::NextTaskRequest(), next);
  }
  void ExpectTaken(const v1::NextTaskResponse& next) {
    EXPECT_TRUE(Take(next).ok()) << Take(next);
  }
  void ExpectRefused(const v1::NextTaskResponse& next, const std::string& why) {
    const absl::Status status = Take(next);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << why;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  }
  using Change = std::function<void(v1::Task&)>;
  void ExpectTaskRefused(const Change& change, const std::string& why) {
    v1::NextTaskResponse next = Task();
    change(*next.mutable_task());
    ExpectRefused(next, why);
  }
  void ExpectTaskTaken(const Change& change) {
    v1::NextTaskResponse next = Task();
    change(*next.mutable_task());
    ExpectTaken(next);
  }

  const Approvals approvals_ = Approvals::Open(NewFolder()).value();
  EgressFacts facts_{{.site = "a"}, approvals_, RealClock()};
  InboundChecks checks_{approvals_, facts_};
  v1::Study study_;
  std::string hash_;
  std::shared_ptr<const StudyFacts> shape_;
};

TEST_F(InboundChecksTest, NothingIsAnAnswer) {
  v1::NextTaskResponse none;
  ExpectTaken(none);
  none.mutable_none();
  ExpectTaken(none);
}

TEST_F(InboundChecksTest, EndIsOfAnApprovedStudyByItsHash) {
  ExpectTaken(Ended());
  v1::NextTaskResponse next = Ended();
  std::string& hash =
      *next.mutable_ended()->mutable_header()->mutable_study_hash();
  hash = std::string(300, 'h');
  ExpectRefused(next, "a hash of 300 bytes");
  hash = "../../../etc/passwd";
  ExpectRefused(next, "a hash of 19 bytes");
  hash.clear();
  ExpectRefused(next, "a hash of 0 bytes");
  hash = std::string(32, 'h');
  ExpectRefused(next, "has not approved");
  ASSERT_TRUE(approvals_.MarkEnded(hash_).ok());
  ExpectRefused(Ended(), "has ended");
}

TEST_F(InboundChecksTest, ReasonOfAnEndIsShortAndPrintable) {
  v1::NextTaskResponse next = Ended();
  next.mutable_ended()->set_reason("over\n2026-12-01T00:00:00Z study approved" +
                                   std::string("\x1b]0;x\x07") +
                                   std::string(5000, 'x'));
  ASSERT_TRUE(checks_.Take(v1::NextTaskRequest(), next).ok());
  EXPECT_THAT(next.ended().reason(),
              testing::StartsWith("over\\x0A2026-12-01T00:00:00Z"));
  EXPECT_THAT(next.ended().reason(), HasSubstr("\\x1B]0;x\\x07"));
  EXPECT_LE(next.ended().reason().size(), InboundChecks::kMaxReason);
}

TEST_F(InboundChecksTest, OfferIsAStudyOfThisProtocolThatNamesThisSite) {
  ExpectTaken(Offer(Other()));
  v1::NextTaskResponse next;
  next.mutable_offer()->set_study("\xff\x00garbage\x1b");
  ExpectRefused(next, "not a study that this release can work on");
  next.mutable_offer()->set_study(std::string((1 << 20) + 1, 'x'));
  ExpectRefused(next, "of at most 1048576");
  v1::Study study = Other();
  study.set_protocol_version(kProtocolVersion + 1);
  ExpectRefused(Offer(study), "a study of protocol");
  study = Other();
  study.mutable_sites(0)->assign("aa");
  ExpectRefused(Offer(study), "does not name this site, a");
  study = Other();
  study.mutable_model()->set_architecture("net-of-a-stranger");
  ExpectRefused(Offer(study), "not a study that this release can work on");
  ExpectRefused(Offer(study_), "was offered before");
}

TEST_F(InboundChecksTest, RefusedOfferIsRememberedSoThatItIsNotOfferedAgain) {
  v1::Study study = Other();
  study.set_protocol_version(kProtocolVersion + 1);
  ExpectRefused(Offer(study), "protocol");
  EXPECT_THAT(facts_.RefusedOffers(),
              testing::ElementsAre(Sha256Of(SerializeStudy(study))));
}

TEST_F(InboundChecksTest, OffersThatWaitForTheOfficerAreBounded) {
  auto put = [&](const v1::Study& study) {
    const std::string bytes = SerializeStudy(study);
    EXPECT_TRUE(approvals_.PutOffer(Sha256Of(bytes), bytes).ok());
    return Sha256Of(bytes);
  };
  std::string first;
  for (size_t i = 0; i < InboundChecks::kMostUndecided; ++i) {
    ExpectTaken(Offer(Other()));
    std::string hash = put(Other(absl::StrCat("waiting-", i)));
    if (first.empty()) first = hash;
  }
  ExpectRefused(Offer(Other()), "32 studies");
  ASSERT_TRUE(approvals_.Refuse(first).ok());
  ExpectTaken(Offer(Other()));
}

TEST_F(InboundChecksTest, BytesOfOffersThatWaitAreBounded) {
  for (int i = 0; i < 8; ++i) {
    const std::string bytes(1 << 20, static_cast<char>('0' + i));
    ASSERT_TRUE(approvals_.PutOffer(Sha256Of(bytes), bytes).ok());
  }
  ExpectRefused(Offer(Other()), "of 8388608 bytes wait");
}

TEST_F(InboundChecksTest, TaskIsOfThisProtocolAndAnApprovedStudy) {
  ExpectTaken(Task());
  ExpectTaskRefused(
      [](v1::Task& task) { task.mutable_header()->set_protocol_version(9); },
      "install the same release on both");
  ExpectTaskRefused(
      [](v1::Task& task) {
        task.mutable_header()->set_study_hash(std::string(1 << 20, 'h'));
      },
      "a hash of 1048576 bytes");
  ExpectTaskRefused(
      [](v1::Task& task) {
        task.mutable_header()->set_study_hash(std::string(32, 'h'));
      },
      "has not approved");
}

TEST_F(InboundChecksTest, TaskIsOfAKindAndARoundOfTheStudy) {
  ExpectTaskTaken([&](v1::Task& task) {
    task.mutable_header()->set_round(shape_->last_round);
  });
  ExpectTaskRefused(
      [&](v1::Task& task) {
        task.mutable_header()->set_round(shape_->last_round + 1);
      },
      "task.header.round");
  ExpectTaskRefused(
      [](v1::Task& task) { task.set_kind(static_cast<v1::Task::Kind>(77)); },
      "task.kind");
  ExpectTaskRefused(
      [](v1::Task& task) { task.set_kind(v1::Task::KIND_UNSPECIFIED); },
      "task.kind");
}

void SetBlob(v1::BlobRef& blob, size_t hash_bytes, uint64_t size) {
  blob.set_sha256(std::string(hash_bytes, 'b'));
  blob.set_size(size);
}

TEST_F(InboundChecksTest, ModelHasTheBytesOfTheStudysModel) {
  const uint64_t bytes = shape_->model_bytes;
  EXPECT_EQ(shape_->tracks, 3u);
  EXPECT_GT(bytes, 0u);
  ExpectTaskTaken(
      [&](v1::Task& t) { SetBlob(*t.mutable_global(), 32, bytes); });
  for (uint64_t other :
       {uint64_t{1} << 50, bytes + 4, bytes - 4, uint64_t{0}}) {
    ExpectTaskRefused(
        [&](v1::Task& t) { SetBlob(*t.mutable_global(), 32, other); },
        absl::StrCat("task.global: a blob of ", other));
  }
  for (size_t length : {size_t{0}, size_t{31}, size_t{300}}) {
    ExpectTaskRefused(
        [&](v1::Task& t) { SetBlob(*t.mutable_global(), length, bytes); },
        absl::StrCat("task.global: a hash of ", length));
  }
  // The approved starting weights, with all parameters.
  ExpectTaskTaken([&](v1::Task& t) {
    t.mutable_global()->set_sha256(study_.initial_weights_sha256());
    t.mutable_global()->set_size(shape_->initial_bytes);
  });
}

TEST_F(InboundChecksTest, OpeningsHave64MiBAtMost) {
  for (auto blob :
       {&v1::Task::mutable_census_opening, &v1::Task::mutable_last_opening}) {
    ExpectTaskTaken([&](v1::Task& t) { SetBlob(*(t.*blob)(), 32, 64 << 20); });
    ExpectTaskRefused(
        [&](v1::Task& t) { SetBlob(*(t.*blob)(), 32, (64 << 20) + 1); },
        "opening: a blob of 67108865 bytes");
    ExpectTaskRefused([&](v1::Task& t) { SetBlob(*(t.*blob)(), 33, 1); },
                      "opening: a hash of 33 bytes");
  }
}

TEST_F(InboundChecksTest, WhatATaskNamesMayBeFetchedAndOfARefusedTaskNothing) {
  ExpectTaskRefused(
      [&](v1::Task& t) {
        SetBlob(*t.mutable_global(), 32, shape_->model_bytes);
        SetBlob(*t.mutable_last_opening(), 32, uint64_t{1} << 50);
      },
      "last_opening");
  EXPECT_FALSE(facts_.SizeOf(hash_, std::string(32, 'b')).ok());
  ExpectTaskTaken([&](v1::Task& t) {
    SetBlob(*t.mutable_global(), 32, shape_->model_bytes);
  });
  EXPECT_EQ(facts_.SizeOf(hash_, std::string(32, 'b')).value(),
            shape_->model_bytes);
}

TEST_F(InboundChecksTest, CensusIsOfTheStudysSitesAndShape) {
  const auto fill = [](v1::Task& t) {
    v1::CensusTotals& census = *t.mutable_census();
    for (const char* site : {"a", "b", "c"}) census.add_sites(site);
    v1::ArmCensus& arm = *census.add_arms();
    arm.mutable_fold_class_counts()->Resize(4, 9);
    arm.mutable_fold_class_patients()->Resize(4, 9);
    arm.mutable_fold_validation_patients()->Resize(2, 9);
    census.mutable_capped_validation_patients()->Resize(2, 9);
    arm.mutable_fingerprint()->mutable_grays()->Resize(32, 1);
    arm.mutable_fingerprint()->mutable_sides()->Resize(6, 1);
    census.mutable_rejected_masks()->Resize(2, 1);
    census.mutable_track_sites()->Resize(3, 1);
    census.mutable_track_class_sites()->Resize(6, 1);
  };
  ExpectTaskTaken(fill);
  const std::vector<std::function<void(v1::CensusTotals&)>> changes = {
      [](v1::CensusTotals& c) { c.add_sites("stranger"); },
      [](v1::CensusTotals& c) {
        for (int i = 0; i < 9; ++i) c.add_sites("a");
      },
      [](v1::CensusTotals& c) { c.add_arms(); },
      [](v1::CensusTotals& c) { c.add_rejected_masks(1); },
      [](v1::CensusTotals& c) { c.add_track_sites(1); },
      [](v1::CensusTotals& c) { c.add_track_class_sites(1); },
      [](v1::CensusTotals& c) { c.mutable_arms(0)->add_fold_class_counts(1); },
      [](v1::CensusTotals& c) {
        c.mutable_arms(0)->add_fold_class_patients(1);
      },
      [](v1::CensusTotals& c) {
        c.mutable_arms(0)->mutable_fold_class_seen()->Resize(5, 1);
      },
      [](v1::CensusTotals& c) {
        c.mutable_arms(0)->mutable_fold_class_unseen_patients()->Resize(5, 1);
      },
      [](v1::CensusTotals& c) {
        c.mutable_capped_unseen_patients()->Resize(5, 1);
      },
      [](v1::CensusTotals& c) {
        c.mutable_arms(0)->add_fold_validation_patients(1);
      },
      [](v1::CensusTotals& c) { c.add_capped_validation_patients(1); },
      [](v1::CensusTotals& c) {
        c.mutable_arms(0)->mutable_fingerprint()->add_grays(1);
      },
      [](v1::CensusTotals& c) {
        c.mutable_arms(0)->mutable_fingerprint()->add_sides(1);
      }};
  for (const auto& change : changes) {
    ExpectTaskRefused(
        [&](v1::Task& t) {
          fill(t);
          change(*t.mutable_census());
        },
        "task.census");
  }
}

TEST_F(InboundChecksTest, ChoicesAreOfTheStudysTracks) {
  const auto choices = [](int count) {
    return [count](v1::Task& t) {
      for (int i = 0; i < count; ++i) t.add_choices()->set_tried(true);
    };
  };
  ExpectTaskTaken(choices(3));
  ExpectTaskRefused(choices(4), "task.choices");
}

TEST_F(InboundChecksTest, TaskAsAWholeIsBounded) {
  ExpectTaskRefused(
      [](v1::Task& t) {
        t.mutable_secure()->mutable_survivors()->add_sites(
            std::string(1 << 20, 'x'));
      },
      "of at most 151552");
}

TEST_F(InboundChecksTest, StepOfATaskIsBounded) {
  ExpectTaskRefused(
      [](v1::Task& t) { t.mutable_secure()->set_sum_id("short"); },
      "task.secure.sum_id: 5 bytes");
}

TEST_F(InboundChecksTest, ChunkIsNoLongerThanAskedForAndOfTheBlobNamed) {
  ExpectTaskTaken([&](v1::Task& t) {
    SetBlob(*t.mutable_global(), 32, shape_->model_bytes);
  });
  v1::FetchBlobRequest fetch;
  fetch.mutable_header()->set_study_hash(hash_);
  fetch.set_sha256(std::string(32, 'b'));
  fetch.set_max_bytes(8);
  v1::FetchBlobResponse chunk;
  chunk.set_data("12345678");
  chunk.set_total_size(shape_->model_bytes);
  EXPECT_TRUE(checks_.Take(fetch, chunk).ok());
  chunk.set_data("123456789");
  EXPECT_THAT(std::string(checks_.Take(fetch, chunk).message()),
              HasSubstr("9 bytes, where 8 were asked for"));
  chunk.set_data("12345678");
  chunk.set_total_size(uint64_t{1} << 50);
  EXPECT_THAT(std::string(checks_.Take(fetch, chunk).message()),
              HasSubstr("another length than was announced"));
}

TEST_F(InboundChecksTest, UploadIsStoredNoFurtherThanItsEnd) {
  v1::UploadChunkRequest upload;
  upload.mutable_blob()->set_size(40);
  v1::UploadChunkResponse stored;
  stored.set_stored(40);
  EXPECT_TRUE(checks_.Take(upload, stored).ok());
  stored.set_stored(44);
  EXPECT_FALSE(checks_.Take(upload, stored).ok());
}

TEST_F(InboundChecksTest, ReceiptIsBounded) {
  v1::SubmitResponse submitted;
  submitted.mutable_receipt()->set_body(std::string(512, 'b'));
  submitted.mutable_receipt()->set_signature(std::string(80, 's'));
  EXPECT_TRUE(checks_.Take(v1::SubmitUpdateRequest(), submitted).ok());
  submitted.mutable_receipt()->set_signature(std::string(81, 's'));
  EXPECT_FALSE(checks_.Take(v1::SubmitUpdateRequest(), submitted).ok());
  submitted.mutable_receipt()->set_signature("s");
  submitted.mutable_receipt()->set_body(std::string(513, 'b'));
  EXPECT_FALSE(checks_.Take(v1::SubmitUpdateRequest(), submitted).ok());
}

TEST_F(InboundChecksTest, FieldsThatThisBuildDoesNotKnowAreDropped) {
  v1::NextTaskResponse next = Task();
  const std::string known = next.SerializeAsString();
  v1::Task& task = *next.mutable_task();
  task.GetReflection()->MutableUnknownFields(&task)->AddLengthDelimited(
      999, std::string(100, 'x'));
  ASSERT_NE(next.SerializeAsString(), known);
  ASSERT_TRUE(checks_.Take(v1::NextTaskRequest(), next).ok());
  EXPECT_EQ(next.SerializeAsString(), known);
}

}  // namespace
}  // namespace hilum
