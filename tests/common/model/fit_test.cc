// SPDX-License-Identifier: Apache-2.0
#include "common/model/fit.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Tensors of an architecture under a prefix, all zero: all share the bytes of
// the largest tensor.
class Prefixed {
 public:
  Prefixed(const Architecture& architecture, const std::string& prefix) {
    size_t most = 0;
    for (const TensorSpec& spec : architecture.tensors) {
      most = std::max(most, static_cast<size_t>(spec.size()) * 4);
    }
    zeros_.resize(most);
    for (const TensorSpec& spec : architecture.tensors) {
      Add(prefix + spec.name, spec.shape);
    }
  }

  void Add(const std::string& name, const std::vector<int64_t>& shape) {
    TensorView view{.shape = shape, .strides = RowMajorStrides(shape)};
    view.storage = absl::string_view(zeros_).substr(
        0, static_cast<size_t>(view.size()) * 4);
    tensors.push_back({name, view});
  }

  std::vector<NamedTensor> tensors;

 private:
  std::string zeros_;
};

Architecture Small() {
  return LookUpArchitecture({.name = "hilum_small", .classes = 3}).value();
}

std::string Message(const std::vector<NamedTensor>& tensors,
                    const Architecture& architecture,
                    const WeightsOptions& options = {}) {
  return std::string(
      FitWeights(tensors, architecture, options).status().message());
}

TEST(FitTest, APrefixThatAllNamesHaveGoesAndIsSaid) {
  const Architecture small = Small();
  for (const char* prefix :
       {"_orig_mod.", "model.", "module.", "net.a.b.", "module.encoder_q."}) {
    const Prefixed file(small, prefix);
    EXPECT_EQ(Message(file.tensors, small), "") << prefix;
    EXPECT_EQ(LeftOffPrefix(file.tensors, small, {}), prefix);
    const auto fitting = FittingArchitectures(file.tensors);
    ASSERT_EQ(fitting.size(), 1u) << prefix;
    EXPECT_EQ(fitting[0].name, "hilum_small");
    EXPECT_EQ(fitting[0].classes, 3);
  }
  const Prefixed plain(small, "");
  EXPECT_EQ(LeftOffPrefix(plain.tensors, small, {}), "");
}

// A running average of models counts its steps beside the tensors, without the
// prefix.
TEST(FitTest, CountersBesideDoNotKeepAPrefix) {
  const Architecture small = Small();
  Prefixed file(small, "module.");
  file.Add("n_averaged", {});
  file.tensors.back().view.type = ElementType::kInt64;
  EXPECT_EQ(Message(file.tensors, small), "");
}

TEST(FitTest, APrefixThatOnlySomeHaveIsNamed) {
  const Architecture small = Small();
  Prefixed file(small, "module.encoder_q.");
  Prefixed other(small, "module.encoder_k.");
  file.tensors.insert(file.tensors.end(), other.tensors.begin(),
                      other.tensors.end());
  file.Add("module.queue", {2, 2});
  EXPECT_THAT(Message(file.tensors, small),
              AllOf(HasSubstr("begin with 'module.encoder_q.' or with "
                              "'module.encoder_k.' would fit alone"),
                    HasSubstr("save those without the others")));
}

TEST(FitTest, WhatIsUnlikeIsListedWithoutThePrefix) {
  const Architecture small = Small();
  Prefixed file(small, "model.");
  file.tensors.pop_back();
  const std::string missing = small.tensors.back().name;
  EXPECT_THAT(Message(file.tensors, small),
              AllOf(HasSubstr(absl::StrCat("missing: ", missing)),
                    HasSubstr("without 'model.', with which all names begin"),
                    Not(HasSubstr("unexpected"))));
}

// CheXNet's head is the first layer of a list.
TEST(FitTest, AHeadThatAWrapperPutDeeperIsLeftOnRequest) {
  const Architecture dense =
      LookUpArchitecture({.name = "densenet121", .classes = 2}).value();
  Prefixed file(dense, "densenet121.");
  file.tensors.resize(file.tensors.size() - 2);
  file.Add("densenet121.classifier.0.weight", {14, 1024});
  file.Add("densenet121.classifier.0.bias", {14});
  EXPECT_THAT(Message(file.tensors, dense), HasSubstr("--fresh-head"));
  // The prefix is the one with which the tensors alone fit.
  EXPECT_EQ(LeftOffPrefix(file.tensors, dense, {.fresh_head = true}),
            "densenet121.");
}

}  // namespace
}  // namespace hilum
