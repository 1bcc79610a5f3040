// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/models/ranks.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <torch/csrc/autograd/custom_function.h>

#include <chrono>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

#if defined(USE_C10D_GLOO) && __has_include(<gloo/algorithm.h>)
#define HILUM_HAS_GLOO
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#if defined(USE_C10D_NCCL) && __has_include(<nccl.h>)
#define HILUM_HAS_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace hilum {

#ifdef HILUM_HAS_GLOO
namespace {

constexpr std::chrono::minutes kPatience(10);

auto MakeGloo(c10::intrusive_ptr<c10d::Store> store,
              const RankOptions& options) {
  auto gloo = c10d::ProcessGroupGloo::Options::create();
  gloo->timeout = kPatience;
  gloo->devices.push_back(
      c10d::ProcessGroupGloo::createDeviceForInterface("lo"));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(
      std::move(store), options.rank, options.size, gloo);
}

}  // namespace

struct Ranks::Group {
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
#ifdef HILUM_HAS_NCCL
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> nccl;
#endif

  // Sums one flat tensor, on any device.
  void Sum(at::Tensor& flat) {
    std::vector<at::Tensor> one = {flat};
#ifdef HILUM_HAS_NCCL
    if (nccl) {
      nccl->allreduce(one)->wait();
      return;
    }
#endif
    if (flat.is_cpu()) {
      gloo->allreduce(one)->wait();
      return;
    }
    one[0] = flat.cpu();
    gloo->allreduce(one)->wait();
    flat.copy_(one[0]);
  }
};

absl::StatusOr<std::unique_ptr<Ranks>> Ranks::Join(const RankOptions& options,
                                                   bool cuda) try {
  auto group = std::make_unique<Group>();
  auto store =
      c10::make_intrusive<c10d::FileStore>(options.meeting_file, options.size);
  store->setTimeout(kPatience);
  group->gloo = MakeGloo(store, options);
#ifdef HILUM_HAS_NCCL
  if (cuda) {
    group->nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(
        c10::make_intrusive<c10d::PrefixStore>("nccl", store), options.rank,
        options.size);
  }
#endif
  return std::unique_ptr<Ranks>(new Ranks(options, std::move(group)));
} catch (const std::exception& e) {
  const std::string what = e.what();
  return absl::UnavailableError(
      absl::StrCat("the processes that share batches do not meet: ",
                   what.substr(0, what.find('\n'))));
}

#else

struct Ranks::Group {
  void Sum(at::Tensor&) {}
};

absl::StatusOr<std::unique_ptr<Ranks>> Ranks::Join(const RankOptions&, bool) {
  return absl::UnavailableError(
      "built without c10d's Gloo: give one device in trainer.devices");
}

#endif  // HILUM_HAS_GLOO

Ranks::Ranks(const RankOptions& options, std::unique_ptr<Group> group)
    : options_(options), group_(std::move(group)) {}
Ranks::~Ranks() = default;

Ranks::Slice Ranks::SliceOf(int64_t n) const {
  const int64_t first = n * options_.rank / options_.size;
  return {first, n * (options_.rank + 1) / options_.size - first};
}

void Ranks::Sum(std::vector<at::Tensor>& tensors) {
  if (tensors.empty()) return;
  std::vector<at::Tensor> parts;
  for (const at::Tensor& tensor : tensors) parts.push_back(tensor.reshape(-1));
  at::Tensor flat = at::cat(parts);
  group_->Sum(flat);
  int64_t at = 0;
  for (at::Tensor& tensor : tensors) {
    tensor.copy_(flat.narrow(0, at, tensor.numel()).view(tensor.sizes()));
    at += tensor.numel();
  }
}

namespace {

struct SumOverRanks : torch::autograd::Function<SumOverRanks> {
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& tensor, int64_t ranks) {
    context->saved_data["ranks"] = ranks;
    std::vector<at::Tensor> sum = {tensor.detach().clone()};
    reinterpret_cast<Ranks*>(ranks)->Sum(sum);
    return sum[0];
  }
  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      torch::autograd::variable_list gradients) {
    std::vector<at::Tensor> sum = {gradients[0].contiguous().clone()};
    reinterpret_cast<Ranks*>(context->saved_data["ranks"].toInt())->Sum(sum);
    return {sum[0], at::Tensor()};
  }
};

}  // namespace

at::Tensor Ranks::DifferentiableSum(const at::Tensor& tensor) {
  return SumOverRanks::apply(tensor, reinterpret_cast<int64_t>(this));
}

}  // namespace hilum
