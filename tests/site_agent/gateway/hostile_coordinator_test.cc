// SPDX-License-Identifier: Apache-2.0
// A running gateway with a hostile coordinator or a hostile state folder: the
// attack fails, the gateway works on, and the refusal is in its ledger.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/study_facts.h"
#include "tests/site_agent/gateway/ledger_lines.h"
#include "tests/site_agent/gateway/site_at_work.h"

namespace hilum {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using v1::LedgerEntry;

std::string NewFolder() {
  std::string path = absl::StrCat(
      testing::TempDir(), "/hostile-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  return path;
}

class HostileCoordinatorTest : public testing::Test {
 protected:
  HostileCoordinatorTest() {
    site_.on_log = [this](absl::string_view line) {
      absl::StrAppend(&log_, line, "\n");
      longest_line_ = std::max(longest_line_, line.size());
    };
  }
  std::string LedgerPath() const { return site_.state_dir + "/ledger.jsonl"; }
  std::vector<std::string> Refused() const {
    return LedgerDetails(LedgerPath(), LedgerEntry::ANSWER_REFUSED);
  }
  uint64_t BytesStored() const {
    uint64_t bytes = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(site_.state_dir)) {
      // While the site trains it needs its study's blobs, which do not count.
      const std::string name = entry.path().parent_path().filename().string();
      if (entry.is_regular_file() && (name != "blobs" || !works_)) {
        bytes += entry.file_size();
      }
    }
    return bytes;
  }
  // Expects that the site still trains after the attack.
  void ExpectItWorksOn() {
    works_ = true;
    site_.coordinator.tasks.push_back(site_.MakeTask(v1::Task::TRAIN, 1));
    ASSERT_TRUE(site_.Run().ok());
    EXPECT_THAT(site_.coordinator.updates, SizeIs(1));
  }
  void Answer(const v1::NextTaskResponse& next) {
    site_.coordinator.answers.push_back(next);
  }
  v1::NextTaskResponse Ended(const std::string& hash) const {
    v1::NextTaskResponse next;
    next.mutable_ended()->mutable_header()->set_study_hash(hash);
    return next;
  }
  static v1::NextTaskResponse Offer(const std::string& study) {
    v1::NextTaskResponse next;
    next.mutable_offer()->set_study(study);
    return next;
  }
  std::string OtherStudy(int i) const {
    v1::Study study = site_.study;
    study.set_name(absl::StrCat("other-", i));
    study.set_protocol_version(kProtocolVersion);
    return SerializeStudy(study);
  }

  SiteAtWork site_{NewFolder()};
  std::string log_;
  size_t longest_line_ = 0;
  bool works_ = false;
};

TEST_F(HostileCoordinatorTest, LongHashOfAnEndDoesNotEndTheGateway) {
  Answer(Ended(std::string(300, 'h')));
  Answer(Ended("../../../../etc/cron.d/evil"));
  Answer(Ended(std::string(32, 'h')));
  ExpectItWorksOn();
  EXPECT_THAT(Refused(), ElementsAre(HasSubstr("a hash of 300 bytes"),
                                     HasSubstr("a hash of 27 bytes"),
                                     HasSubstr("has not approved")));
}

TEST_F(HostileCoordinatorTest, ReasonOfAnEndForgesNoLineAndMovesNoTerminal) {
  v1::NextTaskResponse next = Ended(site_.hash);
  next.mutable_ended()->set_reason(
      "over\n2026-12-01T00:00:00Z study approved\x1b[2J" +
      std::string(100000, 'x'));
  Answer(next);
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_THAT(log_, HasSubstr("over\\x0A2026-12-01T00:00:00Z study approved"));
  EXPECT_THAT(log_, Not(HasSubstr("\x1b")));
  EXPECT_THAT(log_, Not(HasSubstr("\n2026-12-01")));
  EXPECT_LT(longest_line_, 500u);
}

TEST_F(HostileCoordinatorTest, OffersThatNobodyApprovesDoNotFillTheDisk) {
  for (int i = 0; i < 60; ++i) Answer(Offer(OtherStudy(i)));
  ExpectItWorksOn();
  EXPECT_THAT(Refused(), Each(HasSubstr("32 studies")));
  EXPECT_THAT(Refused(), Not(IsEmpty()));
  EXPECT_EQ(Approvals::Open(site_.state_dir)->Undecided().count, 32u);
  EXPECT_LT(BytesStored(), 200000u);
}

TEST_F(HostileCoordinatorTest, LargeOffersAreNotStored) {
  for (int i = 0; i < 10; ++i) {
    Answer(Offer(std::string((1 << 20) + 1, static_cast<char>(i))));
  }
  ExpectItWorksOn();
  EXPECT_THAT(Refused(), Each(HasSubstr("of at most 1048576")));
  EXPECT_LT(BytesStored(), 200000u);
}

TEST_F(HostileCoordinatorTest, GarbageOfferIsNotStoredAndNotOfferedAgain) {
  const std::string garbage = "\xff\xfe\x1b[2J not a study";
  Answer(Offer(garbage));
  ExpectItWorksOn();
  EXPECT_THAT(Refused(), ElementsAre(HasSubstr("not a study")));
  EXPECT_EQ(Approvals::Open(site_.state_dir)->Offered().size(), 1u);
  EXPECT_THAT(site_.coordinator.polls[1].known_studies(),
              ElementsAre(Sha256Of(garbage)));
  EXPECT_THAT(log_, Not(HasSubstr("\x1b")));
}

TEST_F(HostileCoordinatorTest, BlobOfAPebibyteIsNotFetched) {
  v1::Task task = site_.MakeTask(v1::Task::TRAIN, 1);
  task.mutable_global()->set_sha256(std::string(32, 'g'));
  task.mutable_global()->set_size(uint64_t{1} << 50);
  site_.coordinator.tasks = {task};
  ExpectItWorksOn();
  EXPECT_FALSE(site_.coordinator.WasFetched(task.global().sha256()));
  EXPECT_THAT(Refused(), ElementsAre(HasSubstr("1125899906842624 bytes")));
}

// The last chunk of each model never comes, and each task names another model.
TEST_F(HostileCoordinatorTest, UnfinishedModelsDoNotFillTheDisk) {
  v1::Study study = SmallStudy();
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_ALL);
  const std::string folder = site_.state_dir + "-all";
  std::filesystem::remove_all(folder);
  SiteAtWork site(folder, study);
  const uint64_t size = site.model.size();
  ASSERT_GT(size, 2u << 20);  // several chunks
  site.coordinator.tasks = {site.MakeTask(v1::Task::PREPARE, 0)};
  for (char name : {'c', 'd', 'e', 'f', 'g', 'h'}) {
    // The model of the first round is known, so this is the second.
    v1::Task task = site.MakeTask(v1::Task::TRAIN, 2);
    task.mutable_global()->set_sha256(std::string(32, name));
    site.coordinator.blobs[task.global().sha256()] = std::string(size, name);
    site.coordinator.tasks.push_back(task);
  }
  site.coordinator.on_fetch = [&](const v1::FetchBlobRequest& request) {
    const bool hostile =
        request.sha256() == std::string(32, request.sha256()[0]);
    if (hostile && request.offset() + request.max_bytes() == size) {
      return absl::NotFoundError("the round is over");
    }
    return absl::OkStatus();
  };
  ASSERT_TRUE(site.Run().ok());
  EXPECT_TRUE(site.coordinator.WasFetched(std::string(32, 'h')));
  uint64_t unfinished = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(site.state_dir + "/blobs")) {
    if (entry.path().extension() == ".part") unfinished += entry.file_size();
  }
  EXPECT_GT(unfinished, 0u);
  EXPECT_LT(unfinished, 2 * size);
}

TEST_F(HostileCoordinatorTest, ChunkLongerThanAskedForIsNotStored) {
  v1::Task task = site_.MakeTask(v1::Task::TRAIN, 1);
  const uint64_t size = FactsOfStudy(SerializeStudy(site_.study))->model_bytes;
  task.mutable_global()->set_sha256(std::string(32, 'g'));
  task.mutable_global()->set_size(size);
  site_.coordinator.tasks = {task};
  site_.coordinator.tamper = [&](absl::string_view method,
                                 google::protobuf::Message& response) {
    if (method != "FetchBlob") return;
    v1::FetchBlobResponse chunk;
    chunk.set_data(std::string(5 << 20, 'x'));
    chunk.set_total_size(size);
    response.CopyFrom(chunk);
  };
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_THAT(Refused(), Not(IsEmpty()));
  // Chunks are fetched in parallel: eight lines an hour, then a count.
  EXPECT_THAT(Refused(), Each(AnyOf(HasSubstr("were asked for"),
                                    HasSubstr("further ones"))));
  EXPECT_LT(BytesStored(), 200000u);
}

TEST_F(HostileCoordinatorTest, UploadThatIsSaidToBeLongerThanItIsEnds) {
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::TRAIN, 1)};
  site_.coordinator.tamper = [](absl::string_view method,
                                google::protobuf::Message& response) {
    if (method != "UploadChunk") return;
    v1::UploadChunkResponse stored;
    stored.set_stored(uint64_t{1} << 60);
    response.CopyFrom(stored);
  };
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_THAT(site_.coordinator.updates, IsEmpty());
  EXPECT_THAT(Refused(), Each(HasSubstr("more than there is")));
  EXPECT_THAT(Refused(), Not(IsEmpty()));
}

TEST_F(HostileCoordinatorTest, ReceiptOfMegabytesIsNotKept) {
  works_ = true;
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  site_.coordinator.tamper = [](absl::string_view method,
                                google::protobuf::Message& response) {
    if (method != "SubmitCensus") return;
    v1::SubmitResponse submitted;
    submitted.mutable_receipt()->set_body(std::string(4 << 20, 'r'));
    submitted.mutable_receipt()->set_signature(std::string(4 << 20, 's'));
    response.CopyFrom(submitted);
  };
  ASSERT_TRUE(site_.Run().ok());
  EXPECT_THAT(Refused(), Each(HasSubstr("of at most 512")));
  EXPECT_THAT(Refused(), Not(IsEmpty()));
  EXPECT_LT(BytesStored(), 200000u);
}

TEST_F(HostileCoordinatorTest, TasksThatAreNoneOfTheStudysAreRefusedByName) {
  v1::Task version = site_.MakeTask(v1::Task::TRAIN, 1);
  version.mutable_header()->set_protocol_version(77);
  v1::Task round = site_.MakeTask(v1::Task::TRAIN, 1000000);
  v1::Task kind = site_.MakeTask(v1::Task::TRAIN, 1);
  kind.set_kind(static_cast<v1::Task::Kind>(9));
  v1::Task study = site_.MakeTask(v1::Task::TRAIN, 1);
  study.mutable_header()->set_study_hash(std::string(32, 's'));
  v1::Task sum = site_.MakeTask(v1::Task::TRAIN, 1);
  sum.mutable_secure()->set_sum_id(std::string(33, 's'));
  site_.coordinator.tasks = {version, round, kind, study, sum};
  ExpectItWorksOn();
  EXPECT_THAT(Refused(),
              ElementsAre(HasSubstr("speaks protocol 77"),
                          HasSubstr("task.header.round: 1000000"),
                          HasSubstr("task.kind"), HasSubstr("has not approved"),
                          HasSubstr("sum_id: 33 bytes")));
}

TEST_F(HostileCoordinatorTest, GarbageAtOncePolledOverAndOverIsALineOrTwo) {
  for (int i = 0; i < 300; ++i) {
    Answer(Ended(std::string(static_cast<size_t>(i), 'h')));
  }
  ExpectItWorksOn();
  uint64_t refusals = 0;
  for (const LedgerEntry& line : LedgerLines(LedgerPath())) {
    if (line.kind() != LedgerEntry::ANSWER_REFUSED) continue;
    refusals += std::max<uint64_t>(line.count(), 1);
  }
  EXPECT_EQ(refusals, 300u);
}

TEST_F(HostileCoordinatorTest, TextOfAnErrorIsPrintableInTheLog) {
  site_.coordinator.census_answer =
      absl::FailedPreconditionError("no\n\x1b]0;owned\x07\xff");
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  ExpectItWorksOn();
  EXPECT_THAT(log_, HasSubstr("no\\x0A\\x1B]0;owned\\x07\\xFF"));
  EXPECT_THAT(log_, Not(HasSubstr("\x1b")));
}

// File names of any kind must not carry data out.
TEST_F(HostileCoordinatorTest, NamesOfFilesInTheStateFolderDoNotLeave) {
  std::vector<std::string> spelled;
  for (const char* part : {"Jane Doe, born 1961-02-03, lives",
                           "in 7 Elm Street; "
                           "COVID-19, ICU"}) {
    spelled.emplace_back(part);
    spelled.back().resize(32, ' ');
    const std::string hex = ToHex(spelled.back());
    for (const std::string& path :
         {absl::StrCat("/studies/", hex, ".study"),
          absl::StrCat("/approvals/", hex, ".approved"),
          absl::StrCat("/approvals/", hex, ".refused")}) {
      ASSERT_TRUE(WriteFileAtomically(site_.state_dir + path, "").ok());
    }
  }
  ExpectItWorksOn();
  for (const v1::NextTaskRequest& poll : site_.coordinator.polls) {
    EXPECT_THAT(poll.known_studies(), IsEmpty());
    EXPECT_THAT(poll.approved_studies(), ElementsAre(site_.hash));
  }
  EXPECT_THAT(LedgerDetails(LedgerPath(), LedgerEntry::GATE_REFUSED),
              ElementsAre(HasSubstr("2 files in the folder studies/")));
  for (const std::string& text : spelled) {
    EXPECT_THAT(log_, Not(HasSubstr(text.substr(0, 8))));
    EXPECT_THAT(log_, Not(HasSubstr(ToHex(text).substr(0, 16))));
  }
}

// An attacker controls the trainer.
TEST_F(HostileCoordinatorTest, DigestThatATrainerMadeUpDoesNotLeave) {
  site_.trainer.spoil_manifest = "Jane Doe, born 1961-02-03, AIDS ";
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  ASSERT_TRUE(site_.Run().ok());
  ASSERT_THAT(site_.coordinator.censuses, SizeIs(1));
  EXPECT_TRUE(site_.coordinator.censuses[0].unable());
  EXPECT_THAT(site_.coordinator.censuses[0].manifest_sha256(), IsEmpty());
  EXPECT_THAT(LedgerDetails(LedgerPath(), LedgerEntry::GATE_REFUSED),
              ElementsAre(HasSubstr("manifest_sha256")));
}

TEST_F(HostileCoordinatorTest, EveryCallOfAStudyIsInItsLedger) {
  site_.coordinator.tasks = {site_.MakeTask(v1::Task::PREPARE, 0)};
  ExpectItWorksOn();
  uint64_t polls = 0, chunks = 0, submits = 0;
  for (const LedgerEntry& line : LedgerLines(LedgerPath())) {
    if (line.kind() == LedgerEntry::CALLED && line.method() == "NextTask") {
      polls += line.count();
    }
    if (line.kind() == LedgerEntry::CALLED && line.method() == "UploadChunk") {
      chunks += line.count();
    }
    if (line.kind() == LedgerEntry::SENT && line.method() != "UploadChunk") {
      ++submits;
    }
  }
  EXPECT_EQ(polls, site_.coordinator.polls.size());
  EXPECT_EQ(chunks, 2u);  // the question how much has come, and the update
  EXPECT_EQ(submits, 2u);
}

}  // namespace
}  // namespace hilum
