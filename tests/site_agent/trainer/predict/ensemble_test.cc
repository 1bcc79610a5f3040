// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/predict/ensemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "tests/site_agent/trainer/predict/saved_model.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class EnsembleTest : public testing::Test {
 protected:
  EnsembleTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_ + "/more").ok());
  }
  ~EnsembleTest() override { std::filesystem::remove_all(folder_); }

  std::string Save(const std::string& name, uint64_t seed,
                   const std::string& quantiles = "") {
    WeightsMetadata said = SaidOfWhole();
    if (!quantiles.empty()) said["gray_quantiles"] = quantiles;
    const std::string path = absl::StrCat(folder_, "/", name, ".safetensors");
    SaveModel(path, seed, said);
    return path;
  }

  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/ensemble-", getpid());
};

TEST_F(EnsembleTest, ASiblingComputesTheSameBits) {
  const auto models = Ensemble::Open({Save("a", 1), Save("b", 2)}, {}).value();
  const auto sibling = models->CreateSibling().value();
  std::vector<float> pixels;
  for (int i = 0; i < 2 * 32 * 32; ++i) {
    pixels.push_back(static_cast<float>(i % 61) / 60);
  }
  const auto first = models->Predict(pixels).value();
  EXPECT_EQ(sibling->Predict(pixels).value(), first);
  ASSERT_THAT(first, SizeIs(2));
  for (const std::vector<double>& model : first) {
    ASSERT_THAT(model, SizeIs(2 * 2));
    EXPECT_NEAR(model[0] + model[1], 1, 1e-12);
  }
  EXPECT_NE(first[0], first[1]);
}

TEST_F(EnsembleTest, NamesAreShortWhereTheyDiffer) {
  EXPECT_THAT(Ensemble::Open({Save("a", 1), Save("b", 2)}, {}).value()->names(),
              ElementsAre("a", "b"));
  const std::string one = Save("a", 1), other = Save("more/a", 2);
  EXPECT_THAT(Ensemble::Open({one, other}, {}).value()->names(),
              ElementsAre(one, other));
}

TEST_F(EnsembleTest, GrayQuantilesAreTheMeanOfThoseThatAreSaid) {
  const auto models = Ensemble::Open(
      {Save("a", 1, "0.1,0.2"), Save("b", 2), Save("c", 3, "0.3,0.4")}, {});
  ASSERT_TRUE(models.ok()) << models.status();
  EXPECT_THAT((*models)->facts().gray_quantiles,
              ElementsAre(testing::DoubleNear(0.2, 1e-9),
                          testing::DoubleNear(0.3, 1e-9)));
}

TEST_F(EnsembleTest, ADamagedFileIsNamed) {
  const std::string path = folder_ + "/bad.safetensors";
  ASSERT_TRUE(WriteFileAtomically(path, "no weights").ok());
  EXPECT_THAT(std::string(Ensemble::Open({path}, {}).status().message()),
              HasSubstr(path));
}

}  // namespace
}  // namespace hilum
