// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/gateway/sums_at_work.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
using testing::IsEmpty;
using testing::SizeIs;

// What the site does not answer is not shown for ever.
constexpr int kMostTimesShown = 3;

const SiteId kSelf("a");
constexpr const char* kSites[] = {"a", "b", "c", "d"};

std::string NewFolder(const std::string& name) {
  std::string path = absl::StrCat(
      testing::TempDir(), "/sums-",
      testing::UnitTest::GetInstance()->current_test_info()->name(), name);
  std::filesystem::remove_all(path);
  return path;
}

}  // namespace

SumsOfFour::SumsOfFour(std::string folder, ScriptedCoordinator& coordinator)
    : folder_(std::move(folder)), coordinator_(coordinator) {
  coordinator_.next_task = [this] { return NextTask(); };
  coordinator_.on_step = [this](const Said& said) { return On(said); };
}

std::optional<v1::Task> SumsOfFour::NextTask() {
  if (sum_ == nullptr || times_shown_ == kMostTimesShown) {
    if (attempts.empty()) return std::nullopt;
    Begin();
  }
  ++times_shown_;
  v1::Task task = Asked(kSelf);
  tamper(task);
  return task;
}

void SumsOfFour::Begin() {
  attempt_ = attempts.front();
  attempts.pop_front();
  SecAggContext context{.study_hash = attempt_.task.header().study_hash(),
                        .round = attempt_.task.header().round()};
  peers_.clear();
  for (const char* name : kSites) {
    const SiteId site(name);
    context.cohort.insert(site);
    if (site == kSelf) continue;
    const std::string folder = absl::StrCat(folder_, "-", name);
    std::filesystem::remove_all(folder);
    peers_[site] = std::make_unique<SumSite>(site, folder);
  }
  sum_ = std::make_unique<HonestSum>(context, std::string(32, attempt_.id));
  times_shown_ = 0;
}

v1::Task SumsOfFour::Asked(const SiteId& site) const {
  v1::Task task = attempt_.task;
  *task.mutable_secure() = sum_->StepFor(site);
  return task;
}

absl::Status SumsOfFour::On(const Said& said) {
  if (sum_ == nullptr) return absl::FailedPreconditionError("no sum is open");
  const absl::Status status = sum_->On(kSelf, said);
  if (!status.ok()) {
    sum_.reset();
    return said.leave() ? absl::OkStatus() : status;
  }
  if (said.has_masked()) upload_ = WordsOf(coordinator_.upload);
  for (auto& [site, peer] : peers_) {
    const absl::Status asked = AskPeer(site, *peer);
    EXPECT_TRUE(asked.ok()) << site.name() << ": " << asked;
  }
  EXPECT_TRUE(sum_->Close().ok());
  times_shown_ = 0;
  if (sum_->server().step() == Step::kDone) Read();
  if (sum_->server().step() >= attempt_.lost_in) sum_.reset();
  return absl::OkStatus();
}

absl::Status SumsOfFour::AskPeer(const SiteId& site, SumSite& peer) {
  peer.SetVector(std::vector<uint32_t>(upload_.size()));
  HILUM_ASSIGN_OR_RETURN(Said said, peer.Answer(Asked(site), sum_->context()));
  return sum_->On(site, said);
}

void SumsOfFour::Read() {
  std::vector<uint32_t> masked = upload_;
  for (auto& [site, peer] : peers_) AddTo(masked, peer->Masked());
  auto sum = sum_->Read(masked);
  EXPECT_TRUE(sum.ok()) << sum.status();
  if (sum.ok()) read.push_back(*sum);
}

SecureSiteAtWork::SecureSiteAtWork(const std::string& name)
    : folder(NewFolder(name)),
      site(folder + "/site",
           SmallStudy({std::begin(kSites), std::end(kSites)})),
      sums(folder + "/peer", site.coordinator) {
  site.credentials = &CredentialsOf(kSelf);
  site.on_log = [this](absl::string_view line) {
    absl::StrAppend(&log, line, "\n");
  };
}

v1::Task SecureSiteAtWork::MakeTask(v1::Task::Kind kind) const {
  if (kind == v1::Task::PREPARE) return site.MakeTask(kind, 0);
  if (kind == v1::Task::TRAIN) return site.MakeTask(kind, 1);
  v1::Task task = site.MakeTask(kind, site.study.training().rounds() + 1);
  for (uint64_t held_out : {100, 100, 0}) task.add_track_examples(held_out);
  return task;
}

void SecureSiteAtWork::AskForCensus() {
  site.coordinator.tasks.push_back(MakeTask(v1::Task::PREPARE));
}

std::vector<v1::LedgerEntry> SecureSiteAtWork::Ledger() const {
  std::vector<v1::LedgerEntry> entries;
  const std::string text = ReadFile(site.state_dir + "/ledger.jsonl").value();
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(
                    std::string(line), &entries.emplace_back())
                    .ok());
  }
  return entries;
}

std::vector<std::string> SecureSiteAtWork::Details(
    v1::LedgerEntry::Kind kind, const std::string& method) const {
  std::vector<std::string> details;
  for (const v1::LedgerEntry& entry : Ledger()) {
    if (entry.kind() == kind && (method.empty() || entry.method() == method)) {
      details.push_back(entry.detail());
    }
  }
  return details;
}

bool SecureSiteAtWork::IsRefused() const {
  return FileExists(absl::StrCat(site.state_dir, "/approvals/",
                                 ToHex(site.hash), ".refused"));
}

bool SecureSiteAtWork::HasRevealed() const {
  for (const Said& said : site.coordinator.steps) {
    if (said.has_revealed()) return true;
  }
  return false;
}

void ExpectOnlyUnableLeft(const ScriptedCoordinator& coordinator) {
  EXPECT_THAT(coordinator.updates, IsEmpty());
  EXPECT_THAT(coordinator.evaluations, IsEmpty());
  EXPECT_THAT(coordinator.steps, IsEmpty());
  EXPECT_THAT(coordinator.upload, IsEmpty());
  ASSERT_THAT(coordinator.censuses, SizeIs(1));
  v1::SubmitCensusRequest want;
  *want.mutable_header() = coordinator.censuses[0].header();
  want.set_unable(true);
  EXPECT_EQ(coordinator.censuses[0].SerializeAsString(),
            want.SerializeAsString());
}

}  // namespace hilum
