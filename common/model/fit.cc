// SPDX-License-Identifier: Apache-2.0
#include "common/model/fit.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// Equal but for the extent of one dimension.
bool DifferOnlyIn(size_t dimension, const Shape& a, const Shape& b) {
  if (a.size() != b.size() || dimension >= a.size()) return false;
  for (size_t d = 0; d < a.size(); ++d) {
    if (d != dimension && a[d] != b[d]) return false;
  }
  return a[dimension] != b[dimension];
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
        head_differs_(HeadDiffers()) {}

  absl::Status Check() {
    std::map<std::string, bool> wanted;
    for (const TensorSpec& spec : architecture_.tensors) {
      wanted[spec.name] = true;
      CheckOne(spec);
    }
    for (const NamedTensor& tensor : tensors_) {
      if (!wanted.contains(tensor.name) && !IsNoWeight(tensor)) {
        unexpected_.push_back(Shown(tensor.name));
      }
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

  // Classes are the first dimension of each of the head's tensors.
  bool HeadDiffers() const {
    bool differs = false;
    for (const TensorSpec& spec : architecture_.tensors) {
      if (!InHead(spec)) continue;
      const TensorView* view = ViewOf(spec);
      differs |= view == nullptr || DifferOnlyIn(0, view->shape, spec.shape);
    }
    return differs;
  }

  bool FitsSummed(const TensorSpec& spec, const TensorView& view) const {
    return &spec == first_ && spec.shape[1] == 1 && view.shape.size() == 4 &&
           view.shape[1] == 3 && DifferOnlyIn(1, view.shape, spec.shape);
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
    } else if (InHead(spec) && head_differs_) {
      if (!absl::StrContains(hint_, "--fresh-head")) {
        absl::StrAppend(&hint_, "; --fresh-head would start a new head");
      }
      ++mendable_;
    }
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
    if (source == Source::kFile) return CopyAsFloat32(spec.name, view, to);
    std::vector<float> three(static_cast<size_t>(view.size()));
    HILUM_RETURN_IF_ERROR(CopyAsFloat32(spec.name, view, three.data()));
    const size_t plane = static_cast<size_t>(spec.shape[2] * spec.shape[3]);
    for (size_t i = 0; i < static_cast<size_t>(spec.size()); ++i) {
      const float* at = &three[(i / plane) * 3 * plane + i % plane];
      to[i] = at[0] + at[plane] + at[2 * plane];
    }
    return absl::OkStatus();
  }

  const std::vector<NamedTensor>& tensors_;
  ViewsByName views_;
  const Architecture& architecture_;
  const WeightsOptions& options_;
  const TensorSpec* first_;
  bool head_differs_;
  std::vector<std::string> missing_, unexpected_, misshapen_;
  size_t mendable_ = 0;  // faults that an option would mend
  std::string hint_;
};

// How many classes the file's head has; 0: it has none of this architecture.
int ClassesOf(const ViewsByName& views, const Architecture& architecture) {
  for (const TensorSpec& spec : architecture.tensors) {
    if (spec.block != architecture.num_blocks) continue;
    auto found = views.find(spec.name);
    if (found == views.end() || found->second->shape.empty()) return 0;
    return static_cast<int>(
        std::clamp<int64_t>(found->second->shape[0], 0, 1 << 20));
  }
  return 0;
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

std::vector<Fitting> FittingArchitectures(
    const std::vector<NamedTensor>& tensors) {
  const ViewsByName views = ByName(tensors);
  std::vector<Fitting> fitting;
  for (const std::string& name : KnownArchitectures()) {
    auto two_classes = LookUpArchitecture({name, 2});
    if (!two_classes.ok()) continue;
    const int classes = ClassesOf(views, *two_classes);
    auto architecture = LookUpArchitecture({name, classes});
    if (!architecture.ok()) continue;
    for (bool sum : {false, true}) {
      const WeightsOptions options{.sum_input_channels = sum};
      if (!Fit(tensors, *architecture, options).Check().ok()) continue;
      fitting.push_back({*std::move(architecture), classes, sum});
      break;
    }
  }
  return fitting;
}

}  // namespace hilum
