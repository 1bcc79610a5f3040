// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/secure_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "tests/site_agent/gateway/honest_sum.h"
#include "tests/support/tiny_disk.h"

namespace hilum {
namespace {

using Said = v1::SubmitSecureStepRequest;
using Step = HonestSum::Step;
using absl::StatusCode;
using testing::HasSubstr;

const SiteId kSelf("s0");  // the site under test

// A cohort of sites, each with a SecurePart of its own, and sums over their
// vectors.
class SecurePartTest : public testing::Test {
 protected:
  SecurePartTest() { Gather(4); }

  static SiteId Site(int i) { return SiteId(absl::StrCat("s", i)); }

  static std::string NewFolder() {
    std::string path = absl::StrCat(
        testing::TempDir(), "/part-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(path);
    return path;
  }

  void Gather(int num_sites, size_t elements = 37) {
    sites_.clear();
    const std::string folder = NewFolder();
    for (int i = 0; i < num_sites; ++i) {
      const SiteId site = Site(i);
      sites_[site] = std::make_unique<SumSite>(
          site, absl::StrCat(folder, "/", site.name()));
      Rng rng(1, site.name());
      vectors_[site].clear();
      for (size_t e = 0; e < elements; ++e) {
        vectors_[site].push_back(static_cast<uint32_t>(rng.Next()));
      }
      sites_[site]->SetVector(vectors_[site]);
    }
    Start(kRound, 'x');
  }

  SecAggContext Context(uint32_t round) const {
    SecAggContext context{.study_hash = std::string(32, 'h'),
                          .round = round,
                          .question = Sha256Of(absl::StrCat("in ", round))};
    for (const auto& [site, part] : sites_) context.cohort.insert(site);
    return context;
  }
  void Start(uint32_t round, char id) {
    sum_ = std::make_unique<HonestSum>(Context(round), std::string(32, id));
  }

  // Returns the present step, as the site is shown it.
  v1::Task TaskOf(const SiteId& site) const {
    v1::Task task;
    task.mutable_header()->set_study_hash(sum_->context().study_hash);
    task.mutable_header()->set_round(sum_->context().round);
    task.set_kind(v1::Task::TRAIN);
    *task.mutable_secure() = sum_->StepFor(site);
    return task;
  }
  absl::StatusOr<Said> Ask(const v1::Task& task, const SiteId& site = kSelf) {
    return sites_[site]->Answer(task, sum_->context());
  }
  // All sites take the present step, except those in `leave`.
  void Take(const std::set<SiteId>& leave = {}) {
    for (const SiteId& site : sum_->server().expected()) {
      if (leave.contains(site)) continue;
      auto said = Ask(TaskOf(site), site);
      ASSERT_TRUE(said.ok()) << site.name() << ": " << said.status();
      const absl::Status taken = sum_->On(site, *said);
      ASSERT_TRUE(taken.ok()) << site.name() << ": " << taken;
    }
    ASSERT_TRUE(sum_->Close().ok());
  }
  void UpTo(Step step) {
    while (sum_->server().step() < step) {
      ASSERT_NO_FATAL_FAILURE(Take());
    }
  }
  void Restart() { sites_[kSelf]->Restart(); }
  std::string RevealedPath() const {
    return sites_.at(kSelf)->RevealedPath(TaskOf(kSelf).header());
  }

  // Expects that the opened sum is the sum of the survivors' plain vectors.
  void ExpectPlainSum() {
    std::vector<uint32_t> masked(vectors_[kSelf].size()), plain = masked;
    for (const SiteId& site : sum_->server().survivors()) {
      AddTo(plain, vectors_[site]);
      AddTo(masked, sites_[site]->Masked());
      EXPECT_TRUE(sites_[site]->Masked() != vectors_[site]);
    }
    auto read = sum_->Read(masked);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(*read == plain);
  }

  static constexpr uint32_t kRound = 5;
  std::map<SiteId, std::unique_ptr<SumSite>> sites_;
  std::map<SiteId, std::vector<uint32_t>> vectors_;
  std::unique_ptr<HonestSum> sum_;
};

void ExpectRefused(const absl::Status& status, StatusCode code,
                   const std::string& why) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(why));
}

std::string BytesOf(const absl::StatusOr<Said>& said) {
  EXPECT_TRUE(said.ok()) << said.status();
  return said.ok() ? said->SerializeAsString() : "";
}

TEST_F(SecurePartTest, MaskedFilesSumToThePlainSum) {
  for (int num_sites : {3, 5}) {
    // Two blocks, and a length that is not a multiple of 4.
    ASSERT_NO_FATAL_FAILURE(Gather(num_sites, 70001));
    UpTo(Step::kDone);
    ExpectPlainSum();
  }
}

TEST_F(SecurePartTest, SumWithoutASiteThatLeftIsThatOfTheOthers) {
  for (Step step : {Step::kShareKeys, Step::kMaskedInput, Step::kConfirm}) {
    ASSERT_NO_FATAL_FAILURE(Gather(4));
    UpTo(step);
    ASSERT_NO_FATAL_FAILURE(Take({Site(3)}));
    UpTo(Step::kDone);
    EXPECT_EQ(sum_->server().survivors().contains(Site(3)),
              step == Step::kConfirm);
    ExpectPlainSum();
  }
}

TEST_F(SecurePartTest, SumsOfOneRoundAfterAnotherAreEachRead) {
  UpTo(Step::kDone);
  ExpectPlainSum();
  Start(kRound + 1, 'y');
  UpTo(Step::kDone);
  ExpectPlainSum();
}

TEST_F(SecurePartTest, StepShownTwiceAlikeIsAnsweredWithTheSameBytes) {
  while (sum_->server().step() != Step::kDone) {
    const v1::Task task = TaskOf(kSelf);
    const std::string first = BytesOf(Ask(task));
    EXPECT_EQ(BytesOf(Ask(task)), first);
    ASSERT_NO_FATAL_FAILURE(Take());
    EXPECT_EQ(BytesOf(Ask(task)), first);
  }
  ExpectPlainSum();
}

// The first step shows nothing that could differ.
TEST_F(SecurePartTest, StepShownTwiceWithDifferencesIsDeniedAndEndsTheSum) {
  const std::map<Step, std::function<void(v1::SecureStep&)>> changes = {
      {Step::kShareKeys,
       [](auto& s) { s.mutable_roster()->mutable_entries()->RemoveLast(); }},
      {Step::kMaskedInput,
       [](auto& s) { s.mutable_inbox()->mutable_shares()->RemoveLast(); }},
      {Step::kConfirm,
       [](auto& s) { s.mutable_survivors()->mutable_sites()->RemoveLast(); }},
      {Step::kUnmask, [](auto& s) {
         s.mutable_confirmations()->mutable_entries()->RemoveLast();
       }}};
  for (const auto& [step, change] : changes) {
    ASSERT_NO_FATAL_FAILURE(Gather(4));
    UpTo(step);
    const v1::Task task = TaskOf(kSelf);
    ASSERT_TRUE(Ask(task).ok());
    v1::Task other = task;
    change(*other.mutable_secure());
    ExpectRefused(Ask(other).status(), StatusCode::kPermissionDenied,
                  "twice, with differences");
    // The site answers nothing else of this sum from then on.
    EXPECT_EQ(Ask(task).status().code(), StatusCode::kPermissionDenied);
    Take({kSelf});
    if (sum_->server().step() != Step::kDone) {
      EXPECT_EQ(Ask(TaskOf(kSelf)).status().code(),
                StatusCode::kPermissionDenied);
    }
  }
}

TEST_F(SecurePartTest, SiteThatLeftASumTakesPartInTheNext) {
  UpTo(Step::kConfirm);
  v1::Task task = TaskOf(kSelf);
  task.mutable_secure()->mutable_survivors()->clear_sites();
  EXPECT_FALSE(Ask(task).ok());
  Start(kRound, 'y');
  UpTo(Step::kDone);
  ExpectPlainSum();
}

// The revealed shares would be noted under a round to which the sum does not
// belong.
TEST_F(SecurePartTest, StepInAnotherRoundOrStudyThanTheSumBeganInIsDenied) {
  for (Step step : {Step::kAdvertiseKeys, Step::kShareKeys, Step::kMaskedInput,
                    Step::kConfirm, Step::kUnmask}) {
    for (uint32_t round : {kRound - 1, kRound, kRound + 1}) {
      ASSERT_NO_FATAL_FAILURE(Gather(4));
      UpTo(step);
      if (step == Step::kAdvertiseKeys) {
        ASSERT_TRUE(Ask(TaskOf(kSelf)).ok());
      }
      v1::Task task = TaskOf(kSelf);
      task.mutable_header()->set_round(round);
      if (round == kRound) {
        task.mutable_header()->set_study_hash(std::string(32, 'g'));
      }
      ExpectRefused(Ask(task).status(), StatusCode::kPermissionDenied,
                    "for a sum of round 5");
      EXPECT_EQ(Ask(TaskOf(kSelf)).status().code(),
                StatusCode::kPermissionDenied);
      EXPECT_FALSE(FileExists(RevealedPath()));
      EXPECT_FALSE(FileExists(sites_[kSelf]->RevealedPath(task.header())));
    }
  }
}

TEST_F(SecurePartTest, SumWhoseKeysAreOfAnEarlierProcessIsLeft) {
  for (Step step :
       {Step::kShareKeys, Step::kMaskedInput, Step::kConfirm, Step::kUnmask}) {
    ASSERT_NO_FATAL_FAILURE(Gather(4));
    UpTo(step);
    Restart();
    ExpectRefused(Ask(TaskOf(kSelf)).status(), StatusCode::kFailedPrecondition,
                  "has restarted since");
    EXPECT_FALSE(FileExists(RevealedPath()));
  }
}

TEST_F(SecurePartTest, RevealedSharesAreGivenAgainAfterARestart) {
  UpTo(Step::kUnmask);
  const v1::Task task = TaskOf(kSelf);
  const std::string revealed = BytesOf(Ask(task));
  for (int i = 0; i < 2; ++i) {
    Restart();
    EXPECT_EQ(BytesOf(Ask(task)), revealed);
  }
  Take();
  ExpectPlainSum();
}

TEST_F(SecurePartTest, RoundThatWasRevealedAndThoseBeforeItTakeNoOtherSum) {
  UpTo(Step::kUnmask);
  ASSERT_TRUE(Ask(TaskOf(kSelf)).ok());
  for (bool restarted : {false, true}) {
    if (restarted) Restart();
    for (uint32_t round = 0; round <= kRound + 1; ++round) {
      Start(round, static_cast<char>('a' + round));
      const v1::Task task = TaskOf(kSelf);
      const absl::Status open = sites_[kSelf]->part().CheckRound(task.header());
      const absl::Status asked = Ask(task).status();
      if (round > kRound) {
        EXPECT_TRUE(open.ok() && asked.ok()) << open << asked;
        continue;
      }
      ExpectRefused(open, StatusCode::kFailedPrecondition, "in round 5");
      ExpectRefused(asked, StatusCode::kFailedPrecondition, "in round 5");
    }
  }
}

TEST_F(SecurePartTest, IdOfARevealedSumIsNoneForAnotherRound) {
  UpTo(Step::kDone);
  for (bool restarted : {false, true}) {
    if (restarted) Restart();
    Start(kRound + 1, 'x');
    ExpectRefused(Ask(TaskOf(kSelf)).status(), StatusCode::kPermissionDenied,
                  "for a sum of round 5");
  }
}

TEST_F(SecurePartTest, AnotherStudysRoundsAreItsOwn) {
  UpTo(Step::kDone);
  v1::Header other = TaskOf(kSelf).header();
  other.set_study_hash(std::string(32, 'g'));
  EXPECT_TRUE(sites_[kSelf]->part().CheckRound(other).ok());
}

TEST_F(SecurePartTest, NoteOfWhatWasRevealedIsSeenToBeChanged) {
  UpTo(Step::kDone);
  const v1::Header header = TaskOf(kSelf).header();
  const std::string whole = ReadFile(RevealedPath()).value();
  std::vector<std::string> changed = {"", whole + "x"};
  for (size_t i = 0; i < whole.size(); ++i) {
    changed.push_back(whole.substr(0, i));
    changed.push_back(whole);
    changed.back()[i] ^= 1;
  }
  Start(kRound + 1, 'y');
  for (const std::string& bytes : changed) {
    ASSERT_TRUE(
        WriteFileAtomically(RevealedPath(), bytes, Durability::kNone).ok());
    ExpectRefused(sites_[kSelf]->part().CheckRound(header),
                  StatusCode::kDataLoss, "changed");
  }
  EXPECT_EQ(Ask(TaskOf(kSelf)).status().code(), StatusCode::kDataLoss);
  // The note is whole, but belongs to another study.
  v1::Header other = header;
  other.set_study_hash(std::string(32, 'g'));
  ASSERT_TRUE(
      WriteFileAtomically(sites_[kSelf]->RevealedPath(other), whole).ok());
  EXPECT_EQ(sites_[kSelf]->part().CheckRound(other).code(),
            StatusCode::kDataLoss);
}

TEST_F(SecurePartTest, MalformedTasksAreRefused) {
  const v1::Task good = TaskOf(kSelf);
  for (size_t size : {0, 5, 31, 33}) {
    v1::Task task = good;
    task.mutable_secure()->set_sum_id(std::string(size, 'x'));
    ExpectRefused(Ask(task).status(), StatusCode::kInvalidArgument,
                  absl::StrCat("an id of ", size, " bytes"));
  }
  ASSERT_TRUE(Ask(good).ok());
  v1::Task silent = good;
  silent.mutable_secure()->clear_shown();
  ExpectRefused(Ask(silent).status(), StatusCode::kInvalidArgument,
                "does not know");
}

TEST_F(SecurePartTest, StudyThatDoesNotNameThisSiteHasNoSumOfIt) {
  SecAggContext others = Context(kRound);
  others.cohort.erase(kSelf);
  ExpectRefused(sites_[kSelf]->Answer(TaskOf(kSelf), others).status(),
                StatusCode::kFailedPrecondition, "does not name this site");
}

TEST_F(SecurePartTest, SiteWithoutACertificateTakesNoPart) {
  SecurePart part({.site = kSelf,
                   .credentials = nullptr,
                   .rng = &RealSecureRng(),
                   .studies_dir = sites_[kSelf]->folder()});
  const SecurePart::Asked asked{.context = Context(kRound)};
  ExpectRefused(part.Answer(TaskOf(kSelf), asked, "", "").status(),
                StatusCode::kFailedPrecondition, "no certificate");
}

TEST_F(SecurePartTest, VectorThatIsGoneCostsTheSumAndNotTheStudy) {
  UpTo(Step::kMaskedInput);
  std::filesystem::remove(sites_[kSelf]->folder() + "/vector");
  EXPECT_EQ(Ask(TaskOf(kSelf)).status().code(), StatusCode::kAborted);
}

// While it lives, a process of root accesses files as another user does.
class ScopedStranger {
 public:
  ScopedStranger() {
    if (geteuid() == 0) setfsuid(65534);
  }
  ~ScopedStranger() { setfsuid(geteuid()); }
};

TEST_F(SecurePartTest, FolderThatCannotBeWrittenDoesNotConvictTheCoordinator) {
  UpTo(Step::kUnmask);
  std::filesystem::permissions(sites_[kSelf]->folder(),
                               std::filesystem::perms::owner_read |
                                   std::filesystem::perms::owner_exec |
                                   std::filesystem::perms::others_exec);
  absl::Status refused;
  {
    ScopedStranger stranger;
    refused = Ask(TaskOf(kSelf)).status();
  }
  std::filesystem::permissions(sites_[kSelf]->folder(),
                               std::filesystem::perms::owner_all);
  ExpectRefused(refused, StatusCode::kAborted, "Permission denied");
  EXPECT_FALSE(FileExists(RevealedPath()));
}

TEST_F(SecurePartTest, NoteThatCannotBeReadDoesNotConvictTheCoordinator) {
  UpTo(Step::kDone);
  std::filesystem::permissions(RevealedPath(), std::filesystem::perms::none);
  Start(kRound + 1, 'y');
  ScopedStranger stranger;
  ExpectRefused(Ask(TaskOf(kSelf)).status(), StatusCode::kAborted,
                "Permission denied");
}

class SecurePartOnAFullDiskTest : public SecurePartTest {
 protected:
  void SetUp() override {
    auto disk = TinyDisk::Mount(1 << 20);
    if (absl::IsPermissionDenied(disk.status())) {
      GTEST_SKIP() << "needs root to mount a small disk: " << disk.status();
    }
    ASSERT_TRUE(disk.ok()) << disk.status();
    disk_ = *std::move(disk);
    auto& self = sites_[kSelf];
    self = std::make_unique<SumSite>(kSelf, disk_->path() + "/s0");
    self->SetVector(vectors_[kSelf]);
  }

  std::unique_ptr<TinyDisk> disk_;
};

TEST_F(SecurePartOnAFullDiskTest, NothingIsRevealedBeforeItIsNoted) {
  UpTo(Step::kUnmask);
  const v1::Task task = TaskOf(kSelf);
  ASSERT_TRUE(disk_->Fill().ok());
  for (int i = 0; i < 2; ++i) {
    ExpectRefused(Ask(task).status(), StatusCode::kResourceExhausted,
                  "No space left");
    EXPECT_FALSE(FileExists(RevealedPath()));
  }
  disk_->Free();
  const std::string revealed = BytesOf(Ask(task));
  Restart();
  EXPECT_EQ(BytesOf(Ask(task)), revealed);
  Take();
  ExpectPlainSum();
}

TEST_F(SecurePartOnAFullDiskTest, VectorThatCouldNotBeWrittenIsNotMaskedTwice) {
  UpTo(Step::kMaskedInput);
  const v1::Task task = TaskOf(kSelf);
  ASSERT_TRUE(disk_->Fill().ok());
  ExpectRefused(Ask(task).status(), StatusCode::kAborted, "No space left");
  disk_->Free();
  ExpectRefused(Ask(task).status(), StatusCode::kAborted, "No space left");
  ASSERT_NO_FATAL_FAILURE(Take({kSelf}));
  UpTo(Step::kDone);
  ExpectPlainSum();
}

}  // namespace
}  // namespace hilum
