// SPDX-License-Identifier: Apache-2.0
#include "common/model/torch_file.h"

#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/model/pickle.h"
#include "common/model/state_dict.h"
#include "common/model/zip_directory.h"

namespace hilum {
namespace {

using Kind = PickleNode::Kind;

// 0x1950a86a20f9469cfc6c as pickle's LONG1 has it.
constexpr absl::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
                                   10);
constexpr int64_t kLegacyProtocol = 1001;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

absl::StatusOr<absl::string_view> PartOf(absl::string_view storage,
                                         const StorageId& id) {
  const uint64_t size = InfoOf(id.type).size;
  if (storage.size() % size != 0 || storage.size() / size != id.elements) {
    return Bad(absl::StrCat("its storage ", Shown(id.key), " has ",
                            storage.size(), " bytes, not ", id.elements,
                            " times ", size));
  }
  return storage.substr(id.part_begin * size, id.part_elements * size);
}

absl::StatusOr<WeightsContent> ParseZip(absl::string_view bytes) {
  HILUM_ASSIGN_OR_RETURN(ZipEntries entries, ReadZipDirectory(bytes));
  constexpr absl::string_view kPickle = "/data.pkl";
  std::string folder;
  int pickles = 0;
  for (const auto& [name, entry] : entries) {
    if (!absl::EndsWith(name, kPickle)) continue;
    folder = std::string(absl::StripSuffix(name, kPickle));
    ++pickles;
  }
  if (pickles != 1) {
    return Bad("a zip archive, but not one of torch.save: it has no data.pkl");
  }
  if (entries.contains(folder + "/constants.pkl")) {
    return Bad(
        "a TorchScript program; give the weights: "
        "torch.save(model.state_dict(), FILE)");
  }
  for (const auto& [name, entry] : entries) {
    if (entry.stored) continue;
    return Bad(absl::StrCat(Shown(name), " is compressed or encrypted; ",
                            "torch.save stores, and so must this archive"));
  }
  auto order = entries.find(folder + "/byteorder");
  if (order != entries.end() && order->second.content != "little") {
    return Bad("written on a big-endian machine, which is not taken");
  }
  HILUM_ASSIGN_OR_RETURN(
      Pickle pickle,
      Pickle::Read(entries.at(absl::StrCat(folder, kPickle)).content));
  return FindTensors(
      pickle, [&](const StorageId& id) -> absl::StatusOr<absl::string_view> {
        auto found = entries.find(absl::StrCat(folder, "/data/", id.key));
        if (found != entries.end()) return PartOf(found->second.content, id);
        return Bad(absl::StrCat("its storage ", Shown(id.key), " is missing"));
      });
}

// Reads pickles and storages that follow each other.
class LegacyFile {
 public:
  explicit LegacyFile(absl::string_view bytes) : rest_(bytes) {}

  absl::StatusOr<WeightsContent> Parse() {
    HILUM_ASSIGN_OR_RETURN(Pickle magic, Next("magic number"));
    if (magic.root().kind != Kind::kLong || magic.root().text != kMagic) {
      return Bad("not a file of torch.save: its magic number is another");
    }
    HILUM_ASSIGN_OR_RETURN(Pickle protocol, Next("protocol"));
    if (protocol.root().integer != kLegacyProtocol) {
      return Bad("not of protocol 1001");
    }
    HILUM_ASSIGN_OR_RETURN(Pickle system, Next("system"));
    const PickleNode* little = system.Find(system.root(), "little_endian");
    if (little != nullptr && little->integer == 0) {
      return Bad("written on a big-endian machine, which is not taken");
    }
    HILUM_ASSIGN_OR_RETURN(Pickle object, Next("object"));
    HILUM_ASSIGN_OR_RETURN(Pickle keys, Next("list of storages"));
    HILUM_RETURN_IF_ERROR(FindStorages(object, keys));
    return FindTensors(
        object, [&](const StorageId& id) -> absl::StatusOr<absl::string_view> {
          auto found = storages_.find(id.key);
          if (found != storages_.end()) return PartOf(found->second, id);
          return Bad(
              absl::StrCat("its storage ", Shown(id.key), " is missing"));
        });
  }

 private:
  absl::StatusOr<Pickle> Next(absl::string_view what) {
    absl::StatusOr<Pickle> pickle = Pickle::Read(rest_);
    if (!pickle.ok()) {
      return absl::Status(
          pickle.status().code(),
          absl::StrCat("its ", what, ": ", pickle.status().message()));
    }
    rest_.remove_prefix(pickle->size());
    return pickle;
  }

  // Only the ids in the object give the element size of a storage.
  absl::Status FindStorages(const Pickle& object, const Pickle& keys) {
    std::map<absl::string_view, uint64_t> sizes;
    for (const PickleNode& node : object.nodes()) {
      absl::StatusOr<StorageId> id = ReadStorageId(object, node);
      if (id.ok()) sizes.emplace(id->key, InfoOf(id->type).size);
    }
    for (PickleRef ref : keys.root().items) {
      const absl::string_view key = keys.at(ref).text;
      auto size = sizes.find(key);
      if (size == sizes.end()) {
        return Bad(absl::StrCat("storage ", Shown(key), " is of no tensor"));
      }
      uint64_t elements = 0;
      if (rest_.size() < 8) return Short(key);
      std::memcpy(&elements, rest_.data(), 8);
      rest_.remove_prefix(8);
      if (elements > rest_.size() / size->second) return Short(key);
      storages_[key] = rest_.substr(0, elements * size->second);
      rest_.remove_prefix(elements * size->second);
    }
    return absl::OkStatus();
  }

  static absl::Status Short(absl::string_view key) {
    return Bad(absl::StrCat("storage ", Shown(key),
                            " reaches past the end; is the file cut short?"));
  }

  absl::string_view rest_;
  std::map<absl::string_view, absl::string_view> storages_;
};

}  // namespace

bool IsTorchZip(absl::string_view bytes) {
  return absl::StartsWith(bytes, absl::string_view("PK\x03\x04", 4));
}

bool IsTorchLegacy(absl::string_view bytes) {
  return bytes.size() > 14 && static_cast<uint8_t>(bytes[0]) == 0x80 &&
         bytes.substr(4, kMagic.size()) == kMagic;
}

absl::StatusOr<WeightsContent> ParseTorchFile(absl::string_view bytes) {
  if (IsTorchZip(bytes)) return ParseZip(bytes);
  if (IsTorchLegacy(bytes)) return LegacyFile(bytes).Parse();
  return Bad("not a file of torch.save");
}

}  // namespace hilum
