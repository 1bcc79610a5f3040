// SPDX-License-Identifier: Apache-2.0
// Makes files of torch.save by hand: pickles from opcodes, archives from
// records, each of which can be wrong.
#ifndef HILUM_TESTS_COMMON_MODEL_TORCH_BYTES_H_
#define HILUM_TESTS_COMMON_MODEL_TORCH_BYTES_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hilum {

inline std::string Little(uint64_t number, size_t bytes) {
  return std::string(reinterpret_cast<const char*>(&number), bytes);
}

// Opcodes that each leave one value on the stack.
inline std::string PklText(absl::string_view text) {
  return absl::StrCat("X", Little(text.size(), 4), text);
}
inline std::string PklInt(int32_t number) {
  return absl::StrCat("J", Little(static_cast<uint32_t>(number), 4));
}
inline std::string PklGlobal(absl::string_view module, absl::string_view name) {
  return absl::StrCat("c", module, "\n", name, "\n");
}
inline std::string PklTuple(const std::vector<std::string>& items) {
  std::string text = "(";
  for (const std::string& item : items) text += item;
  return text + "t";
}
inline std::string PklInts(const std::vector<int32_t>& numbers) {
  std::string text = "(";
  for (int32_t number : numbers) text += PklInt(number);
  return text + "t";
}
inline std::string PklCall(absl::string_view module, absl::string_view name,
                           const std::vector<std::string>& arguments) {
  return absl::StrCat(PklGlobal(module, name), PklTuple(arguments), "R");
}
using PklItems = std::vector<std::pair<std::string, std::string>>;
inline std::string PklDict(const PklItems& items) {
  std::string text = "}(";
  for (const auto& [key, value] : items) text += PklText(key) + value;
  return text + "u";
}
inline std::string PklOrdered(const PklItems& items) {
  return PklCall("collections", "OrderedDict", {}) + PklDict(items).substr(1);
}
// Returns a record of a class: NEWOBJ, then BUILD with its __dict__.
inline std::string PklObject(absl::string_view module, absl::string_view name,
                             const std::string& state) {
  return absl::StrCat(PklGlobal(module, name), ")\x81", state, "b");
}
inline std::string PklModule(const PklItems& parameters,
                             const PklItems& buffers, const PklItems& modules) {
  return PklObject("hospital.net", "Net",
                   PklDict({{"training", "\x89"},
                            {"_non_persistent_buffers_set",
                             PklCall("__builtin__", "set", {"]"})},
                            {"_parameters", PklOrdered(parameters)},
                            {"_buffers", PklOrdered(buffers)},
                            {"_modules", PklOrdered(modules)}}));
}
inline std::string PklTensor(absl::string_view storage_class,
                             absl::string_view key, int32_t elements,
                             int32_t offset, const std::vector<int32_t>& shape,
                             const std::vector<int32_t>& strides,
                             bool legacy = false) {
  std::vector<std::string> id = {
      PklText("storage"), PklGlobal("torch", storage_class), PklText(key),
      PklText("cpu"), PklInt(elements)};
  if (legacy) id.push_back("N");
  return PklCall("torch._utils", "_rebuild_tensor_v2",
                 {PklTuple(id) + "Q", PklInt(offset), PklInts(shape),
                  PklInts(strides), "\x89", PklOrdered({})});
}
inline std::string Pkl(const std::string& value) {
  return absl::StrCat("\x80\x02", value, ".");
}

struct ZipFile {
  std::string name;
  std::string content;
  // Wrong values in the headers.
  uint16_t method = 0;
  uint16_t flags = 0;
  int64_t size = -1;    // size in the directory
  int64_t header = -1;  // place in the directory
  std::string local_name;
};

// Returns an archive of stored files, without checksums.
inline std::string Zip(const std::vector<ZipFile>& files) {
  std::string archive, directory;
  for (const ZipFile& file : files) {
    const uint64_t size = file.size < 0 ? file.content.size() : file.size;
    const uint64_t at = file.header < 0 ? archive.size() : file.header;
    const std::string& local =
        file.local_name.empty() ? file.name : file.local_name;
    const std::string start = Little(20, 2) + Little(file.flags, 2) +
                              Little(file.method, 2) + Little(0, 4) +
                              Little(0, 4) + Little(size, 4) + Little(size, 4);
    archive += "PK\x03\x04" + start + Little(local.size(), 2) + Little(0, 2) +
               local + file.content;
    directory += "PK\x01\x02" + Little(20, 2) + start +
                 Little(file.name.size(), 2) + std::string(12, '\0') +
                 Little(at, 4) + file.name;
  }
  const uint64_t at = archive.size();
  return archive + directory + "PK\x05\x06" + Little(0, 4) +
         Little(files.size(), 2) + Little(files.size(), 2) +
         Little(directory.size(), 4) + Little(at, 4) + Little(0, 2);
}

inline std::string TorchZip(
    const std::string& object,
    const std::vector<std::pair<std::string, std::string>>& storages) {
  std::vector<ZipFile> files = {{"net/data.pkl", Pkl(object)}};
  for (const auto& [key, bytes] : storages) {
    files.push_back({absl::StrCat("net/data/", key), bytes});
  }
  files.push_back({"net/version", "3\n"});
  return Zip(files);
}

struct LegacyStorage {
  std::string key;
  uint64_t elements;
  std::string bytes;
};

inline std::string TorchLegacy(const std::string& object,
                               const std::vector<LegacyStorage>& storages) {
  std::string keys = "](", data;
  for (const LegacyStorage& storage : storages) {
    keys += PklText(storage.key);
    data += Little(storage.elements, 8) + storage.bytes;
  }
  return Pkl("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") +
         Pkl(PklInt(1001)) + Pkl(PklDict({{"little_endian", "\x88"}})) +
         Pkl(object) + Pkl(keys + "e") + data;
}

template <typename T>
std::string RawBytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()),
                     values.size() * sizeof(T));
}

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_MODEL_TORCH_BYTES_H_
