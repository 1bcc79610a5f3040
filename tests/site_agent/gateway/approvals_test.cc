// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/approvals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ApprovalsOfferTest : public testing::Test {
 protected:
  static std::string NewFolder() {
    std::string path = absl::StrCat(
        testing::TempDir(), "/approvals-",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(path);
    return path;
  }
  std::string StudyPath(const std::string& hash) const {
    return absl::StrCat(folder_, "/studies/", ToHex(hash), ".study");
  }
  std::string Put(const std::string& study) const {
    EXPECT_TRUE(approvals_.PutOffer(Sha256Of(study), study).ok());
    return Sha256Of(study);
  }

  const std::string folder_ = NewFolder();
  const Approvals approvals_ = Approvals::Open(folder_).value();
};

TEST_F(ApprovalsOfferTest, FileWhoseNameSpellsSomethingWasNotOffered) {
  const std::string hash = Put("a study");
  const std::string name = "Jane Doe, born 1961-02-03, AIDS ";
  ASSERT_TRUE(WriteFileAtomically(StudyPath(name), "").ok());
  ASSERT_TRUE(
      WriteFileAtomically(
          absl::StrCat(folder_, "/approvals/", ToHex(name), ".approved"), "")
          .ok());
  ASSERT_TRUE(
      WriteFileAtomically(
          absl::StrCat(folder_, "/approvals/", ToHex(name), ".refused"), "")
          .ok());
  EXPECT_THAT(approvals_.Offered(), ElementsAre(hash));
  EXPECT_THAT(approvals_.Approved(), IsEmpty());
  EXPECT_THAT(approvals_.Refused(), IsEmpty());
  EXPECT_EQ(approvals_.Strangers(), 1u);
  EXPECT_FALSE(approvals_.Approve(name).ok());
}

// An attacker could put in many such files, and pick hashes that spell a
// message.
TEST_F(ApprovalsOfferTest, FileWithItsHashThatWasNotPutWasNotOffered) {
  const std::string study = "put here by somebody else";
  ASSERT_TRUE(WriteFileAtomically(StudyPath(Sha256Of(study)), study).ok());
  EXPECT_THAT(approvals_.Offered(), IsEmpty());
  EXPECT_EQ(approvals_.Strangers(), 1u);
  EXPECT_EQ(approvals_.Offer(Sha256Of(study)).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ApprovalsOfferTest, FileThatWasChangedDoesNotCountAndMayBeOfferedAnew) {
  const std::string hash = Put("a study");
  ASSERT_TRUE(approvals_.Approve(hash).ok());
  ASSERT_TRUE(WriteFileAtomically(StudyPath(hash), "another").ok());
  EXPECT_THAT(approvals_.Offered(), IsEmpty());
  EXPECT_THAT(approvals_.Approved(), IsEmpty());
  EXPECT_EQ(approvals_.Offer(hash).status().code(),
            absl::StatusCode::kDataLoss);
  Put("a study");
  EXPECT_THAT(approvals_.Approved(), ElementsAre(hash));
}

TEST_F(ApprovalsOfferTest, PipeInTheFoldersPlaceIsNotWaitedFor) {
  const std::string hash = Put("a study");
  std::filesystem::remove(StudyPath(hash));
  ASSERT_EQ(mkfifo(StudyPath(hash).c_str(), 0600), 0);
  EXPECT_THAT(approvals_.Offered(), IsEmpty());
}

TEST_F(ApprovalsOfferTest, IndexOutlivesARestart) {
  const std::string one = Put("one"), two = Put("two");
  EXPECT_THAT(Approvals::Open(folder_)->Offered(),
              testing::UnorderedElementsAre(one, two));
}

TEST_F(ApprovalsOfferTest, UndecidedAreThoseWithoutAnyDecision) {
  const std::string one = Put("one"), two = Put("two");
  Put("three");
  EXPECT_EQ(approvals_.Undecided().count, 3u);
  EXPECT_EQ(approvals_.Undecided().bytes, 11u);
  ASSERT_TRUE(approvals_.Approve(one).ok());
  ASSERT_TRUE(approvals_.Refuse(two).ok());
  EXPECT_EQ(approvals_.Undecided().count, 1u);
  EXPECT_EQ(approvals_.Undecided().bytes, 5u);
}

TEST_F(ApprovalsOfferTest, StudyOfMoreThanAMebibyteIsNotStored) {
  const std::string large((1 << 20) + 1, 's');
  EXPECT_EQ(approvals_.PutOffer(Sha256Of(large), large).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(approvals_.Offered(), IsEmpty());
}

}  // namespace
}  // namespace hilum
