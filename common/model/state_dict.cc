// SPDX-License-Identifier: Apache-2.0
#include "common/model/state_dict.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/preprocessing.h"

namespace hilum {
namespace {

using Kind = PickleNode::Kind;

constexpr size_t kMaxTensors = 100'000;
constexpr size_t kMaxName = 1000;
constexpr int kMaxModuleDepth = 100;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

// Returns the arguments of a call to this torch function; null: no such call.
const PickleNode* ArgumentsOf(const Pickle& pickle, const PickleNode& node,
                              absl::string_view module,
                              absl::string_view name) {
  if (node.kind != Kind::kCall ||
      !pickle.at(node.items[0]).IsGlobal(module, name)) {
    return nullptr;
  }
  return &pickle.at(node.items[1]);
}

// Reads a tuple of sizes, which may be a torch.Size.
absl::StatusOr<std::vector<int64_t>> ReadSizes(const Pickle& pickle,
                                               const PickleNode& given) {
  const PickleNode* sizes = &given;
  if (const PickleNode* arguments =
          ArgumentsOf(pickle, given, "torch", "Size")) {
    if (arguments->items.empty()) return Bad("a size that is none");
    sizes = &pickle.at(arguments->items[0]);
  }
  if (sizes->kind != Kind::kTuple || sizes->items.size() > 8) {
    return Bad("a size or stride that is none");
  }
  std::vector<int64_t> read;
  for (PickleRef ref : sizes->items) {
    if (pickle.at(ref).kind != Kind::kInt) return Bad("a size that is none");
    read.push_back(pickle.at(ref).integer);
  }
  return read;
}

// Returns the arguments of _rebuild_tensor_v2 for a tensor or parameter; null:
// the node is neither.
const PickleNode* TensorArguments(const Pickle& pickle, const PickleNode& node,
                                  int depth = 0) {
  if (node.kind != Kind::kCall || depth > 4) return nullptr;
  for (const char* name : {"_rebuild_tensor_v2", "_rebuild_tensor"}) {
    if (auto* found = ArgumentsOf(pickle, node, "torch._utils", name)) {
      return found;
    }
  }
  for (const char* name :
       {"_rebuild_parameter", "_rebuild_parameter_with_state"}) {
    const PickleNode* found = ArgumentsOf(pickle, node, "torch._utils", name);
    if (found == nullptr) continue;
    if (found->items.empty()) return nullptr;
    return TensorArguments(pickle, pickle.at(found->items[0]), depth + 1);
  }
  // The arguments of a tensor with attributes: the function, its type, its
  // arguments, ...
  const PickleNode* typed =
      ArgumentsOf(pickle, node, "torch._tensor", "_rebuild_from_type_v2");
  if (typed == nullptr || typed->items.size() < 3) return nullptr;
  PickleNode call{.kind = Kind::kCall};
  call.items = {typed->items[0], typed->items[2]};
  if (pickle.at(call.items[1]).kind != Kind::kTuple) return nullptr;
  return TensorArguments(pickle, call, depth + 1);
}

absl::StatusOr<TensorView> ReadTensor(const Pickle& pickle,
                                      const PickleNode& arguments,
                                      StorageLookup storage) {
  if (arguments.items.size() < 4) return Bad("a tensor without its arguments");
  const PickleNode& offset = pickle.at(arguments.items[1]);
  if (offset.kind != Kind::kInt || offset.integer < 0) {
    return Bad("an offset that is none");
  }
  TensorView view;
  HILUM_ASSIGN_OR_RETURN(StorageId id,
                         ReadStorageId(pickle, pickle.at(arguments.items[0])));
  HILUM_ASSIGN_OR_RETURN(view.storage, storage(id));
  HILUM_ASSIGN_OR_RETURN(view.shape,
                         ReadSizes(pickle, pickle.at(arguments.items[2])));
  HILUM_ASSIGN_OR_RETURN(view.strides,
                         ReadSizes(pickle, pickle.at(arguments.items[3])));
  view.type = id.type;
  view.offset = static_cast<uint64_t>(offset.integer);
  HILUM_RETURN_IF_ERROR(CheckView(view));
  return view;
}

// Renames `...denselayer3.norm.1.weight`, from before a rename in torchvision,
// to `...denselayer3.norm1.weight`; relu and conv, and number 2, in the same
// way.
std::string WithoutOldDensenetDot(std::string name) {
  size_t at = name.rfind(".denselayer");
  if (at == std::string::npos) return name;
  at = name.find('.', at + 1);
  if (at == std::string::npos) return name;
  for (absl::string_view layer : {".norm.", ".relu.", ".conv."}) {
    if (!absl::StartsWith(absl::string_view(name).substr(at), layer)) continue;
    const size_t digit = at + layer.size();
    if (digit < name.size() && (name[digit] == '1' || name[digit] == '2') &&
        digit + 1 < name.size() && name[digit + 1] == '.') {
      name.erase(digit - 1, 1);
    }
    break;
  }
  return name;
}

class Finder {
 public:
  Finder(const Pickle& pickle, StorageLookup storage)
      : pickle_(pickle), storage_(storage) {}

  absl::StatusOr<WeightsContent> Find() {
    const PickleNode& root = Unwrapped();
    if (root.kind == Kind::kObject) {
      HILUM_RETURN_IF_ERROR(Walk(root, "", 0));
    } else if (root.kind == Kind::kDict) {
      HILUM_RETURN_IF_ERROR(TakeDict(root, "", /*strict=*/false));
    } else {
      return Bad("neither a state dict nor a module is in it");
    }
    if (found_.empty()) return Bad(NoTensors(root));
    HILUM_RETURN_IF_ERROR(Rename());
    return WeightsContent{std::move(found_), MetadataOf(root)};
  }

 private:
  const PickleNode& Unwrapped() const {
    const PickleNode* node = &pickle_.root();
    for (int depth = 0; depth < 4; ++depth) {
      const PickleNode* inner = nullptr;
      for (const char* key : {"state_dict", "model_state_dict", "model"}) {
        const PickleNode* value = pickle_.Find(*node, key);
        if (inner == nullptr && value != nullptr &&
            (value->kind == Kind::kDict ||
             (value->kind == Kind::kObject && value->items.size() == 3))) {
          inner = value;
        }
      }
      if (inner == nullptr) break;
      node = inner;
    }
    return *node;
  }

  std::map<std::string, std::string> MetadataOf(const PickleNode& root) const {
    if (root.kind != Kind::kObject) return {};
    const absl::string_view module = pickle_.at(root.items[0]).module;
    if (!absl::StartsWith(module, "torchxrayvision.")) return {};
    return {{kPreprocessingKey,
             PreprocessingName(v1::Model::PREPROCESSING_TORCHXRAYVISION)}};
  }

  absl::Status Add(const PickleNode& key, absl::string_view prefix,
                   const PickleNode& arguments) {
    HILUM_ASSIGN_OR_RETURN(std::string name, Name(prefix, key));
    if (found_.size() >= kMaxTensors) {
      return absl::ResourceExhaustedError("over 100,000 tensors");
    }
    absl::StatusOr<TensorView> view = ReadTensor(pickle_, arguments, storage_);
    if (!view.ok()) {
      return absl::Status(
          view.status().code(),
          absl::StrCat("tensor ", Shown(name), ": ", view.status().message()));
    }
    found_.push_back({std::move(name), *std::move(view)});
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Name(absl::string_view prefix,
                                   const PickleNode& key) const {
    if (key.kind != Kind::kText || key.text.empty()) {
      return Bad("a tensor or module whose name is no text");
    }
    if (prefix.size() + key.text.size() > kMaxName) {
      return Bad(
          absl::StrCat("a name over ", kMaxName, " bytes: ", Shown(key.text)));
    }
    return absl::StrCat(prefix, key.text);
  }

  // `strict`: every value must be a tensor or None.
  absl::Status TakeDict(const PickleNode& dict, absl::string_view prefix,
                        bool strict) {
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleNode& key = pickle_.at(dict.items[i]);
      const PickleNode& value = pickle_.at(dict.items[i + 1]);
      if (const PickleNode* tensor = TensorArguments(pickle_, value)) {
        HILUM_RETURN_IF_ERROR(Add(key, prefix, *tensor));
      } else if (strict && value.kind != Kind::kNone) {
        return Bad(absl::StrCat(Shown(prefix), Shown(key.text),
                                " is neither a tensor nor None"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Walk(const PickleNode& module, const std::string& prefix,
                    int depth) {
    if (++modules_ > kMaxTensors || depth > kMaxModuleDepth) {
      return absl::ResourceExhaustedError(
          "over 100,000 modules, or over 100 within one another");
    }
    const PickleNode* modules = nullptr;
    if (module.kind == Kind::kObject && module.items.size() == 3) {
      const PickleNode& state = pickle_.at(module.items[2]);
      for (const char* kept : {"_parameters", "_buffers"}) {
        const PickleNode* dict = pickle_.Find(state, kept);
        if (dict == nullptr) continue;
        HILUM_RETURN_IF_ERROR(TakeDict(*dict, prefix, /*strict=*/true));
      }
      modules = pickle_.Find(state, "_modules");
    }
    if (modules == nullptr) {
      return Bad(absl::StrCat(prefix.empty() ? "what was saved" : Shown(prefix),
                              " is an object, but no torch.nn.Module"));
    }
    for (size_t i = 0; i + 1 < modules->items.size(); i += 2) {
      const PickleNode& child = pickle_.at(modules->items[i + 1]);
      if (child.kind == Kind::kNone) continue;
      HILUM_ASSIGN_OR_RETURN(std::string name,
                             Name(prefix, pickle_.at(modules->items[i])));
      HILUM_RETURN_IF_ERROR(Walk(child, name + ".", depth + 1));
    }
    return absl::OkStatus();
  }

  absl::Status Rename() {
    constexpr absl::string_view kParallel = "module.";
    const bool parallel = std::all_of(
        found_.begin(), found_.end(), [&](const NamedTensor& tensor) {
          return absl::StartsWith(tensor.name, kParallel);
        });
    std::set<absl::string_view> names;
    for (NamedTensor& tensor : found_) {
      if (parallel) tensor.name.erase(0, kParallel.size());
      tensor.name = WithoutOldDensenetDot(std::move(tensor.name));
    }
    for (const NamedTensor& tensor : found_) {
      if (!names.insert(tensor.name).second) {
        return Bad(absl::StrCat("two tensors are called ", Shown(tensor.name)));
      }
    }
    return absl::OkStatus();
  }

  std::string NoTensors(const PickleNode& root) const {
    std::string keys;
    for (size_t i = 0; i + 1 < root.items.size() && i < 20; i += 2) {
      const PickleNode& key = pickle_.at(root.items[i]);
      if (root.kind != Kind::kDict || key.kind != Kind::kText) continue;
      absl::StrAppend(&keys, keys.empty() ? "; it has: " : ", ",
                      Shown(key.text));
    }
    return absl::StrCat("no tensors, and no state_dict or model with tensors",
                        keys);
  }

  const Pickle& pickle_;
  StorageLookup storage_;
  std::vector<NamedTensor> found_;
  size_t modules_ = 0;
};

// Reads a view's key, its first element and its number of elements.
absl::Status ReadPart(const Pickle& pickle, const PickleNode& part,
                      StorageId& id) {
  if (part.kind != Kind::kTuple || part.items.size() != 3) {
    return Bad("the id of its storage is none");
  }
  const int64_t begin = pickle.at(part.items[1]).integer;
  const int64_t size = pickle.at(part.items[2]).integer;
  const int64_t elements = static_cast<int64_t>(id.elements);
  if (begin < 0 || size < 0 || begin > elements || size > elements - begin) {
    return Bad("a part of a storage that reaches past it");
  }
  id.part_begin = static_cast<uint64_t>(begin);
  id.part_elements = static_cast<uint64_t>(size);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StorageId> ReadStorageId(const Pickle& pickle,
                                        const PickleNode& persistent) {
  if (persistent.kind != Kind::kPersistent) return Bad("no storage");
  const PickleNode& id = pickle.at(persistent.items[0]);
  if (id.kind != Kind::kTuple || id.items.size() < 5 ||
      pickle.at(id.items[0]).text != "storage") {
    return Bad("the id of its storage is none");
  }
  const PickleNode& type = pickle.at(id.items[1]);
  const PickleNode& key = pickle.at(id.items[2]);
  const PickleNode& elements = pickle.at(id.items[4]);
  if (type.kind != Kind::kGlobal || key.kind != Kind::kText ||
      elements.kind != Kind::kInt || elements.integer < 0) {
    return Bad("the id of its storage is none");
  }
  const auto types = ElementTypes();
  const auto known = std::find_if(
      types.begin(), types.end(),
      [&](const ElementTypeInfo& t) { return t.storage == type.text; });
  if (known == types.end() ||
      (type.module != "torch" && type.module != "torch.cuda")) {
    return Bad(absl::StrCat("its storage is a ", Shown(type.module), ".",
                            Shown(type.text), ", which is not taken"));
  }
  const uint64_t count = static_cast<uint64_t>(elements.integer);
  StorageId read{known->type, key.text, count, 0, count};
  if (id.items.size() < 6) return read;
  const PickleNode& part = pickle.at(id.items[5]);
  if (part.kind == Kind::kNone) return read;
  HILUM_RETURN_IF_ERROR(ReadPart(pickle, part, read));
  return read;
}

absl::StatusOr<WeightsContent> FindTensors(const Pickle& pickle,
                                           StorageLookup storage) {
  return Finder(pickle, storage).Find();
}

}  // namespace hilum
