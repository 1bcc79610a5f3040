// SPDX-License-Identifier: Apache-2.0
// Tests the way of an object from the network to the store.
#include "site_agent/ingest/receiving_intake.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "site_agent/ingest/incoming_file.h"
#include "tests/site_agent/ingest/folder_fixture.h"

namespace hilum {
namespace {

using Kind = IntakeAnswer::Kind;

constexpr char kClass[] = "1.2.840.10008.5.1.4.1.1.1";
constexpr char kExplicit[] = "1.2.840.10008.1.2.1";

class ReceivingIntakeTest : public FolderTest {
 protected:
  std::unique_ptr<ReceivingIntake> Open() {
    auto intake =
        ReceivingIntake::Open(Receiving(), RealClock(), RealSecureRng());
    EXPECT_TRUE(intake.ok()) << intake.status();
    return intake.ok() ? *std::move(intake) : nullptr;
  }
  ReceivingOptions Receiving() const {
    return {
        .store = options_.store, .labels = options_.labels, .actor = "listen"};
  }
  std::string Incoming() const { return options_.store + "/incoming"; }
  // Writes a film as it comes over the network: without preamble and header.
  std::string Receive(DicomMaker film, const std::string& uid) {
    fs::create_directories(Incoming());
    auto file = IncomingFile::Create(Incoming(), {kClass, uid, kExplicit});
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE(file->Append(film.DataSet()).ok());
    return file->Finish().value_or("");
  }
  // Returns how many files are in the incoming folder, and how many refused
  // ones are kept.
  std::pair<int, int> Left() const {
    int whole = 0, refused = 0;
    for (const auto& entry : fs::directory_iterator(Incoming())) {
      whole += entry.is_regular_file();
    }
    for (const auto& entry : fs::directory_iterator(Incoming() + "/refused")) {
      refused += entry.is_regular_file();
    }
    return {whole, refused};
  }
};

TEST_F(ReceivingIntakeTest, ATakenObjectIsACaseAndItsFileIsGone) {
  options_.labels = Put("labels.csv", "PatientID,label\nP1,covid\n");
  auto intake = Open();
  ASSERT_NE(intake, nullptr);
  const std::string name = Receive(Film(3, "P1"), "1.2.3.3");
  EXPECT_FALSE(intake->IsKnown("1.2.3.3").value());
  EXPECT_EQ(intake->Take(name).kind, Kind::kCommitted);
  EXPECT_TRUE(intake->IsKnown("1.2.3.3").value());
  EXPECT_EQ(Left(), (std::pair<int, int>{0, 0}));
  ASSERT_TRUE(intake->Export().ok());
  ASSERT_EQ(Cases().size(), 1u);
  EXPECT_EQ(Cases()[0][1], "covid");
  // Sending it again gives the same case.
  EXPECT_EQ(intake->Take(Receive(Film(3, "P1"), "1.2.3.3")).kind,
            Kind::kCommitted);
  ASSERT_TRUE(intake->Export().ok());
  EXPECT_EQ(Cases().size(), 1u);
}

TEST_F(ReceivingIntakeTest, ARefusedObjectIsKeptAndAPersonMayReleaseIt) {
  {
    auto intake = Open();
    const DicomMaker knee = Film(3, "P1").Text(0x00180015, "CS", "KNEE");
    const IntakeAnswer answer = intake->Take(Receive(knee, "1.2.3.3"));
    EXPECT_EQ(answer.kind, Kind::kRefused);
    EXPECT_EQ(answer.reason, "the body part is not the chest");
    EXPECT_EQ(Left(), (std::pair<int, int>{0, 1}));
    EXPECT_TRUE(intake->IsKnown("1.2.3.3").value());
    ASSERT_TRUE(intake->Export().ok());
  }
  auto records = ParseCsv(Stored("quarantine.csv"));
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 2u);
  auto intake =
      Intake::Open({.store = options_.store}, RealClock(), RealSecureRng());
  ASSERT_TRUE(intake.ok());
  auto released = (*intake)->Release((*records)[1][0]);
  ASSERT_TRUE(released.ok()) << released.status();
  EXPECT_FALSE(released->case_id.empty());
}

TEST_F(ReceivingIntakeTest, AKilledReceiversRestIsSweptAndItsWholeFilesTaken) {
  Receive(Film(3, "P1"), "1.2.3.3");
  Put("store/incoming/1.2.3.5_1_1.part", "half");
  auto intake = Open();
  ASSERT_NE(intake, nullptr);
  EXPECT_TRUE(intake->IsKnown("1.2.3.3").value());
  EXPECT_EQ(Left(), (std::pair<int, int>{0, 0}));
}

// Otherwise it would end each start again.
TEST_F(ReceivingIntakeTest, AnObjectThatEndedAStartIsRefusedAtTheNext) {
  const std::string name = Receive(Film(3, "P1"), "1.2.3.3");
  fs::rename(absl::StrCat(Incoming(), "/", name),
             absl::StrCat(Incoming(), "/", name, ".tried"));
  auto intake = Open();
  ASSERT_NE(intake, nullptr);
  EXPECT_EQ(Left(), (std::pair<int, int>{0, 1}));
  EXPECT_TRUE(absl::StrContains(Stored("quarantine.csv"), "broke down"));
}

TEST_F(ReceivingIntakeTest, ANameLeadsNowhereElse) {
  Put("secret.dcm", Film(3, "P1").File());
  auto intake = Open();
  for (const char* name :
       {"../../secret.dcm", "1.2.3_/../../../secret.dcm", "", "x.dcm"}) {
    EXPECT_EQ(intake->Take(name).kind, Kind::kError) << name;
  }
  EXPECT_TRUE(fs::exists(absl::StrCat(root_, "/secret.dcm")));
}

}  // namespace
}  // namespace hilum
