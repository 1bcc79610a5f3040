// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/receive_object.h"

#include <arpa/inet.h>
#include <dcmtk/config/osconfig.h>
#include <sys/socket.h>
#include <unistd.h>
// After its configuration.
#include <dcmtk/dcmnet/dimse.h>

#include <filesystem>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gtest/gtest.h"
#include "site_agent/ingest/incoming_file.h"
#include "site_agent/ingest/network/storage_contexts.h"
#include "tests/site_agent/ingest/network/dicom_fakes.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

constexpr char kDigitalXRay[] = "1.2.840.10008.5.1.4.1.1.1.1";

// Takes one C-STORE of one association on a thread.
class ReceiveObjectTest : public testing::Test {
 protected:
  ReceiveObjectTest()
      : incoming_(absl::StrCat(
            testing::TempDir(), "/receive_", getpid(), "_",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(incoming_);
    listening_ = ListenOnLoopback(port_);
  }
  ~ReceiveObjectTest() override { fs::remove_all(incoming_); }

  // Returns the status that the sender gets for an object of this class and
  // UID.
  int Send(const std::string& uid, FakeIntake& intake,
           const std::string& sop_class = kComputedRadiography,
           const std::string& in_context = "") {
    std::thread receiver([&] { Receive(intake.channel()); });
    int status = -1;
    {
      Scu scu(port_, {}, {kComputedRadiography, kDigitalXRay});
      EXPECT_EQ(scu.refusal(), "");
      status = scu.Store(sop_class, uid, in_context);
    }
    receiver.join();
    return status;
  }
  int NumFiles() const {
    return static_cast<int>(std::distance(fs::directory_iterator(incoming_),
                                          fs::directory_iterator()));
  }

  absl::StatusOr<ReceivedObject> received_ = absl::UnknownError("nothing");
  const std::string incoming_;

 private:
  void Receive(IntakeChannel& intake) {
    dcmDisableGethostbyaddr.set(OFTrue);
    dcmExternalSocketHandle.set(
        accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    T_ASC_Network* network = nullptr;
    T_ASC_Association* association = nullptr;
    T_DIMSE_Message message = {};
    T_ASC_PresentationContextID context = 0;
    ASC_initializeNetwork(NET_ACCEPTOR, 0, 20, &network);
    ASC_receiveAssociation(network, &association, 65536, nullptr, nullptr,
                           OFFalse, DUL_NOBLOCK, 20);
    dcmExternalSocketHandle.set(DCMNET_INVALID_SOCKET);
    EXPECT_TRUE(AcceptContexts(association->params).ok());
    ASC_acknowledgeAssociation(association);
    if (DIMSE_receiveCommand(association, DIMSE_NONBLOCKING, 20, &context,
                             &message, nullptr)
            .good()) {
      received_ = ReceiveObject(association, context, message.msg.CStoreRQ,
                                incoming_, intake);
    }
    DIMSE_receiveCommand(association, DIMSE_NONBLOCKING, 20, &context, &message,
                         nullptr);  // the sender's end
    ASC_dropSCPAssociation(association);
    ASC_destroyAssociation(&association);
    ASC_dropNetwork(&network);
  }

  int port_ = 0;
  ScopedFd listening_;
};

TEST_F(ReceiveObjectTest, SuccessIsAnsweredForWhatTheIntakeHasCommitted) {
  FakeIntake intake("committed");
  EXPECT_EQ(Send("1.2.3", intake), kStoreSuccess);
  ASSERT_TRUE(received_.ok()) << received_.status();
  EXPECT_FALSE(received_->refused);
  ASSERT_EQ(intake.taken().size(), 1u);
  // Stores the whole file, under the object's own name.
  EXPECT_EQ(UidOfIncomingName(intake.taken()[0]), "1.2.3");
  const auto file = ReadFile(absl::StrCat(incoming_, "/", intake.taken()[0]));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->substr(128, 4), "DICM");
  EXPECT_TRUE(absl::StrContains(*file, "1.2.840.10008.1.2.1"));
}

// Otherwise a PACS would send it again for days.
TEST_F(ReceiveObjectTest, WhatIsNoCaseIsAcknowledgedAndToldApart) {
  FakeIntake intake("refused the body part is not the chest");
  EXPECT_EQ(Send("1.2.3", intake), kStoreSuccess);
  ASSERT_TRUE(received_.ok());
  EXPECT_TRUE(received_->refused);
  EXPECT_EQ(received_->comment, "the body part is not the chest");
}

TEST_F(ReceiveObjectTest, AFullDiskIsAnsweredAsOutOfResources) {
  FakeIntake intake("full /secret/1.2.3_1_1.dcm: no space");
  EXPECT_EQ(Send("1.2.3", intake), kStoreOutOfResources);
  EXPECT_EQ(received_->comment, "the disk is full");
}

TEST_F(ReceiveObjectTest, AFaultIsToldWithoutTheFilesName) {
  FakeIntake intake("error /store/1.2.3_1_1.dcm: cannot read: no");
  EXPECT_EQ(Send("1.2.3", intake), kStoreOutOfResources);
  EXPECT_FALSE(absl::StrContains(received_->comment, "1.2.3"));
}

TEST_F(ReceiveObjectTest, AnIntakeThatHasEndedIsNoSuccess) {
  FakeIntake intake("");
  EXPECT_EQ(Send("1.2.3", intake), kStoreOutOfResources);
}

TEST_F(ReceiveObjectTest, AFolderThatIsNotThereIsNoSuccess) {
  FakeIntake intake("committed");
  fs::remove_all(incoming_);
  EXPECT_EQ(Send("1.2.3", intake), kStoreOutOfResources);
  EXPECT_TRUE(intake.taken().empty());
}

// The same rule as in `folder`: ObjectUid.
TEST_F(ReceiveObjectTest, AUidWithALetterOrASlashIsTakenInItsFolder) {
  for (const char* uid : {"1.2.3.4.5a", "../1.2"}) {
    FakeIntake intake("committed");
    EXPECT_EQ(Send(uid, intake), kStoreSuccess) << uid;
    ASSERT_EQ(intake.taken().size(), 1u);
    EXPECT_EQ(UidOfIncomingName(intake.taken()[0]), uid);
  }
  EXPECT_EQ(NumFiles(), 2);
}

TEST_F(ReceiveObjectTest, NoUidIsAnsweredSoAndKeepsNothing) {
  FakeIntake intake("committed");
  EXPECT_EQ(Send("1.2\\3", intake), kStoreInvalidInstance);
  EXPECT_TRUE(intake.taken().empty());
  EXPECT_EQ(NumFiles(), 0);
}

TEST_F(ReceiveObjectTest, AnotherClassThanItsContextIsRefused) {
  FakeIntake intake("committed");
  EXPECT_EQ(Send("1.2.3", intake, kDigitalXRay, kComputedRadiography),
            kStoreClassNotSupported);
  EXPECT_EQ(NumFiles(), 0);
}

}  // namespace
}  // namespace hilum
