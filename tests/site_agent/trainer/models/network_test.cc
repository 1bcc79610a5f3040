// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/models/network.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hilum {
namespace {

// A network with its starting tensors.
struct Built {
  Architecture architecture;
  std::vector<at::Tensor> tensors;
  std::unique_ptr<Network> network;

  at::Tensor Part(int first, int last, const at::Tensor& x,
                  const Pass& pass = {}) {
    at::NoGradGuard no_grad;
    return Run(*network, first, last, x, pass);
  }
  at::Tensor Logits(const at::Tensor& x, const Pass& pass = {}) {
    return Part(0, network->num_blocks() + 1, x, pass);
  }
  at::Tensor& Named(const std::string& name) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (architecture.tensors[i].name == name) return tensors[i];
    }
    ADD_FAILURE() << name;
    return tensors[0];
  }
};

// `drawn`: initialises the tensors; else they hold any values.
Built Build(const ModelShape& shape, bool drawn = true) {
  Built built{.architecture = LookUpArchitecture(shape).value()};
  for (const TensorSpec& spec : built.architecture.tensors) {
    at::Tensor tensor = at::empty(spec.shape, at::kFloat);
    at::manual_seed(built.tensors.size());  // whatever those before it are
    if (drawn && spec.init == Init::kHeNormal) {
      const double fan_in = static_cast<double>(spec.size() / spec.shape[0]);
      tensor.uniform_(-std::sqrt(6 / fan_in), std::sqrt(6 / fan_in));
    } else if (drawn) {
      tensor.fill_(spec.init == Init::kOne ? 1 : 0);
    }
    built.tensors.push_back(tensor);
  }
  auto network = MakeNetwork(built.architecture, built.tensors);
  EXPECT_TRUE(network.ok()) << network.status();
  built.network = *std::move(network);
  return built;
}

at::Tensor Noise(std::vector<int64_t> shape) {
  Rng rng(8, "noise");
  at::Tensor x = at::zeros(shape, at::kFloat);
  for (int64_t i = 0; i < x.numel(); ++i) {
    x.data_ptr<float>()[i] = static_cast<float>(rng.Normal());
  }
  return x;
}

double Difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a - b).abs().max().item<double>();
}

TEST(NetworkTest, EveryTableHasItsNetworkWithEitherHead) {
  for (const std::string& name : KnownArchitectures()) {
    for (int units : {0, 16}) {
      for (int channels : {1, 3}) {
        Built built = Build({name, 5, units, channels}, /*drawn=*/false);
        ASSERT_NE(built.network, nullptr) << name;
        EXPECT_EQ(built.network->num_blocks(), built.architecture.num_blocks);
      }
    }
  }
}

// A frozen trunk's features are vectors.
TEST(NetworkTest, TheHeadTakesVectors) {
  for (auto [name, length] :
       {std::pair{"hilum_small", 160}, std::pair{"vgg16", 512},
        std::pair{"vgg16_bn", 512}, std::pair{"resnet18", 512},
        std::pair{"resnet50", 2048}, std::pair{"densenet121", 1024}}) {
    Built built = Build({name, 5, 16}, /*drawn=*/false);
    const at::Tensor x =
        at::zeros({2, built.architecture.input_channels, 32, 32}, at::kFloat);
    const int head = built.network->num_blocks();
    EXPECT_EQ(built.network->pool_block(), head) << name;
    const at::Tensor features = built.Part(0, head, x);
    EXPECT_EQ(features.sizes(), (std::vector<int64_t>{2, length})) << name;
    EXPECT_EQ(built.Part(head, head + 1, features).sizes(),
              (std::vector<int64_t>{2, 5}))
        << name;
  }
}

TEST(NetworkTest, PartsOfARunAreTheWhole) {
  for (const char* name : {"hilum_small", "resnet18", "densenet121"}) {
    Built built = Build({name, 3, 16});
    const at::Tensor x = Noise({2, built.architecture.input_channels, 32, 32});
    const at::Tensor whole = built.Logits(x);
    const int last = built.network->num_blocks() + 1;
    for (int first = 1; first < last; ++first) {
      const at::Tensor between = built.Part(0, first, x);
      const at::Tensor before = between.clone();
      EXPECT_EQ(Difference(built.Part(first, last, between), whole), 0)
          << name << " " << first;
      // Callers may keep an output: nothing changes it in place.
      EXPECT_EQ(Difference(between, before), 0) << name << " " << first;
    }
  }
}

// Another order of additions changes float32's 6e-8 over 147 products.
TEST(NetworkTest, SummedChannelsComputeAsThreeEqualOnes) {
  Built three = Build({"resnet18", 3});
  Built one = Build({"resnet18", 3, 0, 1});
  one.Named("conv1.weight").copy_(three.Named("conv1.weight").sum({1}, true));
  const at::Tensor x = Noise({2, 1, 64, 64});
  const at::Tensor logits = three.Logits(at::cat({x, x, x}, 1));
  const double scale = logits.abs().max().item<double>();
  EXPECT_GT(scale, 0.1);
  EXPECT_LE(Difference(one.Logits(x), logits), 1e-5 * scale);
}

TEST(NetworkTest, StatisticsMoveOnlyWhenAsked) {
  Built built = Build({"resnet18", 3});
  at::Tensor& mean = built.Named("layer4.1.bn2.running_mean");
  const at::Tensor x = Noise({2, 3, 64, 64});
  built.Logits(x);
  EXPECT_EQ(mean.abs().max().item<double>(), 0);
  built.Logits(x, {.update_statistics = true});
  EXPECT_GT(mean.abs().max().item<double>(), 0);
}

// Only one pixel is left in layer4 for a last batch of one case at 32 pixels.
TEST(NetworkTest, ASingleValueAChannelLeavesStatisticsAlone) {
  Built built = Build({"resnet18", 3});
  const at::Tensor logits =
      built.Logits(Noise({1, 3, 32, 32}), {.update_statistics = true});
  EXPECT_TRUE(logits.isfinite().all().item<bool>());
  for (const at::Tensor& tensor : built.tensors) {
    ASSERT_TRUE(tensor.isfinite().all().item<bool>());
  }
  EXPECT_EQ(built.Named("layer4.1.bn2.running_mean").abs().max().item<double>(),
            0);
  EXPECT_GT(built.Named("bn1.running_mean").abs().max().item<double>(), 0);
}

TEST(NetworkTest, DropoutOfAHeadIsOfItsSource) {
  Built built = Build({"hilum_small", 3, 64});
  const at::Tensor x = Noise({2, 1, 32, 32});
  auto with = [&](uint64_t seed) {
    Rng rng(seed, "dropout");
    return built.Logits(x, {.dropout = &rng});
  };
  EXPECT_EQ(Difference(with(1), with(1)), 0);
  EXPECT_GT(Difference(with(1), with(2)), 0);
  EXPECT_EQ(Difference(built.Logits(x), built.Logits(x)), 0);
}

TEST(NetworkTest, TensorsUnlikeTheTableAreNamed) {
  Built built = Build({"hilum_small", 3});
  built.tensors[0] = at::zeros({1}, at::kFloat);
  EXPECT_EQ(MakeNetwork(built.architecture, built.tensors).status().code(),
            absl::StatusCode::kInvalidArgument);
  built.architecture.name = "none";
  EXPECT_EQ(MakeNetwork(built.architecture, built.tensors).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hilum
