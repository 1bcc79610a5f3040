// SPDX-License-Identifier: Apache-2.0
// The coordinator's answers are garbage or too large: the gateway refuses each
// by name, and the study goes on unharmed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/adversary/attacked_study.h"
#include "tests/adversary/vectors.h"

namespace hilum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using v1::LedgerEntry;

struct AnswerAttack {
  const char* name;
  std::function<void(v1::NextTaskResponse&)> change;
  const char* words;
};

v1::Task& ChangedTask(v1::NextTaskResponse& next) {
  return *next.mutable_task();
}

const AnswerAttack kAnswerAttacks[] = {
    {"EndOfAStudyWithAHashOf300Bytes",
     [](v1::NextTaskResponse& next) {
       next.mutable_ended()->mutable_header()->set_study_hash(
           std::string(300, 'h'));
     },
     "a hash of 300 bytes"},
    {"EndOfAStudyNamedByAPath",
     [](v1::NextTaskResponse& next) {
       next.mutable_ended()->mutable_header()->set_study_hash(
           "../../../../etc/cron.d/evil");
     },
     "a hash of 27 bytes"},
    {"EndOfAStudyThatNobodyApproved",
     [](v1::NextTaskResponse& next) {
       next.mutable_ended()->mutable_header()->set_study_hash(
           std::string(32, 'h'));
     },
     "has not approved"},
    {"GarbageOffer",
     [](v1::NextTaskResponse& next) {
       next.mutable_offer()->set_study("\xff\xfe\x1b[2J not a study");
     },
     "not a study"},
    {"OfferOfTwoMegabytes",
     [](v1::NextTaskResponse& next) {
       next.mutable_offer()->set_study(std::string(2 << 20, 'x'));
     },
     "of at most 1048576"},
    {"ModelOfAPebibyte",
     [](v1::NextTaskResponse& next) {
       ChangedTask(next).mutable_global()->set_sha256(std::string(32, 'g'));
       ChangedTask(next).mutable_global()->set_size(uint64_t{1} << 50);
     },
     "1125899906842624 bytes"},
    {"OpeningOfAPebibyte",
     [](v1::NextTaskResponse& next) {
       ChangedTask(next).mutable_last_opening()->set_sha256(
           std::string(32, 'g'));
       ChangedTask(next).mutable_last_opening()->set_size(uint64_t{1} << 50);
     },
     "1125899906842624 bytes"},
    {"TaskOfAnotherProtocol",
     [](v1::NextTaskResponse& next) {
       ChangedTask(next).mutable_header()->set_protocol_version(77);
     },
     "speaks protocol 77"},
    {"TaskOfNoKind",
     [](v1::NextTaskResponse& next) {
       ChangedTask(next).set_kind(static_cast<v1::Task::Kind>(9));
     },
     "task.kind"},
    {"RosterOfAThousandSites",
     [](v1::NextTaskResponse& next) {
       v1::Roster& roster =
           *ChangedTask(next).mutable_secure()->mutable_roster();
       for (int i = 0; i < 1000; ++i) {
         roster.add_entries()->set_site(absl::StrCat("s", i));
       }
     },
     "roster"},
};

class AnswerAttackTest : public testing::TestWithParam<AnswerAttack> {};

INSTANTIATE_TEST_SUITE_P(All, AnswerAttackTest,
                         testing::ValuesIn(kAnswerAttacks),
                         [](const auto& info) { return info.param.name; });

TEST_P(AnswerAttackTest, IsRefusedByNameAndTheStudyCompletes) {
  AttackedStudy study;
  bool done = false;
  study.coordinator().on_next = [&](const SiteId& site,
                                    v1::NextTaskResponse& next) {
    if (done || site != SiteId("d") || next.task().kind() != v1::Task::TRAIN) {
      return;
    }
    done = true;
    GetParam().change(next);
  };
  study.Run();
  study.ExpectCompleted({"a", "b", "c", "d"});
  EXPECT_THAT(study.Lines("d", LedgerEntry::ANSWER_REFUSED),
              Contains(HasSubstr(GetParam().words)));
  EXPECT_THAT(study.Log("d"), Not(HasSubstr("\x1b")));
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           study.site("d").folder + "/studies")) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  EXPECT_LT(bytes, 200000u);
}

TEST(EndAttackTest, ReasonOfAnEndForgesNoLineAndMovesNoTerminal) {
  AttackedStudy study;
  study.coordinator().on_next = [&](const SiteId& site,
                                    v1::NextTaskResponse& next) {
    if (site != SiteId("d") || next.task().kind() != v1::Task::TRAIN) return;
    const v1::Header header = next.task().header();
    *next.mutable_ended()->mutable_header() = header;
    next.mutable_ended()->set_reason(
        "over\n2026-12-01T00:00:00Z study approved\x1b[2J" +
        std::string(100000, 'x'));
  };
  study.Start();
  ASSERT_TRUE(
      study.site("d").ended->WaitForNotificationWithTimeout(absl::Seconds(60)));
  ASSERT_TRUE(study.core().StopStudy(study.hash()).ok());
  study.Wait();
  const std::string& log = study.Log("d");
  EXPECT_THAT(log, HasSubstr("over\\x0A2026-12-01T00:00:00Z study approved"));
  EXPECT_THAT(log, Not(HasSubstr("\x1b")));
  EXPECT_THAT(log, Not(HasSubstr("\n2026-12-01")));
  EXPECT_LT(study.site("d").status.message().size(), 600u);
  EXPECT_THAT(std::string(study.site("d").status.message()),
              Not(HasSubstr("\n")));
}

// A receipt for another message could later be shown as proof.
TEST(ReceiptAttackTest, ReceiptForAnotherMessageIsRefused) {
  AttackedStudy study;
  study.coordinator().on_receipt = [](const SiteId& site,
                                      v1::SubmitResponse& response) {
    if (site != SiteId("d")) return;
    v1::ReceiptBody body;
    ASSERT_TRUE(body.ParseFromString(response.receipt().body()));
    if (body.header().round() != 1) return;
    body.set_request_sha256(std::string(32, 'r'));
    response.mutable_receipt()->set_body(body.SerializeAsString());
  };
  study.Run();
  study.ExpectCompleted({"a", "b", "c"});
  EXPECT_THAT(study.Lines("d", LedgerEntry::ANSWER_REFUSED),
              Contains(HasSubstr("receipt is for another message")));
  EXPECT_THAT(std::string(study.site("d").status.message()),
              HasSubstr("receipt is for another message"));
}

TEST(ReceiptAttackTest, ReceiptWithoutTheCoordinatorsSignatureIsRefused) {
  AttackedStudy study;
  study.coordinator().on_receipt = [](const SiteId& site,
                                      v1::SubmitResponse& response) {
    if (site != SiteId("d")) return;
    v1::ReceiptBody body;
    ASSERT_TRUE(body.ParseFromString(response.receipt().body()));
    if (body.header().round() == 1) {
      response.mutable_receipt()->set_signature(std::string(70, 's'));
    }
  };
  study.Run();
  study.ExpectCompleted({"a", "b", "c"});
  EXPECT_THAT(study.Lines("d", LedgerEntry::ANSWER_REFUSED),
              Contains(HasSubstr("receipt is not signed with its")));
}

}  // namespace
}  // namespace hilum
