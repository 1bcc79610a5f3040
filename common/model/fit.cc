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

// What the architecture does not have with its head, and has with head_units
// where that is its own, or with its own where that is of head_units.
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

const TensorSpec* FirstConvolution(const Architecture& architecture) {
  for (const TensorSpec& spec : architecture.tensors) {
    if (spec.shape.size() == 4) return &spec;
  }
  return nullptr;
}

bool IsNoWeight(const NamedTensor& tensor) {
  return tensor.view.type == ElementType::kInt64 || tensor.name == "op_threshs";
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
    // Said only where it would be enough.
    const size_t faults =
        missing_.size() + unexpected_.size() + misshapen_.size();
    std::string message;
    Tell("missing", missing_, message);
    Tell("unexpected", unexpected_, message);
    Tell("of another shape", misshapen_, message);
    if (message.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("not the tensors of ", architecture_.name, message,
                     mendable_ == faults ? hint_ : ""));
  }

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
    if (InHead(spec) && head_differs_ && options_.fresh_head) {
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
    const bool of_head = other_head_.contains(tensor.name);
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

  // Its root would be no number.
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
  bool head_differs_;
  std::vector<std::string> missing_, unexpected_, misshapen_;
  size_t mendable_ = 0;  // faults that an option would mend
  std::string hint_;
};

// Of a tensor of the file; 0: there is no such.
int Extent(const ViewsByName& views, const std::string& name, size_t side) {
  auto found = views.find(name);
  if (found == views.end() || found->second->shape.size() <= side) return 0;
  return static_cast<int>(
      std::clamp<int64_t>(found->second->shape[side], 0, 1 << 20));
}

// The file's own, were it of this name; NOT_FOUND or INVALID_ARGUMENT: it
// cannot be.
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

}  // namespace

absl::StatusOr<std::vector<float>> FitWeights(
    const std::vector<NamedTensor>& tensors, const Architecture& architecture,
    const WeightsOptions& options) {
  Fit fit(tensors, architecture, options);
  HILUM_RETURN_IF_ERROR(fit.Check());
  std::vector<float> values;
  HILUM_RETURN_IF_ERROR(fit.Copy(values));
  return values;
}

std::vector<Architecture> FittingArchitectures(
    const std::vector<NamedTensor>& tensors) {
  const ViewsByName views = ByName(tensors);
  std::vector<Architecture> fitting;
  for (const std::string& name : KnownArchitectures()) {
    auto architecture = AsInFile(views, name);
    if (!architecture.ok()) continue;
    if (!Fit(tensors, *architecture, {}).Check().ok()) continue;
    fitting.push_back(*std::move(architecture));
  }
  return fitting;
}

}  // namespace hilum
