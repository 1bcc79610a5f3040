// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/models/network.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/models/families.h"

namespace hilum {
namespace {

struct Family {
  absl::string_view name;
  std::unique_ptr<Network> (*make)(TensorTable&, const Architecture&);
};

constexpr Family kFamilies[] = {
    {"hilum_small", MakeHilumSmall}, {"vgg16", MakeVgg},
    {"vgg16_bn", MakeVgg},           {"resnet18", MakeResNet},
    {"resnet50", MakeResNet},        {"densenet121", MakeDenseNet}};

}  // namespace

TensorTable::TensorTable(const Architecture& architecture,
                         const std::vector<at::Tensor>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    entries_[architecture.tensors[i].name] = {tensors[i]};
  }
}

at::Tensor TensorTable::Take(const std::string& name,
                             std::vector<int64_t> shape) {
  auto found = entries_.find(name);
  if (found == entries_.end() || found->second.taken ||
      found->second.tensor.sizes() != at::IntArrayRef(shape)) {
    absl::StrAppend(&fault_, fault_.empty() ? "" : ", ", name);
    return at::Tensor();
  }
  found->second.taken = true;
  return found->second.tensor;
}

absl::Status TensorTable::Finish() const {
  std::string fault = fault_;
  for (const auto& [name, entry] : entries_) {
    if (entry.taken) continue;
    absl::StrAppend(&fault, fault.empty() ? "" : ", ", name);
  }
  if (fault.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("network and registry differ in: ", fault));
}

at::Tensor Run(Network& network, int first, int last, const at::Tensor& x,
               const Pass& pass) {
  at::Tensor y = x;
  for (int block = first; block < last; ++block) {
    y = network.Block(block, y, pass);
    if (block + 1 == network.pool_block()) y = network.Pool(y);
  }
  return y;
}

absl::StatusOr<std::unique_ptr<Network>> MakeNetwork(
    const Architecture& architecture, const std::vector<at::Tensor>& tensors) {
  for (const Family& family : kFamilies) {
    if (family.name != architecture.name) continue;
    TensorTable table(architecture, tensors);
    std::unique_ptr<Network> network = family.make(table, architecture);
    HILUM_RETURN_IF_ERROR(table.Finish());
    return network;
  }
  return absl::NotFoundError(
      absl::StrCat("no network '", architecture.name, "'"));
}

}  // namespace hilum
