// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/storage_contexts.h"

#include <dcmtk/config/osconfig.h>
// After its configuration.
#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmnet/assoc.h>

#include <cstring>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace hilum {
namespace {

constexpr char kCt[] = "1.2.840.10008.5.1.4.1.1.2";
constexpr char kJpeg2000[] = "1.2.840.10008.1.2.4.90";

// Association parameters without contexts.
class StorageContextsTest : public testing::Test {
 protected:
  StorageContextsTest() {
    ASC_createAssociationParameters(&parameters_, 16384);
  }
  ~StorageContextsTest() override {
    ASC_destroyAssociationParameters(&parameters_);
  }

  void Propose(int id, const char* sop_class,
               std::vector<const char*> syntaxes) {
    ASSERT_TRUE(ASC_addPresentationContext(
                    parameters_, static_cast<T_ASC_PresentationContextID>(id),
                    sop_class, syntaxes.data(),
                    static_cast<int>(syntaxes.size()))
                    .good());
  }
  // Returns the accepted syntax; "": refused.
  std::string Accepted(int id) {
    T_ASC_PresentationContext context = {};
    const OFCondition found = ASC_findAcceptedPresentationContext(
        parameters_, static_cast<T_ASC_PresentationContextID>(id), &context);
    return found.good() ? context.acceptedTransferSyntax : "";
  }

  T_ASC_Parameters* parameters_ = nullptr;
};

TEST_F(StorageContextsTest, OnlyRadiographsAndEchoAreAccepted) {
  Propose(1, UID_VerificationSOPClass,
          {UID_LittleEndianImplicitTransferSyntax});
  Propose(3, UID_DigitalXRayImageStorageForPresentation, {kJpeg2000});
  Propose(5, kCt, {UID_LittleEndianExplicitTransferSyntax});
  Propose(7, UID_VerificationSOPClass, {kJpeg2000});
  Propose(9, UID_ComputedRadiographyImageStorage, {"1.2.3.4"});
  ASSERT_TRUE(AcceptContexts(parameters_).ok());
  EXPECT_EQ(Accepted(1), UID_LittleEndianImplicitTransferSyntax);
  EXPECT_EQ(Accepted(3), kJpeg2000);
  EXPECT_EQ(Accepted(5), "");
  EXPECT_EQ(Accepted(7), "");  // verification has no data to compress
  EXPECT_EQ(Accepted(9), "");
}

// A sender that offers both stores the pixels uncompressed.
TEST_F(StorageContextsTest, UncompressedIsPreferredWithinOneContext) {
  Propose(1, UID_ComputedRadiographyImageStorage,
          {kJpeg2000, UID_LittleEndianExplicitTransferSyntax});
  ASSERT_TRUE(AcceptContexts(parameters_).ok());
  EXPECT_EQ(Accepted(1), UID_LittleEndianExplicitTransferSyntax);
}

// Otherwise the peer would have to encode again, with loss.
TEST_F(StorageContextsTest, EachCompressedSyntaxHasAContextOfItsOwn) {
  ASSERT_TRUE(ProposeContexts(parameters_,
                              {UID_FINDStudyRootQueryRetrieveInformationModel},
                              true)
                  .ok());
  std::set<std::string> alone;
  std::set<int> ids;
  const int count = ASC_countPresentationContexts(parameters_);
  for (int i = 0; i < count; ++i) {
    T_ASC_PresentationContext context = {};
    ASC_getPresentationContext(parameters_, i, &context);
    ids.insert(context.presentationContextID);
    EXPECT_EQ(context.presentationContextID % 2, 1);
    if (std::strcmp(context.abstractSyntax,
                    UID_ComputedRadiographyImageStorage) != 0) {
      continue;
    }
    EXPECT_EQ(context.proposedRole, ASC_SC_ROLE_SCP);
    if (context.transferSyntaxCount == 1) {
      alone.insert(context.proposedTransferSyntaxes[0]);
    }
  }
  EXPECT_EQ(ids.size(), static_cast<size_t>(count));
  EXPECT_EQ(alone.size() + 3, TransferSyntaxes().size());
  EXPECT_EQ(alone.count(UID_LittleEndianExplicitTransferSyntax), 0u);
}

TEST_F(StorageContextsTest, WithoutStorageOnlyTheQueryIsProposed) {
  ASSERT_TRUE(ProposeContexts(parameters_,
                              {UID_FINDStudyRootQueryRetrieveInformationModel,
                               UID_MOVEStudyRootQueryRetrieveInformationModel},
                              false)
                  .ok());
  EXPECT_EQ(ASC_countPresentationContexts(parameters_), 2);
}

// PS3.8 section 9.3.2.2: odd numbers up to 255.
TEST_F(StorageContextsTest, AllContextsFitIntoOneProposal) {
  EXPECT_LE(2 + StorageClasses().size() * TransferSyntaxes().size(), 128u);
}

}  // namespace
}  // namespace hilum
