// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/site_notes.h"

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kSide = 4;

// Four cases of two classes, without masks.
PreparedStudy Site(const std::vector<std::string>& patients) {
  PreparedStudy site;
  for (const char* label : {"sick", "well"}) site.study.add_classes(label);
  site.study.add_arms(v1::ARM_WHOLE);
  site.study.add_arms(v1::ARM_SEGMENTED);
  site.study.mutable_cross_validation()->set_folds(1);
  site.study.mutable_model()->set_input_size(kSide);
  for (size_t i = 0; i < patients.size(); ++i) {
    CaseRow row;
    row.row = static_cast<int>(i) + 2;
    row.file = absl::StrCat("c", i, ".png");
    row.label = static_cast<int>(i % 2);
    row.patient_id = patients[i];
    site.pool.data.manifest.cases.push_back(row);
    site.pool.data.facts.push_back({});
    site.pool.data.whole.push_back(Plane(kSide * kSide, 7));
    site.pool.data.segmented.push_back({});
    site.pool.folds.push_back(0);
  }
  return site;
}

TEST(SiteNotesTest, PatientsWhoMayBeOneAreLoggedByRowAndListedById) {
  const PreparedStudy site = Site({"P001", "p1", "P002", "P001"});
  const std::vector<std::string> warnings = SiteWarnings(site);
  EXPECT_THAT(warnings, Contains(HasSubstr("manifest rows 2 and 3")));
  EXPECT_THAT(warnings, Not(Contains(HasSubstr("P001"))));
  const std::string folder = ::testing::TempDir();
  ASSERT_TRUE(WriteSiteNotes(site, folder).ok());
  EXPECT_EQ(*ReadFile(folder + "/similar_patients.csv"),
            "row,patient_id,other_row,other_patient_id\n2,P001,3,p1\n");
  EXPECT_EQ(SimilarPatientsWarning(Site({"a", "b"}).pool.data.manifest), "");
}

TEST(SiteNotesTest, AnArmWithoutCasesIsSaidBeforeTraining) {
  PreparedStudy site = Site({"a", "b", "c", "d"});
  EXPECT_THAT(
      SiteWarnings(site),
      Contains(AllOf(HasSubstr("arm segmented has no case here"),
                     HasSubstr("no row of the manifest names a lung mask"))));
  EXPECT_THAT(SiteWarnings(site), Not(Contains(HasSubstr("arm whole"))));
  site.pool.data.manifest.cases[0].mask = "m.png";
  site.pool.data.facts[0].mask_fault = "one lung";
  EXPECT_THAT(SiteWarnings(site),
              Contains(HasSubstr("no lung mask can be used")));
  site.pool.data.segmented[0] = Plane(kSide * kSide, 7);
  EXPECT_THAT(SiteWarnings(site), Not(Contains(HasSubstr("no case here: "))));
}

}  // namespace
}  // namespace hilum
