// SPDX-License-Identifier: Apache-2.0
#include "common/model/fit.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

using Shape = std::vector<int64_t>;
using ViewsByName = std::map<std::string, const TensorView*>;

ViewsByName ByName(const std::vector<NamedTensor>& tensors) {
  ViewsByName views;
  for (const NamedTensor& tensor : tensors) views[tensor.name] = &tensor.view;
  return views;
}

// Returns the names that the architecture lacks with its head, and has with
// another head: with head_units where the head is its own, and the reverse.
std::set<std::string> OtherHead(const Architecture& architecture) {
  std::set<std::string> names;
  auto other = LookUpArchitecture({.name = architecture.name,
                                   .classes = 2,
                                   .head_units = !architecture.head_units});
  if (!other.ok()) return names;
  for (const TensorSpec& spec : other->tensors) names.insert(spec.name);
  for (const TensorSpec& spec : architecture.tensors) names.erase(spec.name);
  return names;
}

// Returns the prefix of the names in the head's layer, where the head is one
// layer: "classifier." or "fc.". Empty: the head has several layers, or no name
// of its own.
std::string HeadLayer(const Architecture& architecture) {
  if (architecture.head_units != 0 || architecture.tensors.empty()) return "";
  const TensorSpec& last = architecture.tensors.back();
  const size_t dot = last.name.rfind('.');
  if (dot == std::string::npos || last.block != architecture.num_blocks) {
    return "";
  }
  return last.name.substr(0, dot + 1);
}

const TensorSpec* FirstConvolution(const Architecture& architecture) {
  for (const TensorSpec& spec : architecture.tensors) {
    if (spec.shape.size() == 4) return &spec;
  }
  return nullptr;
}

bool IsNoWeight(const NamedTensor& tensor) {
  return tensor.view.type == ElementType::kInt64 ||
         tensor.name == "op_threshs" ||
         absl::EndsWith(tensor.name, ".op_threshs");
}

// Returns the longest prefix that all names share, up to and with a dot before
// the last layer.
std::string LongestSharedPrefix(const std::vector<NamedTensor>& tensors) {
  const std::string* first = nullptr;
  size_t shared = 0;
  for (const NamedTensor& tensor : tensors) {
    if (IsNoWeight(tensor)) continue;
    if (first == nullptr) {
      first = &tensor.name;
      shared = first->size();
    }
    const auto differ = std::mismatch(first->begin(), first->begin() + shared,
                                      tensor.name.begin(), tensor.name.end());
    shared = static_cast<size_t>(differ.first - first->begin());
  }
  if (first == nullptr || shared == 0) return "";
  const size_t dot = first->rfind('.', shared - 1);
  return dot == std::string::npos ? "" : first->substr(0, dot + 1);
}

// Returns the prefixes that may be removed, the shortest ("") first.
std::vector<std::string> SharedPrefixes(
    const std::vector<NamedTensor>& tensors) {
  constexpr size_t kMost = 8;  // nested wrappers
  const std::string longest = LongestSharedPrefix(tensors);
  std::vector<std::string> prefixes = {""};
  for (size_t dot = longest.find('.');
       dot != std::string::npos && prefixes.size() < kMost;
       dot = longest.find('.', dot + 1)) {
    prefixes.push_back(longest.substr(0, dot + 1));
  }
  return prefixes;
}

// Returns the tensors whose names begin with `prefix`, without it.
std::vector<NamedTensor> Below(const std::vector<NamedTensor>& tensors,
                               const std::string& prefix) {
  std::vector<NamedTensor> below;
  for (const NamedTensor& tensor : tensors) {
    if (!absl::StartsWith(tensor.name, prefix)) continue;
    below.push_back({tensor.name.substr(prefix.size()), tensor.view});
  }
  return below;
}

enum class Source { kFile, kSummedChannels, kSeed };

class Fit {
 public:
  Fit(const std::vector<NamedTensor>& tensors, const Architecture& architecture,
      const WeightsOptions& options)
      : tensors_(tensors),
        views_(ByName(tensors)),
        architecture_(architecture),
        options_(options),
        first_(FirstConvolution(architecture)),
        other_head_(OtherHead(architecture)),
        head_layer_(HeadLayer(architecture)),
        head_differs_(HeadDiffers()) {}

  absl::Status Check() {
    std::map<std::string, bool> wanted;
    for (const TensorSpec& spec : architecture_.tensors) {
      wanted[spec.name] = true;
      CheckOne(spec);
    }
    for (const NamedTensor& tensor : tensors_) {
      if (!wanted.contains(tensor.name)) CheckUnexpected(tensor);
    }
    // Mentions the option only where it alone would be enough.
    faults_ = missing_.size() + unexpected_.size() + misshapen_.size();
    std::string message;
    Tell("missing", missing_, message);
    Tell("unexpected", unexpected_, message);
    Tell("of another shape", misshapen_, message);
    if (message.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("not the tensors of ", architecture_.name, message,
                     mendable_ == faults_ ? hint_ : ""));
  }

  size_t faults() const { return faults_; }  // after Check

  absl::Status Copy(std::vector<float>& values) const {
    int64_t total = 0;
    for (const TensorSpec& spec : architecture_.tensors) total += spec.size();
    values.resize(static_cast<size_t>(total));
    float* to = values.data();
    for (const TensorSpec& spec : architecture_.tensors) {
      HILUM_RETURN_IF_ERROR(CopyOne(spec, to));
      to += spec.size();
    }
    return absl::OkStatus();
  }

 private:
  bool InHead(const TensorSpec& spec) const {
    return spec.block == architecture_.num_blocks;
  }

  const TensorView* ViewOf(const TensorSpec& spec) const {
    auto found = views_.find(spec.name);
    return found == views_.end() ? nullptr : found->second;
  }

  bool HeadDiffers() const {
    bool differs = false;
    for (const TensorSpec& spec : architecture_.tensors) {
      if (!InHead(spec)) continue;
      const TensorView* view = ViewOf(spec);
      differs |= view == nullptr || view->shape != spec.shape;
    }
    return differs;
  }

  bool FitsSummed(const TensorSpec& spec, const TensorView& view) const {
    Shape three = spec.shape;
    if (&spec != first_ || three[1] != 1) return false;
    three[1] = 3;
    return view.shape == three;
  }

  Source SourceOf(const TensorSpec& spec) const {
    const bool replaced = head_differs_ || options_.replace_head;
    if (InHead(spec) && replaced && options_.fresh_head) {
      return Source::kSeed;
    }
    const TensorView* view = ViewOf(spec);
    if (view != nullptr && FitsSummed(spec, *view)) {
      return Source::kSummedChannels;
    }
    return Source::kFile;
  }

  void CheckOne(const TensorSpec& spec) {
    const Source source = SourceOf(spec);
    if (source == Source::kSeed ||
        (source == Source::kSummedChannels && options_.sum_input_channels)) {
      return;
    }
    const TensorView* view = ViewOf(spec);
    if (view != nullptr && view->shape == spec.shape) return;
    if (view == nullptr) {
      missing_.push_back(spec.name);
    } else {
      misshapen_.push_back(absl::StrCat(spec.name, " ", ShapeText(view->shape),
                                        ", not ", ShapeText(spec.shape)));
    }
    if (source == Source::kSummedChannels) {
      ++mendable_;
      absl::StrAppend(&hint_, "; --sum-channels would sum the three channels ",
                      "of its first convolution");
    } else if (InHead(spec)) {
      AFreshHeadMends();
    }
  }

  void CheckUnexpected(const NamedTensor& tensor) {
    if (IsNoWeight(tensor)) return;
    // Includes a head that a wrapper put deeper: classifier.0.weight.
    const bool of_head =
        other_head_.contains(tensor.name) ||
        (!head_layer_.empty() && absl::StartsWith(tensor.name, head_layer_));
    if (of_head && options_.fresh_head) return;
    unexpected_.push_back(Shown(tensor.name));
    if (of_head) AFreshHeadMends();
  }

  void AFreshHeadMends() {
    ++mendable_;
    if (absl::StrContains(hint_, "--fresh-head")) return;
    absl::StrAppend(&hint_, "; --fresh-head would start a new head");
  }

  static void Tell(absl::string_view what, std::vector<std::string>& names,
                   std::string& message) {
    constexpr size_t kMost = 12;
    if (names.empty()) return;
    const size_t more = names.size() > kMost ? names.size() - kMost : 0;
    names.resize(names.size() - more);
    absl::StrAppend(&message, message.empty() ? ": " : "; ", what, ": ",
                    absl::StrJoin(names, ", "));
    if (more > 0) absl::StrAppend(&message, " and ", more, " more");
  }

  absl::Status CopyOne(const TensorSpec& spec, float* to) const {
    const Source source = SourceOf(spec);
    if (source == Source::kSeed) {
      const std::vector<float> drawn = InitialTensor(spec, options_.seed);
      std::copy(drawn.begin(), drawn.end(), to);
      return absl::OkStatus();
    }
    const TensorView& view = *ViewOf(spec);
    if (source == Source::kFile) {
      HILUM_RETURN_IF_ERROR(CopyAsFloat32(spec.name, view, to));
      return CheckVariance(spec, {to, static_cast<size_t>(spec.size())});
    }
    std::vector<float> three(static_cast<size_t>(view.size()));
    HILUM_RETURN_IF_ERROR(CopyAsFloat32(spec.name, view, three.data()));
    const size_t plane = static_cast<size_t>(spec.shape[2] * spec.shape[3]);
    for (size_t i = 0; i < static_cast<size_t>(spec.size()); ++i) {
      const float* at = &three[(i / plane) * 3 * plane + i % plane];
      to[i] = at[0] + at[plane] + at[2 * plane];
    }
    return absl::OkStatus();
  }

  // The square root of a negative variance is not a number.
  static absl::Status CheckVariance(const TensorSpec& spec,
                                    absl::Span<const float> values) {
    if (spec.role != TensorRole::kRunningVariance) return absl::OkStatus();
    for (float value : values) {
      if (value >= 0) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("tensor ", spec.name, " holds a variance below 0"));
    }
    return absl::OkStatus();
  }

  const std::vector<NamedTensor>& tensors_;
  ViewsByName views_;
  const Architecture& architecture_;
  const WeightsOptions& options_;
  const TensorSpec* first_;
  std::set<std::string> other_head_;
  std::string head_layer_;
  bool head_differs_;
  std::vector<std::string> missing_, unexpected_, misshapen_;
  size_t faults_ = 0;
  size_t mendable_ = 0;  // faults that an option would resolve
  std::string hint_;
};

// Returns one side of a tensor in the file; 0: there is no such tensor.
int Extent(const ViewsByName& views, const std::string& name, size_t side) {
  auto found = views.find(name);
  if (found == views.end() || found->second->shape.size() <= side) return 0;
  return static_cast<int>(
      std::clamp<int64_t>(found->second->shape[side], 0, 1 << 20));
}

// Returns the file's architecture if it has this name. NOT_FOUND or
// INVALID_ARGUMENT: it cannot have.
absl::StatusOr<Architecture> AsInFile(const ViewsByName& views,
                                      const std::string& name) {
  ModelShape shape{.name = name, .classes = 2};
  HILUM_ASSIGN_OR_RETURN(Architecture own, LookUpArchitecture(shape));
  shape.head_units = Extent(views, "head.0.weight", 0);
  shape.classes = Extent(
      views, shape.head_units > 0 ? "head.3.weight" : own.tensors.back().name,
      0);
  shape.input_channels = Extent(views, FirstConvolution(own)->name, 1);
  return LookUpArchitecture(shape);
}

// The prefix without which the tensors fit, or else the one that fits best.
struct Choice {
  std::string prefix;
  std::vector<NamedTensor> tensors;  // names without the prefix
  absl::Status status;
};

Choice ChoosePrefix(const std::vector<NamedTensor>& tensors,
                    const Architecture& architecture,
                    const WeightsOptions& options) {
  Choice best;
  size_t fewest = 0;
  for (const std::string& prefix : SharedPrefixes(tensors)) {
    Choice choice{prefix, Below(tensors, prefix), {}};
    Fit fit(choice.tensors, architecture, options);
    choice.status = fit.Check();
    if (choice.status.ok()) return choice;
    if (!prefix.empty() && fit.faults() >= fewest) continue;
    fewest = fit.faults();
    best = std::move(choice);
  }
  return best;
}

// Returns prefixes whose tensors alone would fit. A file may have others beside
// them, such as a second network.
std::vector<std::string> FittingParts(const std::vector<NamedTensor>& tensors,
                                      const Architecture& architecture,
                                      const WeightsOptions& options) {
  constexpr size_t kMost = 4, kMostTries = 16;
  size_t tries = 0;
  const std::string last = absl::StrCat(
      ".", FirstConvolution(architecture) ? FirstConvolution(architecture)->name
                                          : "");
  std::vector<std::string> parts;
  for (const NamedTensor& tensor : tensors) {
    if (parts.size() == kMost || tries == kMostTries) break;
    if (!absl::EndsWith(tensor.name, last)) continue;
    ++tries;
    const std::string prefix =
        tensor.name.substr(0, tensor.name.size() - last.size() + 1);
    const std::vector<NamedTensor> below = Below(tensors, prefix);
    if (Fit(below, architecture, options).Check().ok()) parts.push_back(prefix);
  }
  return parts;
}

// Says what to do about prefixes, where they are the fault.
std::string PrefixHint(const Choice& choice,
                       const std::vector<NamedTensor>& tensors,
                       const Architecture& architecture,
                       const WeightsOptions& options) {
  std::string hint;
  if (!choice.prefix.empty()) {
    hint = absl::StrCat("; compared without '", Shown(choice.prefix),
                        "', with which all names begin");
  }
  std::vector<std::string> parts;
  for (const std::string& part : FittingParts(tensors, architecture, options)) {
    parts.push_back(absl::StrCat("'", Shown(part), "'"));
  }
  if (parts.empty()) return hint;
  return absl::StrCat(hint, "; the tensors whose names begin with ",
                      absl::StrJoin(parts, " or with "),
                      " would fit alone: save those without the others");
}

}  // namespace

absl::StatusOr<std::vector<float>> FitWeights(
    const std::vector<NamedTensor>& tensors, const Architecture& architecture,
    const WeightsOptions& options) {
  const Choice choice = ChoosePrefix(tensors, architecture, options);
  if (!choice.status.ok()) {
    return absl::Status(
        choice.status.code(),
        absl::StrCat(choice.status.message(),
                     PrefixHint(choice, tensors, architecture, options)));
  }
  std::vector<float> values;
  HILUM_RETURN_IF_ERROR(
      Fit(choice.tensors, architecture, options).Copy(values));
  return values;
}

std::string LeftOffPrefix(const std::vector<NamedTensor>& tensors,
                          const Architecture& architecture,
                          const WeightsOptions& options) {
  const Choice choice = ChoosePrefix(tensors, architecture, options);
  return choice.status.ok() ? choice.prefix : "";
}

std::vector<Architecture> FittingArchitectures(
    const std::vector<NamedTensor>& tensors) {
  std::vector<Architecture> fitting;
  for (const std::string& prefix : SharedPrefixes(tensors)) {
    const std::vector<NamedTensor> below = Below(tensors, prefix);
    const ViewsByName views = ByName(below);
    for (const std::string& name : KnownArchitectures()) {
      auto architecture = AsInFile(views, name);
      if (!architecture.ok()) continue;
      if (!Fit(below, *architecture, {}).Check().ok()) continue;
      fitting.push_back(*std::move(architecture));
    }
  }
  return fitting;
}

}  // namespace hilum
