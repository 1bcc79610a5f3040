// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/file.h"
#include "common/model/architecture.h"
#include "common/model/safetensors.h"
#include "tests/e2e/e2e.h"

namespace hilum {
namespace {

class TrainableTest : public EndToEndTest {
 protected:
  // Runs a study of one arm in which only `model` decides what travels.
  void RunWith(const std::string& model) {
    MakeDataAndStudy();
    std::string study = absl::StrReplaceAll(
        Text("study.yaml"),
        {{"trainable: all", model}, {"[segmented, whole]", "[whole]"}});
    Write("study.yaml", study);
    const Outcome run = Run({Program("hilum-sim"), "run", Path("study.yaml"),
                             "--data", Path("data/manifest.csv"), "--sites",
                             "3", "--transport", "grpc", "--out", Path("out")});
    ASSERT_EQ(run.exit_status, 0) << run.output;
  }

  // Returns the names of tensors whose values differ between two models.
  std::set<std::string> Differing(const std::vector<float>& a,
                                  const std::vector<float>& b) const {
    std::set<std::string> names;
    size_t at = 0;
    for (const TensorSpec& tensor : architecture_.tensors) {
      const size_t size = static_cast<size_t>(tensor.size());
      if (!std::equal(a.begin() + at, a.begin() + at + size, b.begin() + at)) {
        names.insert(tensor.name);
      }
      at += size;
    }
    return names;
  }

  std::vector<float> Model(const std::string& track) const {
    auto model = ReadSafetensors(
        Path(absl::StrCat("out/model/whole-", track, ".safetensors")),
        architecture_);
    EXPECT_TRUE(model.ok()) << model.status();
    return *std::move(model);
  }

  const Architecture architecture_ =
      LookUpArchitecture({"hilum_small", 4}).value();
  const std::vector<float> initial_ = InitialWeights(architecture_, 3);
};

TEST_F(TrainableTest, LastBlocksLearnAndTheRestStaysWhatItWas) {
  RunWith("trainable: last_blocks, last_blocks: 1");
  std::set<std::string> changed = Differing(initial_, Model("fold-1"));
  std::set<std::string> wanted;
  for (const TensorSpec& tensor : architecture_.tensors) {
    if (tensor.block >= architecture_.num_blocks - 1) {
      wanted.insert(tensor.name);
    }
  }
  EXPECT_EQ(changed, wanted);
  EXPECT_FALSE(Differing(Model("fold-1"), Model("fold-2")).empty());
}

TEST_F(TrainableTest, HeadLearnsAlone) {
  RunWith("trainable: head");
  EXPECT_EQ(Differing(initial_, Model("final")),
            (std::set<std::string>{"head.bias", "head.weight"}));
}

}  // namespace
}  // namespace hilum
